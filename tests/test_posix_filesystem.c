/* SPDX-License-Identifier: Apache-2.0
 *
 * Which filesystems are refused, which are warned of, and an overlay that is
 * really mounted.
 */
#include "base/posix.h"
#include "base/posix_private.h"
#include "tests/support/simenv.h"
#include "tests/support/suite.h"
#include "tests/support/tempdir.h"

#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

static char *temp;
static struct simenv env;

static void setup(void)
{
	temp = tempdir_make();
	simenv_init(&env, 1);
}

static void teardown(void)
{
	simenv_release(&env);
	tempdir_remove(temp);
}

/* ---- by number ---- */

START_TEST(fault_56_filesystems_are_told_apart)
{
	static const struct {
		uint32_t magic; /* written down from linux/magic.h */
		const char *name;
		bool refuse;
	} table[] = {
		{0x6969, "NFS", true},		{0x01021997, "9p", true},
		{0x517B, "SMB", true},		{0xFE534D42, "SMB", true},
		{0xFF534D42, "SMB", true},	{0x5346414F, "AFS", true},
		{0x794C7630, "overlay", false}, {0x65735546, "FUSE", false},
		{0xEF53, NULL, false},		{0x58465342, NULL, false},
		{0x9123683E, NULL, false},	{0x01021994, NULL, false},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		const struct filesystem *found =
			filesystem_find(table[i].magic);

		ck_assert_int_eq(found != NULL, table[i].name != NULL);
		if (!found)
			continue;
		ck_assert_str_eq(found->name, table[i].name);
		ck_assert_int_eq(found->refuse, table[i].refuse);
	}
}
END_TEST

/* ---- by mount options ---- */

START_TEST(a_mounts_line_is_found_by_its_number)
{
	static const struct {
		const char *line;
		const char *options; /* of mount 36; NULL: not its line */
	} table[] = {
		/* proc(5)'s example. */
		{"36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 "
		 "/dev/root rw,errors=continue\n",
		 "rw,errors=continue\n"},
		{"36 35 0:39 / /m rw - overlay none rw,volatile\n",
		 "rw,volatile\n"},
		{"36 35 0:39 / /m rw shared:1 master:2 unbindable - overlay "
		 "none rw",
		 "rw"},
		/* Blanks in names are escaped, a name may still be empty. */
		{"36 35 0:39 / /a\\040-\\040b rw - overlay  rw\n", "rw\n"},
		{"36 35 0:39 / /- rw - overlay - rw\n", "rw\n"},
		{"136 35 0:39 / /m rw - overlay none rw\n", NULL},
		{"35 36 0:39 / /m rw - overlay none rw\n", NULL},
		{"3 36 0:39 / /36 rw - overlay none rw\n", NULL},
		{"36 35 0:39 / /m rw - overlay none\n", NULL},
		{"36 35 0:39 / /m rw - overlay\n", NULL},
		{"36 35 0:39 / /m rw\n", NULL},
		{"36\n", NULL},
		{"\n", NULL},
		{"", NULL},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		const char *options = NULL;
		bool found = mountinfo_options(table[i].line, 36, &options);

		ck_assert_msg(found == (table[i].options != NULL), "%s",
			      table[i].line);
		if (found)
			ck_assert_str_eq(options, table[i].options);
	}
}
END_TEST

START_TEST(volatile_is_a_word_of_its_own)
{
	static const struct {
		const char *options;
		bool found;
	} table[] = {
		{"rw,lowerdir=l,upperdir=u,workdir=w,volatile\n", true},
		{"rw,volatile,lowerdir=l", true},
		{"volatile", true},
		{"rw,uuid=on,fsync=volatile\n", true},
		{"fsync=volatile,rw", true},
		{"rw,lowerdir=l,upperdir=u,workdir=w\n", false},
		{"rw,fsync=strict\n", false},
		{"rw,upperdir=volatile\n", false},
		{"rw,lowerdir=a\\054volatile\n", false},
		{"rw,nonvolatile,volatiles\n", false},
		{"rw\nvolatile", false},
		{"rw,,\n", false},
		{"", false},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
		ck_assert_msg(mount_options_volatile(table[i].options) ==
				      table[i].found,
			      "%s", table[i].options);
}
END_TEST

/* ---- an overlay ---- */

/* On `path`, over a tmpfs with what it needs. */
static bool mount_overlay(const char *path, const char *more)
{
	char options[3 * 4096];

	snprintf(options, sizeof(options),
		 "lowerdir=%s/l,upperdir=%s/u,workdir=%s/w%s", path, path, path,
		 more);
	return tempdir_mount(path, "tmpfs", "size=1m") &&
	       mkdir(tempdir_path(path, "l"), 0700) == 0 &&
	       mkdir(tempdir_path(path, "u"), 0700) == 0 &&
	       mkdir(tempdir_path(path, "w"), 0700) == 0 &&
	       mount("test", path, "overlay", 0, options) == 0;
}

static const struct {
	const char *mount; /* its options; "hidden": none can be read */
	unsigned flags;
	enum wb_error error;
	const char *said; /* in the error or the warning; NULL: nothing */
} overlays[] = {
	{"", 0, WB_OK, "a volume's do not"},
	{"", POSIX_DIR_CREATE, WB_OK, "a volume's do not"},
	{"", POSIX_DIR_READ_ONLY, WB_OK, NULL},
	{"", POSIX_DIR_ANY_FILESYSTEM, WB_OK, NULL},
	{",volatile", 0, WB_UNSUPPORTED, "fsync does nothing"},
	{",volatile", POSIX_DIR_CREATE, WB_UNSUPPORTED, "in a container a"},
	{",volatile", POSIX_DIR_READ_ONLY, WB_UNSUPPORTED, "local filesystem"},
	{",volatile", POSIX_DIR_ANY_FILESYSTEM, WB_OK, "fsync does nothing"},
	{",volatile", POSIX_DIR_ANY_FILESYSTEM | POSIX_DIR_READ_ONLY, WB_OK,
	 "fsync does nothing"},
	{"hidden", 0, WB_UNSUPPORTED, "cannot be read"},
	{"hidden", POSIX_DIR_ANY_FILESYSTEM, WB_OK, "cannot be read"},
};
enum { OVERLAYS = sizeof(overlays) / sizeof(overlays[0]) };

START_TEST(an_overlay_that_syncs_is_warned_of_one_that_may_not_is_refused)
{
	bool hidden = strcmp(overlays[_i].mount, "hidden") == 0;
	char *path = strdup(tempdir_path(temp, "mount"));
	const char *said = overlays[_i].said;
	struct wb_text text = {""};
	struct dir *dir = NULL;
	const char *new;

	if (!mount_overlay(path, hidden ? "" : overlays[_i].mount)) {
		suite_skip("an_overlay_that_syncs_is_warned_of_one_that_may_"
			   "not_is_refused",
			   "mounting an overlay needs root and the kernel's "
			   "help");
		free(path);
		return;
	}
	if (hidden)
		ck_assert_int_eq(mount("test", "/proc", "tmpfs", 0, ""), 0);
	new = overlays[_i].flags &POSIX_DIR_CREATE ? tempdir_path(path, "new")
						   : path;
	ck_error(posix_dir_open(new, overlays[_i].flags, &env.diag, &dir, NULL,
				&text),
		 overlays[_i].error);
	dir_close(dir);
	if (overlays[_i].error) {
		ck_assert_ptr_nonnull(strstr(text.text, new));
		ck_assert_ptr_nonnull(strstr(text.text, said));
		ck_assert_uint_eq(simenv_count(&env, DIAG_WARNING), 0);
		/* Nothing is left of a directory made for nothing. */
		ck_assert_int_eq(access(tempdir_path(path, "new"), F_OK), -1);
	} else {
		ck_assert_uint_eq(simenv_count(&env, DIAG_WARNING),
				  said ? 1 : 0);
		ck_assert(!said || simenv_said(&env, DIAG_WARNING, said));
	}
	if (hidden)
		ck_assert_int_eq(umount("/proc"), 0);
	ck_assert_int_eq(umount(path), 0);
	ck_assert_int_eq(umount(path), 0);
	free(path);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("posix_filesystem");
	TCase *tcase = tcase_create("filesystem");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, fault_56_filesystems_are_told_apart);
	tcase_add_test(tcase, a_mounts_line_is_found_by_its_number);
	tcase_add_test(tcase, volatile_is_a_word_of_its_own);
	tcase_add_loop_test(
		tcase,
		an_overlay_that_syncs_is_warned_of_one_that_may_not_is_refused,
		0, OVERLAYS);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
