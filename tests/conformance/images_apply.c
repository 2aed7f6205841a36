/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/conformance/images.h"

#include "tests/support/suite.h"

#include <string.h>

static struct wb_image_mutation put(const struct wb_image *image)
{
	return (struct wb_image_mutation){.put = image};
}

static struct wb_image_mutation removal(const char *name)
{
	return (struct wb_image_mutation){.remove = name};
}

START_TEST(a_batch_is_one_commit)
{
	struct wb_image a = plain("a");
	struct wb_image c = plain("c");
	struct wb_image_mutation batch[] = {put(&a), removal("b"), put(&c)};
	struct wb_outcome outcome = {0, true};
	struct wb_image marker;
	struct wb_image *current = &marker;
	size_t failed = 42;
	uint64_t revision = given("b");
	struct wb_image *stored;

	ck_ok(images->ops->apply(images, &call, batch, 3, false, &outcome,
				 &failed, &current, NULL));
	ck_assert_uint_eq(outcome.revision, revision + 1);
	ck_assert_uint_eq(failed, 42);
	ck_assert_ptr_null(current);
	ck_assert_str_eq(names(), "a c ");
	stored = got("a");
	ck_assert_uint_eq(stored->revision, outcome.revision);
	wb_image_free(stored);
}
END_TEST

START_TEST(an_empty_batch_is_no_commit)
{
	uint64_t revision = given("a");
	struct wb_outcome outcome = {42, true};

	ck_ok(images->ops->apply(images, &call, NULL, 0, false, &outcome, NULL,
				 NULL, NULL));
	ck_assert_uint_eq(outcome.revision, 0);
	ck_assert_uint_eq(given("b"), revision + 1);
}
END_TEST

/* Faults in the middle of a batch {put x, FAULT, put y} on {a, b}. */
enum fault {
	MISSING,
	UNFIT,
	TWICE_PUT,
	TWICE_REMOVED,
	NEITHER,
	BOTH,
	CONDITION,
	EMPTY_NAME,
	FAULTS
};

static const struct {
	enum wb_error error;
	const char *text;
} faults[] = {
	[MISSING] = {WB_NOT_FOUND, "image \"nope\": not found"},
	[UNFIT] = {WB_BAD_INPUT,
		   "Target.Size must be greater than zero: invalid argument"},
	[TWICE_PUT] = {WB_BAD_INPUT,
		       "image \"x\": twice in one batch: invalid argument"},
	[TWICE_REMOVED] = {WB_BAD_INPUT, "image \"x\": twice in one batch: "
					 "invalid argument"},
	[NEITHER] = {WB_BAD_INPUT, "a mutation either puts or deletes: "
				   "invalid argument"},
	[BOTH] = {WB_BAD_INPUT,
		  "a mutation either puts or deletes: invalid argument"},
	[CONDITION] = {WB_PRECONDITION, "image \"a\": exists, at revision 1: "
					"precondition failed"},
	[EMPTY_NAME] = {WB_NOT_FOUND, "image \"\": not found"},
};

static struct wb_image_mutation mutation_of(enum fault fault,
					    struct wb_image *image)
{
	*image = plain("z");
	switch (fault) {
	case MISSING:
		return removal("nope");
	case UNFIT:
		image->target.size = 0;
		return put(image);
	case TWICE_PUT:
		image->name = "x";
		return put(image);
	case TWICE_REMOVED:
		return removal("x");
	case NEITHER:
		return (struct wb_image_mutation){.put = NULL};
	case BOTH:
		return (struct wb_image_mutation){.put = image, .remove = "a"};
	case CONDITION:
		image->name = "a";
		return (struct wb_image_mutation){
			.put = image, .condition = {.kind = WB_WHEN_ABSENT}};
	default:
		return removal("");
	}
}

START_TEST(a_fault_in_a_batch_undoes_all_of_it)
{
	struct wb_image x = plain("x");
	struct wb_image y = plain("y");
	struct wb_image z;
	struct wb_image_mutation batch[] = {put(&x),
					    mutation_of((enum fault)_i, &z),
					    put(&y)};
	struct wb_outcome outcome = {42, false};
	struct wb_text text = {""};
	size_t failed = 42;
	uint64_t revision;
	enum wb_error error;

	given("a");
	revision = given("b");
	error = images->ops->apply(images, &call, batch, 3, false, &outcome,
				   &failed, NULL, &text);
	ck_answer(error, faults[_i].error, text, faults[_i].text);
	ck_assert_uint_eq(failed, 1);
	ck_assert_uint_eq(outcome.revision, 42);
	ck_assert_str_eq(names(), "a b ");
	ck_assert_uint_eq(given("c"), revision + 1);
}
END_TEST

START_TEST(a_dry_run_checks_all_and_writes_nothing)
{
	struct wb_image a = plain("a");
	struct wb_image_mutation batch[] = {put(&a), removal("b")};
	struct wb_outcome outcome = {42, true};
	uint64_t revision = given("b");
	size_t failed = 42;

	ck_ok(images->ops->apply(images, &call, batch, 2, true, &outcome, NULL,
				 NULL, NULL));
	ck_assert_uint_eq(outcome.revision, 0);
	ck_assert_str_eq(names(), "b ");
	batch[1].remove = "c";
	ck_error(images->ops->apply(images, &call, batch, 2, true, NULL,
				    &failed, NULL, NULL),
		 WB_NOT_FOUND);
	ck_assert_uint_eq(failed, 1);
	ck_assert_uint_eq(given("c"), revision + 1);
}
END_TEST

START_TEST(a_dry_run_leaves_the_operation_id_free)
{
	struct wb_call with = call_in("default");
	struct wb_image a = plain("a");
	struct wb_image_mutation batch[] = {put(&a)};
	struct wb_outcome outcome = {0, true};

	with.operation_id = "op";
	ck_ok(images->ops->apply(images, &with, batch, 1, true, NULL, NULL,
				 NULL, NULL));
	ck_ok(images->ops->apply(images, &with, batch, 1, false, &outcome, NULL,
				 NULL, NULL));
	ck_assert(!outcome.replayed);
	ck_ok(images->ops->apply(images, &with, batch, 1, false, &outcome, NULL,
				 NULL, NULL));
	ck_assert(outcome.replayed);
}
END_TEST

START_TEST(mutations_of_one_batch_are_written_in_one_moment)
{
	struct wb_image a = plain("a");
	struct wb_image b = plain("b");
	struct wb_image_mutation batch[] = {put(&a), put(&b)};
	struct wb_image *first;
	struct wb_image *second;

	ck_ok(images->ops->apply(images, &call, batch, 2, false, NULL, NULL,
				 NULL, NULL));
	first = got("a");
	second = got("b");
	ck_assert_int_eq(first->updated_at_ns, second->updated_at_ns);
	wb_image_free(first);
	wb_image_free(second);
}
END_TEST

START_TEST(a_batch_can_be_large)
{
	enum { SIZE = 5000 };
	struct wb_image *some = calloc(SIZE, sizeof(*some));
	struct wb_image_mutation *batch = calloc(SIZE + 1, sizeof(*batch));
	char(*name)[8] = calloc(SIZE, sizeof(*name));
	struct wb_text text = {""};
	size_t failed = 0;
	enum wb_error error;

	for (size_t i = 0; i < SIZE; i++) {
		snprintf(name[i], sizeof(name[i]), "%zu", i);
		some[i] = plain(name[i]);
		batch[i] = put(&some[i]);
	}
	batch[SIZE] = removal("123");
	error = images->ops->apply(images, &call, batch, SIZE + 1, false, NULL,
				   &failed, NULL, &text);
	ck_answer(error, WB_BAD_INPUT, text,
		  "image \"123\": twice in one batch: invalid argument");
	ck_assert_uint_eq(failed, SIZE);
	ck_ok(images->ops->apply(images, &call, batch, SIZE, false, NULL, NULL,
				 NULL, NULL));
	wb_image_free(got("4999"));
	error = images->ops->apply(images, &call, batch,
				   WB_TXN_MUTATIONS_MAX + 1, false, NULL, NULL,
				   NULL, &text);
	ck_answer(error, WB_TOO_LARGE, text,
		  "more than 65536 mutations in one batch");
	free(name);
	free(batch);
	free(some);
}
END_TEST

/* Each of them fits, and it is about none of them. */
START_TEST(a_batch_beyond_16_mib_is_refused_as_a_whole)
{
	enum { SIZE = 17, LABELS = 260 };
	struct wb_label labels[LABELS];
	struct wb_image some[SIZE];
	struct wb_image_mutation batch[SIZE];
	char keys[LABELS][4], names_of[SIZE][4], value[4001];
	size_t failed = 42;
	struct wb_text text = {""};
	enum wb_error error;

	memset(value, 'v', sizeof(value) - 1);
	value[sizeof(value) - 1] = 0;
	for (int i = 0; i < LABELS; i++) {
		snprintf(keys[i], sizeof(keys[i]), "%d", i);
		labels[i] = (struct wb_label){keys[i], value};
	}
	for (int i = 0; i < SIZE; i++) {
		snprintf(names_of[i], sizeof(names_of[i]), "%d", i);
		some[i] = plain(names_of[i]);
		some[i].labels = (struct wb_labels){labels, LABELS};
		batch[i] = put(&some[i]);
	}
	for (int dry_run = 0; dry_run < 2; dry_run++) {
		error = images->ops->apply(images, &call, batch, SIZE, dry_run,
					   NULL, &failed, NULL, &text);
		ck_answer(error, WB_TOO_LARGE, text,
			  "more than 16 MiB in one commit");
		ck_assert_uint_eq(failed, 42);
	}
	ck_assert_str_eq(names(), "");
	ck_ok(images->ops->apply(images, &call, batch, SIZE - 2, false, NULL,
				 NULL, NULL, NULL));
}
END_TEST

TCase *conformance_apply(void)
{
	TCase *tcase = tcase_create("apply");

	tcase_add_test(tcase, a_batch_is_one_commit);
	tcase_add_test(tcase, an_empty_batch_is_no_commit);
	tcase_add_loop_test(tcase, a_fault_in_a_batch_undoes_all_of_it, 0,
			    FAULTS);
	tcase_add_test(tcase, a_dry_run_checks_all_and_writes_nothing);
	tcase_add_test(tcase, a_dry_run_leaves_the_operation_id_free);
	tcase_add_test(tcase, mutations_of_one_batch_are_written_in_one_moment);
	tcase_add_test(tcase, a_batch_can_be_large);
	tcase_add_test(tcase, a_batch_beyond_16_mib_is_refused_as_a_whole);
	return tcase;
}
