/* SPDX-License-Identifier: Apache-2.0
 *
 * Both versions are copied before they are compared: what a look-up hands out
 * ends with it. Where they differ the answer is a no, and so the status 2: 1,
 * which diff(1) has, means a failure everywhere else in waybill.
 */
#include "tools/changes.h"
#include "tools/commands.h"
#include "tools/image_json.h"
#include "tools/named_version.h"
#include "tools/print.h"
#include "tools/wording.h"

struct side {
	struct session *session;
	const struct wb_image_version *version;
};

static bool keep(void *context, const struct wb_image_version *version)
{
	struct side *side = context;

	side->version = version_copy(&side->session->scratch, version);
	return false;
}

static enum wb_error find(struct session *session, const struct wb_call *call,
			  const struct named_version *query, struct side *side)
{
	enum wb_error error;

	*side = (struct side){.session = session};
	error = named_version_find(session, call, query, keep, side);
	if (!error && !side->version)
		error = fail(&session->text, WB_NO_MEMORY, "out of memory");
	return error;
}

/* ---- JSON ---- */

static json_t *value_json(const struct change *change, const char *value)
{
	uint64_t number;

	if (!value)
		return json_null();
	if (change->is_number && parse_decimal(value, &number))
		return number_json(number);
	return text_json(value);
}

static void add_change(void *context, const struct change *change)
{
	json_t **changes = context;
	json_t *json = json_object();

	json_field(&json, "field", json_string(change->field));
	if (change->key)
		json_field(&json, "key", text_json(change->key));
	json_field(&json, "a", value_json(change, change->before));
	json_field(&json, "b", value_json(change, change->after));
	json_item(changes, json);
}

static void tell_json(struct session *session, const struct side *a,
		      const struct side *b, bool same)
{
	json_t *changes = json_array();
	json_t *json = json_object();

	changes_between(a->version->image, b->version->image, add_change,
			&changes);
	json_field(&json, "same", json_boolean(same));
	json_field(&json, "a", version_json(a->version));
	json_field(&json, "b", version_json(b->version));
	json_field(&json, "changes", changes);
	output_json(&session->output, json);
}

/* ---- for people ---- */

static void tell_side(struct session *session, const char *mark,
		      const struct wb_image_version *version)
{
	struct output *output = &session->output;
	char time[TIME_TEXT_BYTES];

	time_format(version->time_ns, true, time);
	output_format(output, "%s ", mark);
	output_plain(output, version->name);
	output_format(output, "  revision %llu  %s%s\n",
		      (unsigned long long)version->revision, time,
		      version->deleted ? "  deleted" : "");
}

static void tell_change(void *output, const struct change *change)
{
	print_change(output, change);
}

static enum wb_error tell(struct session *session, const struct side *a,
			  const struct side *b)
{
	bool same = changes_between(a->version->image, b->version->image, NULL,
				    NULL) == 0;

	if (session->json) {
		tell_json(session, a, b, same);
	} else if (!same && !session->quiet) {
		tell_side(session, "---", a->version);
		tell_side(session, "+++", b->version);
		changes_between(a->version->image, b->version->image,
				tell_change, &session->output);
	}
	session->answered_no = !same;
	return same ? WB_OK : WB_NOT_FOUND;
}

static enum wb_error run_diff(struct session *session)
{
	const char **operands = session->arguments.operands;
	struct named_version queries[2];
	struct wb_call call;
	struct side a;
	struct side b;
	enum wb_error error;

	error = named_version_read(session, operands[0], NULL, &queries[0]);
	if (!error)
		error = named_version_read(session, operands[1], NULL,
					   &queries[1]);
	if (!error)
		error = session_call(session, &call);
	if (!error)
		error = session_open(session, ACCESS_READ);
	if (!error)
		error = find(session, &call, &queries[0], &a);
	if (!error)
		error = find(session, &call, &queries[1], &b);
	return error ? error : tell(session, &a, &b);
}

const struct command command_diff = {
	.name = "diff",
	.operands = "NAME[@{POINT}] NAME[@{POINT}]",
	.summary = "Print what differs between two versions",
	.details =
		"Target, labels and annotations are compared, times and names "
		"are not. A version\nthat is a deletion has none of "
		"them.\n\n" VERSION_POINTS
		"\nThe exit status is 0 where nothing differs and 2 where "
		"something does (not 1, as\nof diff(1), for 1 is a failure). A "
		"name that is not there is 2 too, with an\nerror. -q prints "
		"nothing.",
	.operands_min = 2,
	.operands_max = 2,
	.run = run_diff,
};
