/* SPDX-License-Identifier: Apache-2.0
 *
 * Every allocation of a store's whole life fails, once, and with all after
 * it: WB_NO_MEMORY or success, never a crash, a half commit, or a store that
 * has stopped. libcrypto's allocations are among them.
 */
#include "audit/trail.h"
#include "audit/verify.h"
#include "tests/support/allocations.h"
#include "tests/support/session.h"
#include "tests/support/shelf.h"
#include "tests/support/suite.h"

#include <inttypes.h>
#include <waybill/images.h>

/* False: there is no nth allocation. */
static bool run_once(uint64_t nth, bool forever, struct crash_shared *shared,
		     uint64_t *refused)
{
	struct session session = {.expected = {WB_NO_MEMORY}};
	struct complaint *complaint = &session.work.context.complaint;

	workload_begin(&session.work, shared, 1 + nth % 3);
	session.work.context.nesting = NEST_NONE;
	allocations_fail(nth, forever);
	session_run(&session);
	(void)allocations_stop();
	ck_assert_msg(session.in_doubt == 0,
		      "allocation %" PRIu64 ": a commit in doubt", nth);
	if (!session_settle(&session))
		ck_abort_msg("allocation %" PRIu64 "%s: %s: %s", nth,
			     forever ? " and all after it" : "",
			     complaint->check, complaint->text);
	*refused += session.refused;
	workload_end(&session.work);
	return allocations_failed() > 0;
}

START_TEST(fault_51_every_allocation_may_fail)
{
	struct crash_shared *shared = crash_shared_new(1024);
	uint64_t nth = 1, refused = 0;

	while (run_once(nth, _i == 1, shared, &refused))
		nth++;
	crash_shared_free(shared);
	ck_assert_uint_gt(refused, 0);
	printf("count: memory, allocations that failed%s %" PRIu64 "\n",
	       _i == 1 ? " for ever" : "", nth - 1);
	printf("count: memory, calls refused %" PRIu64 "\n", refused);
}
END_TEST

/* ---- old versions ---- */

static enum wb_error put_new(void *context, struct wb_txn *txn)
{
	(void)context;
	return txn_put(txn, "a", "new");
}

/* Where a version cannot be kept for the views that see it, they are told. A
 * commit that is durable cannot fail any more. */
START_TEST(a_version_that_cannot_be_pinned_gives_its_views_up)
{
	unsigned given_up = 0, refused = 0;
	struct wb_key key = named("a");
	struct wb_record record;
	struct wb_view *view;
	enum wb_error error;
	struct shelf shelf;
	char value[8];

	for (uint64_t nth = 1; nth == 1 || allocations_failed(); nth++) {
		shelf_init(&shelf, 1);
		ck_ok(shelf_open(&shelf));
		shelf_put(&shelf, "a", "old");
		ck_ok(wb_view_begin(shelf.store, &view));
		allocations_fail(nth, false);
		error = wb_update(shelf.store, NULL, put_new, NULL, NULL);
		(void)allocations_stop();
		ck_assert(!error || error == WB_NO_MEMORY);
		refused += error == WB_NO_MEMORY;
		ck_text(shelf_text(&shelf, "a"), error ? "old" : "new");
		error = wb_view_get(view, &key, value, sizeof(value), &record);
		if (error)
			ck_error(error, WB_SNAPSHOT_TOO_OLD);
		else
			ck_assert_mem_eq(value, "old", 3);
		given_up += error == WB_SNAPSHOT_TOO_OLD;
		wb_view_end(view);
		shelf_release(&shelf);
	}
	ck_assert_uint_gt(refused, 0);
	ck_assert_uint_eq(given_up, 1);
}
END_TEST

/* ---- undo, verify, trail ---- */

static struct wb_images *images;
static struct shelf shelf;
static const struct wb_call call = {.size = sizeof(call), .ns = "default"};

/* The last digit of the digest that "x" points at. */
static char digit_of_x(void)
{
	struct wb_image *image = NULL;
	char digit = '-';

	if (!images->ops->get(images, &call, "x", &image, NULL))
		digit = image->target.digest[strlen(image->target.digest) - 1];
	wb_image_free(image);
	return digit;
}

static void put_x(char digit)
{
	char digest[72] = "sha256:";
	struct wb_image image = {.name = "x",
				 .target = {.media_type = "m",
					    .digest = digest,
					    .size = 1}};

	memset(digest + 7, digit, 64);
	ck_ok(images->ops->put(images, &call, &image, NULL, NULL, NULL, NULL));
}

static void open_images(void)
{
	shelf_init(&shelf, 1);
	ck_ok(shelf_open(&shelf));
	ck_ok(wb_images_local(shelf.store, &images));
	put_x('1');
	put_x('2');
}

static void close_images(void)
{
	images->ops->close(images);
	shelf_release(&shelf);
}

START_TEST(an_undo_that_runs_out_of_memory_changes_nothing)
{
	unsigned refused = 0;

	for (uint64_t nth = 1; nth == 1 || allocations_failed(); nth++) {
		struct wb_image *image = NULL;
		enum wb_error error;

		open_images();
		allocations_fail(nth, false);
		error = images->ops->undo(images, &call, "x", NULL, NULL,
					  &image, NULL);
		(void)allocations_stop();
		ck_assert(!error || error == WB_NO_MEMORY);
		ck_assert_int_eq(digit_of_x(), error ? '2' : '1');
		ck_assert_uint_eq(shelf_stat(&shelf).revision, error ? 2 : 3);
		ck_assert(!image == !!error);
		refused += error == WB_NO_MEMORY;
		wb_image_free(image);
		close_images();
	}
	ck_assert_uint_gt(refused, 5);
}
END_TEST

static bool count_change(void *context, const struct wb_audit_change *change)
{
	*(uint64_t *)context += change->version.record.revision;
	return true;
}

START_TEST(an_audit_that_runs_out_of_memory_says_so)
{
	const struct audit_visitor findings = {.commit = NULL};
	struct wb_audit_verified verified;
	struct audit_summary summary;
	unsigned refused = 0;
	struct dir *dir;

	open_images();
	ck_ok(wb_store_mark(shelf.store));
	dir = simdisk_dir(shelf.disk);
	for (uint64_t nth = 1; nth == 1 || allocations_failed(); nth++) {
		struct wb_audit_expected expected = {.revision = 2};
		uint64_t revisions = 0;
		enum wb_error error;

		allocations_fail(nth, false);
		error = _i == 0 ? audit_verify(dir, 0, &findings, &expected, 1,
					       &summary, &verified)
				: audit_trail(dir, &findings, NULL,
					      count_change, &revisions,
					      &summary);
		(void)allocations_stop();
		ck_assert(!error || error == WB_NO_MEMORY);
		refused += error == WB_NO_MEMORY;
		if (error)
			continue;
		ck_assert_uint_eq(summary.head, 2);
		if (_i == 0)
			ck_assert_int_eq(expected.answer, WB_AUDIT_DIFFERS);
		else
			ck_assert_uint_eq(revisions, 3);
	}
	ck_assert_uint_gt(refused, 3);
	dir_close(dir);
	close_images();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("memory");
	TCase *tcase = tcase_create("memory");

	if (!allocations_begin())
		return EXIT_FAILURE;
	tcase_set_timeout(tcase, 120);
	tcase_add_loop_test(tcase, fault_51_every_allocation_may_fail, 0, 2);
	tcase_add_test(tcase,
		       a_version_that_cannot_be_pinned_gives_its_views_up);
	tcase_add_test(tcase, an_undo_that_runs_out_of_memory_changes_nothing);
	tcase_add_loop_test(tcase, an_audit_that_runs_out_of_memory_says_so, 0,
			    2);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
