# SPDX-License-Identifier: Apache-2.0
load helper.bash

digest()
{
	expect "$1" get -q "${@:2}"
	echo "$output"
}

@test "undo puts the version before back, and a second one takes that back" {
	put a $d1 --label x=1
	put a $d2 --label x=2
	expect 0 undo a
	is "$output" "$library/a:latest: put back at revision 3"
	is "$(digest 0 a)" $d1
	expect 0 get --json a
	is "$(json labels)" '{"x": "1"}'
	expect 0 undo a
	is "$(digest 0 a)" $d2
	expect 0 undo a
	is "$(digest 0 a)" $d1
	expect 0 log -q a
	is "${lines[*]}" "5 4 3 2 1"
}

@test "undo of a deletion brings the name back" {
	put a $d1
	waybill rm a
	expect 0 undo a
	is "$output" "$library/a:latest: put back at revision 3"
	is "$(digest 0 a)" $d1
	expect 0 show --json 'a@{r1}'
	created=$(json image/created_at)
	expect 0 show --json a
	is "$(json image/created_at)" "$created"
	expect 0 undo a
	is "$output" "$library/a:latest: removed at revision 4"
	expect 2 get a
}

@test "undo of a creation removes the name" {
	put a $d1
	put b $d1
	expect 0 undo a
	is "$output" "$library/a:latest: removed at revision 3"
	expect 0 ls -q
	is "$output" "$library/b:latest"
	expect 0 undo a
	is "$(digest 0 a)" $d1
}

@test "the log says what was undone, unless it is told why" {
	put a $d1
	put a $d2
	waybill undo a
	waybill undo a --reason "it was right"
	expect 0 log a --json
	is "$(json reason "${lines[0]}")" "it was right"
	is "$(json reason "${lines[1]}")" "undo of revision 2"
	is "$(json previous_revision "${lines[1]}")" 2
	is "$(json actor/command "${lines[1]}")" "waybill undo"
	is "$(json actor/uid "${lines[1]}")" "$(id -u)"
}

@test "undo --json answers as every change does" {
	put a $d1
	put a $d2
	expect 0 undo --json a
	is "$(json revision)" 3
	is "$(json replayed)" false
	is "$(json image/target/digest)" $d1
	is "$(json image/revision)" 3
	put b $d1
	expect 0 undo --json b
	is "$(json image)" null
	expect 0 undo -q b
	is "$output$stderr" ""
}

@test "what never was cannot be undone" {
	put a $d1
	refuse_untouched 65 . undo "A A"
	refuse_untouched 64 "too few arguments: waybill undo NAME" undo
	refuse_untouched 64 "unexpected argument b" undo a b
	refuse 2 "image \"$library/x:latest\": not found" undo x
	refuse 2 "not found" undo a -n other
	expect 2 --store "dir:$place/none" undo a
	[ ! -e none ]
}

@test "a condition says which version is to be undone" {
	put a $d1
	put a $d2
	refuse 3 "is at revision 2, not 1" undo a --if-revision 1
	refuse 3 "has target $d2" undo a --if-digest $d1
	refuse 3 "exists, at revision 2" undo a --if-absent
	expect 3 undo a --if-revision 1 --json
	is "$(json error/current/revision "$stderr")" 2
	expect 0 undo a --if-revision 2
	waybill rm a
	refuse 3 "was deleted at revision 4, not 3" undo a --if-revision 3
	expect 3 undo a --if-revision 3 --json
	is "$(json error/current "$stderr")" null
	refuse 3 "does not exist" undo a --if-present
	expect 0 undo a --if-revision 4
	is "$(digest 0 a)" $d1
}

@test "an operation id has one effect" {
	put a $d1
	put a $d2
	expect 0 undo a --operation-id o
	expect 0 undo a --operation-id o
	is "$output" "$library/a:latest: already put back at revision 3"
	is "$(digest 0 a)" $d1
	refuse 3 "operation id was used for another request" \
		undo a --operation-id o --if-present
	refuse 3 "operation id was used" rm a --operation-id o
}

@test "a raw name is taken as it stands" {
	put 'odd@{1}' $d1 --raw
	put 'odd@{1}' $d2 --raw
	expect 0 undo --raw 'odd@{1}'
	is "$(digest 0 --raw 'odd@{1}')" $d1
	# A version is no name.
	refuse_untouched 65 . undo 'odd@{1}'
}
