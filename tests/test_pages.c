/* SPDX-License-Identifier: Apache-2.0
 *
 * A page of a footer tells what the whole footer would, and no bit of it can
 * change unseen.
 */
#include "log/pages.h"

#include "tests/support/rng.h"
#include "tests/support/suite.h"

#include <inttypes.h>
#include <string.h>

enum { ENTRIES_MAX = 2000, FIRST = 77 };

static struct log_entry list[ENTRIES_MAX]; /* in the order of the log */
static uint8_t payload[FOOTER_HEAD_BYTES + ENTRIES_MAX * FOOTER_ENTRY_BYTES];
static struct footer footer;
static struct pages pages;

static void tear_down(void)
{
	pages_release(&pages);
}

/* Some hashes fill several pages, and some commits hold a hash twice. */
static void make(struct rng *rng, size_t count)
{
	struct entries entries;
	uint64_t revision = FIRST;

	entries_begin(&entries, FIRST);
	ck_ok(entries_reserve(&entries, count));
	for (size_t at = 0; at < count; at++) {
		bool same = at > 0 && rng_chance(rng, 1, 4);

		revision += at > 0 && !same;
		list[at] = (struct log_entry){
			.hash = rng_chance(rng, 2, 3)
					? 1000 * (uint32_t)rng_below(rng, 3)
					: (uint32_t)rng_below(rng, 3000),
			.mutation = same ? list[at - 1].mutation + 1 : 0,
			.revision = revision,
			.offset = same ? list[at - 1].offset
				       : SEGMENT_FRAMES_AT + 512 * at,
		};
	}
	entries_add(&entries, list, count, 0);
	footer = (struct footer){
		.first_revision = FIRST,
		.last_revision = revision,
		.commits = revision - FIRST + 1,
		.entry_count = count,
	};
	ck_ok(footer_encode(&footer, &entries, payload));
	entries_release(&entries);
	pages_release(&pages);
	ck_ok(pages_make(payload, &footer, &pages));
}

/* As a look-up does. */
static void find_all(uint64_t seed, size_t count, uint32_t hash,
		     uint64_t before)
{
	struct places places = {.before = before};
	uint64_t last = before;
	size_t at = count, page;

	while (places.before > FIRST) {
		const uint8_t *bytes;

		if (!pages_find(&pages, hash, places.before, &page))
			break;
		bytes = payload + pages_offset(page);
		ck_assert(page_verify(&pages, page, bytes));
		page_search(&pages, page, bytes, hash, places.before, &places);
		for (size_t place = 0; place < places.count; place++) {
			while (at > 0 && (list[at - 1].hash != hash ||
					  list[at - 1].revision >= last))
				at--;
			ck_assert_msg(at > 0, "seed %" PRIu64 ": one too many",
				      seed);
			last = list[at - 1].revision;
			ck_assert_msg(places.list[place].revision == last &&
					      places.list[place].offset ==
						      list[at - 1].offset,
				      "seed %" PRIu64 ": another one", seed);
		}
	}
	while (at > 0 &&
	       (list[at - 1].hash != hash || list[at - 1].revision >= last))
		at--;
	ck_assert_msg(at == 0, "seed %" PRIu64 ": one is missing", seed);
}

START_TEST(versions_are_found_newest_first_below_any_revision)
{
	static const size_t counts[] = {1, 2, 255, 256, 257, 512, 2000};
	struct rng rng = rng_of((uint64_t)_i);

	for (size_t size = 0; size < sizeof(counts) / sizeof(*counts); size++) {
		make(&rng, counts[size]);
		for (unsigned look = 0; look < 400; look++) {
			uint32_t hash =
				look % 2 ? 1000 * (uint32_t)rng_below(&rng, 4)
					 : (uint32_t)rng_below(&rng, 3001);

			find_all((uint64_t)_i, counts[size], hash,
				 FIRST + rng_below(&rng, footer.commits + 2));
		}
		find_all((uint64_t)_i, counts[size], 1000, UINT64_MAX);
	}
}
END_TEST

START_TEST(a_footer_without_entries_has_no_pages)
{
	struct rng rng = rng_of(1);
	size_t page;

	make(&rng, 0);
	ck_assert(!pages_find(&pages, 0, UINT64_MAX, &page));
}
END_TEST

START_TEST(every_flipped_bit_of_a_page_is_seen)
{
	struct rng rng = rng_of(3);

	make(&rng, 300);
	for (size_t page = 0; page < 2; page++) {
		uint8_t *bytes = payload + pages_offset(page);
		size_t bits = 8 * pages_size(&pages, page);

		ck_assert_uint_eq(bits, 8 * (page ? 44 * 16 : 4096));
		for (size_t bit = 0; bit < bits; bit++) {
			bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
			ck_assert_msg(!page_verify(&pages, page, bytes),
				      "page %zu, bit %zu", page, bit);
			bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		}
		ck_assert(page_verify(&pages, page, bytes));
	}
}
END_TEST

/* A page in another one's place, as a misdirected read has it. */
START_TEST(a_page_is_not_another_one)
{
	struct rng rng = rng_of(4);

	make(&rng, 512);
	ck_assert(!page_verify(&pages, 0, payload + pages_offset(1)));
	ck_assert(!page_verify(&pages, 1, payload + pages_offset(0)));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("pages");
	TCase *tests = tcase_create("pages");

	tcase_add_checked_fixture(tests, NULL, tear_down);
	tcase_add_loop_test(tests,
			    versions_are_found_newest_first_below_any_revision,
			    1, 6);
	tcase_add_test(tests, a_footer_without_entries_has_no_pages);
	tcase_add_test(tests, every_flipped_bit_of_a_page_is_seen);
	tcase_add_test(tests, a_page_is_not_another_one);
	suite_add_tcase(suite, tests);
	return suite_run(suite);
}
