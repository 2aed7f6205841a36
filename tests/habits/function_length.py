#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A function fits on a screen: at most 70 lines between its braces.

long-functions.txt lists those that may be longer, with the reason. An entry
whose function has become short, or is gone, is a complaint too. The format
test guarantees what this reads: a body begins and ends with a brace in the
first column.
"""

import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
import habit  # noqa: E402

LINES_MAX = 70
LIST = "tests/habits/long-functions.txt"


def functions(text):
    """[(name, first line, lines in the body)] of formatted C."""
    found, start = [], None
    lines = text.splitlines()
    for index, line in enumerate(lines):
        if re.match(r"(START_TEST\(\w+\) ?)?\{$", line):
            start = index
        elif line.startswith("}") and start is not None:
            name = name_before(lines, start)
            if name:
                found.append((name, start + 1, index - start - 1))
            start = None
    return found


def name_before(lines, brace):
    """The declarator above a brace; None for a struct or a table."""
    first = brace
    while first > 0 and not re.match(r"(}|#|.*;$|.*\*/$|$)",
                                     lines[first - 1]):
        first -= 1
    head = " ".join(lines[first:brace + 1])
    test = re.search(r"START_TEST\((\w+)\)", head)
    match = test or re.search(r"(\w+)\s*\(", head)
    return None if not match or "=" in head else match.group(1)


def allowed(root):
    table = {}
    if not os.path.exists(os.path.join(root, LIST)):
        return table
    for line in habit.read(root, LIST).splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        fields = [field.strip() for field in line.split("|", 2)]
        if len(fields) != 3 or not all(fields):
            table[(line, "")] = None
        else:
            table[(fields[0], fields[1])] = fields[2]
    return table


def check(root):
    excused = allowed(root)
    complaints = [f"{LIST}: not FILE | FUNCTION | REASON: {line}"
                  for (line, name) in excused if not name]
    needed = set()
    for path in habit.files_of(root):
        if not re.search(r"\.[ch]$", path):
            continue
        for name, line, length in functions(habit.read(root, path)):
            if length <= LINES_MAX:
                continue
            needed.add((path, name))
            if (path, name) not in excused:
                complaints.append(f"{path}:{line}: {name} has {length} lines")
    for path, name in excused:
        if name and (path, name) not in needed:
            complaints.append(f"{LIST}: {path} | {name} is not long")
    return complaints


def function_of(lines, head="int long_one(int a,\n\t     int b)"):
    return f"{head}\n{{\n" + "\ta = b;\n" * lines + "}\n"


def main():
    report = habit.Report()
    report.case("functions fit on a screen", check(habit.ROOT))
    with habit.tree({"a.c": function_of(70)}) as root:
        report.case("70 lines are not too long", check(root))
    with habit.tree({"a.c": function_of(71), LIST:
                     "a.c | long_one | a table in disguise\n"}) as root:
        report.case("a listed one may be longer", check(root))
    with habit.tree({"a.c": function_of(71)}) as root:
        report.control("71 lines", check(root), "long_one has 71 lines")
    with habit.tree({"a.c": function_of(71, "START_TEST(is_long)")}) as root:
        report.control("a test of 71 lines", check(root), "is_long has 71")
    with habit.tree({"a.c": function_of(9), LIST:
                     "a.c | long_one | once was\n"}) as root:
        report.control("an excuse that is no longer needed", check(root),
                       "long_one is not long")
    with habit.tree({"a.c": function_of(71), LIST:
                     "a.c | long_one |\n"}) as root:
        report.control("an excuse without a reason", check(root),
                       "not FILE | FUNCTION | REASON")
    report.finish()


if __name__ == "__main__":
    main()
