# SPDX-License-Identifier: Apache-2.0
"""The worked example of docs/FORMAT.md, computed from its prose alone.

Nothing here comes from log/: a second reading of the page, in another
language. As a test (no argument) it prints TAP and holds the page against
what it computes; tests/test_golden.c holds log/ against the page.

  make_example.py --print   the example
  make_example.py --write   put it into docs/FORMAT.md
"""
import hashlib
import os
import re
import struct
import sys

import xxhash

SOURCE = os.environ.get("WAYBILL_SOURCE_DIR") or os.path.join(
    os.path.dirname(os.path.abspath(__file__)), "..", "..")
PAGE = os.path.join(SOURCE, "docs", "FORMAT.md")

UUID = bytes(range(16))
EPOCH = 1
SALT = 0x0123456789ABCDEF
TIME_NS = 1_600_000_000 * 10**9
SEGMENT_BYTES = 1 << 20


def u16(value):
    return struct.pack("<H", value)


def u32(value):
    return struct.pack("<I", value)


def u64(value):
    return struct.pack("<Q", value)


def checked(fields, size, seed):
    """Fields behind a checksum, filled up with zeros to `size` bytes."""
    body = b"".join(data for data, _ in fields)
    body += bytes(size - 8 - len(body))
    checksum = xxhash.xxh3_64_intdigest(body, seed)
    used = 8 + sum(len(data) for data, _ in fields)
    return ([(u64(checksum), "checksum")] + fields
            + [(bytes(size - used), None)])


def chain(before, payload):
    return hashlib.sha256(before + payload).digest()


# ---- protobuf, by hand ----

def varint(value):
    out = b""
    while value >= 0x80:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def number(field, value):
    return varint(field << 3) + varint(value)


def fixed64(field, value):
    return varint(field << 3 | 1) + u64(value)


def text(field, value):
    return varint(field << 3 | 2) + varint(len(value)) + value


def payload_fields():
    actor = [
        (number(1, 1000), "uid 1000"),
        (number(2, 1000), "gid 1000"),
        (number(3, 42), "pid 42"),
        (text(4, b"test"), "command"),
    ]
    mutation = [
        (number(1, 1), "kind 1"),
        (text(2, b"default"), "ns"),
        (text(3, b"a"), "name"),
        (text(4, b"b"), "value"),
    ]

    def message(field, what, parts):
        size = sum(len(data) for data, _ in parts)
        return [(varint(field << 3 | 2) + varint(size), what)] + parts

    return ([(number(1, 1), "revision 1"), (fixed64(2, TIME_NS), "time_ns")]
            + message(3, "actor", actor)
            + [(text(4, b"first"), "reason")]
            + message(8, "mutation", mutation))


# ---- the files ----

def header(copy):
    return checked([
        (b"WAYBSEG1", "magic"),
        (u32(1), "format_version"),
        (u32(1), "kind: log"),
        (u64(0), "incompat"),
        (u64(0), "ro_compat"),
        (UUID, "uuid"),
        (u64(EPOCH), "epoch"),
        (u64(1), "id"),
        (u64(0), "generation"),
        (u64(1), "first_revision"),
        (u64(2**64 - 1), "last_revision"),
        (u64(0), "as_of"),
        (u64(SALT), "salt"),
        (u64(0), "previous_id"),
        (u64(0), "previous_bytes"),
        (u64(0), "previous_revision"),
        (u64(EPOCH), "previous_epoch"),
        (chain(b"waybill-chain-1", UUID), "previous_chain"),
        (u64(TIME_NS), "created_ns"),
    ], 4096, copy * 4096)


def commit(offset):
    payload = payload_fields()
    size = sum(len(data) for data, _ in payload)
    frame_bytes = (48 + size + 511) // 512 * 512
    seed = (SALT + offset * 0x9E3779B97F4A7C15) % 2**64
    return checked([
        (b"WBFR", "magic"),
        (bytes([1]), "type: COMMIT"),
        (bytes([1]), "version"),
        (u16(0), "zero"),
        (u32(frame_bytes), "frame_bytes"),
        (u32(size), "payload_bytes"),
        (u64(1), "revision"),
        (u64(0), "durable_revision"),
        (u64(offset), "durable_bytes"),
    ] + payload, frame_bytes, seed)


def segment():
    fields = header(0) + header(1) + commit(8192)
    used = sum(len(data) for data, _ in fields)
    return fields + [(bytes(SEGMENT_BYTES - used), None)]


def slot(number_of_slot):
    sequence = number_of_slot  # 0, and 1, which is the newer one
    return checked([
        (b"WAYBANC1", "magic"),
        (u32(1), "format_version"),
        (u32(0), "zero"),
        (u64(sequence), "sequence"),
        (UUID, "uuid"),
        (u64(EPOCH), "epoch"),
        (u64(1), "active_id"),
        (u64(0), "durable_revision"),
        (u64(8192), "durable_bytes"),
        (chain(b"waybill-chain-1", UUID), "chain"),
        (u64(TIME_NS), "written_ns"),
    ], 4096, number_of_slot * 4096)


# ---- the dump ----

def dump_lines(name, fields):
    at = 0
    zeros = False
    yield "%s, %d bytes:" % (name, sum(len(data) for data, _ in fields))
    for data, what in fields:
        if what is None:
            if not zeros:
                yield "%08x  zeros" % at
            zeros = True
            at += len(data)
            continue
        zeros = False
        for step in range(0, len(data), 16):
            part = data[step:step + 16]
            yield ("%08x  %-47s  %s" % (
                at, part.hex(" "), "" if step else what)).rstrip()
            at += len(part)


def example():
    lines = list(dump_lines("0000000000000001.log", segment()))
    lines += list(dump_lines("anchor", slot(0) + slot(1)))
    return "\n".join(lines) + "\n"


BLOCK = re.compile(r"(\n## A worked example\n.*?\n```\n)(.*?)(```\n)", re.S)


def main():
    with open(PAGE, encoding="utf-8") as file:
        page = file.read()
    found = BLOCK.search(page)
    if sys.argv[1:] == ["--print"]:
        sys.stdout.write(example())
    elif sys.argv[1:] == ["--write"]:
        page = BLOCK.sub(lambda m: m[1] + example() + m[3], page)
        with open(PAGE, "w", encoding="utf-8") as file:
            file.write(page)
    elif sys.argv[1:]:
        sys.exit("usage: make_example.py [--print | --write]")
    else:
        same = found is not None and found[2] == example()
        print("%sok 1 - the example is what the page's prose gives"
              % ("" if same else "not "))
        print("1..1")
        sys.exit(0 if same else 1)


main()
