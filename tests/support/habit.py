# SPDX-License-Identifier: Apache-2.0
"""What the tests in tests/habits share.

A habit is a function that takes a tree and returns complaints. Each is run
on the project, where it must be silent, and then on small trees in which the
habit is broken, where it must complain: a rule that was never seen to fail
proves nothing.
"""

import os
import re
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
BUILD = os.environ.get("WAYBILL_BUILD_DIR",
                       os.path.join(ROOT, "build", "release"))


def files_of(root):
    """Paths of a tree's files: git's view of it, else all but builds."""
    if os.path.exists(os.path.join(root, ".git")):
        listed = subprocess.run(
            ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached",
             "--others", "--exclude-standard"],
            cwd=root, check=True, capture_output=True, text=True).stdout
        return sorted(path for path in set(listed.split("\0"))
                      if path and os.path.exists(os.path.join(root, path)))
    found = []
    for base, folders, names in os.walk(root):
        folders[:] = [f for f in folders
                      if not f.startswith("build") and f != ".git"]
        found += [os.path.relpath(os.path.join(base, n), root) for n in names]
    return sorted(found)


def read(root, path):
    with open(os.path.join(root, path), encoding="utf-8",
              errors="replace") as file:
        return file.read()


def without_comments(text):
    """C text with each comment turned into a space."""
    return re.sub(r'"(?:\\.|[^"\\\n])*"|/\*.*?\*/|//[^\n]*',
                  lambda m: m.group(0) if m.group(0)[0] == '"' else " ",
                  text, flags=re.DOTALL)


def includes(root, path):
    """[(line, "x/y.h" or <x.h> as written, without its marks, quoted)]."""
    found = []
    for number, line in enumerate(read(root, path).splitlines(), 1):
        match = re.match(r'\s*#\s*include\s+(["<])([^">]+)[">]', line)
        if match:
            found.append((number, match.group(2), match.group(1) == '"'))
    return found


class Architecture:
    """The module() and tool() lines of a CMakeLists.txt."""

    WORDS = ("USES", "FILES", "PROTO", "LINKS")

    def __init__(self, root):
        text = re.sub(r"#.*", "", read(root, "CMakeLists.txt"))
        self.modules, self.tools = {}, {}
        for verb, table in (("module", self.modules), ("tool", self.tools)):
            for body in re.findall(rf"^{verb}\(([^)]*)\)", text, re.M):
                words = body.split()
                entry = {word: [] for word in self.WORDS}
                current = None
                for word in words[1:]:
                    if word in entry:
                        current = word
                    else:
                        entry[current].append(word)
                table[words[0]] = entry

    def reach(self, uses):
        """The modules named and all that they use in turn."""
        seen = []
        todo = list(uses)
        while todo:
            name = todo.pop()
            if name not in seen and name in self.modules:
                seen.append(name)
                todo += self.modules[name]["USES"]
        return set(seen)


def tree(files):
    """A temporary tree with these files: {path: text}."""
    directory = tempfile.TemporaryDirectory(prefix="habit-")
    for path, text in files.items():
        full = os.path.join(directory.name, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w", encoding="utf-8") as file:
            file.write(text)
    return directory


class Report:
    """Prints TAP."""

    def __init__(self):
        self.number = self.failed = 0

    def case(self, name, complaints):
        self.number += 1
        if complaints:
            self.failed += 1
        print(f"{'not ' if complaints else ''}ok {self.number} - {name}")
        for complaint in complaints:
            print(f"#   {complaint}")

    def control(self, name, complaints, expected):
        """A broken tree: some complaint must contain the expected words."""
        seen = any(expected in complaint for complaint in complaints)
        self.case("control: " + name, [] if seen else
                  [f"no complaint has '{expected}'", *complaints])

    def finish(self):
        print(f"1..{self.number}")
        sys.exit(1 if self.failed else 0)
