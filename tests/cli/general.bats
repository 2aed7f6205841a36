# SPDX-License-Identifier: Apache-2.0
# Help, versions, wrong options, addresses, output that cannot be written.
load helper.bash

commands=(put get ls rm tag label apply log show diff undo stat dump load
	"audit log" "audit head" "audit verify" fsck frames)

@test "help tells of every command, option and exit status" {
	expect 0 --help
	is "$stderr" ""
	for command in "${commands[@]}"; do
		[[ "$output" =~ $'\n  '$command\ +[A-Z] ]]
	done
	for option in store namespace json raw quiet null color help version; do
		has "$output" " --$option"
	done
	for status in 0 1 2 3 4 5 6 7 64 65 69 73 74 75 77 130; do
		[[ "$output" =~ $'\n'\ +$status\ \ [a-z] ]]
	done
	expect 0 -h
}

@test "each command has its own help, which needs no store" {
	for command in "${commands[@]}"; do
		expect 0 $command --help
		[[ "${lines[0]}" =~ ^usage:\ waybill\ $command ]]
		has "$output" "--json"
		expect 0 $command --help too many operands
	done
	expect 0 put --help
	for option in media-type digest size from label reason operation-id \
		if-absent if-present if-revision if-digest; do
		has "$output" " --$option"
	done
	[ ! -e "$store" ]
}

@test "the word help is --help" {
	is "$(waybill help)" "$(waybill --help)"
	is "$(waybill help tag)" "$(waybill tag --help)"
	refuse_untouched 64 "unknown command tga; did you mean tag?" help tga
}

@test "what is missing is said in one line, without a blank behind it" {
	refuse_untouched 64 "too few arguments: waybill put NAME - \| NAME --me" \
		put
	refuse_untouched 64 "unexpected argument x: waybill stat$" stat x
	for command in "" audit "${commands[@]}"; do
		waybill $command --help | sed -n '/[[:space:]]$/p' >blanks
		is "$(cat blanks)" ""
	done
}

@test "help fits a terminal" {
	for command in "" audit "${commands[@]}"; do
		waybill $command --help >help
		run awk 'length($0) > 80 { print; found = 1 }
			END { exit found }' help
		is "$output" ""
	done
}

@test "--version is the library's" {
	expect 0 --version
	[[ "$output" =~ ^waybill\ [0-9]+\.[0-9]+\.[0-9]+$ ]]
}

@test "a wrong option names the right one" {
	put a
	refuse_untouched 64 "unknown option --sise; did you mean --size?" \
		put b --sise 3
	refuse_untouched 64 "did you mean --prefix?" ls --prefx x
	refuse_untouched 64 "did you mean --dry-run?" apply x --dryrun
	refuse_untouched 64 "did you mean --json?" ls -json
	refuse_untouched 64 "put: no option --force here, but tag has one" \
		put a --force
	refuse_untouched 64 "unknown command lst; did you mean ls?" lst
	refuse_untouched 64 "unknown command zzzzzz; see" zzzzzz
	refuse_untouched 64 "label: unknown option -x; see \`waybill label --help" \
		label a -x=y
	refuse_untouched 64 "no command"
	expect 64 ls --json -0
	has "$stderr" "--json and -0 exclude each other"
}

@test "with --json errors are JSON, wherever --json stands" {
	for line in "--json put" "put --json" "put --json --sise" \
		"put --sise --json" "ls --limit x --json" "--json --sise" \
		"lst --json" "--json"; do
		expect 64 $line
		is "$output" ""
		is "${#stderr_lines[@]}" 1
		is "$(json error/code "$stderr")" usage
		is "$(json error/status "$stderr")" 64
	done
}

@test "an address is a directory or a socket" {
	put a
	for address in "" "$store" dir: unix: tcp:x; do
		refuse_untouched 64 "dir:PATH|no path" ls --store "$address"
	done
	refuse_untouched 64 "did you mean dir:$store" ls --store "$store"
	expect 0 ls --store "dir:$store"
	WAYBILL_STORE=nonsense run --separate-stderr waybill ls
	is "$status" 64
	WAYBILL_STORE=nonsense expect 0 ls --store "dir:$store"
}

@test "a relative directory and one with a colon" {
	export WAYBILL_STORE=
	expect 0 put a --media-type t --digest $d1 --size 1 --store dir:b:c
	expect 0 ls -q --store "dir:$PWD/b:c"
	is "$output" $library/a:latest
}

@test "a socket without a daemon is exit 69, in JSON too" {
	for command in ls "get a" stat "rm a" "put a --media-type t --size 1 \
		--digest $d1"; do
		expect 69 --store unix:"$PWD/none" $command
		says_one_line "does not answer"
	done
	expect 69 --store unix:"$PWD/none" ls --json
	is "$(json error/code "$stderr")" unavailable
	long=$(printf 'x%.0s' {1..200})
	expect 64 --store "unix:/$long" ls
}

# listen PATH: a socket on which somebody listens but says nothing.
listen()
{
	/usr/bin/python3 -c '
import socket, sys, time
s = socket.socket(socket.AF_UNIX)
s.bind(sys.argv[1]); s.listen(); print("ready", flush=True); time.sleep(60)
' "$1" >"$BATS_TEST_TMPDIR/listening" 3>&- &
	listener=$!
	until [ -s "$BATS_TEST_TMPDIR/listening" ]; do sleep 0.01; done
}

# as_user COMMAND…: without privileges. What gcov counts goes where that user may
# write: it complains on standard error.
as_user()
{
	if [ "$(id -u)" -eq 0 ]; then
		GCOV_PREFIX=$open/counts setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
	else
		"$@"
	fi
}

# Sets $open, a directory that such a user can write, and $program, a copy
# that it can reach.
open_up()
{
	local parent=${TMPDIR:-/tmp}

	program=$(mktemp -d "$parent/waybill-cli.XXXXXX")
	cp "$binary" "$program/waybill"
	if [ "$(stat -f -c %T "$parent")" = overlayfs ]; then
		parent=/dev/shm
	fi
	open=$(mktemp -d "$parent/waybill-cli.XXXXXX")
	chmod 755 "$program"
	chmod 777 "$open"
	leftovers+=("$program" "$open")
}

@test "defaults: the socket's place first, then the state directory" {
	open_up
	unset WAYBILL_STORE
	user() { as_user env XDG_RUNTIME_DIR="$open/run" HOME="$open" \
		"$program/waybill" "$@"; }
	# Nothing at the socket's place: the directory, made with its parents.
	run --separate-stderr user put a --media-type t --digest $d1 --size 1
	is "$status" 0
	[ -d "$open/.local/state/waybill" ]
	run --separate-stderr as_user env XDG_STATE_HOME="$open/state" \
		"$program/waybill" ls
	is "$status" 2
	has "$stderr" "dir:$open/state/waybill"
	run --separate-stderr as_user env -u HOME "$program/waybill" ls
	is "$status" 64
	has "$stderr" "WAYBILL_STORE, XDG_STATE_HOME or HOME"
	has "$(waybill --help)" '$HOME/.local/state/waybill'

	# Something there that does not answer is never passed over.
	mkdir -p "$open/run/waybill"
	: >"$open/run/waybill/waybill.sock"
	chmod 777 "$open/run/waybill/waybill.sock"
	run --separate-stderr user ls
	is "$status" 69
	rm "$open/run/waybill/waybill.sock"
	listen "$open/run/waybill/waybill.sock"
	chmod 777 "$open/run/waybill/waybill.sock"
	run --separate-stderr user ls
	is "$status" 69
	has "$stderr" "opens directories only"
	chmod 000 "$open/run/waybill/waybill.sock"
	run --separate-stderr user ls
	is "$status" 77
	kill $listener
	# The address that is given wins.
	run --separate-stderr user ls -q --store "dir:$open/.local/state/waybill"
	is "$output" $library/a:latest
}

@test "no permission is exit 77, and changes nothing" {
	open_up
	unset WAYBILL_STORE
	export store=$open/store
	put a $d1 --store "dir:$store"
	before=$(files)
	chmod 700 "$store"
	if [ "$(id -u)" -ne 0 ]; then chmod 000 "$store"; fi
	run --separate-stderr as_user "$program/waybill" ls --store "dir:$store"
	is "$status" 77
	says_one_line .
	run --separate-stderr as_user "$program/waybill" rm a --store "dir:$store"
	is "$status" 77
	says_one_line .
	# Readable, not writable, and not all of it.
	chmod -R a+rX,a-w "$store"
	chmod 000 "$store/anchor"
	run --separate-stderr as_user "$program/waybill" ls --store "dir:$store"
	is "$status" 77
	says_one_line "dir:$store: anchor: Permission denied$"
	chmod 444 "$store/anchor"
	run --separate-stderr as_user "$program/waybill" rm a --store "dir:$store"
	is "$status" 77
	says_one_line .
	is "$(files)" "$before"
	# Nor can a layout be read that is not for everybody.
	mkdir "$open/private"
	mkdir "$open/private/layout"
	chmod 000 "$open/private"
	for place in private private/layout private/layout:tag; do
		run --separate-stderr as_user "$program/waybill" put a \
			--from "oci:$open/$place" --store "dir:$open/new"
		is "$status" 77
		says_one_line "put: (oci:)?$open/private.*: Permission denied$"
	done
	chmod 700 "$open/private"
	# No store can be made where nothing can be written.
	mkdir "$open/closed"
	chmod 555 "$open/closed"
	run --separate-stderr as_user "$program/waybill" put a --media-type t \
		--digest $d1 --size 1 --store "dir:$open/closed/store"
	is "$status" 77
	says_one_line .
	chmod 700 "$store" "$open/closed"
}

@test "a read-only file system is named as the reason" {
	can_mount || skip "no name spaces"
	export place binary d1
	run --separate-stderr mounted '
		mount -t tmpfs none "$place/mountpoint"
		put() { "$binary" put a --media-type t --digest $d1 --size 1 \
			--store "dir:$place/mountpoint/store"; }
		put
		mount -o remount,ro "$place/mountpoint"
		"$binary" get -q a --store "dir:$place/mountpoint/store"
		put || exit $?'
	is "$status" 77
	is "${lines[1]}" $d1
	is "$stderr" "waybill: put: dir:$place/mountpoint/store: lock: \
Read-only file system"
}

@test "output that cannot be written is an error" {
	put a
	for command in ls "get a" log "show a" stat --help "ls --json" \
		"audit log" "audit head" "audit verify"; do
		run --separate-stderr bash -c "'$binary' $command >/dev/full"
		is "$status" 73
		has "$stderr" "standard output: No space left"
		run --separate-stderr bash -c "'$binary' $command >&-"
		is "$status" 74
		has "$stderr" "standard output: Bad file descriptor"
	done
	run --separate-stderr bash -c "'$binary' ls --json >/dev/full"
	is "$(json error/code "$stderr")" no_space
}

@test "a change is made even if its answer cannot be written" {
	put a
	run --separate-stderr bash -c "'$binary' tag a b >/dev/full"
	is "$status" 73
	has "${stderr_lines[0]}" "the change is made, at revision 2"
	has "${stderr_lines[1]}" "No space left"
	expect 0 get -q b
	is "$output" $d1
}

@test "a reader that goes away ends a command quietly" {
	for i in $(seq 2000); do
		echo "{\"op\":\"put\",\"name\":\"n$i\",\"target\":{\"mediaType\":\
\"t\",\"digest\":\"$d1\",\"size\":1}}"
	done >plan
	waybill apply plan >/dev/null
	for command in ls "ls --json" "ls -q" "log --limit 0" --help; do
		run --separate-stderr bash -c "
			'$binary' $command | true
			exit \${PIPESTATUS[0]}"
		is "$status" 0
		is "$stderr" ""
	done
	run --separate-stderr bash -c "
		'$binary' rm n1 | true
		exit \${PIPESTATUS[0]}"
	is "$status" 0
	is "$stderr" ""
	expect 2 get n1
}

@test "a slow reader holds no lock" {
	for i in $(seq 2000); do
		echo "{\"op\":\"put\",\"name\":\"n$i\",\"target\":{\"mediaType\":\
\"t\",\"digest\":\"$d1\",\"size\":1}}"
	done >plan
	waybill apply plan >/dev/null
	mkfifo slow
	waybill ls >slow 3>&- &
	lister=$!
	# One byte has come, far more than a pipe holds has not: it is stuck
	# in its output, and the store is free.
	exec 4<slow
	head -c 1 <&4 >/dev/null
	put another
	is "$(cat <&4 | wc -l)" 2001
	exec 4<&-
	wait $lister
}
