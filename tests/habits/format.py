#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The layout of C is what clang-format 14 makes of it, and is not discussed."""

import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
import habit  # noqa: E402


def check(root):
    files = [p for p in habit.files_of(root) if re.search(r"\.[ch]$", p)]
    if not files:
        return ["there is no C file"]
    result = subprocess.run(
        ["clang-format-14", "--dry-run", "-Werror", *files], cwd=root,
        capture_output=True, text=True, check=False)
    if result.returncode == 0:
        return []
    wrong = re.findall(r"^(\S+?:\d+):\d+: error: code should be",
                       result.stderr, re.M)
    return sorted(set(wrong)) or [result.stderr]


def main():
    report = habit.Report()
    report.case("clang-format changes nothing", check(habit.ROOT))
    style = habit.read(habit.ROOT, ".clang-format")
    with habit.tree({".clang-format": style,
                     "a.c": "int f(void)\n{\n\treturn 1;\n}\n"}) as root:
        report.case("a formatted file is left in peace", check(root))
    with habit.tree({".clang-format": style,
                     "a.c": "int f(void) {\n  return 1;\n}\n"}) as root:
        report.control("spaces and a brace out of place", check(root),
                       "a.c:1")
    report.finish()


if __name__ == "__main__":
    main()
