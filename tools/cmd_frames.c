/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/finding.h"
#include "audit/frames.h"

#include "base/posix.h"
#include "tools/bytes.h"
#include "tools/commands.h"
#include "tools/grid.h"
#include "tools/head.h"
#include "tools/image_json.h"
#include "tools/print.h"
#include "tools/session.h"
#include "tools/wording.h"

#include <stdio.h>
#include <string.h>

enum { CHANGES_SHOWN = 2 };

static const struct grid_column columns[] = {
	{.heading = "OFFSET", .right = true},
	{.heading = "BYTES", .right = true},
	{.heading = "WHAT"},
	{.heading = "REVISION", .right = true},
	{.heading = "DURABLE", .right = true},
	{.heading = "CHECKSUM"},
	{.heading = "CONTENT", .sentence = true},
	{.heading = NULL},
};

struct looking {
	struct session *session;
	const char *name;
	struct audit_frames_head head;
	bool headed;
	bool bad; /* something does not verify */
	struct grid grid;
};

/* ---- words ---- */

static const char *seen_name(enum audit_seen seen)
{
	static const char *const names[] = {
		[AUDIT_HOLDS] = "good",
		[AUDIT_FAILS] = "bad",
		[AUDIT_BREAKS] = "breaks a rule",
		[AUDIT_NEWER] = "newer version",
	};

	return names[seen];
}

static const char *salt_name(enum audit_salt salt)
{
	static const char *const names[] = {
		[AUDIT_SALT_HEADER] = "header",
		[AUDIT_SALT_GUESSED] = "guessed",
		[AUDIT_SALT_UNKNOWN] = "unknown",
	};

	return names[salt];
}

static const char *piece_name(const struct audit_piece *piece)
{
	static const char *const names[] = {
		[AUDIT_PIECE_FRAME] = "frame",
		[AUDIT_PIECE_DAMAGED] = "damaged",
		[AUDIT_PIECE_GARBAGE] = "garbage",
		[AUDIT_PIECE_ZEROS] = "zeros",
		[AUDIT_PIECE_UNREADABLE] = "unreadable",
	};

	return names[piece->kind];
}

static bool has_frame(const struct audit_piece *piece)
{
	return piece->kind == AUDIT_PIECE_FRAME ||
	       piece->kind == AUDIT_PIECE_DAMAGED;
}

static const char *checksum_of(const struct audit_piece *piece)
{
	if (!has_frame(piece))
		return "";
	return piece->kind == AUDIT_PIECE_FRAME ? "good" : "bad";
}

/* ---- a segment, as JSON ---- */

static json_t *header_json(const struct audit_header *header)
{
	json_t *json = json_object();

	json_field(&json, "uuid", hex_json(header->uuid, sizeof(header->uuid)));
	json_field(&json, "epoch", word_json(header->epoch));
	json_field(&json, "kind", number_json(header->kind));
	json_field(&json, "id", word_json(header->id));
	json_field(&json, "first_revision",
		   number_json(header->first_revision));
	json_field(&json, "previous_id", word_json(header->previous_id));
	json_field(&json, "previous_bytes",
		   number_json(header->previous_bytes));
	json_field(&json, "previous_revision",
		   number_json(header->previous_revision));
	json_field(&json, "created", time_json((int64_t)header->created_ns));
	return json;
}

static json_t *copies_json(const enum audit_seen seen[2])
{
	json_t *json = json_array();

	for (unsigned copy = 0; copy < 2; copy++)
		json_item(&json, json_string(seen_name(seen[copy])));
	return json;
}

static void segment_json(struct looking *looking)
{
	const struct audit_frames_head *head = &looking->head;
	json_t *json = json_object();

	json_field(&json, "file", text_json(looking->name));
	json_field(&json, "bytes", number_json(head->file_bytes));
	json_field(&json, "copies", copies_json(head->copies));
	json_field(&json, "salt", json_string(salt_name(head->salt_from)));
	json_field(&json, "header",
		   head->has_header ? header_json(&head->header) : json_null());
	output_json_as(&looking->session->output, "segment", json);
}

static json_t *mutations_json(const struct audit_commit *commit)
{
	json_t *json = json_array();

	for (size_t at = 0; at < commit->mutation_count; at++) {
		const struct audit_mutation *mutation = &commit->mutations[at];
		json_t *one = json_object();

		json_field(&one, "op",
			   json_string(mutation->deleted ? "delete" : "put"));
		json_field(&one, "kind", json_integer(mutation->key.kind));
		json_field(&one, "namespace", bytes_json(mutation->key.ns));
		json_field(&one, "name", bytes_json(mutation->key.name));
		json_field(&one, "value_bytes",
			   number_json(mutation->value.size));
		json_field(&one, "previous_revision",
			   number_json(mutation->previous_revision));
		json_item(&json, one);
	}
	return json;
}

static json_t *commit_json(const struct audit_commit *commit)
{
	json_t *json = json_object();
	json_t *actor = json_object();

	json_field(&actor, "uid", json_integer(commit->uid));
	json_field(&actor, "gid", json_integer(commit->gid));
	json_field(&actor, "pid", json_integer(commit->pid));
	json_field(&actor, "command", bytes_json(commit->command));
	json_field(&json, "time", time_json(commit->time_ns));
	json_field(&json, "actor", actor);
	json_field(&json, "reason", bytes_json(commit->reason));
	json_field(&json, "operation_id", bytes_json(commit->operation_id));
	json_field(&json, "mutations", mutations_json(commit));
	return json;
}

static void piece_json(struct session *session, const struct audit_piece *piece)
{
	const struct audit_frame *frame = &piece->frame;
	json_t *json = json_object();

	json_field(&json, "offset", number_json(piece->offset));
	json_field(&json, "bytes", number_json(piece->bytes));
	json_field(&json, "what", json_string(piece_name(piece)));
	if (has_frame(piece)) {
		json_field(&json, "type",
			   json_string(audit_frame_name(frame->type)));
		json_field(&json, "type_number", json_integer(frame->type));
		json_field(&json, "version", json_integer(frame->version));
		json_field(&json, "revision", number_json(frame->revision));
		json_field(&json, "durable_revision",
			   number_json(frame->durable_revision));
		json_field(&json, "durable_bytes",
			   number_json(frame->durable_bytes));
		json_field(&json, "payload_bytes",
			   json_integer(frame->payload_bytes));
		json_field(&json, "checksum", json_string(checksum_of(piece)));
		json_field(&json, "breaks", text_json(piece->why));
		json_field(&json, "commit",
			   piece->commit ? commit_json(piece->commit)
					 : json_null());
	}
	output_json_as(&session->output, "piece", json);
}

/* ---- a segment, for people ---- */

static void print_head(struct looking *looking)
{
	const struct audit_frames_head *head = &looking->head;
	const struct audit_header *header = &head->header;
	struct output *output = &looking->session->output;
	char line[160];

	print_field(output, "file", looking->name);
	print_number(output, "bytes", head->file_bytes);
	snprintf(line, sizeof(line), "%s, %s; salt: %s",
		 seen_name(head->copies[0]), seen_name(head->copies[1]),
		 salt_name(head->salt_from));
	print_field(output, "header", line);
	if (!head->has_header)
		return;
	print_hex(output, "store", header->uuid, sizeof(header->uuid));
	print_word(output, "epoch", header->epoch);
	snprintf(line, sizeof(line), "%016llx, from revision %llu",
		 (unsigned long long)header->id,
		 (unsigned long long)header->first_revision);
	print_field(output, "segment", line);
	if (header->previous_id == 0)
		return;
	snprintf(line, sizeof(line), "%016llx, which ends at byte %llu",
		 (unsigned long long)header->previous_id,
		 (unsigned long long)header->previous_bytes);
	print_field(output, "follows", line);
}

static void say_content(struct output *to, const struct audit_piece *piece)
{
	const struct audit_commit *commit = piece->commit;
	struct audit_footer footer;

	if (commit) {
		size_t count = commit->mutation_count;

		for (size_t at = 0; at < count && at < CHANGES_SHOWN; at++) {
			const struct audit_mutation *mutation =
				&commit->mutations[at];

			output_format(to, "%s%s ", at ? "; " : "",
				      mutation->deleted ? "delete" : "put");
			output_plain_key(to, &mutation->key);
		}
		if (count > CHANGES_SHOWN)
			output_format(to, "; and %zu more",
				      count - CHANGES_SHOWN);
	} else if (piece->kind == AUDIT_PIECE_FRAME &&
		   piece->frame.type == AUDIT_FOOTER &&
		   audit_footer_read(piece->payload.data, piece->payload.size,
				     &footer)) {
		output_format(to, "%llu commits, %llu changes",
			      (unsigned long long)footer.commits,
			      (unsigned long long)footer.entries);
	}
	if (*piece->why)
		output_format(to, "%s%s", commit ? "; " : "", piece->why);
	output_bytes(to, "", 1);
}

static void print_row(struct looking *looking, const struct audit_piece *piece)
{
	char offset[24], bytes[24], revision[24] = "", durable[24] = "";
	char what[40];
	struct output content;
	const char *cells[] = {offset,	 bytes,	  what,
			       revision, durable, checksum_of(piece),
			       ""};

	output_init(&content, -1);
	say_content(&content, piece);
	if (content.out_of_memory) {
		looking->session->output.out_of_memory = true;
		output_release(&content);
		return;
	}
	cells[6] = content.bytes;
	/* "COMMIT", "damaged COMMIT", "zeros" */
	snprintf(what, sizeof(what), "%s%s%s",
		 piece->kind == AUDIT_PIECE_FRAME ? "" : piece_name(piece),
		 piece->kind == AUDIT_PIECE_DAMAGED ? " " : "",
		 has_frame(piece) ? audit_frame_name(piece->frame.type) : "");
	snprintf(offset, sizeof(offset), "%llu",
		 (unsigned long long)piece->offset);
	snprintf(bytes, sizeof(bytes), "%llu",
		 (unsigned long long)piece->bytes);
	if (has_frame(piece)) {
		snprintf(revision, sizeof(revision), "%llu",
			 (unsigned long long)piece->frame.revision);
		snprintf(durable, sizeof(durable), "%llu",
			 (unsigned long long)piece->frame.durable_revision);
	}
	grid_row(&looking->grid, cells);
	output_release(&content);
}

/* ---- a segment ---- */

static void tell_head(struct looking *looking)
{
	struct session *session = looking->session;

	looking->headed = true;
	for (unsigned copy = 0; copy < 2; copy++)
		if (looking->head.copies[copy] == AUDIT_FAILS ||
		    looking->head.copies[copy] == AUDIT_BREAKS)
			looking->bad = true;
	if (session->json) {
		segment_json(looking);
	} else if (!session->quiet) {
		print_head(looking);
		grid_begin(&looking->grid, &session->output, columns);
	}
}

static bool take_piece(void *context, const struct audit_piece *piece)
{
	struct looking *looking = context;
	struct session *session = looking->session;

	if (!looking->headed)
		tell_head(looking);
	if (piece->kind == AUDIT_PIECE_DAMAGED ||
	    piece->kind == AUDIT_PIECE_GARBAGE ||
	    piece->kind == AUDIT_PIECE_UNREADABLE || *piece->why)
		looking->bad = true;
	if (session->json)
		piece_json(session, piece);
	else if (session->quiet)
		output_format(&session->output, "%llu%c",
			      (unsigned long long)piece->offset,
			      session->line_end);
	else
		print_row(looking, piece);
	return session->output.error_number == 0;
}

static enum wb_error tell_segment(struct looking *looking, struct dir *dir)
{
	enum wb_error error = audit_frames(dir, looking->name, &looking->head,
					   take_piece, looking);

	if (!error && !looking->headed)
		tell_head(looking);
	if (looking->headed && !looking->session->json &&
	    !looking->session->quiet)
		grid_end(&looking->grid);
	return error;
}

/* ---- the anchor ---- */

static json_t *slot_json(const struct audit_slot *slot)
{
	json_t *json = json_object();

	json_field(&json, "sequence", number_json(slot->sequence));
	json_field(&json, "uuid", hex_json(slot->uuid, sizeof(slot->uuid)));
	json_field(&json, "epoch", word_json(slot->epoch));
	json_field(&json, "active_id", word_json(slot->active_id));
	json_field(&json, "durable_revision",
		   number_json(slot->durable_revision));
	json_field(&json, "durable_bytes", number_json(slot->durable_bytes));
	json_field(&json, "chain", hex_json(slot->chain, sizeof(slot->chain)));
	json_field(&json, "written", time_json((int64_t)slot->written_ns));
	return json;
}

static void print_slot(struct output *output, unsigned number,
		       const struct audit_anchor_look *look)
{
	const struct audit_slot *slot = &look->slots[number];
	char line[200];

	snprintf(line, sizeof(line), "%s%s%s", seen_name(look->seen[number]),
		 *look->why[number] ? ": " : "", look->why[number]);
	output_format(output, "slot %u       %s\n", number, line);
	if (look->seen[number] != AUDIT_HOLDS)
		return;
	print_hex(output, "  store", slot->uuid, sizeof(slot->uuid));
	print_word(output, "  epoch", slot->epoch);
	print_number(output, "  sequence", slot->sequence);
	snprintf(line, sizeof(line),
		 "revision %llu, byte %llu of segment %016llx",
		 (unsigned long long)slot->durable_revision,
		 (unsigned long long)slot->durable_bytes,
		 (unsigned long long)slot->active_id);
	print_field(output, "  durable", line);
	print_time(output, "  written", (int64_t)slot->written_ns);
}

static enum wb_error tell_anchor(struct looking *looking, struct dir *dir)
{
	struct session *session = looking->session;
	struct audit_anchor_look look;
	enum wb_error error = audit_anchor_look(dir, looking->name, &look);
	json_t *json;

	if (error)
		return error;
	looking->bad = look.file_bytes != AUDIT_ANCHOR_BYTES;
	if (!session->json && !session->quiet) {
		print_field(&session->output, "file", looking->name);
		print_number(&session->output, "bytes", look.file_bytes);
	}
	for (unsigned slot = 0; slot < 2; slot++) {
		if (look.seen[slot] != AUDIT_HOLDS &&
		    look.seen[slot] != AUDIT_NEWER)
			looking->bad = true;
		if (session->json) {
			json = look.seen[slot] == AUDIT_HOLDS
				       ? slot_json(&look.slots[slot])
				       : json_object();
			json_field(&json, "slot", json_integer(slot));
			json_field(&json, "checksum",
				   json_string(seen_name(look.seen[slot])));
			output_json_as(&session->output, "anchor", json);
		} else if (!session->quiet) {
			print_slot(&session->output, slot, &look);
		} else {
			output_format(&session->output, "%u%c",
				      slot * (unsigned)AUDIT_COPY_BYTES,
				      session->line_end);
		}
	}
	return WB_OK;
}

/* ---- the command ---- */

/* A name alone is one in the store's directory; else it is a path. */
static enum wb_error find_file(struct session *session, const char **ret_folder,
			       const char **ret_name)
{
	const char *operand = session->arguments.operands[0];
	const char *slash = strrchr(operand, '/');

	if (!slash && session->address.kind == ADDRESS_SOCKET)
		return fail(&session->text, WB_USAGE,
			    "frames reads a file: give its path, or --store "
			    "dir:PATH");
	*ret_folder = session->address.path;
	*ret_name = operand;
	if (!slash)
		return WB_OK;
	*ret_name = slash + 1;
	*ret_folder = slash == operand
			      ? "/"
			      : scratch_copy(&session->scratch, operand,
					     (size_t)(slash - operand));
	if (!*ret_folder)
		return fail(&session->text, WB_NO_MEMORY, "out of memory");
	return WB_OK;
}

static enum wb_error run_frames(struct session *session)
{
	struct looking looking = {.session = session};
	const char *folder;
	struct dir *dir;
	enum wb_error error = find_file(session, &folder, &looking.name);

	if (!error)
		error = posix_dir_open(folder, POSIX_DIR_ANY_FILESYSTEM, NULL,
				       &dir, NULL, &session->text);
	if (error)
		return error;
	if (strncmp(looking.name, "anchor", 6) == 0)
		error = tell_anchor(&looking, dir);
	else
		error = tell_segment(&looking, dir);
	dir_close(dir);
	if (error)
		return fail(&session->text, error, "%s/%s: %s", folder,
			    looking.name, audit_why(looking.name, error));
	/* The answer has said what. */
	session->answered_no = looking.bad;
	return looking.bad ? WB_CORRUPT : WB_OK;
}

const struct command command_frames = {
	.name = "frames",
	.operands = "FILE",
	.summary = "Print every frame of a file, also of a damaged one",
	.details =
		"FILE is a segment or the anchor: a name in the store's "
		"directory, or, with a\nslash in it, a path. No lock is taken, "
		"and nothing is judged: behind the end of\na log an unfinished "
		"write looks like damage. -q prints offsets.\n"
		"\n"
		"--json prints one object a line: {\"segment\":…} and "
		"{\"piece\":…} each, or two\n{\"anchor\":…}.\n"
		"\n"
		"Exit status 6: something in it does not verify.",
	.operands_min = 1,
	.operands_max = 1,
	.without_names = true,
	.run = run_frames,
};
