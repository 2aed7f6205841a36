#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs what is missing (Debian 12), builds, and shows what waybill is for:
# an image is registered and found; eight writers are killed in the middle;
# every change that had been acknowledged is there. The last line is the
# result.
set -eu

packages='
	gcc libc6-dev binutils cmake ninja-build pkg-config
	libxxhash-dev libprotobuf-c-dev protobuf-c-compiler libssl-dev
	libjansson-dev libpcre2-dev
	check libsubunit-dev libsqlite3-dev
	umoci busybox-static'
acknowledged_min=2000
wait_seconds_max=120

fail()
{
	echo "demo: failed: $1"
	exit 1
}

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
		command -v sudo >/dev/null || fail "root or sudo is needed"
		root=sudo
	fi
	# shellcheck disable=SC2086 # a list of words
	{
		$root apt-get -qq update
		$root env DEBIAN_FRONTEND=noninteractive apt-get -qq install \
			-y --no-install-recommends $missing
	} >build/apt.log 2>&1 || {
		tail -n 20 build/apt.log
		fail "these could not be installed:$missing"
	}
}

build()
{
	{
		[ -f build/release/build.ninja ] || cmake --preset release
		cmake --build --preset release \
			--target waybill example_writers
	} >build/demo.log 2>&1 || {
		tail -n 30 build/demo.log
		fail "it does not build"
	}
}

say()
{
	printf '\n== %s\n' "$*"
}

# Shows a command, then runs it.
show()
{
	printf '$ %s\n' "$*"
	"$@"
}

lines()
{
	wc -l <"$1"
}

make_image()
{
	umoci init --layout "$1"
	umoci new --image "$1:busybox"
	umoci insert --rootless --image "$1:busybox" /bin/busybox /bin/busybox
	umoci config --image "$1:busybox" --config.entrypoint /bin/busybox
}

# Starts the writers and kills them once they have acknowledged enough.
kill_writers()
{
	build/release/examples/writers "$store" >"$demo/printed" &
	writers=$!
	deadline=$(($(date +%s) + wait_seconds_max))
	until [ "$(lines "$demo/printed")" -ge $acknowledged_min ]; do
		kill -0 $writers 2>/dev/null || fail "the writers gave up"
		if [ "$(date +%s)" -ge $deadline ]; then
			kill -9 $writers
			fail "no $acknowledged_min changes in $wait_seconds_max s"
		fi
		sleep 0.05
	done
	kill -9 $writers
	# The shell tells of the kill on standard error; so do we.
	wait $writers 2>/dev/null || true
	# Whole lines only: the kill may have cut the last.
	head -n "$(lines "$demo/printed")" "$demo/printed" |
		LC_ALL=C sort >"$demo/acknowledged"
}

[ $# -eq 0 ] || {
	echo "usage: sh tools/demo.sh" >&2
	exit 64
}
cd "$(dirname "$0")/.."
mkdir -p build
install_packages
echo "building …"
build
demo=build/demo
rm -rf $demo
mkdir $demo
store=$demo/store
# In a container this directory may be on overlay, of which each change would
# warn: it ends with the container. So may the demo.
if [ "$(stat -f -c %T $demo)" = overlayfs ]; then
	store=$(mktemp -d /dev/shm/waybill-demo.XXXXXX)
	trap 'rm -rf "$store"' EXIT
fi
PATH=$PWD/build/release/bin:$PATH
WAYBILL_STORE=dir:$store
export PATH WAYBILL_STORE
unset WAYBILL_NAMESPACE CONTAINERD_NAMESPACE

say "an image, made with umoci and busybox"
make_image $demo/images
ls -l $demo/images/blobs/sha256

say "it is registered, under a name that anybody would type"
show waybill put busybox --from oci:$demo/images --reason "the demo"
show waybill get busybox
show waybill tag busybox demo/busybox:stable --reason "it was tested"
show waybill ls

say "eight writers, killed with -9 in the middle"
kill_writers
acknowledged=$(lines $demo/acknowledged)
echo "they had acknowledged $acknowledged changes"

say "opened again: is each of them there?"
waybill ls -q --prefix docker.io/demo/writer | LC_ALL=C sort >$demo/found
LC_ALL=C comm -23 $demo/acknowledged $demo/found >$demo/lost
LC_ALL=C comm -13 $demo/acknowledged $demo/found >$demo/unanswered
echo "acknowledged           $acknowledged"
echo "of these found         $((acknowledged - $(lines $demo/lost)))"
echo "lost                   $(lines $demo/lost)"
echo "found, unacknowledged  $(lines $demo/unanswered) (in flight at the kill)"
show waybill show busybox
show waybill stat

say "who changed what, when and why: the newest lines, and one name"
show waybill log --limit 5
show waybill log demo/busybox:stable

echo
[ ! -s $demo/lost ] || fail "$(lines $demo/lost) acknowledged changes are lost"
[ "$(waybill get -q busybox)" = "$(waybill get -q demo/busybox:stable)" ] ||
	fail "the image is not what it was"
echo "demo: passed: killed with -9, all $acknowledged acknowledged changes there"
