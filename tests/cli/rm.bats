# SPDX-License-Identifier: Apache-2.0
load helper.bash

@test "rm removes one name" {
	put a
	expect 0 rm a
	is "$output" "$library/a:latest: removed at revision 2"
	expect 2 get a
}

@test "rm of several names is one commit" {
	put a
	put b
	put c
	expect 0 rm a b c --reason cleanup
	is "${#lines[@]}" 3
	expect 0 log -q
	is "${lines[*]}" "4 4 4 3 2 1"
	expect 0 ls -q
	is "$output" ""
}

@test "one that is missing keeps all" {
	put a
	put b
	refuse 2 "image \"$library/x:latest\": not found" rm a x b
	refuse 2 "not found" rm x
	expect 0 ls -q
	is "${#lines[@]}" 2
}

@test "a condition is held against each name" {
	put a $d1
	put b $d2
	refuse 3 . rm a b --if-digest $d1
	refuse 3 . rm a b --if-revision 1
	refuse_untouched 64 "absent cannot be removed" rm a --if-absent
	expect 0 rm a --if-digest $d1
	expect 0 rm b --if-revision 2 --json
	is "$(json revision)" 4
	is "$(json removed)" "[\"$library/b:latest\"]"
}

@test "a failed condition shows the current image in JSON" {
	put a $d1
	expect 3 rm a --if-digest $d2 --json
	is "$(json error/current/target/digest "$stderr")" $d1
}

@test "a name twice, under whatever spelling, is wrong usage" {
	put a
	refuse_untouched 64 "given twice" rm a a
	refuse_untouched 64 "given twice" rm a docker.io/library/a:latest
}

@test "bad arguments are refused" {
	put a
	refuse_untouched 64 "too few" rm
	refuse_untouched 65 . rm a "B B"
	refuse_untouched 64 "unknown option --forse" rm a --forse
	refuse_untouched 64 "rm: no option --force here, but tag has one" rm a --force
}

@test "an operation id has one effect" {
	put a
	expect 0 rm a --operation-id x
	put a
	expect 0 rm a --operation-id x
	is "$output" "$library/a:latest: already removed at revision 2"
	expect 0 get -q a
	is "$output" $d1
}

@test "rm -q prints nothing" {
	put a
	expect 0 rm -q a
	is "$output$stderr" ""
}
