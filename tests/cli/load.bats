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
	awk 'BEGIN { for (i = 0; i < 65540; i++) printf "{\"type\":" \
		"\"record\",\"kind\":64,\"namespace\":\"n\",\"name\":" \
		"\"n%06d\",\"value\":\"\"}\n", i }' >lines
	{ echo '{"format":"waybill-dump","version":1,"content":"state"}'
		cat lines; } >body
	{ cat body; printf '{"type":"end","count":65540,"sha256":"%s"}\n' \
		"$(sha256sum <body | cut -d ' ' -f 1)"; } >many
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
