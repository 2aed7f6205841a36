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

@test "damage to the first commit is not told as revision 0" {
	put only $d1
	put second $d2
	break_at $library/only
	expect 6 ls
	says_one_line "\.log: offset [0-9]+: .*: not even revision 1 does"
	rm -r "$store"
	put first $d1
	put other $d2
	break_at $library/other
	expect 6 ls
	says_one_line "revision 1 is the last one that does"
}

@test "a next segment that is larger than a file may be is told as that" {
	put a $d1
	# The second put finds the first segment half full.
	value=$(printf 'v%.0s' {1..4000})
	labels=()
	for i in $(seq 150); do
		labels+=(--label "l$i=$value")
	done
	run --separate-stderr bash -c 'ulimit -f 3000; exec "$@"' - "$binary" \
		put b --media-type t --digest $d2 --size 1 "${labels[@]}"
	is "$status" 0
	has "$stderr" "next segment (tmp/spare: File too large)"
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

creators=("put a --media-type t --digest $d1 --size 1"
	"apply $BATS_TEST_TMPDIR/plan")

plan()
{
	echo "{\"op\":\"put\",\"name\":\"a\",\"target\":{\
\"mediaType\":\"t\",\"digest\":\"$d1\",\"size\":1}}" \
		>"$BATS_TEST_TMPDIR/plan"
}

@test "no store is made among other things, and none of them is touched" {
	plan
	mkdir -p "$store/tmp"
	echo "of a package manager" >"$store/lock"
	echo precious >"$store/tmp/thesis"
	: >"$store/notes"
	for other in notes tmp/thesis; do
		before=$(find "$store" -printf '%p %m %s %T@\n' | sort)
		for command in "${creators[@]}"; do
			expect 2 $command
			says_one_line "dir:$store: .*not empty \($other\)"
			expect 2 --json $command
			is "$(json error/code "$stderr")" not_a_store
			is "$(json error/status "$stderr")" 2
		done
		# Where none is to be made it is absent, as anywhere.
		for command in ls "rm a" "tag a b"; do
			expect 2 $command
			says_one_line "no waybill store is there"
		done
		is "$(find "$store" -printf '%p %m %s %T@\n' | sort)" "$before"
		is "$(cat "$store/lock")" "of a package manager"
		rm -f "$store/notes"
	done
}

@test "a store is made in an empty directory and on a fresh file system" {
	plan
	for command in "${creators[@]}"; do
		rm -rf "$store"
		mkdir -p "$store/lost+found" "$store/blobs" "$store/ingests" \
			"$store/snapshots"
		expect 0 $command
		rm -rf "$store"
		mkdir "$store"
		expect 0 $command
		# Once it is one, what else is there is none of its business.
		touch "$store/notes"
		expect 0 $command
		expect 0 get -q a
	done
}

@test "a creation that was killed anywhere is begun again" {
	plan
	n=0
	for call in openat mkdirat fallocate pwrite64 renameat fsync; do
		for when in $(seq 20); do
			rm -rf "$store"
			run --separate-stderr traced "$call:signal=KILL:when=$when" \
				-- ${creators[0]}
			[ "$status" -eq 137 ] || break
			n=$((n + 1))
			expect 0 ${creators[0]}
			expect 0 get -q a
			is "$output" $d1
		done
	done
	echo "$n kills"
	[ $n -ge 20 ]
}

@test "a store that cannot be made is told why" {
	export WAYBILL_STORE=dir:$PWD/none/deeper
	expect 2 ${creators[0]}
	says_one_line "dir:$PWD/none/deeper: .*make.*No such file or directory"
	[ ! -e none ]
	: >file
	export WAYBILL_STORE=dir:$PWD/file
	expect 2 ${creators[0]}
	says_one_line "dir:$PWD/file: Not a directory"
	[ ! -s file ]
	expect 2 --store 'dir:~/images' ${creators[0]}
	says_one_line "No such file or directory; ~ is a shell's"
	# And nobody is told that a put would make it.
	for place in none/deeper file '~/x'; do
		for command in ls "rm a"; do
			expect 2 --store "dir:$place" $command
			says_one_line "no waybill store is there$"
		done
	done
	for place in absent empty; do
		[ $place = absent ] || mkdir $place
		expect 2 --store "dir:$place" ls
		says_one_line "is there; the first put makes one$"
	done
}

@test "a newer version's store is exit 1, left alone, and no flag helps" {
	put a $d1
	: >"$store/0000000000000002.base"
	before=$(files)
	for command in ls "rm a" "put a --media-type t --digest $d1 --size 1"; do
		for flag in --json --any-filesystem; do
			expect 1 $flag $command
			has "${stderr_lines[-1]}" "newer version"
			[[ "$stderr" != *"--any-filesystem"* ]]
		done
	done
	expect 1 --json ls
	is "$(json error/code "${stderr_lines[-1]}")" unsupported
	is "$(files)" "$before"
}

@test "what keeps a store from being opened is named, with its reason" {
	put a $d1
	log=$(cd "$store" && ls -- *.log | tail -n 1)
	in_place_of() # FILE COMMAND…
	{
		mv "$store/$1" saved
		"${@:2}"
	}
	again() # FILE
	{
		rm -r "$store/${1:?}"
		mv saved "$store/$1"
	}
	in_place_of "$log" mkdir "$store/$log"
	expect 74 ls
	says_one_line "dir:$store: $log: (Is a directory|not a regular file)$"
	again "$log"
	for file in "$log" anchor; do
		in_place_of $file mkfifo "$store/$file"
		for command in ls "rm a"; do
			expect 74 $command
			says_one_line "dir:$store: $file: not a regular file$"
		done
		again $file
		in_place_of $file ln -s "$PWD/saved" "$store/$file"
		expect 74 ls
		says_one_line "dir:$store: $file: a symbolic link$"
		again $file
	done
	in_place_of torn touch "$store/torn"
	expect 74 rm a
	says_one_line "dir:$store: torn: not a directory$"
	again torn
	run --separate-stderr /usr/bin/python3 -c '
import os, resource, sys
os.closerange(3, 256)
resource.setrlimit(resource.RLIMIT_NOFILE, (5, 5))
os.execv(sys.argv[1], sys.argv[1:])' "$binary" ls
	is "$status" 74
	says_one_line "dir:$store: .*: Too many open files$"
	expect 64 ls --store "dir:$(printf 'x%.0s' {1..5000})"
	says_one_line "path is longer than 4095 bytes$"
	expect 64 ls --store "dir:$(printf 'x%.0s' {1..300})"
	says_one_line "xxx: File name too long$"
	expect 0 ls -q
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

@test "a reader that keeps a writer out is named" {
	put a $d1
	: >trace
	# It is held up in the middle of reading, after the lock.
	ASAN_OPTIONS=detect_leaks=0 strace -qq -f -o trace -e trace=flock \
		-e inject=flock:delay_exit=30000000:when=1 \
		"$binary" ls -q >/dev/null 3>&- &
	pid=$!
	until [ -s trace ] && tracee=$(cat "/proc/$pid/task/$pid/children") &&
		[ "$tracee" ]; do sleep 0.01; done
	expect 7 rm a
	if grep -q " $(stat -c '%Hd:%Ld' "$store") " /proc/self/mountinfo; then
		says_one_line "held by process ${tracee% } \(waybill\)"
	else
		says_one_line "held by another process"
	fi
	kill -9 $tracee $pid # or strace waits the delay out
	wait $pid || true
	expect 0 rm a
}

@test "a store whose lock file is lost is read, held and written as any" {
	put a $d1
	put b $d2
	rm "$store/lock"
	for command in ls "get a" log "show b" stat; do
		expect 0 $command
		[ ! -e "$store/lock" ]
	done
	expect 0 ls -q
	is "${#lines[@]}" 2
	expect 0 apply --dry-run - <<<'{"op":"delete","name":"a"}'
	rm "$store/lock"
	put c $d3
	expect 0 ls -q
	is "${#lines[@]}" 3

	"$build_dir/examples/writers" "$store" >acks 3>&- &
	holder=$!
	until [ -s acks ]; do sleep 0.01; done
	rm "$store/lock"
	for command in ls "rm a"; do
		expect 7 $command
	done
	kill -9 $holder
	wait $holder || true
	expect 0 get -q a
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
		(ended=0
		waybill put "n$i" --media-type t --digest $d1 --size 1 \
			>/dev/null 2>&1 || ended=$?
		echo $ended >"status$i") 3>&- &
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

# full_disk SCRIPT: runs it with $small, a file system of 8 MiB.
full_disk()
{
	export binary d1
	export small=$place/small
	mkdir -p "$small"
	mounted "mount -t tmpfs -o size=8m none '$small'
		$1"
}

@test "a full disk is exit 73, and what was there stays" {
	can_mount || skip "no name spaces"
	run --separate-stderr full_disk '
		export WAYBILL_STORE=dir:$small/store
		"$binary" put a --media-type t --digest $d1 --size 1 -q
		"$binary" tag -q a b
		head -c 9M /dev/zero >$small/ballast 2>/dev/null || true
		# The log has room of its own.
		"$binary" rm b
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
		rm $small/ballast
		"$binary" put n$i --media-type t --digest $d1 --size 1 -q
		"$binary" get n$i -q
		"$binary" rm n$i'
	echo "$output$stderr"
	is "$status" 0
	is "${lines[0]}" "$library/b:latest: removed at revision 3"
	is "${lines[1]}" "status 73"
	is "${lines[2]}" $d1
	is "${lines[3]}" "all there"
	is "${lines[4]}" $d1
	has "${lines[5]}" removed
	has "$stderr" "waybill: put: dir:$place/small/store: no space left"
}

@test "no store can be made on a full disk" {
	can_mount || skip "no name spaces"
	run --separate-stderr full_disk '
		head -c 9M /dev/zero >$small/ballast 2>/dev/null || true
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

@test "wherever memory runs out it is exit 75, said in one line" {
	if sanitized; then
		return # its shadow needs all of the address space
	fi
	awk -v t="\"target\":{\"mediaType\":\"t\",\"digest\":\"$d1\",\"size\":1}" \
		'BEGIN { for (i = 1; i <= 20000; i++)
			printf "{\"op\":\"put\",\"name\":\"n%d\",%s}\n", i, t }' >plan
	short=0
	for kilobytes in $(seq 12000 3000 60000); do
		for json in "" --json; do
			run --separate-stderr bash -c "ulimit -v $kilobytes
				exec '$binary' apply --raw -q $json plan"
			# Too little for the program itself.
			[ "$status" -ne 127 ] || continue
			echo "$kilobytes $json: $status: $stderr"
			[ "$status" -ne 0 ] || continue
			short=$((short + 1))
			is "$status" 75
			is "$output" ""
			is "${#stderr_lines[@]}" 1
			if [ "$json" ]; then
				is "$(json error/code "$stderr")" no_memory
				is "$(json error/status "$stderr")" 75
			else
				[[ "$stderr" =~ ^waybill:.*out\ of\ memory$ ]]
			fi
			[ ! -e "$store" ] || is "$(waybill ls -q)" ""
		done
		rm -rf "$store"
	done
	echo "$short runs out of memory"
	[ $short -ge 10 ]
}

# --- Signals -----------------------------------------------------------------

# in_background INPUT ARGUMENT…: with signals as in a terminal; sets $pid.
in_background()
{
	env --default-signal=INT,TERM,HUP "$binary" "${@:2}" <"$1" \
		>out 2>err 3>&- 4>&- &
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
	exec 4<>input
	for signal in INT TERM HUP; do
		for command in "put a -" "apply -"; do
			in_background input $command
			until_ready
			kill -$signal $pid
			ended=0
			wait $pid || ended=$?
			is "$ended" 130
			is "$(cat out)" ""
			is "$(cat err)" \
				"waybill: interrupted, nothing was changed"
			[ ! -e "$store" ]
		done
	done
	in_background input put a - --json
	until_ready
	kill -INT $pid
	wait $pid || true
	is "$(json error/code "$(cat err)")" cancelled
	is "$(json error/status "$(cat err)")" 130
	exec 4>&-
}

@test "a signal that is ignored stays ignored" {
	mkfifo input
	exec 4<>input
	(trap '' INT HUP
	exec "$binary" put a - <input >out 2>err 3>&- 4>&-) &
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

put_slowly=(put a --media-type t --digest "$d2" --size 1)

# slow_sync NUMBER SIGNAL…: a put whose NUMBERth sync takes a while; the
# signals come meanwhile. Sets $ended.
slow_sync()
{
	: >trace
	ASAN_OPTIONS=detect_leaks=0 strace -qq -f -o trace \
		-e trace=fdatasync \
		-e inject=fdatasync:delay_enter=1000000:when="$1" \
		env --default-signal=INT,TERM,HUP "$binary" \
		"${put_slowly[@]}" >out 2>err 3>&- &
	pid=$!
	until_stuck $pid $(($1 - 1))
	for signal in "${@:2}"; do
		kill -"$signal" "$tracee"
	done
	ended=0
	wait $pid || ended=$?
}

# Which sync makes that put durable: the first after its digest was written,
# counted on a copy of the store.
commit_sync()
{
	cp -r "$store" copy
	ASAN_OPTIONS=detect_leaks=0 strace -qq -f -o count -s 4096 \
		-e trace=fdatasync,pwrite64 \
		"$binary" "${put_slowly[@]}" --store "dir:$PWD/copy" \
		>/dev/null 3>&-
	awk -v digest="${d2#sha256:}" '
		/ pwrite64/ && index($0, digest) { written = 1 }
		/ fdatasync/ { n++; if (written) { print n; exit } }
	' count
}

@test "Ctrl-C while the store is being opened is exit 130" {
	put a $d1
	slow_sync 1 INT
	is "$ended" 130
	is "$(cat err)" "waybill: put: interrupted, nothing was changed"
	expect 0 get -q a
	is "$output" $d1
}

@test "Ctrl-C while the change is written lets it finish" {
	put a $d1
	number=$(commit_sync)
	[ "$number" -gt 1 ]
	slow_sync "$number" INT
	is "$ended" 0
	is "$(cat out)" "$library/a:latest: put at revision 2"
	is "$(cat err)" ""
	expect 0 get -q a
	is "$output" $d2
}

@test "a second signal gives up, and says that nobody knows" {
	put a $d1
	# Two of a kind would be one, as they come together.
	slow_sync "$(commit_sync)" INT TERM
	is "$ended" 5
	has "$(cat err)" "not known"
	expect 0 get -q a
	[ "$output" = $d1 ] || [ "$output" = $d2 ]
}

@test "Ctrl-C after the change, while its answer waits for a reader" {
	names=$(seq -f 'a-name-that-fills-a-pipe-with-few-others-%g' 2000)
	for name in $names; do
		echo "{\"op\":\"put\",\"name\":\"$name\",\"target\":{\
\"mediaType\":\"t\",\"digest\":\"$d1\",\"size\":1}}"
	done >plan
	waybill apply -q plan
	mkfifo answer
	exec 4<>answer
	env --default-signal=INT "$binary" rm $names >answer 2>err 3>&- 4>&- &
	pid=$!
	# One byte has come, so the store is closed; the rest does not fit.
	head -c 1 <&4 >/dev/null
	kill -INT $pid
	ended=0
	wait $pid || ended=$?
	exec 4>&-
	is "$ended" 0
	is "$(cat err)" "waybill: warning: interrupted after the change was made"
	is "$(waybill ls -q)" ""
}
