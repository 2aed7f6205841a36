# SPDX-License-Identifier: Apache-2.0
# README.md leads a newcomer where it says.
load helper.bash

# block N: what stands between the fences of the Nth block of shell.
block()
{
	awk -v n="$1" '/^```/ { inside = /^```sh/ && ++count == n; next }
		inside' "$source_dir/README.md"
}

@test "the first commands can be pasted" {
	block 3 >pasted
	has "$(head -n 1 pasted)" WAYBILL_STORE
	mkdir bin home
	ln -s "$binary" bin/waybill
	HOME=$PWD/home PATH=$PWD/bin:$PATH run --separate-stderr \
		bash -euc "$(cat pasted)"
	echo "$output$stderr"
	is "$status" 0
	is "$stderr" ""
	has "$output" "$library/redis:7: put at revision 1"
	has "$output" "$library/redis:stable: tagged at revision 2"
	has "$output" "first import"
	[ -d home/images ]
}

@test "the packages are those that the demo builds with, and the manual's" {
	block 2 | tr -d '\\' | sed -n '/^apt install/,/^cmake/p' |
		grep -v ^cmake | tr -s ' \t' '\n' |
		grep -vx 'apt\|install\|scdoc\|' | sort >named
	sed -n "/^packages='/,/'$/p" "$source_dir/tools/demo.sh" |
		tr -s " '\t" '\n' | grep -v '^packages=\|^$' |
		# gcc brings the two of them, and those make an image to show.
		grep -vx 'libc6-dev\|binutils\|umoci\|busybox-static' |
		sort >used
	is "$(cat named)" "$(cat used)"
}

@test "what it says to build and to install is there" {
	for target in $(block 2 | sed -n 's/.*--target //p'); do
		[ -e "$build_dir/bin/$target" ] ||
			[ -e "$build_dir/lib/${target%_static}.so" ]
	done
	has "$(block 2)" "cmake --install build/release"
	grep -q '"name": "release"' "$source_dir/CMakePresets.json"
}
