/* SPDX-License-Identifier: Apache-2.0
 *
 * Each step reads what it needs again and decides for itself; the findings
 * only say where to look. A step never writes over the only copy that
 * verifies: a copy or a slot is written while the other one stands, a whole
 * anchor is made aside and moved into place. So a crash, at any write, leaves
 * what was there before, or what should be there.
 *
 * Discarded: copying the good slot of an anchor over the bad one. The good one
 * may be one segment behind, which is legal only beside a bad one; the copy
 * would make a store that opens into one that does not.
 */
#include "repair/repair.h"

#include "base/array.h"
#include "log/anchor.h"
#include "log/segment.h"
#include "repair/check.h"
#include "store/store.h"
#include "store/veil.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- what was found ---- */

void found_add(struct found_list *list, const struct audit_finding *finding)
{
	struct found_item *item;

	if (!array_grow(&list->items, &list->capacity, list->count + 1,
			sizeof(*list->items))) {
		list->error = WB_NO_MEMORY;
		return;
	}
	item = &list->items[list->count++];
	*item = (struct found_item){
		.rule = finding->rule,
		.severity = finding->severity,
		.remedy = finding->remedy,
		.offset = finding->offset,
	};
	snprintf(item->file, sizeof(item->file), "%s", finding->file);
}

void found_release(struct found_list *list)
{
	free(list->items);
	*list = (struct found_list){.items = NULL};
}

const struct found_item *found_find(const struct found_list *list,
				    const struct found_item *item)
{
	for (size_t at = 0; at < list->count; at++) {
		const struct found_item *other = &list->items[at];

		if (other->rule == item->rule &&
		    other->offset == item->offset &&
		    strcmp(other->file, item->file) == 0)
			return other;
	}
	return NULL;
}

static bool has_rule(const struct found_list *found, enum audit_rule rule)
{
	for (size_t at = 0; at < found->count; at++)
		if (found->items[at].rule == rule)
			return true;
	return false;
}

/* Of what an open refuses, only what can be rebuilt? */
static bool is_sound_but_for(const struct found_list *found,
			     enum audit_remedy remedy)
{
	for (size_t at = 0; at < found->count; at++) {
		const struct found_item *item = &found->items[at];

		if (item->severity >= AUDIT_UNSUPPORTED &&
		    item->remedy != remedy)
			return false;
	}
	return true;
}

static bool is_sound(const struct found_list *found)
{
	return is_sound_but_for(found, AUDIT_LEAVE);
}

bool repair_is_of_use(const struct found_list *found)
{
	for (size_t at = 0; at < found->count; at++)
		if (found->items[at].remedy == AUDIT_OPEN ||
		    found->items[at].remedy == AUDIT_REPAIR ||
		    found->items[at].remedy == AUDIT_REBUILD ||
		    found->items[at].rule == AUDIT_RULE_TEMPORARY)
			return true;
	return false;
}

static void ignore_finding(void *context, const struct audit_finding *finding,
			   const struct wb_finding_name *names, size_t count,
			   uint64_t more)
{
	(void)names;
	(void)count;
	(void)more;
	found_add(context, finding);
}

/* What is the matter now. */
static enum wb_error look_again(struct dir *dir,
				const struct wb_fsck_options *options,
				struct found_list *ret_found,
				struct audit_summary *ret_log)
{
	struct found_list found = {.items = NULL};
	struct fsck_visitor visitor = {.finding = ignore_finding,
				       .context = &found,
				       .stop = options->stop,
				       .stop_context = options->stop_context};
	struct fsck_summary summary;
	enum wb_error error = audit_fsck(dir, &visitor, &summary);

	if (!error)
		error = found.error;
	if (error) {
		found_release(&found);
		return error;
	}
	*ret_found = found;
	*ret_log = summary.log;
	return WB_OK;
}

/* ---- headers ---- */

/* Nothing says that this file is another one's. */
static bool header_is_its_own(const struct found_list *found, const char *file)
{
	for (size_t at = 0; at < found->count; at++) {
		const struct found_item *item = &found->items[at];

		if (strcmp(item->file, file) == 0 &&
		    (item->rule == AUDIT_RULE_SEGMENT_NAME ||
		     item->rule == AUDIT_RULE_SEGMENT_STORE ||
		     item->rule == AUDIT_RULE_UNREADABLE))
			return false;
	}
	return true;
}

static enum wb_error rewrite_copy(struct file *file)
{
	uint8_t bytes[SEGMENT_FRAMES_AT], again[SEGMENT_HEADER_BYTES];
	struct segment_header headers[SEGMENT_HEADER_COPIES];
	enum wb_error error, seen[SEGMENT_HEADER_COPIES];
	unsigned bad;
	size_t size;

	error = file_read(file, bytes, sizeof(bytes), 0, &size);
	if (error || size < sizeof(bytes))
		return error;
	for (unsigned copy = 0; copy < SEGMENT_HEADER_COPIES; copy++)
		seen[copy] = segment_header_decode(
			bytes + copy * SEGMENT_HEADER_BYTES, copy,
			&headers[copy]);
	bad = seen[0] == WB_CORRUPT ? 0 : 1;
	if (seen[bad] != WB_CORRUPT || seen[1 - bad] != WB_OK)
		return WB_OK;
	segment_header_encode(&headers[1 - bad], bad, again);
	/* All but the checksum is the other copy's, to the byte. */
	if (memcmp(again + 8, bytes + (1 - bad) * SEGMENT_HEADER_BYTES + 8,
		   sizeof(again) - 8) != 0)
		return WB_OK;
	error = file_write(file, again, sizeof(again),
			   (uint64_t)bad * SEGMENT_HEADER_BYTES);
	return error ? error : file_sync(file, CONTROL_REPAIR_HEADER_SYNC);
}

static enum wb_error repair_headers(struct dir *dir,
				    const struct found_list *found,
				    const struct wb_fsck_options *options)
{
	for (size_t at = 0; at < found->count; at++) {
		const struct found_item *item = &found->items[at];
		struct file *file;
		enum wb_error error;

		if (item->rule != AUDIT_RULE_HEADER_COPY ||
		    !header_is_its_own(found, item->file))
			continue;
		error = check_stop(options);
		if (!error)
			error = dir_open(dir, item->file, FILE_WRITE, &file);
		if (error)
			return error;
		error = rewrite_copy(file);
		file_close(file);
		if (error)
			return error;
	}
	return WB_OK;
}

/* ---- the anchor ---- */

static void anchor_from(struct anchor *anchor, const struct env *env,
			const struct audit_summary *log)
{
	memcpy(anchor->uuid, log->uuid, UUID_BYTES);
	anchor->epoch = log->epoch;
	anchor->active_id = log->active_id;
	anchor->durable_revision = log->head;
	anchor->durable_bytes = log->end;
	memcpy(anchor->chain, log->chain, CHAIN_BYTES);
	anchor->written_ns = env_wall_ns(env);
}

/* What recovery does before it builds on the newest segment: what the page
 * cache shows, and a name that is seen, may never reach the disk. Then look
 * again. */
static enum wb_error prove_newest(struct dir *dir, uint64_t id,
				  const struct wb_fsck_options *options,
				  struct found_list *ret_found,
				  struct audit_summary *ret_log)
{
	char name[SEGMENT_NAME_SIZE];
	struct file *file;
	enum wb_error error = dir_sync(dir, "", CONTROL_REPAIR_DIR_SYNC);

	segment_name(id, SEGMENT_LOG, name);
	if (!error)
		error = dir_open(dir, name, FILE_READ, &file);
	if (error)
		return error;
	error = file_sync(file, CONTROL_REPAIR_LOG_SYNC);
	if (!error)
		error = file_drop_cache(file, 0, CONTROL_REPAIR_LOG_DROP_CACHE);
	file_close(file);
	return error ? error : look_again(dir, options, ret_found, ret_log);
}

/* Something of it was cut off and kept: it had a successor. */
static bool was_cut(const struct found_list *found, uint64_t id)
{
	char prefix[32];

	snprintf(prefix, sizeof(prefix), "torn/%016" PRIx64 "-", id);
	for (size_t at = 0; at < found->count; at++)
		if (strncmp(found->items[at].file, prefix, strlen(prefix)) == 0)
			return true;
	return false;
}

static bool is_proven(const struct found_list *found,
		      const struct audit_summary *log)
{
	return control_off(CONTROL_REPAIR_PROOF) ||
	       (is_sound_but_for(found, AUDIT_REBUILD) && log->end_proven &&
		!was_cut(found, log->active_id));
}

static enum wb_error rebuild_anchor(struct dir *dir, const struct env *env,
				    const struct wb_fsck_options *options)
{
	struct anchor anchor = {.sequence = 1};
	struct found_list found = {.items = NULL};
	struct audit_summary log;
	enum wb_error error = look_again(dir, options, &found, &log);
	bool proven = !error && is_proven(&found, &log);

	found_release(&found);
	if (error || !proven)
		return error;
	error = prove_newest(dir, log.active_id, options, &found, &log);
	proven = !error && is_proven(&found, &log);
	found_release(&found);
	if (error || !proven)
		return error;
	anchor_from(&anchor, env, &log);
	error = dir_make(dir, "tmp");
	return error ? error : anchor_create(dir, &anchor);
}

static bool slot_is_due(const struct found_list *found)
{
	return is_sound(found) && (has_rule(found, AUDIT_RULE_ANCHOR_SLOT) ||
				   has_rule(found, AUDIT_RULE_ANCHOR_BEHIND));
}

/* The bad slot, or the older one: with what the log says of its end. */
static enum wb_error write_slot(struct dir *dir, const struct env *env,
				const struct audit_summary *log)
{
	struct anchor anchor;
	struct file *file;
	bool slot_bad;
	enum wb_error error = anchor_read(dir, NULL, &anchor, &slot_bad);

	if (!error)
		error = dir_open(dir, ANCHOR_NAME, FILE_WRITE, &file);
	if (error)
		return error;
	anchor_from(&anchor, env, log);
	error = anchor_write(file, &anchor);
	file_close(file);
	return error == WB_OUTCOME_UNKNOWN ? WB_IO : error;
}

/* Before an open starts another segment: an anchor may be one behind beside a
 * bad slot, and not two. */
static enum wb_error rewrite_slot(struct dir *dir, const struct env *env,
				  const struct wb_fsck_options *options)
{
	struct found_list found = {.items = NULL};
	struct audit_summary log;
	enum wb_error error = look_again(dir, options, &found, &log);
	bool due = !error && slot_is_due(&found);

	found_release(&found);
	if (error || !due)
		return error;
	error = prove_newest(dir, log.active_id, options, &found, &log);
	due = !error && slot_is_due(&found);
	found_release(&found);
	return error || !due ? error : write_slot(dir, env, &log);
}

/* ---- the rest ---- */

static enum wb_error remove_temporary(struct dir *dir,
				      const struct found_list *found,
				      const struct wb_fsck_options *options)
{
	for (size_t at = 0; at < found->count; at++) {
		const struct found_item *item = &found->items[at];
		enum wb_error error;

		if (item->rule != AUDIT_RULE_TEMPORARY)
			continue;
		error = check_stop(options);
		if (!error)
			error = dir_remove(dir, item->file);
		if (error && error != WB_NOT_FOUND)
			return error;
	}
	return WB_OK;
}

static bool needs_open(const struct found_list *found)
{
	return has_rule(found, AUDIT_RULE_TORN) ||
	       has_rule(found, AUDIT_RULE_DEBRIS);
}

static enum wb_error open_and_close(struct dir *dir, const struct env *env,
				    const struct wb_fsck_options *options)
{
	struct wb_open_options open = {
		.size = sizeof(open),
		.report = options->report,
		.report_context = options->report_context,
	};
	struct wb_store *store;
	struct veil veil;
	enum wb_error error = check_stop(options);

	if (error)
		return error;
	veil_init(&veil, dir, NULL);
	error = store_open_on(&veil.dir, env, &open, &store, NULL);
	return error ? error : wb_store_close(store);
}

enum wb_error repair_run(struct dir *dir, const struct env *env,
			 const struct found_list *found,
			 const struct wb_fsck_options *options)
{
	bool rebuild = false;
	enum wb_error error = repair_headers(dir, found, options);

	for (size_t at = 0; at < found->count; at++)
		rebuild = rebuild || found->items[at].remedy == AUDIT_REBUILD ||
			  (control_off(CONTROL_REPAIR_PROOF) &&
			   found->items[at].rule == AUDIT_RULE_ANCHOR_MISSING);
	if (error || (!rebuild && !is_sound(found)))
		return error;
	if (rebuild)
		return rebuild_anchor(dir, env, options);
	error = remove_temporary(dir, found, options);
	if (!error && slot_is_due(found))
		error = rewrite_slot(dir, env, options);
	if (!error && needs_open(found))
		error = open_and_close(dir, env, options);
	return error;
}
