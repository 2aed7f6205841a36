# SPDX-License-Identifier: Apache-2.0
# audit log, audit head, audit verify.
load helper.bash

# Namespace default: a at 1, 2, deleted at 4; b at 3. Namespace two: a at 5.
story()
{
	put a $d1 --reason first --label x=1
	put a $d2 --reason second --operation-id op-1 --label x=2
	put b $d1
	waybill rm a --reason third >/dev/null
	put a $d3 -n two
}

forge()
{
	/usr/bin/python3 "$source_dir/tests/support/forge_history.py" \
		"$store" "$1" "$2"
}

# break_commit N: spoils commit N, which is in the first segment.
break_commit()
{
	/usr/bin/python3 -c '
import sys
data = bytearray(open(sys.argv[1], "rb").read())
at = 8192
# Type COMMIT, and its revision.
while data[at + 12] != 1 or data[at + 24] != int(sys.argv[2]):
    at += int.from_bytes(data[at + 16:at + 20], "little")
data[at + 60] ^= 255
open(sys.argv[1], "wb").write(data)
' "$store/0000000000000001.log" "$1"
}

# make_newer N: commit N, which is in the first segment, is of a version 2.
make_newer()
{
	/usr/bin/python3 -c '
import sys, xxhash
data = bytearray(open(sys.argv[1], "rb").read())
salt = int.from_bytes(data[104:112], "little")
at = 8192
while data[at + 12] != 1 or data[at + 24] != int(sys.argv[2]):
    at += int.from_bytes(data[at + 16:at + 20], "little")
size = int.from_bytes(data[at + 16:at + 20], "little")
data[at + 13] = 2
seed = (salt + at * 0x9E3779B97F4A7C15) % 2**64
data[at:at + 8] = xxhash.xxh3_64_intdigest(
    bytes(data[at + 8:at + size]), seed).to_bytes(8, "little")
open(sys.argv[1], "wb").write(data)
' "$store/0000000000000001.log" "$1"
}

# on_a_bad_disk ARGUMENT…: no read of the first segment gives anything.
on_a_bad_disk()
{
	ASAN_OPTIONS=detect_leaks=0 strace -qq -f -o /dev/null \
		-P "$store/0000000000000001.log" \
		-e inject=pread64:error=EIO "$binary" "$@"
}

head_now()
{
	waybill audit head -q
}

# ---- head ----

@test "audit head is the store's, in a form to be kept" {
	story
	expect 0 audit head
	[[ "${lines[0]}" =~ ^uuid\ +[0-9a-f]{32}$ ]]
	[[ "${lines[1]}" =~ ^epoch\ +[0-9a-f]{16}$ ]]
	is "${lines[2]}" "revision     5"
	[[ "${lines[3]}" =~ ^chain\ +([0-9a-f]{64})$ ]]
	chain=${BASH_REMATCH[1]}
	is "${lines[4]}" "expect       5:$chain"
	is "${#lines[@]}" 5
	expect 0 audit head -q
	is "$output" "5:$chain"
	expect 0 audit head --json
	is "$(json revision)" 5
	is "$(json chain)" "$chain"
	is "$(json expect)" "5:$chain"
	uuid=$(json uuid)
	epoch=$(json epoch)
	expect 0 stat --json
	is "$(json uuid)" "$uuid"
	is "$(json epoch)" "$epoch"
}

@test "the chain is what docs/FORMAT.md says" {
	put a
	uuid=$(json uuid "$(waybill stat --json)")
	run /usr/bin/python3 -c '
import hashlib, sys
data = open(sys.argv[1], "rb").read()
size = int.from_bytes(data[8192 + 20:8192 + 24], "little")
chain = hashlib.sha256(b"waybill-chain-1" + bytes.fromhex(sys.argv[2])).digest()
print(hashlib.sha256(chain + data[8192 + 48:8192 + 48 + size]).hexdigest())
' "$store/0000000000000001.log" "$uuid"
	is "1:$output" "$(head_now)"
}

# ---- verify ----

@test "an exported head holds, then and later" {
	story
	one=$(head_now)
	expect 0 audit verify
	has "$output" "revision     5"
	has "$output" "commits      5"
	is "${lines[-1]}" "result       holds"
	put c $d1
	two=$(head_now)
	expect 0 audit verify --expect "$one" --expect "$two"
	is "$stderr" ""
	has "$output" "expect       $one holds"
	has "$output" "expect       $two holds"
	is "${lines[-1]}" "result       holds"
	expect 0 audit verify -q --expect "$one"
	is "$output$stderr" ""
	expect 0 audit verify --json --expect "$one"
	is "$(json result)" holds
	is "$(json expected/0/revision)" 5
	is "$(json expected/0/answer)" holds
	is "$(json differs)" null
	is "$(json damages)" 0
}

@test "fault 75: a history edited, every checksum recomputed, against a head" {
	put a $d1
	one=$(head_now)
	put a $d2
	two=$(head_now)
	put a $d3 --reason because
	three=$(head_now)
	before=$(waybill log --json)
	forge $d2 $d1
	# The directory alone does not show it, and that is said in --help.
	expect 0 audit verify
	is "${lines[-1]}" "result       holds"
	expect 0 ls
	has "$(waybill log)" "$d1"
	[ "$before" != "$(waybill log --json)" ]
	expect 0 audit verify --help
	has "$output" "such a history verifies"
	# The heads do.
	expect 0 audit verify --expect "$one"
	expect 2 audit verify --expect "$three"
	is "$stderr" ""
	has "$output" "expect       $three differs: the history was changed"
	has "$output" "first change one of revisions 1 to 3"
	is "${lines[-1]}" "result       contradicted"
	expect 2 audit verify --expect "$three" --expect "$one" --expect "$two"
	has "$output" "expect       $one holds"
	has "$output" "first change revision 2"
	expect 2 audit verify -q --expect "$two"
	is "$output$stderr" ""
	expect 2 audit verify --json --expect "$one" --expect "$two"
	is "$(json result)" contradicted
	is "$(json expected/0/answer)" holds
	is "$(json expected/1/answer)" differs
	is "$(json differs)" '{"first": 2, "last": 2}'
}

@test "a directory that was put back misses its later commits" {
	put a $d1
	cp -r "$store" kept
	put a $d2
	head=$(head_now)
	rm -r "$store"
	mv kept "$store"
	expect 0 audit verify
	expect 2 audit verify --expect "$head"
	has "$output" "$head beyond the end: later commits are gone"
	expect 2 audit verify --json --expect "$head"
	is "$(json expected/0/answer)" beyond
	# Until others take their place: then it is another history.
	put b $d2
	expect 2 audit verify --json --expect "$head"
	is "$(json expected/0/answer)" differs
}

@test "the head of another store is not of this one" {
	put a $d1
	put a $d1 --store "dir:$place/other"
	head=$(waybill audit head -q --store "dir:$place/other")
	expect 2 audit verify --expect "$head"
	expect 0 audit verify --expect "$head" --store "dir:$place/other"
}

@test "damage is exit 6, is told, and changes nothing" {
	story
	put a $d3
	one=$(head_now)
	break_commit 3
	before=$(files)
	expect 6 audit verify --expect "$one"
	is "${lines[-1]}" "result       damaged"
	has "$output" "expect       $one not known: damage hides it"
	[[ "$stderr" =~ damage:\ 0+1.log:\ offset\ [0-9]+:.*revisions\ 3\ to\ 6 ]]
	expect 6 audit verify --json
	is "$(json result)" damaged
	has "$stderr" '"damage"'
	expect 6 audit verify -q
	is "$output" ""
	refuse_untouched 6 "0000000000000001.log" audit head
	is "$(files)" "$before"
}

@test "a contradicted head and damage is damage" {
	put a $d1
	put a $d2
	two=$(head_now)
	put a $d3
	put b $d3
	forge $d1 $d3
	break_commit 3
	expect 6 audit verify --expect "$two"
	has "$output" "$two differs"
}

@test "what is no head is refused" {
	story
	head=$(head_now)
	for bad in "" x 5 "${head%?}" "${head}0" "x$head" "-$head" ":${head#*:}" \
		"5:" "${head^^}" "18446744073709551616:${head#*:}" \
		"${head/:/ }" " $head"; do
		refuse_untouched 65 "not REVISION:CHAIN" \
			audit verify --expect "$head" --expect "$bad"
	done
	expect 2 audit verify --expect "18446744073709551615:${head#*:}"
	has "$output" "beyond the end"
}

@test "the audit of no store, and with too much" {
	for command in "audit log" "audit head" "audit verify"; do
		expect 2 $command
		says_one_line "no waybill store is there"
		[ ! -e "$store" ]
	done
	story
	refuse_untouched 64 "unexpected argument x" audit head x
	refuse_untouched 64 "unexpected argument x" audit verify x
	refuse_untouched 64 "unexpected argument b" audit log a b
	refuse_untouched 64 "audit is the first of two words" audit
	refuse_untouched 64 "did you mean audit verify?" audit verfy
	expect 0 audit --help
	for word in log head verify; do
		[[ "$output" =~ $'\n  audit '$word\ +[A-Z] ]]
	done
	expect 69 audit head --store unix:"$PWD/none"
	says_one_line "does not answer"
}

@test "a store that is held is exit 7 with the holder's pid" {
	"$build_dir/examples/writers" "$store" >acks 3>&- &
	holder=$!
	until [ -s acks ]; do sleep 0.01; done
	for command in "audit log" "audit head" "audit verify"; do
		expect 7 $command
		says_one_line "$holder.*use --store unix:"
	done
	kill -9 $holder
	wait $holder || true
	expect 0 audit verify
}

# ---- log ----

@test "audit log is every change, oldest first, with before and after" {
	story
	expect 0 audit log --json
	is "$stderr" ""
	is "${#lines[@]}" 4
	is "$(json revision "${lines[0]}")" 1
	is "$(json change "${lines[0]}")" create
	is "$(json before "${lines[0]}")" null
	is "$(json after/target/digest "${lines[0]}")" $d1
	is "$(json after/labels "${lines[0]}")" '{"x": "1"}'
	is "$(json kind "${lines[0]}")" image
	is "$(json namespace "${lines[0]}")" default
	is "$(json name "${lines[0]}")" $library/a:latest
	is "$(json change "${lines[1]}")" replace
	is "$(json previous_revision "${lines[1]}")" 1
	is "$(json before/target/digest "${lines[1]}")" $d1
	is "$(json before/labels "${lines[1]}")" '{"x": "1"}'
	is "$(json before/revision "${lines[1]}")" 1
	is "$(json after/target/digest "${lines[1]}")" $d2
	is "$(json reason "${lines[1]}")" second
	is "$(json operation_id "${lines[1]}")" op-1
	is "$(json actor/uid "${lines[1]}")" "$(id -u)"
	is "$(json actor/gid "${lines[1]}")" "$(id -g)"
	is "$(json actor/command "${lines[1]}")" "waybill put"
	[[ "$(json time "${lines[1]}")" =~ ^20[0-9-]+T[0-9:.]+Z$ ]]
	is "$(json change "${lines[3]}")" delete
	is "$(json before/target/digest "${lines[3]}")" $d2
	is "$(json after "${lines[3]}")" null
	is "$(json reason "${lines[3]}")" third
	# The chain value of each is that of a head of its time.
	expect 0 audit verify --expect "2:$(json chain "${lines[1]}")"
}

@test "audit log for people" {
	story
	expect 0 audit log a
	is "${lines[0]}" "revision     1"
	is "${lines[3]}" "reason       first"
	is "${lines[4]}" "create       $library/a:latest"
	is "${lines[5]}" "namespace    default"
	is "${lines[6]}" "+ digest       $d1"
	has "$output" "- digest       $d1
+ digest       $d2
- label        x=1
+ label        x=2

revision     4"
	has "$output" "delete       $library/a:latest
namespace    default
- digest       $d2
- media type   $type
- size         100
- label        x=2"
	has "$output" "by           uid $(id -u), pid "
	has "$output" "operation    op-1"
	expect 0 audit log -q
	is "${lines[*]}" "1 2 3 4"
}

@test "audit log lets through what is asked for" {
	story
	only() { expect 0 audit log -q "$@"; echo "${lines[*]}"; }
	is "$(only a)" "1 2 4"
	is "$(only b)" 3
	is "$(only -n two)" 5
	is "$(only --all-namespaces)" "1 2 3 4 5"
	is "$(only -A a)" "1 2 4 5"
	is "$(only --uid "$(id -u)")" "1 2 3 4"
	is "$(only --uid 4294967295)" ""
	is "$(only --from 2)" "2 3 4"
	is "$(only --to 2)" "1 2"
	is "$(only --from 2 --to 2)" 2
	is "$(only --from 9)" ""
	is "$(only --since yesterday)" "1 2 3 4"
	is "$(only --until yesterday)" ""
	is "$(only --since 2000-01-01 --until 2100-01-01 --from 3 a)" 4
	time=$(json time "$(waybill show --json 'a@{r2}')")
	is "$(only --since "$time")" "2 3 4"
	is "$(only --until "$time")" "1 2"
	is "$(only --since "$time" --until "$time")" 2
}

@test "audit log of a name that never was is exit 2, as that of log" {
	story
	refuse_untouched 2 'image ".*/x:latest": no history' audit log x
	refuse_untouched 2 'image ".*/b:latest": no history' audit log -n two b
	refuse_untouched 2 'image ".*/x:latest": no history' log x
	expect 2 audit log x --json
	is "$output" ""
	is "$(json error/code "$stderr")" not_found
	# One that was, but not then.
	expect 0 audit log a --until yesterday
	is "$output" ""
}

@test "audit verify counts what is damaged and what is only odd" {
	story
	expect 0 audit verify
	has "$output" "damages      0"
	has "$output" "warnings     0"
	printf x | dd of="$store/0000000000000001.log" bs=1 seek=40 \
		conv=notrunc status=none
	expect 0 audit verify
	has "$output" "warnings     1"
	expect 0 audit verify --json
	is "$(json warnings)" 1
}

@test "audit log of a bad filter is refused" {
	story
	refuse_untouched 64 "\-\-from 3 --to 2: the first is after the last" \
		audit log --from 3 --to 2
	refuse_untouched 65 "\-\-since 1600-01-01: out of range" \
		audit log --since 1600-01-01
	refuse_untouched 65 "\-\-since 3: neither a date" audit log --since 3
	refuse_untouched 65 "\-\-until r3: neither a date" audit log --until r3
	refuse_untouched 65 "no user has this number" audit log --uid 4294967296
	refuse_untouched 64 "not a whole number" audit log --uid root
	refuse_untouched 65 "the first revision is 1" audit log --to 0
	refuse_untouched 64 "exclude each other" audit log -A -n two
	refuse_untouched 65 . audit log "A A"
}

@test "audit log goes on behind damage, says what it hides, and is exit 6" {
	story
	put a $d3
	put b $d2
	break_commit 3
	expect 6 audit log --json
	is "$(json revision "${lines[2]}")" 4
	is "$(json chain "${lines[2]}")" null
	is "$(json before/target/digest "${lines[2]}")" $d2
	# It replaced what is lost.
	is "$(json revision "${lines[-1]}")" 7
	is "$(json previous_revision "${lines[-1]}")" 3
	is "$(json before "${lines[-1]}")" null
	has "$stderr" "revisions 3 to 7"
	expect 6 audit log
	has "$output" "before       not known: damage hides it"
}

@test "a disk that does not read is exit 74, and where that is is told" {
	story
	for command in "audit log" "audit verify" "audit head"; do
		run --separate-stderr on_a_bad_disk $command
		is "$status" 74
		has "$stderr" "0000000000000001.log: offset 0: "
		has "$stderr" "input/output error"
	done
	run --separate-stderr on_a_bad_disk audit verify --json
	is "$status" 74
	is "$(json result)" unreadable
}

@test "what is before a newer version's part is told, and that is exit 1" {
	story
	make_newer 3
	expect 1 audit log --json
	is "${#lines[@]}" 2
	is "$(json revision "${lines[1]}")" 2
	has "$stderr" "0000000000000001.log: offset "
	has "$stderr" "newer version"
	expect 1 audit verify
	is "${lines[-1]}" "result       newer"
	has "$output" "revision     2"
	refuse_untouched 1 "newer version" audit head
}

@test "the audit changes no file" {
	story
	before=$(files)
	for command in "audit log" "audit head" "audit verify"; do
		waybill $command >/dev/null
		is "$(files)" "$before"
	done
}
