/* SPDX-License-Identifier: Apache-2.0
 *
 * The second thread of a check: its links are the chain of the page, they are
 * taken for nothing else, and of whole, ruined and unreadable stores two
 * threads tell what one tells, in the same order.
 *
 * WAYBILL_SEED chooses the first seed, WAYBILL_FULL=1 many more of them.
 */
#include "audit/fsck.h"
#include "audit/links.h"
#include "audit/verify.h"
#include "tests/support/ruin.h"
#include "tests/support/volume.h"

#include <inttypes.h>
#include <openssl/sha.h>
#include <pthread.h>

/* ---- links ---- */

enum { PIECE_BYTES = 1 << 20, HEADER_BYTES = 48 };

struct made {
	uint8_t bytes[PIECE_BYTES];
	size_t size, count;
	struct wb_bytes payloads[LINKS_FRAMES_MAX + 1];
	uint8_t values[LINKS_FRAMES_MAX + 1][SHA256_DIGEST_LENGTH];
};

static struct made made[3];
static const uint8_t origin[SHA256_DIGEST_LENGTH] = "a value from elsewhere";
static struct links *links;

static void chain_by_hand(const uint8_t *before, struct wb_bytes payload,
			  uint8_t *ret_value)
{
	static uint8_t both[SHA256_DIGEST_LENGTH + 2000];

	ck_assert_uint_le(payload.size, 2000);
	memcpy(both, before, SHA256_DIGEST_LENGTH);
	memcpy(both + SHA256_DIGEST_LENGTH, payload.data, payload.size);
	SHA256(both, SHA256_DIGEST_LENGTH + payload.size, ret_value);
}

static void add_frame(struct made *to, uint8_t type, uint32_t payload_bytes,
		      const uint8_t *before)
{
	uint32_t frame_bytes = (HEADER_BYTES + payload_bytes + 7) / 8 * 8;
	uint8_t *frame = to->bytes + to->size;
	struct wb_bytes payload = {frame + HEADER_BYTES, payload_bytes};

	ck_assert_uint_le(frame_bytes, PIECE_BYTES - to->size);
	memset(frame, 0, frame_bytes);
	memcpy(frame + 8, "WBFR", 4);
	frame[12] = type;
	frame[13] = 1;
	memcpy(frame + 16, &frame_bytes, 4);
	memcpy(frame + 20, &payload_bytes, 4);
	memset(frame + HEADER_BYTES, 'a' + (int)(to->size % 13), payload_bytes);
	to->size += frame_bytes;
	if (type != AUDIT_COMMIT)
		return;
	chain_by_hand(to->count ? to->values[to->count - 1] : before, payload,
		      to->values[to->count]);
	to->payloads[to->count++] = payload;
}

/* Commits of all sizes, and a MARK in between. */
static void make_piece(struct made *to, uint64_t seed, const uint8_t *before)
{
	struct rng rng = rng_of(seed);

	to->size = to->count = 0;
	for (unsigned at = 0; at < 200; at++) {
		add_frame(to, AUDIT_COMMIT, (uint32_t)rng_below(&rng, 2000),
			  before);
		if (at % 50 == 7)
			add_frame(to, AUDIT_MARK, 0, before);
	}
}

static const uint8_t *end_of(const struct made *of)
{
	return of->values[of->count - 1];
}

static struct wb_bytes all_of(const struct made *of)
{
	return (struct wb_bytes){of->bytes, of->size};
}

static void set_up_links(void)
{
	links = links_new();
	ck_assert_ptr_nonnull(links);
	make_piece(&made[0], 1, origin);
	make_piece(&made[1], 2, end_of(&made[0]));
	make_piece(&made[2], 3, end_of(&made[1]));
}

static void tear_down_links(void)
{
	links_free(links);
	links = NULL;
}

static void has_all(unsigned piece, const struct made *of,
		    const uint8_t *before)
{
	links_wait(links, piece);
	for (size_t at = 0; at < of->count; at++) {
		const uint8_t *value =
			links_find(links, piece, of->payloads[at],
				   at ? of->values[at - 1] : before);

		ck_assert_msg(value, "commit %zu", at);
		ck_assert_mem_eq(value, of->values[at], SHA256_DIGEST_LENGTH);
	}
}

START_TEST(links_are_the_chain_from_piece_to_piece)
{
	links_ask(links, 0, all_of(&made[0]), origin);
	links_ask(links, 1, all_of(&made[1]), NULL);
	has_all(0, &made[0], origin);
	links_ask(links, 0, all_of(&made[2]), NULL);
	has_all(1, &made[1], end_of(&made[0]));
	has_all(0, &made[2], end_of(&made[1]));
	/* And from the beginning again. */
	links_ask(links, 1, all_of(&made[0]), origin);
	has_all(1, &made[0], origin);
}
END_TEST

START_TEST(a_link_is_of_this_value_and_this_payload)
{
	struct wb_bytes payload = made[0].payloads[5];
	const uint8_t *before = made[0].values[4];
	uint8_t copy[2000];

	links_ask(links, 0, all_of(&made[0]), origin);
	links_wait(links, 0);
	ck_assert_uint_gt(payload.size, 8);
	memcpy(copy, payload.data, payload.size);
	ck_assert_ptr_null(links_find(links, 0, payload, origin));
	ck_assert_ptr_null(
		links_find(links, 0,
			   (struct wb_bytes){payload.data, payload.size - 1},
			   before));
	ck_assert_ptr_null(links_find(links, 1, payload, before));
	ck_assert_ptr_nonnull(links_find(links, 0, payload, before));
	/* It may be the same bytes: nobody has looked. */
	ck_assert_ptr_null(links_find(links, 0,
				      (struct wb_bytes){copy, payload.size},
				      before));
}
END_TEST

START_TEST(a_piece_that_goes_on_behind_another_has_no_link)
{
	links_ask(links, 0, all_of(&made[0]), origin);
	links_ask(links, 1, all_of(&made[2]), NULL);
	links_wait(links, 1);
	for (size_t at = 0; at < made[2].count; at++)
		ck_assert_ptr_null(links_find(links, 1, made[2].payloads[at],
					      at ? made[2].values[at - 1]
						 : end_of(&made[1])));
}
END_TEST

START_TEST(a_piece_ends_with_a_whole_frame_and_has_so_many)
{
	struct made *many = &made[1];
	size_t whole = made[0].size;

	for (size_t cut = 1; cut < 4000; cut += 7)
		ck_assert_uint_lt(links_frames((struct wb_bytes){made[0].bytes,
								 whole - cut}),
				  whole);
	ck_assert_uint_eq(links_frames(all_of(&made[0])), whole);
	/* Garbage behind it is no frame. */
	memset(made[0].bytes + whole, 0xa5, 4096);
	ck_assert_uint_eq(links_frames((struct wb_bytes){made[0].bytes,
							 whole + 4096}),
			  whole);
	many->size = many->count = 0;
	for (unsigned at = 0; at <= LINKS_FRAMES_MAX; at++)
		add_frame(many, AUDIT_COMMIT, 1, origin);
	ck_assert_uint_eq(links_frames(all_of(many)),
			  (uint64_t)LINKS_FRAMES_MAX * (HEADER_BYTES + 8));
	many->size = links_frames(all_of(many));
	many->count--;
	links_ask(links, 0, all_of(many), origin);
	has_all(0, many, origin);
}
END_TEST

/* ---- what is told ---- */

/* All that a reading tells, one thing behind the other. */
struct told {
	char *text;
	size_t size;
	FILE *to;
};

static struct shelf shelf;
static struct simdisk *intact, *earlier;
static uint64_t commits_told;

static void set_up(void)
{
	intact = earlier = NULL;
	commits_told = 0;
	shelf_init(&shelf, 1);
	shelf.options.segment_bytes = 5u << 20;
	ck_ok(shelf_open(&shelf));
}

static void tear_down(void)
{
	simdisk_free(intact);
	simdisk_free(earlier);
	shelf_release(&shelf);
}

static void commit(struct rng *rng, unsigned names, size_t bytes_max)
{
	static char value[1 << 20];
	char *end = value;
	struct wb_txn *txn = shelf_begin(&shelf);

	memset(value, 'x', bytes_max);
	for (unsigned at = 0; at < names; at++) {
		char name[32];

		snprintf(name, sizeof(name), "%" PRIu64 ".%u",
			 rng_below(rng, 300), at);
		*end = 'x';
		end = value + rng_below(rng, bytes_max);
		*end = 0;
		ck_ok(txn_put(txn, name, value));
	}
	ck_ok(wb_txn_commit(txn, NULL));
}

/* Segments of some mebibytes: small commits, many in a group's size, large
 * ones, some longer than a window; sealed ones, a cut one and the newest. */
static void make_store(void)
{
	struct rng rng = rng_of(1);

	for (unsigned at = 0; at < 80; at++) {
		for (unsigned small = 0; small < 40; small++)
			commit(&rng, 1, 300);
		commit(&rng, 20, 9000);
		if (at % 10 == 3)
			commit(&rng, 1, 400000);
		if (at % 20 == 15)
			commit(&rng, 5, 900000);
		if (at == 50) {
			earlier = simdisk_clone(shelf.disk);
			shelf_kill(&shelf);
			ck_ok(shelf_open(&shelf));
		}
	}
	ck_ok(wb_store_mark(shelf.store));
	ck_assert_uint_gt(shelf_stat(&shelf).segments, 3);
	volume_settle(&shelf);
	intact = simdisk_clone(shelf.disk);
}

static void tell_bytes(FILE *to, const uint8_t *bytes, size_t size)
{
	for (size_t at = 0; at < size; at++)
		fprintf(to, "%02x", bytes[at]);
}

static enum wb_error tell_commit(void *context,
				 const struct audit_commit *commit,
				 const struct audit_place *place)
{
	struct told *told = context;

	commits_told++;
	fprintf(told->to, "%s %" PRIu64 " %" PRIu64 " %zu %d ", place->file,
		place->offset, commit->revision, commit->mutation_count,
		place->whole);
	tell_bytes(told->to, place->chain, AUDIT_CHAIN_BYTES);
	fprintf(told->to, "\n");
	return WB_OK;
}

static void tell_finding(void *context, const struct audit_finding *finding)
{
	struct told *told = context;

	fprintf(told->to,
		"%s %d %d %s %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64
		" %s\n",
		audit_rule_code(finding->rule), finding->severity,
		finding->remedy, finding->file, finding->offset, finding->bytes,
		finding->revision_first, finding->revision_last, finding->what);
}

static void tell_named(void *context, const struct audit_finding *finding,
		       const struct wb_finding_name *names, size_t count,
		       uint64_t more)
{
	struct told *told = context;

	tell_finding(context, finding);
	for (size_t at = 0; at < count; at++)
		fprintf(told->to, "%.*s %" PRIu64 " %d\n",
			(int)names[at].key.name.size,
			(const char *)names[at].key.name.data,
			names[at].revision, names[at].exact);
	fprintf(told->to, "%" PRIu64 "\n", more);
}

static void tell_summary(struct told *told, const struct audit_summary *summary)
{
	fprintf(told->to,
		"%d %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64
		" %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " ",
		summary->verdict, summary->segments, summary->commits,
		summary->mutations, summary->head, summary->end,
		summary->torn_bytes, summary->differs_first,
		summary->differs_last, summary->epoch);
	for (unsigned at = 0; at <= AUDIT_DAMAGE; at++)
		fprintf(told->to, "%" PRIu64 " ", summary->findings[at]);
	tell_bytes(told->to, summary->chain, AUDIT_CHAIN_BYTES);
	tell_bytes(told->to, summary->chain_start, AUDIT_CHAIN_BYTES);
	fprintf(told->to, "\n");
}

static enum wb_error read_entries(struct dir *dir, unsigned flags,
				  struct told *told)
{
	struct audit_visitor visitor = {.commit = tell_commit,
					.finding = tell_finding,
					.context = told};
	struct audit_summary summary;
	enum wb_error error =
		audit_read(dir,
			   flags | AUDIT_READ_ENTRIES | AUDIT_READ_PAST_ERRORS,
			   &visitor, &summary);

	if (!error)
		tell_summary(told, &summary);
	return error;
}

static enum wb_error run_verify(struct dir *dir, unsigned flags,
				struct told *told)
{
	struct audit_visitor findings = {.commit = NULL,
					 .finding = tell_finding,
					 .context = told};
	struct wb_audit_expected expected = {.revision = 100};
	struct wb_audit_verified verified;
	struct audit_summary summary;
	enum wb_error error = audit_verify(dir, flags, &findings, &expected, 1,
					   &summary, &verified);

	if (!error)
		tell_summary(told, &summary);
	fprintf(told->to, "%d\n", expected.answer);
	return error;
}

static enum wb_error run_fsck(struct dir *dir, unsigned flags,
			      struct told *told)
{
	struct fsck_visitor visitor = {.finding = tell_named,
				       .context = told,
				       .flags = flags};
	struct fsck_summary summary;
	enum wb_error error = audit_fsck(dir, &visitor, &summary);

	if (error)
		return error;
	tell_summary(told, &summary.log);
	fprintf(told->to, "%" PRIu64 " %" PRIu64 " %" PRIu64 "\n",
		summary.revisions_lost, summary.names_exact,
		summary.names_probable);
	return WB_OK;
}

static enum wb_error (*const readings[])(struct dir *, unsigned,
					 struct told *) = {
	read_entries,
	run_verify,
	run_fsck,
};

enum { READINGS = sizeof(readings) / sizeof(*readings) };

/* All of it, and how it ended. Free it. `fault`: of the reading. */
static char *tell(unsigned reading, unsigned flags,
		  const struct sim_fault *fault, uint64_t *ret_fired)
{
	struct told told = {NULL, 0, NULL};
	struct dir *dir = simdisk_dir(shelf.disk);
	enum wb_error error;

	told.to = open_memstream(&told.text, &told.size);
	ck_assert_ptr_nonnull(told.to);
	if (fault)
		simdisk_fault(shelf.disk, *fault);
	error = readings[reading](dir, flags, &told);
	if (ret_fired)
		*ret_fired = simdisk_faults_fired(shelf.disk);
	simdisk_faults_clear(shelf.disk);
	fprintf(told.to, "%s\n", wb_error_code(error));
	fclose(told.to);
	dir_close(dir);
	return told.text;
}

static void tells_the_same(unsigned reading, const struct sim_fault *fault,
			   uint64_t *ret_fired, const char *what, uint64_t seed)
{
	uint64_t fired = 0;
	char *one = tell(reading, 0, fault, &fired);
	char *two = tell(reading, AUDIT_READ_TWO_THREADS, fault, ret_fired);
	size_t at = 0;

	while (one[at] && one[at] == two[at])
		at++;
	ck_assert_msg(strcmp(one, two) == 0,
		      "reading %u, %s, seed %" PRIu64 ": %.200s\nand %.200s",
		      reading, what, seed, one + at, two + at);
	if (ret_fired)
		ck_assert_uint_eq(*ret_fired, fired);
	free(one);
	free(two);
}

START_TEST(two_threads_tell_the_same_of_a_whole_store)
{
	static const struct audit_visitor nobody = {.commit = NULL,
						    .finding = NULL,
						    .context = NULL};
	struct audit_summary summary;
	struct dir *dir;

	make_store();
	for (unsigned reading = 0; reading < READINGS; reading++)
		tells_the_same(reading, NULL, NULL, "whole", 0);
	ck_assert_uint_gt(commits_told, 2 * 2000);
	dir = simdisk_dir(shelf.disk);
	ck_ok(audit_read(dir, AUDIT_READ_TWO_THREADS | AUDIT_READ_ENTRIES,
			 &nobody, &summary));
	dir_close(dir);
	ck_assert_int_eq(summary.verdict, AUDIT_CLEAN);
	ck_assert_uint_eq(summary.findings[AUDIT_WARNING], 0);
}
END_TEST

START_TEST(two_threads_tell_the_same_of_a_ruin)
{
	uint64_t count = rounds(60, 2000), first = first_seed();

	make_store();
	for (uint64_t seed = first; seed < first + count; seed++) {
		struct rng rng = rng_of(seed);
		uint64_t times = 1 + rng_below(&rng, 3);
		const char *what = "";

		simdisk_free(shelf.disk);
		shelf.disk = simdisk_clone(intact);
		while (times-- > 0)
			what = ruin_some(shelf.disk, earlier, &rng);
		tells_the_same((unsigned)(seed % READINGS), NULL, NULL, what,
			       seed);
	}
	printf("count: ruins told by two threads %" PRIu64 "\n", count);
}
END_TEST

START_TEST(two_threads_tell_the_same_of_a_disk_that_fails)
{
	static const enum sim_op ops[] = {SIM_OPEN, SIM_SIZE, SIM_READ};
	uint64_t step = full_run() ? 1 : 5;

	make_store();
	for (unsigned at = 0; at < 3 * 2; at++) {
		struct sim_fault fault = {ops[at / 2], 1,     WB_IO,
					  at % 2,      false, NULL};
		uint64_t fired;

		do {
			tells_the_same((unsigned)(fault.nth / step % READINGS),
				       &fault, &fired, sim_op_name(fault.kind),
				       fault.nth);
			fault.nth += step;
		} while (fired > 0);
		ck_assert_uint_gt(fault.nth, step);
	}
}
END_TEST

START_TEST(a_place_that_cannot_be_read_is_told_the_same)
{
	uint64_t count = rounds(20, 500), first = first_seed();

	make_store();
	for (uint64_t seed = first; seed < first + count; seed++) {
		struct rng rng = rng_of(seed);
		const char *path = volume_path(1 + rng_below(&rng, 5));

		simdisk_free(shelf.disk);
		shelf.disk = simdisk_clone(intact);
		for (unsigned reading = 0; reading < READINGS; reading++) {
			struct sim_fault fault = {SIM_READ,
						  1 + rng_below(&rng, 30),
						  WB_IO,
						  rng_below(&rng, 2),
						  false,
						  path};

			tells_the_same(reading, &fault, NULL, path, seed);
		}
	}
}
END_TEST

/* No system has so much memory for a stack. */
START_TEST(without_a_second_thread_one_does_it)
{
	pthread_attr_t before, huge;
	char *one, *none;

	make_store();
	one = tell(0, 0, NULL, NULL);
	ck_assert_int_eq(pthread_getattr_default_np(&before), 0);
	ck_assert_int_eq(pthread_attr_init(&huge), 0);
	ck_assert_int_eq(pthread_attr_setstacksize(&huge, (size_t)1 << 46), 0);
	ck_assert_int_eq(pthread_setattr_default_np(&huge), 0);
	ck_assert_ptr_null(links_new());
	none = tell(0, AUDIT_READ_TWO_THREADS, NULL, NULL);
	ck_assert_int_eq(pthread_setattr_default_np(&before), 0);
	ck_assert_str_eq(one, none);
	free(one);
	free(none);
	pthread_attr_destroy(&before);
	pthread_attr_destroy(&huge);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("links");
	TCase *tcase = tcase_create("links");

	tcase_add_checked_fixture(tcase, set_up_links, tear_down_links);
	tcase_add_test(tcase, links_are_the_chain_from_piece_to_piece);
	tcase_add_test(tcase, a_link_is_of_this_value_and_this_payload);
	tcase_add_test(tcase, a_piece_that_goes_on_behind_another_has_no_link);
	tcase_add_test(tcase, a_piece_ends_with_a_whole_frame_and_has_so_many);
	suite_add_tcase(suite, tcase);
	tcase = tcase_create("told");
	tcase_set_timeout(tcase, 600);
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, two_threads_tell_the_same_of_a_whole_store);
	tcase_add_test(tcase, two_threads_tell_the_same_of_a_ruin);
	tcase_add_test(tcase, two_threads_tell_the_same_of_a_disk_that_fails);
	tcase_add_test(tcase, a_place_that_cannot_be_read_is_told_the_same);
	tcase_add_test(tcase, without_a_second_thread_one_does_it);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
