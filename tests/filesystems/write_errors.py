#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A real disk fails under a real filesystem.

A sync that fails is never asked again: the commit is not acknowledged, the
store takes no other, reads go on. Whoever opens it next, while the page cache
still shows what the disk does not have, must build on the disk.
"""

import fcntl
import json
import os
import struct
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import device  # noqa: E402

BEFORE = 25  # commits and marks


def acknowledged(store, before=BEFORE):
    """A worker with some commits behind it."""
    worker = device.Worker(store)
    for number in range(before):
        answer = worker.tell("mark" if number % 9 == 8 else "commit")
        if answer != "ok":
            raise RuntimeError(f"the worker said {answer!r}")
    return worker


class Break:
    def __init__(self, path):
        self.path = path

    def __enter__(self):
        with open(self.path, "wb"):
            pass

    def __exit__(self, *_):
        os.remove(self.path)


def expect(wrong, what, said, expected):
    if said != expected:
        wrong.append(f"{what}: {said!r}, not {expected!r}")


def stays_stopped(worker, wrong):
    """The disk is well again, and still nothing is acknowledged."""
    expect(wrong, "a commit after it", worker.tell("commit"),
           "error stopped")
    expect(wrong, "a read after it", worker.tell("read"), "ok")


def look_again(store, least, wrong, control=None):
    """On the same mount it may be refused (the filesystem has given up), or
    else must hold what was acknowledged. Returns what is acknowledged now."""
    ok, said = device.check(store, least, control)
    if ok:
        return int(said.split()[1]) + 1
    if not said.startswith("not opened"):
        wrong.append(f"the same mount: {said}")
    return least


def on_device(kind, directory, act):
    """`act(store, trigger, wrong)` returns the newest acknowledged revision;
    then the filesystem is mounted anew."""
    image, trigger, where = (os.path.join(directory, name)
                             for name in ("disk", "trigger", "mnt"))
    store = os.path.join(where, "store")
    wrong = []
    device.make_image(image, kind)
    with device.breakable(image, trigger) as shown:
        with device.loop_device(shown) as loop:
            with device.mounted(loop, where):
                least = act(store, trigger, wrong)
    with device.loop_device(image) as loop, device.mounted(loop, where):
        ok, said = device.check(store, least)
        if not ok:
            wrong.append(f"mounted anew: {said}")
    return not wrong, wrong


def sync_fails(store, trigger, wrong):
    worker = acknowledged(store)
    least = worker.revision
    with Break(trigger):
        expect(wrong, "a commit on a broken disk", worker.tell("commit"),
               "error outcome_unknown")
        stays_stopped(worker, wrong)
    stays_stopped(worker, wrong)
    expect(wrong, "closing", worker.end(), "closed stopped")
    return least


# On the same mount: refused, taken.
opened = [0, 0]


def cache_lies(store, trigger, wrong, control=None, before=BEFORE):
    """Killed with the lie in the cache, opened on the same mount."""
    worker = acknowledged(store, before)
    least = worker.revision
    with Break(trigger):
        expect(wrong, "a commit on a broken disk", worker.tell("commit"),
               "error outcome_unknown")
    worker.kill(in_flight=False)
    now = look_again(store, least, wrong, control)
    opened[now > least] += 1
    return now


def error_comes_late(store, trigger, wrong):
    """Between two commits, somebody's write-back of the same file fails.
    The kernel tells it to the store's next sync, when the disk is well."""
    worker = acknowledged(store)
    least = worker.revision
    newest = max(name for name in os.listdir(store) if name.endswith(".log"))
    with Break(trigger):
        with open(os.path.join(store, newest), "r+b", buffering=0) as file:
            first = file.read(512)
            file.seek(0)
            file.write(first)  # what is there already: a dirty page
            subprocess.run(["sync", file.name], check=False,
                           capture_output=True)
    expect(wrong, "the next commit", worker.tell("commit"), "error outcome_unknown")
    stays_stopped(worker, wrong)
    worker.end()
    return look_again(store, least, wrong)


# XFS_IOC_GOINGDOWN, which ext4 knows as EXT4_IOC_SHUTDOWN, and its flag for
# "without writing the journal": as near to a power cut as a mount comes.
GOING_DOWN, WITHOUT_JOURNAL = 0x8004587d, 2


def goes_down(store, _, wrong):
    worker = acknowledged(store)
    least = worker.revision
    root = os.open(os.path.dirname(store), os.O_RDONLY)
    fcntl.ioctl(root, GOING_DOWN, struct.pack("I", WITHOUT_JOURNAL))
    os.close(root)
    answer = worker.tell("commit")
    # Where not even the write is taken, nothing of it can be there later.
    if answer not in ("error outcome_unknown", "error io"):
        wrong.append(f"a commit on a filesystem that is down: {answer!r}")
    expect(wrong, "a read after it", worker.tell("read"), "ok")
    worker.end()
    if device.Worker(store).opened == "ok":
        wrong.append("a filesystem that is down was opened")
    return least


def cut_short(store, _, wrong):
    """Nothing of a file is mapped, so there is no page to be missing."""
    worker = acknowledged(store)
    newest = max(name for name in os.listdir(store) if name.endswith(".log"))
    with open(os.path.join(store, newest), "rb") as file:
        whole = file.read()
    os.truncate(os.path.join(store, newest), 0)
    expect(wrong, "a read with a file cut short", worker.tell("read"), "ok")
    with open(os.path.join(store, newest), "r+b") as file:
        file.write(whole)
    expect(wrong, "a commit with the file whole again", worker.tell("commit"),
           "ok")
    least = worker.revision
    expect(wrong, "closing", worker.end(), "closed ok")
    return least


def read_only(store, _, wrong):
    """Its owner gives up on a filesystem, or the kernel does."""
    worker = acknowledged(store)
    least = worker.revision
    device.run("mount", "-o", "remount,abort", os.path.dirname(store))
    answer = worker.tell("commit")
    if answer == "ok":
        wrong.append("a commit on a filesystem that was aborted")
    expect(wrong, "a read after it", worker.tell("read"), "ok")
    worker.kill(in_flight=False)
    # What is in its page cache cannot be made durable, so it is not opened;
    # the second reader tells what is there.
    expect(wrong, "opened", device.Worker(store).opened,
           "error permission")
    head = json.loads(device.run(device.WAYBILL, "audit", "head", "--json",
                                 "--store", "dir:" + store))
    if head["revision"] < least:
        wrong.append(f"audit head says {head}, not {least}")
    return least


def case(kind, act):
    return lambda directory: on_device(kind, directory, act)


def control_case(directory):
    """The harness sees what it must: who believes the cache loses what it
    then acknowledges. A commit within one page comes to the disk with the
    next one, so some are tried."""
    lost = 0
    for before in range(BEFORE, BEFORE + 8):
        ok, _ = on_device(
            "xfs", directory, lambda *args: cache_lies(
                *args, control="RECOVER_DROP_CACHE", before=before))
        lost += not ok
    print(f"count: stores opened after a failed sync on its mount {opened[1]}")
    print(f"count: stores opened from a lying cache, lost {lost}")
    return lost > 0, ["nothing was lost"]


if __name__ == "__main__":
    device.main([
        (name + kind, case(kind, act)) for name, act in (
            ("fault_38_a_failed_sync_stops_the_store_on_", sync_fails),
            ("fault_39_a_lying_page_cache_is_not_built_on_under_", cache_lies),
            ("fault_41_a_late_write_back_error_stops_the_store_on_",
             error_comes_late))
        for kind in device.FILESYSTEMS] +
        [(f"fault_17_a_filesystem_goes_down_{kind}", case(kind, goes_down))
         for kind in ("ext4", "xfs")] +
        [("fault_50_a_filesystem_becomes_read_only", case("ext4", read_only)),
         ("fault_54_a_file_cut_short_is_no_signal", case("ext4", cut_short)),
         ("who_believes_the_page_cache_loses_commits", control_case)])
