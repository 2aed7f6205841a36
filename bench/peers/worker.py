# SPDX-License-Identifier: Apache-2.0
"""A peer inside a process of its own, so that it may crash or hang there.

    worker.py STORE write PLACE             lines [NAME, VALUE or null] come
                                            in; "ok" goes out for each when
                                            it is durable
    worker.py STORE read PLACE [SETTING]    a list of names comes in, an
                                            answer (judge.py) goes out
    worker.py STORE repair PLACE            where the library has a repair

LevelDB, RocksDB and LMDB are spoken to through their C libraries, SQLite
through Python's module. Bytes travel as Latin-1, for a damaged store may
answer with any. What is asked of every store is the same: open what must be
there, get each name, then list all.
"""

import ctypes
import json
import os
import sqlite3
import sys

# More than this is no value of ours, and is not copied.
VALUE_BYTES_MAX = 1 << 20
# A listing that does not end is cut when it has this many times the names.
LISTING_TIMES_MAX = 4


class Failure(Exception):
    """What the store itself calls an error."""


def copied(pointer, size):
    if size > VALUE_BYTES_MAX:
        return f"({size} bytes)"
    return ctypes.string_at(pointer, size).decode("latin-1")


def plain(value):
    """A column as text: damage changes types as well."""
    if isinstance(value, bytes):
        return value.decode("latin-1")
    return repr(value)


# --- LevelDB and RocksDB: one C API, two prefixes ----------------------------

class Level:
    """SETTING is "" for the defaults, "careful" for every check there is.

    Buffers are small: with those of the defaults two thousand records would
    never leave the first log.
    """

    LIBRARIES = {"leveldb": "libleveldb.so.1d",
                 "rocksdb": "librocksdb.so.7.8"}
    BUFFER_BYTES = 64 << 10
    ROCKSDB = ("create_if_missing=%s;write_buffer_size=65536;"
               "target_file_size_base=65536;keep_log_file_num=1;"
               "track_and_verify_wals_in_manifest=%s;wal_recovery_mode=%s")

    def __init__(self, name):
        self.prefix = name + "_"
        self.library = ctypes.CDLL(self.LIBRARIES[name])

    def call(self, verb, *arguments, result=ctypes.c_void_p):
        function = self.library[self.prefix + verb]
        function.restype = result
        return function(*arguments)

    def tried(self, verb, *arguments, result=ctypes.c_void_p):
        """A call whose last argument takes an error's text."""
        error = ctypes.c_void_p()
        value = self.call(verb, *arguments, ctypes.byref(error),
                          result=result)
        if error.value:
            text = ctypes.string_at(error.value).decode("latin-1")
            self.call("free", error, result=None)
            raise Failure(text)
        return value

    def options(self, create, careful):
        made = ctypes.c_void_p(self.call("options_create"))
        if self.prefix == "rocksdb_":
            # Written with its logs named in the manifest, as it recommends;
            # whether a reading holds them against it is the reading's.
            text = self.ROCKSDB % (
                "true" if create else "false",
                "true" if create or careful else "false",
                "kAbsoluteConsistency" if careful else "kPointInTimeRecovery")
            base, made = made, ctypes.c_void_p(self.call("options_create"))
            self.tried("get_options_from_string", base, text.encode(), made)
            return made
        self.call("options_set_create_if_missing", made,
                  ctypes.c_ubyte(create), result=None)
        self.call("options_set_paranoid_checks", made,
                  ctypes.c_ubyte(careful), result=None)
        self.call("options_set_write_buffer_size", made,
                  ctypes.c_size_t(self.BUFFER_BYTES), result=None)
        self.call("options_set_max_file_size", made,
                  ctypes.c_size_t(1 << 20), result=None)
        return made

    def opened(self, place, create, careful):
        return ctypes.c_void_p(self.tried(
            "open", self.options(create, careful), place.encode()))

    def write(self, place):
        store = self.opened(place, True, False)
        options = ctypes.c_void_p(self.call("writeoptions_create"))
        self.call("writeoptions_set_sync", options, ctypes.c_ubyte(1),
                  result=None)

        def change(name, value):
            key = name.encode()
            if value is None:
                self.tried("delete", store, options, key,
                           ctypes.c_size_t(len(key)), result=None)
            else:
                text = value.encode()
                self.tried("put", store, options, key,
                           ctypes.c_size_t(len(key)), text,
                           ctypes.c_size_t(len(text)), result=None)
        take_changes(change)
        self.call("close", store, result=None)

    def read(self, place, setting, names):
        careful = setting == "careful"
        store = self.opened(place, False, careful)
        options = ctypes.c_void_p(self.call("readoptions_create"))
        if careful:
            self.call("readoptions_set_verify_checksums", options,
                      ctypes.c_ubyte(1), result=None)

        def get(name):
            key, size = name.encode(), ctypes.c_size_t()
            found = self.tried("get", store, options, key,
                               ctypes.c_size_t(len(key)), ctypes.byref(size))
            return copied(found, size.value) if found else None

        gets = get_all(names, get)
        listing = list_all(names, self.listing(store, options))
        self.call("close", store, result=None)
        return {"gets": gets, **listing}

    def listing(self, store, options):
        cursor = ctypes.c_void_p(
            self.call("create_iterator", store, options))
        size = ctypes.c_size_t()
        try:
            self.call("iter_seek_to_first", cursor, result=None)
            while self.call("iter_valid", cursor, result=ctypes.c_ubyte):
                pair = []
                for verb in ("iter_key", "iter_value"):
                    pointer = self.call(verb, cursor, ctypes.byref(size))
                    pair.append(copied(pointer, size.value))
                yield pair
                self.call("iter_next", cursor, result=None)
            self.tried("iter_get_error", cursor, result=None)
        finally:
            self.call("iter_destroy", cursor, result=None)

    def repair(self, place):
        self.tried("repair_db", self.options(False, True), place.encode(),
                   result=None)


# --- LMDB --------------------------------------------------------------------

class Bytes(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t), ("data", ctypes.c_void_p)]

    @classmethod
    def of(cls, text):
        raw = text.encode()
        held = ctypes.create_string_buffer(raw, len(raw))
        made = cls(len(raw), ctypes.cast(held, ctypes.c_void_p))
        made.held = held
        return made

    def text(self):
        return copied(self.data, self.size)


class Lmdb:
    MAP_BYTES = 64 << 20
    READ_ONLY, CREATE, NOT_FOUND = 0x20000, 0x40000, -30798
    FIRST, NEXT = 0, 8

    def __init__(self, _):
        self.library = ctypes.CDLL("liblmdb.so.0")
        self.library.mdb_strerror.restype = ctypes.c_char_p

    def tried(self, verb, *arguments):
        result = self.library["mdb_" + verb](*arguments)
        if result == self.NOT_FOUND:
            return False
        if result:
            raise Failure(self.library.mdb_strerror(result).decode())
        return True

    def opened(self, place, flags):
        store = ctypes.c_void_p()
        self.tried("env_create", ctypes.byref(store))
        self.tried("env_set_mapsize", store,
                   ctypes.c_size_t(self.MAP_BYTES))
        self.tried("env_open", store, place.encode(), ctypes.c_uint(flags),
                   ctypes.c_uint(0o600))
        return store

    def begun(self, store, flags):
        txn, table = ctypes.c_void_p(), ctypes.c_uint()
        self.tried("txn_begin", store, None, ctypes.c_uint(flags),
                   ctypes.byref(txn))
        self.tried("dbi_open", txn, None, ctypes.c_uint(0),
                   ctypes.byref(table))
        return txn, table

    def write(self, place):
        os.makedirs(place, exist_ok=True)
        store = self.opened(place, 0)

        def change(name, value):
            txn, table = self.begun(store, 0)
            key = Bytes.of(name)
            if value is None:
                self.tried("del", txn, table, ctypes.byref(key), None)
            else:
                self.tried("put", txn, table, ctypes.byref(key),
                           ctypes.byref(Bytes.of(value)), ctypes.c_uint(0))
            self.tried("txn_commit", txn)
        take_changes(change)
        self.library.mdb_env_close(store)

    def read(self, place, _, names):
        # It has no recovery that a writer would run, and only a reader's
        # open does not make what is missing.
        store = self.opened(place, self.READ_ONLY)
        txn, table = self.begun(store, self.READ_ONLY)

        def get(name):
            key, value = Bytes.of(name), Bytes()
            if self.tried("get", txn, table, ctypes.byref(key),
                          ctypes.byref(value)):
                return value.text()
            return None

        gets = get_all(names, get)
        return {"gets": gets, **list_all(names, self.listing(txn, table))}

    def listing(self, txn, table):
        cursor, key, value = ctypes.c_void_p(), Bytes(), Bytes()
        self.tried("cursor_open", txn, table, ctypes.byref(cursor))
        step = self.FIRST
        while self.tried("cursor_get", cursor, ctypes.byref(key),
                         ctypes.byref(value), ctypes.c_uint(step)):
            yield [key.text(), value.text()]
            step = self.NEXT


# --- SQLite ------------------------------------------------------------------

class Sqlite:
    FILE = "images.sqlite"

    def __init__(self, _):
        pass

    def opened(self, place, mode):
        path = os.path.join(place, self.FILE)
        store = sqlite3.connect(f"file:{path}?mode={mode}", uri=True,
                                isolation_level=None)
        store.text_factory = bytes
        return store

    def write(self, place):
        os.makedirs(place, exist_ok=True)
        store = self.opened(place, "rwc")
        store.execute("PRAGMA journal_mode=WAL")
        store.execute("PRAGMA synchronous=FULL")
        store.execute("CREATE TABLE images(name TEXT PRIMARY KEY, "
                      "value TEXT NOT NULL)")

        def change(name, value):
            if value is None:
                store.execute("DELETE FROM images WHERE name = ?", (name,))
            else:
                store.execute("INSERT OR REPLACE INTO images VALUES(?, ?)",
                              (name, value))
        take_changes(change)
        store.close()

    def read(self, place, setting, names):
        store = self.opened(place, "rw")

        def get(name):
            row = store.execute("SELECT value FROM images WHERE name = ?",
                                (name,)).fetchone()
            return plain(row[0]) if row else None

        gets = get_all(names, get)
        listing = list_all(names, self.listing(store))
        if setting == "recovered":
            self.add_orphans(store, names, gets, listing["listing"])
        return {"gets": gets, **listing}

    @staticmethod
    def listing(store):
        for row in store.execute("SELECT name, value FROM images "
                                 "NOT INDEXED"):
            yield [plain(column) for column in row]

    @staticmethod
    def add_orphans(store, names, gets, listing):
        """What .recover could not place, but kept: for a name that the table
        does not have, the row in lost_and_found counts as brought back."""
        places = {name: at for at, name in enumerate(names)}
        try:
            rows = store.execute("SELECT c0, c1 FROM lost_and_found"
                                 ).fetchall()
        except sqlite3.Error:
            return
        for row in rows:
            name, value = (plain(column) for column in row)
            at = places.get(name)
            if at is not None and row[1] is not None and (
                    gets[at] is None or isinstance(gets[at], dict)):
                gets[at] = value
                listing.append([name, value])


# --- No checksums at all -----------------------------------------------------

class Lines:
    """The control: names and values in lines of a file, each line synced.
    What it serves when damaged is what this benchmark must be able to see."""

    FILE = "images.txt"

    def __init__(self, _):
        pass

    def write(self, place):
        os.makedirs(place, exist_ok=True)
        with open(os.path.join(place, self.FILE), "wb") as file:
            def change(name, value):
                file.write(f"{name}\t{value or ''}\n".encode())
                file.flush()
                os.fdatasync(file.fileno())
            take_changes(change)

    def read(self, place, _, names):
        found = {}
        with open(os.path.join(place, self.FILE), encoding="latin-1",
                  newline="\n") as file:
            for line in file:
                name, tab, value = line.rstrip("\n").partition("\t")
                if tab and value:
                    found[name] = value
                else:
                    found.pop(name, None)
        return {"gets": [found.get(name) for name in names],
                "listing": [list(pair) for pair in found.items()],
                "listing_error": None}


# --- What every store is asked -----------------------------------------------

ERRORS = (Failure, sqlite3.Error, OSError)


def take_changes(change):
    for line in sys.stdin:
        change(*json.loads(line))
        print("ok", flush=True)


def get_all(names, get):
    found = []
    for name in names:
        try:
            found.append(get(name))
        except ERRORS as error:
            found.append({"error": str(error)})
    return found


def list_all(names, pairs):
    listing, error = [], None
    try:
        for pair in pairs:
            listing.append(pair)
            if len(listing) > LISTING_TIMES_MAX * len(names):
                break
    except ERRORS as caught:
        error = str(caught)
    pairs.close()
    return {"listing": listing, "listing_error": error}


STORES = {"leveldb": Level, "rocksdb": Level, "lmdb": Lmdb,
          "sqlite": Sqlite, "lines": Lines}


def main():
    name, action, place = sys.argv[1:4]
    store = STORES[name](name)
    if action == "write":
        store.write(place)
        return
    names = json.load(sys.stdin) if action == "read" else None
    try:
        if action == "read":
            answer = store.read(place, "".join(sys.argv[4:]), names)
        else:
            answer = store.repair(place) or {}
    except ERRORS as error:
        answer = {"error": str(error)}
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
