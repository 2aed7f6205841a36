#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tests/run.py seen to fail: programs that die, hang, stay silent, report
half, or skip without leave. Each is a ctest entry in a folder of its own, so
the whole way is taken, from ctest's list to the last line."""

import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
import habit  # noqa: E402

RUN = os.path.join(habit.ROOT, "tests", "run.py")
TEST_SH = os.path.join(habit.ROOT, "tools", "test.sh")
GOOD = "echo 'ok 1 - a'; echo 'ok 2 - b'; echo 1..2"
SKIPPING = "echo 'ok 1 - a'; echo 'ok 2 - b # skip no disk'; echo 1..2"
# Where Check writes; libcheck's own format.
CHECK = 'exec 3>"$CK_TAP_LOG_FILE_NAME"; '

# name, label, script, (passed, failed, skipped), words the output must have
CASES = [
    ("two good cases", "tap", GOOD, (2, 0, 0), ""),
    ("a failed case", "tap", "echo 'ok 1 - a'; echo 'not ok 2 - b'; "
     "echo why; echo 1..2; exit 1", (1, 1, 0), "    | why"),
    ("a failed case and exit 0", "tap", "echo 'not ok 1 - b'; echo 1..1",
     (0, 1, 0), "failed: b"),
    ("silence", "tap", "true", (0, 1, 0), "reported no test"),
    ("a plan of nothing", "tap", "echo 1..0", (0, 1, 0), "reported no test"),
    ("a plan that is not kept", "tap", "echo 'ok 1 - a'; echo 1..2",
     (1, 1, 0), "planned 2 tests, reported 1"),
    ("no plan", "tap", "echo 'ok 1 - a'", (1, 1, 0), "planned None"),
    ("a crash after the last case", "tap", GOOD + "; kill -SEGV $$",
     (2, 1, 0), "killed by SIGSEGV"),
    ("exit 3 after good cases", "tap", GOOD + "; exit 3", (2, 1, 0),
     "exit status 3"),
    ("a program that hangs", "tap", GOOD + "; sleep 60", (2, 1, 0),
     "timed out"),
    ("a skip without leave", "tap", SKIPPING, (1, 1, 0),
     "skipped, not in tests/skips.txt: b"),
    ("a skip with leave", "tap", SKIPPING, (1, 0, 1), ""),
    ("counts", "tap", GOOD + "; echo 'count: crash images 12,345'; "
     "echo 'count: crash images 5'", (2, 0, 0), "12,350"),
    ("Check's cases", "check", CHECK +
     "echo 'ok 1 - x.c:core:a: Passed' >&3; echo 1..1 >&3", (1, 0, 0), ""),
    ("Check's loop", "check", CHECK +
     "echo 'ok 1 - x.c:core:a: Passed' >&3; "
     "echo 'not ok 2 - x.c:core:a: seed 7' >&3; echo 1..2 >&3; exit 1",
     (1, 1, 0), "failed: a"),
    ("Check skips without leave", "check", CHECK +
     "echo 'skip: a: no disk'; echo 'ok 1 - x.c:core:a: Passed' >&3; "
     "echo 1..1 >&3", (0, 1, 0), "skipped, not in tests/skips.txt: a"),
    ("Check dies without a report", "check", "kill -ABRT $$", (0, 1, 0),
     "killed by SIGABRT"),
    ("Check's TAP on the output does not count", "check", GOOD, (0, 1, 0),
     "reported no test"),
]
LEAVE = "a skip with leave | b | the machine has no disk\n"


def run_one(name, label, script, skips=LEAVE):
    """(exit status, output) of run.py on one program."""
    entry = (f'add_test([=[{name}]=] "sh" "-c" [==[{script}]==])\n'
             f'set_tests_properties([=[{name}]=] PROPERTIES LABELS {label}'
             ' TIMEOUT 1)\n')
    with habit.tree({"CTestTestfile.cmake": entry, "skips": skips}) as root:
        result = subprocess.run(
            [sys.executable, RUN, "--directory", "toy=" + root,
             "--skips", os.path.join(root, "skips")],
            text=True, capture_output=True, check=False)
    return result.returncode, result.stdout + result.stderr


def check_one(name, label, script, totals, words):
    status, output = run_one(name, label, script)
    last = "tests: {} passed, {} failed, {} skipped".format(*totals)
    complaints = []
    if output.splitlines()[-1:] != [last]:
        complaints.append(f"the last line is not '{last}'")
    if status != (1 if totals[1] else 0):
        complaints.append(f"exit status {status}")
    if words not in output:
        complaints.append(f"'{words}' is not said")
    return complaints + (output.splitlines() if complaints else [])


def check_flags(*flags):
    result = subprocess.run(["sh", TEST_SH, *flags], text=True, check=False,
                            capture_output=True)
    complaints = []
    if result.returncode != 64:
        complaints.append(f"exit status {result.returncode}")
    if len(result.stderr.splitlines()) != 1:
        complaints.append(f"not one line: {result.stderr}")
    return complaints


def main():
    report = habit.Report()
    for case in CASES:
        report.case(case[0], check_one(*case))
    status, output = run_one("bad list", "tap", GOOD, "a | b\n")
    report.case("a skip list without a reason is refused",
                [] if status == 1 and "REASON" in output else [output])
    report.case("an unknown flag is refused in one line",
                check_flags("--fast"))
    report.case("-k without a pattern is refused in one line",
                check_flags("-k"))
    report.finish()


if __name__ == "__main__":
    main()
