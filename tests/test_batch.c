/* SPDX-License-Identifier: Apache-2.0 */
#include "dump/batch.h"

#include "tests/support/rng.h"
#include "tests/support/shelf.h"

#include <inttypes.h>

static struct batch batch;

static void tear_down(void)
{
	batch_release(&batch);
}

static struct store_change change_of(struct rng *rng, uint8_t bytes[200])
{
	size_t ns = (size_t)rng_below(rng, 60);
	size_t name = 1 + (size_t)rng_below(rng, 60);
	size_t value = (size_t)rng_below(rng, 60);

	rng_fill(rng, bytes, 200);
	return (struct store_change){
		.key = {1 + (uint32_t)rng_below(rng, 255),
			{bytes, ns},
			{bytes + ns, name}},
		.value = {bytes + ns + name, value},
		.deleted = rng_chance(rng, 1, 2),
	};
}

static bool same(struct wb_bytes a, struct wb_bytes b)
{
	return a.size == b.size &&
	       (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

START_TEST(what_goes_in_comes_out)
{
	enum { CHANGES = 5000 };

	for (unsigned round = 0; round < 3; round++) {
		struct rng rng = rng_of(round);
		uint8_t bytes[200];

		for (uint64_t at = 0; at < CHANGES; at++) {
			struct store_change change = change_of(&rng, bytes);

			ck_ok(batch_add(&batch, &change, 7 * at));
			memset(bytes, 0, sizeof(bytes));
		}
		ck_assert_uint_eq(batch.count, CHANGES);
		rng = rng_of(round);
		for (uint64_t at = 0; at < CHANGES; at++) {
			struct store_change in = change_of(&rng, bytes);
			struct store_change out = batch_change(&batch, at);

			if (in.key.kind != out.key.kind ||
			    !same(in.key.ns, out.key.ns) ||
			    !same(in.key.name, out.key.name) ||
			    !same(in.value, out.value) ||
			    in.deleted != out.deleted ||
			    batch_line(&batch, at) != 7 * at)
				ck_abort_msg("number %" PRIu64, at);
		}
		batch_clear(&batch);
		ck_assert_uint_eq(batch.count, 0);
	}
}
END_TEST

/* Fill batches as full as they get; each is one commit of a store. */
START_TEST(what_has_room_fits_one_transaction)
{
	static const size_t sizes[] = {0, 1, 300, 5000, 100000, 16000000};
	static char value[16000000];
	struct shelf shelf;

	shelf_init(&shelf, 1);
	shelf.options.segment_bytes = 64u << 20;
	ck_ok(shelf_open(&shelf));
	for (size_t size = 0; size < 6; size++) {
		struct wb_txn *txn = shelf_begin(&shelf);
		char name[200];
		struct store_change change = {.value = {value, sizes[size]}};
		unsigned number = 0;

		for (;; number++) {
			snprintf(name, sizeof(name), "%0190u", number);
			change.key = named(name);
			if (!batch_has_room(&batch, &change))
				break;
			ck_ok(batch_add(&batch, &change, 0));
		}
		ck_assert_uint_gt(number, 0);
		/* Nearly all of what a transaction holds. */
		if (sizes[size] < 16000000)
			ck_assert(number == WB_TXN_MUTATIONS_MAX ||
				  number * (sizes[size] + 260) >
					  (16u << 20) - 200000);
		for (size_t at = 0; at < batch.count; at++) {
			change = batch_change(&batch, at);
			ck_ok(wb_txn_put(txn, &change.key, change.value,
					 if_any));
		}
		ck_ok(wb_txn_commit(txn, NULL));
		batch_clear(&batch);
	}
	shelf_release(&shelf);
}
END_TEST

START_TEST(an_empty_batch_takes_any_change)
{
	static char value[1];
	struct store_change change = {
		.key = named("a"),
		.value = {value, SIZE_MAX / 4},
	};

	ck_assert(batch_has_room(&batch, &change));
	change.value.size = 1;
	ck_ok(batch_add(&batch, &change, 1));
	change.value.size = WB_TXN_BYTES_MAX;
	ck_assert(!batch_has_room(&batch, &change));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("batch");
	TCase *tcase = tcase_create("batch");

	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, NULL, tear_down);
	tcase_add_test(tcase, what_goes_in_comes_out);
	tcase_add_test(tcase, what_has_room_fits_one_transaction);
	tcase_add_test(tcase, an_empty_batch_takes_any_change);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
