/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/conformance/images.h"

#include "tests/support/suite.h"

#include <inttypes.h>
#include <string.h>

/* One line for each version, of what the tests look at. */
struct told {
	char lines[8192];
	size_t stop_after;
	size_t count;
	int64_t last_time_ns;
};

static bool tell(void *context, const struct wb_image_version *version)
{
	struct told *told = context;
	size_t size = strlen(told->lines);

	snprintf(told->lines + size, sizeof(told->lines) - size,
		 "%" PRIu64 "<%" PRIu64 " %s %s%s%s%s%s\n", version->revision,
		 version->previous_revision, version->name,
		 version->deleted ? "deleted" : version->image->target.digest,
		 *version->reason ? " reason " : "", version->reason,
		 *version->operation_id ? " id " : "", version->operation_id);
	ck_assert(version->deleted == !version->image);
	if (version->image) {
		ck_assert_str_eq(version->image->name, version->name);
		ck_assert_uint_eq(version->image->revision, version->revision);
	}
	if (told->last_time_ns)
		ck_assert_int_le(version->time_ns, told->last_time_ns);
	told->last_time_ns = version->time_ns;
	return ++told->count != told->stop_after;
}

/* a at 1, b at 2, a at 3, a deleted at 4, a at 5, and other's c at 6. */
static void six(void)
{
	struct wb_call with = call_in("default");
	struct wb_image image = plain("a");

	given("a");
	given("b");
	image.target.digest = DIGEST_B;
	with.reason = "moved";
	with.operation_id = "op";
	ck_ok(images->ops->put(images, &with, &image, NULL, NULL, NULL, NULL));
	with.operation_id = NULL;
	with.reason = "old";
	ck_ok(images->ops->remove(images, &with, "a", NULL, NULL, NULL, NULL,
				  NULL));
	given("a");
	image.name = "c";
	with = call_in("other");
	ck_ok(images->ops->create(images, &with, &image, NULL, NULL, NULL));
}

#define LINE_1 "1<0 a " DIGEST_A "\n"
#define LINE_2 "2<0 b " DIGEST_A "\n"
#define LINE_3 "3<1 a " DIGEST_B " reason moved id op\n"
#define LINE_4 "4<3 a deleted reason old\n"
#define LINE_5 "5<0 a " DIGEST_A "\n"
#define LINE_6 "6<0 c " DIGEST_B "\n"

static const struct {
	const char *ns;
	const char *name;
	uint64_t before;
	size_t limit;
	const char *lines;
} histories[] = {
	{"default", "a", 0, 0, LINE_5 LINE_4 LINE_3 LINE_1},
	{"default", "b", 0, 0, LINE_2},
	{"default", NULL, 0, 0, LINE_5 LINE_4 LINE_3 LINE_2 LINE_1},
	{"other", NULL, 0, 0, LINE_6},
	{"other", "a", 0, 0, ""},
	{"default", "nope", 0, 0, ""},
	{"default", "", 0, 0, ""},
	{"default", "\xFF", 0, 0, ""},
	{"never", NULL, 0, 0, ""},
	{"default", "a", 0, 2, LINE_5 LINE_4},
	{"default", "a", 5, 1, LINE_4},
	{"default", "a", 4, 0, LINE_3 LINE_1},
	{"default", "a", 3, 5, LINE_1},
	{"default", "a", 1, 0, ""},
	{"default", NULL, 4, 2, LINE_3 LINE_2},
	{"default", NULL, 1000, 1, LINE_5},
};

START_TEST(history_tells_every_version_newest_first)
{
	struct wb_call in = call_in(histories[_i].ns);
	struct told told = {.count = 0};

	six();
	ck_ok(images->ops->history(images, &in, histories[_i].name,
				   histories[_i].before, histories[_i].limit,
				   tell, &told, NULL));
	ck_assert_str_eq(told.lines, histories[_i].lines);
}
END_TEST

START_TEST(a_visitor_ends_the_history)
{
	struct told told = {.stop_after = 2};

	six();
	ck_ok(images->ops->history(images, &call, "a", 0, 0, tell, &told,
				   NULL));
	ck_assert_str_eq(told.lines, LINE_5 LINE_4);
}
END_TEST

static bool tell_actor(void *context, const struct wb_image_version *version)
{
	struct wb_actor *actor = context;

	actor->uid = version->actor.uid;
	actor->gid = version->actor.gid;
	actor->pid = version->actor.pid;
	return false;
}

static bool take_time(void *context, const struct wb_image_version *version)
{
	*(int64_t *)context = version->time_ns;
	return false;
}

START_TEST(history_tells_who)
{
	struct wb_actor actor = {.pid = -1};

	given("a");
	ck_ok(images->ops->history(images, &call, "a", 0, 0, tell_actor, &actor,
				   NULL));
	ck_assert_int_gt(actor.pid, 0);
}
END_TEST

START_TEST(a_revision_is_found_by_its_time)
{
	uint64_t first = given("a");
	uint64_t second = given("a");
	uint64_t found = 42;
	int64_t time_ns = 0;

	ck_ok(images->ops->history(images, &call, "a", 0, 1, take_time,
				   &time_ns, NULL));
	ck_ok(images->ops->revision_at(images, time_ns, &found, NULL));
	ck_assert_uint_eq(found, second);
	ck_ok(images->ops->history(images, &call, "a", second, 1, take_time,
				   &time_ns, NULL));
	ck_ok(images->ops->revision_at(images, time_ns - 1, &found, NULL));
	ck_assert_uint_lt(found, first);
	ck_ok(images->ops->revision_at(images, INT64_MAX, &found, NULL));
	ck_assert_uint_eq(found, second);
	ck_ok(images->ops->revision_at(images, 0, &found, NULL));
	ck_assert_uint_eq(found, 0);
}
END_TEST

TCase *conformance_history(void)
{
	TCase *tcase = tcase_create("history");

	tcase_add_loop_test(tcase, history_tells_every_version_newest_first, 0,
			    (int)(sizeof(histories) / sizeof(*histories)));
	tcase_add_test(tcase, a_visitor_ends_the_history);
	tcase_add_test(tcase, history_tells_who);
	tcase_add_test(tcase, a_revision_is_found_by_its_time);
	return tcase;
}
