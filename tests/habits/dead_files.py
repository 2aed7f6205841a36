#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every file is built, run or read by something.

A test that no target builds passes for ever. Sources are held against
compile_commands.json, headers against the includes of what is compiled,
tests and scripts against what ctest has registered, and what they name.
"""

import json
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
import habit  # noqa: E402

# What a person or a machine calls by its name.
DOORS = ("tools/test.sh", "tools/demo.sh", ".ci/run", "CMakeLists.txt",
         "CMakePresets.json")
# What is read by people, or by tools of which we are not the author.
TEXTS = re.compile(r"(.*\.md|LICENSE|docs/.*|\.git(ignore|attributes)"
                   r"|\.clang-format)$")
CORPUS = re.compile(r"tests/fuzz/corpus/(\w+)/[^/]+$")


def compiled_files(build):
    with open(os.path.join(build, "compile_commands.json"),
              encoding="utf-8") as file:
        return {os.path.relpath(entry["file"], habit.ROOT)
                for entry in json.load(file)}


def registered_files(build):
    """Files of the tree that ctest's commands name."""
    text = subprocess.run(["ctest", "--test-dir", build,
                           "--show-only=json-v1"], check=True,
                          capture_output=True, text=True).stdout
    words = [word for test in json.loads(text)["tests"]
             for word in test.get("command", [])]
    return {os.path.relpath(word, habit.ROOT) for word in words
            if word.startswith(habit.ROOT + os.sep)}


def resolve(path, header, quoted, files):
    """The file of the tree that an include means, if any."""
    options = [header, os.path.join("include", header)]
    if quoted:
        options.insert(0, os.path.join(os.path.dirname(path), header))
    return next((o for o in options if o in files), None)


def included_headers(root, files, sources):
    seen = set()
    todo = [s for s in sources if s in files]
    while todo:
        path = todo.pop()
        for _, header, quoted in habit.includes(root, path):
            found = resolve(path, header, quoted, files)
            if found and found not in seen:
                seen.add(found)
                todo.append(found)
    return seen


def named_in(root, path, users):
    """Does a file in use name this one, by its last part?"""
    name = os.path.basename(path)
    stem, extension = os.path.splitext(name)
    word = stem if extension == ".py" else name
    pattern = re.compile(r"(?<![\w.-])" + re.escape(word) + r"(?![\w-])")
    return any(pattern.search(habit.read(root, user))
               for user in users if user != path)


def dead_files(root, compiled, registered):
    files = set(habit.files_of(root))
    headers = included_headers(root, files, compiled)
    architecture = habit.Architecture(root)
    protos = {f"{m}/{p}" for m, entry in architecture.modules.items()
              for p in entry["PROTO"]}
    used = {path for path in files
            if path in compiled or path in headers or path in protos or
            path in registered or path in DOORS or TEXTS.match(path)}
    complaints = []
    rest = set()
    for path in sorted(files - used):
        corpus = CORPUS.match(path)
        if corpus:
            if f"tests/fuzz/fuzz_{corpus.group(1)}.c" not in compiled:
                complaints.append(f"{path}: no fuzzer reads it")
        elif path.endswith(".c"):
            complaints.append(f"{path}: no target builds it")
        elif path.endswith(".h"):
            complaints.append(f"{path}: nothing that is built includes it")
        elif path.endswith(".proto"):
            complaints.append(f"{path}: no module has it under PROTO")
        elif re.match(r"tests/habits/.*\.(py|sh)$|.*\.bats$", path):
            complaints.append(f"{path}: ctest does not know it")
        else:
            rest.add(path)
    return complaints + unnamed(root, used, rest)


def unnamed(root, used, rest):
    """Scripts and data must be named by a file in use, in any number of
    steps (test.sh names run.py, run.py names skips.txt)."""
    users = {p for p in used if not TEXTS.match(p)}
    grown = True
    while grown:
        found = {p for p in rest if named_in(root, p, users)}
        grown = bool(found)
        users |= found
        rest = rest - found
    return [f"{path}: nothing in use names it" for path in sorted(rest)]


# --- The cases ---------------------------------------------------------------

TREE = {
    "CMakeLists.txt": "module(log FILES a.c PROTO r.proto)\n",
    "log/a.c": '#include "log/a.h"\n#include <waybill/w.h>\n',
    "log/a.h": '#include "log/b.h"\n',
    "log/b.h": "",
    "include/waybill/w.h": "",
    "log/r.proto": "",
    "tools/test.sh": "python3 tests/run.py\n",
    "tests/run.py": "open('skips.txt')\n",
    "tests/skips.txt": "",
    "tests/fuzz/fuzz_a.c": "",
    "tests/fuzz/corpus/a/1": "",
    "README.md": "",
}
COMPILED = {"log/a.c", "tests/fuzz/fuzz_a.c"}
STRAYS = [
    ("log/stray.c", "no target builds"),
    ("tests/test_stray.c", "no target builds"),
    ("tests/crash/test_deep.c", "no target builds"),
    ("log/stray.h", "nothing that is built includes"),
    ("log/stray.proto", "no module has it"),
    ("tests/habits/stray.py", "ctest does not know"),
    ("tests/stray.bats", "ctest does not know"),
    ("tools/stray.sh", "nothing in use names"),
    ("tests/golden/stray.bin", "nothing in use names"),
    ("tests/fuzz/corpus/b/1", "no fuzzer reads"),
]


def main():
    report = habit.Report()
    report.case("every file is used", dead_files(
        habit.ROOT, compiled_files(habit.BUILD),
        registered_files(habit.BUILD)))
    with habit.tree(TREE) as root:
        report.case("a tree without strays is left in peace",
                    dead_files(root, COMPILED, set()))
    for path, expected in STRAYS:
        with habit.tree({**TREE, path: "// README.md names stray\n"}) as root:
            report.control(path, dead_files(root, COMPILED, set()),
                           f"{path}: {expected}")
    report.finish()


if __name__ == "__main__":
    main()
