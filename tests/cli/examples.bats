# SPDX-License-Identifier: Apache-2.0
# The example programs do what their heads say.
load helper.bash

@test "register writes a name, lists it and tells its history, in 40 lines" {
	digest=sha256:$(printf '' | sha256sum | cut -d' ' -f1)
	run "$build_dir/examples/register" "$store"
	is "$status" 0
	is "$output" "$library/redis:7 -> $digest
@{r1} $library/redis:7: an example"
	# And what it wrote is what the command line finds.
	expect 0 ls -q
	is "$output" "$library/redis:7"
	run "$build_dir/examples/register" "$store"
	is "$status" 0
	is "$output" "$library/redis:7 -> $digest
@{r2} $library/redis:7: an example
@{r1} $library/redis:7: an example"
	[ "$(wc -l <"$BATS_TEST_DIRNAME/../../examples/register.c")" -le 40 ]
}

@test "register says what is wrong" {
	run "$build_dir/examples/register"
	is "$status" 1
	has "$output" "usage"
	run "$build_dir/examples/register" /dev/null/x
	is "$status" 1
	[ -n "$output" ]
}

@test "what the writers print before a kill is there after it" {
	"$build_dir/examples/writers" "$store" >acknowledged 3>&- &
	pid=$!
	until [ "$(wc -l <acknowledged)" -ge 200 ]; do sleep 0.01; done
	kill -9 $pid
	wait $pid || true
	waybill ls -q --prefix docker.io/demo/ | sort >found
	# Whole lines only: a kill may cut the last.
	head -n "$(wc -l <acknowledged)" acknowledged | sort >promised
	[ "$(wc -l <promised)" -ge 200 ]
	is "$(comm -23 promised found)" ""
}
