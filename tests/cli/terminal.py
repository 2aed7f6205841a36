#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What happens on a terminal, in a pipe that is full, and on a signal while a
command works: the bar, --progress, SIGUSR1, SIGTERM; and completion in a bash
that somebody types into.

Nothing here hopes that a moment was long enough. A command is held where a
pipe or a terminal takes nothing more, which can be seen from outside."""

import fcntl
import glob
import json
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
import habit  # noqa: E402

WAYBILL = os.environ.get("WAYBILL",
                         os.path.join(habit.BUILD, "bin", "waybill"))
SECONDS_MAX = 300
ERASE = "\r\033[K"
DIGEST = "sha256:" + "1" * 64
PIPE_BYTES = 4096
F_SETPIPE_SZ = 1031

# --- Stores ------------------------------------------------------------------


def place():
    """Where stores are made; not on a filesystem that the store warns of."""
    parent = tempfile.gettempdir()
    kind = subprocess.run(["stat", "-f", "-c", "%T", parent], check=True,
                          capture_output=True, text=True).stdout.strip()
    return tempfile.mkdtemp(prefix="waybill-terminal-",
                            dir="/dev/shm" if kind == "overlayfs" else None)


def environment(store, **more):
    env = {name: value for name, value in os.environ.items()
           if name not in ("NO_COLOR", "WAYBILL_NAMESPACE",
                           "CONTAINERD_NAMESPACE")}
    return {**env, "WAYBILL_STORE": "dir:" + store, "TERM": "xterm", **more}


def waybill(store, *words, text=None):
    return subprocess.run([WAYBILL, *words], env=environment(store),
                          input=text, capture_output=True, text=True,
                          check=False, timeout=SECONDS_MAX)


def plan(count, bytes_each):
    return "".join(json.dumps({
        "op": "put", "name": f"n{i}",
        "target": {"mediaType": "t", "digest": DIGEST, "size": 1},
        "labels": {f"l{j}": "v" * 4000 for j in range(bytes_each // 4000)},
    }) + "\n" for i in range(count))


def make_store(folder, name, commits, count, bytes_each=0):
    store = os.path.join(folder, name)
    text = plan(count, bytes_each)
    for _ in range(commits):
        waybill(store, "apply", "-", text=text).check_returncode()
    return store


def spoil(store):
    """The second commit. Those behind it are found again."""
    seen = 0
    for log in sorted(glob.glob(os.path.join(store, "*.log"))):
        for line in waybill(store, "frames", "--json", log).stdout.splitlines():
            piece = json.loads(line).get("piece", {})
            seen += piece.get("type") == "COMMIT"
            if seen == 2:
                with open(log, "r+b") as file:
                    file.seek(piece["offset"] + 100)
                    file.write(b"\xff\xff")
                return
    raise LookupError("there is no second commit")


def log_bytes(store):
    return sum(os.path.getsize(path)
               for path in glob.glob(os.path.join(store, "*.log")))

# --- Pipes -------------------------------------------------------------------


def objects(text):
    return [json.loads(line)["progress"] for line in text.splitlines()]


def check_phases(said, expected):
    """Each phase begins with nothing, grows, and ends with all. `expected` is
    [(phase, unit, total or None for any)]."""
    complaints, phases = [], []
    for item in said:
        if item["done"] == 0 and (not phases or
                                  phases[-1][-1]["phase"] != item["phase"] or
                                  phases[-1][-1]["done"] > 0):
            phases.append([])
        phases[-1].append(item)
    found = [(p[0]["phase"], p[0]["unit"]) for p in phases]
    if found != [e[:2] for e in expected]:
        return [f"phases are {found}"]
    for items, (name, _, total) in zip(phases, expected):
        done = [item["done"] for item in items]
        if done != sorted(done) or len(items) < 2:
            complaints.append(f"{name}: {done}")
        if name != "repair" and done[-1] != items[-1]["total"]:
            complaints.append(f"{name} ends at {done[-1]}")
        if total is not None and {i["total"] for i in items} != {total}:
            complaints.append(f"{name}: a total is not {total}")
    return complaints


class Held:
    """A command whose standard error, or output, is a pipe of one page with
    room for `room` bytes: it goes no further than that."""

    def __init__(self, store, *words, room, stream="stderr"):
        self.reader, writer = os.pipe()
        fcntl.fcntl(writer, F_SETPIPE_SZ, PIPE_BYTES)
        self.filled = PIPE_BYTES - room
        os.write(writer, b"x" * self.filled)
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE,
                   stream: writer}
        self.stream = stream
        self.process = subprocess.Popen([WAYBILL, *words], **streams,
                                        env=environment(store),
                                        stdin=subprocess.DEVNULL)
        os.close(writer)

    def until_written(self):
        """Until there is something in the pipe that was not there before."""
        deadline = time.monotonic() + SECONDS_MAX
        while time.monotonic() < deadline:
            count = bytearray(4)
            fcntl.ioctl(self.reader, termios.FIONREAD, count)
            if struct.unpack("i", count)[0] > self.filled:
                return
            time.sleep(0.01)
        raise TimeoutError("nothing was written")

    def finish(self):
        """(exit status, what the pipe got, the other stream)"""
        got = b""
        while True:
            piece = os.read(self.reader, PIPE_BYTES)
            if not piece:
                break
            got += piece
        os.close(self.reader)
        rest = [s.decode() for s in self.process.communicate() if s]
        return (self.process.returncode, got[self.filled:].decode(),
                "".join(rest))


def check_json(folder):
    complaints = []
    store = make_store(folder, "large", 4, 300, 12000)
    size = log_bytes(store)
    for words in (["audit", "verify"], ["audit", "head"], ["audit", "log"],
                  ["fsck"]):
        phase = "check" if words == ["fsck"] else "read"
        result = waybill(store, *words, "-q", "--progress=jsonl")
        complaints += check_phases(objects(result.stderr),
                                   [(phase, "bytes", size)])
        if result.returncode:
            complaints.append(f"{words}: exit status {result.returncode}")
    spoil(store)
    read = [("check", "bytes", size), ("names", "bytes", size)]
    result = waybill(store, "fsck", "--progress=jsonl")
    complaints += check_phases(objects(result.stderr), read)
    new = os.path.join(folder, "new")
    result = waybill(store, "fsck", "--salvage", new, "--progress", "jsonl")
    complaints += check_phases(objects(result.stderr), [
        *read, ("search", "bytes", size), ("copy", "commits", 3),
        ("verify", "bytes", log_bytes(new))])
    return complaints


def check_repair(folder):
    store = make_store(folder, "header", 1, 1)
    log = glob.glob(os.path.join(store, "*.log"))[0]
    with open(log, "r+b") as file:
        file.seek(4096 + 20)
        file.write(b"\xff\xff")
    result = waybill(store, "fsck", "-p", "--progress=jsonl")
    size = log_bytes(store)
    return check_phases(objects(result.stderr), [
        ("check", "bytes", size), ("repair", "bytes", None),
        ("check", "bytes", size)]) + (
            [] if result.returncode == 1 else [result.stdout])


def check_silence(store):
    """Nothing is shown where nobody looks."""
    complaints = []
    for words in (["fsck"], ["fsck", "--progress=never"],
                  ["fsck", "--progress=auto"]):
        result = waybill(store, *words)
        if result.stderr or result.returncode:
            complaints.append(f"{words}: {result.stderr}")
    return complaints


def check_asked_while_it_works(store, number):
    """fsck is held at the end of its only phase; the first of its two lines
    is in the pipe."""
    held = Held(store, "fsck", "-q", "--progress=jsonl", room=100)
    held.until_written()
    held.process.send_signal(number)
    status, text, _ = held.finish()
    if status:
        return [f"exit status {status}"]
    said = objects(text)
    phases = [item["phase"] for item in said]
    if phases != ["check"] * 3:
        return [f"it said {phases}"]
    return check_phases(said[:1] + said[2:], [("check", "bytes",
                                               log_bytes(store))])


def check_asked_of_an_answer(store):
    """All is read and the answer waits for a reader."""
    complaints = []
    for words, line in (
            ([], "waybill: audit log: answer\n"),
            (["--json"], '{"progress":{"phase":"answer","unit":null,'
                         '"done":0,"total":null}}\n')):
        held = Held(store, "audit", "log", "--progress=never", *words,
                    room=4000, stream="stdout")
        held.until_written()
        held.process.send_signal(signal.SIGUSR1)
        got = os.read(held.process.stderr.fileno(), 1000).decode()
        status, text, rest = held.finish()
        if status or got != line or rest:
            complaints.append(f"{words}: {status}, {got!r}, {rest!r}")
        if len(text) <= PIPE_BYTES:
            complaints.append("the answer fits into the pipe")
    return complaints


def check_asked_of_a_change(folder):
    """A command that is no long work answers too, and makes its change."""
    store = os.path.join(folder, "asked")
    with subprocess.Popen([WAYBILL, "apply", "-"], env=environment(store),
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE) as process:
        fcntl.fcntl(process.stdin, F_SETPIPE_SZ, PIPE_BYTES)
        # More than the pipe takes: it is being read.
        os.write(process.stdin.fileno(), b"\n" * 2 * PIPE_BYTES)
        process.send_signal(signal.SIGUSR1)
        line = process.stderr.readline()
        out, err = process.communicate(plan(1, 0).encode(),
                                       timeout=SECONDS_MAX)
    if process.returncode or err or b"1 change applied" not in out:
        return [f"exit status {process.returncode}: {out}{err}"]
    return [] if line == b"waybill: apply: start\n" else [f"it said {line}"]


def check_interrupted(store):
    """The bar makes way for what is said. Not by SIGINT, which a shell's job in
    the background is deaf to."""
    held = Held(store, "fsck", "--progress=always", room=100)
    held.until_written()
    held.process.send_signal(signal.SIGTERM)
    status, text, _ = held.finish()
    end = ERASE + "waybill: interrupted, nothing was changed\n"
    return ([] if status == 32 else [f"exit status {status}"]) + (
        [] if text.startswith("\rfsck: [") and text.endswith(end)
        else [repr(text)])

# --- Terminals ---------------------------------------------------------------


class Terminal:
    """A command on a terminal of its own. We keep its other end open, so that
    output can be stopped and nothing is lost."""

    def __init__(self, command, env, columns=80):
        self.master, self.slave = pty.openpty()
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ,
                    struct.pack("HHHH", 24, columns, 0, 0))
        self.pid = os.fork()
        if self.pid == 0:
            os.setsid()
            fcntl.ioctl(self.slave, termios.TIOCSCTTY, 0)
            for stream in range(3):
                os.dup2(self.slave, stream)
            os.closerange(3, 64)
            os.execve(command[0], command, env)
        self.text = ""

    def until(self, done):
        """Reads until `done()` or no more comes."""
        deadline = time.monotonic() + SECONDS_MAX
        while not done() and time.monotonic() < deadline:
            if select.select([self.master], [], [], 0.05)[0]:
                self.text += os.read(self.master, 65536).decode()
        return done()

    def type(self, text):
        os.write(self.master, text.encode())

    def finish(self):
        """(exit status, all that was shown)"""
        status = []

        def ended():
            pid, code = (0, 0) if status else os.waitpid(self.pid,
                                                         os.WNOHANG)
            if pid:
                status.append(os.waitstatus_to_exitcode(code))
            return bool(status)
        if not self.until(ended):
            os.kill(self.pid, signal.SIGKILL)
            raise TimeoutError(repr(self.text))
        while select.select([self.master], [], [], 0)[0]:
            self.text += os.read(self.master, 65536).decode()
        os.close(self.slave)
        os.close(self.master)
        return status[0], self.text.replace("\r\n", "\n")


def on_terminal(store, *words, columns=80, **env):
    return Terminal([WAYBILL, *words], environment(store, **env),
                    columns).finish()


def until_stuck(find):
    """Until the process that find() tells of waits for a terminal. Nothing
    else lets these commands sleep."""
    deadline = time.monotonic() + SECONDS_MAX
    while time.monotonic() < deadline:
        pid = find()
        try:
            with open(f"/proc/{pid}/stat", encoding="ascii") as file:
                state = file.read().rsplit(")", 1)[1].split()[0]
            if state == "S" and os.path.samefile(f"/proc/{pid}/exe", WAYBILL):
                return
        except OSError:
            pass
        time.sleep(0.01)
    raise TimeoutError("it never waits")


def child_of(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children",
                  encoding="ascii") as file:
            return (file.read().split() or [0])[0]
    except OSError:
        return 0


def after_a_moment(store, *words, background=False, **env):
    """audit verify finds damage and wants to tell it, but the terminal is
    stopped for longer than a bar waits. In the background it is the job of a
    shell that stays in front."""
    command = [WAYBILL, "audit", "verify", *words]
    if background:
        command = ["/bin/sh", "-mc", '"$@" & wait $!', "sh", *command]
    terminal = Terminal(["/bin/sh", "-c", 'read line; exec "$@"', "sh",
                         *command], environment(store, **env))
    termios.tcflow(terminal.slave, termios.TCOOFF)
    terminal.type("\n")
    until_stuck(lambda: child_of(terminal.pid) if background
                else terminal.pid)
    time.sleep(0.6)
    termios.tcflow(terminal.slave, termios.TCOON)
    return terminal.finish()


BAR = re.compile(r"\r(fsck: [^\r\033]*)\033\[K")


def check_bar(store):
    status, text = on_terminal(store, "fsck", "--progress=always")
    bars = BAR.findall(text)
    complaints = [] if status == 0 else [f"exit status {status}"]
    if len(bars) < 2 or "] check: 100%, " not in bars[-1] or \
            not bars[0].startswith("fsck: [" + " " * 20 + "] check: 0%, "):
        complaints.append(f"bars: {bars}")
    # Nothing of it is left when the answer is there.
    if not BAR.sub("", text).startswith(ERASE + "0 found, 0 fixed, 0 left\n"):
        complaints.append(repr(text))
    return complaints


def check_width(store):
    complaints = []
    for columns in (100, 59, 30, 12, 4):
        _, text = on_terminal(store, "fsck", "--progress=always",
                              columns=columns)
        bars = BAR.findall(text)
        if (not bars and columns > 6) or \
                any(len(bar) >= columns for bar in bars):
            complaints.append(f"{columns}: {bars}")
    return complaints


def check_damage(store):
    """Between two bars a line is told, and stands alone."""
    status, text = on_terminal(store, "audit", "verify", "--progress=always",
                               NO_COLOR="1")
    lines = text.split("\n")[0].split(ERASE)
    return ([] if status == 6 else [f"exit status {status}"]) + (
        [] if re.match(r"waybill: audit verify: damage: ", lines[-1])
        else [repr(text)])


def check_patience(store):
    status, text = after_a_moment(store)
    shown = "\raudit verify: [" in text.split("damage: ", 1)[-1]
    return [] if status == 6 and shown else [f"{status}: {text!r}"]


def check_modesty(store):
    """Where nobody wants a bar, or it would be in the way, there is none."""
    complaints = []
    for words, how in (([], {"background": True}), (["-q"], {}),
                       (["--progress=never"], {}), ([], {"TERM": "dumb"})):
        status, text = after_a_moment(store, *words, **how)
        if status != 6 or "verify: [" in text or "damage: " not in text:
            complaints.append(f"{words} {how}: {status}: {text!r}")
    return complaints


def check_completion(store):
    """In a bash that somebody types into, names with a colon too."""
    script = os.path.join(habit.BUILD, "completions", "waybill")
    bash = shutil.which("bash")
    env = environment(store, PS1="$ ", HISTFILE="/dev/null", LC_ALL="C.UTF-8",
                      PATH=os.path.dirname(WAYBILL) + ":" + os.environ["PATH"],
                      INPUTRC="/dev/null")
    terminal = Terminal([bash, "--norc", "--noprofile", "-i"], env)
    complaints = []
    terminal.type("bind 'set enable-bracketed-paste off'\n"
                  "bind 'set bell-style none'; timeout() { shift; \"$@\"; }\n"
                  f"source {script} && echo rea''dy\n")
    terminal.until(lambda: "ready" in terminal.text)
    for typed, expected in (("fsck --sal\t", "fsck --salvage "),
                            ("audit v\t--exp\t", "audit verify --expect "),
                            ("get n39\t", "get n39:latest "),
                            ("get docker.io/library/n2:\t",
                             "get docker.io/library/n2:latest "),
                            ("ls --color=ne\t", "ls --color=never "),
                            (f"--store dir:{store[:-1]}\t",
                             f"--store dir:{store}/")):
        terminal.text = ""
        terminal.type("waybill " + typed)
        if not terminal.until(lambda want="waybill " + expected:
                              want in terminal.text):
            complaints.append(f"{typed!r} became {terminal.text!r}")
        terminal.type("\025")
    terminal.type("exit\n")
    terminal.finish()
    return complaints


def main():
    report = habit.Report()
    folder = place()
    try:
        small = make_store(folder, "small", 2, 40)
        bad = make_store(folder, "bad", 4, 300, 12000)
        spoil(bad)
        report.case("jsonl tells of each phase from its beginning to its end",
                    check_json(folder))
        report.case("a repair and the check after it are phases",
                    check_repair(folder))
        report.control("a phase that is missing", check_phases(
            objects('{"progress":{"phase":"x","unit":"y","done":0,'
                    '"total":1}}'), []), "phases are")
        report.control("a phase that does not end", check_phases(
            objects('{"progress":{"phase":"x","unit":"y","done":0,'
                    '"total":1}}\n' * 2), [("x", "y", 1)]), "ends at 0")
        report.case("in a pipe nothing is shown", check_silence(small))
        report.case("SIGUSR1 asks for a line and the work goes on",
                    check_asked_while_it_works(small, signal.SIGUSR1))
        report.control("a signal that nobody answers",
                       check_asked_while_it_works(small, signal.SIGUSR2),
                       "exit status -12")
        report.case("SIGUSR1 is answered while an answer is written",
                    check_asked_of_an_answer(small))
        report.case("SIGUSR1 ends no change", check_asked_of_a_change(folder))
        report.case("a signal that ends it takes the bar away", check_interrupted(small))
        report.case("a bar is drawn, grows, and leaves nothing behind",
                    check_bar(small))
        report.case("a bar is never wider than its terminal",
                    check_width(small))
        report.case("damage is told beside the bar", check_damage(bad))
        report.case("by itself a bar comes after a moment",
                    check_patience(bad))
        report.case("nor then in the background, with -q, on a dumb terminal",
                    check_modesty(bad))
        report.case("bash completes what is typed", check_completion(small))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    report.finish()


if __name__ == "__main__":
    main()
