# SPDX-License-Identifier: Apache-2.0
load helper.bash

# Three images, two of them in "default", one that was deleted.
fill()
{
	put a $d1 --label tier=gold --reason first
	put b $d2
	put gone $d3
	waybill rm gone >/dev/null
	put c $d3 -n other
}

# The names in the dump of $output, in its order.
names()
{
	/usr/bin/python3 -c '
import json, sys
for line in sys.argv[1].splitlines():
    entry = json.loads(line)
    if "name" in entry:
        print(entry["namespace"] + "/" + entry["name"].split("/")[-1])
' "$output"
}

@test "a dump has a header, a line for each record, and an end that sums up" {
	fill
	expect 0 dump
	is "$stderr" ""
	is "${#lines[@]}" 5
	is "${lines[0]}" \
		'{"format":"waybill-dump","version":1,"content":"state"}'
	is "$(names)" "default/a:latest
default/b:latest
other/c:latest"
	is "$(json type "${lines[1]}")" image
	is "$(json target/digest "${lines[1]}")" $d1
	is "$(json labels/tier "${lines[1]}")" gold
	is "$(json count "${lines[4]}")" 3
	is "$(json sha256 "${lines[4]}")" "$(waybill dump | head -n -1 |
		sha256sum | cut -d ' ' -f 1)"
	# Nothing of the store itself, and no revision.
	[[ ! "$output" =~ uuid|epoch|revision ]]
}

@test "a dump reads only" {
	fill
	before=$(files)
	for options in "" "--at 2" --history "-n other" "--prefix a"; do
		expect 0 dump $options
	done
	is "$(files)" "$before"
}

@test "one namespace, or names that begin so" {
	fill
	expect 0 dump -n other
	is "$(names)" other/c:latest
	expect 0 dump --prefix $library/b
	is "$(names)" default/b:latest
	expect 0 dump -n nobody
	is "${#lines[@]}" 2
	# The environment chooses no part of a backup.
	WAYBILL_NAMESPACE=other expect 0 dump
	is "${#lines[@]}" 5
}

@test "the past is dumped as it was" {
	put a $d1
	waybill dump >first
	put b $d2
	waybill dump >second
	waybill rm a >/dev/null
	put b $d3
	for point in 1 r1; do
		waybill dump --at $point | cmp - first
	done
	waybill dump --at 2 | cmp - second
	waybill dump --at now | cmp - <(waybill dump)
	expect 0 dump --at 0
	is "${#lines[@]}" 2
	expect 0 dump --at 2001-01-01
	is "${#lines[@]}" 2
	refuse_untouched 2 "revision 9 is not there yet; the newest is 4" \
		dump --at 9
	refuse_untouched 65 "--at tomorrow: neither a revision" \
		dump --at tomorrow
}

@test "a history has every commit" {
	fill
	expect 0 dump --history
	is "${#lines[@]}" 12
	is "$(json content "${lines[0]}")" history
	is "$(json type "${lines[1]}")" commit
	is "$(json revision "${lines[1]}")" 1
	is "$(json reason "${lines[1]}")" first
	is "$(json actor/command "${lines[1]}")" "waybill put"
	is "$(json actor/uid "${lines[1]}")" "$(id -u)"
	is "$(json type "${lines[8]}")" deletion
	is "$(json name "${lines[8]}")" $library/gone:latest
	is "$(json count "${lines[11]}")" 10
	for options in "--at 2" "--prefix a" "-n default"; do
		refuse_untouched 64 "whole store" dump --history $options
	done
}

@test "no store, no dump" {
	refuse_untouched 2 "no waybill store" dump
	expect 69 dump --store unix:"$PWD/none"
	refuse_untouched 64 "unexpected argument" dump file
}

@test "a damaged store is not dumped as a smaller one" {
	fill
	segment=$store/0000000000000001.log
	printf x | dd of="$segment" bs=1 seek=8300 conv=notrunc status=none
	expect 6 dump
	is "$output" ""
}

@test "a reader that goes away ends it quietly, a full disk does not" {
	fill
	for options in "" --history; do
		run --separate-stderr bash -c "
			'$binary' dump $options | true
			exit \${PIPESTATUS[0]}"
		is "$status" 0
		is "$stderr" ""
		run --separate-stderr bash -c "'$binary' dump $options >/dev/full"
		is "$status" 73
		has "$stderr" "No space left"
	done
}

@test "the examples of docs/DUMP.md are dumps" {
	awk '/^```/ { n++; next } n % 2 { print >"example" (n + 1) / 2 }' \
		"$source_dir/docs/DUMP.md"
	expect 0 load example1
	is "$output" "2 records loaded at revision 1"
	waybill dump | cmp - example1
	expect 0 load example2 --store dir:"$place/past"
	is "$output" "2 commits loaded"
	waybill dump --history --store dir:"$place/past" | cmp - example2
	is "$(head -n -1 example2 | sha256sum | cut -d ' ' -f 1)" \
		"$(json sha256 "$(tail -n 1 example2)")"
}
