/* SPDX-License-Identifier: Apache-2.0
 *
 * Walking the frames of one segment that was read into memory.
 */
#ifndef WAYBILL_LOG_SCAN_H
#define WAYBILL_LOG_SCAN_H

#include "base/diag.h"
#include "base/file.h"
#include "log/chain.h"
#include "log/commit.h"
#include "log/frame.h"
#include "log/segment.h"
#include "log/verdict.h"

/* A file's bytes. One image serves all segments of an open: its memory only
 * grows, so the pages are touched once. Begin zeroed; release at the end. */
struct file_image {
	uint8_t *bytes;
	size_t size;
	size_t capacity;
};

/* Bytes past which a segment file is not one: nothing is allocated for it. */
#define FILE_IMAGE_BYTES_MAX (UINT64_C(512) << 20)

/* Read all of `name`. What lies behind its first `proven` bytes may have been
 * written and never synced: it is fsynced and dropped from the page cache
 * first. FILE_PROVEN: nothing is. */
#define FILE_PROVEN UINT64_MAX
enum wb_error file_image_read(struct file_image *image, struct dir *dir,
			      const char *name, const struct diag *diag,
			      uint64_t proven);
void file_image_release(struct file_image *image);

struct scan {
	uint64_t end;	 /* where the verifying frames end */
	uint64_t head;	 /* the newest revision there */
	uint64_t frames; /* how many */
	uint64_t marked; /* where the last MARK or CLOSE ends; 0: none */
	enum frame_type last_type;
	uint64_t last_durable_bytes, last_durable_revision; /* of that frame */
	enum seen_rest rest;
	uint64_t debris_end; /* behind the last byte that is not zero */
	/* What is known to have been durable, by the frames in front of `end`
	 * and, with `tail`, by those behind it. */
	uint64_t floor_bytes;
	uint64_t floor_revision;
	bool floor_unknown; /* what is behind `end` was not all looked at */
	uint8_t chain[CHAIN_BYTES]; /* at `end`; a sealed one's own word */
	/* The chain value at revision `chain_at`, where it was passed. */
	bool chain_at_seen;
	uint8_t chain_at_value[CHAIN_BYTES];
	struct footer footer; /* where last_type is FRAME_FOOTER */
	uint64_t footer_at;
	const uint8_t *footer_payload; /* in the image */
};

struct scan_options {
	const char *name; /* of the file, for reports */
	const struct diag *diag;
	struct chain *chain;
	uint64_t stop_at;   /* a cut: nothing behind it is looked at; 0: none */
	uint64_t chain_at;  /* report the chain value at this revision */
	bool tail;	    /* the newest segment: look for the floor */
	bool compute_chain; /* else only where there is no footer */
};

/* Walk the frames of `image` under `header`. WB_OK also where it ends early:
 * what that means is verdict_of's to say. WB_CORRUPT (reported): a frame
 * verifies and breaks a rule. WB_UNSUPPORTED, WB_NO_MEMORY. */
enum wb_error scan_segment(const struct file_image *image,
			   const struct segment_header *header,
			   const struct scan_options *options,
			   struct scan *ret_scan);

/* Decode each commit of a scanned image in order, up to `scan->end`. An error
 * of the callback ends it and is returned. */
typedef enum wb_error scan_commit_fn(void *context, const struct commit *commit,
				     uint64_t offset);
enum wb_error scan_commits(const struct file_image *image,
			   const struct scan *scan, const char *name,
			   const struct diag *diag, scan_commit_fn *visit,
			   void *context);

#endif
