# SPDX-License-Identifier: Apache-2.0
load helper.bash

@test "put makes the store and get finds what was put" {
	expect 0 put redis --media-type $type --digest $d1 --size 100
	is "$output" "$library/redis:latest: put at revision 1"
	is "$stderr" ""
	expect 0 get redis --json
	is "$(json name)" $library/redis:latest
	is "$(json target/mediaType)" $type
	is "$(json target/digest)" $d1
	is "$(json target/size)" 100
	is "$(json labels)" "{}"
	is "$(json revision)" 1
}

@test "put reads a descriptor from standard input" {
	run --separate-stderr waybill put redis:7 - <<-END
	{"mediaType": "$type", "size": 7, "digest": "$d2",
	 "annotations": {"b": "2", "a": "1"},
	 "platform": {"os": "linux", "architecture": "amd64"}}
	END
	is "$status" 0
	expect 0 get redis:7 --json
	is "$(json target/digest)" $d2
	is "$(json target/size)" 7
	is "$(json target/annotations)" '{"a": "1", "b": "2"}'
	is "$(json target | grep -c platform)" 0
	has "$(waybill put --help)" "platform"
}

@test "what get --json prints as target can be put again" {
	put a $d1
	waybill get --json a |
		/usr/bin/python3 -c 'import json, sys
print(json.dumps(json.load(sys.stdin)["target"]))' |
		waybill put b -
	expect 0 get -q b
	is "$output" $d1
}

@test "put replaces as a whole and keeps the time of creation" {
	put a $d1 --label x=1 --label y=2
	expect 0 get --json a
	is "$(json labels)" '{"x": "1", "y": "2"}'
	created=$(json created_at)
	updated=$(json updated_at)
	put a $d2
	expect 0 get --json a
	is "$(json labels)" "{}"
	is "$(json target/digest)" $d2
	is "$(json created_at)" "$created"
	[[ "$(json updated_at)" > "$updated" ]]
}

@test "put --json tells the revision and the image" {
	expect 0 put a --media-type $type --digest $d1 --size 5 --json
	is "$(json revision)" 1
	is "$(json replayed)" false
	is "$(json image/name)" $library/a:latest
	is "$(json image/target/size)" 5
}

@test "put -q prints nothing" {
	expect 0 put -q a --media-type $type --digest $d1 --size 5
	is "$output" ""
}

@test "sizes up to 2^63-1 and sha512 are accepted" {
	sha512=sha512:$(printf '%0128d' 7)
	expect 0 put a --media-type $type --digest "$sha512" \
		--size 9223372036854775807
	expect 0 get --json a
	is "$(json target/size)" 9223372036854775807
	is "$(json target/digest)" "$sha512"
}

@test "a bad name is refused and no store is made" {
	for name in "" Redis "a b" "a:" ":a" "a@sha256:12" "a//b" \
		"$(printf 'a%.0s' {1..5000})" $'a\nb' $'a\xff'; do
		refuse_untouched 65 . put "$name" --media-type $type \
			--digest $d1 --size 1
	done
	[ ! -e "$store" ]
	for name in "" $'a\xff' "$(printf 'a%.0s' {1..4097})"; do
		refuse_untouched 65 . put --raw "$name" --media-type $type \
			--digest $d1 --size 1
	done
	[ ! -e "$store" ]
}

@test "a bad digest is refused with a sentence that quotes it" {
	for digest in "" sha256 sha256: sha256:12 md5:${d1#sha256:} \
		sha256:${d1#sha256:}0 "sha256:$(printf 'A%.0s' {1..64})" \
		${d1#sha256:} "$d1 "; do
		refuse_untouched 65 "Target.Digest \"$digest\"" put a \
			--media-type $type --digest "$digest" --size 1
	done
	[ ! -e "$store" ]
}

@test "a bad size is refused" {
	for size in 0 -1 "" 1k 1.5 0x10 " 1" 9223372036854775808 \
		99999999999999999999999; do
		refuse_untouched 65 [Ss]ize put a --media-type $type \
			--digest $d1 --size "$size"
	done
	[ ! -e "$store" ]
}

@test "a bad label is refused" {
	for label in x =1 "" x- x=; do
		refuse_untouched 65 label put a --media-type $type \
			--digest $d1 --size 1 --label "$label"
	done
	refuse_untouched 65 "label x=: not KEY=VALUE, with a value" put a \
		--media-type $type --digest $d1 --size 1 --label x=
	refuse_untouched 65 "given twice" put a --media-type $type \
		--digest $d1 --size 1 --label x=1 --label x=2
	refuse_untouched 65 "greater than maximum size" put a \
		--media-type $type --digest $d1 --size 1 \
		--label "x=$(printf 'a%.0s' {1..4096})"
	[ ! -e "$store" ]
}

@test "a media type must be set" {
	refuse_untouched 65 "Target.MediaType must be set" put a \
		--media-type "" --digest $d1 --size 1
}

@test "put says which option is missing or too much" {
	refuse_untouched 64 "put what" put a
	refuse_untouched 64 "size is missing" put a --media-type $type \
		--digest $d1
	refuse_untouched 64 "digest is missing" put a --media-type $type \
		--size 1
	refuse_untouched 64 "media-type is missing" put a --digest $d1 \
		--size 1
	refuse_untouched 64 "exclude each other" put a - --digest $d1
	refuse_untouched 64 "exclude each other" put a - --from oci:x
	refuse_untouched 64 "exclude each other" put a --from oci:x --size 1
	refuse_untouched 64 "unexpected argument b" put a b
	refuse_untouched 64 "too few" put
	[ ! -e "$store" ]
}

# Input, and what the answer says.
@test "a bad descriptor is refused" {
	while IFS='|' read -r input says; do
		run --separate-stderr waybill put a - <<<"$input"
		is "$status $input" "65 $input"
		says_one_line "$says"
		[ ! -e "$store" ]
	done <<-END
	|descriptor on standard input: empty, and no JSON object
	{|not JSON: it ends too early
	{"a" 7}|column 6: not JSON: ':' expected near '7'
	[]|not a JSON object
	7|not a JSON object
	{}|"mediaType" is missing
	{"mediaType":"t","size":1}|"digest" is missing
	{"mediaType":"t","digest":"$d1"}|"size" is missing
	{"mediaType":7,"digest":"$d1","size":1}|"mediaType" must be a string
	{"mediaType":"t","digest":7,"size":1}|"digest" must be a string
	{"mediaType":"t","digest":"$d1","size":"1"}|"size" must be a whole
	{"mediaType":"t","digest":"$d1","size":1.0}|"size" must be a whole
	{"mediaType":"t","digest":"$d1","size":1e3}|"size" must be a whole
	{"mediaType":"t","digest":"$d1","size":true}|"size" must be a whole
	{"size":99999999999999999999}|column 28: a number is too large
	{"mediaType":"t","digest":"$d1","size":0}|Target.Size
	{"size":1,"size":2}|column 16: the key "size" is there twice
	{"size":1}{}|column 11: not JSON: something follows its end
	{"mediaType":"t","digest":"$d1","size":1,"annotations":[]}|must be an ob
	{"mediaType":"t","digest":"$d1","size":1,"annotations":{"a":1}}|a string
	{"mediaType":"t\u0000"}|: a zero character in a string
	{"a\u0000":"t"}|: a zero character in a key
	END
	run --separate-stderr waybill put a - < <(printf '{"mediaType":"\xff"}')
	is "$status" 65
	says_one_line "column [0-9]+: not JSON: not UTF-8"
	run --separate-stderr waybill put a - < <(printf '{}\0x')
	is "$status" 65
	says_one_line "not JSON: a zero byte"
	run --separate-stderr waybill put a - < <(printf '{\n"a": 1,\n"a": 1}')
	is "$status" 65
	says_one_line 'line 3, column 3: the key "a" is there twice'
	deep=$(printf '[%.0s' {1..3000})
	run --separate-stderr waybill put a - <<<"{\"a\":$deep"
	is "$status" 65
	says_one_line "nested too deeply"
}

@test "a descriptor without end is refused" {
	run --separate-stderr waybill put a - </dev/zero
	is "$status" 65
	says_one_line "more than"
	[ ! -e "$store" ]
}

@test "conditions decide, and tell the current image in JSON" {
	put a $d1 --if-absent
	args="put a --media-type $type --digest $d2 --size 1"
	refuse 3 . $args --if-absent
	refuse 3 . $args --if-revision 7
	refuse 3 . $args --if-digest $d2
	put a $d2 --if-present
	put a $d1 --if-revision 2
	put a $d3 --if-digest $d1
	expect 0 get -q a
	is "$output" $d3
	expect 3 $args --if-absent --json
	is "$output" ""
	is "$(json error/code "$stderr")" precondition_failed
	is "$(json error/status "$stderr")" 3
	is "$(json error/current/target/digest "$stderr")" $d3
	expect 3 put b --media-type $type --digest $d1 --size 1 --if-present \
		--json
	is "$(json error/current "$stderr")" null
}

@test "a condition that no empty store can meet makes no store" {
	for condition in --if-present --if-revision=1 --if-digest=$d1; do
		refuse_untouched 2 "no waybill store" put a --media-type $type \
			--digest $d1 --size 1 $condition
	done
	[ ! -e "$store" ]
	put a $d1 --if-absent
}

@test "two conditions, or a bad one, are refused" {
	args="put a --media-type $type --digest $d1 --size 1"
	refuse_untouched 64 "only one" $args --if-absent --if-present
	refuse_untouched 64 "whole number" $args --if-revision x
	refuse_untouched 65 "if-digest" $args --if-digest sha256:12
	[ ! -e "$store" ]
}

@test "an operation id has one effect" {
	args="put a --media-type $type --digest $d1 --size 1"
	expect 0 $args --operation-id x1
	is "$output" "$library/a:latest: put at revision 1"
	put a $d2
	expect 0 $args --operation-id x1
	is "$output" "$library/a:latest: already put at revision 1"
	expect 0 $args --operation-id x1 --json
	is "$(json replayed)" true
	is "$(json revision)" 1
	expect 0 get -q a
	is "$output" $d2
	refuse 3 "operation id" put a --media-type $type --digest $d3 --size 1 \
		--operation-id x1
}

@test "reason and operation id are bounded and UTF-8" {
	args="put a --media-type $type --digest $d1 --size 1"
	refuse_untouched 65 "reason" $args --reason $'\xff'
	refuse_untouched 65 "reason" $args \
		--reason "$(printf 'a%.0s' {1..4097})"
	refuse_untouched 65 "operation-id" $args \
		--operation-id "$(printf 'a%.0s' {1..129})"
	refuse_untouched 65 "operation-id" $args --operation-id ""
	[ ! -e "$store" ]
	expect 0 $args --reason "$(printf 'a%.0s' {1..4096})" \
		--operation-id "$(printf 'b%.0s' {1..128})"
}

@test "--raw keeps a name as it stands" {
	put redis $d1 --raw
	put redis $d2
	expect 0 ls -q
	is "$output" "$library/redis:latest
redis"
	expect 0 get -q --raw redis
	is "$output" $d1
}
