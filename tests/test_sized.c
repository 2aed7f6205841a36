/* SPDX-License-Identifier: Apache-2.0
 *
 * Three versions of one struct, each given to each; and that the public ones
 * can grow.
 */
#include "base/sized.h"

#include "tests/support/suite.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <waybill/waybill.h>

struct first {
	size_t size;
	uint32_t a, b;
};
struct second {
	size_t size;
	uint32_t a, b;
	const char *c;
};
struct third {
	size_t size;
	uint32_t a, b;
	const char *c;
	uint64_t d[4];
};

/* ---- what the caller gives ---- */

START_TEST(one_of_the_same_size_is_taken_as_it_is)
{
	const struct second theirs = {sizeof(theirs), 1, 2, "c"};
	struct second ours;

	memset(&ours, 0xA5, sizeof(ours));
	ck_ok(sized_take(&ours, sizeof(ours), &theirs));
	ck_assert_mem_eq(&ours, &theirs, sizeof(ours));
}
END_TEST

START_TEST(a_shorter_one_lacks_what_it_does_not_have)
{
	/* What lies behind it is none of ours. */
	const struct second theirs = {sizeof(struct first), 1, 2, "poison"};
	const struct second expected = {sizeof(expected), 1, 2, NULL};
	struct second ours;

	memset(&ours, 0xA5, sizeof(ours));
	ck_ok(sized_take(&ours, sizeof(ours), &theirs));
	ck_assert_mem_eq(&ours, &expected, sizeof(ours));
}
END_TEST

START_TEST(a_longer_one_that_asks_for_nothing_new_is_taken)
{
	const struct third theirs = {sizeof(theirs), 1, 2, "c", {0}};
	const struct second expected = {sizeof(expected), 1, 2, theirs.c};
	struct second ours;

	memset(&ours, 0xA5, sizeof(ours));
	ck_ok(sized_take(&ours, sizeof(ours), &theirs));
	ck_assert_mem_eq(&ours, &expected, sizeof(ours));
}
END_TEST

START_TEST(a_longer_one_that_asks_for_something_new_is_not)
{
	for (size_t at = sizeof(struct second); at < sizeof(struct third);
	     at++) {
		struct third theirs = {sizeof(theirs), 1, 2, "c", {0}};
		struct second ours = {.a = 77};

		((unsigned char *)&theirs)[at] = 1;
		ck_error(sized_take(&ours, sizeof(ours), &theirs),
			 WB_UNSUPPORTED);
		ck_assert_uint_eq(ours.a, 77);
	}
}
END_TEST

/* ---- what the caller gets ---- */

START_TEST(a_caller_gets_what_it_has_room_for_and_zero_for_what_is_not_known)
{
	const struct second ours = {sizeof(ours), 1, 2, "c"};
	static const size_t sizes[] = {sizeof(struct first),
				       sizeof(struct second),
				       sizeof(struct third)};
	struct third expected, theirs;
	size_t size = sizes[_i];

	memset(&theirs, 0xA5, sizeof(theirs));
	theirs.size = size;
	expected = theirs;
	expected.a = 1;
	expected.b = 2;
	if (size >= sizeof(struct second))
		expected.c = ours.c;
	if (size >= sizeof(struct third))
		memset(expected.d, 0, sizeof(expected.d));
	ck_ok(sized_give(&theirs, &ours, sizeof(ours)));
	ck_assert_mem_eq(&theirs, &expected, sizeof(theirs));
}
END_TEST

/* ---- sizes ---- */

/* So near to the end of a page that reading on would end the test. */
static void *at_the_end(const void *bytes, size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ck_assert_ptr_ne(pages, MAP_FAILED);
	ck_assert_int_eq(mprotect(pages + page, page, PROT_NONE), 0);
	return memcpy(pages + page - size, bytes, size);
}

START_TEST(a_size_that_no_struct_has_is_refused_and_nothing_else_read)
{
	static const size_t sizes[] = {0,
				       1,
				       sizeof(size_t) - 1,
				       sizeof(size_t) + 1,
				       sizeof(struct second) - 1,
				       sizeof(struct second) + 4,
				       SIZED_BYTES_MAX + sizeof(size_t),
				       (size_t)1 << 32,
				       SIZE_MAX - (sizeof(size_t) - 1),
				       SIZE_MAX};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		void *theirs = at_the_end(&sizes[i], sizeof(sizes[i]));
		struct second ours = {.a = 77};

		ck_error(sized_take(&ours, sizeof(ours), theirs), WB_USAGE);
		ck_assert_uint_eq(ours.a, 77);
		ck_error(sized_give(theirs, &ours, sizeof(ours)), WB_USAGE);
		ck_assert_mem_eq(theirs, &sizes[i], sizeof(sizes[i]));
	}
}
END_TEST

START_TEST(no_byte_behind_the_size_is_touched)
{
	static const size_t sizes[] = {sizeof(size_t), sizeof(struct first),
				       sizeof(struct second),
				       sizeof(struct third), SIZED_BYTES_MAX};
	static union {
		size_t size;
		unsigned char bytes[SIZED_BYTES_MAX];
	} zeros;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		struct second ours;
		void *theirs;

		zeros.size = sizes[i];
		theirs = at_the_end(&zeros, sizes[i]);
		ck_ok(sized_take(&ours, sizeof(ours), theirs));
		ck_ok(sized_give(theirs, &ours, sizeof(ours)));
	}
}
END_TEST

/* ---- the public ones ---- */

#define ENDS_WITH(type, member)                                           \
	static_assert(sizeof(struct type) ==                              \
			      offsetof(struct type, member) +             \
				      sizeof(((struct type *)0)->member), \
		      #type " ends in padding");                          \
	static_assert(offsetof(struct type, size) == 0,                   \
		      #type " does not begin with its size")
ENDS_WITH(wb_open_options, report_context);
ENDS_WITH(wb_txn_options, retry_since_ns);
ENDS_WITH(wb_stat, gc_blocked);
ENDS_WITH(wb_call, retry_since_ns);
ENDS_WITH(wb_list_options, limit);
ENDS_WITH(wb_audit_options, progress_context);
ENDS_WITH(wb_fsck_options, progress_context);
ENDS_WITH(wb_fsck_summary, chain);
ENDS_WITH(wb_salvage_visitor, context);
ENDS_WITH(wb_salvage_summary, unknown_from);

START_TEST(what_is_wrong_is_told_apart)
{
	ck_assert_ptr_nonnull(strstr(sized_problem(WB_USAGE), "size"));
	ck_assert_ptr_nonnull(strstr(sized_problem(WB_UNSUPPORTED), "field"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sized");
	TCase *tcase = tcase_create("sized");

	tcase_add_test(tcase, one_of_the_same_size_is_taken_as_it_is);
	tcase_add_test(tcase, a_shorter_one_lacks_what_it_does_not_have);
	tcase_add_test(tcase, a_longer_one_that_asks_for_nothing_new_is_taken);
	tcase_add_test(tcase, a_longer_one_that_asks_for_something_new_is_not);
	tcase_add_loop_test(
		tcase,
		a_caller_gets_what_it_has_room_for_and_zero_for_what_is_not_known,
		0, 3);
	tcase_add_test(
		tcase,
		a_size_that_no_struct_has_is_refused_and_nothing_else_read);
	tcase_add_test(tcase, no_byte_behind_the_size_is_touched);
	tcase_add_test(tcase, what_is_wrong_is_told_apart);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
