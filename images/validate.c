/* SPDX-License-Identifier: Apache-2.0 */
#include "images/validate.h"
#include "base/sized.h"
#include "images/labels.h"
#include "images/sentence.h"
#include "images/unicode.h"

#include <string.h>

static bool is_utf8(const char *string)
{
	return unicode_valid(string, strlen(string));
}

static const char *or_empty(const char *string)
{
	return string ? string : "";
}

enum wb_error image_canonical(const struct wb_image *from,
			      struct wb_image *ret_image)
{
	struct wb_image image = {
		.name = or_empty(from->name),
		.target.media_type = or_empty(from->target.media_type),
		.target.digest = or_empty(from->target.digest),
		.target.size = from->target.size,
	};
	enum wb_error error = labels_canonical(&from->labels, &image.labels);

	if (error)
		return error;
	error = labels_canonical(&from->target.annotations,
				 &image.target.annotations);
	if (error) {
		labels_release(&image.labels);
		return error;
	}
	*ret_image = image;
	return WB_OK;
}

void image_canonical_release(struct wb_image *image)
{
	labels_release(&image->labels);
	labels_release(&image->target.annotations);
}

/* ---- digests ---- */

struct algorithm {
	const char *name;
	size_t hex_digits;
};

static const struct algorithm algorithms[] = {
	{"sha256", 64},
	{"sha384", 96},
	{"sha512", 128},
};

static const char bad_format[] = "invalid checksum digest format";

static bool is_lower_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_alnum(char c)
{
	return is_lower_alnum(c) || (c >= 'A' && c <= 'Z');
}

/* [a-z0-9]+(?:[.+_-][a-z0-9]+)*:[a-zA-Z0-9=_-]+ */
static bool looks_like_digest(const char *digest)
{
	const char *c = digest;

	for (;;) {
		if (!is_lower_alnum(*c))
			return false;
		while (is_lower_alnum(*c))
			c++;
		if (*c == ':')
			break;
		if (!*c || !strchr(".+_-", *c))
			return false;
		c++;
	}
	c++;
	return *c && strspn(c, "abcdefghijklmnopqrstuvwxyz"
			       "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			       "0123456789=_-") == strlen(c);
}

const char *digest_problem(const char *digest)
{
	const char *colon = strchr(digest, ':');
	size_t name_size;

	if (!colon || colon == digest || !colon[1])
		return bad_format;
	name_size = (size_t)(colon - digest);
	for (size_t i = 0; i < sizeof(algorithms) / sizeof(*algorithms); i++) {
		const struct algorithm *known = &algorithms[i];

		if (strlen(known->name) != name_size ||
		    memcmp(known->name, digest, name_size))
			continue;
		if (strlen(colon + 1) != known->hex_digits)
			return "invalid checksum digest length";
		if (strspn(colon + 1, "0123456789abcdef") != known->hex_digits)
			return bad_format;
		return NULL;
	}
	return looks_like_digest(digest) ? "unsupported digest algorithm"
					 : bad_format;
}

/* ---- images ---- */

bool name_is_storable(const char *name)
{
	size_t size = strlen(name);

	return size > 0 && size <= WB_NAME_BYTES_MAX &&
	       unicode_valid(name, size);
}

static enum wb_error check_name(const char *name, struct wb_text *ret_text)
{
	if (!*name)
		return answer(ret_text, WB_BAD_INPUT, "Image.Name required");
	if (strlen(name) > WB_NAME_BYTES_MAX)
		return answer(ret_text, WB_BAD_INPUT,
			      "Image.Name greater than maximum size "
			      "(%d bytes): invalid argument",
			      (long long)WB_NAME_BYTES_MAX);
	if (!is_utf8(name))
		return answer(ret_text, WB_BAD_INPUT,
			      "Image.Name %q is not valid UTF-8: "
			      "invalid argument",
			      name);
	return WB_OK;
}

/* What holds for labels and annotations alike; `field` is where they are. */
static enum wb_error check_strings(const struct wb_label *label,
				   const char *field, struct wb_text *ret_text)
{
	/* A label without value is dropped, whatever its key. */
	if (!*label->key && *label->value)
		return answer(ret_text, WB_BAD_INPUT,
			      "%s: key must not be empty: invalid argument",
			      field);
	if (!is_utf8(label->key) || !is_utf8(label->value))
		return answer(ret_text, WB_BAD_INPUT,
			      "%s: %q=%q is not valid UTF-8: invalid argument",
			      field, label->key, label->value);
	return WB_OK;
}

static enum wb_error check_labels(const struct wb_labels *labels,
				  struct wb_text *ret_text)
{
	for (size_t i = 0; i < labels->count; i++) {
		const struct wb_label *label = &labels->items[i];
		size_t key_size = strlen(label->key);
		char key[11] = "";
		enum wb_error error;

		if (key_size + strlen(label->value) > LABEL_BYTES_MAX) {
			memcpy(key, label->key, key_size < 10 ? key_size : 10);
			return answer(ret_text, WB_BAD_INPUT,
				      "image.Labels: label key and value "
				      "greater than maximum size (%d bytes), "
				      "key: %s: invalid argument",
				      (long long)LABEL_BYTES_MAX, key);
		}
		error = check_strings(label, "image.Labels", ret_text);
		if (error)
			return error;
	}
	return WB_OK;
}

static enum wb_error check_target(const struct wb_descriptor *target,
				  struct wb_text *ret_text)
{
	const char *problem = digest_problem(target->digest);

	if (problem)
		return answer(ret_text, WB_BAD_INPUT,
			      "Target.Digest %q invalid: %s: invalid argument",
			      target->digest, problem);
	if (target->size <= 0)
		return answer(ret_text, WB_BAD_INPUT,
			      "Target.Size must be greater than zero: "
			      "invalid argument");
	if (!*target->media_type)
		return answer(ret_text, WB_BAD_INPUT,
			      "Target.MediaType must be set: "
			      "invalid argument");
	if (strlen(target->media_type) > MEDIA_TYPE_BYTES_MAX)
		return answer(ret_text, WB_BAD_INPUT,
			      "Target.MediaType greater than maximum size "
			      "(%d bytes): invalid argument",
			      (long long)MEDIA_TYPE_BYTES_MAX);
	if (!is_utf8(target->media_type))
		return answer(ret_text, WB_BAD_INPUT,
			      "Target.MediaType %q is not valid UTF-8: "
			      "invalid argument",
			      target->media_type);
	for (size_t i = 0; i < target->annotations.count; i++) {
		enum wb_error error =
			check_strings(&target->annotations.items[i],
				      "Target.Annotations", ret_text);

		if (error)
			return error;
	}
	return WB_OK;
}

static size_t labels_bytes(const struct wb_labels *labels)
{
	size_t bytes = 0;

	for (size_t i = 0; i < labels->count; i++)
		if (*labels->items[i].value)
			bytes += strlen(labels->items[i].key) +
				 strlen(labels->items[i].value);
	return bytes;
}

enum wb_error image_check(const struct wb_image *image,
			  struct wb_text *ret_text)
{
	enum wb_error error = check_name(image->name, ret_text);

	if (!error)
		error = check_labels(&image->labels, ret_text);
	if (!error)
		error = check_target(&image->target, ret_text);
	if (!error && labels_bytes(&image->labels) +
				      labels_bytes(&image->target.annotations) >
			      LABELS_BYTES_MAX)
		error = answer(ret_text, WB_BAD_INPUT,
			       "labels and annotations greater than maximum "
			       "size (%d bytes): invalid argument",
			       (long long)LABELS_BYTES_MAX);
	return error;
}

enum wb_error wb_image_validate(const struct wb_image *image,
				struct wb_text *ret_text)
{
	struct wb_image canonical;
	enum wb_error error = image_canonical(image, &canonical);

	if (error)
		return answer(ret_text, error, "%s", wb_error_text(error));
	error = image_check(&canonical, ret_text);
	image_canonical_release(&canonical);
	return error;
}

/* ---- calls ---- */

/* [A-Za-z0-9]+(?:[._-](?:[A-Za-z0-9]+))* */
static bool is_identifier(const char *string)
{
	for (const char *c = string;; c++) {
		if (!is_alnum(*c))
			return false;
		while (is_alnum(*c))
			c++;
		if (!*c)
			return true;
		if (!strchr("._-", *c))
			return false;
	}
}

enum wb_error wb_namespace_validate(const char *ns, struct wb_text *ret_text)
{
	if (!ns || !*ns)
		return answer(ret_text, WB_PRECONDITION,
			      "namespace is required: failed precondition");
	if (strlen(ns) > WB_NAMESPACE_BYTES_MAX)
		return answer(ret_text, WB_BAD_INPUT,
			      "namespace validation: identifier %q greater "
			      "than maximum length (%d characters): "
			      "invalid argument",
			      ns, (long long)WB_NAMESPACE_BYTES_MAX);
	if (!is_identifier(ns))
		return answer(ret_text, WB_BAD_INPUT,
			      "namespace validation: identifier %q must match "
			      "^[A-Za-z0-9]+(?:[._-](?:[A-Za-z0-9]+))*$: "
			      "invalid argument",
			      ns);
	return WB_OK;
}

static enum wb_error check_note(const char *what, const char *note,
				size_t bytes_max, struct wb_text *ret_text)
{
	if (!note)
		return WB_OK;
	if (strlen(note) > bytes_max)
		return answer(ret_text, WB_BAD_INPUT,
			      "%s greater than maximum size (%d bytes): "
			      "invalid argument",
			      what, (long long)bytes_max);
	if (!is_utf8(note))
		return answer(ret_text, WB_BAD_INPUT,
			      "%s %q is not valid UTF-8: invalid argument",
			      what, note);
	return WB_OK;
}

enum wb_error call_take(const struct wb_call *call, struct wb_call *ret_call,
			struct wb_text *ret_text)
{
	struct wb_call mine;
	enum wb_error error;

	if (!call)
		return answer(ret_text, WB_USAGE, "struct wb_call is missing");
	error = sized_take(&mine, sizeof(mine), call);
	if (error)
		return answer(ret_text, error, "struct wb_call %s",
			      sized_problem(error));
	error = wb_namespace_validate(mine.ns, ret_text);
	if (!error)
		error = check_note("reason", mine.reason, WB_REASON_BYTES_MAX,
				   ret_text);
	if (!error)
		error = check_note("operation id", mine.operation_id,
				   WB_OPERATION_ID_BYTES_MAX, ret_text);
	if (!error)
		*ret_call = mine;
	return error;
}
