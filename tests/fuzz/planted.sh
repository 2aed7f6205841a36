#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Each fuzzer runs twice: with its planted bug, which it must find within ten
# seconds, and without, when it must find nothing. A fuzzer that has never
# found anything may be one that cannot.
#
#   sh tests/fuzz/planted.sh [--full]     --full: 30 seconds without the bug
set -u

source=${WAYBILL_SOURCE_DIR:-$(cd "$(dirname "$0")/../.." && pwd)}
clean_seconds=1
case ${1-} in
--full) clean_seconds=30 ;;
'') [ "${WAYBILL_FULL-}" != 1 ] || clean_seconds=30 ;;
*)
	echo "usage: sh tests/fuzz/planted.sh [--full]" >&2
	exit 64
	;;
esac

scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
cd "$source" || exit 1
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

# fuzz PROGRAM NAME SECONDS LOG: from the corpus, which stays as it is
fuzz()
{
	rm -rf "$scratch/run"
	mkdir -p "$scratch/run/new"
	"$1" -max_total_time="$3" -timeout=5 -rss_limit_mb=1024 \
		-print_final_stats=1 -artifact_prefix="$scratch/run/" \
		"$scratch/run/new" "tests/fuzz/corpus/$2" >"$4" 2>&1
}

{ cmake --preset fuzz && cmake --build --preset fuzz; } \
	>"$scratch/build.log" 2>&1
verdict $? "the fuzzers build" "$scratch/build.log"

fuzzers=0
for file in tests/fuzz/fuzz_*.c; do
	[ -f "$file" ] || continue
	fuzzers=$((fuzzers + 1))
	program=$(basename "$file" .c)
	name=${program#fuzz_}
	log=$scratch/log

	! fuzz "build/fuzz/tests/${program}_planted" "$name" 10 "$log" &&
		grep -q 'Test unit written to' "$log"
	verdict $? "$name: the planted bug is found within 10 s" "$log"

	fuzz "build/fuzz/tests/$program" "$name" "$clean_seconds" "$log"
	verdict $? "$name: nothing is found in $clean_seconds s" "$log"
	runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
	echo "count: $name fuzzed ${runs:-0}"
done
[ "$fuzzers" -gt 0 ]
verdict $? "there are fuzzers" /dev/null
echo "1..$number"
[ "$failed" -eq 0 ]
