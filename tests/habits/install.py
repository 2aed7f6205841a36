#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The library as others meet it: installed elsewhere, found by pkg-config,
linked both ways, from C and from C++."""

import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
import habit  # noqa: E402

PROGRAM = """#include <stdio.h>
#include <string.h>
#include <waybill/waybill.h>
/* The library has functions of these names inside; they must not meet. */
extern "C" int log_open(void);
int main(void)
{
	puts(wb_version());
	return log_open() + strcmp(wb_version(), WB_VERSION);
}
"""
OURS = 'extern "C" int log_open(void) { return 0; }\n'
# A function that is inside the library and not for its users.
INSIDER = """extern "C" const char *control_name(int control);
int main(void) { return control_name(0) == 0; }
"""


def run(*command, env=None, cwd=None):
    """(complaints, output)"""
    try:
        result = subprocess.run(command, env=env, cwd=cwd, text=True,
                                check=False, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT)
    except OSError as error:
        return [str(error)], ""
    if result.returncode == 0:
        return [], result.stdout
    return [" ".join(command)] + result.stdout.splitlines()[-8:], ""


def flags(folder, static):
    env = dict(os.environ, PKG_CONFIG_PATH=find(folder, "pkgconfig"))
    command = ["pkg-config", "--define-prefix", "--cflags", "--libs"]
    if static:
        command.append("--static")
    words = subprocess.run([*command, "waybill"], env=env, check=True,
                           capture_output=True, text=True).stdout.split()
    if static:
        words = ["-l:libwaybill.a" if w == "-lwaybill" else w for w in words]
    return words


def find(folder, name):
    return next(os.path.join(base, name) for base, folders, files
                in os.walk(folder) if name in folders + files)


def build(folder, language, text, static):
    """Compiles, links and runs a program against the installed library."""
    if language == "c":
        text = text.replace('extern "C" ', "")
    source = os.path.join(folder, "program." + language)
    with open(source, "w", encoding="utf-8") as file:
        file.write(text)
    program = os.path.join(folder, "program")
    compiler = {"c": ["gcc", "-std=c17"], "cc": ["g++", "-std=c++17"]}
    complaints, _ = run(*compiler[language], "-Wall", "-Wextra", "-Werror",
                        source, *flags(folder, static), "-o", program)
    if complaints:
        return complaints
    libraries = os.path.dirname(find(folder, "libwaybill.so"))
    return run(program, env={"LD_LIBRARY_PATH": libraries})[0]


def check_soname(folder):
    path = find(folder, "libwaybill.so")
    text = subprocess.run(["readelf", "-d", path], check=True,
                          capture_output=True, text=True).stdout
    return [] if "[libwaybill.so.0]" in text else ["the soname is not .so.0"]


def main():
    report = habit.Report()
    folder = tempfile.mkdtemp(prefix="install-")
    complaints, _ = run("cmake", "--install", habit.BUILD, "--prefix", folder)
    report.case("it can be installed anywhere", complaints)
    if complaints:
        report.finish()
    report.case("the soname carries the version", check_soname(folder))
    report.case("the command is installed and says how it is used",
                run(os.path.join(folder, "bin", "waybill"), "--help")[0])
    for language in ("c", "cc"):
        for static in (False, True):
            report.case(f"a .{language} program links the "
                        f"{'archive' if static else 'shared library'}",
                        build(folder, language, PROGRAM + OURS, static))
    for static in (False, True):
        report.control(
            f"inner functions stay inside the "
            f"{'archive' if static else 'shared library'}",
            build(folder, "c", INSIDER, static), "control_name")
    shutil.rmtree(folder)
    report.finish()


if __name__ == "__main__":
    main()
