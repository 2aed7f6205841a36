#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The table of faults in docs/TESTING.md is true: it has every fault once, each
with a test of its number or the step that brings it, and what was seen; the
tests and labels that it names are there, and it names every one that has a
fault's number."""

import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
import habit  # noqa: E402

PAGE = "docs/TESTING.md"
FAULTS = 75
LABELLED = "tests/test_injected.c"
SCENARIOS = "tests/support/scenario.h"
ROW = re.compile(r"^\| (\d+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$",
                 re.MULTILINE)
# What makes a case of a name, in each language.
CASES = {
    ".c": re.compile(r"\bSTART_TEST\(\s*(\w+)\)"),
    ".h": re.compile(r"^\s*X\((\w+)\)", re.MULTILINE),
    ".py": re.compile(r"""\(f?["'](fault_\w+)"""),
    ".bats": re.compile(r"""^@test ["'](\w+)""", re.MULTILINE),
}
# A row of the table that the loop runs over, and prints.
LABEL = re.compile(r'^\s*\{"fault_(\d+)[" ]', re.MULTILINE)
NUMBERS = re.compile(r"fault_(\d+)(?:_to_(\d+))?(?:_|$)")
STEP = re.compile(r"\bsteps?\b")
NOT_YET = "not yet"


def cases_in(root):
    found = set()
    for path in habit.files_of(root):
        ending = os.path.splitext(path)[1]
        if not path.startswith("tests/") or ending not in CASES or \
                path.startswith("tests/habits/") or \
                (ending == ".h" and path != SCENARIOS):
            continue
        text = habit.read(root, path)
        if ending in (".c", ".h"):
            text = habit.without_comments(text)
        found.update(CASES[ending].findall(text))
    return found


def labels_in(root):
    if LABELLED not in habit.files_of(root):
        return set()
    return {int(number) for number in LABEL.findall(
        habit.without_comments(habit.read(root, LABELLED)))}


def is_of(name, fault):
    match = NUMBERS.match(name)
    return match and \
        int(match.group(1)) <= fault <= int(match.group(2) or match.group(1))


def check_row(fault, expected, tests, seen, labels):
    """What one row lacks, whatever else there is."""
    names = re.findall(r"`([^`]*)`", tests)
    same = re.match(r"as (\d+): ", expected)
    labelled = os.path.splitext(os.path.basename(LABELLED))[0]
    tested = any(is_of(name, fault) or (same and
                                        is_of(name, int(same.group(1))))
                 for name in names)
    if labelled in names and fault not in labels:
        yield f"no label fault_{fault} in {LABELLED}"
    if labelled not in names and fault in labels:
        yield f"label fault_{fault} of {LABELLED} is not in the table"
    if not tested and not (labelled in names and fault in labels) and \
            not STEP.search(tests):
        yield f"neither a test of its number nor a step: {tests}"
    if bool(names) == (seen == NOT_YET):
        yield f"seen is '{seen}'"


def check(root):
    text = habit.read(root, PAGE)
    table = text[text.index("## Faults, one by one"):]
    table = table[:table.find("\n## ", 1)]
    rows = [(int(number), *cells) for number, *cells in ROW.findall(table)]
    cases, labels = cases_in(root), labels_in(root)
    programs = {os.path.splitext(os.path.basename(path))[0]
                for path in habit.files_of(root)
                if re.match(r"tests/test_\w+\.c$", path)}
    told = {name for row in rows for name in re.findall(r"`([^`]*)`", row[3])}
    complaints = [f"{PAGE}: {name} is no test"
                  for name in sorted(told - cases - programs)]
    complaints += [f"{PAGE}: {name} is not in the table"
                   for name in sorted(cases - told)
                   if re.match(r"fault_\d", name)]
    if [row[0] for row in rows] != list(range(1, FAULTS + 1)):
        complaints.append(f"{PAGE}: not the faults 1 to {FAULTS}")
    for fault, _, expected, tests, seen in rows:
        complaints += [f"{PAGE}: fault {fault}: {lack}" for lack in
                       check_row(fault, expected, tests, seen, labels)]
    return complaints


NAME = "fault_" + "07_a"
TREE = {"tests/test_a.c": f"START_TEST({NAME})\n",
        LABELLED: '\t{"fault_' + '08 two words", f},\n'
                  '\t{"fault_' + '09", g},\n',
        PAGE: [f"{number} | a | b | step 3 | not yet"
               for number in range(1, FAULTS + 1)]}
TREE[PAGE][6] = f"7 | a | b | `{NAME}` | c"
TREE[PAGE][7] = "8 | a | b | `test_injected` | c"
TREE[PAGE][8] = "9 | a | b | `test_injected`, the loop | c"
TREE[PAGE][9] = f"10 | a | as 7: the same | `{NAME}` | c"

# What is changed in the tree that is right, from, to; what must be said.
BROKEN = [
    ("a test that is not there", "tests/test_a.c", NAME, NAME + "b",
     f"{NAME} is no test"),
    ("a test that only a comment has", "tests/test_a.c", "START",
     "/* */ // START", f"{NAME} is no test"),
    ("a test that is not told", "tests/test_a.c", "START",
     "START_TEST(fault_" + "09_b)\nSTART", "is not in the table"),
    ("a name of no test in a row", PAGE, "`test_injected`, the",
     "`test_injected`, `nosuchtest`, the", "nosuchtest is no test"),
    ("a label that is removed", LABELLED, '"fault_' + '09"', '""',
     "no label fault_9 "),
    ("a label in a comment", LABELLED, '\t{"fault_' + '09"',
     '\t// {"fault_' + '09"', "no label fault_9 "),
    ("a label that is not told", PAGE, "`test_injected`, the loop",
     f"`{NAME}`", "label fault_9 "),
    ("a fault that is missing", PAGE, "| 5 |", "| five |", "not the faults"),
    ("a fault twice", PAGE, "| 5 |", "| 4 |", "not the faults"),
    ("a fault without a test", PAGE, "5 | a | b | step 3", "5 | a | b | trust",
     "neither a test of its number nor a step: trust"),
    ("a fault with another one's test", PAGE, "as 7: the same", "b",
     "neither a test of its number"),
    ("a test of which nobody says what was seen", PAGE, f"`{NAME}` | c",
     f"`{NAME}` | not yet", "seen is 'not yet'"),
    ("seen before there is a test", PAGE, "5 | a | b | step 3 | not yet",
     "5 | a | b | step 3 | good", "seen is 'good'"),
]


def broken_tree(path=None, old="", new=""):
    files = dict(TREE)
    files[PAGE] = "## Faults, one by one\n" + "".join(
        f"| {row} |\n" for row in TREE[PAGE]) + "\n## Next\n"
    if path:
        assert old in files[path], (path, old)
        files[path] = files[path].replace(old, new, 1)
    return habit.tree(files)


def main():
    report = habit.Report()
    report.case("every fault is in the table, with tests that exist",
                check(habit.ROOT))
    with broken_tree() as root:
        report.case("a table that is right is left in peace", check(root))
    for what, path, old, new, said in BROKEN:
        with broken_tree(path, old, new) as root:
            report.control(what, check(root), said)
    report.finish()


if __name__ == "__main__":
    main()
