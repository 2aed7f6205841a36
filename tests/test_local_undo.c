/* SPDX-License-Identifier: Apache-2.0
 *
 * Undo beside other writers, clocks and disks. What it does when nobody
 * disturbs it is in tests/conformance/images_undo.c.
 *
 * Other writers come by a hook: undo reads the log before its Update, and
 * whatever it opens then gives the hook its moment.
 */
#include "images/image.h"
#include "log/format.h"
#include "tests/conformance/images.h"
#include "tests/support/forge.h"
#include "tests/support/volume.h"

#include <inttypes.h>
#include <pthread.h>

static struct shelf shelf;

static void open_again(void)
{
	ck_ok(shelf_open(&shelf));
	ck_ok(wb_images_local(shelf.store, &images));
}

static void set_up(void)
{
	shelf_init(&shelf, 1);
	open_again();
}

static void tear_down(void)
{
	images->ops->close(images);
	shelf_release(&shelf);
}

static void put_as(const char *name, const char *digest)
{
	struct wb_image image = plain(name);

	image.target.digest = digest;
	ck_ok(images->ops->put(images, &call, &image, NULL, NULL, NULL, NULL));
}

static void removed(const char *name)
{
	ck_ok(images->ops->remove(images, &call, name, NULL, NULL, NULL, NULL,
				  NULL));
}

/* 'a' or 'b' for the two digests, '-' where there is none. */
static char now(const char *name)
{
	struct wb_image *image = NULL;
	char letter = '-';

	if (!images->ops->get(images, &call, name, &image, NULL))
		letter = image->target.digest[strlen(SHA)];
	wb_image_free(image);
	return letter;
}

static enum wb_error undo(const char *name, struct wb_text *text)
{
	return images->ops->undo(images, &call, name, NULL, NULL, NULL, text);
}

/* ---- other writers ---- */

/* Letters, one a change: a, b: put with that digest; -: remove; A, B: the
 * same for another name; |: until the segment is another one. */
static void write_all(const char *changes)
{
	uint64_t segments = shelf_stat(&shelf).segments;

	for (; *changes; changes++) {
		switch (*changes) {
		case '-':
			removed("x");
			break;
		case '|':
			while (shelf_stat(&shelf).segments == segments)
				put_as("other", DIGEST_A);
			break;
		case 'A':
			put_as("other", DIGEST_A);
			break;
		default:
			put_as("x", *changes == 'a' ? DIGEST_A : DIGEST_B);
		}
	}
}

struct meddler {
	const char *changes;
	unsigned times; /* that it still has something to do */
	unsigned calls;
};

static void meddle(void *context, enum sim_op op, const char *name)
{
	struct meddler *meddler = context;
	uint64_t newest;

	(void)op;
	if (!strstr(name, ".log") || meddler->times == 0)
		return;
	simdisk_observe(shelf.disk, SIM_OPEN, NULL, NULL);
	/* Each look begins with the newest segment, or, where its entries in
	 * memory say that the name is not in it, with the one before. */
	newest = shelf_stat(&shelf).segments;
	if (strcmp(name, volume_path(newest)) == 0 ||
	    strcmp(name, volume_path(newest - 1)) == 0) {
		meddler->times--;
		meddler->calls++;
		write_all(meddler->changes);
	}
	simdisk_observe(shelf.disk, SIM_OPEN, meddle, meddler);
}

/* What is there, what comes between the look and the Update, and whether that
 * was somebody else's change of the name. */
static const struct {
	const char *before, *between;
	bool conflict;
	char after;
} races[] = {
	{"a", "b", true, 'b'},
	{"ab", "a", true, 'a'},
	{"ab", "-", true, '-'},
	{"ab", "-b", true, 'b'},
	{"a-", "b", true, 'b'},
	/* It looks as it did, and is not what it was. */
	{"a-", "b-", true, '-'},
	{"ab-", "a-", true, '-'},
	{"ab", "ab", true, 'b'},
	{"ab", "b|", true, 'b'},
	{"a-", "b-|", true, '-'},
	/* Other names are nobody's concern. */
	{"ab", "AAA", false, 'a'},
	{"a-", "AAA", false, 'a'},
	{"a", "A", false, '-'},
	{"ab", "|", false, 'a'},
	{"a-", "|", false, 'a'},
	{"ab", "", false, 'a'},
	{"a-", "", false, 'a'},
};
#define RACES (int)(sizeof(races) / sizeof(*races))

static void expect_race(int i, enum wb_error error, const struct wb_text *text)
{
	ck_error(error, races[i].conflict ? WB_PRECONDITION : WB_OK);
	ck_assert_int_eq(now("x"), races[i].after);
	if (races[i].conflict)
		ck_assert_msg(strstr(text->text,
				     "image \"x\": was changed meanwhile, at "
				     "revision "),
			      "%s", text->text);
}

START_TEST(a_change_between_look_and_update_is_never_undone)
{
	struct meddler meddler = {races[_i].between, 1, 0};
	struct wb_text text = {""};
	enum wb_error error;

	write_all(races[_i].before);
	simdisk_observe(shelf.disk, SIM_OPEN, meddle, &meddler);
	error = undo("x", &text);
	simdisk_observe(shelf.disk, SIM_OPEN, NULL, NULL);
	ck_assert_uint_eq(meddler.calls, 1);
	expect_race(_i, error, &text);
}
END_TEST

START_TEST(the_current_image_comes_with_the_conflict)
{
	struct meddler meddler = {"a", 1, 0};
	struct wb_image *current = NULL;

	write_all("ab");
	simdisk_observe(shelf.disk, SIM_OPEN, meddle, &meddler);
	ck_error(images->ops->undo(images, &call, "x", NULL, NULL, &current,
				   NULL),
		 WB_PRECONDITION);
	ck_assert_uint_eq(current->revision, 3);
	ck_assert_str_eq(current->target.digest, DIGEST_A);
	wb_image_free(current);
}
END_TEST

/* Staged by somebody whose commit is still on its way to the disk. */
static void stage_all(const char *changes)
{
	struct wb_key key = {WB_KIND_IMAGE, text_of("default"), text_of("x")};
	struct wb_image image = plain("x");
	struct store_ticket ticket;

	for (; *changes; changes++) {
		struct wb_txn *txn = shelf_begin(&shelf);
		struct wb_bytes value;

		image.target.digest = *changes == 'a' ? DIGEST_A : DIGEST_B;
		ck_ok(image_encode(&image, &value));
		if (*changes == '-')
			ck_ok(store_txn_delete(txn, &key, if_any));
		else
			ck_ok(store_txn_put(txn, &key, value, if_any));
		free((void *)value.data);
		ck_ok(store_stage(txn, &ticket));
	}
}

START_TEST(a_change_that_is_only_staged_is_never_undone)
{
	struct wb_text text = {""};
	uint64_t revision;

	if (strpbrk(races[_i].between, "A|") || !*races[_i].between)
		return; /* of other names */
	write_all(races[_i].before);
	stage_all(races[_i].between);
	revision = shelf_stat(&shelf).revision;
	expect_race(_i, undo("x", &text), &text);
	/* The answer came when that change was durable, not before. */
	ck_assert_uint_eq(shelf_stat(&shelf).revision,
			  revision + strlen(races[_i].between));
}
END_TEST

START_TEST(a_log_that_never_holds_still_is_told_as_such)
{
	struct meddler meddler = {"|", UINT32_MAX, 0};
	struct wb_text text = {""};
	enum wb_error error;

	write_all("a-");
	simdisk_observe(shelf.disk, SIM_OPEN, meddle, &meddler);
	error = undo("x", &text);
	simdisk_observe(shelf.disk, SIM_OPEN, NULL, NULL);
	ck_answer(error, WB_AGAIN, text, "image \"x\": busy, try again");
	ck_assert_int_eq(now("x"), '-');
	ck_ok(undo("x", NULL));
	ck_assert_int_eq(now("x"), 'a');
}
END_TEST

/* ---- clocks ---- */

#define HOUR_NS INT64_C(3600000000000)

START_TEST(updated_at_moves_forward_whatever_the_clock_does)
{
	int64_t start = shelf.env.wall_ns;
	struct wb_image *image;

	write_all("a");
	simenv_set_wall(&shelf.env, start + HOUR_NS);
	write_all("b");
	simenv_set_wall(&shelf.env, start - HOUR_NS);
	for (int64_t times = 1; times <= 2; times++) {
		ck_ok(undo("x", NULL));
		image = got("x");
		ck_assert_int_eq(image->created_at_ns, start);
		ck_assert_int_eq(image->updated_at_ns, start + HOUR_NS + times);
		wb_image_free(image);
	}
	removed("x");
	ck_ok(undo("x", NULL));
	image = got("x");
	ck_assert_int_eq(image->created_at_ns, start);
	ck_assert_int_eq(image->updated_at_ns, start + HOUR_NS + 3);
	wb_image_free(image);
}
END_TEST

/* ---- disks ---- */

START_TEST(a_version_that_rotted_is_not_brought_back)
{
	struct wb_text text = {""};
	uint64_t revision;
	enum wb_error error;

	write_all("ab|");
	revision = shelf_stat(&shelf).revision;
	images->ops->close(images);
	shelf_cut(&shelf, (struct sim_crash){SIM_KEEP_ALL, 0});
	open_again();
	simdisk_flip(shelf.disk, "0000000000000001.log",
		     8 * (SEGMENT_FRAMES_AT + FRAME_HEADER_BYTES));
	error = undo("x", &text);
	ck_answer(error, WB_CORRUPT, text,
		  "image \"x\": bytes on disk contradict the format");
	ck_assert_uint_eq(shelf_stat(&shelf).revision, revision);
	ck_assert_int_eq(now("x"), 'b');
}
END_TEST

/* A version that names another one than it replaced, every checksum right:
 * `previous` is what the second version of x names instead of the first. */
static void forge_previous(uint8_t previous)
{
	const char *path = volume_path(1);
	uint8_t bytes[512];
	uint64_t frame;
	unsigned at = FRAME_HEADER_BYTES;

	images->ops->close(images);
	volume_settle(&shelf);
	frame = volume_frame(&shelf, 1, 1);
	simdisk_get(shelf.disk, path, bytes, sizeof(bytes), frame);
	/* Field 6, a varint. */
	while (at < sizeof(bytes) - 1 &&
	       !(bytes[at] == (6 << 3) && bytes[at + 1] == 1))
		at++;
	ck_assert_uint_lt(at, sizeof(bytes) - 1);
	forge_frame(shelf.disk, path, frame, at + 1, &previous, 1);
	open_again();
}

START_TEST(a_version_that_follows_another_is_not_believed)
{
	write_all("ab");
	forge_previous(7);
	ck_error(undo("x", NULL), WB_CORRUPT);
	ck_assert_int_eq(now("x"), 'b');
}
END_TEST

START_TEST(an_error_of_the_disk_is_one_of_the_undo)
{
	struct wb_call with = call_in("default");
	struct wb_outcome outcome = {0, false};

	with.operation_id = "op";
	write_all("ab");
	ck_ok(images->ops->undo(images, &with, "x", NULL, NULL, NULL, NULL));
	simdisk_fault(shelf.disk, (struct sim_fault){SIM_READ, 1, WB_IO, true,
						     false, "*.log"});
	ck_error(undo("x", NULL), WB_IO);
	ck_assert_uint_gt(simdisk_faults_fired(shelf.disk), 0);
	/* What was done is known all the same. */
	ck_ok(images->ops->undo(images, &with, "x", NULL, &outcome, NULL,
				NULL));
	ck_assert(outcome.replayed);
	simdisk_faults_clear(shelf.disk);
	ck_assert_int_eq(now("x"), 'a');
}
END_TEST

START_TEST(a_failed_sync_leaves_the_outcome_unknown)
{
	write_all("ab");
	simdisk_fault(shelf.disk, (struct sim_fault){SIM_SYNC, 1, WB_IO, false,
						     false, NULL});
	ck_error(undo("x", NULL), WB_OUTCOME_UNKNOWN);
	ck_error(undo("x", NULL), WB_STOPPED);
	ck_assert_int_eq(now("x"), 'b');
}
END_TEST

/* ---- a model ---- */

enum { NAMES = 3, VERSIONS_MAX = 2000, STEPS = 400 };

/* Every version of a name, as its shape; "" is a deletion. */
static struct {
	char *shapes[VERSIONS_MAX];
	size_t count;
} model[NAMES];

static const char *const model_names[NAMES] = {"one", "two", "three"};

static void note(int name, const char *text)
{
	ck_assert_uint_lt(model[name].count, VERSIONS_MAX);
	model[name].shapes[model[name].count] = strdup(text);
	ck_assert_ptr_nonnull(model[name].shapes[model[name].count]);
	model[name].count++;
}

static const char *version_back(int name, size_t back)
{
	return model[name].count > back
		       ? model[name].shapes[model[name].count - 1 - back]
		       : "";
}

static const char *current_shape(int name)
{
	struct wb_image *image = NULL;
	const char *text = "";

	if (!images->ops->get(images, &call, model_names[name], &image, NULL))
		text = shape(image);
	wb_image_free(image);
	return text;
}

static void model_put(struct rng *rng, int name)
{
	static const char *const words[] = {"1", "2", "3", ""};
	struct wb_image image = plain(model_names[name]);

	image.target.digest = rng_chance(rng, 1, 2) ? DIGEST_A : DIGEST_B;
	image.target.size = 1 + (int64_t)rng_below(rng, 3);
	image.labels = LABELS({"x", words[rng_below(rng, 4)]},
			      {"y", words[rng_below(rng, 4)]});
	image.target.annotations = LABELS({"z", words[rng_below(rng, 4)]});
	given_image(&image);
	note(name, current_shape(name));
}

static void model_undo(int name)
{
	enum wb_error error = undo(model_names[name], NULL);

	if (model[name].count == 0) {
		ck_error(error, WB_NOT_FOUND);
		return;
	}
	ck_ok(error);
	note(name, version_back(name, 1));
}

static void model_step(struct rng *rng, int name)
{
	bool live = *version_back(name, 0);

	switch (rng_below(rng, 8)) {
	case 0:
		if (live)
			removed(model_names[name]);
		if (live)
			note(name, "");
		break;
	case 1:
		images->ops->close(images);
		shelf_kill(&shelf);
		open_again();
		break;
	case 2:
	case 3:
	case 4:
		model_undo(name);
		break;
	default:
		model_put(rng, name);
	}
}

static void compare(uint64_t seed)
{
	for (int name = 0; name < NAMES; name++) {
		const char *is = current_shape(name);

		ck_assert_msg(strcmp(is, version_back(name, 0)) == 0,
			      "seed %" PRIu64 ": %s is %s, not %s", seed,
			      model_names[name], is, version_back(name, 0));
	}
}

START_TEST(two_undos_in_a_row_change_no_target_and_no_label)
{
	uint64_t seed = (uint64_t)_i;
	struct rng rng = rng_of(seed);

	for (int step = 0; step < STEPS; step++) {
		int name = (int)rng_below(&rng, NAMES);
		char *before;

		model_step(&rng, name);
		compare(seed);
		if (model[name].count == 0 || !rng_chance(&rng, 1, 3))
			continue;
		before = strdup(current_shape(name));
		model_undo(name);
		compare(seed);
		model_undo(name);
		compare(seed);
		ck_assert_str_eq(current_shape(name), before);
		free(before);
	}
	ck_assert_uint_gt(shelf_stat(&shelf).segments, 3);
	for (int name = 0; name < NAMES; name++)
		while (model[name].count > 0)
			free(model[name].shapes[--model[name].count]);
}
END_TEST

/* ---- threads ---- */

enum { THREADS = 4, OPERATIONS = 150 };

struct worker {
	pthread_t thread;
	struct rng rng;
	unsigned undone, refused;
};

static void *work(void *context)
{
	struct worker *worker = context;

	for (int at = 0; at < OPERATIONS; at++) {
		struct wb_image image = plain("x");
		enum wb_error error;

		switch (rng_below(&worker->rng, 4)) {
		case 0:
			image.target.size =
				1 + (int64_t)rng_below(&worker->rng, 1u << 30);
			error = images->ops->put(images, &call, &image, NULL,
						 NULL, NULL, NULL);
			break;
		case 1:
			error = images->ops->remove(images, &call, "x", NULL,
						    NULL, NULL, NULL, NULL);
			if (error == WB_NOT_FOUND)
				error = WB_OK;
			break;
		default:
			error = undo("x", NULL);
			worker->undone += !error;
			worker->refused += error == WB_PRECONDITION;
			if (error == WB_PRECONDITION || error == WB_NOT_FOUND)
				error = WB_OK;
		}
		if (error)
			return "a call failed";
	}
	return NULL;
}

/* Sizes stand for versions; 0: a deletion. Newest first. */
struct past {
	struct {
		uint64_t revision, undid;
		int64_t size;
	} versions[THREADS * OPERATIONS + 1];
	size_t count;
};

static bool take_past(void *context, const struct wb_image_version *version)
{
	struct past *past = context;
	unsigned long long undid = 0;

	sscanf(version->reason, "undo of revision %llu", &undid);
	past->versions[past->count].revision = version->revision;
	past->versions[past->count].undid = undid;
	past->versions[past->count++].size =
		version->image ? version->image->target.size : 0;
	return true;
}

/* Every undo follows the version that it says it undid, and what it made is
 * what was there before that one. */
START_TEST(threads_never_undo_each_others_changes)
{
	struct worker workers[THREADS] = {{.undone = 0}};
	static struct past past;
	unsigned undone = 0, found = 0;

	for (unsigned at = 0; at < THREADS; at++) {
		workers[at].rng = rng_of((uint64_t)_i * THREADS + at);
		ck_assert_int_eq(pthread_create(&workers[at].thread, NULL, work,
						&workers[at]),
				 0);
	}
	for (unsigned at = 0; at < THREADS; at++) {
		void *failed;

		ck_assert_int_eq(pthread_join(workers[at].thread, &failed), 0);
		ck_assert_ptr_null(failed);
		undone += workers[at].undone;
	}
	past.count = 0;
	ck_ok(images->ops->history(images, &call, "x", 0, 0, take_past, &past,
				   NULL));
	for (size_t at = 0; at < past.count; at++) {
		if (!past.versions[at].undid)
			continue;
		found++;
		ck_assert_uint_lt(at + 1, past.count);
		ck_assert_uint_eq(past.versions[at].undid,
				  past.versions[at + 1].revision);
		ck_assert_int_eq(past.versions[at].size,
				 at + 2 < past.count
					 ? past.versions[at + 2].size
					 : 0);
	}
	ck_assert_uint_eq(found, undone);
	ck_assert_uint_gt(found, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("local_undo");
	TCase *tcase = tcase_create("undo");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_loop_test(tcase,
			    a_change_between_look_and_update_is_never_undone, 0,
			    RACES);
	tcase_add_loop_test(tcase, a_change_that_is_only_staged_is_never_undone,
			    0, RACES);
	tcase_add_test(tcase, the_current_image_comes_with_the_conflict);
	tcase_add_test(tcase, a_log_that_never_holds_still_is_told_as_such);
	tcase_add_test(tcase, updated_at_moves_forward_whatever_the_clock_does);
	tcase_add_test(tcase, a_version_that_rotted_is_not_brought_back);
	tcase_add_test(tcase, a_version_that_follows_another_is_not_believed);
	tcase_add_test(tcase, an_error_of_the_disk_is_one_of_the_undo);
	tcase_add_test(tcase, a_failed_sync_leaves_the_outcome_unknown);
	tcase_add_loop_test(tcase,
			    two_undos_in_a_row_change_no_target_and_no_label, 1,
			    9);
	tcase_add_loop_test(tcase, threads_never_undo_each_others_changes, 1,
			    6);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
