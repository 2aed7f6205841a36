# SPDX-License-Identifier: Apache-2.0
"""Real filesystems on devices that remember every write, or that fail.

A device is an image file behind a program that shows it as another file
through FUSE; a loop device is on that one. `recorded` is qemu's storage
daemon with its blklogwrites filter, `breakable` nbdkit with its error filter.
"""

import contextlib
import os
import random
import shutil
import struct
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
BUILD = os.environ.get("WAYBILL_BUILD_DIR",
                       os.path.join(ROOT, "build", "release"))
WORKER = os.path.join(BUILD, "tests", "filesystems_worker")
# The same, in which a step can be switched off (base/control.h).
WORKER_CONTROLS = WORKER + "_controls"
WAYBILL = os.path.join(BUILD, "bin", "waybill")
FULL = os.environ.get("WAYBILL_FULL") == "1"
SEED = int(os.environ.get("WAYBILL_SEED", "1"), 0)

MIB = 1 << 20
# Name: (bytes, the command that makes it).
FILESYSTEMS = {
    "ext4": (64 * MIB, ["mkfs.ext4", "-q", "-F"]),
    "xfs": (320 * MIB, ["mkfs.xfs", "-q", "-f"]),
    "btrfs": (128 * MIB, ["mkfs.btrfs", "-q", "-f", "--mixed"]),
}
NEEDED = ("qemu-storage-daemon", "nbdkit", "nbdfuse", "mkfs.ext4", "mkfs.xfs",
          "mkfs.btrfs", "losetup")
# Of things that happen at once, or not at all.
PATIENCE_S = 60


def run(*command, **more):
    return subprocess.run(command, check=True, capture_output=True, text=True,
                          **more).stdout.strip()


def missing():
    """Why this machine cannot do it; None: it can."""
    if os.geteuid() != 0:
        return "it mounts, and that needs root"
    try:
        with open("/dev/fuse", "r+b", buffering=0):
            pass
    except OSError as error:
        return f"/dev/fuse: {error.strerror}"
    with open("/proc/filesystems", encoding="ascii") as file:
        known = file.read().split()
    for kind in FILESYSTEMS:
        if kind not in known:
            return f"the kernel has no {kind}"
    absent = [name for name in NEEDED if not shutil.which(name)]
    if absent:
        return "not installed: " + ", ".join(absent)
    try:
        run("losetup", "--find")
        run("unshare", "--mount", "--propagation", "private", "true")
    except subprocess.CalledProcessError as error:
        return error.stderr.strip()
    return None


def make_image(path, kind):
    size, command = FILESYSTEMS[kind]
    with open(path, "wb") as file:
        file.truncate(size)
    run(*command, path)


def wait_until(ready, program):
    """A program is ready when its file is there; it has no other way to say
    so."""
    end = time.monotonic() + PATIENCE_S
    while not ready():
        if program.poll() is not None:
            raise RuntimeError(f"{program.args[0]} ended: "
                               f"{program.returncode}")
        if time.monotonic() > end:
            raise RuntimeError(f"{program.args[0]} is not ready")
        time.sleep(0.005)


@contextlib.contextmanager
def program(*command):
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


@contextlib.contextmanager
def recorded(image, log):
    """A file that shows `image`; what is written to it goes to `log`, too."""
    shown = image + ".shown"
    for path in (log, shown):
        with open(path, "wb"):
            pass
    with program(
            "qemu-storage-daemon",
            "--blockdev", f"driver=file,filename={image},node-name=image",
            "--blockdev", f"driver=file,filename={log},node-name=log",
            "--blockdev", "driver=blklogwrites,node-name=both,file=image,"
                          "log=log,log-super-update-interval=1",
            "--export", "type=fuse,id=export,node-name=both,writable=on,"
                        f"mountpoint={shown}") as daemon:
        wait_until(lambda: os.path.getsize(shown) > 0, daemon)
        yield shown


@contextlib.contextmanager
def breakable(image, trigger):
    """A file that shows `image`; while `trigger` exists, writes to it fail."""
    shown = image + ".shown"
    with open(shown, "wb"):
        pass
    with program("nbdfuse", shown, "--command", "nbdkit", "-s",
                 "--filter=error", "file", image, "error=EIO",
                 "error-pwrite-rate=100%", "error-trim-rate=100%",
                 "error-zero-rate=100%", f"error-file={trigger}") as daemon:
        wait_until(lambda: os.path.getsize(shown) > 0, daemon)
        try:
            yield shown
        finally:
            subprocess.run(["fusermount3", "-u", shown], check=False,
                           capture_output=True)


@contextlib.contextmanager
def loop_device(path):
    device = run("losetup", "--find", "--show", path)
    try:
        yield device
    finally:
        run("losetup", "--detach", device)


@contextlib.contextmanager
def mounted(source, where, *options):
    """Mounted in this process' own name space (see main); `source` a device,
    or an image."""
    os.makedirs(where, exist_ok=True)
    run("mount", *options, source, where)
    try:
        yield where
    finally:
        run("umount", where)


def binary_for(control):
    return WORKER_CONTROLS if control else WORKER


def environment_for(control):
    return {**os.environ, **({"WAYBILL_CONTROL": control} if control else {})}


class Worker:
    """tests/filesystems/worker.c, which does as it is told."""

    def __init__(self, directory, log=None, control=None):
        command = [binary_for(control), "write", directory, str(SEED)]
        self.process = subprocess.Popen(
            command + ([log] if log else []), stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            env=environment_for(control))
        self.revision = self.entries = 0
        self.opened = self.hear()

    def hear(self):
        """"ok", "error CODE", or "" at the end."""
        line = self.process.stdout.readline().split()
        if line[:1] != ["ok"]:
            return " ".join(line)
        self.revision, self.entries = int(line[1]), int(line[2])
        return "ok"

    def tell(self, word):
        self.process.stdin.write(word + "\n")
        self.process.stdin.flush()
        return self.hear()

    def kill(self, in_flight):
        """In the middle of a commit that nobody waits for, or between two."""
        if in_flight:
            self.process.stdin.write("commit\n")
            self.process.stdin.flush()
        self.process.kill()
        self.process.communicate()

    def end(self):
        """What closing said."""
        output, _ = self.process.communicate()
        return output.strip()


def check(directory, revision, control=None):
    """(ok, what it said)."""
    result = subprocess.run(
        [binary_for(control), "check", directory, str(SEED), str(revision)],
        capture_output=True, text=True, check=False,
        env=environment_for(control))
    return result.returncode == 0, result.stdout.strip()


class Report:
    """TAP."""

    def __init__(self):
        self.number = self.failed = 0

    def case(self, ok, name, details=()):
        self.number += 1
        print(f"{'ok' if ok else 'not ok'} {self.number} - {name}")
        for line in details if not ok else ():
            print(f"# {line}")
        self.failed += not ok
        sys.stdout.flush()

    def end(self):
        print(f"1..{self.number}")
        sys.exit(1 if self.failed else 0)


def main(cases):
    """Run [(name, function(report, directory))]; mounts are nobody else's."""
    report = Report()
    why = missing()
    if why:
        for name, _ in cases:
            report.number += 1
            print(f"ok {report.number} - {name} # skip: {why}")
        report.end()
    if "--inside" not in sys.argv:
        os.execvp("unshare", ["unshare", "--mount", "--propagation",
                              "private", sys.executable, sys.argv[0],
                              "--inside"])
    # Images are copied often: in memory, where there is some.
    base = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    for name, function in cases:
        directory = run("mktemp", "-d", *(["-p", base] if base else []))
        try:
            ok, details = function(directory)
            report.case(ok, name, details)
        except (RuntimeError, OSError, subprocess.CalledProcessError) as error:
            report.case(False, name, [repr(error),
                                      getattr(error, "stderr", "")])
        finally:
            shutil.rmtree(directory, ignore_errors=True)
    report.end()


# ---- the log of block writes ----

# The format of Linux's dm-log-writes (Documentation/admin-guide/device-mapper/
# log-writes.rst), which qemu's filter writes as well.
MAGIC = 0x6a736677736872
FLUSH, FUA, DISCARD = 1, 2, 4


class BlockLog:
    """Entries in the order in which they happened."""

    def __init__(self, path):
        with open(path, "rb") as file:
            magic, _, count, self.sector = struct.unpack("<QQQI",
                                                         file.read(28))
            if magic != MAGIC:
                raise RuntimeError(f"{path}: no log of writes")
            self.path = path
            self.entries = []
            at = self.sector
            for _ in range(count):
                file.seek(at)
                sector, sectors, flags, _ = struct.unpack("<QQQQ",
                                                          file.read(32))
                at += self.sector
                self.entries.append((flags, sector, sectors, at))
                if not flags & DISCARD:
                    at += sectors * self.sector

    def is_flush(self, number):
        return bool(self.entries[number][0] & FLUSH)

    def last_flush(self, count):
        """How many of the first `count` entries a flush among them covers."""
        for number in range(count, 0, -1):
            if self.is_flush(number - 1):
                return number
        return 0

    def apply(self, image, numbers):
        """Write these entries into an image."""
        with open(self.path, "rb") as log, open(image, "r+b") as file:
            for number in numbers:
                flags, sector, sectors, at = self.entries[number]
                if flags & DISCARD or sectors == 0:
                    continue
                log.seek(at)
                file.seek(sector * self.sector)
                file.write(log.read(sectors * self.sector))


def draw(name):
    """A generator of its own for each use, from the one seed."""
    return random.Random(f"{SEED} {name}")
