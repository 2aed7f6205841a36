# SPDX-License-Identifier: Apache-2.0
# The examples of the manual work: all of them run.
load helper.bash

# examples FILE: what stands in its blocks.
examples()
{
	awk '/^```/ { inside = !inside; next } inside' "$1" | sed 's/\\\\/\\/g'
}

# What they speak of is there: a store with a past, a layout, a plan, a head
# that was kept; and of jq as much as they use.
prepare()
{
	put redis:6 $d1
	put redis:7 $d1
	put redis:7 $d2 --label tier=gold
	put redis:7 $d3
	waybill tag redis:6 redis:stable >/dev/null
	umoci init --layout layout
	umoci new --image layout:latest
	echo "{\"op\":\"delete\",\"name\":\"redis:6\"}" >plan.jsonl
	mkdir -p elsewhere bin
	waybill audit head -q >elsewhere/head
	ln -sf "$binary" bin/waybill
	cat >bin/jq <<-'END'
	#!/usr/bin/python3
	import json, re, sys
	for line in sys.stdin:
	    value = json.loads(line)
	    for step in re.findall(r"\.(\w+)", sys.argv[-1]):
	        if "select" not in sys.argv[-1]:
	            value = value[step]
	    print(value)
	END
	chmod +x bin/jq
}

@test "the examples of every page run" {
	for page in "$source_dir"/tools/man/*.scd; do
		name=$(basename "$page" .scd)
		mkdir "$place/$name"
		cd "$place/$name"
		export HOME=$PWD WAYBILL_STORE=dir:$PWD/store
		prepare >/dev/null
		examples "$page" >commands
		[ -s commands ]
		# There an answer that is no is an answer.
		[ "$name" != diff ] || sed -i 's/$/ || [ $? -eq 2 ]/' commands
		PATH=$PWD/bin:$PATH run --separate-stderr \
			bash -eu -o pipefail commands
		echo "$name: $output$stderr"
		is "$status" 0
		is "$stderr" ""
	done
}
