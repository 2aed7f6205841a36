#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Builds the presets, runs what ctest knows of, and counts test cases.

ctest counts programs; this counts cases, so that a program which dies half
way, reports nothing or skips quietly cannot look like a success. Every
program reports in TAP: a Check program into the file that Check is told to
write, a script on its standard output. The rules are in judge().

ctest alone was discarded for that reason; it stays the list of the tests
(ctest --show-only) and works by hand.
"""

import argparse
import collections
import concurrent.futures
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
JOBS = os.cpu_count() or 1

# How much slower than release a build is; stretches timeouts.
SLOWER = {"asan": 3, "tsan": 6, "coverage": 3}
# What runs in place of a program that is not there.
NOT_BUILT = ["sh", "-c", "echo it was not built; exit 1"]
# The build in which WAYBILL_FULL=1 asks for longer loops.
LONG_LOOPS = ("release",)
# Left to the full run, or to whoever asks by name: what builds more than it
# runs, and the command line once more under the sanitizers.
FULL_ONLY = re.compile(
    r"\w+ (habits/sanitizers|fuzz/planted)\.sh|asan .*\.bats")
# Seconds after which nothing more is started and what runs is killed.
DEADLINE = {False: 1800, True: 4200}

Test = collections.namedtuple("Test", "build name command kind once timeout "
                              "directory environment")
Outcome = collections.namedtuple("Outcome", "passed failed skipped counts "
                                 "complaints")

# --- What a program reported -------------------------------------------------

TAP_LINE = re.compile(r"(ok|not ok)\b\s*(\d+)?\s*-?\s*(.*)")
SKIP = re.compile(r"#\s*skip\b:?\s*(.*)", re.IGNORECASE)
COUNT = re.compile(r"count: (.+?)[ :]+([0-9][0-9,]*)$")


def read_skips(path):
    """The pairs (program, case) that tests/skips.txt allows."""
    allowed = set()
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if not line.strip() or line.startswith("#"):
                continue
            fields = [field.strip() for field in line.split("|", 2)]
            if len(fields) != 3 or not all(fields):
                sys.exit(f"{path}:{number}: not PROGRAM | CASE | REASON")
            allowed.add((fields[0], fields[1]))
    return allowed


def parse_tap(text):
    """([(ok, case, skip reason or None)], plan or None)."""
    cases, plan = [], None
    for line in text.splitlines():
        if re.fullmatch(r"1\.\.\d+(\s*#.*)?", line):
            plan = int(line[3:].split("#")[0])
        match = TAP_LINE.match(line)
        if match:
            skip = SKIP.search(match.group(3))
            case = SKIP.sub("", match.group(3)).strip()
            cases.append((match.group(1) == "ok", case,
                          skip.group(1) if skip else None))
    return cases, plan


def check_case(case):
    """Check writes FILE:TCASE:NAME: MESSAGE; only the name is ours."""
    match = re.match(r".*?\.c:[^:]*:([^:]+): ", case + " ")
    return match.group(1) if match else case


def judge(name, kind, tap, output, ending, allowed):
    """What the run of one program is worth.

    ending is the exit status, negative for a signal, None for a timeout.
    Passed needs a line "ok", a plan that matches the lines, and exit 0.
    """
    cases, plan = parse_tap(tap)
    if kind == "check":
        # Check cannot skip: a test says "skip: CASE: REASON" and passes.
        said = dict(re.findall(r"^skip: (\w+): (.+)$", output, re.MULTILINE))
        cases = [(ok, check_case(case), said.get(check_case(case)))
                 for ok, case, _ in cases]
    passed = failed = skipped = 0
    complaints = []
    for ok, case, skip in cases:
        if not ok:
            failed += 1
            complaints.append(f"failed: {case}")
        elif skip is None:
            passed += 1
        elif (name, case) in allowed or (name, "*") in allowed:
            skipped += 1
        else:
            failed += 1
            complaints.append(f"skipped, not in tests/skips.txt: {case}")
    trouble = None
    if ending is None:
        trouble = "timed out"
    elif ending < 0:
        trouble = f"killed by {signal.Signals(-ending).name}"
    elif not cases:
        trouble = f"reported no test (exit status {ending})"
    elif plan != len(cases):
        trouble = f"planned {plan} tests, reported {len(cases)}"
    elif ending != 0 and not failed:
        trouble = f"exit status {ending} although nothing failed"
    if trouble:
        failed += 1
        complaints.append(trouble)
    counts = re.findall(r"^count: .*$", output, re.MULTILINE)
    return Outcome(passed, failed, skipped, counts, complaints)


# --- Running -----------------------------------------------------------------

class Clock:
    """The deadline of the whole run, and the groups to kill when it comes."""

    def __init__(self, seconds):
        self.start = time.monotonic()
        self.end = self.start + seconds
        self.lock = threading.Lock()
        self.running = set()
        self.stopped = False

    def left(self):
        return self.end - time.monotonic()

    def elapsed(self):
        return time.monotonic() - self.start

    def kill_all(self):
        with self.lock:
            self.stopped = True
            for process in self.running:
                kill_group(process)


def kill_group(process):
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def environment_of(test, scratch, full):
    """Ours alone: what a person has set changes no result, but the seed."""
    env = {key: value for key, value in os.environ.items()
           if key == "WAYBILL_SEED" or
           not key.startswith(("WAYBILL", "CONTAINERD", "CK_"))}
    env.update(LC_ALL="C.UTF-8", TZ="UTC", TMPDIR=scratch,
               ASAN_OPTIONS="detect_leaks=1:strict_string_checks=1",
               UBSAN_OPTIONS="print_stacktrace=1",
               TSAN_OPTIONS="halt_on_error=1:second_deadlock_stack=1")
    env.update(item.split("=", 1) for item in test.environment)
    stretch = SLOWER.get(test.build, 1)
    if full:
        env["WAYBILL_FULL"] = "1"
        stretch *= 10
    env["CK_TIMEOUT_MULTIPLIER"] = str(stretch)
    return env


def run_process(command, directory, env, timeout, clock):
    """(exit status or None for a timeout, output)."""
    with clock.lock:
        if clock.stopped:
            return None, "not started: the run was stopped\n"
        try:
            process = subprocess.Popen(
                command, cwd=directory, env=env, stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                start_new_session=True)
        except OSError as error:
            return 127, f"{error}\n"
        clock.running.add(process)
    try:
        output, _ = process.communicate(timeout=max(timeout, 0.01))
        ending = process.returncode
    except subprocess.TimeoutExpired:
        ending = None
        kill_group(process)
        output, _ = process.communicate()
    finally:
        # What it left behind in its group goes with it.
        kill_group(process)
        with clock.lock:
            clock.running.discard(process)
    return ending, output.decode("utf-8", "replace")


def run_test(test, options, allowed, clock):
    scratch = os.path.join(test.directory, "scratch",
                           test.name.replace("/", "-"))
    shutil.rmtree(scratch, ignore_errors=True)
    os.makedirs(scratch)
    full = options.full and test.build in LONG_LOOPS
    env = environment_of(test, scratch, full)
    tap_file = os.path.join(scratch, "check.tap")
    if test.kind == "check":
        env["CK_TAP_LOG_FILE_NAME"] = tap_file
    timeout = test.timeout * SLOWER.get(test.build, 1) * (6 if full else 1)
    begin = time.monotonic()
    ending, output = run_process(test.command, test.directory, env,
                                 min(timeout, clock.left()), clock)
    seconds = time.monotonic() - begin
    tap = output
    if test.kind == "check":
        tap = ""
        if os.path.exists(tap_file):
            with open(tap_file, encoding="utf-8", errors="replace") as file:
                tap = file.read()
    outcome = judge(test.name, test.kind, tap, output, ending, allowed)
    if not outcome.failed:
        shutil.rmtree(scratch, ignore_errors=True)
    return outcome, output, seconds


def tests_of(build, directory):
    """What ctest has registered for one build."""
    text = subprocess.run(
        ["ctest", "--test-dir", directory, "--show-only=json-v1"],
        check=True, capture_output=True, text=True).stdout
    found = []
    for entry in json.loads(text)["tests"]:
        values = {p["name"]: p["value"] for p in entry.get("properties", [])}
        labels = values.get("LABELS", [])
        found.append(Test(
            build, entry["name"], entry.get("command", NOT_BUILT),
            "check" if "check" in labels else "tap", "once" in labels,
            float(values.get("TIMEOUT", 300)), directory,
            values.get("ENVIRONMENT", [])))
    return found


# --- Saying it ---------------------------------------------------------------

COLOUR = sys.stdout.isatty() and "NO_COLOR" not in os.environ


def painted(text, code):
    return f"\033[{code}m{text}\033[0m" if COLOUR else text


def say(text):
    print(text, flush=True)


def say_outcome(progress, test, outcome, output, seconds, verbose):
    cases = outcome.passed + outcome.failed + outcome.skipped
    verdict = painted("FAIL", 31) if outcome.failed else painted("ok  ", 32)
    skipped = f", {outcome.skipped} skipped" if outcome.skipped else ""
    say(f"[{progress}] {verdict} {test.build:<9}{test.name:<34}"
        f"{cases:>5} case{'s' if cases != 1 else ' '}"
        f"{seconds:>8.1f} s{skipped}")
    if outcome.failed or verbose:
        for line in output.splitlines():
            say("    | " + line)
    for complaint in outcome.complaints:
        say(f"    {test.build} {test.name}: {complaint}")


def say_counts(rows):
    """One row for each thing counted, one column for each build."""
    table = collections.OrderedDict()
    others = []
    builds = []
    for test, line in rows:
        match = COUNT.match(line)
        if not match:
            others.append(f"  {test.build} {test.name}: {line[7:]}")
            continue
        if test.build not in builds:
            builds.append(test.build)
        cells = table.setdefault((test.name, match.group(1)), {})
        value = int(match.group(2).replace(",", ""))
        cells[test.build] = cells.get(test.build, 0) + value
    if not table and not others:
        return
    say("")
    say(f"  {'counted':<56}" + "".join(f"{b:>13}" for b in builds))
    for (name, what), cells in sorted(table.items()):
        label = f"{name}: {what}"
        say(f"  {label:<56}" + "".join(
            f"{cells[b]:>13,}" if b in cells else f"{'-':>13}"
            for b in builds))
    for line in others:
        say(line)


# --- Coverage ----------------------------------------------------------------

def coverage(directory, folders):
    """Lines and branches that ran, by folder, from gcov's own JSON."""
    lines, branches = {}, {}
    for base, _, names in os.walk(directory):
        # The notes, not the counts: what no test ever linked has no counts.
        notes = [os.path.join(base, n) for n in names if n.endswith(".gcno")]
        if not notes:
            continue
        text = subprocess.run(
            ["gcov", "--json-format", "--stdout", "-b"] + notes,
            check=True, capture_output=True, text=True, cwd=base).stdout
        for document in text.splitlines():
            add_coverage(json.loads(document), lines, branches)
    say("")
    say(f"  {'coverage':<24}{'lines':>20}{'branches':>20}")
    for folder in folders:
        cells = []
        for table in (lines, branches):
            hits = [hit for (file, *_), hit in table.items()
                    if file.startswith(folder + "/")]
            cells.append("-" if not hits else f"{sum(hits)}/{len(hits)} "
                         f"{100 * sum(hits) / len(hits):5.1f} %")
        say(f"  {folder:<24}{cells[0]:>20}{cells[1]:>20}")


def add_coverage(document, lines, branches):
    for file in document["files"]:
        path = os.path.relpath(os.path.join(
            document["current_working_directory"], file["file"]), ROOT)
        for line in file["lines"]:
            key = (path, line["line_number"])
            lines[key] = lines.get(key, False) or line["count"] > 0
            for number, branch in enumerate(line["branches"]):
                if branch["throw"]:
                    continue
                key = (path, line["line_number"], number)
                branches[key] = branches.get(key, False) or branch["count"] > 0


# --- The run -----------------------------------------------------------------

def build(preset, clock):
    """Configures and builds; False if that failed, with the reason shown.
    What can be built is built all the same, and tested."""
    begin = time.monotonic()
    for command in (["cmake", "--preset", preset],
                    ["cmake", "--build", "--preset", preset, "-j", str(JOBS),
                     "--", "--quiet", "-k", "0"]):
        ending, output = run_process(command, ROOT, None, clock.left(), clock)
        if ending != 0:
            say(f"build  {preset:<10}{painted('FAILED', 31)}")
            say(output)
            return False
    say(f"build  {preset:<10}{time.monotonic() - begin:>6.1f} s")
    return True


def plan_builds(options):
    presets = ["release", "asan"]
    if options.release:
        presets = ["release"]
    elif options.full:
        presets += ["fuzz", "clang", "tsan", "coverage"]
    # fuzz/planted.sh builds the fuzzers itself where they are not built yet.
    return [p for p in presets if p != "fuzz" or not options.pattern]


def modules():
    with open(os.path.join(ROOT, "CMakeLists.txt"), encoding="utf-8") as file:
        return re.findall(r"^module\((\w+)", file.read(), re.MULTILINE)


def collect(options, directories):
    """The tests to run, the slowest (as far as known) first.

    Scripts run the command line, whose only second thread test_links is
    about: there is nothing in them for the thread sanitizer, which holds back
    a signal that comes during a read."""
    tests = []
    for name, directory in directories:
        tests += [test for test in tests_of(name, directory)
                  if (not test.once or name == directories[0][0])
                  and (name != "tsan" or test.kind == "check")]
    if options.pattern:
        tests = [t for t in tests if re.search(options.pattern, t.name)]
    elif not options.full:
        tests = [t for t in tests
                 if not FULL_ONLY.fullmatch(f"{t.build} {t.name}")]
    times = load_times()
    tests.sort(key=lambda t: -times.get(f"{t.build} {t.name}", 1e9))
    return tests


TIMES = os.path.join(ROOT, "build", "test-times.json")


def load_times():
    try:
        with open(TIMES, encoding="utf-8") as file:
            return json.load(file)
    except (OSError, ValueError):
        return {}


def save_times(times):
    try:
        with open(TIMES, "w", encoding="utf-8") as file:
            json.dump(times, file, indent=1)
    except OSError:
        pass


def run_all(tests, options, clock):
    """([passed, failed, skipped], [(test, count line)], [complaint])."""
    allowed = read_skips(options.skips)
    times = load_times()
    totals = [0, 0, 0]
    rows, complaints = [], []
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        futures = {pool.submit(run_test, test, options, allowed, clock): test
                   for test in tests}
        try:
            done = concurrent.futures.as_completed(futures)
            for number, future in enumerate(done, 1):
                test = futures[future]
                outcome, output, seconds = future.result()
                for i in range(3):
                    totals[i] += outcome[i]
                rows += [(test, line) for line in outcome.counts]
                complaints += [f"{test.build} {test.name}: {text}"
                               for text in outcome.complaints]
                times[f"{test.build} {test.name}"] = round(seconds, 1)
                progress = f"{number:>{len(str(len(tests)))}}/{len(tests)}"
                say_outcome(progress, test, outcome, output, seconds,
                            options.verbose)
        except KeyboardInterrupt:
            clock.kill_all()
            raise
    save_times(times)
    return totals, rows, complaints


def finish(passed, failed, skipped):
    say(f"tests: {passed} passed, {failed} failed, {skipped} skipped")
    sys.exit(1 if failed else 0)


def arguments():
    parser = argparse.ArgumentParser(description="Started by tools/test.sh.")
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--release", action="store_true")
    parser.add_argument("-v", dest="verbose", action="store_true")
    parser.add_argument("-k", dest="pattern")
    parser.add_argument("--directory", metavar="NAME=DIR", action="append",
                        help="test this build directory, build nothing")
    parser.add_argument("--skips",
                        default=os.path.join(ROOT, "tests", "skips.txt"))
    options = parser.parse_args()
    if options.pattern:
        try:
            re.compile(options.pattern)
        except re.error as error:
            print(f"-k {options.pattern}: {error}", file=sys.stderr)
            sys.exit(64)
    return options


def main():
    options = arguments()
    clock = Clock(DEADLINE[options.full])
    broken = 0
    if options.directory:
        directories = [item.split("=", 1) for item in options.directory]
    else:
        directories = []
        for preset in plan_builds(options):
            if not build(preset, clock):
                broken += 1
            directory = os.path.join(ROOT, "build", preset)
            if preset != "fuzz" and os.path.exists(
                    os.path.join(directory, "CTestTestfile.cmake")):
                directories.append((preset, directory))
    tests = collect(options, directories) if directories else []
    totals, rows, complaints = run_all(tests, options, clock)
    if not tests:
        say("no test matches" if options.pattern else "there is no test")
        broken += 1
    if "coverage" in dict(directories) and not options.pattern:
        coverage(dict(directories)["coverage"], modules())
    say_counts(rows)
    say("")
    for complaint in sorted(complaints):
        say(complaint)
    say(f"took {clock.elapsed() / 60:.1f} minutes")
    finish(totals[0], totals[1] + broken, totals[2])


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
