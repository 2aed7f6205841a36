/* SPDX-License-Identifier: Apache-2.0
 *
 * The command line as a table: each command is one `struct command`, each
 * option one row. Parsing, --help, "did you mean" and completion are read
 * from it, so that they cannot disagree.
 *
 * Options may stand before and after operands and, those of every command,
 * before the command's name too. `--name=value` and `--name value` are the
 * same; one-letter options may be joined (`-qn NS`); `--` ends options; `-`
 * is an operand. getopt_long was discarded: it accepts abbreviations, which
 * turn into something else when an option is added, and cannot tell what was
 * meant.
 */
#ifndef WAYBILL_TOOLS_OPTIONS_H
#define WAYBILL_TOOLS_OPTIONS_H

#include "tools/scratch.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <waybill/error.h>

enum option_id {
	OPTION_STORE,
	OPTION_ANY_FILESYSTEM,
	OPTION_NAMESPACE,
	OPTION_JSON,
	OPTION_RAW,
	OPTION_COLOR,
	OPTION_QUIET,
	OPTION_NULL,
	OPTION_HELP,
	OPTION_VERSION,
	OPTION_REASON,
	OPTION_OPERATION_ID,
	OPTION_IF_ABSENT,
	OPTION_IF_PRESENT,
	OPTION_IF_REVISION,
	OPTION_IF_DIGEST,
	OPTION_MEDIA_TYPE,
	OPTION_DIGEST,
	OPTION_SIZE,
	OPTION_FROM,
	OPTION_LABEL,
	OPTION_PREFIX,
	OPTION_LIMIT,
	OPTION_AFTER,
	OPTION_BEFORE,
	OPTION_FORCE,
	OPTION_DRY_RUN,
	OPTION_AT,
	OPTION_EXPECT,
	OPTION_UID,
	OPTION_SINCE,
	OPTION_UNTIL,
	OPTION_TO,
	OPTION_ALL_NAMESPACES,
	OPTION_REPAIR,
	OPTION_SALVAGE,
	OPTION_HISTORY,
	OPTION_SKIP_EXISTING,
	OPTION_PROGRESS,
	OPTION_COUNT,
};

enum option_form {
	OPTION_IS_FLAG,
	OPTION_IS_TEXT,
	OPTION_IS_NUMBER, /* decimal, 64 bits */
	OPTION_IS_CHOICE, /* of the words in `argument`, with | between */
	OPTION_IS_LIST,	  /* text that may be given several times */
};

struct option {
	enum option_id id;
	char letter; /* 0: none */
	const char *name;
	enum option_form form;
	const char *argument; /* as --help shows it; NULL for a flag */
	const char *help;     /* one line */
};

struct option_table {
	const char *title; /* in --help */
	const struct option *items;
	size_t count;
};

/* Exit statuses in words. */
struct status_meaning {
	int number;
	const char *meaning;
};

struct status_list {
	const char *title;
	const struct status_meaning *items;
	size_t count;
};

struct session;

/* A name of two words ("audit log") is one of a group's; its first word alone
 * is no command. */
struct command {
	const char *name;
	const char *operands; /* as --help shows them; "" for none */
	const char *summary;  /* one line */
	const char *details;  /* paragraphs for --help; NULL: none */
	size_t operands_min;
	size_t operands_max;
	struct option_table options; /* its own */
	bool writes;		     /* takes options_of_writing as well */
	bool long_work;		     /* and options_of_long_work */
	bool without_names;	     /* no namespace is of any concern to it */
	/* Its own exit statuses: those for errors (NULL: exit_status_of), and
	 * all in words (NULL: statuses_of_all). */
	int (*status_of)(enum wb_error error);
	const struct status_list *statuses;
	enum wb_error (*run)(struct session *session);
};

/* Options that every command takes, and those of every one that writes, or may
 * take long. */
extern const struct option_table options_of_all;
extern const struct option_table options_of_writing;
extern const struct option_table options_of_long_work;

enum { OPTION_TABLES_MAX = 4 };
/* The tables that `command` takes (NULL: no command), in --help's order.
 * Returns how many of them it filled in. */
size_t option_tables(const struct command *command,
		     const struct option_table *ret_tables[OPTION_TABLES_MAX]);

/* Is `name`, which need not end there, the first word of this command's two?
 */
bool command_in_group(const struct command *command, const char *name,
		      size_t size);
/* The second word of its name, or the name. */
const char *command_last_word(const struct command *command);

struct option_value {
	bool given;
	const char *text; /* the last one; NULL for a flag */
	uint64_t number;
	const char **list; /* OPTION_IS_LIST: all of them */
	size_t count;
};

struct arguments {
	const struct command *command; /* NULL: none was named */
	const char *group;	       /* or only the first word of some */
	struct option_value values[OPTION_COUNT];
	const char **operands;
	size_t operand_count;
};

/* Reads `argv[1]` to `argv[argc - 1]`; NULL ends `commands`. The strings of
 * `ret_arguments` are those of argv, its lists live in `scratch`.
 *
 * WB_USAGE with a sentence about the first mistake, which names the right
 * option where there is one. `ret_arguments` is filled with all that could be
 * read even then, so that the caller knows whether --json was asked for. Where
 * --help or --version is given, missing operands are no error; the word help
 * in the command's place is --help. */
enum wb_error options_parse(const struct command *const *commands, int argc,
			    char *const *argv, struct scratch *scratch,
			    struct arguments *ret_arguments,
			    struct wb_text *ret_text);

#endif
