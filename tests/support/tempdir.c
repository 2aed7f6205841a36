/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/tempdir.h"

#include <ftw.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

char *tempdir_make(void)
{
	const char *parent = getenv("TMPDIR");
	char *path = NULL;

	if (!parent || !*parent)
		parent = "/tmp";
	if (asprintf(&path, "%s/waybill-test-XXXXXX", parent) < 0 ||
	    !mkdtemp(path)) {
		perror(parent);
		abort();
	}
	return path;
}

const char *tempdir_path(const char *path, const char *name)
{
	static _Thread_local char joined[PATH_MAX];
	int length = snprintf(joined, sizeof(joined), "%s/%s", path, name);

	if (length < 0 || length >= PATH_MAX) {
		fprintf(stderr, "%s/%s: too long\n", path, name);
		abort();
	}
	return joined;
}

bool tempdir_mount(const char *path, const char *type, const char *options)
{
	return mkdir(path, 0700) == 0 && unshare(CLONE_NEWNS) == 0 &&
	       mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	       mount("test", path, type, 0, options) == 0;
}

static int remove_one(const char *path, const struct stat *stat, int kind,
		      struct FTW *place)
{
	(void)stat;
	(void)kind;
	(void)place;
	return remove(path);
}

bool tempdir_locks_are_listed(const char *path)
{
	FILE *mounts = fopen("/proc/self/mountinfo", "re");
	char wanted[32], line[1024];
	struct stat status;
	bool listed = false;

	if (!mounts || stat(path, &status) != 0)
		abort();
	snprintf(wanted, sizeof(wanted), " %u:%u ", major(status.st_dev),
		 minor(status.st_dev));
	while (fgets(line, sizeof(line), mounts))
		listed = listed || strstr(line, wanted);
	fclose(mounts);
	return listed;
}

void tempdir_remove(char *path)
{
	if (nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) != 0)
		perror(path);
	free(path);
}
