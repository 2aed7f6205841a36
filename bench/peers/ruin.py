# SPDX-License-Identifier: Apache-2.0
"""One piece of damage to a directory, drawn with a seeded generator.

The place of a bit, a sector or a cut is drawn over all bytes of all files that
mean something, so a file is hit in proportion to its size; which file is
removed or put back is drawn over the files. Bytes behind a file's last one
that is not zero are space that a store has reserved: nothing is drawn there.
Damage that changes nothing (a sector of zeros zeroed) is drawn again.
"""

import os
import shutil

SECTOR = 512
TRIES = 1000


class Impossible(Exception):
    """This store has nothing that could be damaged so."""


class Files:
    """The files of a store that mean something, and their bytes in use."""

    def __init__(self, root, ignores):
        self.root = root
        self.used = {}
        for base, folders, names in os.walk(root):
            folders.sort()
            for name in sorted(names):
                path = os.path.relpath(os.path.join(base, name), root)
                used = 0 if ignores(path) else len(
                    self.read(path).rstrip(b"\0"))
                if used:
                    self.used[path] = used

    def read(self, path):
        with open(os.path.join(self.root, path), "rb") as file:
            return file.read()

    def write(self, path, data):
        with open(os.path.join(self.root, path), "wb") as file:
            file.write(data)

    def draw(self, random):
        """(path, offset), each byte in use as likely as any other."""
        at = random.randrange(sum(self.used.values()))
        for path, used in self.used.items():
            if at < used:
                return path, at
            at -= used
        raise AssertionError("beyond the last file")

    def replace(self, path, offset, piece):
        """False if that would change nothing."""
        data = bytearray(self.read(path))
        if data[offset:offset + len(piece)] == piece:
            return False
        data[offset:offset + len(piece)] = piece
        self.write(path, data)
        return True


def sector_at(files, path, offset):
    """The sector around an offset: where it begins, and its bytes."""
    start = offset - offset % SECTOR
    return start, files.read(path)[start:start + SECTOR]


def bit(files, random, _):
    path, offset = files.draw(random)
    old = files.read(path)[offset]
    number = random.randrange(8)
    files.replace(path, offset, bytes([old ^ 1 << number]))
    return f"{path}: offset {offset}, bit {number}"


def overwritten(files, random, piece_of):
    path, offset = files.draw(random)
    start, old = sector_at(files, path, offset)
    if files.replace(path, start, piece_of(len(old))):
        return f"{path}: offset {start}"
    return None


def zeroed(files, random, _):
    return overwritten(files, random, bytes)


def garbage(files, random, _):
    return overwritten(files, random, random.randbytes)


def swapped(files, random, _):
    """Whole sectors of one file, the second one drawn over it alone."""
    path, offset = files.draw(random)
    one, first = sector_at(files, path, offset)
    other, second = sector_at(files, path,
                              random.randrange(files.used[path]))
    if first == second or len(first) != len(second):
        return None
    files.replace(path, one, second)
    files.replace(path, other, first)
    return f"{path}: offsets {one} and {other}"


def cut(files, random, _):
    path, offset = files.draw(random)
    os.truncate(os.path.join(files.root, path), offset)
    return f"{path}: from offset {offset} on"


def removed(files, random, _):
    path = random.choice(list(files.used))
    os.remove(os.path.join(files.root, path))
    return path


def older(files, random, copies):
    """A file as it was at an earlier moment, when everything that had been
    acknowledged until then was durable and the store was open."""
    options = []
    for copy in copies:
        for path in files.used:
            old = os.path.join(copy, path)
            if os.path.isfile(old):
                with open(old, "rb") as file:
                    if file.read() != files.read(path):
                        options.append((copy, path))
    if not options:
        raise Impossible
    copy, path = random.choice(options)
    shutil.copyfile(os.path.join(copy, path), os.path.join(files.root, path))
    return f"{path}: as in {os.path.basename(copy)}"


# The columns of the table by kind.
KINDS = {
    "bit": ("one bit flipped", bit),
    "zeroed": ("a sector zeroed", zeroed),
    "garbage": ("a sector of garbage", garbage),
    "swapped": ("two sectors swapped", swapped),
    "cut": ("a file's tail cut", cut),
    "removed": ("a file removed", removed),
    "older": ("a file's older copy", older),
}


def damage(kind, root, copies, ignores, random):
    """Does it, and says where; Impossible where there is nothing to do."""
    files = Files(root, ignores)
    for _ in range(TRIES):
        where = KINDS[kind][1](files, random, copies)
        if where:
            return where
    raise Impossible
