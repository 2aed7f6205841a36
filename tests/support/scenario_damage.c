/* SPDX-License-Identifier: Apache-2.0
 *
 * Damage, a little of each kind: as much as shows that each check is needed.
 */
#include "tests/support/stage.h"

#include "store/state.h"
#include "tests/support/simpages.h"

#include <inttypes.h>
#include <stdlib.h>

/* ---- flipped bits ---- */

/* Flip a bit, look, flip it back. */
static bool loud_with_flip(struct workload *work, uint64_t id, uint64_t byte)
{
	char what[64];
	bool good;

	snprintf(what, sizeof(what), "segment %" PRIu64 ", byte %" PRIu64, id,
		 byte);
	simdisk_flip(work->disk, stage_path(id), 8 * byte + byte % 8);
	good = stage_is_loud(work, what);
	if (good)
		simdisk_flip(work->disk, stage_path(id), 8 * byte + byte % 8);
	return good;
}

bool fault_18_a_flipped_bit_in_a_sealed_segment_is_loud(
	struct complaint *complaint)
{
	struct workload *work = stage_begin(18);
	uint64_t byte, size;

	if (work_create(work) && stage_fill(work, 2)) {
		stage_settle(work);
		size = simdisk_size(work->disk, stage_path(1));
		for (byte = SEGMENT_FRAMES_AT; byte < size && work_ok(work);
		     byte += 37)
			(void)loud_with_flip(work, 1, byte);
	}
	return stage_end(work, complaint);
}

/* The commits before it are all there, and their chain value is right; only
 * the place where the segment ends is not what its successor says. */
bool fault_18_a_flipped_bit_in_a_mark_before_a_cut_is_loud(
	struct complaint *complaint)
{
	struct frame_place places[FRAMES_MAX];
	struct workload *work = stage_begin(17);
	size_t count;

	if (work_create(work) && work_commit(work, 2, 200) &&
	    wb_store_mark(work->store) == WB_OK && work_kill(work) &&
	    work_commit(work, 1, 200)) {
		stage_settle(work);
		count = stage_frames(work, 1, places);
		assert(places[count - 1].frame.type == FRAME_MARK);
		(void)loud_with_flip(work, 1, places[count - 1].at + 24);
	}
	return stage_end(work, complaint);
}

static bool count_version(void *context, const struct wb_version *version)
{
	(void)version;
	++*(unsigned *)context;
	return true;
}

/* Each key's history is as long as it was, or it is an error. */
static bool histories_are_whole(struct workload *work,
				const unsigned expected[ORACLE_KEYS])
{
	for (unsigned at = 0; at < ORACLE_KEYS; at++) {
		struct wb_key key = oracle_key(at);
		unsigned count = 0;
		enum wb_error error = wb_history(work->store, &key, 0, 0,
						 count_version, &count);

		if (error != WB_CORRUPT && (error || count != expected[at]))
			return complain_of(&work->context.complaint, check_loud,
					   "key %u: %u versions of %u (%s)", at,
					   count, expected[at],
					   wb_error_text(error));
	}
	return true;
}

/* A bit of the hash of each entry of a key in the footer of segment 1, so that
 * nobody who looks for the key finds one. Again: back. */
static void flip_entries(struct workload *work, uint64_t footer, uint32_t hash)
{
	uint64_t count, at = footer + FOOTER_HEAD_BYTES;
	const char *path = stage_path(1);
	uint32_t found;

	simdisk_get(work->disk, path, &count, 8, at - 8);
	for (; count > 0; count--, at += FOOTER_ENTRY_BYTES) {
		simdisk_get(work->disk, path, &found, 4, at);
		if ((found | 1) == (hash | 1))
			simdisk_flip(work->disk, path, 8 * at);
	}
}

/* In a store that is open. Where a later version is left, it misses the one
 * before it; where the last one was a deletion, nothing but the page's checksum
 * can tell. */
bool fault_18_a_footer_that_rots_after_the_open_is_loud(
	struct complaint *complaint)
{
	struct frame_place places[FRAMES_MAX];
	struct workload *work = stage_begin(79);
	unsigned expected[ORACLE_KEYS] = {0};
	uint64_t footer;
	size_t count;

	if (!work_create(work) || !stage_fill(work, 2))
		return stage_end(work, complaint);
	stage_settle(work);
	count = stage_frames(work, 1, places);
	assert(places[count - 1].frame.type == FRAME_FOOTER);
	footer = places[count - 1].at + FRAME_HEADER_BYTES;
	if (work_open(work, 0))
		return stage_end(work, complaint);
	for (unsigned at = 0; at < ORACLE_KEYS; at++) {
		struct wb_key key = oracle_key(at);

		if (wb_history(work->store, &key, 0, 0, count_version,
			       &expected[at]))
			abort();
	}
	for (unsigned at = 0; at < ORACLE_KEYS && work_ok(work); at++) {
		struct wb_key key = oracle_key(at);
		uint32_t hash = mutation_hash(&key);

		flip_entries(work, footer, hash);
		if (histories_are_whole(work, expected))
			flip_entries(work, footer, hash);
	}
	return stage_end(work, complaint);
}

bool fault_19_damage_before_the_durable_point_is_loud(
	struct complaint *complaint)
{
	struct frame_place places[FRAMES_MAX];
	struct workload *work = stage_begin(19);
	uint64_t byte;

	if (work_create(work) && work_commit(work, 1, 200) &&
	    work_commit(work, 1, 200)) {
		stage_settle(work);
		(void)stage_frames(work, 1, places);
		for (byte = places[0].at; byte < places[1].at && work_ok(work);
		     byte += 7)
			(void)loud_with_flip(work, 1, byte);
	}
	return stage_end(work, complaint);
}

bool fault_20_damage_to_the_last_commit_is_loud_once_marked(
	struct complaint *complaint)
{
	struct frame_place places[FRAMES_MAX];
	struct workload *work = stage_begin(20);
	const struct frame_place *last;

	if (work_create(work) && work_commit(work, 1, 200) &&
	    wb_store_mark(work->store) == WB_OK) {
		stage_settle(work);
		last = stage_last_commit(places, stage_frames(work, 1, places));
		if (loud_with_flip(work, 1, last->at + 60)) {
			/* And the mark with it. */
			simdisk_resize(work->disk, stage_path(1), last->at);
			(void)stage_is_loud(work, "commit and mark are gone");
		}
	}
	return stage_end(work, complaint);
}

/* A MARK has no revision of its own: only by its place can the frame behind it
 * say that it was durable. */
bool fault_20_damage_to_a_mark_is_loud_where_no_anchor_tells(
	struct complaint *complaint)
{
	const struct sim_fault no_anchor = {.kind = SIM_WRITE,
					    .nth = 1,
					    .error = WB_IO,
					    .forever = true,
					    .name = "anchor"};
	struct frame_place places[FRAMES_MAX];
	struct workload *work = stage_begin(21);
	uint64_t mark = 0;
	size_t at, count;

	if (work_create(work) && work_commit(work, 1, 200)) {
		simdisk_fault(work->disk, no_anchor);
		if (wb_store_mark(work->store) == WB_OK)
			(void)work_trouble(work, "an anchor was written",
					   WB_OK);
		(void)work_commit(work, 1, 200);
		simdisk_faults_clear(work->disk);
		stage_settle(work);
		count = stage_frames(work, 1, places);
		for (at = 0; at < count; at++)
			if (places[at].frame.type == FRAME_MARK)
				mark = places[at].at;
		(void)loud_with_flip(work, 1, mark + 60);
	}
	return stage_end(work, complaint);
}

/* ---- frames that are none ---- */

/* Where the commit of the value begins: one small group is before it. */
enum { POISON_AT = SEGMENT_FRAMES_AT + GROUP_ALIGN };

/* A value that looks like a frame which claims that its own commit was
 * durable. Whoever writes values must not be able to make a torn write look
 * like damage. */
static size_t poisonous_value(uint8_t value[1024])
{
	const struct frame frame = {
		.type = FRAME_MARK,
		.frame_bytes = FRAME_HEADER_BYTES,
		.revision = 1,
		.durable_revision = 1,
		.durable_bytes = POISON_AT + FRAME_ALIGN,
	};
	size_t at = 512;

	/* Once for every way in which the value may be aligned. */
	memset(value, 'x', 1024);
	for (size_t shift = 0; shift < FRAME_ALIGN; shift++) {
		frame_seal(value + at, &frame, 0, 0);
		at += FRAME_HEADER_BYTES + 1;
	}
	return 1024;
}

static enum wb_error put_poison(void *context, struct wb_txn *txn)
{
	const struct wb_key key = {64, {"", 0}, {"poison", 6}};
	uint8_t value[1024];
	size_t size = poisonous_value(value);

	(void)context;
	return wb_txn_put(txn, &key, (struct wb_bytes){value, size},
			  (struct wb_precondition){.kind = WB_IF_ANY});
}

bool fault_25_a_frame_embedded_in_a_value_is_none(struct complaint *complaint)
{
	const uint8_t zeros[GROUP_ALIGN] = {0};
	struct frame_place places[FRAMES_MAX];
	struct workload *work = stage_begin(25);
	size_t count;

	if (work_create(work) && work_commit(work, 1, 200)) {
		if (wb_update(work->store, NULL, put_poison, NULL, NULL))
			(void)work_trouble(work, "a poisonous value", WB_USAGE);
		stage_settle(work);
		count = stage_frames(work, 1, places);
		if (places[count - 1].at != POISON_AT)
			(void)work_trouble(work, "placing it", WB_USAGE);
		/* The write of the value was torn: its head is missing. */
		simdisk_set(work->disk, stage_path(1), zeros, sizeof(zeros),
			    POISON_AT);
		(void)stage_is_whole(work, "a torn write of a hostile value");
	}
	return stage_end(work, complaint);
}

/* Loud, and said for what it is. */
bool fault_26_a_segment_of_another_store_is_loud(struct complaint *complaint)
{
	struct workload *work = stage_begin(26);
	struct workload *other = stage_begin(62);

	if (work_create(work) && stage_fill(work, 3) && work_create(other) &&
	    stage_fill(other, 3)) {
		stage_settle(work);
		stage_settle(other);
		simdisk_copy(work->disk, stage_path(2), other->disk,
			     stage_path(2));
		if (stage_is_loud(work, "another store's segment") &&
		    !strstr(work->text.text, "another store"))
			(void)complain_of(&work->context.complaint, check_loud,
					  "it was not told that it is another "
					  "store's: %s",
					  work->text.text);
	}
	(void)stage_end(other, complaint);
	return stage_end(work, complaint);
}

bool fault_27_an_older_anchor_put_back_is_loud(struct complaint *complaint)
{
	struct workload *work = stage_begin(28);
	struct simdisk *older = NULL;

	if (work_create(work) && work_commit(work, 1, 200)) {
		older = simdisk_clone(work->disk);
		if (stage_fill(work, 4)) {
			stage_settle(work);
			simdisk_copy(work->disk, "anchor", older, "anchor");
			(void)stage_is_loud(work, "an older anchor");
		}
	}
	simdisk_free(older);
	return stage_end(work, complaint);
}

bool fault_27_every_segment_has_a_salt_of_its_own(struct complaint *complaint)
{
	struct workload *work = stage_begin(27);
	uint64_t salts[6], count = 0;

	if (work_create(work) && stage_fill(work, 3) && work_kill(work) &&
	    stage_fill(work, 6))
		count = 6;
	for (uint64_t at = 0; at < count; at++) {
		/* docs/FORMAT.md: the salt stands at offset 104. */
		simdisk_get(work->disk, stage_path(at + 1), &salts[at], 8, 104);
		for (uint64_t older = 0; older < at; older++)
			if (salts[older] == salts[at])
				(void)complain_of(&work->context.complaint,
						  check_loud,
						  "segments %" PRIu64
						  " and %" PRIu64
						  " have the same salt",
						  older + 1, at + 1);
	}
	return stage_end(work, complaint);
}

/* ---- files that are gone ---- */

static bool loud_without(struct workload *work, uint64_t id)
{
	struct simdisk *whole = simdisk_clone(work->disk);
	bool good;

	simdisk_delete(work->disk, stage_path(id));
	good = stage_is_loud(work, "a missing segment");
	simdisk_copy(work->disk, stage_path(id), whole, stage_path(id));
	simdisk_free(whole);
	return good;
}

bool fault_28_a_missing_segment_is_loud(struct complaint *complaint)
{
	struct workload *work = stage_begin(28);

	if (work_create(work) && stage_fill(work, 4) &&
	    wb_store_close(work->store) == WB_OK) {
		work->store = NULL;
		stage_settle(work);
		for (uint64_t id = 1; id <= 4 && work_ok(work); id++)
			(void)loud_without(work, id);
	}
	return stage_end(work, complaint);
}

bool fault_29_the_newest_segment_missing_is_loud(struct complaint *complaint)
{
	struct workload *work = stage_begin(29);

	/* Killed right after its first commit. */
	if (work_create(work) && stage_fill(work, 3)) {
		stage_settle(work);
		(void)loud_without(work, 3);
	}
	return stage_end(work, complaint);
}

/* ---- copies ---- */

bool fault_33_one_bad_anchor_slot_loses_nothing(struct complaint *complaint)
{
	struct workload *work = stage_begin(33);

	if (work_create(work) && work_commit(work, 2, 200) &&
	    wb_store_mark(work->store) == WB_OK && work_close(work)) {
		stage_settle(work);
		for (uint64_t slot = 0; slot < 2 && work_ok(work); slot++) {
			/* Offset 64: the durable revision. */
			uint64_t bit = (slot * 4096 + 64 + 2) * 8;

			simdisk_flip(work->disk, "anchor", bit);
			(void)stage_is_whole(work, "a bad anchor slot");
			stage_settle(work);
			/* That open did not write the anchor. */
			simdisk_flip(work->disk, "anchor", bit);
		}
	}
	return stage_end(work, complaint);
}

bool fault_33_one_bad_header_copy_loses_nothing(struct complaint *complaint)
{
	struct workload *work = stage_begin(34);

	if (work_create(work) && stage_fill(work, 2)) {
		for (uint64_t copy = 0; copy < 4 && work_ok(work); copy++) {
			const char *path = stage_path(1 + copy / 2);
			uint64_t bit = (copy % 2 * 4096 + 104) * 8;

			stage_settle(work);
			simdisk_flip(work->disk, path, bit);
			(void)stage_is_whole(work, "a bad header copy");
			stage_settle(work);
			simdisk_flip(work->disk, path, bit);
			(void)stage_is_whole(work, "it is good again");
		}
	}
	return stage_end(work, complaint);
}

/* ---- in memory ---- */

bool fault_35_a_record_that_rots_in_memory_is_not_served(
	struct complaint *complaint)
{
	const struct wb_key name = {64, {"", 0}, {"poison", 6}};
	struct workload *work = stage_begin(35);
	struct wb_record record;
	struct record *rotten;
	uint8_t buffer[2000];
	enum wb_error error;
	struct key key;
	uint64_t hash;

	if (!work_create(work) ||
	    wb_update(work->store, NULL, put_poison, NULL, NULL) ||
	    key_encode(&name, &key))
		return stage_end(work, complaint);
	hash = index_hash(work->store->index, key.bytes, key.size);
	index_remove(work->store->index, hash, key.bytes, key.size, &rotten);
	rotten->bytes[key.size + 99] ^= 4;
	if (index_put(work->store->index, hash, rotten, &rotten))
		abort();
	error = wb_get(work->store, &name, buffer, sizeof(buffer), &record);
	if (error != WB_CORRUPT)
		(void)complain_of(&work->context.complaint, check_loud,
				  "getting it: %s", wb_error_text(error));
	return stage_end(work, complaint);
}

/* ---- edited, and every checksum made right again ---- */

/* Change the last byte of a commit's payload, which is that of a value. */
static void edit(struct workload *work, uint64_t id,
		 const struct frame_place *place)
{
	uint8_t *bytes = sim_alloc(place->frame.frame_bytes);

	simdisk_get(work->disk, stage_path(id), bytes, place->frame.frame_bytes,
		    place->at);
	bytes[FRAME_HEADER_BYTES + place->frame.payload_bytes - 1] ^= 1;
	stage_reseal(work, id, place, bytes);
	free(bytes);
}

static enum wb_error put_value(void *context, struct wb_txn *txn)
{
	const struct wb_key key = {64, {"", 0}, {"edited", 6}};

	(void)context;
	return wb_txn_put(txn, &key, (struct wb_bytes){"value", 5},
			  (struct wb_precondition){.kind = WB_IF_ANY});
}

/* A commit whose payload ends with a value. */
static bool put(struct workload *work)
{
	enum wb_error error =
		wb_update(work->store, NULL, put_value, NULL, NULL);

	return !error || work_trouble(work, "a commit", error);
}

static void edit_last_commit(struct workload *work, uint64_t id)
{
	struct frame_place places[FRAMES_MAX];
	size_t count = stage_frames(work, id, places);

	stage_settle(work);
	edit(work, id, stage_last_commit(places, count));
}

bool fault_75_history_edited_before_a_cut_is_loud(struct complaint *complaint)
{
	struct workload *work = stage_begin(75);

	if (work_create(work) && put(work)) {
		stage_settle(work);
		/* Segment 1 is cut, 2 follows, and holds what the anchor
		 * remembers. */
		if (work_open(work, 0) == WB_OK && put(work) &&
		    wb_store_mark(work->store) == WB_OK) {
			stage_settle(work);
			edit_last_commit(work, 1);
			(void)stage_is_loud(work, "a commit before the cut");
		}
	}
	return stage_end(work, complaint);
}

bool fault_75_history_edited_before_the_anchor_is_loud(
	struct complaint *complaint)
{
	struct workload *work = stage_begin(76);

	if (work_create(work) && put(work) &&
	    wb_store_close(work->store) == WB_OK) {
		work->store = NULL;
		edit_last_commit(work, 1);
		(void)stage_is_loud(work, "a commit before the anchor");
	}
	return stage_end(work, complaint);
}

/* Power is cut when a segment is sealed and its successor not yet in place;
 * the anchor knows nothing of its commits. */
static void take_sealed(void *context, enum sim_op op, const char *name)
{
	const struct sim_crash nothing = {SIM_KEEP_NOTHING, 0};
	struct simdisk **disk = ((void **)context)[0];
	struct workload *work = ((void **)context)[1];

	(void)op;
	(void)name;
	if (!*disk)
		*disk = simdisk_crash(work->disk, nothing);
}

bool fault_75_history_edited_before_a_footer_is_loud(
	struct complaint *complaint)
{
	struct workload *work = stage_begin(77);
	struct simdisk *sealed = NULL;
	void *context[] = {&sealed, work};

	if (work_create(work)) {
		simdisk_observe(work->disk, SIM_RENAME, take_sealed, context);
		while (!sealed && put(work))
			;
		stage_settle(work);
		if (sealed) {
			simdisk_free(work->disk);
			work->disk = sealed;
			edit_last_commit(work, 1);
			(void)stage_is_loud(work, "a commit before a footer");
		}
	}
	return stage_end(work, complaint);
}

/* The last commit's revision is one too high, in its frame and in itself. */
bool a_gap_in_the_revisions_is_loud(struct complaint *complaint)
{
	struct frame_place places[FRAMES_MAX];
	struct workload *work = stage_begin(78);
	struct frame_place *last;
	struct commit commit;
	struct writer writer;
	uint8_t bytes[4096], changed[4096];
	size_t count;

	if (!work_create(work) || !put(work) || !put(work))
		return stage_end(work, complaint);
	stage_settle(work);
	count = stage_frames(work, 1, places);
	last = &places[count - 1];
	simdisk_get(work->disk, stage_path(1), bytes, last->frame.frame_bytes,
		    last->at);
	if (commit_decode(bytes + FRAME_HEADER_BYTES, last->frame.payload_bytes,
			  &commit))
		abort();
	commit.head.revision++;
	last->frame.revision++;
	/* In a copy, for the head points into what it was read from. Small
	 * numbers have one length. */
	memcpy(changed, bytes, sizeof(bytes));
	writer = writer_of(changed + FRAME_HEADER_BYTES,
			   commit_head_size(&commit.head));
	commit_head_write(&writer, &commit.head);
	stage_reseal(work, 1, last, changed);
	(void)stage_is_loud(work, "revision 3 behind revision 1");
	return stage_end(work, complaint);
}
