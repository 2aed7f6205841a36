/* SPDX-License-Identifier: Apache-2.0
 *
 * The list of losses: what stands in it, whatever the names are.
 */
#include "repair/list.h"

#include "tests/support/simdisk.h"
#include "tests/support/suite.h"

#include <string.h>

static struct simdisk *disk;
static struct losses losses;
static struct wb_salvage_summary summary;

static void set_up(void)
{
	disk = simdisk_new();
	losses = (struct losses){.ranges = NULL};
	summary = (struct wb_salvage_summary){
		.uuid = {0xab, 1},
		.epoch = 0x1f,
		.commits = 7,
		.revision = 8,
		.unchanged = 3,
		.revisions_lost = 2,
		.names_exact = 1,
		.names_unknown = 4,
		.revisions_nameless = 1,
		.unknown_from = 12,
	};
}

static void tear_down(void)
{
	losses_release(&losses);
	simdisk_free(disk);
}

static void add(uint64_t revision, const char *ns, const char *name,
		size_t name_bytes, bool exact)
{
	struct wb_key key = {1, {ns, strlen(ns)}, {name, name_bytes}};

	ck_ok(losses_name(&losses, &key, revision, exact));
}

static const char *write_it(void)
{
	static char text[20000];
	struct dir *dir = simdisk_dir(disk);
	uint64_t size;

	ck_ok(dir_make(dir, "tmp"));
	ck_ok(list_write(dir, &losses, 9, &summary));
	dir_close(dir);
	size = simdisk_size(disk, WB_SALVAGE_LIST);
	ck_assert_uint_lt(size, sizeof(text));
	simdisk_get(disk, WB_SALVAGE_LIST, text, (size_t)size, 0);
	text[size] = 0;
	return text;
}

START_TEST(without_losses_there_is_a_summary)
{
	ck_assert_str_eq(
		write_it(),
		"{\"salvage\":{\"uuid\":\"ab010000000000000000000000000000\","
		"\"epoch\":\"000000000000001f\",\"commits\":7,\"revision\":8,"
		"\"unchanged\":3,\"revisions_lost\":2,\"names_exact\":1,"
		"\"names_probable\":0,\"names_unknown\":4,"
		"\"revisions_nameless\":1,\"unknown_from\":12}}\n");
}
END_TEST

START_TEST(losses_moves_and_names_follow)
{
	ck_ok(losses_range(&losses, 4, 5));
	add(4, "default", "docker.io/library/a:1", 21, true);
	add(0, "", "b", 1, false);
	losses_settle(&losses);
	losses.names[1].now = WB_SALVAGE_ABSENT;
	ck_assert_str_eq(
		strchr(write_it(), '\n') + 1,
		"{\"lost\":{\"first\":4,\"last\":5}}\n"
		"{\"moved\":{\"first\":6,\"last\":9,\"to\":4}}\n"
		"{\"name\":{\"kind\":1,\"namespace\":\"\",\"name\":\"b\","
		"\"revision\":0,\"exact\":false,\"now\":\"current\"}}\n"
		"{\"name\":{\"kind\":1,\"namespace\":\"default\","
		"\"name\":\"docker.io/library/a:1\",\"revision\":4,"
		"\"exact\":true,\"now\":\"absent\"}}\n");
}
END_TEST

/* A name, and how it is written. */
static const struct {
	const char *name;
	size_t size;
	const char *written;
} names[] = {
	{"a\"b\\c", 5, "a\\\"b\\\\c"},
	{"\n\x1b[2J\x7f", 6, "\\u000a\\u001b[2J\\u007f"},
	{"a\0b", 3, "a\\u0000b"},
	{"\xc3\xa4\xe2\x82\xac\xf0\x9f\x90\x8b", 9,
	 "\xc3\xa4\xe2\x82\xac\xf0\x9f\x90\x8b"},
	/* A tail, a cut head, a long form, a surrogate, beyond the end. */
	{"\x80", 1, "\\\\x80"},
	{"a\xe2\x82", 3, "a\\\\xe2\\\\x82"},
	{"\xc0\xaf", 2, "\\\\xc0\\\\xaf"},
	{"\xe0\x80\xaf", 3, "\\\\xe0\\\\x80\\\\xaf"},
	{"\xed\xa0\x80", 3, "\\\\xed\\\\xa0\\\\x80"},
	{"\xf4\x90\x80\x80", 4, "\\\\xf4\\\\x90\\\\x80\\\\x80"},
	{"\xff", 1, "\\\\xff"},
};
enum { NAMES = sizeof(names) / sizeof(*names) };

START_TEST(every_name_is_json)
{
	char expected[100];

	add(0, "n", names[_i].name, names[_i].size, true);
	losses_settle(&losses);
	snprintf(expected, sizeof(expected), ",\"name\":\"%s\",\"revision\":0",
		 names[_i].written);
	ck_assert_ptr_nonnull(strstr(write_it(), expected));
}
END_TEST

START_TEST(a_long_list_is_whole)
{
	const char *text;
	unsigned lines = 0;

	for (unsigned at = 0; at < 150; at++)
		add(0, "n", "xxxxxxxxxx", 1 + at % 10, at % 2);
	text = write_it();
	for (; *text; text++)
		lines += *text == '\n';
	ck_assert_uint_eq(lines, 151);
	ck_assert(!simdisk_has(disk, "tmp/salvage"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("list");
	TCase *tcase = tcase_create("core");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, without_losses_there_is_a_summary);
	tcase_add_test(tcase, losses_moves_and_names_follow);
	tcase_add_loop_test(tcase, every_name_is_json, 0, NAMES);
	tcase_add_test(tcase, a_long_list_is_whole);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
