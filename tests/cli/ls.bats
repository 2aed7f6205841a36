# SPDX-License-Identifier: Apache-2.0
load helper.bash

fill()
{
	put redis:7 $d1 --label tier=gold
	put redis:6 $d2 --label tier=silver --label "a.b/c=x"
	put alpine $d3
	put quay.io/a/b:1 $d1
}

names()
{
	expect 0 ls -q "$@"
	echo "${lines[*]#docker.io/library/}"
}

@test "ls is an aligned table in bytewise order, nothing cut" {
	fill
	long=$(printf 'x%.0s' {1..200})
	put "$long" $d2
	expect 0 ls
	is "${#lines[@]}" 6
	[[ "${lines[0]}" =~ ^NAME\ +DIGEST\ +SIZE\ +UPDATED$ ]]
	[[ "${lines[1]}" =~ ^$library/alpine:latest\ +$d3\ +100\ +20.*Z$ ]]
	has "${lines[4]}" "$library/$long:latest"
	for line in "${lines[@]:1}"; do
		prefix=${line%%sha256:*}
		is ${#prefix} $((${#library} + 1 + 200 + 7 + 2))
	done
	is "$(names | wc -w)" 5
}

@test "an empty store has an empty list" {
	put a
	waybill rm a
	expect 0 ls
	[[ "$output" =~ ^NAME ]]
	is "${#lines[@]}" 1
	expect 0 ls -q
	is "$output" ""
	expect 0 ls --json
	is "$output" ""
}

@test "ls --json is one image a line" {
	fill
	expect 0 ls --json
	is "${#lines[@]}" 4
	is "$(json name "${lines[1]}")" $library/redis:6
	is "$(json labels/tier "${lines[1]}")" silver
}

@test "filters: any of several, all of what a comma joins" {
	fill
	is "$(names 'name~=redis')" "redis:6 redis:7"
	is "$(names 'labels.tier==gold')" redis:7
	is "$(names 'labels.tier==gold' 'name~=alpine')" "alpine:latest redis:7"
	is "$(names 'name~=redis,labels.tier!=gold')" redis:6
	is "$(names 'labels."a.b/c"')" redis:6
	is "$(names "target.digest==$d3")" alpine:latest
	is "$(names 'name==nothing')" ""
	is "$(names '')" "alpine:latest redis:6 redis:7 quay.io/a/b:1"
}

@test "a bad filter is refused" {
	fill
	for filter in 'name==a b' 'name=a' 'name===a' 'name==' 'name==a,' \
		'name~=.*' 'labels.x.y/z==1'; do
		refuse_untouched 65 "filters: parse error" ls "$filter"
	done
}

@test "a word that is no filter of names is explained where it finds none" {
	fill
	expect 0 ls redis
	is "${#lines[@]}" 1
	has "$stderr" "did you mean name~=redis?"
	for words in "-q redis" "--json redis" "labels.none" "name==none"; do
		expect 0 ls $words
		is "$stderr" ""
	done
	refuse_untouched 65 "parse error: .*; did you mean name~=redis:7\?$" \
		ls redis:7
	refuse_untouched 65 'unsupported operator "=": [a-z: ]*$' ls name=redis:7
}

@test "a short name where a full one is compared is explained" {
	fill
	note="waybill: ls: note: names are compared in full; did you mean"
	expect 0 ls --prefix redis
	is "${#lines[@]}" 1
	is "$stderr" "$note --prefix $library/redis?"
	expect 0 ls --prefix redis:7
	is "$stderr" "$note --prefix $library/redis:7?"
	expect 0 ls --after alpine
	is "${#lines[@]}" 5
	is "$stderr" "$note --after $library/alpine:latest?"
	for words in "--prefix docker.io/x" "--prefix redis --raw" \
		"--prefix redis -q" "--after redis --json" \
		"--after $library/redis:6" "--after redis --raw"; do
		expect 0 ls $words
		is "$stderr" ""
	done
}

@test "prefix, limit and after page through the names" {
	fill
	is "$(names --prefix docker.io/library/red)" "redis:6 redis:7"
	is "$(names --prefix redis)" ""
	is "$(names --prefix '')" "alpine:latest redis:6 redis:7 quay.io/a/b:1"
	is "$(names --limit 2)" "alpine:latest redis:6"
	is "$(names --limit 2 --after $library/redis:6)" \
		"redis:7 quay.io/a/b:1"
	is "$(names --after docker.io/m)" "quay.io/a/b:1"
	is "$(names --after zzz)" ""
	is "$(names --limit 0)" "alpine:latest redis:6 redis:7 quay.io/a/b:1"
	expect 0 ls --limit 2
	is "$stderr" "waybill: ls: note: more names follow; continue with \
--after $library/redis:6"
	expect 0 ls --limit 4
	is "$stderr" ""
}

@test "a limit is a whole number" {
	fill
	for limit in -1 x "" 1.5; do
		refuse_untouched 64 "not a whole number" ls --limit "$limit"
	done
}

@test "names of any shape survive -0, and cannot forge a line for people" {
	odd=$'a\nb \x1b[31m\xc2\x9b\xe2\x98\x83'
	put "$odd" $d1 --raw
	waybill ls -0 | cmp - <(printf '%s\0' "$odd")
	expect 0 ls
	is "${#lines[@]}" 2
	has "${lines[1]}" 'a\x0ab \x1b[31m\xc2\x9b☃'
	expect 0 ls --json
	is "$(json name)" "$odd"
	# Nor look like another one.
	put 'a\x0ab' $d1 --raw
	put $'bidi\xe2\x80\xaenope' $d1 --raw
	expect 0 ls
	has "${lines[2]}" 'a\\x0ab '
	has "${lines[3]}" 'bidi\xe2\x80\xaenope '
	# A sentence quotes once.
	expect 2 get --raw 'x\'
	is "$stderr" 'waybill: get: image "x\\": not found'
}

@test "columns meet where characters are wide, have none, or one name is huge" {
	put $'\xe6\xbc\xa2\xe5\xad\x97' $d1 --raw
	put $'e\xcc\x81\xcc\x82' $d1 --raw
	put abcd $d1 --raw
	expect 0 ls
	is "${lines[1]%%sha*}" "abcd  "
	is "${lines[2]%%sha*}" $'e\xcc\x81\xcc\x82     '
	is "${lines[3]%%sha*}" $'\xe6\xbc\xa2\xe5\xad\x97  '
	huge=$(printf 'x%.0s' {1..4000})
	put "$huge" $d1 --raw
	expect 0 ls
	is "${lines[1]%%sha*}" "abcd  "
	is "${lines[3]%%sha*}" "$huge  "
}

@test "more than a page of names is listed, in order, and aligned" {
	for i in $(seq 2500); do
		printf '{"op":"put","name":"n%05d","target":{"mediaType":"t",' $i
		printf '"digest":"%s","size":1}}\n' $d1
	done | waybill apply --raw - >/dev/null
	waybill ls -q | cmp - <(printf 'n%05d\n' $(seq 2500))
	waybill ls >table
	is "$(grep -n sha256 table | sed 's/.*\(n.*\)sha256.*/\1/' | sort -u |
		awk '{ print length($0) }' | sort -u)" 8
}

@test "color is for terminals, unless asked for or forbidden" {
	fill
	bold=$'\033[1m'
	expect 0 ls
	[[ "$output" != *"$bold"* ]]
	expect 0 ls --color=always
	has "${lines[0]}" "$bold"
	NO_COLOR=1 expect 0 ls --color always
	has "${lines[0]}" "$bold"
	export TERM=xterm
	on_terminal() { script -qec "$*" /dev/null; }
	run on_terminal "$binary ls"
	has "$output" "$bold"
	run on_terminal "$binary ls --color never"
	[[ "$output" != *"$bold"* ]]
	NO_COLOR=1 run on_terminal "$binary ls"
	[[ "$output" != *"$bold"* ]]
	NO_COLOR='' run on_terminal "$binary ls"
	has "$output" "$bold"
	TERM=dumb run on_terminal "$binary ls"
	[[ "$output" != *"$bold"* ]]
}
