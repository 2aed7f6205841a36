#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Text that has no place in the tree: notes to self, a machine's own paths;
and the licence line that every source has in its first lines."""

import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
import habit  # noqa: E402

# Put together here, so that this file passes its own test.
NOTES = ["TO" + "DO", "FIX" + "ME", "X" * 3, "HA" + "CK"]
FOLDERS = ["wo" + "rk", "ho" + "me", "ro" + "ot"]
WRONG = re.compile(r"\b(?:" + "|".join(NOTES) + r")\b|(?<![\w.$}~*-])/(?:" +
                   "|".join(FOLDERS) + r")/")
SOURCE = re.compile(r".*\.(c|h|proto|py|sh|bats|cmake|map)$|"
                    r"(.*/)?CMakeLists\.txt$")
LICENCE = "SPDX-License-Identifier: Apache-2.0"


def check_words(root):
    complaints = []
    for path in habit.files_of(root):
        if path.startswith("tests/fuzz/corpus/"):
            continue
        for number, line in enumerate(habit.read(root, path).splitlines(), 1):
            match = WRONG.search(line)
            if match:
                complaints.append(f"{path}:{number}: {match.group(0)}")
    return complaints


def check_licence(root):
    return [f"{path}: no {LICENCE} in its first lines"
            for path in habit.files_of(root) if SOURCE.match(path) and
            LICENCE not in "".join(
                habit.read(root, path).splitlines(True)[:3])]


def main():
    report = habit.Report()
    report.case("no notes to self, no machine's paths",
                check_words(habit.ROOT))
    report.case("every source names its licence", check_licence(habit.ROOT))
    near = "".join(f"~/{folder}/, ../{folder}/a and ${{d}}/{folder}/b\n"
                   for folder in FOLDERS)
    with habit.tree({"a.md": "a todo list\n" + near}) as root:
        report.case("ordinary words are left in peace", check_words(root))
    for word in NOTES + [f"/{folder}/x" for folder in FOLDERS]:
        with habit.tree({"a.c": f"/* {word}: later */\n"}) as root:
            report.control(word.replace("/", " "), check_words(root), "a.c:1")
    with habit.tree({"a.c": "int a;\n"}) as root:
        report.control("a source without its licence", check_licence(root),
                       "a.c: no SPDX")
    report.finish()


if __name__ == "__main__":
    main()
