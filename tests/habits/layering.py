#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Dependencies point one way, in the includes and in the symbols.

The module() lines of CMakeLists.txt say what a folder may use; this holds
the sources and the built archives against them. What must stay true even if
somebody edits those lines is written here a second time, on purpose.
"""

import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
import habit  # noqa: E402

# Folder -> folders that it must never reach, whatever CMakeLists.txt says.
NEVER = {
    "base": ("log", "index", "store", "images", "content", "snapshots",
             "compactor", "audit", "repair", "dump", "rpc"),
    "log": ("index", "store", "images", "repair"),
    "index": ("log", "store", "images", "repair"),
    "store": ("images", "content", "snapshots", "rpc", "compactor", "repair",
              "dump"),
    "images": ("content", "snapshots", "rpc", "compactor", "dump"),
    "dump": ("rpc", "compactor", "audit", "repair"),
    "compactor": ("images", "rpc"),
    "audit": ("log", "index", "store", "images", "compactor", "repair",
              "dump", "rpc"),
    "repair": ("images", "content", "snapshots", "compactor", "dump", "rpc"),
}
# Header from outside -> the only folders that may include it.
ONLY_IN = {"uv.h": ("rpc", "content", "tools")}
# Header of ours -> folders that must not include it.
NOT_IN = {"base/file.h": ("compactor",)}
# Header from outside -> the word of LINKS that gives it.
LINK_OF = {"xxhash.h": "xxhash", "openssl/": "crypto",
           "protobuf-c/": "protobuf-c", "pcre2.h": "pcre2",
           "jansson.h": "jansson", "sqlite3.h": "sqlite3"}
# Where the public headers describe images, the lower folders do not look.
IMAGES_HEADER = "waybill/images.h"
LIBC = set("""assert complex ctype errno fenv float inttypes iso646 limits
locale math setjmp signal stdalign stdarg stdatomic stdbool stddef stdint
stdio stdlib stdnoreturn string tgmath threads time uchar wchar wctype
""".split())


def check_declarations(architecture):
    """The lines of CMakeLists.txt themselves."""
    complaints = []
    for name, entry in architecture.modules.items():
        reach = architecture.reach(entry["USES"])
        if name in reach:
            complaints.append(f"module({name}): uses itself in a circle")
        for used in sorted(set(NEVER.get(name, ())) & reach):
            complaints.append(f"module({name}): must never use {used}")
        for used in entry["USES"]:
            if used not in architecture.modules:
                complaints.append(f"module({name}): no module {used}")
    return complaints


def check_quoted(folder, allowed, where, header, modules):
    owner = header.split("/")[0]
    if "/" not in header:
        return [f"{where}: \"{header}\" is not named from the root"]
    if folder in NOT_IN.get(header, ()):
        return [f"{where}: {folder} must not include {header}"]
    if owner in modules and owner not in allowed:
        return [f"{where}: {folder} may not use {owner} ({header})"]
    if owner not in modules and owner != folder:
        return [f"{where}: {header} is in no module"]
    return []


def check_outside(folder, allowed, links, where, header):
    complaints = []
    if folder not in ONLY_IN.get(header, (folder,)):
        complaints.append(f"{where}: <{header}> is not for {folder}")
    for start, word in LINK_OF.items():
        if header.startswith(start) and word not in links:
            complaints.append(f"{where}: <{header}> but no LINKS {word}")
    if header == IMAGES_HEADER and folder != "tools" and \
            "images" not in allowed:
        complaints.append(f"{where}: {folder} knows nothing of images")
    return complaints


def check_includes(root):
    architecture = habit.Architecture(root)
    complaints = check_declarations(architecture)
    tool_uses = {u for t in architecture.tools.values() for u in t["USES"]}
    tool_links = {u for t in architecture.tools.values() for u in t["LINKS"]}
    for path in habit.files_of(root):
        folder = path.split("/")[0]
        if not re.search(r"\.[ch]$", path):
            continue
        if folder == "tools":
            allowed, links = architecture.reach(tool_uses), tool_links
        elif folder in architecture.modules:
            entry = architecture.modules[folder]
            allowed = architecture.reach(entry["USES"]) | {folder}
            links = entry["LINKS"]
        elif path.startswith("include/"):
            complaints += check_public(root, path)
            continue
        else:
            continue
        for line, header, quoted in habit.includes(root, path):
            where = f"{path}:{line}"
            if quoted:
                complaints += check_quoted(folder, allowed, where, header,
                                           architecture.modules)
            else:
                complaints += check_outside(folder, allowed, links, where,
                                            header)
    return complaints


def check_public(root, path):
    return [f"{path}:{line}: a public header may not include {header}"
            for line, header, quoted in habit.includes(root, path)
            if quoted or not (header.startswith("waybill/") or
                              header.removesuffix(".h") in LIBC)]


# --- Symbols -----------------------------------------------------------------

def symbols(path, *flags):
    """(defined, undefined) names of an object, archive or library."""
    text = subprocess.run(["nm", "-P", *flags, path], check=True,
                          capture_output=True, text=True).stdout
    defined, undefined = set(), set()
    for line in text.splitlines():
        words = line.split()
        if len(words) < 2 or len(words[1]) != 1:
            continue
        name = words[0].split("@")[0]
        if words[1] == "U":
            undefined.add(name)
        elif words[1] not in "wv":
            defined.add(name)
    return defined, undefined - defined


def library_path(name):
    path = subprocess.run(["gcc", f"-print-file-name={name}"], check=True,
                          capture_output=True, text=True).stdout.strip()
    return path if os.path.isabs(path) else None


def outside_symbols(links):
    """What libc and the libraries behind the words of LINKS define."""
    names = ["libc.so.6", "libm.so.6", "libgcc_s.so.1", "ld-linux-x86-64.so.2"]
    names += [f"lib{'pcre2-8' if word == 'pcre2' else word}.so"
              for word in links if word != "threads"]
    found = set()
    for name in names:
        path = library_path(name)
        if path:
            found |= symbols(path, "-D")[0]
    # libc.so.6 has these under names that the linker script adds.
    return found | {"atexit", "_GLOBAL_OFFSET_TABLE_"}


def check_symbols(root, libraries):
    """Each archive needs only what its module may use."""
    architecture = habit.Architecture(root)
    defined, undefined, complaints = {}, {}, []
    for name in architecture.modules:
        path = os.path.join(libraries, f"lib{name}.a")
        if not os.path.exists(path):
            complaints.append(f"{name}: {path} is not built")
            continue
        defined[name], undefined[name] = symbols(path)
    for name in defined:
        entry = architecture.modules[name]
        known = outside_symbols(entry["LINKS"])
        for used in architecture.reach(entry["USES"]):
            known |= defined.get(used, set())
        for symbol in sorted(undefined[name] - known - defined[name]):
            owner = [m for m in defined if symbol in defined[m]]
            complaints.append(f"lib{name}.a needs {symbol} of "
                              f"{owner[0] if owner else 'nobody it may use'}")
    return complaints


# --- The cases ---------------------------------------------------------------

CMAKE = """module(base FILES a.c)
module(log USES base FILES l.c LINKS xxhash)
module(index USES base FILES i.c)
module(store USES log index FILES s.c)
module(compactor USES store FILES c.c)
module(audit USES base FILES u.c)
"""

CONTROLS = [
    ("log includes index", {"log/l.c": '#include "index/i.h"\n'},
     "log may not use index"),
    ("base includes log", {"base/a.h": '#include "log/l.h"\n'},
     "base may not use log"),
    ("index includes store", {"index/i.c": '#include "store/s.h"\n'},
     "index may not use store"),
    ("a module includes a tool", {"store/s.c": '#include "tools/t.h"\n'},
     "is in no module"),
    ("<uv.h> in store", {"store/s.c": "#include <uv.h>\n"},
     "<uv.h> is not for store"),
    ("compactor opens files", {"compactor/c.c": '#include "base/file.h"\n'},
     "compactor must not include base/file.h"),
    ("audit reads the log's header", {"audit/u.c": '#include "log/f.h"\n'},
     "audit may not use log"),
    ("a library that LINKS does not name",
     {"index/i.c": "#include <xxhash.h>\n"}, "no LINKS xxhash"),
    ("store knows images", {"store/s.c": "#include <waybill/images.h>\n"},
     "knows nothing of images"),
    ("a public header with an inner one",
     {"include/waybill/x.h": '#include "base/a.h"\n'}, "public header"),
    ("a public header with a system one",
     {"include/waybill/x.h": "#include <sys/types.h>\n"}, "public header"),
    ("log declared to use index",
     {"CMakeLists.txt": CMAKE.replace("log USES base",
                                      "log USES base index")},
     "log): must never use index"),
    ("a circle",
     {"CMakeLists.txt": CMAKE.replace("base FILES", "base USES store FILES")},
     "in a circle"),
]


def control_symbols(report):
    """index calls a function of log without including its header."""
    with tempfile.TemporaryDirectory() as directory:
        for name, text in (("base", "int a;"), ("log", "int l(void)"
                                                "{ return 1; }"),
                           ("index", "int l(void); int i(void);"
                            "int i(void) { return l(); }")):
            source = os.path.join(directory, name)
            with open(source + ".c", "w", encoding="utf-8") as file:
                file.write(text)
            subprocess.run(["gcc", "-c", source + ".c", "-o", source + ".o"],
                           check=True)
            subprocess.run(["ar", "rc", os.path.join(
                directory, f"lib{name}.a"), source + ".o"], check=True)
        with habit.tree({"CMakeLists.txt": CMAKE}) as root:
            report.control("index calls log behind the headers",
                           check_symbols(root, directory),
                           "libindex.a needs l of log")


def main():
    report = habit.Report()
    report.case("includes follow CMakeLists.txt", check_includes(habit.ROOT))
    report.case("each archive needs only what its module may use",
                check_symbols(habit.ROOT, os.path.join(habit.BUILD, "lib")))
    with habit.tree({"CMakeLists.txt": CMAKE, "log/l.c":
                     '#include "base/a.h"\n#include <xxhash.h>\n',
                     "store/s.c": '#include "base/a.h"\n'}) as root:
        report.case("an orderly tree is left in peace", check_includes(root))
    for name, files, expected in CONTROLS:
        with habit.tree({"CMakeLists.txt": CMAKE, **files}) as root:
            report.control(name, check_includes(root), expected)
    control_symbols(report)
    report.finish()


if __name__ == "__main__":
    main()
