/* SPDX-License-Identifier: Apache-2.0
 *
 * The local implementation of struct wb_images on a real directory: what
 * every implementation must do (tests/conformance), and what only this one
 * can be asked.
 */
#include "base/posix.h"
#include "images/image.h"
#include "store/store.h"
#include "tests/conformance/images.h"
#include "tests/support/hush.h"
#include "tests/support/simenv.h"
#include "tests/support/suite.h"
#include "tests/support/tempdir.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct wb_store *store;
static char *directory;

static void open_store(void)
{
	struct wb_open_options options = {.size = sizeof(options),
					  .flags = WB_OPEN_CREATE |
						   WB_OPEN_ANY_FILESYSTEM,
					  .report = hush};
	struct wb_text text = {""};

	ck_assert_msg(!wb_store_open(directory, &options, &store, &text), "%s",
		      text.text);
}

static struct wb_images *open_images(void)
{
	struct wb_images *local = NULL;

	directory = tempdir_make();
	open_store();
	ck_ok(wb_images_local(store, &local));
	return local;
}

static void close_images(struct wb_images *local)
{
	local->ops->close(local);
	ck_ok(wb_store_close(store));
	tempdir_remove(directory);
}

static const struct images_provider provider = {open_images, close_images};

/* ---- what only the store below can bring about ---- */

static void setup(void)
{
	images = open_images();
}

static void teardown(void)
{
	close_images(images);
}

static struct wb_key key_of(const char *name)
{
	return (struct wb_key){WB_KIND_IMAGE,
			       {"default", 7},
			       {name, strlen(name)}};
}

/* Put a value that is no image under a name. */
static void spoil(const char *name)
{
	struct wb_key key = key_of(name);
	struct wb_txn *txn = NULL;
	struct wb_outcome outcome;

	ck_ok(wb_txn_begin(store, NULL, &txn, &outcome));
	ck_ok(store_txn_put(txn, &key, (struct wb_bytes){"garbage", 7},
			    (struct wb_precondition){WB_IF_ANY, 0}));
	ck_ok(wb_txn_commit(txn, &outcome));
}

static bool count_image(void *context, const struct wb_image *image)
{
	(void)image;
	*(size_t *)context += 1;
	return true;
}

/* So that nobody outside can bring it about. */
START_TEST(an_embedder_cannot_write_or_delete_an_image)
{
	struct wb_key key = key_of("a");
	struct wb_txn *txn = NULL;
	struct wb_precondition any = {WB_IF_ANY, 0};

	given("a");
	ck_ok(wb_txn_begin(store, NULL, &txn, NULL));
	ck_error(wb_txn_put(txn, &key, (struct wb_bytes){"garbage", 7}, any),
		 WB_BAD_INPUT);
	ck_error(wb_txn_delete(txn, &key, any), WB_BAD_INPUT);
	key.name = (struct wb_bytes){"b", 1};
	ck_error(wb_txn_put(txn, &key, (struct wb_bytes){"garbage", 7}, any),
		 WB_BAD_INPUT);
	/* Nothing else is wrong with the transaction. */
	key.kind = WB_KIND_EMBEDDER_FIRST;
	ck_ok(wb_txn_put(txn, &key, (struct wb_bytes){"mine", 4}, any));
	ck_ok(wb_txn_commit(txn, NULL));
	ck_assert_str_eq(names(), "a ");
}
END_TEST

#define SPOILT "image \"b\": bytes on disk contradict the format"

START_TEST(a_value_that_is_no_image_is_named_and_can_be_removed)
{
	struct wb_image image = plain("b");
	struct wb_text text = {""};
	size_t count = 0;
	enum wb_error error;

	given("a");
	spoil("b");
	given("c");
	error = images->ops->get(images, &call, "b", NULL, &text);
	ck_answer(error, WB_CORRUPT, text, SPOILT);
	error = images->ops->list(images, &call, NULL, count_image, &count,
				  NULL, &text);
	ck_answer(error, WB_CORRUPT, text, SPOILT);
	ck_assert_uint_eq(count, 1);
	error = images->ops->put(images, &call, &image, NULL, NULL, NULL,
				 &text);
	ck_answer(error, WB_CORRUPT, text, SPOILT);
	error = images->ops->remove(images, &call, "b", DIGEST_A, NULL, NULL,
				    NULL, &text);
	ck_answer(error, WB_CORRUPT, text, SPOILT);
	strcpy(text.text, "untouched");
	ck_ok(images->ops->remove(images, &call, "b", NULL, NULL, NULL, NULL,
				  &text));
	ck_assert_str_eq(text.text, "untouched");
	ck_assert_str_eq(names(), "a c ");
	given("b");
}
END_TEST

START_TEST(a_value_that_is_no_image_can_be_removed_in_a_batch)
{
	struct wb_image_mutation mutations[] = {
		{.remove = "b", .condition = {.kind = WB_WHEN_PRESENT}},
		{.remove = "a"},
	};
	struct wb_text text = {""};
	size_t failed = 9;
	enum wb_error error;

	given("a");
	spoil("b");
	error = images->ops->apply(images, &call, mutations, 2, false, NULL,
				   &failed, NULL, &text);
	ck_answer(error, WB_CORRUPT, text, SPOILT);
	ck_assert_uint_eq(failed, 0);
	mutations[0].condition.kind = WB_WHEN_ANY;
	ck_ok(images->ops->apply(images, &call, mutations, 2, false, NULL, NULL,
				 NULL, NULL));
	ck_assert_str_eq(names(), "");
}
END_TEST

START_TEST(a_call_inside_an_update_is_nested)
{
	struct wb_image image = plain("a");
	struct wb_txn *txn = NULL;
	struct wb_outcome outcome;

	ck_ok(wb_txn_begin(store, NULL, &txn, &outcome));
	ck_error(images->ops->put(images, &call, &image, NULL, NULL, NULL,
				  NULL),
		 WB_NESTED);
	ck_error(images->ops->get(images, &call, "a", NULL, NULL),
		 WB_NOT_FOUND);
	ck_ok(wb_txn_abort(txn));
	given("a");
}
END_TEST

START_TEST(a_forked_child_has_no_use_of_them)
{
	struct wb_image a = plain("a");
	struct wb_stat stat = {.size = sizeof(stat)};
	enum wb_error errors[6];
	uint64_t revision;
	size_t count = 0;
	pid_t child;
	int status;

	given("a");
	child = fork();
	if (child == 0) {
		const struct wb_images_ops *ops = images->ops;

		errors[0] = ops->get(images, &call, "a", NULL, NULL);
		errors[1] = ops->put(images, &call, &a, NULL, NULL, NULL, NULL);
		errors[2] = ops->list(images, &call, NULL, count_image, &count,
				      NULL, NULL);
		errors[3] = ops->copy(images, &call, "a", "b", false, NULL,
				      NULL, NULL, NULL);
		errors[4] = ops->revision_at(images, 0, &revision, NULL);
		errors[5] = ops->stat(images, &stat, NULL);
		ops->close(images);
		for (int i = 0; i < 6; i++)
			if (errors[i] != WB_FORKED)
				_exit(i + 1);
		_exit(count > 0);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
	ck_assert_str_eq(names(), "a ");
	given("b");
}
END_TEST

START_TEST(an_update_that_does_not_commit_takes_no_revision)
{
	struct wb_condition present = {.kind = WB_WHEN_PRESENT};
	struct wb_image image = plain("a");
	struct wb_stat before = {.size = sizeof(before)};
	struct wb_stat after = {.size = sizeof(after)};

	given("b");
	ck_ok(wb_store_stat(store, &before));
	ck_error(images->ops->put(images, &call, &image, &present, NULL, NULL,
				  NULL),
		 WB_PRECONDITION);
	ck_error(images->ops->remove(images, &call, "a", NULL, NULL, NULL, NULL,
				     NULL),
		 WB_NOT_FOUND);
	ck_ok(wb_store_stat(store, &after));
	ck_assert_uint_eq(after.revision, before.revision);
}
END_TEST

START_TEST(the_next_process_finds_it_all)
{
	struct wb_call with = call_in("default");
	struct wb_image image = plain("a");
	struct wb_outcome first = {0, false};
	struct wb_outcome again = {0, false};
	struct wb_image *before;
	struct wb_image *after;

	with.operation_id = "op";
	image.labels = LABELS({"k", "v"});
	ck_ok(images->ops->create(images, &with, &image, &first, &before,
				  NULL));
	images->ops->close(images);
	ck_ok(wb_store_close(store));
	open_store();
	ck_ok(wb_images_local(store, &images));
	after = got("a");
	ck_assert_str_eq(shape(after), "labels k=v; target " MEDIA " " DIGEST_A
				       " 7; annotations");
	ck_assert_int_eq(after->created_at_ns, before->created_at_ns);
	ck_assert_uint_eq(after->revision, first.revision);
	wb_image_free(after);
	/* The request's hash is kept too. */
	ck_ok(images->ops->create(images, &with, &image, &again, NULL, NULL));
	ck_assert(again.replayed);
	ck_assert_uint_eq(again.revision, first.revision);
	wb_image_free(before);
}
END_TEST

static bool same_actor(void *context, const struct wb_image_version *version)
{
	const struct wb_actor *expected = context;

	ck_assert_uint_eq(version->actor.uid, expected->uid);
	ck_assert_uint_eq(version->actor.gid, expected->gid);
	ck_assert_int_eq(version->actor.pid, expected->pid);
	ck_assert_str_eq(version->actor.command, expected->command);
	return true;
}

START_TEST(an_actor_of_the_callers_choice_is_kept)
{
	struct wb_actor actor = {1234, 5678, 4321, "someone"};
	struct wb_call with = call_in("default");
	struct wb_image image = plain("a");

	with.actor = &actor;
	ck_ok(images->ops->put(images, &with, &image, NULL, NULL, NULL, NULL));
	ck_ok(images->ops->history(images, &call, "a", 0, 0, same_actor, &actor,
				   NULL));
}
END_TEST

/* ---- clocks ---- */

#define HOUR_NS INT64_C(3600000000000)

static struct simenv world;

static void setup_clock(void)
{
	struct wb_open_options options = {.size = sizeof(options),
					  .flags = WB_OPEN_CREATE};
	struct dir *dir = NULL;

	simenv_init(&world, 1);
	directory = tempdir_make();
	ck_ok(posix_dir_open(directory, POSIX_DIR_ANY_FILESYSTEM, &world.diag,
			     &dir, NULL, NULL));
	ck_ok(store_open_on(dir, &world.env, &options, &store, NULL));
	ck_ok(wb_images_local(store, &images));
}

static void teardown_clock(void)
{
	close_images(images);
	simenv_release(&world);
}

START_TEST(fault_62_a_clock_that_jumps_back_does_not_turn_updates_back)
{
	int64_t start = world.wall_ns;
	struct wb_image *image;

	given("a");
	simenv_set_wall(&world, start - HOUR_NS);
	given("a");
	given("b");
	image = got("a");
	ck_assert_int_eq(image->created_at_ns, start);
	ck_assert_int_eq(image->updated_at_ns, start + 1);
	wb_image_free(image);
	image = got("b");
	ck_assert_int_eq(image->created_at_ns, start - HOUR_NS);
	ck_assert_int_eq(image->updated_at_ns, start - HOUR_NS);
	wb_image_free(image);
	simenv_set_wall(&world, start + HOUR_NS);
	given("a");
	image = got("a");
	ck_assert_int_eq(image->created_at_ns, start);
	ck_assert_int_eq(image->updated_at_ns, start + HOUR_NS);
	wb_image_free(image);
}
END_TEST

START_TEST(a_clock_that_stands_still_is_stepped_over)
{
	int64_t start = world.wall_ns;

	for (int i = 0; i < 5; i++) {
		struct wb_image *image;

		given("a");
		image = got("a");
		ck_assert_int_eq(image->updated_at_ns, start + i);
		wb_image_free(image);
	}
}
END_TEST

START_TEST(there_is_nothing_after_the_end_of_time)
{
	struct wb_key key = key_of("a");
	struct wb_image last = plain("a");
	struct wb_image *image;
	struct wb_txn *txn = NULL;
	struct wb_outcome outcome;
	struct wb_bytes value;

	last.created_at_ns = INT64_MIN;
	last.updated_at_ns = INT64_MAX;
	ck_ok(image_encode(&last, &value));
	ck_ok(wb_txn_begin(store, NULL, &txn, &outcome));
	ck_ok(store_txn_put(txn, &key, value,
			    (struct wb_precondition){WB_IF_ANY, 0}));
	ck_ok(wb_txn_commit(txn, &outcome));
	free((void *)value.data);
	given("a");
	image = got("a");
	ck_assert_int_eq(image->created_at_ns, INT64_MIN);
	ck_assert_int_eq(image->updated_at_ns, INT64_MAX);
	wb_image_free(image);
}
END_TEST

static TCase *clocks(void)
{
	TCase *tcase = tcase_create("clock");

	tcase_add_checked_fixture(tcase, setup_clock, teardown_clock);
	tcase_add_test(
		tcase,
		fault_62_a_clock_that_jumps_back_does_not_turn_updates_back);
	tcase_add_test(tcase, a_clock_that_stands_still_is_stepped_over);
	tcase_add_test(tcase, there_is_nothing_after_the_end_of_time);
	return tcase;
}

int main(void)
{
	Suite *suite = images_conformance("images_local", &provider);
	TCase *tcase = tcase_create("local");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, an_embedder_cannot_write_or_delete_an_image);
	tcase_add_test(tcase,
		       a_value_that_is_no_image_is_named_and_can_be_removed);
	tcase_add_test(tcase,
		       a_value_that_is_no_image_can_be_removed_in_a_batch);
	tcase_add_test(tcase, a_call_inside_an_update_is_nested);
	tcase_add_test(tcase, a_forked_child_has_no_use_of_them);
	tcase_add_test(tcase, an_update_that_does_not_commit_takes_no_revision);
	tcase_add_test(tcase, the_next_process_finds_it_all);
	tcase_add_test(tcase, an_actor_of_the_callers_choice_is_kept);
	suite_add_tcase(suite, tcase);
	suite_add_tcase(suite, clocks());
	return suite_run(suite);
}
