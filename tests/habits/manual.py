#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The manual says what --help says: a page for each command and no other, on
it each option and no other, and what scdoc and man accept without a word."""

import functools
import glob
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
import habit  # noqa: E402

WAYBILL = os.path.join(habit.BUILD, "bin", "waybill")
OPTION = re.compile(r"(?:-\w, )?--[a-z]")


def run(*command, text=None, **more):
    """(exit status, output, what it complained of)"""
    result = subprocess.run(command, input=text, capture_output=True,
                            text=True, check=False, **more)
    return result.returncode, result.stdout, result.stderr


@functools.cache
def help_of(command):
    return run(WAYBILL, *command.split(), "--help")[1].replace("…", "...")


def commands():
    """Those of `waybill --help`; "" is waybill itself."""
    body = help_of("").split("\nCommands\n")[1].split("\n\n")[0]
    return [""] + [re.match(r"  (\w+( \w+)?)  ", line).group(1)
                   for line in body.splitlines()]


def page_of(command):
    return "-".join(["waybill", *command.split()])


def pages():
    """{name: text}, as scdoc made them."""
    found = {}
    for path in glob.glob(os.path.join(habit.BUILD, "man", "*.1")):
        with open(path, encoding="utf-8") as file:
            found[os.path.basename(path)[:-2]] = file.read()
    return found


def plain(page):
    """A page without its fonts."""
    return re.sub(r"\\f[BIR]|\\&", "", page)


def sections(page):
    """{heading: text}"""
    parts = re.split(r"^\.SH (.*)\n", plain(page), flags=re.M)
    return dict(zip(parts[1::2], parts[2::2]))


def options_in_help(text):
    """As they stand at the beginning of a line: "-p, --repair"."""
    lines = [line.strip() for line in text.splitlines()
             if re.match(r" {2,6}-", line)]
    return [re.split(r"  +", line)[0] for line in lines]


def options_in_page(page):
    return [line for heading, text in sections(page).items()
            if heading.strip('"').startswith("OPTIONS")
            for line in text.splitlines() if OPTION.match(line)]


def compare(what, promised, found):
    return [f"{what} lacks {item}" for item in promised
            if item not in found] + \
           [f"{what} has {item}" for item in found if item not in promised]


def check_pages(found):
    return compare("the manual", [page_of(c) for c in commands()],
                   list(found))


def check_options(command, page):
    return compare(page_of(command), options_in_help(help_of(command)),
                   options_in_page(page))


def check_mentioned(page):
    """An option that the text speaks of is one of some command."""
    known = {flag for command in commands()
             for line in options_in_help(help_of(command))
             for flag in re.findall(r"--[a-z-]+", line)}
    known |= {"--name"}  # as in --name=value
    text = "".join(text for heading, text in sections(page).items()
                   if heading != "SEE ALSO")
    return [f"there is no {flag}" for flag in
            sorted(set(re.findall(r"(?<![\w-])--[a-z][a-z-]*\w", text)) - known)
            if not any(k.startswith(flag + "-") for k in known)]


def check_synopsis(command, page):
    """The forms of `usage: waybill put NAME -`, one a line."""
    usage = help_of(command).split("\n\n")[0].splitlines()
    forms = [f"waybill {command} [OPTION...] " + line for line in
             [usage[0][len(f"usage: waybill {command} [OPTION...] "):]] +
             [line.strip() for line in usage[1:]]]
    forms = [form.strip() for form in forms]
    text = sections(page)["SYNOPSIS"].replace(".br\n", "\n")
    found = [line.strip() for line in text.splitlines()
             if line.strip() and not line.startswith(".")]
    return compare(page_of(command), forms, found)


def check_statuses(command, page):
    def of_help(text):
        return re.findall(r"^ {2,4}(\d+)  \S", text, re.M)
    found = re.findall(r"^(\d+)$", sections(page)["EXIT STATUS"], re.M)
    return compare(page_of(command), of_help(help_of(command)), found)


def check_references(found):
    return [f"{name} names {other}, which is no page"
            for name, page in sorted(found.items())
            for other in re.findall(r"\b(waybill(?:-\w+)*)\(1\)", plain(page))
            if other not in found]


def check_scdoc(text):
    status, _, said = run("scdoc", text=text)
    return said.splitlines() + ([f"exit status {status}"] if status else [])


def sources():
    for path in sorted(glob.glob(os.path.join(habit.BUILD, "man", "*.scd"))):
        with open(path, encoding="utf-8") as file:
            yield file.read()


def check_man(page):
    """As a terminal shows it, and one that knows ASCII only."""
    complaints = []
    for locale in ("C.UTF-8", "C"):
        env = {**os.environ, "LC_ALL": locale, "MANWIDTH": "80"}
        status, text, said = run("man", "--warnings", "-l", "-", text=page,
                                 env=env)
        complaints += [f"{locale}: {line}" for line in said.splitlines()]
        if status or "SYNOPSIS" not in text:
            complaints.append(f"{locale}: exit status {status}")
    return complaints


def main():
    report = habit.Report()
    found = pages()
    report.case("every command has a page, and every page a command",
                check_pages(found))
    report.control("a page that is not there", check_pages(
        {name: page for name, page in found.items()
         if name != "waybill-fsck"}), "lacks waybill-fsck")
    report.control("a page of no command", check_pages(
        {**found, "waybill-dance": ""}), "has waybill-dance")
    both = [(command, found.get(page_of(command), "")) for command in
            commands() if page_of(command) in found]
    report.case("every option is on its page, and no other",
                [c for command, page in both
                 for c in check_options(command, page)])
    report.case("what the text calls an option is one",
                [c for _, page in both for c in check_mentioned(page)])
    report.case("the synopsis is that of --help",
                [c for command, page in both[1:]
                 for c in check_synopsis(command, page)])
    report.case("exit statuses are those of --help",
                [c for command, page in both
                 for c in check_statuses(command, page)])
    report.case("what is to be seen also is there", check_references(found))
    report.case("scdoc accepts all without a word",
                [c for text in sources() for c in check_scdoc(text)])
    report.case("man shows all without a word",
                [c for _, page in both for c in check_man(page)])
    fsck = found["waybill-fsck"]
    for old, new, check, expected in (
            (r"\fB--salvage\fR", r"\fB--rescue\fR", check_options,
             "lacks --salvage NEWDIR"),
            (r"\fB--salvage\fR", r"\fB--rescue\fR", check_options,
             "has --rescue NEWDIR"),
            ("[\\fIOPTION", "[\\fIFILE\\fR] [\\fIOPTION", check_synopsis,
             "has waybill fsck [FILE]"),
            ("\n\\fB16\\fR\n", "\n\\fB17\\fR\n", check_statuses, "lacks 16")):
        if old not in fsck:
            expected = f"the page has {old} to be replaced"
        report.control(f"a page with {new.strip()}", check(
            "fsck", fsck.replace(old, new)), expected)
    report.control("an option that the text invents", check_mentioned(
        ".SH EXAMPLES\nwaybill fsck --rescue now\n"), "no --rescue")
    report.control("a reference to nowhere", check_references(
        {"waybill": "see \\fBwaybill-dance\\fR(1)"}), "names waybill-dance")
    report.control("what scdoc does not take", check_scdoc(
        "a(1)\n\n--json\n"), "Expected space")
    report.control("what man does not take", check_man(
        fsck + "\\[no-such-character]\n"), "no-such-character")
    report.finish()


if __name__ == "__main__":
    main()
