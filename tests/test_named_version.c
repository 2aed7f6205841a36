/* SPDX-License-Identifier: Apache-2.0
 *
 * Which version `NAME@{POINT}` means, on a history of the test's own.
 */
#include "tools/named_version.h"

#include "tests/support/suite.h"

#include <inttypes.h>
#include <string.h>

#define NAME   "docker.io/library/a:latest"
#define SECOND INT64_C(1000000000)
/* 2026-11-01T00:00:00Z, by `date -u -d 2026-11-01 +%s`. */
#define NOVEMBER (INT64_C(1793491200) * SECOND)

/* "a" is made on October 31st, replaced at the first moment of November,
 * deleted a second later and made again on November 2nd. Revisions 2, 4 and
 * 7 are of other names. */
static const struct {
	uint64_t revision;
	bool deleted;
	int64_t time_ns;
} versions[] = {
	{6, false, NOVEMBER + 86400 * SECOND},
	{5, true, NOVEMBER + SECOND},
	{3, false, NOVEMBER},
	{1, false, NOVEMBER - 3600 * SECOND},
};
#define NEWEST 7

static enum wb_error history(struct wb_images *images,
			     const struct wb_call *call, const char *name,
			     uint64_t before, size_t limit,
			     wb_image_version_fn *visit, void *context,
			     struct wb_text *ret_text)
{
	static const struct wb_image image = {.name = NAME};
	size_t visits = 0;

	(void)images;
	(void)call;
	(void)ret_text;
	for (size_t i = 0; i < sizeof(versions) / sizeof(*versions); i++) {
		struct wb_image_version version = {
			.name = name,
			.revision = versions[i].revision,
			.deleted = versions[i].deleted,
			.time_ns = versions[i].time_ns,
			.image = versions[i].deleted ? NULL : &image,
		};

		if (strcmp(name, NAME) != 0 ||
		    (before && version.revision >= before))
			continue;
		if (!visit(context, &version) || ++visits == limit)
			break;
	}
	return WB_OK;
}

static enum wb_error revision_at(struct wb_images *images, int64_t time_ns,
				 uint64_t *ret_revision,
				 struct wb_text *ret_text)
{
	(void)images;
	(void)ret_text;
	*ret_revision = 0;
	for (size_t i = sizeof(versions) / sizeof(*versions); i > 0; i--)
		if (versions[i - 1].time_ns <= time_ns)
			*ret_revision = versions[i - 1].revision;
	return WB_OK;
}

static enum wb_error stat(struct wb_images *images, struct wb_stat *ret_stat,
			  struct wb_text *ret_text)
{
	(void)images;
	(void)ret_text;
	ret_stat->revision = NEWEST;
	return WB_OK;
}

static const struct wb_images_ops ops = {
	.history = history,
	.revision_at = revision_at,
	.stat = stat,
};
static struct wb_images fake = {&ops};
static struct session session;

static void set_up(void)
{
	session = (struct session){.images = &fake};
}

static void tear_down(void)
{
	scratch_release(&session.scratch);
}

static bool take(void *context, const struct wb_image_version *version)
{
	*(uint64_t *)context = version->revision;
	return false;
}

/* Revision 0: not found, with this sentence. */
static const struct {
	const char *operand;
	uint64_t revision;
	const char *text;
} table[] = {
	{"a", 6, NULL},
	{"a@{0}", 6, NULL},
	{"a@{1}", 5, NULL},
	{"a@{2}", 3, NULL},
	{"a@{3}", 1, NULL},
	{"a@{4}", 0,
	 "image \"" NAME "\": has 4 versions, so the oldest is @{3}"},
	{"a@{18446744073709551615}", 0, "image \"" NAME "\": has 4 versions"},
	{"a@{r0}", 0, "image \"" NAME "\": did not exist then"},
	{"a@{r1}", 1, NULL},
	{"a@{r2}", 1, NULL},
	{"a@{r3}", 3, NULL},
	{"a@{r4}", 3, NULL},
	{"a@{r5}", 5, NULL},
	{"a@{r6}", 6, NULL},
	{"a@{r7}", 6, NULL},
	{"a@{r8}", 0, "revision 8 is not there yet; the newest is 7"},
	/* Before it was made. */
	{"a@{1970-01-01}", 0, "image \"" NAME "\": did not exist then"},
	{"a@{2026-10-31}", 0, "image \"" NAME "\": did not exist then"},
	{"a@{2026-10-31T22:59:59.999999999Z}", 0, "did not exist then"},
	{"a@{2026-10-31T23:00:00Z}", 1, NULL},
	{"a@{2026-10-31T23:59:59.999999999Z}", 1, NULL},
	/* A day begins with its first moment. */
	{"a@{2026-11-01}", 3, NULL},
	{"a@{2026-11-01T01:00:00+01:00}", 3, NULL},
	{"a@{2026-11-01T00:00:01Z}", 5, NULL},
	{"a@{2026-11-01T12:00:00Z}", 5, NULL},
	{"a@{2026-11-02}", 6, NULL},
	/* What will be is not known, what is now will do. */
	{"a@{2199-12-31}", 6, NULL},
	{"b", 0, "image \"docker.io/library/b:latest\": not found"},
	{"b@{1}", 0, "image \"docker.io/library/b:latest\": not found"},
	{"b@{r3}", 0,
	 "image \"docker.io/library/b:latest\": did not exist then"},
};

START_TEST(a_point_means_one_version)
{
	struct wb_call call = {.size = sizeof(call), .ns = "default"};
	struct named_version wanted;
	uint64_t revision = 0;
	enum wb_error error;

	ck_ok(named_version_read(&session, table[_i].operand, NULL, &wanted));
	error = named_version_find(&session, &call, &wanted, take, &revision);
	ck_assert_uint_eq(revision, table[_i].revision);
	ck_error(error, table[_i].revision ? WB_OK : WB_NOT_FOUND);
	if (error)
		ck_assert_msg(strstr(session.text.text, table[_i].text),
			      "%s: %s", table[_i].operand, session.text.text);
}
END_TEST

START_TEST(a_point_may_be_given_apart_and_a_raw_name_has_none)
{
	struct named_version wanted;

	ck_ok(named_version_read(&session, "a", "2", &wanted));
	ck_assert_str_eq(wanted.name, NAME);
	ck_assert_uint_eq(wanted.point.number, 2);
	ck_error(named_version_read(&session, "a@{1}", "2", &wanted), WB_USAGE);
	ck_error(named_version_read(&session, "a@{x}", NULL, &wanted),
		 WB_BAD_INPUT);
	ck_error(named_version_read(&session, "A A@{1}", NULL, &wanted),
		 WB_BAD_INPUT);
	session.raw = true;
	ck_ok(named_version_read(&session, "A A@{1}", NULL, &wanted));
	ck_assert_str_eq(wanted.name, "A A@{1}");
	ck_assert_int_eq(wanted.point.kind, TIMEPOINT_VERSIONS_BACK);
	ck_assert_uint_eq(wanted.point.number, 0);
}
END_TEST

START_TEST(a_copy_outlives_what_it_was_made_of)
{
	char strings[10][8] = {"name", "media",	 "digest", "key", "value",
			       "akey", "avalue", "reason", "id",  "command"};
	struct wb_label label = {strings[3], strings[4]};
	struct wb_label annotation = {strings[5], strings[6]};
	struct wb_image image = {
		.name = strings[0],
		.labels = {&label, 1},
		.target = {.media_type = strings[1],
			   .digest = strings[2],
			   .size = 7,
			   .annotations = {&annotation, 1}},
		.created_at_ns = 1,
		.updated_at_ns = 2,
		.revision = 3,
	};
	struct wb_image_version version = {
		.name = strings[0],
		.revision = 3,
		.previous_revision = 2,
		.time_ns = 4,
		.actor = {1, 2, 3, strings[9]},
		.reason = strings[7],
		.operation_id = strings[8],
		.image = &image,
	};
	const struct wb_image_version *copy =
		version_copy(&session.scratch, &version);

	ck_assert_ptr_nonnull(copy);
	memset(strings, 'x', sizeof(strings));
	label = annotation = (struct wb_label){NULL, NULL};
	image = (struct wb_image){.name = NULL};
	version = (struct wb_image_version){.name = NULL};
	ck_assert_str_eq(copy->name, "name");
	ck_assert_str_eq(copy->reason, "reason");
	ck_assert_str_eq(copy->operation_id, "id");
	ck_assert_str_eq(copy->actor.command, "command");
	ck_assert_int_eq(copy->actor.pid, 3);
	ck_assert_uint_eq(copy->revision, 3);
	ck_assert_uint_eq(copy->previous_revision, 2);
	ck_assert_int_eq(copy->time_ns, 4);
	ck_assert_str_eq(copy->image->name, "name");
	ck_assert_str_eq(copy->image->target.media_type, "media");
	ck_assert_str_eq(copy->image->target.digest, "digest");
	ck_assert_int_eq(copy->image->target.size, 7);
	ck_assert_uint_eq(copy->image->labels.count, 1);
	ck_assert_str_eq(copy->image->labels.items[0].key, "key");
	ck_assert_str_eq(copy->image->labels.items[0].value, "value");
	ck_assert_str_eq(copy->image->target.annotations.items[0].key, "akey");
	ck_assert_str_eq(copy->image->target.annotations.items[0].value,
			 "avalue");
	ck_assert_int_eq(copy->image->created_at_ns, 1);
	ck_assert_int_eq(copy->image->updated_at_ns, 2);
	ck_assert_uint_eq(copy->image->revision, 3);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("named_version");
	TCase *tcase = tcase_create("core");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_loop_test(tcase, a_point_means_one_version, 0,
			    (int)(sizeof(table) / sizeof(*table)));
	tcase_add_test(tcase,
		       a_point_may_be_given_apart_and_a_raw_name_has_none);
	tcase_add_test(tcase, a_copy_outlives_what_it_was_made_of);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
