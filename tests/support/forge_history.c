/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/forge_history.h"

#include "tests/support/forge.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

enum {
	FRAMES_AT = 8192,
	FRAME_HEADER = 48,
	TYPE_AT = 12,
	PAYLOAD_BYTES_AT = 20,
	REVISION_AT = 24,
	TYPE_COMMIT = 1,
	TYPE_FOOTER = 4,
	FOOTER_CHAIN_AT = 40,
	UUID_AT = 40,
	PREVIOUS_BYTES_AT = 120,
	PREVIOUS_CHAIN_AT = 144,
	SLOT_BYTES = 4096,
	SLOT_REVISION_AT = 64,
	SLOT_CHAIN_AT = 80,
	SEGMENTS_MAX = 64,
};

/* ---- segments and frames ---- */

struct segments {
	char paths[SEGMENTS_MAX][32];
	size_t count;
};

static bool take_segment(void *context, const char *path, uint64_t size)
{
	struct segments *segments = context;
	const char *end = strrchr(path, '.');

	(void)size;
	if (end && strcmp(end, ".log") == 0 && !strchr(path, '/')) {
		assert(segments->count < SEGMENTS_MAX);
		snprintf(segments->paths[segments->count++], 32, "%s", path);
	}
	return true;
}

static uint64_t number(struct simdisk *disk, const char *path, uint64_t at,
		       size_t size)
{
	uint8_t bytes[8] = {0};
	uint64_t value = 0;

	simdisk_get(disk, path, bytes, size, at);
	for (size_t i = sizeof(bytes); i > 0; i--)
		value = value << 8 | bytes[i - 1];
	return value;
}

/* Where the frames of segment `at` end: by the header behind it, or at the
 * first place where none begins. */
static uint64_t end_of(struct simdisk *disk, const struct segments *segments,
		       size_t at)
{
	const char *path = segments->paths[at];
	uint64_t frame = FRAMES_AT;
	char magic[4];

	if (at + 1 < segments->count)
		return number(disk, segments->paths[at + 1], PREVIOUS_BYTES_AT,
			      8);
	for (;; frame = forge_next(disk, path, frame)) {
		simdisk_get(disk, path, magic, sizeof(magic), frame + 8);
		if (memcmp(magic, "WBFR", 4) != 0)
			return frame;
	}
}

typedef void frame_fn(void *context, struct simdisk *disk, const char *path,
		      uint64_t frame, unsigned type, uint64_t revision);

static void each_frame(struct simdisk *disk, const struct segments *segments,
		       size_t at, frame_fn *visit, void *context)
{
	const char *path = segments->paths[at];
	uint64_t end = end_of(disk, segments, at);

	for (uint64_t frame = FRAMES_AT; frame < end;
	     frame = forge_next(disk, path, frame))
		visit(context, disk, path, frame,
		      (unsigned)number(disk, path, frame + TYPE_AT, 1),
		      number(disk, path, frame + REVISION_AT, 8));
}

/* ---- chain ---- */

static void digest(const void *a, size_t a_size, const void *b, size_t b_size,
		   uint8_t *ret_digest)
{
	EVP_MD_CTX *sha = EVP_MD_CTX_new();

	assert(sha);
	EVP_DigestInit_ex(sha, EVP_sha256(), NULL);
	EVP_DigestUpdate(sha, a, a_size);
	EVP_DigestUpdate(sha, b, b_size);
	EVP_DigestFinal_ex(sha, ret_digest, NULL);
	EVP_MD_CTX_free(sha);
}

static void extend(void *context, struct simdisk *disk, const char *path,
		   uint64_t frame, unsigned type, uint64_t revision)
{
	struct forged_chain *chain = context;
	size_t size;
	uint8_t *payload;

	if (type != TYPE_COMMIT)
		return;
	size = (size_t)number(disk, path, frame + PAYLOAD_BYTES_AT, 4);
	payload = malloc(size);
	assert(payload && revision == chain->head + 1);
	assert(revision < FORGE_REVISIONS_MAX);
	simdisk_get(disk, path, payload, size, frame + FRAME_HEADER);
	digest(chain->at[chain->head], FORGE_CHAIN_BYTES, payload, size,
	       chain->at[revision]);
	chain->head = revision;
	free(payload);
}

static void begin(struct simdisk *disk, struct segments *segments,
		  struct forged_chain *chain)
{
	static const char start[] = "waybill-chain-1";
	uint8_t uuid[16];

	segments->count = 0;
	simdisk_each(disk, take_segment, segments);
	assert(segments->count > 0);
	simdisk_get(disk, segments->paths[0], uuid, sizeof(uuid), UUID_AT);
	chain->head = 0;
	digest(start, sizeof(start) - 1, uuid, sizeof(uuid), chain->at[0]);
}

void forge_chain(struct simdisk *disk, struct forged_chain *ret_chain)
{
	struct segments segments;

	begin(disk, &segments, ret_chain);
	for (size_t at = 0; at < segments.count; at++)
		each_frame(disk, &segments, at, extend, ret_chain);
}

/* ---- forging ---- */

static void record(void *context, struct simdisk *disk, const char *path,
		   uint64_t frame, unsigned type, uint64_t revision)
{
	const struct forged_chain *chain = context;

	extend(context, disk, path, frame, type, revision);
	if (type == TYPE_FOOTER)
		forge_frame(disk, path, frame, FRAME_HEADER + FOOTER_CHAIN_AT,
			    chain->at[chain->head], FORGE_CHAIN_BYTES);
}

void forge_agreement(struct simdisk *disk)
{
	struct forged_chain *chain = malloc(sizeof(*chain));
	struct segments segments;

	assert(chain);
	begin(disk, &segments, chain);
	for (size_t at = 0; at < segments.count; at++) {
		forge_header(disk, segments.paths[at], PREVIOUS_CHAIN_AT,
			     chain->at[chain->head], FORGE_CHAIN_BYTES);
		each_frame(disk, &segments, at, record, chain);
	}
	for (unsigned slot = 0; slot < 2; slot++) {
		uint64_t revision =
			number(disk, "anchor",
			       slot * SLOT_BYTES + SLOT_REVISION_AT, 8);

		assert(revision <= chain->head);
		forge_copy(disk, "anchor", slot, SLOT_CHAIN_AT,
			   chain->at[revision], FORGE_CHAIN_BYTES);
	}
	free(chain);
}

struct edit {
	uint64_t revision;
	const char *from, *to;
	bool done;
};

static void edit_frame(void *context, struct simdisk *disk, const char *path,
		       uint64_t frame, unsigned type, uint64_t revision)
{
	struct edit *edit = context;
	size_t length = strlen(edit->from), size;
	uint8_t *payload, *found;

	if (type != TYPE_COMMIT || revision != edit->revision)
		return;
	size = (size_t)number(disk, path, frame + PAYLOAD_BYTES_AT, 4);
	payload = malloc(size);
	assert(payload && strlen(edit->to) == length);
	simdisk_get(disk, path, payload, size, frame + FRAME_HEADER);
	found = memmem(payload, size, edit->from, length);
	if (found) {
		forge_frame(disk, path, frame,
			    FRAME_HEADER + (uint64_t)(found - payload),
			    edit->to, length);
		edit->done = true;
	}
	free(payload);
}

bool forge_commit(struct simdisk *disk, uint64_t revision, const char *from,
		  const char *to)
{
	struct edit edit = {revision, from, to, false};
	struct segments segments = {.count = 0};

	simdisk_each(disk, take_segment, &segments);
	for (size_t at = 0; at < segments.count; at++)
		each_frame(disk, &segments, at, edit_frame, &edit);
	return edit.done;
}

bool forge_history(struct simdisk *disk, uint64_t revision, const char *from,
		   const char *to)
{
	if (!forge_commit(disk, revision, from, to))
		return false;
	forge_agreement(disk);
	return true;
}
