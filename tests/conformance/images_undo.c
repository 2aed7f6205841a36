/* SPDX-License-Identifier: Apache-2.0
 *
 * Undo: the version before the newest one becomes current, and a second undo
 * takes that back.
 */
#include "tests/conformance/images.h"

#include "tests/support/suite.h"

#include <inttypes.h>
#include <string.h>

#define SHAPE_A                                                      \
	"labels color=red keep=1; target " MEDIA " " DIGEST_A " 7; " \
	"annotations note=first"
#define SHAPE_B "labels color=blue; target other " DIGEST_B " 9; annotations"

static void put_first(const char *name)
{
	struct wb_image image = plain(name);

	image.labels = LABELS({"color", "red"}, {"keep", "1"});
	image.target.annotations = LABELS({"note", "first"});
	given_image(&image);
}

static void put_second(const char *name)
{
	struct wb_image image = plain(name);

	image.labels = LABELS({"color", "blue"});
	image.target.media_type = "other";
	image.target.digest = DIGEST_B;
	image.target.size = 9;
	given_image(&image);
}

static void removed(const char *name)
{
	ck_ok(images->ops->remove(images, &call, name, NULL, NULL, NULL, NULL,
				  NULL));
}

/* The image that is current afterwards; the test frees it. */
static struct wb_image *undone(const char *name)
{
	struct wb_outcome outcome = {0, true};
	struct wb_image *image = NULL;
	struct wb_text text = {""};
	enum wb_error error = images->ops->undo(images, &call, name, NULL,
						&outcome, &image, &text);

	ck_assert_msg(!error, "%s", text.text);
	ck_assert(!outcome.replayed);
	if (image) {
		struct wb_image *current = got(name);

		ck_assert_uint_eq(image->revision, outcome.revision);
		ck_assert_uint_eq(current->revision, outcome.revision);
		ck_assert_str_eq(image->name, name);
		ck_assert_int_eq(image->updated_at_ns, current->updated_at_ns);
		wb_image_free(current);
	} else {
		ck_error(images->ops->get(images, &call, name, NULL, NULL),
			 WB_NOT_FOUND);
	}
	return image;
}

static void expect_shape(struct wb_image *image, const char *expected)
{
	if (expected)
		ck_assert_str_eq(shape(image), expected);
	else
		ck_assert_ptr_null(image);
	wb_image_free(image);
}

/* ---- what comes back ---- */

START_TEST(undo_of_a_replacement_brings_back_what_was_there)
{
	struct wb_image *first;
	struct wb_image *second;
	struct wb_image *back;

	put_first("a");
	first = got("a");
	put_second("a");
	second = got("a");
	back = undone("a");
	ck_assert_str_eq(shape(back), SHAPE_A);
	ck_assert_int_eq(back->created_at_ns, first->created_at_ns);
	ck_assert_int_gt(back->updated_at_ns, second->updated_at_ns);
	ck_assert_uint_gt(back->revision, second->revision);
	wb_image_free(first);
	wb_image_free(second);
	wb_image_free(back);
}
END_TEST

START_TEST(undo_of_a_deletion_brings_back_what_was_deleted)
{
	struct wb_image *before;
	struct wb_image *back;

	put_first("a");
	before = got("a");
	removed("a");
	back = undone("a");
	ck_assert_str_eq(shape(back), SHAPE_A);
	ck_assert_int_eq(back->created_at_ns, before->created_at_ns);
	ck_assert_int_gt(back->updated_at_ns, before->updated_at_ns);
	wb_image_free(before);
	wb_image_free(back);
}
END_TEST

START_TEST(undo_of_a_creation_removes_the_name)
{
	given("b");
	put_first("a");
	expect_shape(undone("a"), NULL);
	ck_assert_str_eq(names(), "b ");
}
END_TEST

START_TEST(undo_of_an_update_is_one_of_that_alone)
{
	static const char *const path[] = {"labels.color"};
	struct wb_image image = plain("a");

	put_first("a");
	image.labels = LABELS({"color", "green"});
	ck_ok(images->ops->update(images, &call, &image, path, 1, NULL, NULL,
				  NULL, NULL));
	expect_shape(undone("a"), SHAPE_A);
}
END_TEST

/* A name that was deleted and made again did not exist before. */
START_TEST(undo_of_a_name_made_again_removes_it_again)
{
	put_first("a");
	removed("a");
	put_second("a");
	expect_shape(undone("a"), NULL);
	expect_shape(undone("a"), SHAPE_B);
	expect_shape(undone("a"), NULL);
}
END_TEST

START_TEST(a_second_undo_undoes_the_first)
{
	put_first("replaced");
	put_second("replaced");
	put_first("deleted");
	removed("deleted");
	put_first("made");
	for (int times = 0; times < 3; times++) {
		expect_shape(undone("replaced"), SHAPE_A);
		expect_shape(undone("replaced"), SHAPE_B);
		expect_shape(undone("deleted"), SHAPE_A);
		expect_shape(undone("deleted"), NULL);
		expect_shape(undone("made"), NULL);
		expect_shape(undone("made"), SHAPE_A);
	}
}
END_TEST

START_TEST(undo_is_of_one_name_in_one_namespace)
{
	struct wb_call other = call_in("other");
	struct wb_image image = plain("a");

	put_first("a");
	put_second("a");
	put_second("b");
	ck_ok(images->ops->put(images, &other, &image, NULL, NULL, NULL, NULL));
	expect_shape(undone("a"), SHAPE_A);
	expect_shape(got("b"), SHAPE_B);
	ck_ok(images->ops->get(images, &other, "a", NULL, NULL));
	ck_ok(images->ops->undo(images, &other, "a", NULL, NULL, NULL, NULL));
	ck_error(images->ops->get(images, &other, "a", NULL, NULL),
		 WB_NOT_FOUND);
	expect_shape(got("a"), SHAPE_A);
}
END_TEST

/* ---- what the history says of it ---- */

static bool copy_version(void *context, const struct wb_image_version *version)
{
	snprintf(context, 200, "%" PRIu64 "<%" PRIu64 "%s %s",
		 version->revision, version->previous_revision,
		 version->deleted ? " deleted" : "", version->reason);
	return false;
}

static const char *newest_version(const char *name)
{
	static char line[200];

	*line = 0;
	ck_ok(images->ops->history(images, &call, name, 0, 1, copy_version,
				   line, NULL));
	return line;
}

START_TEST(an_undo_is_a_commit_of_its_own_with_a_reason)
{
	struct wb_call with = call_in("default");

	put_first("a");
	put_second("a");
	expect_shape(undone("a"), SHAPE_A);
	ck_assert_str_eq(newest_version("a"), "3<2 undo of revision 2");
	with.reason = "it was better";
	ck_ok(images->ops->undo(images, &with, "a", NULL, NULL, NULL, NULL));
	ck_assert_str_eq(newest_version("a"), "4<3 it was better");
	removed("a");
	with.reason = "";
	ck_ok(images->ops->undo(images, &with, "a", NULL, NULL, NULL, NULL));
	ck_assert_str_eq(newest_version("a"), "6<0 undo of revision 5");
	ck_ok(images->ops->undo(images, &with, "a", NULL, NULL, NULL, NULL));
	ck_assert_str_eq(newest_version("a"), "7<6 deleted undo of revision 6");
}
END_TEST

START_TEST(there_is_nothing_to_undo_of_a_name_that_never_was)
{
	static const struct {
		const char *ns;
		const char *name;
		const char *text;
	} table[] = {
		{"default", "nope", "image \"nope\": not found"},
		{"other", "a", "image \"a\": not found"},
		{"default", "", "image \"\": not found"},
		{"default", "\xFF", "image \"\\xff\": not found"},
	};

	put_first("a");
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		struct wb_call in = call_in(table[i].ns);
		struct wb_text text = {""};
		struct wb_image marker;
		struct wb_image *image = &marker;
		enum wb_error error =
			images->ops->undo(images, &in, table[i].name, NULL,
					  NULL, &image, &text);

		ck_answer(error, WB_NOT_FOUND, text, table[i].text);
		ck_assert_ptr_eq(image, &marker);
	}
	ck_assert_str_eq(newest_version("a"), "1<0 ");
}
END_TEST

/* ---- conditions ---- */

/* "there" is at revision 2 with DIGEST_B, "gone" was deleted at revision 4. */
static const struct {
	const char *name;
	struct wb_condition condition;
	const char *text; /* NULL: it holds */
} conditions[] = {
	{"there", {WB_WHEN_REVISION, 2, NULL}, NULL},
	{"there", {WB_WHEN_DIGEST, 0, DIGEST_B}, NULL},
	{"there", {WB_WHEN_PRESENT, 0, NULL}, NULL},
	{"gone", {WB_WHEN_REVISION, 4, NULL}, NULL},
	{"gone", {WB_WHEN_ABSENT, 0, NULL}, NULL},
	{"there",
	 {WB_WHEN_REVISION, 1, NULL},
	 "image \"there\": is at revision 2, not 1: precondition failed"},
	{"there",
	 {WB_WHEN_DIGEST, 0, DIGEST_A},
	 "image \"there\": has target " DIGEST_B ", not " DIGEST_A
	 ": precondition failed"},
	{"there",
	 {WB_WHEN_ABSENT, 0, NULL},
	 "image \"there\": exists, at revision 2: precondition failed"},
	{"gone",
	 {WB_WHEN_REVISION, 3, NULL},
	 "image \"gone\": was deleted at revision 4, not 3: precondition "
	 "failed"},
	{"gone",
	 {WB_WHEN_PRESENT, 0, NULL},
	 "image \"gone\": does not exist: precondition failed"},
	{"gone",
	 {WB_WHEN_DIGEST, 0, DIGEST_A},
	 "image \"gone\": does not exist: precondition failed"},
};

START_TEST(a_condition_is_held_against_the_newest_version)
{
	struct wb_text text = {""};
	struct wb_image marker;
	struct wb_image *image = &marker;
	enum wb_error error;

	put_first("there");
	put_second("there");
	put_first("gone");
	removed("gone");
	error = images->ops->undo(images, &call, conditions[_i].name,
				  &conditions[_i].condition, NULL, &image,
				  &text);
	if (!conditions[_i].text) {
		ck_assert_msg(!error, "%s", text.text);
		expect_shape(image, SHAPE_A);
		return;
	}
	ck_answer(error, WB_PRECONDITION, text, conditions[_i].text);
	expect_shape(image,
		     strcmp(conditions[_i].name, "there") ? NULL : SHAPE_B);
	ck_assert_str_eq(newest_version("there"), "2<1 ");
	ck_assert_str_eq(newest_version("gone"), "4<3 deleted ");
}
END_TEST

START_TEST(a_bad_condition_and_no_namespace_are_refused)
{
	struct wb_condition unknown = {(enum wb_condition_kind)5, 0, NULL};
	struct wb_call nowhere = call_in("");
	struct wb_text text = {""};
	struct wb_image marker;
	struct wb_image *image = &marker;
	enum wb_error error;

	put_first("a");
	error = images->ops->undo(images, &call, "a", &unknown, NULL, NULL,
				  &text);
	ck_answer(error, WB_BAD_INPUT, text,
		  "condition of unknown kind 5: invalid argument");
	error = images->ops->undo(images, &nowhere, "a", NULL, NULL, &image,
				  &text);
	ck_answer(error, WB_PRECONDITION, text,
		  "namespace is required: failed precondition");
	ck_assert_ptr_null(image);
	ck_assert_str_eq(newest_version("a"), "1<0 ");
}
END_TEST

/* ---- operation ids ---- */

START_TEST(a_repeated_undo_answers_as_the_first_did)
{
	struct wb_call with = call_in("default");
	struct wb_outcome first = {0, true};
	struct wb_outcome again = {0, false};
	struct wb_image *image = NULL;

	with.operation_id = "op";
	put_first("a");
	put_second("a");
	ck_ok(images->ops->undo(images, &with, "a", NULL, &first, NULL, NULL));
	ck_assert(!first.replayed);
	for (int times = 0; times < 2; times++) {
		ck_ok(images->ops->undo(images, &with, "a", NULL, &again,
					&image, NULL));
		ck_assert(again.replayed);
		ck_assert_uint_eq(again.revision, first.revision);
		ck_assert_uint_eq(image->revision, first.revision);
		expect_shape(image, SHAPE_A);
		put_second("a"); /* another one comes in between */
	}
	ck_error(images->ops->undo(images, &with, "b", NULL, NULL, NULL, NULL),
		 WB_CONFLICT);
	put_second("b");
	ck_error(images->ops->undo(images, &with, "b", NULL, NULL, NULL, NULL),
		 WB_CONFLICT);
}
END_TEST

START_TEST(a_repeated_undo_of_a_creation_answers_without_an_image)
{
	struct wb_call with = call_in("default");
	struct wb_outcome again = {0, false};
	struct wb_image marker;
	struct wb_image *image = &marker;

	with.operation_id = "op";
	put_first("a");
	ck_ok(images->ops->undo(images, &with, "a", NULL, NULL, NULL, NULL));
	ck_ok(images->ops->undo(images, &with, "a", NULL, &again, &image,
				NULL));
	ck_assert(again.replayed);
	ck_assert_ptr_null(image);
	ck_assert_str_eq(newest_version("a"), "2<1 deleted undo of revision 1");
}
END_TEST

TCase *conformance_undo(void)
{
	TCase *tcase = tcase_create("undo");

	tcase_add_test(tcase, undo_of_a_replacement_brings_back_what_was_there);
	tcase_add_test(tcase, undo_of_a_deletion_brings_back_what_was_deleted);
	tcase_add_test(tcase, undo_of_a_creation_removes_the_name);
	tcase_add_test(tcase, undo_of_an_update_is_one_of_that_alone);
	tcase_add_test(tcase, undo_of_a_name_made_again_removes_it_again);
	tcase_add_test(tcase, a_second_undo_undoes_the_first);
	tcase_add_test(tcase, undo_is_of_one_name_in_one_namespace);
	tcase_add_test(tcase, an_undo_is_a_commit_of_its_own_with_a_reason);
	tcase_add_test(tcase,
		       there_is_nothing_to_undo_of_a_name_that_never_was);
	tcase_add_loop_test(tcase,
			    a_condition_is_held_against_the_newest_version, 0,
			    (int)(sizeof(conditions) / sizeof(*conditions)));
	tcase_add_test(tcase, a_bad_condition_and_no_namespace_are_refused);
	tcase_add_test(tcase, a_repeated_undo_answers_as_the_first_did);
	tcase_add_test(tcase,
		       a_repeated_undo_of_a_creation_answers_without_an_image);
	return tcase;
}
