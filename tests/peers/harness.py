#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""bench/peers/damage.py sees what it must: a benchmark that is blind finds
every store perfect. No peer is needed here; Waybill and the control are run
for a few rounds."""

import os
import random
import re
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "support"),
                os.path.join(HERE, "..", "..", "bench", "peers")]
import damage  # noqa: E402
import habit  # noqa: E402
import judge  # noqa: E402
import ruin  # noqa: E402
import stores  # noqa: E402

# --- What an answer is worth -------------------------------------------------

HISTORY = judge.History([("a", "1"), ("b", "1"), ("c", "1"), ("a", "2"),
                         ("c", None)])
WHOLE = {"ending": "answered", "error": None, "notes": "",
         "gets": {"a": "2", "b": "1", "c": None},
         "listing": [["a", "2"], ["b", "1"]], "listing_error": None}
ERROR = {"error": "it does not verify"}
ANSWERS = [
    ("right", "all of it", {}),
    ("right", "names that were not asked for", {"gets": {}}),
    ("noticed", "a warning", {"notes": "one copy is bad"}),
    ("refused", "it does not open", {"error": "bad", "gets": {},
                                     "listing": []}),
    ("refused", "one name", {"gets": {"a": ERROR, "b": "1"}}),
    ("refused", "a listing that says where it ends",
     {"listing": [], "listing_error": "bad"}),
    ("refused", "an old value in a listing that failed",
     {"listing": [["a", "1"]], "listing_error": "bad"}),
    ("mixed", "an error, and a name called absent",
     {"gets": {"a": ERROR, "b": None}}),
    ("silent", "a name called absent", {"gets": {"b": None}}),
    ("silent", "a name not listed", {"listing": [["a", "2"]]}),
    ("silent", "an old value", {"gets": {"a": "1"}}),
    ("silent", "what was deleted is back", {"gets": {"c": "1"}}),
    ("wrong", "a value that nobody wrote", {"gets": {"a": "3"}}),
    ("wrong", "the value of another name", {"gets": {"b": "2"}}),
    ("wrong", "a name that nobody wrote",
     {"listing": WHOLE["listing"] + [["d", "1"]]}),
    ("wrong", "a name listed twice",
     {"listing": WHOLE["listing"] + [["a", "2"]]}),
    ("wrong", "beside an error",
     {"gets": {"a": "3"}, "listing": [], "listing_error": "bad"}),
    ("crashed", "a signal", {"ending": "crashed", "gets": {}}),
    ("hung", "no end", {"ending": "hung", "gets": {}}),
]


def judged():
    for expected, what, change in ANSWERS:
        found = judge.judge(HISTORY, {**WHOLE, **change}).outcome
        if found != expected:
            yield f"{what}: {found}, not {expected}"
    for outcome in set(judge.OUTCOMES) - {row[0] for row in ANSWERS}:
        yield f"no row has {outcome}"


# --- What is damaged ---------------------------------------------------------

def random_bytes(seed, size):
    return random.Random(seed).randbytes(size)


# Three sectors and some, then reserved space; half a sector; a lock.
FILES = {"log": random_bytes(1, 1700) + b"\1" + bytes(3000),
         "anchor": random_bytes(2, 300) + b"\1", "lock": b"12345"}


def make_files(root, files):
    os.makedirs(root)
    for name, data in files.items():
        with open(os.path.join(root, name), "wb") as file:
            file.write(data)


def damaged(kind, seed):
    """{name: its bytes, or None} of what is not as it was."""
    with tempfile.TemporaryDirectory() as scratch:
        root, copy = (os.path.join(scratch, name) for name in "rc")
        make_files(root, FILES)
        make_files(copy, {name: data[:200] for name, data in FILES.items()})
        ruin.damage(kind, root, [copy], lambda path: path == "lock",
                    random.Random(seed))
        now = {}
        for name in FILES:
            path = os.path.join(root, name)
            now[name] = None
            if os.path.exists(path):
                with open(path, "rb") as file:
                    now[name] = file.read()
        return {n: data for n, data in now.items() if data != FILES[n]}


def differing(kind, before, after):
    """Is that what its name says?"""
    if kind == "removed":
        return after is None
    if kind == "older":
        return after == before[:200]
    if kind == "cut":
        return before.startswith(after) and any(before[len(after):])
    at = [i for i, pair in enumerate(zip(before, after)) if len(set(pair)) > 1]
    sectors = {i // ruin.SECTOR for i in at}
    if len(before) != len(after) or at[-1] >= 4 * ruin.SECTOR:
        return False
    if kind == "bit":
        return len(at) == 1 and (before[at[0]] ^ after[at[0]]).bit_count() == 1
    if kind == "swapped":
        return len(sectors) == 2 and sorted(before) == sorted(after)
    start = sectors.pop() * ruin.SECTOR
    piece = after[start:start + ruin.SECTOR]
    return not sectors and any(piece) == (kind == "garbage")


def ruined():
    for kind in ruin.KINDS:
        hit = set()
        for seed in range(100):
            changed = damaged(kind, seed)
            hit |= set(changed)
            if changed != damaged(kind, seed):
                yield f"{kind}, {seed}: not the same again"
            if len(changed) != 1 or "lock" in changed:
                yield f"{kind}, {seed}: changed {list(changed)}"
            for name, after in changed.items():
                if not differing(kind, FILES[name], after):
                    yield f"{kind}, {seed}: {name} is not {kind}"
        # The anchor has but one sector, and nothing to swap it with.
        if hit != ({"log"} if kind == "swapped" else {"log", "anchor"}):
            yield f"{kind}: only ever {hit}"


# --- How a process ends ------------------------------------------------------

# (ending, script, seconds that it may take)
ENDINGS = [
    ("answered", "exit 1", 300),
    ("crashed", "kill -SEGV $$", 300),
    ("crashed", "kill -BUS $$", 300),
    ("crashed", "echo 'goroutine 1 [running]:' >&2; exit 2", 300),
    ("answered", "exit 2", 300),
    ("hung", "while :; do :; done", 300),
    ("hung", "exec cat /dev/zero", 300),
    ("hung", "exec sleep 3600", 1),
]


def ended():
    stores.CPU_S, stores.OUTPUT_BYTES = 1, 1 << 16
    for expected, script, stores.WALL_S in ENDINGS:
        found = stores.run(["sh", "-c", script]).ending
        if found != expected:
            yield f"{script}: {found}, not {expected}"


# --- The whole of it ---------------------------------------------------------

def command(waybill, rounds):
    return subprocess.run(
        [sys.executable, os.path.join(habit.ROOT, "bench", "peers",
                                      "damage.py"),
         "--only", "waybill,lines", "--rounds", str(rounds), "--keys", "60",
         "--waybill", waybill,
         "--seed", os.environ.get("WAYBILL_SEED", "1")],
        capture_output=True, text=True, check=False)


def complaints(waybill, rounds):
    result = command(waybill, rounds)
    images = rounds * len(ruin.KINDS)
    found = [] if result.returncode == 0 else [
        f"exit status {result.returncode}", *result.stderr.splitlines()]
    for store in ("Waybill", "lines of text"):
        if not re.search(rf"^\| {store} \| {images} \|", result.stdout, re.M):
            found.append(f"no {images} images of {store} in the table")
    return found


# A waybill that knows of nothing, and says so politely, once its store was
# damaged.
LIAR = """#!/bin/sh
real=%s
if [ ! -e "${2#dir:}" ] || "$real" "$1" "$2" fsck -q >/dev/null 2>&1; then
	exec "$real" "$@"
fi
case " $* " in
*" ls "*) exit 0 ;;
*" get "*) exit 2 ;;
*" apply "*) exit 0 ;;
*) exec "$real" "$@" ;;
esac
"""


def main():
    report = habit.Report()
    waybill = os.path.join(habit.BUILD, "bin", "waybill")
    report.case("each answer is worth what it should", list(judged()))
    report.case("each kind of damage is what its name says", list(ruined()))
    report.case("waybill serves nothing untrue, the control does",
                complaints(waybill, 2))
    with tempfile.TemporaryDirectory() as scratch:
        liar = os.path.join(scratch, "waybill")
        with open(liar, "w", encoding="utf-8") as file:
            file.write(LIAR % waybill)
        os.chmod(liar, 0o755)
        report.control("a waybill that is silent about a loss",
                       complaints(liar, 1), ": silent")
    report.control("a control that is always right", list(
        damage.complaints_of({stores.STORES[-1]: []})), "blind")
    report.case("each ending is told from the others", list(ended()))
    report.finish()


if __name__ == "__main__":
    main()
