# SPDX-License-Identifier: Apache-2.0
"""forge_history.py DIRECTORY FROM TO

Puts TO in place of every FROM, which is as long, in the commits of a closed
store, and computes every checksum and the whole chain anew: the forger of
forge_history.c, for directories of the command line's tests.
"""
import glob
import hashlib
import os
import struct
import sys

import xxhash

MULTIPLIER = 0x9E3779B97F4A7C15


def number(data, at, size=8):
    return int.from_bytes(data[at:at + size], "little")


def seal(data, at, size, seed):
    digest = xxhash.xxh3_64_intdigest(bytes(data[at + 8:at + size]), seed)
    data[at:at + 8] = struct.pack("<Q", digest)


def frames(data, end):
    at = 8192
    while at < end and data[at + 8:at + 12] == b"WBFR":
        yield at, number(data, at + 16, 4)
        at += number(data, at + 16, 4)


def forge(directory, old, new):
    paths = sorted(glob.glob(os.path.join(directory, "*.log")))
    files = [bytearray(open(path, "rb").read()) for path in paths]
    chains = [hashlib.sha256(b"waybill-chain-1" + files[0][40:56]).digest()]
    for index, data in enumerate(files):
        last = index + 1 == len(files)
        end = len(data) if last else number(files[index + 1], 120)
        salt = number(data, 104)
        for copy in (0, 4096):
            data[copy + 144:copy + 176] = chains[-1]
            seal(data, copy, 4096, copy)
        for at, size in frames(data, end):
            start, bytes_ = at + 48, number(data, at + 20, 4)
            if data[at + 12] == 1:
                payload = bytes(data[start:start + bytes_]).replace(old, new)
                data[start:start + bytes_] = payload
                chains.append(hashlib.sha256(chains[-1] + payload).digest())
            elif data[at + 12] == 4:
                data[start + 40:start + 72] = chains[-1]
            seal(data, at, size, (salt + at * MULTIPLIER) % 2**64)
    anchor_path = os.path.join(directory, "anchor")
    anchor = bytearray(open(anchor_path, "rb").read())
    for slot in (0, 4096):
        anchor[slot + 80:slot + 112] = chains[number(anchor, slot + 64)]
        seal(anchor, slot, 4096, slot)
    for path, data in zip(paths + [anchor_path], files + [anchor]):
        with open(path, "wb") as file:
            file.write(data)


forge(sys.argv[1], sys.argv[2].encode(), sys.argv[3].encode())
