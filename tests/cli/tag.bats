# SPDX-License-Identifier: Apache-2.0
load helper.bash

@test "tag makes a second name for the same target, labels too" {
	put a $d1 --label x=1
	expect 0 tag a b:2
	is "$output" "$library/b:2: tagged at revision 2"
	expect 0 get b:2 --json
	is "$(json target/digest)" $d1
	is "$(json labels)" '{"x": "1"}'
	is "$(json name)" $library/b:2
	expect 0 get -q a
	is "$output" $d1
}

@test "an existing name is kept without --force" {
	put a $d1
	put b $d2
	refuse 3 "image \"$library/b:latest\": already exists" tag a b
	refuse 3 . tag a b --if-absent
	expect 0 tag a b --force
	expect 0 get -q b
	is "$output" $d1
}

@test "with --force a condition is about DST" {
	put a $d1
	put b $d2
	refuse 3 . tag a b --force --if-revision 1
	refuse 3 . tag a b --force --if-digest $d1
	expect 0 tag a b --force --if-digest $d2
	refuse 3 . tag a c --force --if-present
	expect 0 tag a b -f --if-revision 3
	refuse_untouched 64 "exclude each other" tag a b --force --if-absent
	refuse_untouched 64 "needs --force" tag a b --if-digest $d1
}

@test "bad arguments are refused" {
	put a
	refuse 2 "image \"$library/x:latest\": not found" tag x b
	refuse_untouched 64 "too few" tag a
	refuse_untouched 64 "unexpected argument c" tag a b c
	refuse_untouched 64 "are the same name" tag a a:latest
	refuse_untouched 65 . tag a "B B"
	refuse_untouched 65 . tag "A A" b
}

@test "an operation id has one effect, whatever became of SRC" {
	put a $d1 --label x=1
	put b $d2
	expect 0 tag a c --operation-id x
	is "$output" "$library/c:latest: tagged at revision 3"
	again()
	{
		expect 0 tag a c --operation-id x --json
		is "$(json replayed)" true
		is "$(json revision)" 3
		is "$(json image/target/digest)" $d1
		is "$(json image/labels)" '{"x": "1"}'
	}
	again
	expect 0 tag a c --operation-id x
	is "$output" "$library/c:latest: already tagged at revision 3"
	put a $d3
	again
	waybill rm a
	again
	waybill rm c
	again
	expect 2 get c
	# Another request under that id is refused.
	refuse 3 "operation id" tag b c --operation-id x
	refuse 3 "operation id" tag a d --operation-id x
	refuse 3 "operation id" tag a c --force --operation-id x
}
