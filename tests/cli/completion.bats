# SPDX-License-Identifier: Apache-2.0
# What bash offers when somebody completes a command line of waybill.
load helper.bash

# offers LINE: a word a line, sorted. The cursor is at the end of LINE. Without
# the limit of a second, which is too short for a machine that is busy.
offers()
{
	mkdir -p bin
	ln -sf "$binary" bin/waybill
	PATH=$PWD/bin:$PATH bash --norc -uc '
		timeout() { shift; "$@"; }
		source "$0"
		COMP_LINE=$1 COMP_POINT=${#1}
		read -ra COMP_WORDS <<<"$1"
		_waybill waybill
		[ ${#COMPREPLY[@]} -eq 0 ] || printf "%s\n" "${COMPREPLY[@]}"
		' "$build_dir/completions/waybill" "$1" | sort
}

# Words, sorted, a line each.
words()
{
	tr -s ' \n' '\n' | grep -v '^$' | sort
}

# The commands that --help tells of, a line each: "audit log" is one.
commands()
{
	waybill --help | sed -n '/^Commands/,/^$/s/^  \([a-z ]*[a-z]\)  .*/\1/p'
}

# The options that --help tells of, one-letter ones too.
options_of()
{
	waybill $1 --help | sed -n 's/^  \(-., \|    \)\(--[a-z-]*\).*/\1 \2/p' |
		tr -d , | words
}

@test "commands, and the second words of a group" {
	is "$(offers "waybill ")" "$(commands | cut -d ' ' -f 1 | sort -u)"
	is "$(offers "waybill audit ")" "head
log
verify"
	is "$(offers "waybill --json -n k8s la")" label
	is "$(offers "waybill help fr")" frames
	is "$(offers "waybill dance ")" ""
	is "$(offers "waybill audit dance ")" ""
}

@test "every option of --help is offered, and no other" {
	local count=0
	is "$(offers "waybill -")" "$(options_of "")"
	while read -r command; do
		is "$(offers "waybill $command -")" "$(options_of "$command")"
		count=$((count + 1))
	done < <(commands)
	[ $count -gt 15 ]
	is "$(offers "waybill fsck --sal")" --salvage
	is "$(offers "waybill put x --if-")" "--if-absent
--if-digest
--if-present
--if-revision"
	# Behind -- nothing is an option.
	is "$(offers "waybill put -- -")" ""
}

@test "it is known what stands for each word of --help" {
	run bash --norc -c '
		source "$0"
		for values in _waybill_values _waybill_operands; do
			declare -n table=$values
			for key in "${!table[@]}"; do
				read -ra words <<<"${table[$key]}"
				for word in "${words[@]}"; do
					count=$((count + 1))
					_waybill_kind "$word" || echo "$key: $word"
				done
			done
		done
		[ $count -gt 50 ] || echo "only $count"
		_waybill_kind DANCE || echo seen' "$build_dir/completions/waybill"
	is "$output" seen
}

@test "values: choices, addresses, directories" {
	mkdir -p here/there layout "$place/stores"
	: >here/file
	is "$(offers "waybill ls --color ")" "always
auto
never"
	is "$(offers "waybill ls --color n")" never
	is "$(offers "waybill --store ")" "dir:
unix:"
	# Readline replaces only what stands behind the colon.
	is "$(offers "waybill --store dir:$place/st")" "$place/stores"
	is "$(offers "waybill --store=dir:$place/st")" "$place/stores"
	is "$(offers "waybill ls --color=ne")" never
	is "$(offers "waybill fsck --salvage here/")" here/there
	is "$(offers "waybill put a --from oci:lay")" layout
	is "$(offers "waybill put a --from ")" oci:
	is "$(offers "waybill ls --limit ")" ""
	is "$(offers "waybill put a --reason ")" ""
}

@test "deleted names where a command looks at the past" {
	put redis:7
	put redis:8
	waybill rm redis:7 >/dev/null
	for command in undo show log "diff redis:8" "audit log"; do
		is "$(offers "waybill $command redis:")" "7
8"
	done
	for command in get rm "tag redis:8"; do
		is "$(offers "waybill $command redis:")" 8
	done
	waybill rm redis:8 >/dev/null
	is "$(offers "waybill undo re")" "redis:7
redis:8"
	put raw.name $d1 --raw
	waybill rm --raw raw.name >/dev/null
	is "$(offers "waybill undo --raw ra")" raw.name
	put 'evil$(touch ran)' $d1 --raw
	waybill rm --raw 'evil$(touch ran)' >/dev/null
	is "$(offers "waybill undo --raw ev")" ""
	[ ! -e ran ]
}

@test "files, of the store and others" {
	put a
	: >plan.jsonl
	is "$(offers "waybill load pl")" plan.jsonl
	is "$(offers "waybill load --dry-run pl")" plan.jsonl
	is "$(offers "waybill apply pl")" plan.jsonl
	is "$(offers "waybill frames ")" "0000000000000001.log
anchor"
	is "$(offers "waybill frames an")" anchor
	WAYBILL_STORE=
	is "$(offers "waybill --store dir:$store frames an")" anchor
	is "$(offers "waybill frames $store/0")" "$store/0000000000000001.log"
}

@test "names as people write them, and in full where they are meant so" {
	put redis:7
	put redis:8
	put redux
	put demo/redis:1
	put ghcr.io/demo/red:1
	waybill put --raw raw.name --media-type t --digest $d1 --size 1
	is "$(offers "waybill get re")" "redis:7
redis:8
redux:latest"
	is "$(offers "waybill get redis:")" "7
8"
	is "$(offers "waybill tag redis:7 gh")" ghcr.io/demo/red:1
	is "$(offers "waybill diff demo/")" demo/redis:1
	is "$(offers "waybill get docker.io/library/redis:7")" 7
	is "$(offers "waybill get --raw re")" ""
	is "$(offers "waybill get --raw ra")" raw.name
	is "$(offers "waybill ls --after doc")" "docker.io/demo/redis:1
docker.io/library/redis:7
docker.io/library/redis:8
docker.io/library/redux:latest"
	is "$(offers "waybill ls --after=docker.io/d")" docker.io/demo/redis:1
	is "$(offers "waybill audit log demo")" demo/redis:1
	# As many operands as there are, and no more.
	is "$(offers "waybill rm redis:7 redu")" redux:latest
	is "$(offers "waybill get redis:7 redu")" ""
	is "$(offers "waybill tag a b redu")" ""
}

@test "of the store and namespace that the line names" {
	put a $d1 --store "dir:$place/other"
	put b $d1 -n k8s
	is "$(offers "waybill get ")" ""
	is "$(offers "waybill --store dir:$place/other get ")" a:latest
	is "$(offers "waybill get --store=dir:$place/other ")" a:latest
	is "$(offers "waybill -n k8s get ")" b:latest
}

@test "no name of a store is run or expanded, and no other text offered" {
	for name in 'a$(touch ran)' 'a`touch ran`' 'a;touch ran' 'a b' 'a*' 'a~' \
		"a'" a-plain; do
		put "$name" $d1 --raw
	done
	is "$(offers "waybill get --raw a")" a-plain
	is "$(offers "waybill get --raw a\$(touch")" ""
	is "$(offers "waybill get --raw '\$(touch ran)")" ""
	is "$(offers "waybill get --raw a|b")" ""
	[ ! -e ran ]
}

@test "where there is no store none is made, and nothing is said" {
	run --separate-stderr offers "waybill get a"
	is "$status$output$stderr" 0
	[ ! -e "$store" ]
	# Nor of one that is not to be read.
	: >"$place/file"
	WAYBILL_STORE=dir:$place/file run --separate-stderr offers "waybill get a"
	is "$status$output$stderr" 0
	WAYBILL_STORE=nonsense run --separate-stderr offers "waybill get a"
	is "$status$output$stderr" 0
}

@test "names are waited for a second, not for ever" {
	mkdir bin
	printf '#!/bin/sh\nexec sleep 600\n' >bin/waybill
	chmod +x bin/waybill
	PATH=$PWD/bin:$PATH run --separate-stderr timeout 300 bash --norc -uc '
		source "$0"
		timeout() { echo "$*" >asked; command timeout "$@"; }
		COMP_LINE="waybill get a" COMP_POINT=13
		_waybill waybill
		echo "${#COMPREPLY[@]}"' "$build_dir/completions/waybill"
	is "$status" 0
	is "$output" 0
	[[ "$(cat asked)" == "1 waybill ls -q "* ]]
}
