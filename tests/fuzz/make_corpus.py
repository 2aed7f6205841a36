# SPDX-License-Identifier: Apache-2.0
"""The corpora of the fuzzers of log/ and audit/: small inputs that are whole, for the
fuzzers to break. Checksums stay zero; the fuzzers make them right. As a test
(no argument) it prints TAP and holds tests/fuzz/corpus against what it makes;
other inputs may stand there too.

  make_corpus.py --write
"""
import os
import struct
import sys

import xxhash

CORPUS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "corpus")
UUID = bytes(range(16))
OPEN_ENDED = 2**64 - 1
COMMIT, MARK, CLOSE, FOOTER, RECORDS = 1, 2, 3, 4, 5
(FIX_FRAMES, FIX_LINKS, FIX_ANCHOR, BAD_SLOT, BAD_HEADERS, NO_ANCHOR, SWAP,
 FIX_BEHIND) = (1 << bit for bit in range(8))


INPUTS = {}


def save(fuzzer, name, data):
    INPUTS[os.path.join(CORPUS, fuzzer, name)] = data


def write():
    for path, data in INPUTS.items():
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(data)


def is_there(path, data):
    try:
        with open(path, "rb") as file:
            return file.read() == data
    except FileNotFoundError:
        return False


def u64(*values):
    return struct.pack("<%dQ" % len(values), *values)


# ---- commits ----

def varint(value):
    out = b""
    while value >= 0x80:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def number(field, value):
    return varint(field << 3) + varint(value)


def text(field, value):
    return varint(field << 3 | 2) + varint(len(value)) + value


def fixed64(field, value):
    return varint(field << 3 | 1) + struct.pack("<q", value)


def mutation(name, value=b"", deleted=False, previous=0, ns=b"default"):
    body = number(1, 1) + text(2, ns) + text(3, name)
    body += text(4, value) if value else b""
    body += number(5, 1) if deleted else b""
    body += number(6, previous) if previous else b""
    return text(8, body)


def commit(revision, *mutations, more=b""):
    actor = number(1, 1000) + number(2, 100) + number(3, 42) + text(4, b"me")
    return (number(1, revision) + fixed64(2, 1000 * revision)
            + text(3, actor) + more + b"".join(mutations))


def plain(revision):
    return commit(revision, mutation(b"name%d" % revision, b"value"))


COMMITS = {
    "plain": plain(1),
    "two": commit(2, mutation(b"a", b"x"), mutation(b"b", b"y")),
    "delete": commit(3, mutation(b"a", deleted=True, previous=2)),
    "operation": commit(4, mutation(b"a", b"z"), more=text(4, b"because")
                        + text(5, b"ns") + text(6, b"id") + fixed64(7, 99)),
    "negative": number(1, 5) + fixed64(2, -1)
    + text(3, number(3, 2**64 - 1)) + mutation(b"a", b"x"),
    "unknown_fields": number(1, 6) + number(99, 5) + fixed64(98, 1)
    + text(97, b"later") + mutation(b"a", b"x"),
    "actor_twice": number(1, 7) + text(3, number(1, 5))
    + text(3, number(2, 6)) + mutation(b"a", b"x"),
    "no_namespace": commit(8, mutation(b"a", b"x", ns=b"")),
    "no_mutation": commit(9),
    "zero_in_namespace": commit(10, mutation(b"a", b"x", ns=b"a\0b")),
    "empty": b"",
}


# ---- frames ----

def frame(kind, revision, payload=b"", durable=(0, 8192), version=1, pad=0):
    size = (48 + len(payload) + 7) // 8 * 8 + pad
    head = u64(0) + b"WBFR" + bytes([kind, version]) + struct.pack(
        "<HII", 0, size, len(payload)) + u64(revision, *durable)
    return (head + payload).ljust(size, b"\0")


def groups(first, *pieces):
    """Behind a header: each (kind, revision, payload) is a group of its own;
    bytes are as they are."""
    out = b""
    for piece in pieces:
        if isinstance(piece, tuple):
            kind, revision, payload = piece
            piece = frame(kind, revision, payload,
                          durable=(first - 1, 8192 + len(out)))
            first = revision + 1
        out += piece
    return out


FRAMES = {
    "commit": frame(COMMIT, 1, plain(1)),
    "padded": frame(COMMIT, 1, plain(1), pad=512 - 112),
    "mark": frame(MARK, 1, durable=(1, 8704)),
    "close": frame(CLOSE, 1),
    "records": frame(RECORDS, 1, b"records"),
    "type_zero": frame(0, 1, b"x"),
    "later_type": frame(9, 1, b"x"),
    "later_version": frame(COMMIT, 1, b"x", version=2),
    "cut_short": frame(COMMIT, 1, plain(1))[:-8],
}


# ---- headers, footers, anchors ----

def header(identity=1, kind=1, first=1, salt=7, incompat=0, previous=None):
    chain = bytes(32)
    return (b"WAYBSEG1" + struct.pack("<II", 1, kind) + u64(incompat, 0)
            + UUID + u64(1, identity, 0, first, OPEN_ENDED, 0, salt)
            + u64(*(previous or (0, 0, first - 1, 1))) + chain + u64(5))


HEADERS = {
    "log": header(),
    "follows": header(2, first=4, previous=(1, 9000, 3, 1)),
    "base": header(kind=2),
    "incompat": header(incompat=1),
    "empty": b"",
}


def key_hash(name, ns=b"default"):
    key = bytes([1]) + ns + b"\0" + name
    return xxhash.xxh3_64_intdigest(key) & 0xFFFFFFFF


def entry(value, offset, revision, which):
    return struct.pack("<IIII", value, offset // 8, revision, which)


def footer(first, last, *entries, chain=bytes(32)):
    """Of commits whose times are those that commit() gives them."""
    count = last - first + 1 if last else 0
    return (u64(first, last, count, 1000 * first, 1000 * last) + chain
            + u64(len(entries)) + b"".join(entries))


FOOTERS = {
    "empty": footer(0, 0),
    "one": footer(1, 1, entry(5, 8192, 0, 0)),
    "three": footer(1, 2, entry(5, 8192, 0, 0), entry(5, 8704, 1, 0),
                    entry(9, 8704, 1, 1)),
    "unsorted": footer(1, 2, entry(9, 8192, 0, 0), entry(5, 8704, 1, 0)),
}


def slot(sequence, active=1, revision=0, at=8192):
    return (b"WAYBANC1" + struct.pack("<II", 1, 0) + u64(sequence) + UUID
            + u64(1, active, revision, at) + bytes(32) + u64(5))


# ---- whole stores ----

def segment(head, *frames, zeros=4):
    data = b"".join(frames)
    return head + bytes([zeros]) + struct.pack("<H", len(data)) + data


def store(flags, *segments, slots=None):
    return bytes([flags]) + (slots or slot(2) + slot(1)) + b"".join(segments)


def stores():
    fix = FIX_FRAMES | FIX_LINKS | FIX_ANCHOR
    one = (COMMIT, 1, plain(1))
    first = segment(header(1), groups(1, one, (COMMIT, 2, COMMITS["two"]),
                                      (CLOSE, 2, b"")))
    together = segment(header(1), frame(COMMIT, 1, plain(1)),
                       frame(COMMIT, 2, COMMITS["two"]))
    sealed = segment(
        header(1), groups(1, one, (FOOTER, 1, footer(
            1, 1, entry(key_hash(b"name1"), 8192, 0, 0)))), zeros=0)
    second = segment(header(2, first=2), groups(2, (COMMIT, 2, plain(2)),
                                                (MARK, 2, b"")))
    third = segment(header(3, first=3), groups(3, (COMMIT, 3, plain(3))))
    torn = segment(header(3, first=3), groups(3, (COMMIT, 3, plain(3)),
                                              b"debris"))
    empty = segment(header(2, first=3))
    cut = segment(header(1), groups(1, one, b"debris"))
    yield "closed", store(fix, first)
    yield "together", store(fix, together)
    yield "new", store(fix, segment(header(1)))
    yield "no_anchor", store(fix | NO_ANCHOR, segment(header(1)))
    yield "sealed", store(fix, sealed, second, third)
    yield "cut", store(fix, cut, second, third)
    yield "torn", store(fix, cut, second, torn)
    yield "one_behind", store(fix, first, empty)
    yield "bad_slot", store(fix | BAD_SLOT, cut, second)
    yield "bad_headers", store(fix | BAD_HEADERS, cut, second)
    yield "swapped", store(fix | SWAP, cut, second)
    yield "links_of_its_own", store(FIX_FRAMES | FIX_ANCHOR, cut, second)
    yield "anchor_of_its_own", store(FIX_FRAMES | FIX_LINKS, first)
    yield "all_of_its_own", store(0, first)
    yield "frame_past_the_end", store(
        fix, cut, segment(header(2, first=2),
                          groups(2, (COMMIT, 2, plain(2)))[:-16], zeros=0))
    # Behind a tear of 8 bytes: proof; a frame that is none; headers without
    # end; a commit that goes beyond the file, and holds both.
    end = 8192 + len(groups(1, one))
    proof = frame(MARK, 1, durable=(1, end + 8))
    none = frame(COMMIT, 2, plain(2))
    inside = frame(COMMIT, 2, b"x" * 8 + proof + none, durable=(1, end))
    for name, tail in (("proof_behind", b"debris__" + proof),
                       ("no_proof_behind", b"debris__" + none),
                       ("fakes_behind", b"debris__" + 4 * proof[:40]),
                       ("proof_inside", inside[:-16])):
        yield name, store(fix | FIX_BEHIND,
                          segment(header(1), groups(1, one, tail), zeros=0))
    # Found by the fuzzer: the segment after it would have had id zero.
    yield "highest_id", store(fix, first, segment(header(2**64 - 1, first=3)))
    yield "empty", b""


def make():
    for name, data in COMMITS.items():
        save("commit", name, data)
    for name, data in FRAMES.items():
        save("frame", name, b"\1" + data)
    for name, data in HEADERS.items():
        save("segment", name, b"\1" + data)
    save("segment", "second_copy", b"\3" + header())
    save("segment", "name", b"0000000000000001.log")
    for name, data in FOOTERS.items():
        save("footer", name, data)
    for sequence in (0, 1):
        save("anchor", "slot%d" % sequence,
             bytes([2 * sequence + 1]) + slot(sequence))
    save("anchor", "wrong_slot", b"\1" + slot(1))
    save("anchor", "empty", b"")
    for name, data in stores():
        save("recover", name, data)
        save("reader", name, data)



def main():
    make()
    if sys.argv[1:] == ["--write"]:
        write()
        return
    if sys.argv[1:]:
        sys.exit("usage: make_corpus.py [--write]")
    bad = [path for path, data in INPUTS.items() if not is_there(path, data)]
    for path in bad:
        print("# %s" % path)
    print("%sok 1 - the corpora hold what this makes"
          % ("not " if bad else ""))
    print("1..1")
    sys.exit(1 if bad else 0)


main()
