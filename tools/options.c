/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/options.h"

#include "tools/nearest.h"
#include "tools/wording.h"

#include <string.h>

static const struct option all_items[] = {
	{OPTION_STORE, 0, "store", OPTION_IS_TEXT, "ADDRESS",
	 "dir:PATH or unix:SOCKET"},
	{OPTION_ANY_FILESYSTEM, 0, "any-filesystem", OPTION_IS_FLAG, NULL,
	 "accept a directory on NFS and the like, where a crash\n"
	 "may take more than the store can tell, and do not\n"
	 "warn of a container's own layer"},
	{OPTION_NAMESPACE, 'n', "namespace", OPTION_IS_TEXT, "NAMESPACE",
	 "of the names, instead of \"default\""},
	{OPTION_RAW, 0, "raw", OPTION_IS_FLAG, NULL,
	 "take names as they stand: \"redis\" is not made\n"
	 "docker.io/library/redis:latest"},
	{OPTION_JSON, 0, "json", OPTION_IS_FLAG, NULL,
	 "answer and fail in JSON: one object, or one a line"},
	{OPTION_QUIET, 'q', "quiet", OPTION_IS_FLAG, NULL,
	 "only names, digests or revisions, or nothing"},
	{OPTION_NULL, '0', "null", OPTION_IS_FLAG, NULL,
	 "as -q, each ended by a zero byte"},
	{OPTION_COLOR, 0, "color", OPTION_IS_CHOICE, "auto|always|never",
	 "auto: on a terminal, unless NO_COLOR is set"},
	{OPTION_HELP, 'h', "help", OPTION_IS_FLAG, NULL, "this text"},
	{OPTION_VERSION, 0, "version", OPTION_IS_FLAG, NULL,
	 "the version of waybill"},
};
const struct option_table options_of_all = {"Options of every command",
					    all_items,
					    sizeof(all_items) /
						    sizeof(all_items[0])};

static const struct option writing_items[] = {
	{OPTION_REASON, 0, "reason", OPTION_IS_TEXT, "TEXT",
	 "why; the log keeps it"},
	{OPTION_OPERATION_ID, 0, "operation-id", OPTION_IS_TEXT, "ID",
	 "done again with the same ID, this changes nothing\n"
	 "and answers as the first time"},
	{OPTION_IF_ABSENT, 0, "if-absent", OPTION_IS_FLAG, NULL,
	 "only if the name does not exist"},
	{OPTION_IF_PRESENT, 0, "if-present", OPTION_IS_FLAG, NULL,
	 "only if it exists"},
	{OPTION_IF_REVISION, 0, "if-revision", OPTION_IS_NUMBER, "N",
	 "only if its newest version is of revision N"},
	{OPTION_IF_DIGEST, 0, "if-digest", OPTION_IS_TEXT, "DIGEST",
	 "only if it points at DIGEST"},
};
const struct option_table options_of_writing = {
	"Options of every command that writes", writing_items,
	sizeof(writing_items) / sizeof(writing_items[0])};

static const struct option long_work_items[] = {
	{OPTION_PROGRESS, 0, "progress", OPTION_IS_CHOICE,
	 "auto|always|never|jsonl",
	 "how far it is, on standard error: a bar (auto: on a\n"
	 "terminal, unless -q is given) or, with jsonl, one\n"
	 "JSON object a line; SIGUSR1 asks for one line"},
};
const struct option_table options_of_long_work = {
	"Options of every command that may take long", long_work_items,
	sizeof(long_work_items) / sizeof(long_work_items[0])};

size_t option_tables(const struct command *command,
		     const struct option_table *ret_tables[OPTION_TABLES_MAX])
{
	size_t count = 0;

	if (command && command->options.count > 0)
		ret_tables[count++] = &command->options;
	if (command && command->writes)
		ret_tables[count++] = &options_of_writing;
	if (command && command->long_work)
		ret_tables[count++] = &options_of_long_work;
	ret_tables[count++] = &options_of_all;
	return count;
}

/* What is being read, and how far. */
struct parser {
	const struct command *const *commands;
	int argc;
	char *const *argv;
	int at;
	struct scratch *scratch;
	struct arguments *arguments;
	struct wb_text *text;
};

static const struct option *find_by_name(const struct command *command,
					 const char *name, size_t size)
{
	const struct option_table *tables[OPTION_TABLES_MAX];
	size_t count = option_tables(command, tables);

	for (size_t t = 0; t < count; t++)
		for (size_t i = 0; i < tables[t]->count; i++) {
			const struct option *option = &tables[t]->items[i];

			if (strlen(option->name) == size &&
			    strncmp(option->name, name, size) == 0)
				return option;
		}
	return NULL;
}

static const struct option *find_by_letter(const struct command *command,
					   char letter)
{
	const struct option_table *tables[OPTION_TABLES_MAX];
	size_t count = option_tables(command, tables);

	for (size_t t = 0; t < count; t++)
		for (size_t i = 0; i < tables[t]->count; i++)
			if (tables[t]->items[i].letter == letter)
				return &tables[t]->items[i];
	return NULL;
}

/* An option that this command has not: the nearest of its own, or else the
 * command that has it. */
static enum wb_error unknown_option(const struct parser *parser,
				    const char *name, size_t size)
{
	const struct command *command = parser->arguments->command;
	const struct option_table *tables[OPTION_TABLES_MAX];
	size_t count = option_tables(command, tables);
	struct nearest nearest;
	char *wrong = scratch_copy(parser->scratch, name, size);

	if (!wrong)
		return fail(parser->text, WB_NO_MEMORY, "out of memory");
	for (size_t c = 0; parser->commands[c]; c++)
		if (find_by_name(parser->commands[c], name, size)) {
			const char *of = parser->commands[c]->name;

			if (!command)
				return fail(parser->text, WB_USAGE,
					    "option --%s belongs to a command: "
					    "write it after `%s`",
					    wrong, of);
			return fail(parser->text, WB_USAGE,
				    "no option --%s here, but %s has one; see "
				    "`waybill %s --help`",
				    wrong, of, command->name);
		}
	nearest_begin(&nearest, wrong);
	for (size_t t = 0; t < count; t++)
		for (size_t i = 0; i < tables[t]->count; i++)
			nearest_offer(&nearest, tables[t]->items[i].name);
	if (nearest.best)
		return fail(parser->text, WB_USAGE,
			    "unknown option --%s; did you mean --%s?", wrong,
			    nearest.best);
	return fail(parser->text, WB_USAGE,
		    "unknown option --%s; see `waybill %s%s--help`", wrong,
		    command ? command->name : "", command ? " " : "");
}

static bool is_choice(const char *choices, const char *text)
{
	size_t size = strcspn(text, "|");

	if (text[size] == '|')
		return false;
	for (const char *word = choices; word; word = strchr(word, '|')) {
		word += *word == '|';
		if (size > 0 && strncmp(word, text, size) == 0 &&
		    (word[size] == '|' || word[size] == '\0'))
			return true;
	}
	return false;
}

static enum wb_error append(const struct parser *parser, const char ***list,
			    size_t *count, const char *text)
{
	/* No more than argv has, so one allocation is enough. */
	if (!*list) {
		*list = scratch_array(parser->scratch, (size_t)parser->argc,
				      sizeof(**list));
		if (!*list)
			return fail(parser->text, WB_NO_MEMORY,
				    "out of memory");
	}
	(*list)[(*count)++] = text;
	return WB_OK;
}

static enum wb_error set_value(const struct parser *parser,
			       const struct option *option, const char *text)
{
	struct option_value *value = &parser->arguments->values[option->id];

	if (value->given && option->form != OPTION_IS_FLAG &&
	    option->form != OPTION_IS_LIST)
		return fail(parser->text, WB_USAGE, "--%s is given twice",
			    option->name);
	if (option->form == OPTION_IS_NUMBER &&
	    !parse_decimal(text, &value->number))
		return fail(parser->text, WB_USAGE, "--%s %s: %s", option->name,
			    text,
			    *text && !text[strspn(text, "0123456789")]
				    ? "larger than 18446744073709551615"
				    : "not a whole number");
	if (option->form == OPTION_IS_CHOICE &&
	    !is_choice(option->argument, text))
		return fail(parser->text, WB_USAGE, "--%s %s: not one of %s",
			    option->name, text, option->argument);
	value->given = true;
	value->text = text;
	if (option->form == OPTION_IS_LIST)
		return append(parser, &value->list, &value->count, text);
	return WB_OK;
}

/* `joined`: what stood behind = or behind the letter; NULL: the value is the
 * next argument. */
static enum wb_error take_value(struct parser *parser,
				const struct option *option, const char *joined)
{
	if (option->form == OPTION_IS_FLAG)
		return set_value(parser, option, NULL);
	if (!joined) {
		if (parser->at + 1 >= parser->argc)
			return fail(parser->text, WB_USAGE,
				    "--%s needs a value: --%s %s", option->name,
				    option->name, option->argument);
		joined = parser->argv[++parser->at];
	}
	return set_value(parser, option, joined);
}

static enum wb_error take_long(struct parser *parser, const char *name)
{
	const char *equals = strchr(name, '=');
	size_t size = equals ? (size_t)(equals - name) : strlen(name);
	const struct option *option =
		find_by_name(parser->arguments->command, name, size);

	if (!option)
		return unknown_option(parser, name, size);
	if (equals && option->form == OPTION_IS_FLAG)
		return fail(parser->text, WB_USAGE, "--%s takes no value",
			    option->name);
	return take_value(parser, option, equals ? equals + 1 : NULL);
}

/* A key or a name may begin with a dash as well. */
static enum wb_error unknown_letters(const struct parser *parser,
				     const char *letters)
{
	const struct command *command = parser->arguments->command;

	return fail(parser->text, WB_USAGE,
		    "unknown option -%.*s; see `waybill %s%s--help`%s",
		    (int)strcspn(letters, "="), letters,
		    command ? command->name : "", command ? " " : "",
		    command && command->operands_max > 0
			    ? ", or write -- before what is no option"
			    : "");
}

static enum wb_error take_letters(struct parser *parser, const char *letters)
{
	const struct command *command = parser->arguments->command;
	enum wb_error error = WB_OK;

	/* -json, -store=x: one dash where two were meant. */
	if (find_by_name(command, letters, strcspn(letters, "=")))
		return fail(parser->text, WB_USAGE,
			    "unknown option -%s; did you mean --%s?", letters,
			    letters);
	for (; *letters && !error; letters++) {
		const struct option *option = find_by_letter(command, *letters);

		if (!option)
			return unknown_letters(parser, letters);
		if (option->form != OPTION_IS_FLAG)
			return take_value(parser, option,
					  letters[1] ? letters + 1 : NULL);
		error = take_value(parser, option, NULL);
	}
	return error;
}

static enum wb_error take_option(struct parser *parser, const char *word)
{
	return word[1] == '-' ? take_long(parser, word + 2)
			      : take_letters(parser, word + 1);
}

bool command_in_group(const struct command *command, const char *name,
		      size_t size)
{
	return strncmp(command->name, name, size) == 0 &&
	       command->name[size] == ' ';
}

const char *command_last_word(const struct command *command)
{
	const char *space = strchr(command->name, ' ');

	return space ? space + 1 : command->name;
}

/* The words that may stand where `group` (NULL: nothing) stood before. */
static bool may_follow(const struct command *command, const char *group)
{
	return !group || command_in_group(command, group, strlen(group));
}

static enum wb_error unknown_command(const struct parser *parser,
				     const char *name)
{
	const char *group = parser->arguments->group;
	const char *before = group ? group : "";
	const char *space = group ? " " : "";
	struct nearest nearest;

	nearest_begin(&nearest, name);
	for (size_t i = 0; parser->commands[i]; i++) {
		const struct command *command = parser->commands[i];
		const char *word = command_last_word(command);

		if (!may_follow(command, group))
			continue;
		if (!group)
			word = scratch_copy(parser->scratch, command->name,
					    strcspn(command->name, " "));
		if (!word)
			return fail(parser->text, WB_NO_MEMORY,
				    "out of memory");
		nearest_offer(&nearest, word);
	}
	if (nearest.best)
		return fail(parser->text, WB_USAGE,
			    "unknown command %s%s%s; did you mean %s%s%s?",
			    before, space, name, before, space, nearest.best);
	return fail(parser->text, WB_USAGE,
		    "unknown command %s%s%s; see `waybill %s%s--help`", before,
		    space, name, before, space);
}

static enum wb_error take_command(struct parser *parser, const char *name)
{
	struct arguments *arguments = parser->arguments;

	/* `waybill help put` is `waybill put --help`. */
	if (strcmp(name, "help") == 0) {
		arguments->values[OPTION_HELP].given = true;
		return WB_OK;
	}
	for (size_t i = 0; parser->commands[i]; i++) {
		const struct command *command = parser->commands[i];

		if (may_follow(command, arguments->group) &&
		    strcmp(arguments->group ? command_last_word(command)
					    : command->name,
			   name) == 0) {
			arguments->command = command;
			return WB_OK;
		}
		if (!arguments->group &&
		    command_in_group(command, name, strlen(name))) {
			arguments->group = name;
			return WB_OK;
		}
	}
	return unknown_command(parser, name);
}

/* The command's forms, which stand on lines of their own, on one. */
static enum wb_error wrong_operands(const struct parser *parser,
				    const char *problem, const char *operand)
{
	const struct command *command = parser->arguments->command;
	const char *form = command->operands;
	struct wb_text forms = {""};
	size_t at = 0;

	while (*form && at + 4 < sizeof(forms.text)) {
		if (*form == '\n') {
			memcpy(forms.text + at, " | ", 3);
			at += 3;
		} else {
			forms.text[at++] = *form;
		}
		form++;
	}
	return fail(parser->text, WB_USAGE, "%s%s: waybill %s%s%s", problem,
		    operand, command->name, at > 0 ? " " : "", forms.text);
}

static enum wb_error check_operands(const struct parser *parser)
{
	const struct arguments *arguments = parser->arguments;
	const struct command *command = arguments->command;

	if (arguments->values[OPTION_HELP].given ||
	    arguments->values[OPTION_VERSION].given)
		return WB_OK;
	if (!command && arguments->group)
		return fail(parser->text, WB_USAGE,
			    "%s is the first of two words; see `waybill %s "
			    "--help`",
			    arguments->group, arguments->group);
	if (!command)
		return fail(parser->text, WB_USAGE,
			    "no command; see `waybill --help`");
	if (arguments->operand_count < command->operands_min)
		return wrong_operands(parser, "too few arguments", "");
	if (arguments->operand_count > command->operands_max)
		return wrong_operands(
			parser, "unexpected argument ",
			arguments->operands[command->operands_max]);
	return WB_OK;
}

enum wb_error options_parse(const struct command *const *commands, int argc,
			    char *const *argv, struct scratch *scratch,
			    struct arguments *ret_arguments,
			    struct wb_text *ret_text)
{
	struct parser parser = {commands, argc,		 argv,	  1,
				scratch,  ret_arguments, ret_text};
	enum wb_error first = WB_OK;
	bool options_ended = false, lost = false;

	memset(ret_arguments, 0, sizeof(*ret_arguments));
	for (; parser.at < argc; parser.at++) {
		const char *word = argv[parser.at];
		bool operand = options_ended || word[0] != '-' || !word[1];
		enum wb_error error = WB_OK;

		if (!operand && strcmp(word, "--") == 0)
			options_ended = true;
		else if (!operand)
			error = take_option(&parser, word);
		else if (ret_arguments->command)
			error = append(&parser, &ret_arguments->operands,
				       &ret_arguments->operand_count, word);
		else if (!lost)
			error = take_command(&parser, word);
		/* Whose argument what follows is, nobody knows then. */
		lost = lost || (error && operand);
		/* The first error is told. Reading goes on, for a --json that
		 * comes later decides how, and a command with which status. */
		if (error && !first) {
			first = error;
			parser.text = NULL;
		}
	}
	return first ? first : check_operands(&parser);
}
