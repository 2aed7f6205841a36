# SPDX-License-Identifier: Apache-2.0
# Stores on overlayfs, as in a container.
load helper.bash

# on_overlay SCRIPT: runs it with a file system of its own on a loop device,
# $disk. In the script, `overlay FILE` mounts that file system from FILE on
# $mnt and an overlay of its lower/ and upper/ on $m; `put NAME DIR` puts.
on_overlay()
{
	export binary d1 store place
	export disk=$place/disk mnt=$place/mnt m=$place/m
	mkdir -p "$mnt" "$m"
	truncate -s 32M "$disk"
	mkfs.ext4 -q "$disk"
	mounted '
		overlay()
		{
			mount -o loop "$1" "$mnt"
			mkdir -p "$mnt"/lower "$mnt"/upper "$mnt"/scratch
			mount -t overlay none "$m" -o "lowerdir=$mnt/lower" \
				-o "upperdir=$mnt/upper,workdir=$mnt/scratch"
		}
		put()
		{
			"$binary" --any-filesystem put -q "$1" --media-type t \
				--digest $d1 --size 1 --store "dir:$2"
		}
		'"$1"
}

# in_memory OPTIONS SCRIPT: the same without a disk, mounted on $m already.
in_memory()
{
	export binary d1 place
	export mnt=$place/mnt m=$place/m more=$1
	mkdir -p "$mnt" "$m"
	mounted '
		mount -t tmpfs none "$mnt"
		mkdir "$mnt"/lower "$mnt"/upper "$mnt"/scratch
		mount -t overlay none "$m" -o "lowerdir=$mnt/lower$more" \
			-o "upperdir=$mnt/upper,workdir=$mnt/scratch"
		export WAYBILL_STORE="dir:$m/store"
		put()
		{
			"$binary" put a --media-type t --digest $d1 --size 1 \
				"$@" || echo "status $?"
		}
		'"$2"
}

@test "an overlay is warned of where something is written, and no more" {
	can_mount || skip "no name spaces"
	run --separate-stderr in_memory "" '
		put
		"$binary" get -q a
		"$binary" ls -q
		put --json >"$mnt/json" 2>"$mnt/warning"
		cat "$mnt/warning"
		put --any-filesystem'
	echo "$output$stderr"
	is "$status" 0
	is "${lines[0]}" "$library/a:latest: put at revision 1"
	is "${lines[1]}" $d1
	is "${lines[2]}" $library/a:latest
	has "$(json warning/message "${lines[3]}")" "on overlay, where"
	is "${lines[4]}" "$library/a:latest: put at revision 3"
	is "${#stderr_lines[@]}" 1
	[[ "$stderr" =~ ^waybill:\ put:\ warning:\ .*overlay.*volume ]]
}

@test "an overlay that does not sync is refused, unless accepted" {
	can_mount || skip "no name spaces"
	run --separate-stderr in_memory ,volatile '
		put
		ls "$m"
		put --json 2>"$mnt/error"
		cat "$mnt/error"
		put --any-filesystem
		"$binary" get -q a --any-filesystem
		"$binary" get -q a || echo "status $?"'
	echo "$output$stderr"
	is "$status" 0
	is "${lines[0]}" "status 1"
	is "${lines[1]}" "status 1"
	is "$(json error/code "${lines[2]}")" unsupported
	is "${lines[3]}" "$library/a:latest: put at revision 1"
	is "${lines[4]}" $d1
	is "${lines[5]}" "status 1"
	is "${#stderr_lines[@]}" 4
	# The refusal says what can be done, the warnings what was accepted.
	[[ "${stderr_lines[0]}" =~ volatile.*a\ volume\;\ --any-filesystem ]]
	[[ "${stderr_lines[1]}" =~ ^waybill:\ put:\ warning:\ .*volatile ]]
	[[ "${stderr_lines[2]}" =~ ^waybill:\ get:\ warning:\ .*volatile ]]
	is "${stderr_lines[3]/get:/put:}" "${stderr_lines[0]}"
}

can_loop()
{
	on_overlay 'overlay "$disk"'
}

@test "what is acknowledged over an image's store outlives a power cut" {
	can_loop || skip "no loop devices"
	run --separate-stderr on_overlay '
		mount -o loop "$disk" "$mnt"
		mkdir "$mnt"/lower
		put a "$mnt/lower/store"
		umount "$mnt"
		overlay "$disk"
		put b "$m/store"
		# What the disk has at this moment is all that a power cut leaves.
		cp --sparse=always "$disk" "$disk.cut"
		umount "$m" "$mnt"
		overlay "$disk.cut"
		"$binary" --any-filesystem ls -q --store "dir:$m/store"
		# It is the upper layer that was written to.
		"$binary" ls -q --store "dir:$mnt/lower/store"'
	echo "$output$stderr"
	is "$status" 0
	is "$output" "$library/a:latest
$library/b:latest
$library/a:latest"
}
