# SPDX-License-Identifier: Apache-2.0
# log, show and stat.
load helper.bash

story()
{
	put a $d1 --reason first
	put b $d2
	put a $d2 --reason second --operation-id op-1
	waybill rm a --reason third >/dev/null
	put a $d3
}

@test "log is newest first, deletions too" {
	story
	expect 0 log
	is "${#lines[@]}" 6
	[[ "${lines[0]}" =~ ^REVISION\ +TIME\ +CHANGE\ +NAME\ +DIGEST\ +BY ]]
	[[ "${lines[1]}" =~ ^\ +5\ .*create.*a:latest.*$d3 ]]
	[[ "${lines[2]}" =~ ^\ +4\ .*delete.*a:latest.*-.*third ]]
	[[ "${lines[3]}" =~ ^\ +3\ .*replace.*a:latest.*$d2.*second ]]
	[[ "${lines[4]}" =~ ^\ +2\ .*create.*b:latest.*$d2 ]]
	[[ "${lines[5]}" =~ ^\ +1\ .*create.*a:latest.*$d1.*first ]]
	has "${lines[1]}" "uid $(id -u), pid "
}

@test "log of a name counts its versions" {
	story
	expect 0 log a
	is "${#lines[@]}" 5
	[[ "${lines[1]}" =~ ^@\{0\}\ +5\  ]]
	[[ "${lines[4]}" =~ ^@\{3\}\ +1\  ]]
	expect 0 log a -q
	is "${lines[*]}" "5 4 3 1"
	expect 0 log a --limit 2 -q
	is "${lines[*]}" "5 4"
	expect 0 log a --before 4 -q
	is "${lines[*]}" "3 1"
	expect 0 log a --before 4
	[[ "${lines[1]}" =~ ^@\{r3\}\ +3\  ]]
	expect 0 log --before 4 --limit 1 -q
	is "$output" 3
}

@test "log --json tells all that is known" {
	story
	expect 0 log --json a
	is "${#lines[@]}" 4
	is "$(json revision "${lines[2]}")" 3
	is "$(json previous_revision "${lines[2]}")" 1
	is "$(json deleted "${lines[2]}")" false
	is "$(json reason "${lines[2]}")" second
	is "$(json operation_id "${lines[2]}")" op-1
	is "$(json actor/uid "${lines[2]}")" "$(id -u)"
	is "$(json actor/gid "${lines[2]}")" "$(id -g)"
	is "$(json image/target/digest "${lines[2]}")" $d2
	is "$(json deleted "${lines[1]}")" true
	is "$(json image "${lines[1]}")" null
	[[ "$(json time "${lines[1]}")" =~ ^20[0-9-]+T[0-9:.]+Z$ ]]
}

@test "log shows 50 lines by default and all with --limit 0" {
	for i in $(seq 61); do
		put "n$i"
	done
	is "$(waybill log -q | wc -l)" 50
	is "$(waybill log -q --limit 0 | wc -l)" 61
	is "$(waybill log -q --limit 55 | wc -l)" 55
	expect 0 log
	is "${#lines[@]}" 51
	is "$stderr" "waybill: log: note: more changes follow; continue with \
--before 12"
	expect 0 log --before 12
	is "${#lines[@]}" 12
	is "$stderr" ""
	for line in "--limit 0" "--limit 61" -q --json "n1"; do
		expect 0 log $line
		is "$stderr" ""
	done
}

@test "pages of the log end between commits and lose nothing" {
	for plan in 3 1 7 2 60 1; do
		for i in $(seq $plan); do
			echo "{\"op\":\"put\",\"name\":\"n$i\",\"target\":{\
\"mediaType\":\"t\",\"digest\":\"$d1\",\"size\":1}}"
		done | waybill apply -q -
	done
	waybill log --json --limit 0 >all
	is "$(wc -l <all)" 74
	is "$(waybill log -q | wc -l)" 61
	for limit in 1 2 5 20; do
		before=0
		: >pages
		while [ "$before" != 1 ]; do
			waybill log --json --limit $limit --before $before >page
			[ "$(wc -l <page)" -ge $limit ] || [ "$(tail -n 1 page |
				sed 's/.*"revision":1,.*/1/')" = 1 ]
			cat page >>pages
			waybill log --limit $limit --before $before >/dev/null \
				2>note
			before=$(sed -n 's/.*--before //p' note)
			before=${before:-1}
		done
		cmp all pages
	done
}

@test "the log knows the process and the command" {
	"$binary" put a --media-type t --digest $d1 --size 1 >/dev/null 3>&- &
	pid=$!
	wait $pid
	expect 0 log --json a
	is "$(json actor/pid)" $pid
	is "$(json actor/uid)" "$(id -u)"
	is "$(json actor/gid)" "$(id -g)"
	is "$(json actor/command)" "waybill put"
	expect 0 log a
	has "${lines[1]}" "uid $(id -u), pid $pid, waybill put"
}

@test "log keeps to the namespace" {
	put a $d1
	put a $d2 -n two
	expect 0 log -q
	is "$output" 1
	expect 0 log -q -n two
	is "$output" 2
	expect 0 log -q -n three
	is "$output" ""
}

@test "a name that was deleted has its history, and made again has it all" {
	story
	waybill rm b >/dev/null
	expect 0 log b
	[[ "${lines[1]}" =~ ^@\{0\}\ +6\ .*delete ]]
	[[ "${lines[2]}" =~ ^@\{1\}\ +2\ .*create.*$d2 ]]
	expect 0 show -q 'b@{1}'
	is "$output" $d2
	put b $d3
	expect 0 log -q b
	is "${lines[*]}" "7 6 2"
	expect 0 show -q 'b@{r5}'
	is "$output" $d2
	expect 2 show -q 'b@{r6}'
	is "$output" ""
	expect 0 show -q b
	is "$output" $d3
}

@test "log of a name that never was is exit 2" {
	story
	refuse_untouched 2 "no history" log x
	refuse_untouched 65 . log "X X"
	refuse_untouched 64 "whole number" log --limit x
	refuse_untouched 64 "unexpected argument b" log a b
}

@test "show is the newest version, with who and why" {
	put a $d1
	put a $d2 --reason because --operation-id o7 --label x=y
	expect 0 show a
	has "$output" "digest       $d2"
	has "$output" "label        x=y"
	has "$output" "revision     2"
	has "$output" "previous     1"
	has "$output" "by           uid $(id -u), pid "
	has "$output" "reason       because"
	has "$output" "operation    o7"
	expect 0 show --json a
	is "$(json image/target/digest)" $d2
	is "$(json reason)" because
}

@test "show finds versions by number, revision and time" {
	story
	digest() { expect "$1" show -q "$2"; echo "$output"; }
	is "$(digest 0 'a@{0}')" $d3
	is "$(digest 2 'a@{1}')" ""
	is "$(digest 0 'a@{2}')" $d2
	is "$(digest 0 'a@{3}')" $d1
	is "$(digest 0 'a@{r1}')" $d1
	is "$(digest 0 'a@{r2}')" $d1
	is "$(digest 0 'a@{r3}')" $d2
	is "$(digest 2 'a@{r4}')" ""
	is "$(digest 0 'a@{r5}')" $d3
	is "$(digest 0 'a@{now}')" $d3
	is "$(digest 0 'a@{0 seconds ago}')" $d3
	is "$(digest 0 'a@{2100-01-01}')" $d3
	for revision in 1 3 5; do
		expect 0 show --json "a@{r$revision}"
		time=$(json time)
		expect 0 show --json "a@{$time}"
		is "$(json revision)" $revision
	done
}

@test "a version that is a deletion is shown, and the status is 2" {
	story
	expect 2 show 'a@{1}'
	has "$output" "deleted      yes"
	has "$output" "reason       third"
	is "$stderr" ""
	expect 2 show --json 'a@{r4}'
	is "$(json deleted)" true
	is "$stderr" ""
	waybill rm b
	expect 2 show b
	has "$output" "deleted      yes"
}

@test "what is not there is exit 2, and nothing is shown" {
	story
	refuse_untouched 2 "not found" show x
	refuse_untouched 2 "has 4 versions, so the oldest is @.3.$" show 'a@{4}'
	refuse_untouched 2 "has 4 versions" show 'a@{18446744073709551615}'
	refuse_untouched 2 "did not exist then" show 'b@{r1}'
	refuse_untouched 2 "did not exist then" show 'a@{yesterday}'
	refuse_untouched 2 "did not exist then" show 'a@{1999-12-31}'
	refuse_untouched 2 "did not exist then" show 'a@{r0}'
	refuse_untouched 2 "revision 6 is not there yet; the newest is 5" \
		show 'a@{r6}'
	refuse_untouched 2 "not there yet" show 'a@{r18446744073709551615}'
}

@test "a bad point is refused" {
	story
	for point in "" x r -1 2026-13-01 "3 days" "3 months ago" tomorrow \
		2026-08-01T12:00:00; do
		refuse_untouched 65 "@\{$point\}" show "a@{$point}"
		refuse_untouched 65 "@\{$point\}" show a --at "$point"
	done
	refuse_untouched 64 "exclude each other" show 'a@{1}' --at 1
}

@test "a raw name may contain @{, and --at is for it" {
	put 'odd@{1}' $d1 --raw
	put 'odd@{1}' $d2 --raw
	expect 0 show --raw -q 'odd@{1}'
	is "$output" $d2
	expect 0 show --raw -q 'odd@{1}' --at 1
	is "$output" $d1
}

@test "stat counts" {
	story
	expect 0 stat --json
	is "$(json revision)" 5
	is "$(json oldest_revision)" 1
	is "$(json records)" 2
	[[ "$(json uuid)" =~ ^[0-9a-f]{32}$ ]]
	[[ "$(json epoch)" =~ ^[0-9a-f]{16}$ ]]
	is "$(json torn_bytes)" 0
	[ "$(json file_bytes)" -ge "$(json log_bytes)" ]
	expect 0 stat
	has "$output" "revision     5"
	expect 0 stat -q
	is "$output" 5
	waybill stat -0 | cmp - <(printf '5\0')
	refuse_untouched 64 "unexpected argument x" stat x
}

@test "reading changes no file" {
	story
	before=$(files)
	for command in "get a" ls log "log a" "show a" "show a@{2}" stat \
		"diff a@{2} a" \
		"get x" "log x" --help; do
		waybill $command >/dev/null 2>&1 || true
		is "$(files)" "$before"
	done
}

@test "a number is versions ago to show, a revision to dump, and both say so" {
	story
	expect 0 show a --at 2 --json
	is "$(json image/target/digest)" "$(json image/target/digest \
		"$(waybill show 'a@{2}' --json)")"
	is "$(waybill dump --at 1)" "$(waybill dump --at r1)"
	for command in show diff; do
		expect 0 $command --help
		has "$output" "N versions ago"
		has "$output" "to dump --at it is a revision"
		has "$output" "  now  "
	done
	expect 0 dump --help
	has "$output" "17 or r17, both revision 17"
	has "$output" "now, yesterday"
	has "$output" "to show --at it is how many versions ago"
	for time in 1600-01-01 9999-12-31 1600-01-01T00:00:00Z; do
		refuse_untouched 65 "--at $time: out of range, which is 1677" \
			dump --at $time
		refuse_untouched 65 "@\{$time\}: out of range, which is 1677" \
			show a --at $time
	done
	is "$(waybill dump --at now)" "$(waybill dump)"
}

@test "of a name there is one version at a time" {
	story
	for command in "show" "diff a"; do
		refuse_untouched 65 "a@\{1\}@\{2\}: more than one @\{…\}" \
			$command 'a@{1}@{2}'
	done
}
