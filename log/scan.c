/* SPDX-License-Identifier: Apache-2.0
 *
 * A segment is read whole (64 MiB at most, but for one large transaction),
 * verified in a first pass and decoded in a second: whether its last frames
 * count is known only at the end of the first.
 */
#include "log/scan.h"

#include "base/poison.h"
#include "log/tail.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define ZERO_STEP	4096u
#define IMAGE_BYTES_MIN ((size_t)16 << 10)
#define HUGE_PAGE_BYTES ((size_t)2 << 20)

/* To a power of two: segments differ by a little, and fresh pages cost more
 * than what is read into them. */
static enum wb_error image_reserve(struct file_image *image, uint64_t size)
{
	uint64_t capacity = IMAGE_BYTES_MIN;
	bool huge;

	if (size <= image->capacity)
		return WB_OK;
	while (capacity < size)
		capacity *= 2;
	free(image->bytes);
	image->capacity = 0;
	/* A huge page is cleared whole: not for a store of some KiB. */
	huge = capacity >= HUGE_PAGE_BYTES;
	image->bytes = huge ? aligned_alloc(HUGE_PAGE_BYTES, capacity)
			    : malloc(capacity);
	if (!image->bytes)
		return WB_NO_MEMORY;
	if (huge)
		(void)madvise(image->bytes, capacity, MADV_HUGEPAGE);
	image->capacity = capacity;
	return WB_OK;
}

enum wb_error file_image_read(struct file_image *image, struct dir *dir,
			      const char *name, const struct diag *diag,
			      uint64_t proven)
{
	struct file *file;
	uint64_t size = 0;
	enum wb_error error;

	error = dir_open(dir, name, FILE_READ, &file);
	if (error)
		return error;
	if (proven != FILE_PROVEN) {
		error = file_sync(file, CONTROL_RECOVER_SYNC);
		if (!error)
			error = file_drop_cache(file, proven,
						CONTROL_RECOVER_DROP_CACHE);
	}
	if (!error)
		error = file_size(file, &size);
	if (!error && size > FILE_IMAGE_BYTES_MAX)
		error = diag_corrupt(diag, name, size,
				     "the file is too large for a segment");
	if (image->capacity)
		ASAN_UNPOISON_MEMORY_REGION(image->bytes, image->capacity);
	if (!error)
		error = image_reserve(image, size);
	image->size = 0;
	if (!error && size > 0)
		error = file_read(file, image->bytes, size, 0, &image->size);
	if (!error && image->capacity)
		ASAN_POISON_MEMORY_REGION(image->bytes + image->size,
					  image->capacity - image->size);
	file_close(file);
	return error;
}

void file_image_release(struct file_image *image)
{
	free(image->bytes);
	*image = (struct file_image){0};
}

static enum wb_error frame_at(const struct file_image *image, uint64_t salt,
			      uint64_t offset, struct frame *ret_frame)
{
	size_t size = image->size - offset;

#ifdef WAYBILL_PLANT_RECOVER
	/* A planted fault for the fuzzer: the offset is forgotten. */
	size = image->size;
#endif
	return frame_decode(image->bytes + offset, size, salt, offset,
			    ret_frame);
}

/* A frame begins a group, or is of the one that the frame before it is of. */
static bool group_is_right(const struct frame *frame, const struct scan *scan)
{
	bool begins = frame->durable_bytes == scan->end &&
		      frame->durable_revision == scan->head;
	bool goes_on = frame->type == FRAME_COMMIT &&
		       scan->last_type == FRAME_COMMIT &&
		       frame->durable_bytes == scan->last_durable_bytes &&
		       frame->durable_revision == scan->last_durable_revision;

	return begins || goes_on;
}

/* The rules that hold between a frame and what stands before it. */
static const char *rule_broken(const struct frame *frame,
			       const struct scan *scan)
{
	uint64_t head = scan->head;
	uint64_t expected = head + (frame->type == FRAME_COMMIT);

	if (frame->type == FRAME_RECORDS)
		return "records of a base in a log segment";
	if (frame->revision != expected && !control_off(CONTROL_REVISION_DENSE))
		return "its revision does not follow the one before";
	if (frame->durable_bytes > scan->end)
		return "it claims that bytes behind it were durable";
	if (frame->durable_revision > head)
		return "it claims that a later revision was durable";
	if (!group_is_right(frame, scan))
		return "what it says was durable is not what its group says";
	return NULL;
}

static enum wb_error take_footer(const struct frame *frame,
				 const struct segment_header *header,
				 struct scan *scan)
{
	bool fits;

	if (footer_decode(frame->payload, frame->payload_bytes, &scan->footer))
		return WB_CORRUPT;
	fits = scan->footer.commits ==
	       scan->head - (header->first_revision - 1);
	if (scan->footer.commits > 0 &&
	    scan->footer.first_revision != header->first_revision)
		fits = false;
	scan->footer_at = scan->end;
	scan->footer_payload = frame->payload;
	return fits ? WB_OK : WB_CORRUPT;
}

static enum wb_error take_commit(const struct frame *frame,
				 const struct scan_options *options,
				 bool chained, struct scan *scan)
{
	enum wb_error error = WB_OK;

	scan->head = frame->revision;
	if (!chained)
		return WB_OK;
	error = chain_next(options->chain,
			   (struct wb_bytes){frame->payload,
					     frame->payload_bytes},
			   scan->chain);
	if (!error && scan->head == options->chain_at) {
		scan->chain_at_seen = true;
		memcpy(scan->chain_at_value, scan->chain, CHAIN_BYTES);
	}
	return error;
}

static enum wb_error walk(const struct file_image *image,
			  const struct segment_header *header,
			  const struct scan_options *options, bool chained,
			  struct scan *scan)
{
	uint64_t limit = image->size;
	struct frame frame;
	const char *broken;
	enum wb_error error;

	if (options->stop_at && options->stop_at < limit)
		limit = options->stop_at;
	while (scan->end < limit && scan->last_type != FRAME_FOOTER) {
		error = frame_at(image, header->salt, scan->end, &frame);
		if (error == WB_CORRUPT &&
		    !frame_verifies(image->bytes + scan->end,
				    image->size - scan->end, header->salt,
				    scan->end))
			break;
		if (error == WB_CORRUPT)
			return diag_corrupt(options->diag, options->name,
					    scan->end,
					    "a frame whose checksum holds, of "
					    "type zero or with bytes that must "
					    "be zero");
		if (error)
			return error;
		broken = rule_broken(&frame, scan);
		if (broken)
			return diag_corrupt(options->diag, options->name,
					    scan->end, "%s", broken);
		if (frame.type == FRAME_COMMIT)
			error = take_commit(&frame, options, chained, scan);
		else if (frame.type == FRAME_FOOTER)
			error = take_footer(&frame, header, scan);
		if (error == WB_CORRUPT)
			return diag_corrupt(options->diag, options->name,
					    scan->end,
					    "the footer contradicts the "
					    "commits before it");
		if (error)
			return error;
		if (frame.durable_revision > scan->floor_revision)
			scan->floor_revision = frame.durable_revision;
		scan->last_type = (enum frame_type)frame.type;
		scan->last_durable_bytes = frame.durable_bytes;
		scan->last_durable_revision = frame.durable_revision;
		scan->frames++;
		scan->end += frame.frame_bytes;
		if (frame.type == FRAME_MARK || frame.type == FRAME_CLOSE)
			scan->marked = scan->end;
	}
	return WB_OK;
}

static void look_behind(const struct file_image *image, struct scan *scan)
{
	size_t at = image->size;

	while (at - scan->end >= ZERO_STEP &&
	       bytes_are_zero(image->bytes + at - ZERO_STEP, ZERO_STEP))
		at -= ZERO_STEP;
	while (at > scan->end && image->bytes[at - 1] == 0)
		at--;
	scan->debris_end = at;
	if (at > scan->end)
		scan->rest = SEEN_DEBRIS;
	else
		scan->rest =
			image->size > scan->end ? SEEN_ZEROS : SEEN_NOTHING;
}

/* Raise the floor by what frames behind the end say. Behind a footer there is
 * no frame. */
static enum wb_error raise_floor(const struct file_image *image, uint64_t salt,
				 struct scan *scan)
{
	struct tail tail = {
		.bytes = image->bytes,
		.size = image->size,
		.salt = salt,
		.end = scan->end,
		.head = scan->head,
		.debris_end = scan->debris_end,
		.in_group = scan->last_type == FRAME_COMMIT,
		.group_bytes = scan->last_durable_bytes,
		.group_revision = scan->last_durable_revision,
	};
	struct tail_proof proof;
	enum wb_error error;

	if (scan->last_type == FRAME_FOOTER)
		return WB_OK;
	error = tail_search(&tail, &proof);
	if (error)
		return error;
	if (proof.durable_bytes > scan->floor_bytes)
		scan->floor_bytes = proof.durable_bytes;
	if (proof.durable_revision > scan->floor_revision)
		scan->floor_revision = proof.durable_revision;
	scan->floor_unknown = proof.unknown;
	return WB_OK;
}

enum wb_error scan_segment(const struct file_image *image,
			   const struct segment_header *header,
			   const struct scan_options *options,
			   struct scan *ret_scan)
{
	bool chained = options->compute_chain || options->tail;
	enum wb_error error;
	struct scan scan;
	int pass;

	/* Hashing costs as much as all the rest; a sealed segment's footer
	 * holds the value, so hash only where there turns out to be none. */
	for (pass = 0;; pass++) {
		scan = (struct scan){
			.end = SEGMENT_FRAMES_AT,
			.head = header->first_revision - 1,
			.last_type = FRAME_NONE,
		};
		memcpy(scan.chain, header->previous_chain, CHAIN_BYTES);
		if (scan.head == options->chain_at) {
			scan.chain_at_seen = true;
			memcpy(scan.chain_at_value, scan.chain, CHAIN_BYTES);
		}
		error = walk(image, header, options, chained, &scan);
		if (error)
			return error;
		if (chained || scan.last_type == FRAME_FOOTER)
			break;
		chained = true;
	}
	if (scan.last_type == FRAME_FOOTER) {
		if (chained &&
		    memcmp(scan.chain, scan.footer.chain, CHAIN_BYTES) != 0 &&
		    !control_off(CONTROL_CHAIN_FOOTER))
			return diag_corrupt(options->diag, options->name,
					    scan.end,
					    "the footer's chain value is not "
					    "that of the commits");
		memcpy(scan.chain, scan.footer.chain, CHAIN_BYTES);
	}
	look_behind(image, &scan);
	if (options->tail)
		error = raise_floor(image, header->salt, &scan);
	if (!error)
		*ret_scan = scan;
	return error;
}

enum wb_error scan_commits(const struct file_image *image,
			   const struct scan *scan, const char *name,
			   const struct diag *diag, scan_commit_fn *visit,
			   void *context)
{
	uint64_t at = SEGMENT_FRAMES_AT;
	struct commit commit;
	struct frame frame;
	enum wb_error error;

	while (at < scan->end) {
		if (frame_parse(image->bytes + at, image->size - at, &frame))
			return diag_corrupt(diag, name, at,
					    "the frame changed while it was "
					    "read");
		if (frame.type == FRAME_COMMIT) {
			error = commit_decode(frame.payload,
					      frame.payload_bytes, &commit);
			if (error || commit.head.revision != frame.revision)
				return diag_corrupt(
					diag, name, at,
					"the frame of revision %" PRIu64
					" holds no valid commit",
					frame.revision);
			error = visit(context, &commit, at);
			if (error)
				return error;
		}
		at += frame.frame_bytes;
	}
	return WB_OK;
}
