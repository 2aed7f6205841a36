#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A filesystem has no more room, or no more inodes.

The commit that does not fit fails and leaves nothing, as often as it is tried;
reads and deletions go on; with room again, so do commits. Whoever was killed
in the middle needs room for a segment to write on; until there is, the store
can be read, and everything acknowledged is there.
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import device  # noqa: E402

COMMITS_MAX = 5000


def fill(worker):
    """Commit until one fails; (how many, what the last one said)."""
    for number in range(COMMITS_MAX):
        answer = worker.tell("commit")
        if answer != "ok":
            return number, answer
    raise RuntimeError("it never got full")


def until_full(store, wrong, give_room):
    worker = device.Worker(store)
    count, answer = fill(worker)
    if answer != "error no_space":
        wrong.append(f"a full disk: {answer!r}")
    for what, expected in (("commit", "error no_space"), ("read", "ok")):
        answer = worker.tell(what)
        if answer != expected:
            wrong.append(f"{what} with a full disk: {answer!r}")
    least = worker.revision
    worker.kill(in_flight=True)
    answer = device.Worker(store).opened
    if answer != "error no_space":
        wrong.append(f"opened with a full disk: {answer!r}")
    revision = int(device.run(device.WAYBILL, "stat", "-q", "--store",
                              "dir:" + store))
    if revision != least:
        wrong.append(f"read at revision {revision}, not {least}")
    give_room()
    worker = device.Worker(store)
    if worker.opened != "ok" or worker.revision != least:
        wrong.append(f"opened with room again: {worker.opened!r}, revision "
                     f"{worker.revision}, not {least}")
    for what in ("commit", "read", "mark", "reopen", "commit", "read"):
        answer = worker.tell(what)
        if answer != "ok":
            wrong.append(f"{what} with room again: {answer!r}")
    return worker, count


def on_tmpfs(options, directory, ballast):
    """`ballast(where)` takes room, and returns what gives it back."""
    where = os.path.join(directory, "mnt")
    store = os.path.join(where, "store")
    wrong = []
    with device.mounted("none", where, "-t", "tmpfs", "-o", options):
        worker, count = until_full(store, wrong, ballast(where))
        said = worker.end()
        if said != "closed ok":
            wrong.append(f"closing: {said!r}")
        ok, said = device.check(store, worker.revision)
        if not ok:
            wrong.append(said)
    print(f"count: commits until {options} was full {count}")
    return not wrong and count > 10, wrong


def bytes_are_short(directory):
    def ballast(where):
        path = os.path.join(where, "ballast")
        with open(path, "wb") as file:
            file.write(b"x" * (256 << 10))
        return lambda: os.remove(path)
    return on_tmpfs("size=1m", directory, ballast)


def inodes_are_short(directory):
    def ballast(where):
        paths = [os.path.join(where, f"ballast{n}") for n in range(4)]
        for path in paths:
            with open(path, "wb"):
                pass
        return lambda: [os.remove(path) for path in paths]
    return on_tmpfs("nr_inodes=16", directory, ballast)


def deletions_go_on(directory):
    """Names are removed where no value can be added."""
    where = os.path.join(directory, "mnt")
    wrong = []
    with device.mounted("none", where, "-t", "tmpfs", "-o", "size=1m"):
        worker = device.Worker(os.path.join(where, "store"))
        fill(worker)
        for what in ("rm", "read", "rm", "read"):
            answer = worker.tell(what)
            if answer != "ok":
                wrong.append(f"{what} with a full disk: {answer!r}")
        worker.end()
    return not wrong, wrong


if __name__ == "__main__":
    device.main([
        ("fault_44_no_space_on_tmpfs", bytes_are_short),
        ("fault_44_deletions_go_on_where_there_is_no_space", deletions_go_on),
        ("fault_47_no_inodes_on_tmpfs", inodes_are_short),
    ])
