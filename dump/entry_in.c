/* SPDX-License-Identifier: Apache-2.0
 *
 * A line is read in two steps: first every field that a line, a target or an
 * actor may have, by one table and into one slot each; then what the line's
 * type makes of them. So fields may come in any order, and the type need not
 * be the first.
 */
#include "base/array.h"
#include "base/calendar.h"
#include "dump/base64.h"
#include "dump/entry.h"
#include "dump/json_in.h"
#include "images/image.h"
#include "images/sentence.h"
#include "images/validate.h"

#include <stdlib.h>
#include <string.h>

#define FORMAT_NAME    "waybill-dump"
#define FORMAT_VERSION 1

/* Kinds of a store's own records that are about its files, docs/FORMAT.md. */
#define KIND_BASE	 192
#define KIND_ATTESTATION 193

/* ---- the fields ---- */

enum form {
	FORM_TEXT,
	FORM_BASE64,
	FORM_NUMBER,
	FORM_TIME,
	FORM_LABELS,
	FORM_TARGET, /* an object of the fields of its own scope */
	FORM_ACTOR,
};
enum scope { SCOPE_LINE, SCOPE_TARGET, SCOPE_ACTOR };

/* Id, name, scope, form. */
/* clang-format off */
#define FIELD_LIST(X)                                    \
	X(TYPE, "type", LINE, TEXT)                      \
	X(NAMESPACE, "namespace", LINE, TEXT)            \
	X(NAME, "name", LINE, TEXT)                      \
	X(TARGET, "target", LINE, TARGET)                \
	X(MEDIA_TYPE, "mediaType", TARGET, TEXT)         \
	X(DIGEST, "digest", TARGET, TEXT)                \
	X(SIZE, "size", TARGET, NUMBER)                  \
	X(ANNOTATIONS, "annotations", TARGET, LABELS)    \
	X(LABELS, "labels", LINE, LABELS)                \
	X(CREATED, "created_at", LINE, TIME)             \
	X(UPDATED, "updated_at", LINE, TIME)             \
	X(KIND, "kind", LINE, NUMBER)                    \
	X(VALUE, "value", LINE, BASE64)                  \
	X(NAMESPACE64, "namespace64", LINE, BASE64)      \
	X(NAME64, "name64", LINE, BASE64)                \
	X(REVISION, "revision", LINE, NUMBER)            \
	X(TIME, "time", LINE, TIME)                      \
	X(ACTOR, "actor", LINE, ACTOR)                   \
	X(UID, "uid", ACTOR, NUMBER)                     \
	X(GID, "gid", ACTOR, NUMBER)                     \
	X(PID, "pid", ACTOR, NUMBER)                     \
	X(COMMAND, "command", ACTOR, TEXT)               \
	X(COMMAND64, "command64", ACTOR, BASE64)         \
	X(REASON, "reason", LINE, TEXT)                  \
	X(REASON64, "reason64", LINE, BASE64)            \
	X(OPERATION_NS, "operation_namespace", LINE, TEXT)       \
	X(OPERATION_NS64, "operation_namespace64", LINE, BASE64) \
	X(OPERATION_ID, "operation_id", LINE, TEXT)              \
	X(OPERATION_ID64, "operation_id64", LINE, BASE64)        \
	X(REQUEST_HASH, "request_hash", LINE, TEXT)      \
	X(CHANGES, "changes", LINE, NUMBER)              \
	X(LINES, "count", LINE, NUMBER)                  \
	X(SHA256, "sha256", LINE, TEXT)                  \
	X(FORMAT, "format", LINE, TEXT)                  \
	X(VERSION, "version", LINE, NUMBER)              \
	X(CONTENT, "content", LINE, TEXT)                \
	X(UUID, "uuid", LINE, TEXT)
/* clang-format on */

enum field {
#define FIELD_ENUM(id, name, scope, form) FIELD_##id,
	FIELD_LIST(FIELD_ENUM)
#undef FIELD_ENUM
		FIELD_COUNT,
};
_Static_assert(FIELD_COUNT <= 64, "a set of fields is 64 bits");

static const struct {
	const char *name;
	size_t size;
	enum scope scope;
	enum form form;
} fields[] = {
#define FIELD_ROW(id, name, scope, form) \
	{name, sizeof(name) - 1, SCOPE_##scope, FORM_##form},
	FIELD_LIST(FIELD_ROW)
#undef FIELD_ROW
};

#define BIT(id) (UINT64_C(1) << FIELD_##id)

struct slot {
	struct wb_bytes text; /* TEXT, BASE64: decoded */
	int64_t number;	      /* NUMBER, TIME */
	size_t first, count;  /* LABELS: in the reader's */
};

struct reading {
	struct entry_reader *reader;
	struct json_in in;
	uint64_t seen; /* which fields */
	struct slot slots[FIELD_COUNT];
	struct wb_text *text;
};

static enum wb_error bad(const struct reading *reading, const char *format,
			 const char *name)
{
	return answer(reading->text, WB_BAD_INPUT, format, name);
}

/* ---- labels ---- */

void entry_reader_release(struct entry_reader *reader)
{
	free(reader->labels);
	*reader = (struct entry_reader){.labels = NULL};
}

static struct wb_label *add_label(struct entry_reader *reader)
{
	return array_grow(&reader->labels, &reader->capacity, reader->count + 1,
			  sizeof(*reader->labels))
		       ? &reader->labels[reader->count++]
		       : NULL;
}

static int by_key(const void *a, const void *b)
{
	const struct wb_label *left = a, *right = b;

	return strcmp(left->key, right->key);
}

/* In order, as a dump has them, they need not be sorted. */
static enum wb_error sort_labels(const struct reading *reading,
				 const struct slot *slot)
{
	struct wb_label *labels = reading->reader->labels + slot->first;
	bool sorted = true;

	for (size_t i = 1; i < slot->count && sorted; i++)
		sorted = strcmp(labels[i - 1].key, labels[i].key) < 0;
	if (sorted)
		return WB_OK;
	qsort(labels, slot->count, sizeof(*labels), by_key);
	for (size_t i = 1; i < slot->count; i++)
		if (strcmp(labels[i - 1].key, labels[i].key) == 0)
			return bad(reading, "label %q: twice", labels[i].key);
	return WB_OK;
}

static bool has_zero(struct wb_bytes text)
{
	return strlen(text.data) != text.size;
}

static enum wb_error read_labels(struct reading *reading, struct slot *slot)
{
	struct json_in *in = &reading->in;
	struct wb_bytes key;

	slot->first = reading->reader->count;
	json_in_object(in);
	while (json_in_key(in, &key)) {
		struct wb_bytes value = json_in_string(in);
		struct wb_label *label = add_label(reading->reader);

		if (!label)
			return answer(reading->text, WB_NO_MEMORY,
				      "out of memory");
		if (has_zero(key) || has_zero(value))
			return bad(reading, "label %q: holds a zero byte",
				   key.data);
		if (!in->problem && value.size == 0)
			return bad(reading, "label %q: has no value", key.data);
		*label = (struct wb_label){key.data, value.data};
	}
	slot->count = reading->reader->count - slot->first;
	return in->problem ? WB_OK : sort_labels(reading, slot);
}

/* ---- reading the fields ---- */

static enum wb_error read_fields(struct reading *reading, enum scope scope);

static enum wb_error read_base64(struct reading *reading, const char *name,
				 struct slot *slot)
{
	struct wb_bytes text = json_in_string(&reading->in);
	size_t size;

	if (reading->in.problem)
		return WB_OK;
	if (!base64_decode((char *)text.data, text.size, &size))
		return bad(reading, "\"%s\" is not base64", name);
	slot->text = (struct wb_bytes){text.data, size};
	return WB_OK;
}

static enum wb_error read_time(struct reading *reading, const char *name,
			       struct slot *slot)
{
	struct wb_bytes text = json_in_string(&reading->in);

	if (reading->in.problem)
		return WB_OK;
	/* A date alone is a time elsewhere. */
	if (has_zero(text) || text.size <= strlen("2026-08-01") ||
	    !time_parse(text.data, &slot->number))
		return bad(reading, "\"%s\" is not a time of RFC 3339", name);
	return WB_OK;
}

static enum wb_error read_field(struct reading *reading, enum field field)
{
	struct slot *slot = &reading->slots[field];
	const char *name = fields[field].name;

	if (reading->seen >> field & 1)
		return bad(reading, "field \"%s\": twice", name);
	reading->seen |= UINT64_C(1) << field;
	switch (fields[field].form) {
	case FORM_TEXT:
		slot->text = json_in_string(&reading->in);
		return WB_OK;
	case FORM_BASE64:
		return read_base64(reading, name, slot);
	case FORM_NUMBER:
		slot->number = json_in_number(&reading->in);
		return WB_OK;
	case FORM_TIME:
		return read_time(reading, name, slot);
	case FORM_LABELS:
		return read_labels(reading, slot);
	case FORM_TARGET:
		return read_fields(reading, SCOPE_TARGET);
	default:
		return read_fields(reading, SCOPE_ACTOR);
	}
}

/* An object of the fields of `scope`. A problem of the JSON is told at the
 * end. */
static enum wb_error read_fields(struct reading *reading, enum scope scope)
{
	enum wb_error error = WB_OK;
	struct wb_bytes key;

	json_in_object(&reading->in);
	while (!error && json_in_key(&reading->in, &key)) {
		size_t at = 0;

		while (at < FIELD_COUNT &&
		       (fields[at].scope != scope ||
			fields[at].size != key.size ||
			memcmp(fields[at].name, key.data, key.size) != 0))
			at++;
		error = at < FIELD_COUNT
				? read_field(reading, (enum field)at)
				: bad(reading, "unknown field %q", key.data);
	}
	return error;
}

/* ---- what the type makes of them ---- */

static const char *name_of_first(uint64_t set)
{
	return fields[__builtin_ctzll(set)].name;
}

/* All of `required`, and besides that nothing but `allowed`. */
static enum wb_error check_set(const struct reading *reading, uint64_t required,
			       uint64_t allowed)
{
	uint64_t missing = required & ~reading->seen;
	uint64_t unknown = reading->seen & ~required & ~allowed;

	if (unknown)
		return bad(reading, "unknown field \"%s\"",
			   name_of_first(unknown));
	if (missing)
		return bad(reading, "\"%s\" is missing",
			   name_of_first(missing));
	return WB_OK;
}

/* Of "x" and "x64" at most one; where there is one, `*ret_bytes` is it. */
static enum wb_error one_of(const struct reading *reading, enum field text,
			    enum field base64, struct wb_bytes *ret_bytes)
{
	bool has_text = reading->seen >> text & 1;
	bool has_base64 = reading->seen >> base64 & 1;

	if (has_text && has_base64)
		return bad(reading, "\"%s\" stands beside the other form of it",
			   fields[base64].name);
	if (has_text)
		*ret_bytes = reading->slots[text].text;
	else if (has_base64)
		*ret_bytes = reading->slots[base64].text;
	return WB_OK;
}

static bool is_text(struct wb_bytes bytes, const char *text)
{
	return bytes.size == strlen(text) &&
	       memcmp(bytes.data, text, bytes.size) == 0;
}

static enum wb_error in_range(const struct reading *reading, enum field field,
			      int64_t low, int64_t high)
{
	int64_t number = reading->slots[field].number;

	return number >= low && number <= high
		       ? WB_OK
		       : bad(reading, "\"%s\" is out of range",
			     fields[field].name);
}

/* Lower-case digits, exactly as many as the bytes take. */
static enum wb_error hex_of(const struct reading *reading, enum field field,
			    uint8_t *ret_bytes, size_t size)
{
	static const char digits[] = "0123456789abcdef";
	struct wb_bytes text = reading->slots[field].text;
	const char *at = text.data;
	bool holds = text.size == 2 * size;

	for (size_t i = 0; holds && i < text.size; i++) {
		const char *digit = at[i] ? strchr(digits, at[i]) : NULL;

		holds = digit;
		if (holds && i % 2 == 0)
			ret_bytes[i / 2] = (uint8_t)((digit - digits) << 4);
		else if (holds)
			ret_bytes[i / 2] |= (uint8_t)(digit - digits);
	}
	return holds ? WB_OK
		     : bad(reading, "\"%s\" is not of hexadecimal digits",
			   fields[field].name);
}

static enum wb_error make_header(const struct reading *reading,
				 struct entry *entry)
{
	const struct slot *slots = reading->slots;
	uint64_t uuid = 0;
	enum wb_error error;

	entry->type = ENTRY_HEADER;
	if (!is_text(slots[FIELD_FORMAT].text, FORMAT_NAME))
		return bad(reading, "\"format\" is not \"%s\"", FORMAT_NAME);
	entry->history = is_text(slots[FIELD_CONTENT].text, "history");
	if (entry->history)
		uuid = BIT(UUID);
	error = check_set(reading,
			  BIT(FORMAT) | BIT(VERSION) | BIT(CONTENT) | uuid, 0);
	if (!error && slots[FIELD_VERSION].number != FORMAT_VERSION)
		error = bad(reading, "\"%s\" is none", "version");
	if (!error && !entry->history &&
	    !is_text(slots[FIELD_CONTENT].text, "state"))
		error = bad(reading,
			    "\"%s\" is neither \"state\" nor "
			    "\"history\"",
			    "content");
	if (!error && entry->history)
		error = hex_of(reading, FIELD_UUID, entry->uuid,
			       ENTRY_UUID_BYTES);
	return error;
}

static enum wb_error make_image(const struct reading *reading,
				struct entry *entry)
{
	const struct wb_label *labels = reading->reader->labels;
	const struct slot *slots = reading->slots;
	const struct slot *own = &slots[FIELD_LABELS];
	const struct slot *notes = &slots[FIELD_ANNOTATIONS];
	struct wb_image *image = &entry->image;
	enum wb_error error =
		check_set(reading,
			  BIT(TYPE) | BIT(NAMESPACE) | BIT(NAME) | BIT(TARGET) |
				  BIT(MEDIA_TYPE) | BIT(DIGEST) | BIT(SIZE) |
				  BIT(LABELS) | BIT(CREATED) | BIT(UPDATED),
			  BIT(ANNOTATIONS));

	if (error)
		return error;
	for (enum field field = 0; field <= FIELD_DIGEST; field++)
		if (fields[field].form == FORM_TEXT &&
		    has_zero(slots[field].text))
			return bad(reading, "\"%s\" holds a zero byte",
				   fields[field].name);
	*image = (struct wb_image){
		.name = slots[FIELD_NAME].text.data,
		.target = {.media_type = slots[FIELD_MEDIA_TYPE].text.data,
			   .digest = slots[FIELD_DIGEST].text.data,
			   .size = slots[FIELD_SIZE].number},
		.created_at_ns = slots[FIELD_CREATED].number,
		.updated_at_ns = slots[FIELD_UPDATED].number,
	};
	if (own->count > 0)
		image->labels =
			(struct wb_labels){labels + own->first, own->count};
	if ((reading->seen & BIT(ANNOTATIONS)) && notes->count > 0)
		image->target.annotations =
			(struct wb_labels){labels + notes->first, notes->count};
	entry->type = ENTRY_IMAGE;
	entry->key = (struct wb_key){WB_KIND_IMAGE, slots[FIELD_NAMESPACE].text,
				     slots[FIELD_NAME].text};
	error = wb_namespace_validate(entry->key.ns.data, reading->text);
	if (error)
		return WB_BAD_INPUT; /* whatever it is for a call */
	return image_check(image, reading->text);
}

static enum wb_error make_key(const struct reading *reading,
			      struct entry *entry)
{
	struct wb_key *key = &entry->key;
	enum wb_error error = in_range(reading, FIELD_KIND, 1, WB_KIND_LAST);

	*key = (struct wb_key){
		.kind = (uint32_t)reading->slots[FIELD_KIND].number};
	if (!error)
		error = one_of(reading, FIELD_NAMESPACE, FIELD_NAMESPACE64,
			       &key->ns);
	if (!error)
		error = one_of(reading, FIELD_NAME, FIELD_NAME64, &key->name);
	if (error)
		return error;
	if (!key->ns.data || key->ns.size > WB_NAMESPACE_BYTES_MAX ||
	    memchr(key->ns.data, 0, key->ns.size))
		return bad(reading, "\"%s\" is missing, or cannot be one",
			   "namespace");
	if (!key->name.data || key->name.size == 0 ||
	    key->name.size > WB_NAME_BYTES_MAX)
		return bad(reading, "\"%s\" is missing, or cannot be one",
			   "name");
	if (key->kind == KIND_BASE || key->kind == KIND_ATTESTATION)
		return bad(reading,
			   "\"%s\" is one of records about a store's "
			   "files, which are not here",
			   "kind");
	return WB_OK;
}

static enum wb_error make_record(const struct reading *reading,
				 struct entry *entry)
{
	bool is_record = reading->seen & BIT(VALUE);
	enum wb_error error = check_set(
		reading, BIT(TYPE) | BIT(KIND),
		BIT(NAMESPACE) | BIT(NAMESPACE64) | BIT(NAME) | BIT(NAME64) |
			(entry->type == ENTRY_RECORD ? BIT(VALUE) : 0));

	if (!error && entry->type == ENTRY_RECORD && !is_record)
		error = bad(reading, "\"%s\" is missing", "value");
	if (!error)
		error = make_key(reading, entry);
	entry->value = reading->slots[FIELD_VALUE].text;
	if (!error && is_record && entry->value.size > WB_TXN_BYTES_MAX)
		error = bad(reading, "\"%s\" is too large", "value");
	return error;
}

static enum wb_error make_actor(const struct reading *reading,
				struct store_commit *commit)
{
	const struct slot *slots = reading->slots;
	enum wb_error error = in_range(reading, FIELD_UID, 0, UINT32_MAX);

	if (!error)
		error = in_range(reading, FIELD_GID, 0, UINT32_MAX);
	if (!error)
		error = in_range(reading, FIELD_PID, INT32_MIN, INT32_MAX);
	if (!error)
		error = one_of(reading, FIELD_COMMAND, FIELD_COMMAND64,
			       &commit->command);
	if (error)
		return error;
	if (commit->command.size > WB_COMMAND_BYTES_MAX)
		return bad(reading, "\"%s\" is too long", "command");
	commit->uid = (uint32_t)slots[FIELD_UID].number;
	commit->gid = (uint32_t)slots[FIELD_GID].number;
	commit->pid = (int32_t)slots[FIELD_PID].number;
	return WB_OK;
}

static enum wb_error make_notes(const struct reading *reading,
				struct store_commit *commit)
{
	enum wb_error error =
		one_of(reading, FIELD_REASON, FIELD_REASON64, &commit->reason);
	uint8_t hash[8] = {0};

	if (!error)
		error = one_of(reading, FIELD_OPERATION_NS,
			       FIELD_OPERATION_NS64, &commit->operation_ns);
	if (!error)
		error = one_of(reading, FIELD_OPERATION_ID,
			       FIELD_OPERATION_ID64, &commit->operation_id);
	if (error)
		return error;
	if (commit->reason.size > WB_REASON_BYTES_MAX)
		return bad(reading, "\"%s\" is too long", "reason");
	if (commit->operation_ns.size > WB_NAMESPACE_BYTES_MAX ||
	    commit->operation_id.size > WB_OPERATION_ID_BYTES_MAX)
		return bad(reading, "\"%s\" is too long", "operation_id");
	if (reading->seen & BIT(REQUEST_HASH))
		error = hex_of(reading, FIELD_REQUEST_HASH, hash, sizeof(hash));
	for (unsigned i = 0; i < 8; i++)
		commit->request_hash = commit->request_hash << 8 | hash[i];
	return error;
}

static enum wb_error make_commit(const struct reading *reading,
				 struct entry *entry)
{
	const struct slot *slots = reading->slots;
	enum wb_error error =
		check_set(reading,
			  BIT(TYPE) | BIT(REVISION) | BIT(TIME) | BIT(ACTOR) |
				  BIT(UID) | BIT(GID) | BIT(PID) | BIT(CHANGES),
			  BIT(COMMAND) | BIT(COMMAND64) | BIT(REASON) |
				  BIT(REASON64) | BIT(OPERATION_NS) |
				  BIT(OPERATION_NS64) | BIT(OPERATION_ID) |
				  BIT(OPERATION_ID64) | BIT(REQUEST_HASH));

	if (!error)
		error = in_range(reading, FIELD_REVISION, 1, INT64_MAX);
	if (!error)
		error = in_range(reading, FIELD_CHANGES, 1,
				 WB_TXN_MUTATIONS_MAX);
	entry->commit = (struct store_commit){
		.revision = (uint64_t)slots[FIELD_REVISION].number,
		.time_ns = slots[FIELD_TIME].number,
		.changes = (size_t)slots[FIELD_CHANGES].number,
	};
	if (!error)
		error = make_actor(reading, &entry->commit);
	return error ? error : make_notes(reading, &entry->commit);
}

static enum wb_error make_end(const struct reading *reading,
			      struct entry *entry)
{
	enum wb_error error =
		check_set(reading, BIT(TYPE) | BIT(LINES) | BIT(SHA256), 0);

	if (!error)
		error = in_range(reading, FIELD_LINES, 0, INT64_MAX);
	entry->count = (uint64_t)reading->slots[FIELD_LINES].number;
	return error ? error
		     : hex_of(reading, FIELD_SHA256, entry->sum, SUM_BYTES);
}

static enum wb_error make_entry(const struct reading *reading,
				struct entry *entry)
{
	static const struct {
		const char *name;
		enum entry_type type;
		enum wb_error (*make)(const struct reading *reading,
				      struct entry *entry);
	} types[] = {
		{"image", ENTRY_IMAGE, make_image},
		{"record", ENTRY_RECORD, make_record},
		{"deletion", ENTRY_DELETION, make_record},
		{"commit", ENTRY_COMMIT, make_commit},
		{"end", ENTRY_END, make_end},
	};
	struct wb_bytes type = reading->slots[FIELD_TYPE].text;

	if (reading->seen & BIT(FORMAT))
		return make_header(reading, entry);
	if (!(reading->seen & BIT(TYPE)))
		return bad(reading, "\"%s\" is missing", "type");
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (!is_text(type, types[i].name))
			continue;
		entry->type = types[i].type;
		return types[i].make(reading, entry);
	}
	return bad(reading, "unknown type %q", type.data);
}

/* The first line of a later version may have fields that mean something. */
static bool is_of_later_version(const struct reading *reading)
{
	const struct slot *slots = reading->slots;

	return (reading->seen & BIT(FORMAT)) &&
	       (reading->seen & BIT(VERSION)) && !reading->in.problem &&
	       is_text(slots[FIELD_FORMAT].text, FORMAT_NAME) &&
	       slots[FIELD_VERSION].number > FORMAT_VERSION;
}

enum wb_error entry_read(struct entry_reader *reader, char *line, size_t size,
			 struct entry *ret_entry, struct wb_text *ret_text)
{
	struct reading reading = {
		.reader = reader,
		.in = json_in_of(line, size),
		.text = ret_text,
	};
	struct entry entry = {.count = 0};
	enum wb_error error;

	reader->count = 0;
	error = read_fields(&reading, SCOPE_LINE);
	if (is_of_later_version(&reading))
		return answer(ret_text, WB_UNSUPPORTED,
			      "a dump of version %d, which is a later one",
			      (long long)reading.slots[FIELD_VERSION].number);
	if (!error)
		json_in_end(&reading.in);
	if (!error && reading.in.problem)
		error = answer(ret_text, WB_BAD_INPUT, "column %d: %s",
			       (long long)reading.in.at + 1,
			       reading.in.problem);
	if (!error)
		error = make_entry(&reading, &entry);
	if (!error)
		*ret_entry = entry;
	return error;
}

enum wb_error entry_value(const struct entry *entry, struct wb_bytes *ret_value,
			  void **ret_owned)
{
	enum wb_error error;

	*ret_owned = NULL;
	if (entry->type != ENTRY_IMAGE) {
		*ret_value = entry->value;
		return WB_OK;
	}
	error = image_encode(&entry->image, ret_value);
	if (!error)
		*ret_owned = (void *)ret_value->data;
	return error;
}
