/* SPDX-License-Identifier: Apache-2.0
 *
 * Filesystems on which a store loses what it promises, or may.
 *
 * Refused are those whose locks and fsync are somebody else's word, and an
 * overlay that was mounted `volatile`: its fsync returns at once and writes
 * nothing, and DONTNEED drops nothing. On any other overlay fsync, rename,
 * locks and DONTNEED do on the upper layer what they say, before and after a
 * file was copied up (measured: Linux 6.18, over ext4, xfs and btrfs). What is
 * left is that the upper layer of a container goes with it, and that deserves
 * a warning.
 *
 * Discarded: refusing every overlay. The root of every container is one, so
 * that a first try ended with a refusal, and a refusal that everybody learns
 * to override protects nobody.
 */
#include "base/posix.h"
#include "base/posix_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#define OVERLAY_MAGIC 0x794C7630u

/* From statfs(2) and the kernel's linux/magic.h. */
static const struct filesystem filesystems[] = {
	{0x00006969, true, "NFS", "locks and fsync depend on the server"},
	{0x01021997, true, "9p", "locks and fsync depend on the server"},
	{0x0000517B, true, "SMB", "locks and fsync depend on the server"},
	{0xFE534D42, true, "SMB", "locks and fsync depend on the server"},
	{0xFF534D42, true, "SMB", "locks and fsync depend on the server"},
	{0x5346414F, true, "AFS", "locks and fsync depend on the server"},
	{0x65735546, false, "FUSE", "locks and fsync depend on its program"},
	{OVERLAY_MAGIC, false, "overlay",
	 "a container's files end with it; a volume's do not"},
};
static const struct filesystem volatile_overlay = {OVERLAY_MAGIC, true,
						   "a volatile overlay",
						   "fsync does nothing"};
static const struct filesystem hidden_overlay = {
	OVERLAY_MAGIC, true, "this overlay",
	"fsync may do nothing: its mount options cannot be read"};

const struct filesystem *filesystem_find(uint32_t magic)
{
	for (size_t i = 0; i < sizeof(filesystems) / sizeof(*filesystems); i++)
		if (filesystems[i].magic == magic)
			return &filesystems[i];
	return NULL;
}

/* ---- mount options ---- */

bool mountinfo_options(const char *line, uint64_t mount_id,
		       const char **ret_options)
{
	const char *at;
	char *end;

	if (strtoull(line, &end, 10) != mount_id || end == line)
		return false;
	at = strstr(end, " - ");
	if (!at)
		return false;
	at += strlen(" - ");
	for (int field = 0; field < 2; field++) { /* type, source */
		at = strchr(at, ' ');
		if (!at)
			return false;
		at++;
	}
	*ret_options = at;
	return true;
}

bool mount_options_volatile(const char *options)
{
	static const char *const words[] = {"volatile", "fsync=volatile"};

	while (*options && *options != '\n') {
		size_t size = strcspn(options, ",\n");

		for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
			if (strlen(words[i]) == size &&
			    memcmp(options, words[i], size) == 0)
				return true;
		options += size;
		options += *options == ',';
	}
	return false;
}

/* Which of the three overlays `fd` is on. */
static const struct filesystem *overlay_find(int fd)
{
	const struct filesystem *found = &hidden_overlay;
	const char *options;
	struct statx stat;
	size_t room = 0;
	char *line = NULL;
	FILE *mounts;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &stat) != 0 ||
	    !(stat.stx_mask & STATX_MNT_ID))
		return found;
	mounts = fopen("/proc/thread-self/mountinfo", "re");
	if (!mounts)
		return found;
	while (found == &hidden_overlay && getline(&line, &room, mounts) > 0)
		if (mountinfo_options(line, stat.stx_mnt_id, &options))
			found = mount_options_volatile(options)
					? &volatile_overlay
					: filesystem_find(OVERLAY_MAGIC);
	free(line);
	(void)fclose(mounts);
	return found;
}

/* ---- the check ---- */

enum wb_error filesystem_check(int fd, const char *path, unsigned flags,
			       const struct diag *diag,
			       struct wb_text *ret_text)
{
	const struct filesystem *filesystem;
	struct statfs stat;

	if (fstatfs(fd, &stat) != 0)
		return text_set(ret_text, posix_error(errno), "%s: %s", path,
				strerrordesc_np(errno));
	filesystem = (uint32_t)stat.f_type == OVERLAY_MAGIC
			     ? overlay_find(fd)
			     : filesystem_find((uint32_t)stat.f_type);
	if (!filesystem)
		return WB_OK;
	if (filesystem->refuse && !(flags & POSIX_DIR_ANY_FILESYSTEM))
		return text_set(ret_text, WB_UNSUPPORTED,
				"%s: a store cannot be kept on %s, where %s; "
				"use a local filesystem, in a container a "
				"volume",
				path, filesystem->name, filesystem->reason);
	if (filesystem->refuse ||
	    !(flags & (POSIX_DIR_ANY_FILESYSTEM | POSIX_DIR_READ_ONLY)))
		diag_warn(diag, "%s: on %s, where %s", path, filesystem->name,
			  filesystem->reason);
	return WB_OK;
}
