# SPDX-License-Identifier: Apache-2.0
load helper.bash

target="\"target\":{\"mediaType\":\"t\",\"digest\":\"$d1\",\"size\":1}"

# refuse_plan STATUS PATTERN: the plan on standard input is refused.
refuse_plan()
{
	cat >plan.jsonl
	refuse "$1" "$2" apply plan.jsonl "${@:3}"
}

@test "a plan is one commit" {
	put old
	cat >plan.jsonl <<-END
	{"op":"put","name":"a",$target,"labels":{"x":"1"}}

	{"op":"put","name":"b",$target}
	  {"op":"delete","name":"old"}
	END
	expect 0 apply plan.jsonl --reason release
	is "$output" "3 changes applied at revision 2"
	expect 0 ls -q
	is "$output" "$library/a:latest
$library/b:latest"
	expect 0 log --json
	is "${#lines[@]}" 4
	for line in "${lines[@]:0:3}"; do
		is "$(json revision "$line")" 2
		is "$(json reason "$line")" release
	done
	expect 0 get --json a
	is "$(json labels)" '{"x": "1"}'
}

@test "a plan comes from standard input too" {
	run --separate-stderr waybill apply - --json \
		<<<"{\"op\":\"put\",\"name\":\"a\",$target}"
	is "$status" 0
	is "$output" \
		'{"revision":1,"replayed":false,"dry_run":false,"changes":1}'
}

@test "dry run checks all and writes nothing" {
	put a
	cat >good <<-END
	{"op":"put","name":"b",$target}
	{"op":"delete","name":"a","if":{"digest":"$d1"}}
	END
	before=$(files)
	expect 0 apply good --dry-run
	is "$output" "2 changes would be applied"
	expect 0 apply good --dry-run --json
	is "$(json dry_run)" true
	is "$(json revision)" null
	is "$(files)" "$before"
	echo '{"op":"delete","name":"x"}' >>good
	refuse_untouched 2 "line 3: .*not found" apply good --dry-run
	refuse_untouched 2 "line 3: .*not found" apply good --dry-run
}

@test "dry run where no store is is against an empty one, and makes none" {
	echo "{\"op\":\"put\",\"name\":\"b\",$target}" >plan
	expect 0 apply plan --dry-run
	is "$output$stderr" "1 change would be applied"
	[ ! -e "$store" ]
	expect 0 apply plan --dry-run --json
	is "$(json revision)" null
	[ ! -e "$store" ]
	# Nor in an empty directory, nor in the default one.
	mkdir -p "$store/lost+found" state
	expect 0 apply plan --dry-run
	is "$(find "$store" -mindepth 1)" "$store/lost+found"
	if [ "$(id -u)" -ne 0 ]; then
		WAYBILL_STORE= XDG_STATE_HOME=$PWD/state/deep/er \
			expect 0 apply plan --dry-run
		is "$(ls state)" ""
	fi
	rm -r "$store"

	# What apply would refuse it refuses as well.
	for bad in '{"op":"delete","name":"b"}' \
		"{\"op\":\"put\",\"name\":\"b\",$target,\"if\":{\"present\":true}}"; do
		echo "$bad" >bad
		refuse_untouched 2 "no waybill store" apply bad --dry-run
		refuse_untouched 2 "no waybill store" apply bad
	done
	for place in "$PWD/plan" "$PWD/none/deeper"; do
		expect 2 apply plan --dry-run --store "dir:$place"
		says_one_line "dir:$place: no waybill store is there$"
	done
	mkdir taken
	: >taken/notes
	expect 2 apply plan --dry-run --store dir:taken
	says_one_line "dir:taken: no waybill store is there$"
	is "$(ls taken)" notes
}

@test "one change that fails keeps all from happening" {
	put a $d1
	refuse_plan 2 "plan.jsonl: line 2: .*not found" <<-END
	{"op":"put","name":"b",$target}
	{"op":"delete","name":"x"}
	END
	refuse_plan 3 "plan.jsonl: line 4: " <<-END

	{"op":"put","name":"b",$target}
	{"op":"put","name":"c",$target}
	{"op":"put","name":"a",$target,"if":{"absent":true}}
	END
}

@test "each condition can be met and failed" {
	put a $d1
	plan() { echo "{\"op\":\"put\",\"name\":\"$1\",$target,\"if\":$2}"; }
	plan a '{"absent":true}' | refuse_plan 3 .
	plan b '{"present":true}' | refuse_plan 3 .
	plan a '{"revision":9}' | refuse_plan 3 .
	plan a "{\"digest\":\"$d2\"}" | refuse_plan 3 .
	plan b '{"absent":true}' | waybill apply -
	plan a '{"present":true}' | waybill apply -
	plan a '{"revision":3}' | waybill apply -
	plan a "{\"digest\":\"$d1\"}" | waybill apply -
	expect 0 log -q
	is "${lines[*]}" "5 4 3 2 1"
}

@test "an error in JSON has the line that it is about" {
	put a
	line_of() # STATUS PLAN
	{
		echo "$2" >plan
		expect "$1" apply plan --json
		is "${#stderr_lines[@]}" 1
		json error/line "$stderr"
	}
	is "$(line_of 65 $'\n\n{')" 3
	is "$(line_of 2 $'\n{"op":"delete","name":"x"}')" 2
	is "$(line_of 3 "{\"op\":\"put\",\"name\":\"b\",$target}
{\"op\":\"put\",\"name\":\"a\",$target,\"if\":{\"absent\":true}}")" 2
	expect 2 apply absent --json
	[[ "$stderr" != *'"line"'* ]]
}

@test "an --if option stands for lines that have none" {
	put a $d1
	cat >plan <<-END
	{"op":"put","name":"a",$target,"if":{"present":true}}
	{"op":"put","name":"b",$target}
	END
	expect 0 apply plan --if-absent
	refuse 3 "line 2" apply plan --if-absent
}

@test "a failed condition shows the current image in JSON" {
	put a $d2
	echo "{\"op\":\"put\",\"name\":\"a\",$target,\"if\":{\"absent\":true}}" \
		>plan
	expect 3 apply plan --json
	is "$(json error/code "$stderr")" precondition_failed
	is "$(json error/current/target/digest "$stderr")" $d2
}

@test "bad lines are refused with their number" {
	put a
	while IFS='|' read -r line says; do
		printf '%s\n%s\n' "{\"op\":\"put\",\"name\":\"b\",$target}" \
			"$line" >plan.jsonl
		refuse_untouched 65 "plan.jsonl: line 2: $says" \
			apply plan.jsonl
	done <<-END
	{|not JSON: it ends too early
	[]|not a JSON object
	{}|"op" must be
	{"op":7}|"op" must be a string
	{"op":"put"}|"name" is missing
	{"op":"move","name":"c"}|"op" must be "put" or "delete"
	{"op":"put","name":"C C",$target}|.
	{"op":"put","name":"c"}|"target" is missing
	{"op":"put","name":"c","target":7}|"target" must be an object
	{"op":"put","name":"c","target":{}}|"mediaType" is missing
	{"op":"put","name":"c",$target,"lables":{}}|.*did you mean "labels"
	{"op":"put","name":"c",$target,"labels":{"a":1}}|.*must be a string
	{"op":"put","name":"c",$target,"labels":[]}|"labels" must be an object
	{"op":"put","name":"c",$target,"if":{}}|"if" must have exactly one
	{"op":"put","name":"c",$target,"if":{"absent":true,"revision":1}}|"if" must
	{"op":"put","name":"c",$target,"if":{"absent":false}}|"if" must be
	{"op":"put","name":"c",$target,"if":{"revision":-1}}|"if" must be
	{"op":"put","name":"c",$target,"if":{"revision":"1"}}|"if" must be
	{"op":"put","name":"c",$target,"if":{"digest":"sha256:12"}}|"if": .*igest
	{"op":"put","name":"c",$target,"if":{"digset":"x"}}|.*did you mean "digest"
	{"op":"put","name":"c",$target,"if":7}|"if" must be an object
	{"op":"put","op":"put","name":"c",$target}|column [0-9]+: the key "op" is there twice
	{"op":"put","name":"c",$target} x|column [0-9]+: not JSON: something
	{"op":"put","name":"b",$target}|line 1 changes $library/b:latest too
	{"op":"delete","name":"docker.io/library/b"}|line 1 changes
	{"op":"delete","name":"a",$target}|unknown field "target"
	{"op":"delete","name":"a","if":{"absent":true}}|what is absent
	{"op":"delete","name":""}|"name" is missing
	END
}

@test "an empty plan does nothing and says so" {
	for plan in "" $'\n\n \t\n'; do
		run --separate-stderr waybill apply - <<<"$plan"
		is "$status" 0
		is "$output" "the plan is empty: nothing to do"
		[ ! -e "$store" ]
	done
}

@test "a plan that is not there is exit 2, one without end is refused" {
	put a
	refuse_untouched 2 "absent.jsonl: No such file" apply absent.jsonl
	refuse_untouched 65 "more than .* bytes" apply /dev/zero
	refuse_untouched 65 "directory" apply .
	refuse_untouched 64 "too few" apply
}

@test "65,536 changes fit, one more does not" {
	plan() { awk -v n=$1 -v t="$target" 'BEGIN { for (i = 1; i <= n; i++)
		printf "{\"op\":\"put\",\"name\":\"n%d\",%s}\n", i, t }'; }
	plan 65537 >plan
	refuse_untouched 65 "line 65537: more than 65536" apply --raw plan
	[ ! -e "$store" ]
	plan 65536 >plan
	expect 0 apply --raw plan
	is "$output" "65536 changes applied at revision 1"
	is "$(waybill ls -q | wc -l)" 65536
}

@test "a transaction beyond 16 MiB is refused" {
	put a
	awk -v t="$target" 'BEGIN { v = sprintf("%4000s", ""); gsub(" ", "v", v)
		for (i = 1; i <= 5000; i++) printf "{\"op\":\"put\",\"name\":" \
			"\"n%d\",%s,\"labels\":{\"l\":\"%s\"}}\n", i, t, v }' \
		>plan
	refuse 65 "plan: the plan is too large: more than 16 MiB in one commit$" \
		apply --raw plan
	expect 65 apply --raw plan --json
	[[ "$stderr" != *'"line"'* ]]
}

@test "an operation id has one effect" {
	echo "{\"op\":\"put\",\"name\":\"a\",$target}" >plan
	expect 0 apply plan --operation-id x
	waybill rm a
	expect 0 apply plan --operation-id x
	is "$output" "1 change already applied at revision 1"
	expect 2 get a
	echo "{\"op\":\"put\",\"name\":\"b\",$target}" >plan
	refuse 3 "operation id" apply plan --operation-id x
}
