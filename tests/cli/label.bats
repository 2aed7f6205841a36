# SPDX-License-Identifier: Apache-2.0
load helper.bash

labels()
{
	expect 0 get --json "$1"
	json labels
}

@test "label sets and removes in one commit, the rest stays" {
	put a $d1 --label keep=1 --label drop=2 --label change=3
	expect 0 label a change=4 drop- new=5 "with.dots/and=x=y" absent-
	is "$output" "$library/a:latest: labelled at revision 2"
	is "$(labels a)" '{"change": "4", "keep": "1", "new": "5", "with.dots/and": "x=y"}'
	expect 0 get -q a
	is "$output" $d1
}

@test "an empty value removes" {
	put a $d1 --label x=1
	expect 0 label a x=
	is "$(labels a)" '{}'
}

@test "a key that ends in a dash can be set" {
	put a
	expect 0 label a x-=1
	is "$(labels a)" '{"x-": "1"}'
	expect 0 label a x--
	is "$(labels a)" '{}'
}

@test "a key that begins with a dash goes behind --, as --help says" {
	put a
	expect 0 label a -- -x=1
	is "$(labels a)" '{"-x": "1"}'
	has "$(waybill label --help)" "behind --"
}

@test "bad labels are refused" {
	put a $d1 --label x=1
	for label in plain =1 - "" $'x=\xff'; do
		refuse_untouched 65 label label a "$label"
	done
	refuse_untouched 65 "given twice" label a x=1 x-
	refuse 65 "greater than maximum size" label a \
		"x=$(printf 'a%.0s' {1..4096})"
	refuse_untouched 64 "too few" label a
	refuse_untouched 64 "too few" label
	refuse 2 "not found" label b x=1
	refuse_untouched 65 . label "B B" x=1
}

@test "a condition is held against the image" {
	put a $d1
	refuse 3 . label a x=1 --if-revision 7
	refuse 3 . label a x=1 --if-digest $d2
	refuse_untouched 64 "has no labels" label a x=1 --if-absent
	expect 0 label a x=1 --if-revision 1
	expect 0 label a y=1 --if-digest $d1
	expect 0 label a z=1 --if-present --json
	is "$(json revision)" 4
	is "$(json image/labels)" '{"x": "1", "y": "1", "z": "1"}'
}

@test "an operation id has one effect, with a condition too" {
	put a
	expect 0 label a x=1 --operation-id o --if-revision 1
	waybill label a x=2
	expect 0 label a x=1 --operation-id o --if-revision 1
	has "$output" "already labelled at revision 2"
	is "$(labels a)" '{"x": "2"}'
}

@test "labels have a bound together" {
	put a
	value=$(printf 'a%.0s' {1..4000})
	set --
	for i in $(seq 270); do
		set -- "$@" "k$i=$value"
	done
	expect 0 label a "${@:1:135}"
	refuse 65 "greater than maximum size" label a "${@:136:135}"
}
