# SPDX-License-Identifier: Apache-2.0
# Damaged, locked, full and failing stores; signals.
load helper.bash

# traced EXPRESSION… -- ARGUMENT…: run under strace, which makes system calls
# fail or wait as its inject expressions say.
traced()
{
	local options=()
	while [ "$1" != -- ]; do
		options+=(-e "inject=$1")
		shift
	done
	shift
	ASAN_OPTIONS=detect_leaks=0 strace -qq -f -o /dev/null \
		-e trace=all "${options[@]}" "$binary" "$@"
}

# break_at TEXT: changes the first byte of TEXT wherever it stands in a log.
break_at()
{
	local file offset
	for file in "$store"/*.log; do
		for offset in $(grep -abo "$1" "$file" | cut -d: -f1); do
			printf '\377' | dd of="$file" bs=1 seek="$offset" \
				conv=notrunc status=none
		done
	done
}

@test "damage is exit 6, said in one line, and nothing changes it" {
	put first $d1
	put second $d2
	put third $d3
	break_at $library/first
	before=$(files)
	for command in ls "get second" log "show third" stat "rm second" \
		"tag second x" "label second x=1" \
		"put x --media-type t --digest $d1 --size 1"; do
		expect 6 $command
		is "$output" ""
		[[ "$stderr" =~ \.log ]]
		is "$(files)" "$before"
	done
	expect 6 ls --json
	is "$(json error/code "${stderr_lines[-1]}")" corrupt
}

@test "a file that is no store is left alone" {
	echo "not a store" >"$store"
	for command in ls "rm a" "put a --media-type t --digest $d1 --size 1"
	do
		run --separate-stderr waybill $command
		[ "$status" -ne 0 ]
		is "${#stderr_lines[@]}" 1
		is "$(cat "$store")" "not a store"
	done
}

@test "a torn tail is cut, told, and nothing acknowledged is lost" {
	put a $d1
	put b $d2
	# What a crash leaves behind: half a frame after the last.
	log=$(ls "$store"/*.log | tail -n 1)
	size=$(stat -c %s "$log")
	expect 0 stat --json
	bytes=$(json log_bytes)
	head -c 300 /dev/urandom |
		dd of="$log" bs=1 seek="$bytes" conv=notrunc status=none
	expect 0 ls -q
	is "${#lines[@]}" 2
	expect 0 get -q a
	is "$output" $d1
	put c $d3
	expect 0 ls -q
	is "${#lines[@]}" 3
}

@test "a store that is held is exit 7 with the holder's pid" {
	mkdir acks
	"$build_dir/examples/writers" "$store" >acks/log 3>&- &
	holder=$!
	until [ -s acks/log ]; do sleep 0.01; done
	for command in ls "get a" "rm a" stat \
		"put a --media-type t --digest $d1 --size 1"; do
		expect 7 $command
		says_one_line "$holder.*use --store unix:"
	done
	expect 7 --json ls
	is "$(json error/code "$stderr")" locked
	kill -9 $holder
	wait $holder || true
	expect 0 ls -q
	[ "${#lines[@]}" -ge 1 ]
}

@test "many readers at once, and many writers one after another" {
	put a $d1
	for i in $(seq 20); do
		waybill get -q a >"out$i" 2>&1 3>&- &
	done
	wait
	for i in $(seq 20); do is "$(cat "out$i")" $d1; done
	# Each writer is told that it is done or that it is locked out.
	for i in $(seq 20); do
		(waybill put "n$i" --media-type t --digest $d1 --size 1 \
			>/dev/null 2>&1; echo $? >"status$i") 3>&- &
	done
	wait
	for i in $(seq 20); do
		case $(cat "status$i") in
		0) expect 0 get "n$i" ;;
		7) expect 2 get "n$i" ;;
		*) echo "status $(cat "status$i")"; return 1 ;;
		esac
	done
}

# full_disk SCRIPT: runs it with $small, a file system of 3 MiB.
full_disk()
{
	export binary d1
	export small=$BATS_TEST_TMPDIR/small
	mkdir -p "$small"
	if [ "$(id -u)" -eq 0 ]; then
		unshare -m bash -euc "
			mount -t tmpfs -o size=3m none '$small'
			$1"
	else
		unshare -Urm bash -euc "
			mount -t tmpfs -o size=3m none '$small'
			$1"
	fi
}

@test "a full disk is exit 73, and what was there stays" {
	unshare ${EUID:+-Urm} true || [ "$(id -u)" -eq 0 ] ||
		skip "no name spaces"
	run --separate-stderr full_disk '
		export WAYBILL_STORE=dir:$small/store
		"$binary" put a --media-type t --digest $d1 --size 1
		head -c 4M /dev/zero >$small/ballast 2>/dev/null || true
		i=0
		value=$(printf "v%.0s" $(seq 4000))
		status=0
		while [ $status -eq 0 ] && [ $i -lt 2000 ]; do
			i=$((i + 1))
			"$binary" -q put n$i --media-type t --digest $d1 \
				--size 1 --label l1=$value --label l2=$value \
				--label l3=$value --label l4=$value ||
				status=$?
		done
		echo "status $status"
		"$binary" get a -q
		[ $("$binary" ls -q | wc -l) -eq $i ] && echo "all there"
		"$binary" rm a -q && "$binary" get a || echo "gone $?"
		rm $small/ballast
		"$binary" put n$i --media-type t --digest $d1 --size 1 -q
		"$binary" get n$i -q'
	echo "$output$stderr"
	is "$status" 0
	has "$output" "status 73"
	has "$output" "$d1"
	has "$output" "all there"
	has "$output" "gone 2"
	has "$stderr" "space"
}

@test "no store can be made on a full disk" {
	unshare ${EUID:+-Urm} true || [ "$(id -u)" -eq 0 ] ||
		skip "no name spaces"
	run --separate-stderr full_disk '
		head -c 4M /dev/zero >$small/ballast 2>/dev/null || true
		status=0
		"$binary" put a --media-type t --digest $d1 --size 1 \
			--store dir:$small/store || status=$?
		echo "status $status"
		rm $small/ballast
		"$binary" put a --media-type t --digest $d1 --size 1 \
			--store dir:$small/store -q
		"$binary" get a -q --store dir:$small/store'
	echo "$output$stderr"
	is "$status" 0
	is "${lines[0]}" "status 73"
	is "${lines[1]}" $d1
}

@test "a sync that fails is exit 5, and the next command tells the truth" {
	put a $d1
	run --separate-stderr traced fdatasync,fsync:error=EIO:when=1+ -- \
		put a --media-type t --digest $d2 --size 1
	case $status in 5 | 74) ;; *) echo "status $status: $stderr"; return 1 ;; esac
	expect 0 get -q a
	[ "$output" = $d1 ] || [ "$output" = $d2 ]
}

@test "a read that fails is exit 74" {
	put a $d1
	run --separate-stderr traced pread64:error=EIO:when=5+ -- ls
	echo "$stderr"
	is "$status" 74
	is "$output" ""
	expect 0 get -q a
	is "$output" $d1
}

@test "memory that runs out is exit 75" {
	put a
	# A plan as large as may be, in less memory than it takes.
	if sanitized; then
		export ASAN_OPTIONS=max_allocation_size_mb=40
		ASAN_OPTIONS+=:allocator_may_return_null=1
	else
		ulimit -v 100000
	fi
	run --separate-stderr waybill apply - < <(head -c 120M /dev/zero)
	is "$status" 75
	has "${stderr_lines[-1]}" "out of memory"
}

# --- Signals -----------------------------------------------------------------

# in_background ARGUMENT…: with signals as in a terminal; sets $pid.
in_background()
{
	env --default-signal=INT,TERM,HUP "$binary" "$@" >out 2>err 3>&- &
	pid=$!
}

# Waits until the program has taken SIGINT over.
until_ready()
{
	local caught
	for _ in $(seq 500); do
		caught=$(sed -n 's/^SigCgt:\t//p' "/proc/$pid/status")
		if [ "$(readlink "/proc/$pid/exe")" = "$binary" ] &&
			((0x$caught & 2)); then
			return
		fi
		sleep 0.01
	done
	return 1
}

@test "Ctrl-C while it waits for input is exit 130, nothing done" {
	mkfifo input
	for signal in INT TERM HUP; do
		for command in "put a -" "apply -"; do
			exec 4<>input
			in_background $command <input
			until_ready
			kill -$signal $pid
			ended=0
			wait $pid || ended=$?
			exec 4>&-
			is "$ended" 130
			is "$(cat out)" ""
			is "$(cat err)" \
				"waybill: interrupted, nothing was changed"
			[ ! -e "$store" ]
		done
	done
	exec 4<>input
	in_background put a - --json <input
	until_ready
	kill -INT $pid
	wait $pid || true
	exec 4>&-
	is "$(json error/code "$(cat err)")" cancelled
	is "$(json error/status "$(cat err)")" 130
}

@test "a signal that is ignored stays ignored" {
	mkfifo input
	exec 4<>input
	(trap '' INT HUP
	exec "$binary" put a - <input >out 2>err 3>&-) &
	pid=$!
	until [ "$(readlink "/proc/$pid/exe")" = "$binary" ]; do
		sleep 0.01
	done
	kill -INT $pid
	kill -HUP $pid
	echo "{\"mediaType\":\"t\",\"digest\":\"$d1\",\"size\":1}" >&4
	exec 4>&-
	wait $pid
	expect 0 get -q a
	is "$output" $d1
}

# slow_sync SIGNAL…: a put whose syncs take a while; the signals come while
# the store is open for writing. Sets $ended.
slow_sync()
{
	local tracee
	ASAN_OPTIONS=detect_leaks=0 strace -qq -f -o trace \
		-e trace=fdatasync,fsync \
		-e inject=fdatasync,fsync:delay_enter=400000 \
		env --default-signal=INT,TERM,HUP "$binary" put a \
		--media-type t --digest $d2 --size 1 >out 2>err 3>&- &
	pid=$!
	until [ -s trace ]; do sleep 0.01; done
	tracee=$(awk 'NR == 1 { print $1 }' trace)
	for signal in "$@"; do
		kill -"$signal" "$tracee"
		# Two of a kind that come together would count once.
		sleep 0.05
	done
	ended=0
	wait $pid || ended=$?
}

@test "Ctrl-C while the store is open for writing: all or nothing" {
	put a $d1
	slow_sync INT
	case $ended in
	0) wanted=$d2 ;;
	130) wanted=$d1 ;;
	*) echo "ended $ended: $(cat err)"; return 1 ;;
	esac
	expect 0 get -q a
	is "$output" $wanted
}

@test "Ctrl-C twice gives up, and says that nobody knows" {
	put a $d1
	slow_sync INT INT
	is "$ended" 5
	has "$(cat err)" "not known"
	expect 0 get -q a
	[ "$output" = $d1 ] || [ "$output" = $d2 ]
}
