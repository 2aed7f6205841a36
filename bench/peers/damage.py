#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The same damage, done to Waybill and to its peers, in one table.

    python3 bench/peers/damage.py [--rounds N] [--seed N] [--json]

Every store gets the same changes, one durable write each, and is closed
cleanly. Then, --rounds times for each kind of damage (ruin.py), one piece of
a copy is damaged, and the store is asked for everything; its own checker and
its own repair tool then get copies of the same. What each served is held
against what it had acknowledged (judge.py).

It measures and judges nobody, with two exceptions, for which the exit status
is 1: Waybill must serve nothing untrue, nor its fsck or a salvage be wrong
about it, and the control, a file of lines without checksums, must be seen to
lie, or this program is blind.
"""

import argparse
import collections
import concurrent.futures
import hashlib
import json
import os
import random
import re
import shutil
import sys
import tempfile

sys.dont_write_bytecode = True
import judge  # noqa: E402
import ruin  # noqa: E402
import stores  # noqa: E402

# When copies are taken, of which "a file's older copy" draws one.
COPIES = (0.25, 0.5, 0.75, 0.95)
UNTRUE = ("mixed", "silent", "wrong", "crashed", "hung")
CONTROL = "lines"
MESSAGES = 4

# right: how many live names were answered right; names: how many in each way;
# said: the different sentences.
Reading = collections.namedtuple("Reading", "outcome right names said")
Image = collections.namedtuple("Image", "kind round where readings checks "
                               "repair")


# --- The changes -------------------------------------------------------------

def name_of(number, draw):
    host = draw.choice(("registry.example.com", "docker.io",
                        "mirror.internal.example:5000"))
    return (f"{host}/team-{number % 97:02}/service-{number:06}"
            f":v{draw.randrange(9)}.{draw.randrange(40)}")


def value_of(name, version, draw):
    digest = hashlib.sha256(f"{name} {version}".encode()).hexdigest()
    return json.dumps({
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "digest": "sha256:" + digest, "size": draw.randrange(500, 9000),
        "labels": {"build": str(draw.randrange(10 ** 6))}},
        separators=(",", ":"))


def changes_of(keys, seed):
    """Every name once, in no order; after every fourth an earlier one again,
    which one time in five is deleted, if it is there."""
    draw = random.Random(f"{seed}/changes")
    names = [name_of(number, draw) for number in range(keys)]
    draw.shuffle(names)
    changes, now = [], {}

    def change(name, value):
        changes.append((name, value))
        now[name] = value

    for number, name in enumerate(names):
        change(name, value_of(name, 0, draw))
        if number % 4 == 3:
            again = names[draw.randrange(number + 1)]
            gone = draw.randrange(5) == 0 and now[again]
            change(again, None if gone else value_of(again, number, draw))
    return changes


def plain(text, place):
    """What was said without what differs from image to image."""
    text = text.replace(place, "STORE")
    text = re.sub(r"\b\S+\.example\S*|\bdocker\.io/\S+", "NAME", text)
    text = re.sub(r"\b(0x)?[0-9a-f]*\d[0-9a-f]*\b", "N", text)
    return text.replace("|", "/").strip().split("\n")[0][:160]


# --- One image ---------------------------------------------------------------

class Bench:
    """The scratch directory, the undamaged stores and their older copies."""

    def __init__(self, scratch, seed, changes):
        self.scratch, self.seed, self.changes = scratch, seed, changes
        self.history = judge.History(changes)

    def folder(self, *parts):
        return os.path.join(self.scratch, *parts)

    def make(self, store):
        store.prepare(self.scratch)
        place = self.folder(store.name, "whole")
        os.makedirs(os.path.dirname(place))
        moments = {int(len(self.changes) * part): part for part in COPIES}

        def after(count):
            if count in moments:
                shutil.copytree(place, self.folder(
                    store.name, f"copy-{moments[count]}"))
        store.write(place, self.changes, after)
        self.hold_whole(store, place)

    def hold_whole(self, store, place):
        """A store that nobody has damaged is right, or we are wrong."""
        for label, setting in store.READINGS:
            found = self.read(store, place, setting)
            if found.outcome != "right":
                sys.exit(f"{store.title}, {label}: undamaged, it is "
                         f"{found.outcome}: {found.said[:3]}")
        for check in self.on_copy(place, store.check):
            if check.complains:
                sys.exit(f"{check.tool} complains of an undamaged store: "
                         f"{check.ended.out}{check.ended.err}")

    def on_copy(self, place, action):
        """Every tool gets a copy of its own: opening a store changes it."""
        with tempfile.TemporaryDirectory(dir=self.scratch) as folder:
            copy = os.path.join(folder, "store")
            shutil.copytree(place, copy)
            return action(copy)

    def read(self, store, place, setting):
        return self.on_copy(place, lambda copy: self.read_copy(
            store, copy, setting))

    def read_copy(self, store, copy, setting):
        answers = store.read(copy, setting, self.history)
        found = max((judge.judge(self.history, answer) for answer in answers),
                    key=lambda one: list(judge.OUTCOMES).index(one.outcome))
        return Reading(
            found.outcome,
            sum(found.names[name] == "right" for name in self.history.live),
            dict(collections.Counter(found.names.values())),
            sorted({plain(text, copy) for text in found.said if text}))

    def repaired(self, store, copy):
        done = store.repair(copy, copy + "-new", self.history)
        if done is None:
            return None
        names = dict.fromkeys(self.history.names, "error")
        if done.where:
            # Of several answers the last one is of the store as it stays.
            answer = store.read_repaired(done.where, self.history)[-1]
            names = judge.judge(self.history, answer).names
        live = set(self.history.live)
        lost = {name for name, how in names.items() if how != "right"}
        return {
            "ending": done.ended.ending, "content": done.content,
            "said": plain(stores.cause_of(done.ended), copy),
            "right": sum(names[name] == "right" for name in live),
            "lost": sum(names[name] in ("error", "missing") for name in live),
            "old": sum(how == "old" for how in names.values()),
            "wrong": sum(how == "wrong" for how in names.values()),
            "not_right": len(lost), "told": len(lost & done.told)}

    def image(self, store, kind, number):
        draw = random.Random(f"{self.seed}/{store.name}/{kind}/{number}")
        copies = [self.folder(store.name, f"copy-{part}") for part in COPIES]
        with tempfile.TemporaryDirectory(dir=self.scratch) as folder:
            place = os.path.join(folder, "ruin")
            shutil.copytree(self.folder(store.name, "whole"), place)
            try:
                where = ruin.damage(kind, place, copies, store.ignores, draw)
            except ruin.Impossible:
                return None
            readings = [self.read(store, place, setting)
                        for _, setting in store.READINGS]
            checks = [check._replace(ended=check.ended._replace(
                out="", err="")) for check in self.on_copy(
                    place, store.check)]
            repair = self.on_copy(place, lambda copy: self.repaired(
                store, copy))
        return Image(kind, number, where, readings, checks, repair)

    def images(self, store, rounds):
        jobs = [(kind, number) for kind in ruin.KINDS
                for number in range(rounds)]
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            found = list(pool.map(
                lambda job: self.image(store, *job), jobs))
        return [image for image in found if image]


# --- The tables --------------------------------------------------------------

def table(head, rows):
    print("| " + " | ".join(head) + " |")
    print("|" + "---|" * len(head))
    for row in rows:
        print("| " + " | ".join(str(cell) for cell in row) + " |")
    print()


def rows_of(results):
    """(store, label of the reading, [(image, reading)])"""
    for store, images in results.items():
        for at, (label, _) in enumerate(store.READINGS):
            title = store.title + (f", {label}" if label else "")
            yield title, [(image, image.readings[at]) for image in images]


def print_outcomes(results, live):
    print("## What was served\n")
    print("One image is one piece of damage; it counts where the worst thing "
          "in it belongs. *names right*: of the live names of all images, "
          "those that were served, and right.\n")
    for outcome, text in judge.OUTCOMES.items():
        print(f"- *{outcome}*: {text}")
    print()
    rows = []
    for title, found in rows_of(results):
        counts = collections.Counter(reading.outcome for _, reading in found)
        rows.append([title, len(found),
                     *(counts[outcome] for outcome in judge.OUTCOMES),
                     percent(sum(reading.right for _, reading in found),
                             live * len(found))])
    table(["store", "images", *judge.OUTCOMES, "names right"], rows)


def by_kind(found, cell):
    for kind in ruin.KINDS:
        some = [pair for pair in found if pair[0].kind == kind]
        yield cell(some) if some else "n/a"


def untrue_cell(found):
    counts = collections.Counter(reading.outcome for _, reading in found)
    bad = [f"{counts[outcome]} {outcome}" for outcome in UNTRUE
           if counts[outcome]]
    return ", ".join(bad) or "0"


def kind_titles():
    return [title for title, _ in ruin.KINDS.values()]


def print_kinds(results):
    print("## The same by kind of damage\n")
    print("How many images were neither right nor an error alone.\n")
    table(["store", *kind_titles()],
          [[title, *by_kind(found, untrue_cell)]
           for title, found in rows_of(results)])


def served_right(image):
    return image.readings[-1].outcome in ("right", "noticed")


def check_row(store, at, images):
    checks = [(image, image.checks[at]) for image in images]
    fine = [image for image, check in checks
            if check.ended.ending == "answered" and not check.complains]
    endings = collections.Counter(c.ended.ending for _, c in checks)
    return [store.title, store.CHECKS[at], len(checks),
            sum(c.complains and c.ended.ending == "answered"
                for _, c in checks), len(fine),
            sum(not served_right(image) for image in fine),
            endings["crashed"], endings["hung"]]


def print_checks(results):
    print("## What the checkers said\n")
    print("*missed*: it was content, and not all that is served is right.\n")
    rows = []
    for store, images in results.items():
        for at in range(len(store.CHECKS)):
            rows.append(check_row(store, at, images))
        if not store.CHECKS:
            rows.append([store.title, "it has none", *["–"] * 6])
    table(["store", "checker", "images", "complained", "content", "missed",
           "crashed", "hung"], rows)


def percent(part, whole):
    """Never rounded to a whole that it is not."""
    if not whole:
        return "–"
    if part in (0, whole):
        return f"{100 * part // whole} %"
    return f"{min(max(100 * part / whole, 0.1), 99.9):.1f} %"


def repair_row(store, images, live):
    done = [image.repair for image in images]
    total = {key: sum(repair[key] for repair in done) for key in
             ("right", "lost", "old", "wrong", "not_right", "told")}
    endings = collections.Counter(repair["ending"] for repair in done)
    fine = [repair for repair in done if repair["content"]]
    return [store.title, store.REPAIR, len(done), endings["crashed"],
            endings["hung"], len(fine),
            sum(repair["not_right"] > 0 for repair in fine),
            percent(total["right"], live * len(done)),
            total["lost"], total["old"], total["wrong"],
            percent(total["told"], total["not_right"])]


def print_repairs(results, live):
    print("## What was left after the repair\n")
    print(f"Every image is repaired, and then read; {live} live names each. "
          "*content*: the tool says that all is well now. *untold*: and not "
          "all names are right. *lost*, *old* and *wrong* are names. "
          "*named*: of these, those that the tool named.\n")
    rows, kinds = [], []
    for store, images in results.items():
        if not store.REPAIR:
            rows.append([store.title, "it has none", *["–"] * 10])
            continue
        rows.append(repair_row(store, images, live))
        kinds.append([store.title, *by_kind(
            [(image, image.repair) for image in images],
            lambda found: percent(sum(r["right"] for _, r in found),
                                  live * len(found)))])
    table(["store", "tool", "images", "crashed", "hung", "content", "untold",
           "names right", "lost", "old", "wrong", "named"], rows)
    print("Names right after it, by kind of damage:\n")
    table(["store", *kind_titles()], kinds)


def print_words(results):
    print("## What they said\n")
    print("The commonest errors of a reading, N for any number; in how many "
          "images.\n")
    rows = []
    for title, found in rows_of(results):
        counts = collections.Counter()
        for _, reading in found:
            counts.update(reading.said)
        rows.append([title, "<br>".join(
            f"{count}: {text}" for text, count in
            counts.most_common(MESSAGES)) or "–"])
    table(["store", "said"], rows)


# --- What is demanded --------------------------------------------------------

def complaints_of(results):
    """Why the exit status is 1: see the top."""
    for store, images in results.items():
        outcomes = collections.Counter(
            image.readings[0].outcome for image in images)
        if store.name == CONTROL and not (outcomes["silent"] and
                                          outcomes["wrong"]):
            yield "the control served nothing untrue: this program is blind"
        if store.name != "waybill":
            continue
        for image in images:
            at = f"waybill: {image.kind} {image.round}: {image.where}: "
            if image.readings[0].outcome in UNTRUE:
                yield at + image.readings[0].outcome
            for check in image.checks:
                if check.ended.ending != "answered":
                    yield at + f"fsck {check.ended.ending}"
                elif not check.complains and not served_right(image):
                    yield at + "fsck is content with a store that is refused"
            if image.repair["ending"] != "answered":
                yield at + f"its repair {image.repair['ending']}"
            if image.repair["wrong"]:
                yield at + "a salvaged store has a value nobody wrote"


# --- The command -------------------------------------------------------------

def as_json(store, image):
    return {
        "store": store.name, "kind": image.kind, "round": image.round,
        "where": image.where,
        "readings": [{"setting": setting, "outcome": found.outcome,
                      "names": found.names, "said": found.said[:MESSAGES]}
                     for (_, setting), found in zip(store.READINGS,
                                                    image.readings)],
        "checks": [{"tool": check.tool, "ending": check.ended.ending,
                    "code": check.ended.code, "complains": check.complains}
                   for check in image.checks],
        "repair": image.repair}


def arguments():
    parser = argparse.ArgumentParser(
        description="the same damage, done to Waybill and to its peers")
    known = [store.name for store in stores.STORES]
    parser.add_argument("--rounds", type=int, default=30, metavar="N",
                        help="images of each kind of damage (30)")
    parser.add_argument("--keys", type=int, default=2000, metavar="N",
                        help="names in each store (2000)")
    parser.add_argument("--seed", type=int, metavar="N",
                        help="the draws of an earlier run")
    parser.add_argument("--only", metavar="STORE,…", default=",".join(known),
                        help="of " + ", ".join(known))
    parser.add_argument("--waybill", metavar="FILE",
                        default=stores.Waybill.binary,
                        help="the program (build/release/bin/waybill)")
    parser.add_argument("--directory", metavar="DIR",
                        help="where the stores are made (the system's "
                        "directory for temporary files)")
    parser.add_argument("--json", action="store_true",
                        help="one object an image in place of the tables")
    given = parser.parse_args()
    given.only = given.only.split(",")
    if set(given.only) - set(known):
        parser.error("--only knows " + ", ".join(known))
    if given.seed is None:
        given.seed = random.SystemRandom().randrange(1 << 32)
    return given


def chosen_stores(given):
    stores.Waybill.binary = os.path.abspath(given.waybill)
    chosen = [s for s in stores.STORES if s.name in given.only]
    missing = stores.missing_packages(chosen)
    if missing:
        sys.exit("missing: apt install " + " ".join(missing) +
                 "\n(or leave stores out: --only)")
    if "waybill" in given.only and not shutil.which(stores.Waybill.binary):
        sys.exit(f"{stores.Waybill.binary} is missing: cmake --preset "
                 "release && cmake --build --preset release --target waybill")
    return chosen


def print_tables(given, results, history, changes):
    versions = ", ".join(f"{store.title} {store.version()}".strip()
                         for store in results)
    print(f"# The same damage to {len(results)} stores\n")
    print(f"Seed {given.seed}; {given.rounds} images of each of "
          f"{len(ruin.KINDS)} kinds of damage; {len(changes)} durable changes "
          f"of {len(history.names)} names, {len(history.live)} of them live "
          f"at the end. {versions}.\n")
    print_outcomes(results, len(history.live))
    print_kinds(results)
    print_checks(results)
    print_repairs(results, len(history.live))
    print_words(results)


def main():
    given = arguments()
    chosen = chosen_stores(given)
    print(f"seed {given.seed}", file=sys.stderr)
    changes = changes_of(given.keys, given.seed)
    results = {}
    with tempfile.TemporaryDirectory(prefix="damage-",
                                     dir=given.directory) as scratch:
        bench = Bench(scratch, given.seed, changes)
        for store in chosen:
            print(f"{store.title}: writing, damaging, asking",
                  file=sys.stderr)
            bench.make(store)
            results[store] = bench.images(store, given.rounds)
    if given.json:
        for store, images in results.items():
            for image in images:
                print(json.dumps(as_json(store, image)))
    else:
        print_tables(given, results, bench.history, changes)
    complaints = list(complaints_of(results))
    for complaint in complaints:
        print(complaint, file=sys.stderr)
    sys.exit(1 if complaints else 0)


if __name__ == "__main__":
    main()
