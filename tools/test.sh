#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs what is missing (Debian 12), builds, runs every test. The last line
# is the result: "tests: N passed, N failed, N skipped". tests/run.py does the
# building and the running; this file only makes sure that it can.
set -eu

packages='
	gcc g++ libc6-dev binutils cmake ninja-build pkg-config git python3
	python3-xxhash
	check libsubunit-dev bats strace scdoc man-db
	libxxhash-dev libprotobuf-c-dev protobuf-c-compiler libssl-dev
	libjansson-dev libpcre2-dev libsqlite3-dev
	clang-14 clang-format-14 libclang-rt-14-dev llvm-14
	qemu-system-common nbdkit libnbd-bin fuse3 e2fsprogs xfsprogs btrfs-progs
	umoci busybox-static golang-go golang-github-containerd-containerd-dev'

usage()
{
	cat <<'END'
usage: sh tools/test.sh [--full] [--release] [-k PATTERN] [-v]

  --full      also clang, thread sanitizer, coverage, longer loops, and the
              command line under the sanitizers
  --release   only the release build: quick, no sanitizers
  -k PATTERN  only the tests whose name matches this regular expression
  -v          show what passing tests print
  --help      this text

By default the release build and a build with the address and undefined
behaviour sanitizers are tested. The last line is
"tests: N passed, N failed, N skipped"; the exit status is 0 if none failed,
1 if one did, 64 if a flag is wrong. A skipped test that tests/skips.txt does
not list counts as failed.
END
}

wrong()
{
	echo "tools/test.sh: $1; try --help" >&2
	exit 64
}

# Only asks apt when something is missing, and refreshes its lists at most
# once a day (the stamp).
install_packages()
{
	missing=
	for package in $packages; do
		status=$(dpkg-query -W -f '${db:Status-Status}' "$package" \
			2>/dev/null || true)
		[ "$status" = installed ] || missing="$missing $package"
	done
	[ -n "$missing" ] || return 0
	echo "installing:$missing"
	root=
	if [ "$(id -u)" -ne 0 ]; then
		command -v sudo >/dev/null || return 1
		root=sudo
	fi
	mkdir -p build
	log=build/apt.log
	: >"$log"
	if [ -z "$(find build/apt-updated -mmin -1440 2>/dev/null)" ]; then
		$root apt-get -qq update >>"$log" 2>&1 || return 1
		: >build/apt-updated
	fi
	# shellcheck disable=SC2086 # a list of words
	$root env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y \
		--no-install-recommends $missing >>"$log" 2>&1
}

full=
only=
verbose=
pattern=
while [ $# -gt 0 ]; do
	case $1 in
	--full) full=--full ;;
	--release) only=--release ;;
	-v) verbose=-v ;;
	-k)
		[ $# -gt 1 ] || wrong "-k needs a pattern"
		pattern=$2
		shift
		;;
	--help | -h)
		usage
		exit 0
		;;
	*) wrong "unknown argument '$1'" ;;
	esac
	shift
done

cd "$(dirname "$0")/.."
if ! install_packages; then
	[ ! -f build/apt.log ] || tail -n 20 build/apt.log
	echo "could not install the packages named above (root or sudo needed)"
	echo "tests: 0 passed, 1 failed, 0 skipped"
	exit 1
fi
# Where a kernel randomises more than 28 bits of addresses, the sanitizers of
# these compilers find their shadow memory taken, now and then.
still=
bits=$(cat /proc/sys/vm/mmap_rnd_bits 2>/dev/null || echo 0)
if [ "$bits" -gt 28 ] && setarch -R true 2>/dev/null; then
	still='setarch -R'
fi
exec $still /usr/bin/python3 tests/run.py $full $only $verbose \
	${pattern:+-k "$pattern"}
