#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A sanitizer that has never complained may be one that cannot. A data race
# and a leak are planted in store/ by a build switch; the tests that are
# otherwise run under that sanitizer must then fail, by its report, and that
# must name the function: another race or leak is not the planted one.
#
#   sh tests/habits/sanitizers.sh
set -u

source=${WAYBILL_SOURCE_DIR:-$(cd "$(dirname "$0")/../.." && pwd)}
builds=${WAYBILL_BUILD_DIR:-$source/build/release}
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
number=0
failed=0

# verdict STATUS NAME LOG: one TAP line, and the log of a failure
verdict()
{
	number=$((number + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $number - $2"
		return
	fi
	echo "not ok $number - $2"
	tail -n 40 "$3" | sed 's/^/# /'
	failed=$((failed + 1))
}

# planted SWITCH SANITIZERS TEST REPORT FUNCTION
planted()
{
	build=$builds/planted-$1
	log=$scratch/$1
	{ cmake -S "$source" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release \
		-DCMAKE_C_COMPILER=gcc -DCMAKE_C_FLAGS="-DWAYBILL_PLANT_$1" \
		-DWAYBILL_SANITIZE="$2" &&
		cmake --build "$build" --target "$3"; } >"$log" 2>&1
	verdict $? "$1: it builds" "$log"

	TMPDIR=$scratch CK_TIMEOUT_MULTIPLIER=10 \
		ASAN_OPTIONS=detect_leaks=1 TSAN_OPTIONS=halt_on_error=1 \
		"$build/tests/$3" >"$log" 2>&1
	[ $? -ne 0 ] && grep -q "$4" "$log" &&
		grep -Eq "^ +#[0-9]+ (0x[0-9a-f]+ in )?$5 " "$log"
	verdict $? "$1: $3 fails, and says $4 in $5" "$log"
}

planted RACE thread test_model_threads \
	'WARNING: ThreadSanitizer: data race' wb_store_stat
# A leak is reported where the memory came from.
planted LEAK address,undefined test_stat \
	'LeakSanitizer: detected memory leaks' grow_lists
echo "1..$number"
[ "$failed" -eq 0 ]
