/* SPDX-License-Identifier: Apache-2.0
 *
 * Conditions and operation ids: what keeps two writers, or one that tries
 * again, from doing harm.
 */
#include "tests/conformance/images.h"

#include "tests/support/suite.h"

#include <inttypes.h>
#include <string.h>

enum operation {
	PUT,
	UPDATE,
	COPY,
	REMOVE,
	APPLY_PUT,
	APPLY_REMOVE,
	OPERATIONS
};

static enum wb_error with_condition(enum operation operation, const char *name,
				    const struct wb_condition *condition,
				    struct wb_image **ret_image,
				    struct wb_text *text)
{
	struct wb_image image = plain(name);
	struct wb_image_mutation mutation = {.condition = *condition};

	image.target.digest = DIGEST_B;
	switch (operation) {
	case PUT:
		return images->ops->put(images, &call, &image, condition, NULL,
					ret_image, text);
	case UPDATE:
		return images->ops->update(images, &call, &image, NULL, 0,
					   condition, NULL, ret_image, text);
	case COPY:
		return images->ops->copy(images, &call, "there", name, true,
					 condition, NULL, ret_image, text);
	case REMOVE:
		return images->ops->remove(images, &call, name, NULL, condition,
					   NULL, ret_image, text);
	case APPLY_PUT:
		mutation.put = &image;
		break;
	default:
		mutation.remove = name;
	}
	return images->ops->apply(images, &call, &mutation, 1, false, NULL,
				  NULL, ret_image, text);
}

/* "there" is at revision 1 with DIGEST_A; "gone" does not exist. */
static const struct {
	const char *name;
	struct wb_condition condition;
	bool holds;
	const char *text; /* where it does not */
} conditions[] = {
	{"there", {WB_WHEN_ANY, 0, NULL}, true, NULL},
	{"there",
	 {WB_WHEN_ABSENT, 0, NULL},
	 false,
	 "image \"there\": exists, at revision 1: precondition failed"},
	{"there", {WB_WHEN_PRESENT, 0, NULL}, true, NULL},
	{"there", {WB_WHEN_REVISION, 1, NULL}, true, NULL},
	{"there",
	 {WB_WHEN_REVISION, 2, NULL},
	 false,
	 "image \"there\": is at revision 1, not 2: precondition failed"},
	{"there",
	 {WB_WHEN_REVISION, 0, NULL},
	 false,
	 "image \"there\": is at revision 1, not 0: precondition failed"},
	{"there", {WB_WHEN_DIGEST, 0, DIGEST_A}, true, NULL},
	{"there",
	 {WB_WHEN_DIGEST, 0, DIGEST_B},
	 false,
	 "image \"there\": has target " DIGEST_A ", not " DIGEST_B
	 ": precondition failed"},
	{"gone",
	 {WB_WHEN_PRESENT, 0, NULL},
	 false,
	 "image \"gone\": does not exist: precondition failed"},
	{"gone",
	 {WB_WHEN_REVISION, 1, NULL},
	 false,
	 "image \"gone\": does not exist: precondition failed"},
	{"gone",
	 {WB_WHEN_DIGEST, 0, DIGEST_A},
	 false,
	 "image \"gone\": does not exist: precondition failed"},
};
#define CONDITIONS (int)(sizeof(conditions) / sizeof(*conditions))

START_TEST(a_condition_that_does_not_hold_changes_nothing)
{
	enum operation operation = (enum operation)(_i / CONDITIONS);
	int i = _i % CONDITIONS;
	struct wb_text text = {""};
	struct wb_image marker;
	struct wb_image *current = &marker;
	enum wb_error error;

	ck_assert_uint_eq(given("there"), 1);
	error = with_condition(operation, conditions[i].name,
			       &conditions[i].condition, &current, &text);
	if (conditions[i].holds) {
		ck_ok(error);
		ck_assert_ptr_ne(current, &marker);
		wb_image_free(current);
		return;
	}
	ck_answer(error, WB_PRECONDITION, text, conditions[i].text);
	if (strcmp(conditions[i].name, "gone")) {
		ck_assert_uint_eq(current->revision, 1);
		ck_assert_str_eq(current->target.digest, DIGEST_A);
	} else {
		ck_assert_ptr_null(current);
	}
	wb_image_free(current);
	current = got("there");
	ck_assert_str_eq(current->target.digest, DIGEST_A);
	wb_image_free(current);
	ck_assert_str_eq(names(), "there ");
}
END_TEST

START_TEST(absent_lets_only_the_first_put_pass)
{
	struct wb_condition absent = {.kind = WB_WHEN_ABSENT};

	ck_ok(with_condition(PUT, "a", &absent, NULL, NULL));
	ck_error(with_condition(PUT, "a", &absent, NULL, NULL),
		 WB_PRECONDITION);
	ck_ok(with_condition(REMOVE, "a",
			     &(struct wb_condition){.kind = WB_WHEN_PRESENT},
			     NULL, NULL));
	ck_ok(with_condition(PUT, "a", &absent, NULL, NULL));
	/* It is not there, as asked; but then nothing can be removed. */
	ck_error(with_condition(REMOVE, "b", &absent, NULL, NULL),
		 WB_NOT_FOUND);
}
END_TEST

static const struct {
	struct wb_condition condition;
	const char *text;
} bad_conditions[] = {
	{{(enum wb_condition_kind)5, 0, NULL},
	 "condition of unknown kind 5: invalid argument"},
	{{WB_WHEN_DIGEST, 0, NULL},
	 "condition: digest \"\" invalid: invalid checksum digest format: "
	 "invalid argument"},
	{{WB_WHEN_DIGEST, 0, "sha256:1"},
	 "condition: digest \"sha256:1\" invalid: invalid checksum digest "
	 "length: invalid argument"},
};

START_TEST(a_condition_that_is_none_is_refused)
{
	given("a");
	for (int operation = 0; operation < OPERATIONS; operation++) {
		struct wb_text text = {""};
		enum wb_error error =
			with_condition((enum operation)operation, "a",
				       &bad_conditions[_i].condition, NULL,
				       &text);

		ck_answer(error, WB_BAD_INPUT, text, bad_conditions[_i].text);
	}
}
END_TEST

/* ---- operation ids ---- */

static struct wb_call under(const char *operation_id)
{
	struct wb_call with = call_in("default");

	with.operation_id = operation_id;
	return with;
}

START_TEST(a_repeated_put_answers_as_the_first_did)
{
	struct wb_call with = under("op-1");
	struct wb_image image = plain("a");
	struct wb_outcome first = {0, true};
	struct wb_outcome second = {0, false};
	struct wb_image *stored = NULL;

	image.labels = LABELS({"a", "1"}, {"b", "2"});
	ck_ok(images->ops->put(images, &with, &image, NULL, &first, NULL,
			       NULL));
	ck_assert(!first.replayed);
	given("a"); /* another one comes in between */
	/* The same request, said in another way. */
	image.labels = LABELS({"b", "x"}, {"c", ""}, {"b", "2"}, {"a", "1"});
	image.created_at_ns = 99;
	with.reason = "again";
	ck_ok(images->ops->put(images, &with, &image, NULL, &second, &stored,
			       NULL));
	ck_assert(second.replayed);
	ck_assert_uint_eq(second.revision, first.revision);
	ck_assert_uint_eq(stored->revision, first.revision);
	ck_assert_str_eq(shape(stored), "labels a=1 b=2; target " MEDIA
					" " DIGEST_A " 7; annotations");
	wb_image_free(stored);
	stored = got("a");
	ck_assert_uint_gt(stored->revision, first.revision);
	wb_image_free(stored);
}
END_TEST

/* Requests under one id: each differs from all others. */
static enum wb_error request(int which, const struct wb_call *with,
			     struct wb_outcome *ret_outcome)
{
	const struct wb_labels one = LABELS({"a", "1"});
	struct wb_image image = plain(which == 1 ? "b" : "a");
	struct wb_condition condition = {which == 7 ? WB_WHEN_PRESENT
						    : WB_WHEN_ANY,
					 0, NULL};
	static const char *const paths[] = {"labels", "target"};
	struct wb_image_mutation mutation = {.put = &image};

	if (which == 2)
		image.target.digest = DIGEST_B;
	if (which == 3)
		image.target.size++;
	if (which == 4)
		image.labels = one;
	if (which == 5)
		image.target.annotations = one;
	if (which == 6)
		image.target.media_type = "other";
	switch (which) {
	case 8:
		return images->ops->create(images, with, &image, ret_outcome,
					   NULL, NULL);
	case 9:
		return images->ops->update(images, with, &image, NULL, 0, NULL,
					   ret_outcome, NULL, NULL);
	case 10:
		return images->ops->update(images, with, &image, paths, 1, NULL,
					   ret_outcome, NULL, NULL);
	case 11:
		return images->ops->update(images, with, &image, paths, 2, NULL,
					   ret_outcome, NULL, NULL);
	case 12:
		return images->ops->remove(images, with, "a", NULL, NULL,
					   ret_outcome, NULL, NULL);
	case 13:
		return images->ops->remove(images, with, "a", DIGEST_A, NULL,
					   ret_outcome, NULL, NULL);
	case 14:
		return images->ops->apply(images, with, &mutation, 1, false,
					  ret_outcome, NULL, NULL, NULL);
	case 15:
		return images->ops->undo(images, with, "a", NULL, ret_outcome,
					 NULL, NULL);
	case 16:
	case 17:
		return images->ops->copy(images, with, "a", "c", which == 17,
					 NULL, ret_outcome, NULL, NULL);
	case 18:
		return images->ops->copy(images, with, "a", "d", false, NULL,
					 ret_outcome, NULL, NULL);
	case 19:
		return images->ops->copy(images, with, "c", "a", true, NULL,
					 ret_outcome, NULL, NULL);
	default:
		return images->ops->put(images, with, &image, &condition,
					ret_outcome, NULL, NULL);
	}
}
#define REQUESTS 20

START_TEST(an_operation_id_is_good_for_one_request)
{
	struct wb_call with = under("op");
	struct wb_outcome first = {0, false};

	if (_i != 8)
		given("a");
	if (_i == 19)
		given("c");
	ck_ok(request(_i, &with, &first));
	for (int other = 0; other < REQUESTS; other++) {
		struct wb_outcome outcome = {0, false};
		enum wb_error error = request(other, &with, &outcome);

		if (other != _i) {
			ck_error(error, WB_CONFLICT);
			continue;
		}
		ck_ok(error);
		ck_assert(outcome.replayed);
		ck_assert_uint_eq(outcome.revision, first.revision);
	}
}
END_TEST

START_TEST(an_operation_id_belongs_to_its_namespace)
{
	struct wb_call with = under("op");
	struct wb_outcome outcome = {0, true};

	ck_ok(request(0, &with, NULL));
	with.ns = "other";
	ck_ok(request(2, &with, &outcome));
	ck_assert(!outcome.replayed);
}
END_TEST

START_TEST(a_failed_request_is_not_remembered)
{
	struct wb_call with = under("op");
	struct wb_outcome outcome = {0, true};

	ck_error(request(12, &with, NULL), WB_NOT_FOUND);
	given("a");
	ck_ok(request(12, &with, &outcome));
	ck_assert(!outcome.replayed);
	ck_ok(request(12, &with, &outcome));
	ck_assert(outcome.replayed);
}
END_TEST

START_TEST(a_repeated_remove_tells_again_what_it_removed)
{
	struct wb_call with = under("op");
	struct wb_outcome outcome = {0, false};
	struct wb_image *removed = NULL;
	uint64_t revision = given("a");

	ck_ok(request(12, &with, NULL));
	given("a");
	ck_ok(images->ops->remove(images, &with, "a", NULL, NULL, &outcome,
				  &removed, NULL));
	ck_assert(outcome.replayed);
	ck_assert_uint_eq(removed->revision, revision);
	wb_image_free(removed);
	ck_assert_str_eq(names(), "a ");
}
END_TEST

/* As the tool does that retries a tag. */
START_TEST(a_repeated_copy_answers_as_the_first_did)
{
	struct wb_image source = plain("from");
	struct wb_call with = under("op");
	struct wb_outcome first = {0, true};

	source.labels = LABELS({"a", "1"});
	given_image(&source);
	ck_ok(images->ops->copy(images, &with, "from", "to", false, NULL,
				&first, NULL, NULL));
	ck_assert(!first.replayed);
	/* The source changes, goes, and the copy goes too. */
	for (int step = 0; step < 4; step++) {
		struct wb_outcome outcome = {0, false};
		struct wb_image *stored = NULL;

		if (step == 1)
			given("from");
		if (step == 2)
			ck_ok(images->ops->remove(images, &call, "from", NULL,
						  NULL, NULL, NULL, NULL));
		if (step == 3)
			ck_ok(images->ops->remove(images, &call, "to", NULL,
						  NULL, NULL, NULL, NULL));
		ck_ok(images->ops->copy(images, &with, "from", "to", false,
					NULL, &outcome, &stored, NULL));
		ck_assert(outcome.replayed);
		ck_assert_uint_eq(outcome.revision, first.revision);
		ck_assert_str_eq(shape(stored), "labels a=1; target " MEDIA
						" " DIGEST_A " 7; annotations");
		wb_image_free(stored);
	}
	ck_assert_str_eq(names(), "");
}
END_TEST

TCase *conformance_condition(void)
{
	TCase *tcase = tcase_create("condition");

	tcase_add_loop_test(tcase,
			    a_condition_that_does_not_hold_changes_nothing, 0,
			    3 * CONDITIONS);
	tcase_add_test(tcase, absent_lets_only_the_first_put_pass);
	tcase_add_loop_test(tcase, a_condition_that_is_none_is_refused, 0,
			    (int)(sizeof(bad_conditions) /
				  sizeof(*bad_conditions)));
	tcase_add_test(tcase, a_repeated_put_answers_as_the_first_did);
	tcase_add_loop_test(tcase, an_operation_id_is_good_for_one_request, 0,
			    REQUESTS);
	tcase_add_test(tcase, an_operation_id_belongs_to_its_namespace);
	tcase_add_test(tcase, a_failed_request_is_not_remembered);
	tcase_add_test(tcase, a_repeated_copy_answers_as_the_first_did);
	tcase_add_test(tcase, a_repeated_remove_tells_again_what_it_removed);
	return tcase;
}
