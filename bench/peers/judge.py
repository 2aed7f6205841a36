# SPDX-License-Identifier: Apache-2.0
"""What a store's answer is worth, held against what it had acknowledged.

An answer is what a reading of a whole store came to:

    ending         "answered", "crashed" or "hung"
    error          why it did not open, or None
    gets           {name: value}, None for "not there", or {"error": text};
                   of the names that were asked for one by one
    listing        [name, value] of everything that it lists
    listing_error  why that ended early, or None
    notes          what it said beside it (a warning), or ""

Each name's answer is right, an error, missing, old (a value that it once had,
or one that was deleted) or wrong (nobody ever wrote that). The answer as a
whole is the worst thing that happened in it; see OUTCOMES.
"""

import collections

# The columns, from the best to the worst.
OUTCOMES = {
    "right": "everything served is right, nothing was said",
    "noticed": "everything served is right, and the damage was told",
    "refused": "an error, and nothing that was served is not right",
    "mixed": "an error, but some name was called absent, or had an old "
             "value, without one",
    "silent": "names absent or with an old value, and no error anywhere",
    "wrong": "a value or a name was served that nobody ever wrote",
    "crashed": "a signal or a panic",
    "hung": "no end within the bounds of time and output",
}

Judgement = collections.namedtuple("Judgement", "outcome names said")
ENDINGS = ("crashed", "hung")


class History:
    """Every value that each name ever had; the last one counts."""

    def __init__(self, changes):
        self.values = {}
        for name, value in changes:
            self.values.setdefault(name, []).append(value)
        self.names = list(self.values)
        self.live = [n for n in self.names if self.values[n][-1] is not None]

    def judge(self, name, value):
        values = self.values.get(name)
        if values is None:
            return "wrong"
        if value == values[-1]:
            return "right"
        if value is None:
            return "missing"
        return "old" if value in values else "wrong"


RANK = ("right", "error", "missing", "old", "wrong")


def judge_names(history, answer):
    """{name: the worst of how it was answered}, for all that were written
    and all that were served."""
    found = dict.fromkeys(history.names, "right")

    def note(name, how):
        found[name] = max(found.get(name, "right"), how, key=RANK.index)

    for name, value in answer["gets"].items():
        if isinstance(value, dict):
            note(name, "error")
        else:
            note(name, history.judge(name, value))
    listed = set()
    # Who lists until an error has been told not to trust what is absent or
    # old in it.
    failed = answer["listing_error"]
    for name, value in answer["listing"]:
        how = "wrong" if name in listed else history.judge(name, value)
        note(name, "error" if failed and how == "old" else how)
        listed.add(name)
    for name in history.live:
        if name not in listed:
            note(name, "error" if failed else "missing")
    return found


def errors_of(answer):
    said = [answer["error"], answer["listing_error"]]
    said += [v["error"] for v in answer["gets"].values()
             if isinstance(v, dict)]
    return [text for text in said if text]


def judge(history, answer):
    """What one reading came to, how each name was answered, what was said."""
    said = errors_of(answer)
    if answer["ending"] in ENDINGS or answer["error"]:
        names = dict.fromkeys(history.names, "error")
        outcome = (answer["ending"] if answer["ending"] in ENDINGS
                   else "refused")
        return Judgement(outcome, names, said or [answer["notes"]])
    names = judge_names(history, answer)
    ways = set(names.values())
    if "wrong" in ways:
        outcome = "wrong"
    elif ways & {"missing", "old"}:
        outcome = "mixed" if said else "silent"
    elif said:
        outcome = "refused"
    else:
        outcome = "noticed" if answer["notes"] else "right"
    return Judgement(outcome, names, said or [answer["notes"]])
