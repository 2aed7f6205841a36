#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The table of faults in docs/TESTING.md is true: it has every fault once, the
tests that it names are there, and it names every test that has a fault's
number."""

import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
import habit  # noqa: E402

PAGE = "docs/TESTING.md"
FAULTS = 75
NAME = re.compile(r"\bfault_\d+_\w+")
ROW = re.compile(r"\| (\d+) \| [^|]+ \| [^|]+ \| ([^|]+) \|$", re.MULTILINE)


def names_in(root):
    """Of tests and scenarios; START_TEST makes a second one with _fn."""
    found = set()
    for path in habit.files_of(root):
        if re.match(r"tests/.*\.(c|h|py|bats)$", path) and \
                not path.startswith("tests/habits/"):
            found.update(NAME.findall(habit.read(root, path)))
    return found


def check(root):
    text = habit.read(root, PAGE)
    table = text[text.index("## Faults, one by one"):]
    table = table[:table.find("\n## ", 1)]
    rows = ROW.findall(table)
    there, told = names_in(root), set(NAME.findall(table))
    complaints = [f"{PAGE}: {name} is no test"
                  for name in sorted(told - there)]
    complaints += [f"{PAGE}: {name} is not in the table"
                   for name in sorted(there - told)]
    if [int(number) for number, _ in rows] != list(range(1, FAULTS + 1)):
        complaints.append(f"{PAGE}: not the faults 1 to {FAULTS}")
    complaints += [f"{PAGE}: fault {number}: {seen}" for number, seen in rows
                   if "`" not in seen and "step" not in seen]
    return complaints


def page_of(rows):
    return "## Faults, one by one\n" + "".join(
        f"| {number} | a | b | {seen} |\n" for number, seen in rows) + \
        "\n## Next\n"


def main():
    report = habit.Report()
    report.case("every fault is in the table, with tests that exist",
                check(habit.ROOT))
    rows = [(number, "step 3") for number in range(1, FAULTS + 1)]
    test = "START_TEST(fault_" + "07_a)\n"
    good = rows[:6] + [(7, "`fault_" + "07_a`")] + rows[7:]
    with habit.tree({PAGE: page_of(good), "tests/test_a.c": test}) as root:
        report.case("a table that is right is left in peace", check(root))
    with habit.tree({PAGE: page_of(good), "tests/test_a.c": ""}) as root:
        report.control("a test that is not there", check(root), "is no test")
    with habit.tree({PAGE: page_of(rows), "tests/test_a.c": test}) as root:
        report.control("a test that is not told", check(root),
                       "is not in the table")
    with habit.tree({PAGE: page_of(rows[1:]), "tests/test_a.c": ""}) as root:
        report.control("a fault that is missing", check(root), "not the faults")
    with habit.tree({PAGE: page_of(rows[1:] + [(75, "trust")]),
                     "tests/test_a.c": ""}) as root:
        report.control("a fault without a test", check(root), "trust")
    report.finish()


if __name__ == "__main__":
    main()
