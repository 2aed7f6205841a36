# SPDX-License-Identifier: Apache-2.0
load ../cli/helper.bash

@test "the demo passes, and its last line says so" {
	run sh "$source_dir/tools/demo.sh"
	echo "$output"
	is "$status" 0
	[[ "${lines[-1]}" =~ ^demo:\ passed:.*\ [0-9]+\ acknowledged ]]
}
