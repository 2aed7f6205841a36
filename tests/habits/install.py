#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The library as others meet it: installed with a prefix of their own, moved,
found by pkg-config and by CMake, linked both ways, from C and from C++."""

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
# A project that knows nothing of ours but where it is.
CONSUMER = """cmake_minimum_required(VERSION 3.25)
project(consumer C)
find_package(waybill {version} REQUIRED COMPONENTS static)
foreach(kind IN ITEMS waybill waybill_static)
	add_executable(uses_${{kind}} program.c)
	target_link_libraries(uses_${{kind}} PRIVATE waybill::${{kind}})
endforeach()
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
    # Without --define-prefix, as everybody calls it.
    env = dict(os.environ, PKG_CONFIG_PATH=find(folder, "pkgconfig"))
    command = ["pkg-config", "--cflags", "--libs"]
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


def consume(folder, version):
    """Configures, builds and runs a CMake project against it."""
    source = os.path.join(folder, "consumer")
    os.makedirs(source, exist_ok=True)
    for name, text in (("CMakeLists.txt", CONSUMER.format(version=version)),
                       ("program.c", (PROGRAM + OURS).replace(
                           'extern "C" ', ""))):
        with open(os.path.join(source, name), "w", encoding="utf-8") as file:
            file.write(text)
    tree = os.path.join(source, "build")
    shutil.rmtree(tree, ignore_errors=True)
    complaints, _ = run("cmake", "-S", source, "-B", tree, "-G", "Ninja",
                        f"-DCMAKE_PREFIX_PATH={folder}",
                        "-DCMAKE_C_FLAGS=-Wall -Wextra -Werror")
    if not complaints:
        complaints, _ = run("cmake", "--build", tree)
    for kind in ("waybill", "waybill_static"):
        if not complaints:
            complaints, _ = run(os.path.join(tree, "uses_" + kind))
    return complaints


def follow_example(folder):
    """The command that the head of the example gives."""
    with open(os.path.join(habit.ROOT, "examples", "register.c"),
              encoding="utf-8") as file:
        command = file.read().split("\n * ", 1)[1].split(" && ", 1)[0]
    libraries = os.path.dirname(find(folder, "libwaybill.so"))
    env = dict(os.environ, PKG_CONFIG_PATH=find(folder, "pkgconfig"),
               LD_LIBRARY_PATH=libraries)
    complaints, _ = run("sh", "-c", command.replace(
        "register.c", os.path.join(habit.ROOT, "examples", "register.c")),
        env=env, cwd=folder)
    if complaints:
        return complaints
    # What it prints of a store is tested elsewhere.
    usage = subprocess.run([os.path.join(folder, "a.out")], env=env,
                           check=False, capture_output=True, text=True)
    return [] if "usage" in usage.stderr else [usage.stderr]


def check_soname(folder):
    path = find(folder, "libwaybill.so")
    text = subprocess.run(["readelf", "-d", path], check=True,
                          capture_output=True, text=True).stdout
    return [] if "[libwaybill.so.0]" in text else ["the soname is not .so.0"]


def main():
    report = habit.Report()
    top = tempfile.mkdtemp(prefix="install-")
    first, folder = os.path.join(top, "first"), os.path.join(top, "moved")
    complaints, _ = run("cmake", "--install", habit.BUILD, "--prefix", first)
    report.case("it can be installed anywhere", complaints)
    if complaints:
        report.finish()
    os.rename(first, folder)
    report.case("the soname carries the version", check_soname(folder))
    report.case("the command is installed and says how it is used",
                run(os.path.join(folder, "bin", "waybill"), "--help")[0])
    report.case("man finds the manual of a command", run(
        "man", "-M", os.path.join(folder, "share", "man"), "waybill-fsck")[0])
    report.control("man looks elsewhere for a page that is not there", run(
        "man", "-M", os.path.join(folder, "share", "man"), "waybill-dance")[0],
        "No manual entry")
    report.case("bash completes the command", run(
        "bash", "-c", 'source "$0" && complete -p waybill', os.path.join(
            folder, "share", "bash-completion", "completions", "waybill"))[0])
    for language in ("c", "cc"):
        for static in (False, True):
            report.case(f"a .{language} program links the "
                        f"{'archive' if static else 'shared library'}",
                        build(folder, language, PROGRAM + OURS, static))
    report.case("the example compiles as its head says",
                follow_example(folder))
    report.case("a CMake project finds both and links with them",
                consume(folder, "0.1"))
    report.control("a CMake project that needs a later version",
                   consume(folder, "9.0"), "not accepted")
    for static in (False, True):
        report.control(
            f"inner functions stay inside the "
            f"{'archive' if static else 'shared library'}",
            build(folder, "c", INSIDER, static), "control_name")
    shutil.rmtree(top)
    report.finish()


if __name__ == "__main__":
    main()
