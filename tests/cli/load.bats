# SPDX-License-Identifier: Apache-2.0
load helper.bash

# Sets $dump, a file: three images, two namespaces.
make_dump()
{
	put a $d1 --label tier=gold
	put b $d2
	put c $d3 -n other
	dump=$place/dump.jsonl
	waybill dump >"$dump"
	waybill dump --history >"$place/history.jsonl"
	rm -r "$store"
}

# sealed LINE…: a dump of these lines, with an end that fits.
sealed()
{
	printf '%s\n' '{"format":"waybill-dump","version":1,"content":"state"}' \
		"$@" >body
	cat body
	printf '{"type":"end","count":%d,"sha256":"%s"}\n' $# \
		"$(sha256sum <body | cut -d ' ' -f 1)"
}

# many_records COUNT: a dump of so many.
many_records()
{
	awk -v n="$1" 'BEGIN { for (i = 0; i < n; i++) printf "{\"type\":" \
		"\"record\",\"kind\":64,\"namespace\":\"n\",\"name\":" \
		"\"n%06d\",\"value\":\"\"}\n", i }' >lines
	{ echo '{"format":"waybill-dump","version":1,"content":"state"}'
		cat lines; } >body
	cat body
	printf '{"type":"end","count":%d,"sha256":"%s"}\n' "$1" \
		"$(sha256sum <body | cut -d ' ' -f 1)"
}

@test "what was dumped is loaded, and dumped the same" {
	make_dump
	expect 0 load "$dump"
	is "$output" "3 records loaded at revision 1"
	is "$stderr" ""
	waybill dump | cmp - "$dump"
	expect 0 log --json
	is "$(json actor/command "${lines[0]}")" "waybill load"
	is "$(json revision "${lines[0]}")" 1
}

@test "from standard input, from a pipe, with a reason" {
	make_dump
	run --separate-stderr waybill load --reason restore <"$dump"
	is "$status" 0
	is "$(json reason "$(waybill log --json | head -n 1)")" restore
	rm -r "$store"
	run --separate-stderr bash -c "cat '$dump' | '$binary' load -"
	is "$status" 0
	waybill dump | cmp - "$dump"
	rm -r "$store"
	# From the middle of an open file on.
	{ echo garbage; cat "$dump"; } >longer
	run --separate-stderr bash -c "{ read -r _; '$binary' load; } <longer"
	is "$status" 0
	waybill dump | cmp - "$dump"
	[ -z "$(ls -A "$BATS_TEST_TMPDIR" | grep '^waybill\.')" ]
}

@test "the times of an image are those of the dump" {
	make_dump
	waybill load "$dump" >/dev/null
	expect 0 get a --json
	is "$(json created_at)" "$(json created_at "$(sed -n 2p "$dump")")"
	is "$(json updated_at)" "$(json updated_at "$(sed -n 2p "$dump")")"
	is "$(json labels/tier)" gold
}

@test "with --json the answer is JSON" {
	make_dump
	expect 0 load "$dump" --json
	is "$output" '{"history":false,"dry_run":false,"records":3,"loaded":3,"skipped":0,"commits":1,"revision":1}'
	expect 0 load "$dump" --json --skip-existing
	is "$output" '{"history":false,"dry_run":false,"records":3,"loaded":0,"skipped":3,"commits":0,"revision":null}'
	expect 0 load "$dump" -q --skip-existing
	is "$output" ""
	expect 3 load "$dump" --json
	is "$(json error/code "$stderr")" exists
	is "$(json error/status "$stderr")" 3
}

@test "a name that exists is in the way, or is skipped" {
	make_dump
	put b $d1
	refuse_untouched 3 "line 3: image .*b:latest.*--skip-existing" \
		load "$dump"
	expect 0 load "$dump" --skip-existing
	is "$output" "2 records loaded at revision 2, 1 skipped"
	expect 0 get b -q
	is "$output" $d1
	expect 0 load "$dump" --skip-existing
	is "$output" "0 records loaded, 3 skipped"
}

@test "dry run checks all and writes nothing" {
	make_dump
	expect 0 load "$dump" --dry-run
	is "$output" "3 records would be loaded"
	[ ! -e "$store" ]
	put b $d1
	before=$(files)
	expect 0 load "$dump" --dry-run --skip-existing
	is "$output" "2 records would be loaded, 1 skipped"
	is "$(files)" "$before"
	refuse_untouched 3 "line 3" load "$dump" --dry-run
	head -n -1 "$dump" >short
	refuse_untouched 65 "no end" load short --dry-run
}

@test "a dump that was cut short is refused at every line and makes no store" {
	make_dump
	for lines in 0 1 2 3 4; do
		head -n $lines "$dump" >short
		refuse_untouched 65 "short: line [0-9]+: .*cut short" load short
		[ ! -e "$store" ]
	done
	for bytes in 1 60 300 $(($(stat -c %s "$dump") - 1)); do
		head -c $bytes "$dump" >short
		refuse_untouched 65 "short: line [0-9]+: " load short
	done
}

@test "a dump that was changed is refused" {
	make_dump
	put z $d1
	while IFS='|' read -r edit says; do
		sed -E "$edit" "$dump" >edited
		run cmp -s "$dump" edited
		is "$status" 1
		refuse_untouched 65 "edited: line [0-9]+: $says" load edited
	done <<-'END'
	2s/gold/lead/|"sha256" is not that of the lines before
	3d|"count" is not how many
	2h;3G|the key is out of order
	s/1111/2222/|"sha256" is not that
	2s/"size":100/"size":101/|"sha256" is not
	$s/"count":3/"count":4/|"count" is not
	$s/[0-9a-f]{8}"\}$/00000000"}/|"sha256" is not
	$s/$/ /|the end is not as a dump writes it
	$a x|more follows the end
	2s/^/ /|"sha256" is not
	1s/state/history/|"uuid" is missing
	1s/waybill-dump/tar/|"format" is not
	2s/"labels"/"lables"/|unknown field "lables"
	END
}

@test "one that was changed and sealed again is held against the rules" {
	a='{"type":"record","kind":64,"namespace":"n","name":"a","value":""}'
	b='{"type":"record","kind":64,"namespace":"n","name":"b","value":""}'
	put z
	sealed "$a" "$b" >good
	expect 0 load good
	is "$output" "2 records loaded at revision 2"
	while IFS='|' read -r line says; do
		sealed "$line" >wrong
		refuse_untouched 65 "wrong: line 2: $says" load wrong
	done <<-END
	{}|"type" is missing
	[]|column 1: an object is expected
	{"type":"record"|.*expected
	{"type":"record","type":"record"}|field "type": twice
	{"type":"picture"}|unknown type "picture"
	{"type":"record","kind":194,"namespace":"","name":"a","value":""}|"kind"
	{"type":"image","namespace":"n","name":"a","target":{"mediaType":"t","digest":"$d1","size":0},"labels":{},"created_at":"2026-01-01T00:00:00Z","updated_at":"2026-01-01T00:00:00Z"}|Target.Size
	END
	sealed "$b" "$a" >wrong
	refuse_untouched 65 "wrong: line 3: the key is out of order" load wrong
	sealed "$a" "$a" >wrong
	refuse_untouched 65 "wrong: line 3: the same key" load wrong
}

@test "a dump of a later version is not a bad one" {
	echo '{"format":"waybill-dump","version":2,"content":"state"}' >later
	refuse_untouched 1 "line 1: a dump of version 2" load later
}

@test "what cannot be read or used is told" {
	make_dump
	refuse_untouched 2 "nofile: No such file" load nofile
	refuse_untouched 65 "directory" load .
	refuse_untouched 64 "unexpected argument" load a b
	refuse_untouched 64 "-n: the namespaces are those of the dump" \
		load "$dump" -n x
	refuse_untouched 64 "no option --if-absent here" \
		load "$dump" --if-absent
	expect 69 load "$dump" --store unix:"$PWD/none"
	export TMPDIR=$place/nowhere
	run --separate-stderr bash -c "cat '$dump' | '$binary' load"
	is "$status" 2
	has "$stderr" nowhere
	[ ! -e "$store" ]
}

@test "more records than a commit holds take several" {
	many_records 65540 >many
	expect 0 load many
	is "$output" \
		"65540 records loaded in 2 commits, the last at revision 2"
	waybill dump | cmp - many
}

@test "a history becomes a store with the same past" {
	make_dump
	expect 0 load history.jsonl
	is "$output" "3 commits loaded"
	waybill dump | cmp - "$dump"
	waybill dump --history | cmp - history.jsonl
	is "$(json uuid "$(waybill stat --json)")" \
		"$(json uuid "$(head -n 1 history.jsonl)")"
	expect 0 log
	put d
	is "$(waybill log -q --limit 1)" 4
	refuse_untouched 3 "dir:$store: a store is there" load history.jsonl
	refuse_untouched 3 "a store is there" load history.jsonl --dry-run
	mkdir home
	touch home/letter
	expect 2 load history.jsonl --store dir:"$place/home"
	says_one_line "not empty \(letter\)"
	is "$(ls -A home)" letter
}

@test "a dry run is refused wherever the load would be" {
	make_dump
	for from in "$dump" history.jsonl; do
		expect 2 load $from --store "dir:$place/nope/x"
		expect 2 load $from --dry-run --store "dir:$place/nope/x"
		is "$output" ""
		[ ! -e nope ]
	done
	says_one_line "nope/x: cannot make the directory: No such file"
	: >file
	for flag in "" --dry-run; do
		expect 2 load history.jsonl $flag --store "dir:$place/file"
		expect 2 load history.jsonl $flag --store "dir:$place/file/x"
	done
	if can_mount; then
		mkdir frozen
		for at in "new" "empty" "new --dry-run" "empty --dry-run"; do
			run mounted "
				mount -t tmpfs none frozen
				mkdir frozen/empty
				mount -o remount,ro frozen
				'$binary' load history.jsonl \
					--store dir:frozen/$at"
			is "$status" 77
		done
	fi
	# The directories above a default one would be made.
	export WAYBILL_STORE= XDG_STATE_HOME=$place/state/deep
	if [ "$(id -u)" -ne 0 ]; then
		expect 0 load history.jsonl --dry-run
		[ ! -e state ]
	fi
}

# interrupted_load FILE CALL NUMBER: a signal comes while the NUMBERth CALL of
# a load takes a while. Sets $ended.
interrupted_load()
{
	: >trace
	ASAN_OPTIONS=detect_leaks=0 strace -qq -f -o trace -e trace="$2" \
		-e inject="$2":delay_enter=1000000:when="$3" \
		env --default-signal=INT,TERM,HUP "$binary" load "$1" \
		>out 2>err 3>&- &
	pid=$!
	until_stuck $pid $(($3 - 1))
	kill -INT "$tracee"
	ended=0
	wait $pid || ended=$?
}

@test "an interrupted load says what is there" {
	make_dump
	# The store that it makes is opened.
	interrupted_load "$dump" fdatasync 1
	is "$ended" 130
	[ -e "$store/anchor" ]
	is "$(cat err)" "waybill: load: interrupted, nothing was loaded; the \
store dir:$store was made, and is empty"
	expect 0 ls -q
	is "$output" ""
	# Once it is there, that is no news.
	interrupted_load "$dump" fdatasync 1
	is "$ended" 130
	is "$(cat err)" "waybill: load: interrupted, nothing was changed"
	rm -r "$store"
	interrupted_load history.jsonl fdatasync 1
	case $ended in
	0) is "$(cat out)" "3 commits loaded" ;;
	130) [ ! -e "$store/anchor" ] ;;
	*) cat err; return 1 ;;
	esac
}

@test "an interrupted load of several commits says how far it came" {
	many_records 65540 >many
	for number in 2 3 4 5 6; do
		rm -rf "$store"
		interrupted_load many fdatasync $number
		[ "$ended" -eq 130 ] || { cat err; return 1; }
		! grep -q "records are loaded" err || break
	done
	is "$(cat err)" "waybill: load: interrupted; 65536 of 65540 records \
are loaded, up to revision 1: --skip-existing goes on from there"
	is "$(json records "$(waybill stat --json)")" 65536
	expect 0 load many --skip-existing
	is "$output" "4 records loaded at revision 2, 65536 skipped"
	waybill dump | cmp - many
}

@test "fault_48_a_file_as_large_as_may_be_is_an_error_and_no_signal" {
	many_records 9000 >many
	# What comes through a pipe is kept in a file.
	run --separate-stderr bash -c \
		"ulimit -f 100; cat many | '$binary' load"
	is "$status" 73
	has "$stderr" "File too large"
	[ ! -e "$store" ]
	run --separate-stderr bash -c "ulimit -f 100; '$binary' load many"
	is "$status" 73
	has "$stderr" "File too large"
	rm -rf "$store"
	waybill load many >/dev/null
	waybill dump --history >history
	for answer in dump "audit log -A" "dump --history"; do
		run --separate-stderr bash -c \
			"ulimit -f 100; '$binary' $answer >answer"
		is "$status" 73
		has "$stderr" "standard output: File too large"
	done
	run --separate-stderr bash -c \
		"ulimit -f 100; '$binary' --store dir:new load history"
	is "$status" 73
	has "$stderr" "File too large"
	[ ! -e new ]
	waybill dump | cmp - many
}

@test "a history has its own reasons and goes where nothing is" {
	make_dump
	for options in "--reason x" --skip-existing; do
		refuse_untouched 64 "a history has its own" \
			load history.jsonl $options
	done
	expect 0 load history.jsonl --dry-run
	is "$output" "3 commits would be loaded"
	[ ! -e "$store" ]
	sed 's/gold/lead/' history.jsonl >edited
	refuse_untouched 65 "edited: line 8: \"sha256\"" load edited
	[ ! -e "$store" ]
	mkdir "$store"
	expect 0 load history.jsonl
	waybill dump | cmp - "$dump"
}
