# SPDX-License-Identifier: Apache-2.0
"""Each store from outside: how it is written, read, checked and repaired.

Everything that touches a damaged store runs in a process of its own, bounded
in memory, processor time, wall time and output, so that none takes the
machine down; see run().
"""

import collections
import ctypes
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
GOCODE = "/usr/share/gocode"

MEMORY_BYTES = 4 << 30
OUTPUT_BYTES = 256 << 20
# A loop without an end is stopped by the first, on a busy machine as well; the
# second is for what waits for ever.
CPU_S = 10
WALL_S = 300
# How a process ends that was stopped by the bounds above.
STOPPED = (signal.SIGXCPU, signal.SIGKILL, signal.SIGXFSZ)

Ended = collections.namedtuple("Ended", "ending code out err")
Check = collections.namedtuple("Check", "tool ended complains")
# content: it says that all is well now; where: what to read afterwards, None
# if there is nothing; told: the names that it says are lost.
Repair = collections.namedtuple("Repair", "ended content where told")


def run(command, given="", environment=None):
    """Runs it within bounds; what it wrote is Latin-1."""
    bounds = ["prlimit", f"--as={MEMORY_BYTES}", f"--fsize={OUTPUT_BYTES}",
              f"--cpu={CPU_S}:{CPU_S + 1}", "--core=0", "--"]
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, \
            tempfile.TemporaryFile() as fed:
        fed.write(given.encode("latin-1"))
        fed.seek(0)
        process = subprocess.Popen(bounds + command, stdin=fed, stdout=out,
                                   stderr=err, env=environment,
                                   start_new_session=True)
        try:
            code = process.wait(WALL_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            code = -signal.SIGKILL
        texts = []
        for file in (out, err):
            file.seek(0)
            texts.append(file.read().decode("latin-1"))
    return Ended(ending_of(code, texts[1]), code, *texts)


def ending_of(code, err):
    if -code in STOPPED:
        return "hung"
    if code < 0 or (code == 2 and re.search(r"^goroutine \d", err, re.M)):
        return "crashed"
    return "answered"


def answer_of(ended, **found):
    """An answer (see judge.py) with what is not said left as nothing."""
    return {"ending": ended.ending, "error": None, "gets": {},
            "listing": [], "listing_error": None,
            "notes": ended.err.strip() if ended.ending == "answered"
                     else cause_of(ended),
            **found}


def cause_of(ended):
    """One line of why it ended so."""
    lines = [line for line in (ended.err + ended.out).splitlines() if line]
    said = next((line for line in lines
                 if re.search(r"panic|fatal|SIG|terminate|error", line)),
                lines[0] if lines else "")
    if ended.code < 0:
        return f"{signal.Signals(-ended.code).name} {said}".strip()
    return said


def acknowledged(command, changes, after):
    """Feeds a writer; after(n) is called when n changes are durable."""
    with subprocess.Popen(command, stdin=subprocess.PIPE, text=True,
                          stdout=subprocess.PIPE) as writer:
        for count, change in enumerate(changes, 1):
            writer.stdin.write(json.dumps(change) + "\n")
            writer.stdin.flush()
            if writer.stdout.readline() != "ok\n":
                sys.exit(f"{command}: change {count} was not acknowledged")
            after(count)
        writer.stdin.close()
    if writer.returncode:
        sys.exit(f"{command}: exit status {writer.returncode}")


class Store:
    """What stores have in common. READINGS are (label, setting)."""

    READINGS = ((None, ""),)
    # Of files that say nothing about the data: locks, texts for people.
    MEANINGLESS = r"$^"
    # Debian's packages, each with a file of it that must be there.
    NEEDS = ()

    def __init__(self, name, title):
        self.name, self.title = name, title

    def prepare(self, scratch):
        """Builds what it needs."""

    def version(self):
        if not self.NEEDS:
            return ""
        return subprocess.run(
            ["dpkg-query", "-W", "-f", "${Version}", self.NEEDS[-1][0]],
            capture_output=True, text=True, check=False).stdout

    def ignores(self, path):
        return re.match(self.MEANINGLESS, path) is not None

    def command(self, action, place, *more):
        return [sys.executable, "-I", "-S", os.path.join(HERE, "worker.py"),
                self.name, action, place, *more]

    def write(self, place, changes, after):
        acknowledged(self.command("write", place), changes, after)

    def read(self, place, setting, history):
        """One answer, or several of which the worst counts."""
        ended = run(self.command("read", place, setting),
                    json.dumps(history.names))
        if ended.ending != "answered":
            return [answer_of(ended)]
        if ended.code:
            sys.exit(f"{self.title}: the worker failed\n{ended.err}")
        found = json.loads(ended.out)
        if found.get("error"):
            return [answer_of(ended, error=found["error"])]
        found["gets"] = dict(zip(history.names, found["gets"]))
        return [answer_of(ended, **found)]

    def check(self, place):
        return []

    def repair(self, place, fresh, history):
        """None where there is no such tool."""

    def read_repaired(self, where, history):
        return self.read(where, self.READINGS[-1][1], history)


def names_in(text, history):
    return {name for name in history.names if name in text}


# --- Waybill -----------------------------------------------------------------

class Waybill(Store):
    """By its command line. Its listing verifies every record; some names are
    asked for one by one as well. Then it is opened for writing, which is
    where it would cut something, and listed once more."""

    MEANINGLESS = r"lock$|tmp/|torn/"
    NAMES_GOT = 8
    PROBE = "registry.example.com/probe/probe:1"
    CHECKS = ("fsck",)
    REPAIR = "fsck -p, then fsck --salvage"
    binary = os.path.join(ROOT, "build", "release", "bin", "waybill")

    def version(self):
        return run([self.binary, "--version"]).out.split()[-1]

    def waybill(self, place, *arguments, given=""):
        return run([self.binary, "--store", f"dir:{place}",
                    "--any-filesystem", *arguments], given)

    @staticmethod
    def line_of(name, value):
        if value is None:
            return json.dumps({"op": "delete", "name": name}) + "\n"
        target = json.loads(value)
        return json.dumps({"op": "put", "name": name, "target": target,
                           "labels": target.pop("labels")}) + "\n"

    @staticmethod
    def value_of(image):
        return json.dumps({**image["target"], "labels": image["labels"]},
                          separators=(",", ":"))

    def write(self, place, changes, after):
        for count, change in enumerate(changes, 1):
            ended = self.waybill(place, "apply", "-q", "-",
                                 given=self.line_of(*change))
            if ended.code:
                sys.exit(f"waybill apply: {ended.err}")
            after(count)

    def read(self, place, setting, history):
        before = self.listed(place)
        if before["ending"] == "answered" and not before["error"]:
            step = max(1, len(history.names) // self.NAMES_GOT)
            for name in history.names[::step]:
                self.get(place, name, before)
        probe = self.waybill(place, "apply", "-q", "-", given=self.line_of(
            self.PROBE, json.dumps({
                "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "digest": "sha256:" + 64 * "0", "size": 1, "labels": {}})))
        if probe.ending != "answered" or probe.code:
            return [before, answer_of(probe, error=self.said_by(probe))]
        after = self.listed(place)
        after["listing"] = [pair for pair in after["listing"]
                            if pair[0] != self.PROBE]
        return [before, after]

    @staticmethod
    def said_by(ended):
        """The sentences on standard error, which are objects with --json."""
        said = []
        for line in ended.err.splitlines():
            if line.startswith("{"):
                line = next(iter(json.loads(line).values()))["message"]
            said.append(line)
        if ended.code and not said:
            said.append(f"exit status {ended.code}")
        return "\n".join(said)

    def listed(self, place):
        ended = self.waybill(place, "ls", "--json")
        if ended.ending != "answered":
            return answer_of(ended)
        images = [json.loads(line) for line in ended.out.splitlines()
                  if line.startswith('{"name"')]
        pairs = [[image["name"], self.value_of(image)] for image in images]
        said = self.said_by(ended)
        if not ended.code:
            return answer_of(ended, listing=pairs, notes=said)
        if pairs:
            return answer_of(ended, listing=pairs, listing_error=said)
        return answer_of(ended, error=said)

    def get(self, place, name, answer):
        ended = self.waybill(place, "get", "--json", name)
        if ended.ending != "answered":
            answer["ending"] = ended.ending
        elif ended.code == 0:
            answer["gets"][name] = self.value_of(json.loads(ended.out))
        elif ended.code == 2:
            answer["gets"][name] = None
        else:
            answer["gets"][name] = {"error": self.said_by(ended)}

    def check(self, place):
        ended = self.waybill(place, "fsck")
        return [Check("fsck", ended, ended.code != 0)]

    def repair(self, place, fresh, history):
        ended = self.waybill(place, "fsck", "-p", "-q")
        if ended.ending != "answered":
            return Repair(ended, False, None, set())
        if ended.code in (0, 1):
            return Repair(ended, True, place, set())
        ended = self.waybill(place, "fsck", "--salvage", fresh, "-q")
        made = os.path.exists(os.path.join(fresh, "anchor"))
        told = set(ended.out.splitlines()) & set(history.names)
        return Repair(ended, ended.code in (0, 1), fresh if made else None,
                      told)


# --- LevelDB and RocksDB -----------------------------------------------------

class LevelDb(Store):
    READINGS = (("as it is by default", ""),
                ("paranoid, checksums verified", "careful"))
    MEANINGLESS = r"LOCK$|LOG"
    NEEDS = (("libleveldb1d", "libleveldb.so.1d"),)
    CHECKS = ()
    REPAIR = "RepairDB"

    def repair(self, place, fresh, history):
        ended = run(self.command("repair", place))
        return Repair(ended, ended.out.strip() == "{}", place,
                      names_in(ended.out, history))


class RocksDb(Store):
    READINGS = (("as it is by default", ""),
                ("absolute consistency, logs tracked", "careful"))
    MEANINGLESS = r"LOCK$|LOG|IDENTITY$"
    NEEDS = (("rocksdb-tools", "ldb"), ("librocksdb7.8", "librocksdb.so.7.8"))
    # Without --verify_checksum sst_dump verifies none, and its exit status is
    # 0 whatever it finds.
    CHECKS = ("ldb checkconsistency", "sst_dump verify --verify_checksum")
    REPAIR = "ldb repair"

    def check(self, place):
        ldb = run(["ldb", f"--db={place}", "checkconsistency"])
        sst = run(["sst_dump", f"--file={place}", "--command=verify",
                   "--verify_checksum"])
        said = (sst.out + sst.err).replace(place, "")
        wrong = re.compile(r"corrupt|error|fail|not |bad |invalid", re.I)
        return [Check(self.CHECKS[0], ldb,
                      ldb.code != 0 or ldb.out.strip() != "OK"),
                Check(self.CHECKS[1], sst, sst.code != 0 or
                      bool(wrong.search(said)))]

    def repair(self, place, fresh, history):
        ended = run(["ldb", f"--db={place}", "repair"])
        return Repair(ended, ended.code == 0, place,
                      names_in(ended.out + ended.err, history))


# --- SQLite, LMDB, bbolt -----------------------------------------------------

class Sqlite(Store):
    """Debian's sqlite3 is built without the table that .recover reads pages
    from; the same shell inside Fossil has it. A sqlite3 that has it goes
    first, for Fossil opens nothing whose first page is bad."""

    NEEDS = (("fossil", "fossil"), ("sqlite3", "sqlite3"))
    CHECKS = ("integrity_check",)
    REPAIR = ".recover"
    FILE = "images.sqlite"

    def prepare(self, scratch):
        whole = run(["sqlite3", "-batch", ":memory:",
                     "SELECT 1 FROM sqlite_dbpage"]).code == 0
        self.fossil = not whole
        self.REPAIR = ".recover" if whole else ".recover, of Fossil's shell"

    def file(self, place, mode):
        """What is missing is not made, unless the mode says so."""
        return f"file:{os.path.join(place, self.FILE)}?mode={mode}"

    def check(self, place):
        ended = run(["sqlite3", "-batch", self.file(place, "rw"),
                     "PRAGMA integrity_check"])
        return [Check(self.CHECKS[0], ended,
                      ended.code != 0 or ended.out.strip() != "ok")]

    def recover(self, place, fresh):
        if not self.fossil:
            return run(["sqlite3", "-batch", self.file(place, "rw"),
                        ".recover"])
        self.lengthen(os.path.join(place, self.FILE))
        return run(["fossil", "sqlite3", "--no-repository",
                    self.file(place, "rw"), ".recover"],
                   environment={**os.environ, "FOSSIL_HOME": fresh})

    @staticmethod
    def lengthen(path):
        """Fossil opens no file that is shorter than its header says, where
        .recover alone takes the pages that are whole: zeros for the others."""
        if not os.path.exists(path):
            return
        with open(path, "rb") as file:
            head = file.read(100)
        page = int.from_bytes(head[16:18], "big")
        size, told = os.path.getsize(path), int.from_bytes(head[28:32], "big")
        if page == 4096 and size < page * told < OUTPUT_BYTES:
            os.truncate(path, size - size % page)
            os.truncate(path, page * told)

    def repair(self, place, fresh, history):
        os.makedirs(fresh)
        ended = self.recover(place, fresh)
        load = run(["sqlite3", "-batch", self.file(fresh, "rwc")], ended.out)
        worse = ended if ended.code else load
        return Repair(worse, worse.code == 0, fresh, set())

    def read_repaired(self, where, history):
        return self.read(where, "recovered", history)


class Lmdb(Store):
    MEANINGLESS = r"lock\.mdb$"
    NEEDS = (("lmdb-utils", "mdb_dump"), ("liblmdb0", "liblmdb.so.0"))
    CHECKS = ("mdb_stat", "mdb_dump")
    REPAIR = "mdb_dump, mdb_load"

    def check(self, place):
        found = []
        for tool, command in zip(self.CHECKS, (["mdb_stat", "-e", "-f"],
                                               ["mdb_dump"])):
            ended = run([*command, place])
            found.append(Check(tool, ended,
                               ended.code != 0 or bool(ended.err)))
        return found

    def repair(self, place, fresh, history):
        os.makedirs(fresh)
        ended = run(["mdb_dump", place])
        load = run(["mdb_load", fresh], ended.out)
        worse = ended if ended.code else load
        return Repair(worse, worse.code == 0, fresh, set())


class Bbolt(Store):
    NEEDS = (("golang-go", "go"),
             ("golang-github-coreos-bbolt-dev",
              GOCODE + "/src/go.etcd.io/bbolt/db.go"))
    CHECKS = ("Tx.Check",)
    REPAIR = "Compact"
    program = None

    def prepare(self, scratch):
        self.program = os.path.join(scratch, "bolt")
        subprocess.run(
            ["go", "build", "-o", self.program,
             os.path.join(HERE, "bolt.go")], check=True,
            env={"HOME": scratch, **os.environ, "GO111MODULE": "off",
                 "GOPATH": GOCODE})

    def command(self, action, place, *_):
        return [self.program, action, place]

    def check(self, place):
        ended = run(self.command("check", place))
        return [Check(self.CHECKS[0], ended, ended.code != 0)]

    def repair(self, place, fresh, history):
        ended = run([self.program, "compact", place, fresh])
        whole = os.path.exists(os.path.join(fresh, "images.bolt"))
        return Repair(ended, ended.code == 0, fresh if whole else None,
                      names_in(ended.out, history))


class Lines(Store):
    """The control: no checksums, no structure, no tools."""

    CHECKS = ()
    REPAIR = None


STORES = (Waybill("waybill", "Waybill"),
          LevelDb("leveldb", "LevelDB"), RocksDb("rocksdb", "RocksDB"),
          Sqlite("sqlite", "SQLite"), Lmdb("lmdb", "LMDB"),
          Bbolt("bbolt", "bbolt"), Lines("lines", "lines of text"))


# --- What must be installed --------------------------------------------------

def is_there(what):
    if what.startswith("/"):
        return os.path.exists(what)
    if ".so." in what:
        try:
            return bool(ctypes.CDLL(what))
        except OSError:
            return False
    return shutil.which(what) is not None


def missing_packages(stores):
    return [package for store in stores
            for package, what in store.NEEDS if not is_there(what)]
