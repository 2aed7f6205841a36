#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a program that links libwaybill sees: the headers, and the symbols
that they declare and no others."""

import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
import habit  # noqa: E402

FLAGS = ["-fsyntax-only", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]
COMPILERS = [["gcc", "-x", "c", "-std=c17"],
             ["g++", "-x", "c++", "-std=c++17"],
             ["clang-14", "-x", "c", "-std=c17"]]
INNER = ["gcc", "-x", "c", "-std=gnu17", "-D_GNU_SOURCE"]


def declared(root):
    """Names that the public headers declare with WB_API."""
    names = set()
    for path in habit.files_of(root):
        if not path.startswith("include/waybill/"):
            continue
        text = habit.without_comments(habit.read(root, path))
        text = re.sub(r"^\s*#(?:.*\\\n)*.*$", "", text, flags=re.M)
        names |= set(re.findall(r"WB_API\b[^;]*?\b(wb_\w+)\s*[(;\[]", text))
    return names


def exported(*command):
    text = subprocess.run(["nm", "-P", "-g", "--defined-only", *command],
                          check=False, capture_output=True, text=True).stdout
    return {words[0].split("@")[0] for words in map(str.split,
                                                    text.splitlines())
            if len(words) > 1 and words[1] != "A"}


def check_symbols(promised, shown, where):
    return [f"{where} shows {name}, which no header declares"
            for name in sorted(shown - promised)] + \
           [f"{where} lacks {name}" for name in sorted(promised - shown)] + \
           ([] if promised else ["the headers declare nothing"])


def check_switch(libraries, name):
    """base/control.h: a step can be switched off in the tests' build only."""
    path = os.path.join(libraries, f"lib{name}.a")
    if not os.path.exists(path):
        return [f"{path} is not built"]
    return sorted(exported(path) & {"control_switched_off"})


def compiles(root, path, compiler, folders):
    include = [flag for folder in folders
               for flag in ("-I", os.path.join(root, folder))]
    result = subprocess.run(
        [*compiler, *FLAGS, *include, "-include",
         os.path.join(root, path), os.devnull],
        capture_output=True, text=True, check=False)
    if result.returncode == 0:
        return []
    return [f"{path} alone with {compiler[0]}: "
            f"{result.stderr.splitlines()[0]}"]


def check_headers(root, generated=None):
    complaints = []
    for path in habit.files_of(root):
        if not path.endswith(".h"):
            continue
        if path.startswith("include/"):
            for compiler in COMPILERS:
                complaints += compiles(root, path, compiler, ["include"])
        elif generated:
            complaints += compiles(root, path, INNER,
                                   ["", "include", generated])
    return complaints


def main():
    report = habit.Report()
    libraries = os.path.join(habit.BUILD, "lib")
    promised = declared(habit.ROOT)
    report.case("libwaybill.so shows what the headers declare",
                check_symbols(promised, exported("-D", os.path.join(
                    libraries, "libwaybill.so")), "libwaybill.so"))
    report.case("libwaybill.a shows what the headers declare",
                check_symbols(promised, exported(os.path.join(
                    libraries, "libwaybill.a")), "libwaybill.a"))
    report.case("what is shipped has no switch for controls",
                check_switch(libraries, "base"))
    report.control("the build for tests has it", check_switch(
        libraries, "base_controls"), "control_switched_off")
    report.case("every header compiles alone", check_headers(
        habit.ROOT, os.path.join(habit.BUILD, "generated")))
    api = "#define WB_API\nWB_API int wb_a(int\n\tb);\n/* WB_API int wb_c(); */"
    with habit.tree({"include/waybill/a.h": api}) as root:
        report.case("declarations are found, comments are not",
                    check_symbols(declared(root), {"wb_a"}, "lib"))
        report.control("a symbol that no header declares", check_symbols(
            declared(root), {"wb_a", "log_open"}, "lib"), "shows log_open")
        report.control("a declaration without its function", check_symbols(
            declared(root), set(), "lib"), "lacks wb_a")
    with habit.tree({"include/waybill/a.h": "size_t wb_a(void);\n"}) as root:
        report.control("a header that leans on another",
                       check_headers(root), "a.h alone with gcc")
    with habit.tree({"include/waybill/a.h":
                     "struct a { int class; };\n"}) as root:
        report.control("a header that is no C++", check_headers(root),
                       "a.h alone with g++")
    report.finish()


if __name__ == "__main__":
    main()
