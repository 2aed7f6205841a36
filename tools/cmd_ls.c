/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/commands.h"
#include "tools/grid.h"
#include "tools/image_json.h"
#include "tools/session.h"
#include "tools/timepoint.h"
#include "tools/wording.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct option ls_items[] = {
	{OPTION_PREFIX, 0, "prefix", OPTION_IS_TEXT, "TEXT",
	 "only names that begin so, as stored: docker.io/…"},
	{OPTION_LIMIT, 0, "limit", OPTION_IS_NUMBER, "N",
	 "at most N names; 0, and by default: all"},
	{OPTION_AFTER, 0, "after", OPTION_IS_TEXT, "NAME",
	 "only names behind NAME, in full as it is listed; it\n"
	 "need not exist"},
};

static const struct grid_column columns[] = {
	{.heading = "NAME"},
	{.heading = "DIGEST"},
	{.heading = "SIZE", .right = true},
	{.heading = "UPDATED"},
	{.heading = NULL},
};

struct listing {
	struct session *session;
	struct grid grid;
	char *last; /* the name to continue after; NULL: none was listed */
	bool out_of_memory;
};

static void print_name(struct session *session, const char *name)
{
	/* As ls(1) does: a terminal is protected, a pipe gets the bytes. */
	if (session->output.terminal)
		output_plain(&session->output, name);
	else
		output_text(&session->output, name);
	output_bytes(&session->output, &session->line_end, 1);
}

static void print_row(struct grid *grid, const struct wb_image *image)
{
	char size[24];
	char updated[TIME_TEXT_BYTES];
	const char *cells[] = {image->name, image->target.digest, size,
			       updated};

	snprintf(size, sizeof(size), "%lld", (long long)image->target.size);
	time_format(image->updated_at_ns, true, updated);
	grid_row(grid, cells);
}

static bool visit_image(void *context, const struct wb_image *image)
{
	struct listing *listing = context;
	struct session *session = listing->session;
	char *name = strdup(image->name);

	free(listing->last);
	listing->last = name;
	listing->out_of_memory = !name;
	if (session->json)
		output_json(&session->output, image_json(image));
	else if (session->quiet)
		print_name(session, image->name);
	else
		print_row(&listing->grid, image);
	/* Nobody reads on: stop early. */
	return name && session->output.error_number == 0;
}

/* Names are stored in full, and these two are compared with what is stored:
 * a page may begin behind a name that is no reference at all. */
static void explain_name(struct session *session, enum option_id option)
{
	const char *given = session_option(session, option)->text;
	bool tagged;
	char *full;

	if (session->raw || !given || !*given || strchr(given, '/') ||
	    wb_reference_normalise(given, &full, NULL) != WB_OK)
		return;
	/* The beginning of a tag is none that was given. */
	tagged = strpbrk(given, ":@");
	complain(&session->complainer, WB_NOTE,
		 "names are compared in full; did you mean --%s %.*s?",
		 option == OPTION_AFTER ? "after" : "prefix",
		 (int)(strlen(full) - (tagged || option == OPTION_AFTER
					       ? 0
					       : strlen(":latest"))),
		 full);
	free(full);
}

/* `ls redis` is a filter that asks for a field called redis. That is right,
 * and nearly never what was meant. */
static bool is_field(const char *filter)
{
	static const char *const maps[] = {"target.", "labels.",
					   "annotations."};

	for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]); i++)
		if (strncmp(filter, maps[i], strlen(maps[i])) == 0)
			return true;
	return !*filter || strcmp(filter, "name") == 0 ||
	       filter[strcspn(filter, "=~!,\" ")];
}

static const char *find_word(const struct session *session)
{
	for (size_t i = 0; i < session->arguments.operand_count; i++)
		if (!is_field(session->arguments.operands[i]))
			return session->arguments.operands[i];
	return NULL;
}

static void explain_nothing(struct session *session)
{
	const char *word = find_word(session);

	if (word)
		complain(&session->complainer, WB_NOTE,
			 "the filter \"%s\" asks for a field of that name; "
			 "did you mean name~=%s?",
			 word, word);
	explain_name(session, OPTION_PREFIX);
}

/* A reference is rarely a filter, and `ls redis:7` cannot even be parsed. */
static enum wb_error explain_filter(struct session *session,
				    enum wb_error error)
{
	const char *word = find_word(session);
	struct wb_text inner = session->text;

	if (error != WB_BAD_INPUT || !word)
		return error;
	return fail(&session->text, error, "%s; did you mean name~=%s?",
		    inner.text, word);
}

static enum wb_error list(struct session *session, const struct wb_call *call)
{
	const struct option_value *limit =
		session_option(session, OPTION_LIMIT);
	const struct wb_list_options options = {
		.size = sizeof(options),
		.filters = session->arguments.operands,
		.filter_count = session->arguments.operand_count,
		.prefix = session_option(session, OPTION_PREFIX)->text,
		.after = session_option(session, OPTION_AFTER)->text,
		.limit = limit->number ? (size_t)limit->number : SIZE_MAX,
	};
	struct listing listing = {.session = session};
	struct wb_page page = {0};
	bool people = !session->json && !session->quiet;
	enum wb_error error;

	if (people)
		grid_begin(&listing.grid, &session->output, columns);
	error = session->images->ops->list(session->images, call, &options,
					   visit_image, &listing, &page,
					   &session->text);
	if (!error && listing.out_of_memory)
		error = fail(&session->text, WB_NO_MEMORY, "out of memory");
	if (people)
		grid_end(&listing.grid);
	error = explain_filter(session, error);
	if (!error && people && !listing.last)
		explain_nothing(session);
	if (!error && people)
		explain_name(session, OPTION_AFTER);
	if (!error && people && page.more && listing.last)
		complain(&session->complainer, WB_NOTE,
			 "more names follow; continue with --after %s",
			 listing.last);
	free(listing.last);
	return error;
}

static enum wb_error run_ls(struct session *session)
{
	struct wb_call call;
	enum wb_error error = session_call(session, &call);

	if (!error)
		error = session_open(session, ACCESS_READ);
	return error ? error : list(session, &call);
}

const struct command command_ls = {
	.name = "ls",
	.operands = "[FILTER…]",
	.summary = "List names, in bytewise order",
	.details = "A name is listed if any FILTER matches it, or if there is "
		   "none. A comma in a\nfilter is and:\n"
		   "  name~=redis                      a regular expression\n"
		   "  labels.tier==gold,name!=x        equal, not equal\n"
		   "  labels.\"a.b/c\"                   is there\n"
		   "Fields: name, target.digest, target.mediatype, labels.KEY, "
		   "annotations.KEY.\n\n"
		   "-q prints names only, -0 ends each with a zero byte. Each "
		   "run sees one state of\nthe store; two pages (--limit, "
		   "--after) may see two.",
	.operands_min = 0,
	.operands_max = SIZE_MAX,
	.options = {"Options of ls", ls_items,
		    sizeof(ls_items) / sizeof(ls_items[0])},
	.run = run_ls,
};
