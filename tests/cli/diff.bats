# SPDX-License-Identifier: Apache-2.0
# diff, and what a version's name may mean.
load helper.bash

# a: 1 d1 x=1; 2 d2 x=2 y=1; 3 deleted; 4 d1 x=1
story()
{
	put a $d1 --label x=1
	put a $d2 --label x=2 --label y=1
	waybill rm a >/dev/null
	put a $d1 --label x=1
}

@test "what differs is printed, and the status is 2" {
	story
	expect 2 diff 'a@{r1}' 'a@{r2}'
	is "$stderr" ""
	is "${#lines[@]}" 7
	[[ "${lines[0]}" =~ ^---\ $library/a:latest\ \ revision\ 1\ \ 20.*Z$ ]]
	[[ "${lines[1]}" =~ ^\+\+\+\ $library/a:latest\ \ revision\ 2\ \ 20.*Z$ ]]
	is "${lines[2]}" "- digest       $d1"
	is "${lines[3]}" "+ digest       $d2"
	is "${lines[4]}" "- label        x=1"
	is "${lines[5]}" "+ label        x=2"
	is "${lines[6]}" "+ label        y=1"
}

@test "what does not differ prints nothing, and the status is 0" {
	story
	expect 0 diff 'a@{r1}' a
	is "$output$stderr" ""
	expect 0 diff a a
	waybill tag a b
	expect 0 diff a b
	# Both are not there.
	waybill rm b
	expect 0 diff b 'a@{1}'
	is "$output$stderr" ""
}

@test "a deletion has nothing of it" {
	story
	expect 2 diff 'a@{2}' 'a@{1}'
	[[ "${lines[1]}" =~ ^\+\+\+\ .*revision\ 3\ .*\ deleted$ ]]
	is "${lines[2]}" "- digest       $d2"
	is "${lines[3]}" "- media type   $type"
	is "${lines[4]}" "- size         100"
	is "${lines[5]}" "- label        x=2"
	is "${lines[6]}" "- label        y=1"
	is "${#lines[@]}" 7
	expect 2 diff 'a@{1}' a
	is "${lines[2]}" "+ digest       $d1"
}

@test "diff --json tells both versions and what changed" {
	story
	expect 2 diff --json 'a@{r1}' 'a@{r2}'
	is "$stderr" ""
	is "${#lines[@]}" 1
	is "$(json same)" false
	is "$(json a/revision)" 1
	is "$(json b/image/target/digest)" $d2
	is "$(json changes/0)" \
		"{\"field\": \"target.digest\", \"a\": \"$d1\", \"b\": \"$d2\"}"
	is "$(json changes/1)" \
		'{"field": "labels", "key": "x", "a": "1", "b": "2"}'
	is "$(json changes/2)" \
		'{"field": "labels", "key": "y", "a": null, "b": "1"}'
	expect 0 diff --json 'a@{r1}' a
	is "$(json same)" true
	is "$(json changes)" "[]"
	expect 2 diff --json a 'a@{1}'
	is "$(json b/image)" null
	is "$(json changes/2)" \
		'{"field": "target.size", "a": 100, "b": null}'
}

@test "diff -q says it by the status alone" {
	story
	expect 2 diff -q 'a@{r1}' 'a@{r2}'
	is "$output$stderr" ""
	expect 0 diff -q a a
	is "$output$stderr" ""
}

@test "color only where it is wanted" {
	story
	expect 2 diff --color always 'a@{r1}' 'a@{r2}'
	is "${lines[2]}" $'\e[31m- digest       '$d1$'\e[0m'
	is "${lines[3]}" $'\e[32m+ digest       '$d2$'\e[0m'
	expect 2 diff 'a@{r1}' 'a@{r2}'
	[[ "$output" != *$'\e'* ]]
}

@test "a version that is not there is an error" {
	story
	refuse_untouched 2 "image \"$library/x:latest\": not found" diff a x
	refuse_untouched 2 "image \"$library/x:latest\": not found" diff x a
	refuse_untouched 2 "has 4 versions" diff a 'a@{4}'
	refuse_untouched 2 "did not exist then" diff 'a@{yesterday}' a
	refuse_untouched 2 "not there yet" diff 'a@{r5}' a
	refuse_untouched 2 "not found" diff a a -n other
	refuse_untouched 65 "@\{x\}" diff a 'a@{x}'
	refuse_untouched 65 . diff a "A A"
	refuse_untouched 64 "too few arguments" diff a
	refuse_untouched 64 "unexpected argument a" diff a a a
}

@test "raw names are compared as they stand" {
	put 'odd@{1}' $d1 --raw
	put even $d2 --raw
	expect 2 diff --raw 'odd@{1}' even
	is "${lines[2]}" "- digest       $d1"
}
