# SPDX-License-Identifier: Apache-2.0
load helper.bash

@test "get prints one field a line" {
	put redis $d1 --label tier=gold
	expect 0 get redis
	is "${lines[0]}" "name         $library/redis:latest"
	is "${lines[1]}" "digest       $d1"
	is "${lines[2]}" "media type   $type"
	is "${lines[3]}" "size         100"
	is "${lines[4]}" "label        tier=gold"
	[[ "${lines[5]}" =~ ^created\ +20[0-9-]+T[0-9:.]+Z$ ]]
	[[ "${lines[6]}" =~ ^updated\ +20[0-9-]+T[0-9:.]+Z$ ]]
	is "${lines[7]}" "revision     1"
	is "${#lines[@]}" 8
}

@test "get -q is the digest, -0 ends it with a zero byte" {
	put a $d1
	expect 0 get -q a
	is "$output" $d1
	waybill get -0 a | cmp - <(printf '%s\0' $d1)
}

@test "names are normalised as the ecosystem does" {
	put docker.io/library/redis:latest $d1
	for name in redis redis:latest library/redis docker.io/redis \
		docker.io/library/redis; do
		expect 0 get -q "$name"
		is "$output" $d1
	done
}

@test "a name that is not there is exit 2" {
	put a
	refuse_untouched 2 "image \"$library/b:latest\": not found" get b
	refuse_untouched 2 'image "a": not found' get --raw a
	refuse_untouched 65 . get "A B"
	# As every program that calls the library is told.
	refuse_untouched 2 'image "": not found' get --raw ""
	refuse 2 'image "": not found' rm --raw ""
	refuse 2 'image "": not found' tag --raw "" x
	refuse 65 "Image.Name required" label --raw "" x=1
	refuse_untouched 65 "Image.Name required" put --raw "" --media-type t \
		--digest $d1 --size 1
	expect 2 get b --json
	is "$output" ""
	is "$(json error/code "$stderr")" not_found
	is "$(json error/message "$stderr")" \
		"image \"$library/b:latest\": not found"
	is "$(json error/status "$stderr")" 2
}

@test "a point in time is for show, and who asks elsewhere is told" {
	put a
	for command in get rm log "tag a"; do
		refuse_untouched 65 "only .waybill show. and .waybill diff. take" \
			$command 'a@{1}'
	done
	put 'a@{1}' $d2 --raw
	expect 0 get --raw -q 'a@{1}'
}

@test "namespaces do not see each other" {
	put a $d1
	put a $d2 -n two
	expect 0 get -q a
	is "$output" $d1
	expect 0 get -q a --namespace=two
	is "$output" $d2
	refuse 2 "not found" get a -n three
	WAYBILL_NAMESPACE=two CONTAINERD_NAMESPACE=three expect 0 get -q a
	is "$output" $d2
	CONTAINERD_NAMESPACE=two expect 0 get -q a
	is "$output" $d2
	WAYBILL_NAMESPACE='' CONTAINERD_NAMESPACE='' expect 0 get -q a
	is "$output" $d1
	WAYBILL_NAMESPACE=two expect 0 get -q a -n default
	is "$output" $d1
}

@test "a bad namespace is refused" {
	put a
	for ns in "" -bad "a b" a/b "$(printf 'a%.0s' {1..77})" a..b; do
		refuse_untouched 65 namespace get a -n "$ns"
	done
	refuse_untouched 65 "namespace is required" get a -n ""
}

@test "a store that is absent is said to be absent, and stays so" {
	for command in "get a" ls log "log a" "show a" stat "rm a" "tag a b" \
		"label a x=1"; do
		refuse_untouched 2 "no waybill store is there" $command
		[ ! -e "$store" ]
	done
	mkdir "$store"
	refuse_untouched 2 "no waybill store is there" get a
	refuse_untouched 2 "no waybill store is there" rm a
	expect 2 get a --json
	is "$(json error/code "$stderr")" not_a_store
}
