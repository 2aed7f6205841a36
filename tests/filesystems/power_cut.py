#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The power is cut under a real filesystem.

A workload with rotations, marks, closes, reopenings and kills -9 runs on a
device that records every write. Then the device is made again as it would be
had the power failed at some moment: all writes up to there, or those that were
flushed and any subset of the rest. The filesystem is mounted, which recovers
it; the store is opened, which recovers that; everything acknowledged must be
there, nothing half of another, and it must take and keep a commit.
"""

import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import device  # noqa: E402

POINTS = 300 if device.FULL else 20
COMMITS = 400 if device.FULL else 120


def work(shown, log, directory, control):
    """[(entries, revision)], one for each acknowledgement, oldest first."""
    acknowledged = []
    rng = device.draw("work")
    where = os.path.join(directory, "mnt")
    with device.loop_device(shown) as loop, device.mounted(loop, where):
        store = os.path.join(where, "store")
        worker = device.Worker(store, log, control)
        for _ in range(COMMITS):
            what = rng.random()
            if what < 0.04:
                worker.kill(in_flight=rng.random() < 0.7)
                worker = device.Worker(store, log, control)
                answer = worker.opened
            elif what < 0.06:
                answer = worker.tell("reopen")
            else:
                answer = worker.tell("mark" if what < 0.1 else "commit")
            if answer != "ok":
                raise RuntimeError(f"the worker said {answer!r}")
            acknowledged.append((worker.entries, worker.revision))
        worker.end()
        segments = [int(name[:16], 16) for name in os.listdir(store)
                    if name.endswith(".log")]
    return acknowledged, max(segments)


def moments(log, first):
    """Counts of entries after which the power is cut, in order."""
    rng = device.draw("moments")
    found = {len(log.entries)}
    while len(found) < min(POINTS, len(log.entries) - first):
        found.add(rng.randint(first, len(log.entries)))
    return sorted(found)


def required(acknowledged, count):
    return max([revision for entries, revision in acknowledged
                if entries <= count], default=0)


class Tally:
    def __init__(self):
        self.points = self.subsets = self.torn = self.newer = 0
        self.wrong = []


def judge(image, directory, least, tally, name):
    where = os.path.join(directory, "mnt")
    tally.points += 1
    try:
        with device.loop_device(image) as loop, device.mounted(loop, where):
            ok, said = device.check(os.path.join(where, "store"), least)
    except subprocess.CalledProcessError as error:
        ok, said = False, f"{error} {error.stderr}"
    if not ok:
        tally.wrong.append(f"{name}, {least} acknowledged: {said}")
        return
    tally.newer += int(said.split()[1]) > least
    tally.torn += int(said.split()[2]) > 0


def replay(log, base, acknowledged, directory, first):
    """At each moment one image of all writes, or one of a subset."""
    tally = Tally()
    rng = device.draw("subsets")
    image = os.path.join(directory, "cut")
    applied = 0
    for count in moments(log, first):
        flushed = log.last_flush(count)
        log.apply(base, range(applied, flushed))
        applied = flushed
        kept = range(flushed, count)
        subset = count > flushed and rng.random() < 0.5
        if subset:
            kept = [number for number in kept if rng.random() < 0.5]
            tally.subsets += 1
        device.run("cp", "--sparse=always", base, image)
        log.apply(image, kept)
        judge(image, directory,
              required(acknowledged, flushed if subset else count), tally,
              f"seed {device.SEED}, cut after {count} of {len(log.entries)}"
              f"{', a subset' if subset else ''}")
    return tally


def cut(kind, directory, control=None):
    image, base = (os.path.join(directory, name) for name in ("disk", "base"))
    path = os.path.join(directory, "log")
    device.make_image(image, kind)
    device.run("cp", "--sparse=always", image, base)
    with device.recorded(image, path) as shown:
        acknowledged, segments = work(shown, path, directory, control)
    log = device.BlockLog(path)
    # Before the first acknowledgement there is a mount, and little else.
    first = max(acknowledged[0][0] - 40, 0)
    return replay(log, base, acknowledged, directory, first), segments


def case(kind):
    def run_case(directory):
        tally, segments = cut(kind, directory)
        for what, count in (("power cuts", tally.points),
                            ("of a subset of writes", tally.subsets),
                            ("torn tails cut", tally.torn),
                            ("newer than acknowledged", tally.newer),
                            ("segments", segments)):
            print(f"count: {kind} {what} {count}")
        ok = not tally.wrong and tally.points >= POINTS and segments > 3
        return ok, tally.wrong
    return run_case


def control_case(directory):
    """The harness sees what it must: without the sync of a commit something
    acknowledged is lost."""
    tally, _ = cut("ext4", directory, control="GROUP_SYNC")
    lost = [line for line in tally.wrong if "lost" in line]
    print(f"count: ext4 losses seen without the sync {len(lost)}")
    return bool(lost), tally.wrong


if __name__ == "__main__":
    device.main([(f"fault_01_power_cut_under_{kind}", case(kind))
                 for kind in device.FILESYSTEMS] +
                [("without_its_sync_a_commit_is_lost", control_case)])
