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
