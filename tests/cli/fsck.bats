# SPDX-License-Identifier: Apache-2.0
# fsck: what it says, what it does, and the bits of its exit status.
load helper.bash

# One segment: a, b, a again, c; each put opens and closes the store.
make_store()
{
	put a $d1
	put b $d2
	put a $d3
	put c $d1
	log=$store/0000000000000001.log
}

# spoil FILE OFFSET [COUNT]
spoil()
{
	head -c "${3:-1}" /dev/zero | tr '\0' '\245' |
		dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

# Where the last of the frames that begin with TEXT's put ends: break TEXT in
# its newest frame.
spoil_name()
{
	spoil "$log" "$(grep -abo "$1" "$log" | tail -n 1 | cut -d: -f1)" 1
}

# The only object of this kind in $output.
object()
{
	printf '%s\n' "${lines[@]}" | grep "^{\"$1\"" | tail -n 1
}

@test "a sound store is clean, and not a byte of it is touched" {
	make_store
	before=$(files)
	expect 0 fsck
	has "$output" "0 found, 0 fixed, 0 left"
	has "$output" "4 commits in 1 segment, whole up to revision 4"
	is "$stderr" ""
	expect 0 fsck -p
	has "$output" "0 found, 0 fixed, 0 left"
	expect 0 fsck --json
	is "${#lines[@]}" 1
	is "$(json summary/status)" 0
	is "$(json summary/revision)" 4
	expect 0 fsck -q
	is "$output" ""
	is "$(files)" "$before"
}

@test "notes are no reason for a status" {
	make_store
	echo x >"$store/tmp/x"
	echo x >"$store/torn/y"
	expect 0 fsck
	has "$output" "note: tmp/x"
	has "$output" "note: torn/y"
	expect 0 fsck -p
	has "$output" "fixed: tmp/x"
	[ ! -e "$store/tmp/x" ]
	[ -e "$store/torn/y" ]
}

@test "damage is 4, told with place, revisions and names, and left alone" {
	make_store
	spoil_name $library/b
	before=$(files)
	for flag in "" -p; do
		expect 4 fsck $flag
		has "$output" "damage: 0000000000000001.log, offset 9216: "
		has "$output" "revision  2 to 4"
		has "$output" "name      $library/a:latest in default"
		has "$output" "to do     keep what verifies"
		has "$output" "1 found, 0 fixed, 1 left"
		is "$(files)" "$before"
	done
	expect 4 fsck --json
	finding=$(object finding)
	is "$(json finding/code "$finding")" floor
	is "$(json finding/severity "$finding")" damage
	is "$(json finding/state "$finding")" left
	is "$(json finding/offset "$finding")" 9216
	is "$(json finding/revisions/first "$finding")" 2
	is "$(json finding/remedy "$finding")" salvage
	is "$(json summary/left "$(object summary)")" 1
	expect 4 fsck -q
	is "${lines[-1]}" $library/c:latest
	expect 6 ls
}

@test "a log that is gone is told with what the anchor knows of it" {
	make_store
	expect 0 stat --json
	epoch=$(json epoch)
	rm "$log"
	expect 4 fsck
	has "$output" "damage: anchor, offset 56: "
	has "$output" "revision  1 to 4"
	has "$output" "names     not known"
	has "$output" "1 found, 0 fixed, 1 left; 4 revisions affected"
	expect 4 fsck --json
	is "$(json summary/epoch "$(object summary)")" "$epoch"
	expect 4 fsck --salvage new
	has "$output" "lost        1 to 4"
	has "$output" "lost: at least 4"
	has "$output" "lost revisions of which no name is known: 4"
	expect 0 --store dir:new stat
	has "$output" "4 of 4 revisions of epoch $epoch are lost"
}

@test "-p writes a bad header copy and a bad anchor slot again" {
	make_store
	spoil "$log" 40
	expect 4 fsck
	has "$output" "another copy has all of it: fsck -p writes it again"
	expect 1 fsck -p
	has "$output" "fixed: 0000000000000001.log, offset 0: one copy"
	has "$output" "1 found, 1 fixed, 0 left"
	expect 0 fsck
	spoil "$store/anchor" 4136
	expect 4 fsck
	expect 1 fsck -p --json
	is "$(json summary/fixed "$(object summary)")" \
		"$(json summary/found "$(object summary)")"
	is "$(json finding/state "$(object finding)")" fixed
	expect 0 fsck
	expect 0 ls -q
	is "${#lines[@]}" 3
}

@test "-p cuts an unfinished write, which is kept" {
	make_store
	expect 0 stat --json
	spoil "$log" "$(json log_bytes)" 300
	expect 4 fsck
	has "$output" "warning: 0000000000000001.log"
	has "$output" "fsck -p sees to it, or the next open for writing"
	expect 1 fsck -p
	has "$output" "fixed: 0000000000000001.log"
	has "$stderr" "did not finish and was never acknowledged"
	is "$(ls "$store/torn" | wc -l)" 1
	expect 0 fsck
	expect 0 ls -q
	is "${#lines[@]}" 3
}

@test "-p rebuilds an anchor that the log proves, and no other" {
	make_store
	rm "$store/anchor"
	expect 6 ls
	expect 4 fsck
	has "$output" "the log proves all of it"
	expect 1 fsck -p
	expect 0 fsck
	expect 0 get -q a
	is "$output" $d3
	# Without the CLOSE at its end nobody knows what came after.
	expect 0 stat --json
	end=$(json log_bytes)
	dd if=/dev/zero of="$log" bs=1 seek=$((end - 512)) count=512 \
		conv=notrunc status=none
	rm "$store/anchor"
	before=$(files)
	expect 4 fsck -p
	has "$output" "there is a log, and no anchor"
	has "$output" "fsck --salvage NEWDIR"
	is "$(files)" "$before"
}

@test "--salvage makes a store of all that verifies, and says what is lost" {
	make_store
	spoil_name $library/b
	before=$(files)
	expect 4 fsck --salvage new
	is "$(files)" "$before"
	has "$output" "lost        2"
	has "$output" "moved       3 to 4, from 2 on now"
	has "$output" "3 commits are in new now, lost: 1"
	has "$output" "up to revision 1 the history is what it was"
	expect 0 --store dir:new fsck
	expect 0 --store dir:new ls -q
	is "${#lines[@]}" 2
	expect 0 --store dir:new get -q a
	is "$output" $d3
	expect 2 --store dir:new get b
	# The reason and the time are those that were.
	expect 0 --store dir:new log --json a
	is "$(json revision "${lines[0]}")" 2
	is "$(json previous_revision "${lines[0]}")" 1
	expect 0 --store dir:new stat
	has "$output" "gc blocked   salvage: 1 of 4 revisions"
	expect 0 --store dir:new stat --json
	has "$(json gc_blocked)" "salvage: 1 of 4 revisions"
	expect 0 stat --json --store dir:"$place/none" || true
	# It goes on.
	expect 0 --store dir:new put d --media-type t --digest $d1 --size 1
	# Another salvage does not make it forgotten.
	expect 0 --store dir:new fsck --salvage again
	expect 0 --store dir:again stat
	has "$output" "gc blocked   salvage: 1 of 4 revisions"
	has "$output" "; salvage: 0 of 5 revisions"
}

@test "the list of losses is what --json says" {
	make_store
	spoil_name $library/b
	waybill fsck --salvage new --json >out || [ $? -eq 4 ]
	grep -E '^\{"(lost|moved|name)"' out >told
	tail -n +2 new/salvage.jsonl >listed
	/usr/bin/python3 - told listed <<-'END'
	import json, sys
	told, listed = ([json.loads(line) for line in open(name)]
	                for name in sys.argv[1:])
	assert told and told == listed, (told, listed)
	END
	is "$(json salvage/commits "$(head -n 1 new/salvage.jsonl)")" 3
}

@test "a store of which all verifies is salvaged with 1, a sound one with 0" {
	make_store
	expect 0 fsck --salvage copy
	expect 0 --store dir:copy ls -q
	is "${#lines[@]}" 3
	rm "$store/anchor"
	expect 1 fsck --salvage new
	has "$output" "4 commits are in new now, lost: 0"
	expect 0 --store dir:new ls -q
	is "${#lines[@]}" 3
}

@test "an end that nothing proves is a loss of nobody knows how much" {
	make_store
	# A byte too many in revision 2, and an anchor without a slot.
	/usr/bin/python3 - "$log" <<-'END'
	import sys
	with open(sys.argv[1], "r+b") as file:
	    bytes = file.read()
	    file.seek(9300)
	    file.write(b"x" + bytes[9300:])
	END
	spoil "$store/anchor" 40
	spoil "$store/anchor" 4136
	expect 4 fsck
	has "$output" "nothing proves where the log ended"
	has "$output" "2 and all after it"
	[[ "$output" != *"did not finish"* ]]
	expect 4 fsck --json
	finding=$(printf '%s\n' "${lines[@]}" | grep '"code":"end"')
	is "$(json finding/revisions/last "$finding")" null
	expect 4 fsck --salvage new
	has "$output" "1 commit is in new now, lost: not known"
	has "$output" "how many commits there were after revision 1 cannot be"
	is "$(json salvage/unknown_from "$(head -n 1 new/salvage.jsonl)")" 2
	expect 0 --store dir:new stat
	has "$output" "how many revisions there were after 1 cannot be told"
	# No segment is left either.
	rm "$log"
	expect 4 fsck --salvage none --json
	is "$(json salvage/unknown_from "$(object salvage)")" 1
	expect 4 fsck --salvage other
	has "$output" "how many commits there were cannot be told"
}

@test "--salvage takes an empty directory and no other" {
	make_store
	mkdir empty full
	echo x >full/x
	expect 0 fsck --salvage empty
	expect 8 fsck --salvage full
	says_one_line "fsck: full: already exists: .*empty or a new directory"
	is "$(ls full)" x
	expect 8 fsck --salvage none/new
	says_one_line "fsck: none/new: cannot make the directory: No such file"
	[ ! -e none ]
	for inside in "$store" "$store/new" "$store/tmp" empty/../store/x; do
		expect 16 fsck --salvage "$inside"
		says_one_line "$inside: it is in the store that is salvaged"
	done
	ln -s "$store" link
	expect 16 fsck --salvage link/new
	[ ! -e "$store/new" ] && [ ! -e "$store/x" ]
	expect 16 fsck --salvage ""
	says_one_line "needs the name of a directory"
	expect 0 ls -q
}

@test "--salvage onto a full disk leaves nothing" {
	make_store
	can_mount || skip "no name spaces"
	mkdir -p small
	mounted "
		mount -t tmpfs -o size=24k none small
		status=0
		'$binary' fsck --salvage small/new 2>err || status=\$?
		[ \$status -eq 8 ] || { echo status \$status; cat err; exit 1; }
		[ ! -e small/new ] || { ls -lR small; exit 1; }
	"
	has "$(cat err)" "store: the new store: "
	has "$(cat err)" "o space left"
}

@test "a held store is 8, with the holder's pid" {
	mkdir acks
	"$build_dir/examples/writers" "$store" >acks/log 3>&- &
	holder=$!
	until [ -s acks/log ]; do
		kill -0 $holder # it is not built, or it failed
		sleep 0.01
	done
	for flag in "" -p "--salvage new"; do
		expect 8 fsck $flag
		says_one_line "held by process $holder"
	done
	[ ! -e new ]
	expect 8 fsck --json
	is "$(json error/code "$stderr")" locked
	is "$(json error/status "$stderr")" 8
	kill -9 $holder
	wait $holder || true
	waybill fsck -p >/dev/null 2>&1 || [ $? -eq 1 ]
	expect 0 fsck
}

@test "what is no store is 8, and no file is made in it" {
	expect 8 fsck
	says_one_line "no waybill store"
	mkdir "$store"
	echo x >"$store/x"
	for flag in "" -p "--salvage new"; do
		expect 8 fsck $flag
		says_one_line "no waybill store"
	done
	is "$(ls "$store")" x
	[ ! -e new ]
}

@test "a wrong use is 16" {
	make_store
	for wrong in "fsck x" "fsck -p --salvage new" "fsck --salvage" \
		"fsck --bogus" "fsck -x" "--store unix:/x fsck" \
		"fsck --reason x" "fsck --progress x" "fsck -n /" \
		"--bogus fsck" "-x fsck" "--json=x fsck" \
		"--store dir:x --store dir:y fsck"; do
		expect 16 $wrong
		is "$output" ""
		[ "${#stderr_lines[@]}" -eq 1 ]
	done
	# Whose word it is behind a wrong command, nobody knows.
	expect 64 bogus fsck
	expect 64 --bogus ls
	expect 16 --bogus --json fsck
	is "$(json error/status "$stderr")" 16
	expect 16 fsck -n ""
	for variable in WAYBILL_NAMESPACE CONTAINERD_NAMESPACE; do
		export $variable="bad ns"
		expect 0 fsck
		expect 0 frames anchor
		expect 65 ls
		unset $variable
	done
	expect 16 fsck --json --bogus
	is "$(json error/status "$stderr")" 16
	[ ! -e new ]
	expect 0 fsck --help
	has "$output" "32  interrupted"
	is "${lines[0]}" "usage: waybill fsck [OPTION…]"
}

@test "a file that cannot be read is 4 and 8, and the rest is checked" {
	make_store
	spoil "$store/anchor" 40
	# Every read of the log fails; the anchor is read all the same.
	export ASAN_OPTIONS=detect_leaks=0
	run --separate-stderr strace -qq -f -o trace -P "$log" \
		-e inject=pread64:error=EIO "$binary" fsck
	is "$status" 12
	has "$output" "damage: 0000000000000001.log, offset 0: a file, or a part"
	has "$output" "input/output error"
	has "$output" "anchor, offset 0: one slot of the anchor is bad"
}

@test "a newer version's store is 8 and neither repaired nor salvaged" {
	make_store
	/usr/bin/python3 - "$log" <<-'END'
	import sys
	import xxhash
	with open(sys.argv[1], "r+b") as file:
	    for copy in range(2):
	        file.seek(copy * 4096)
	        page = bytearray(file.read(4096))
	        page[16] = 2
	        sum = xxhash.xxh3_64_intdigest(bytes(page[8:]), copy * 4096)
	        page[:8] = sum.to_bytes(8, "little")
	        file.seek(copy * 4096)
	        file.write(page)
	END
	before=$(files)
	expect 8 fsck -p
	has "$output" "use a newer version of waybill"
	expect 8 fsck --salvage new
	[ ! -e new ]
	is "$(files)" "$before"
}

@test "what a salvage left that did not finish is none to salvage" {
	make_store
	expect 0 fsck --salvage half
	mv half/anchor half/anchor.unfinished
	expect 8 --store dir:half fsck --salvage new
	has "$stderr" "a salvage or a load into it did not finish: remove"
	[ ! -e new ]
	expect 4 --store dir:half fsck
	has "$output" "to do     remove the directory, and do it again"
}

# interrupted CALL NUMBER ARGUMENT…: a signal comes while the NUMBERth CALL
# takes a while. Sets $ended.
interrupted()
{
	: >trace
	ASAN_OPTIONS=detect_leaks=0 strace -qq -f -o trace -e trace="$1" \
		-e inject="$1":delay_enter=1000000:when="$2" \
		env --default-signal=INT,TERM,HUP "$binary" "${@:3}" \
		>out 2>err 3>&- &
	pid=$!
	until_stuck $pid $(($2 - 1))
	kill -INT "$tracee"
	ended=0
	wait $pid || ended=$?
}

@test "an interrupted check is 32" {
	make_store
	reads=$(ASAN_OPTIONS=detect_leaks=0 strace -qq -f -o count \
		-e trace=pread64 "$binary" fsck >/dev/null 3>&-
		wc -l <count)
	interrupted pread64 "$reads" fsck
	is "$ended" 32
	is "$(cat out)" ""
	is "$(cat err)" "waybill: interrupted, nothing was changed"
}

@test "an interrupted salvage is 32 and leaves nothing" {
	make_store
	interrupted fdatasync 1 fsck --salvage new
	is "$ended" 32
	is "$(cat out)" ""
	has "$(cat err)" "interrupted, no new store was made"
	[ ! -e new ]
	expect 0 fsck --salvage new
}

@test "an interrupted repair finishes what it began, and is 32" {
	make_store
	spoil "$log" 40
	interrupted fdatasync 1 fsck -p
	is "$ended" 32
	is "$(cat out)" ""
	has "$(cat err)" "interrupted: what was begun is finished"
	expect 0 fsck
	# While it looks.
	before=$(files)
	spoil "$log" 40
	spoilt=$(files)
	interrupted flock 1 fsck -p --json
	is "$ended" 32
	is "$(json error/code "$(cat err)")" cancelled
	has "$(cat err)" "nothing was changed"
	is "$(files)" "$spoilt"
	expect 1 fsck -p
	is "$(files)" "$before"
}

@test "what is no file is told as that, wherever it is, and nothing waits" {
	make_store
	segment=0000000000000001.log
	mv "$log" saved
	for make in mkfifo mkdir "ln -s $PWD/saved"; do
		$make "$log"
		what="not a regular file"
		[ "$make" = mkfifo ] || [ "$make" = mkdir ] || what="a symbolic link"
		expect 12 fsck
		has "$output" "$segment, offset 0: a file, or a part of it"
		has "$output" "cannot be read: $what"
		expect 74 frames $segment
		says_one_line "$segment: $what"
		expect 74 ls
		says_one_line "$segment: $what"
		rm -r "$log"
	done
	mv saved "$log"
	expect 0 fsck
}

@test "what is in the way of tmp/, or in it, is found and left alone" {
	make_store
	rmdir "$store/tmp"
	touch "$store/tmp"
	for flag in "" -p; do
		expect 4 fsck $flag
		has "$output" "warning: tmp, offset 0: something else"
		has "$output" "not a directory"
		has "$output" "to do     move it elsewhere"
	done
	expect 74 rm a
	rm "$store/tmp"
	mkdir -p "$store/tmp/folder"
	for flag in "" -p; do
		expect 4 fsck $flag
		has "$output" "warning: tmp/folder, offset 0: something else"
		has "$output" "not a regular file"
		is "$stderr" ""
	done
	expect 4 fsck --json
	is "$(json finding/code "$(object finding)")" stray
	is "$(json finding/remedy "$(object finding)")" move
	rmdir "$store/tmp/folder"
	expect 0 fsck
}

@test "an unfinished salvage or load is told as that by every command" {
	make_store
	waybill dump >dump
	mv "$store/anchor" "$store/anchor.unfinished"
	for command in stat dump ls "rm a" "load dump" \
		"put x --media-type t --digest $d1 --size 1"; do
		expect 6 $command
		says_one_line "anchor.unfinished: .*did not finish: remove the dir"
	done
	# Where it is only lost it is not.
	rm "$store/anchor.unfinished"
	expect 6 stat
	says_one_line "anchor: .*is missing, and the log is not empty"
}

@test "control characters in names do not reach the terminal" {
	waybill --raw put $'a\u009bb' --media-type t --digest $d1 --size 1 \
		2>/dev/null || true
	put plain $d1
	put other $d1
	log=$store/0000000000000001.log
	# The name in a damaged frame is whatever the bytes are.
	at=$(grep -abo $library/plain "$log" | cut -d: -f1)
	printf '\033[2J' | dd of="$log" bs=1 seek=$at conv=notrunc status=none
	for command in fsck "fsck -q" "frames 0000000000000001.log" \
		"fsck --json" "frames --json 0000000000000001.log"; do
		waybill $command >out 2>&1 || true
		! LC_ALL=C grep -q $'[\001-\010\013-\037\177]' out
	done
}
