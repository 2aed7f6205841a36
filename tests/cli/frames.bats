# SPDX-License-Identifier: Apache-2.0
# frames: a file piece by piece.
load helper.bash

log=0000000000000001.log

make_store()
{
	put a $d1 --reason "the first"
	put b $d2
	waybill rm a >/dev/null
}

@test "every frame of a segment is a row" {
	make_store
	before=$(files)
	expect 0 frames $log
	has "$output" "header       good, good; salt: header"
	is "$(printf '%s\n' "${lines[@]}" | grep -c COMMIT)" 3
	is "$(printf '%s\n' "${lines[@]}" | grep -c CLOSE)" 3
	has "$output" "put $library/a:latest in default"
	has "$output" "delete $library/a:latest in default"
	has "${lines[-1]}" zeros
	is "$(files)" "$before"
}

@test "a path is taken as it is, a name is one in the store" {
	make_store
	mkdir elsewhere
	cp "$store/$log" elsewhere/copy
	expect 0 frames elsewhere/copy
	first=$output
	expect 0 --store dir:none frames "$store/$log"
	is "${lines[3]}" "$(printf '%s\n' "$first" | sed -n 4p)"
	expect 2 frames nothing.log
	says_one_line "nothing.log: not found"
	expect 2 frames none/x
	expect 64 frames
	expect 64 frames a b
	expect 64 --store unix:/x frames $log
	expect 0 --store unix:/x frames elsewhere/copy
}

@test "JSON has all of it" {
	make_store
	expect 0 frames --json $log
	is "$(json segment/header/first_revision "${lines[0]}")" 1
	is "$(json segment/copies/1 "${lines[0]}")" good
	piece=${lines[1]}
	is "$(json piece/offset "$piece")" 8192
	is "$(json piece/what "$piece")" frame
	is "$(json piece/type "$piece")" COMMIT
	is "$(json piece/revision "$piece")" 1
	is "$(json piece/durable_revision "$piece")" 0
	is "$(json piece/checksum "$piece")" good
	is "$(json piece/commit/reason "$piece")" "the first"
	is "$(json piece/commit/mutations/0/op "$piece")" put
	is "$(json piece/commit/mutations/0/name "$piece")" $library/a:latest
	is "$(json piece/commit/actor/uid "$piece")" "$(id -u)"
	is "$(json piece/commit/mutations/0/op "${lines[5]}")" delete
	is "$(json piece/commit/mutations/0/previous_revision "${lines[5]}")" 1
	# Without a gap, from the header to the end.
	printf '%s\n' "${lines[@]}" >pieces
	/usr/bin/python3 - pieces "$(stat -c %s "$store/$log")" <<-'END'
	import json, sys
	at = 8192
	for line in list(open(sys.argv[1]))[1:]:
	    piece = json.loads(line)["piece"]
	    assert piece["offset"] == at, piece
	    at += piece["bytes"]
	assert at == int(sys.argv[2])
	END
}

@test "damage is 6, and what is behind it is told" {
	make_store
	printf '\245' | dd of="$store/$log" bs=1 seek=8300 conv=notrunc \
		status=none
	expect 6 frames $log
	is "$stderr" ""
	has "$output" "damaged COMMIT"
	is "$(printf '%s\n' "${lines[@]}" | grep -c ' COMMIT .* good')" 2
	expect 6 frames --json $log
	is "$(json piece/what "${lines[1]}")" damaged
	is "$(json piece/checksum "${lines[1]}")" bad
	expect 6 frames -q $log
	is "${lines[0]}" 8192
	# One bad copy of the header is enough.
	printf '\245' | dd of="$store/$log" bs=1 seek=20 conv=notrunc \
		status=none
	expect 6 frames $log
	has "$output" "header       bad, good; salt: header"
	printf '\245' | dd of="$store/$log" bs=1 seek=4116 conv=notrunc \
		status=none
	expect 6 frames $log
	has "$output" "header       bad, bad; salt: guessed"
	is "$(printf '%s\n' "${lines[@]}" | grep -c ' COMMIT .* good')" 2
}

@test "the anchor has two slots" {
	make_store
	expect 0 frames anchor
	is "$(printf '%s\n' "${lines[@]}" | grep -c 'slot .  *good')" 2
	has "$output" "durable    revision 3, byte"
	expect 0 frames --json anchor
	is "${#lines[@]}" 2
	is "$(json anchor/checksum "${lines[0]}")" good
	printf '\245' | dd of="$store/anchor" bs=1 seek=50 conv=notrunc \
		status=none
	expect 6 frames anchor
	has "$output" "slot 0       bad"
	expect 6 frames --json anchor
	is "$(json anchor/checksum "${lines[0]}")" bad
	is "$(json anchor/slot "${lines[1]}")" 1
	truncate -s 100 "$store/anchor"
	expect 6 frames anchor
}

@test "what is no segment is told as garbage" {
	mkdir somewhere
	head -c 20000 /dev/urandom >somewhere/noise
	expect 6 frames somewhere/noise
	has "$output" "header       bad, bad; salt: unknown"
	has "$output" garbage
	: >somewhere/empty
	expect 6 frames somewhere/empty
	has "$output" "bytes        0"
	mkfifo somewhere/pipe
	expect 74 frames somewhere/pipe
}

@test "-q prints the offsets of an anchor's slots too" {
	put a
	expect 0 frames -q anchor
	is "$output" "0
4096"
	waybill frames -0 anchor | cmp - <(printf '0\0004096\0')
}
