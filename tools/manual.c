/* SPDX-License-Identifier: Apache-2.0
 *
 * Makes a manual page, in scdoc's language: `manual NAME FILE` copies FILE,
 * which people wrote, and puts what the table of commands says in the place of
 * each line that begins with @. So neither a synopsis nor an option is written
 * twice, and examples are written by hand. Runs when waybill is built and is
 * not installed.
 */
#include "tools/commands.h"
#include "tools/help.h"

#include <ctype.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <waybill/waybill.h>

/* ---- text ---- */

/* In scdoc's language; of what is not ASCII only the ellipsis is known, which
 * not every terminal shows. */
static void put_character(char character)
{
	if (strchr("\\*_`", character))
		putchar('\\');
	if (character == "…"[0])
		printf("...");
	else if (isascii((unsigned char)character))
		putchar(character);
	else if (character != "…"[1] && character != "…"[2])
		errx(1, "a byte %02x", (unsigned char)character);
}

static void put_plain(const char *text, size_t size)
{
	for (size_t at = 0; at < size; at++)
		put_character(text[at]);
}

static void put_bold(const char *text, size_t size)
{
	putchar('*');
	put_plain(text, size);
	putchar('*');
}

/* How much of `text` is an option, as in "--if-…" or "-q,"; 0: nothing. */
static size_t option_size(const char *text)
{
	size_t size = strspn(text, "-");

	if (size == 0 || size > 2 || !isalnum((unsigned char)text[size]))
		return 0;
	while (isalnum((unsigned char)text[size]) ||
	       (text[size] == '-' && isalnum((unsigned char)text[size + 1])))
		size++;
	return size;
}

/* A paragraph of --help: options and what stands between backquotes is bold,
 * and its lines are one. */
static void put_sentence(const char *text, size_t size)
{
	const char *end = text + size;
	char before = ' ';

	while (text < end) {
		const char *close = *text == '`' ? strchr(text + 1, '`') : NULL;
		size_t bold = 0;

		if (strchr(" \n(", before))
			bold = option_size(text);
		if (close && close < end) {
			put_bold(text + 1, (size_t)(close - text - 1));
			text = close + 1;
		} else if (bold > 0) {
			put_bold(text, bold);
			text += bold;
		} else {
			if (*text != '\n')
				put_character(*text);
			else if (before != '/') /* within a path */
				putchar(' ');
			text++;
		}
		before = text[-1];
	}
	putchar('\n');
}

/* Words in capitals stand for what a person writes. */
static void put_form(const char *text, size_t size)
{
	for (size_t at = 0; at < size;) {
		size_t capitals = 0, option = option_size(text + at);

		while (at + capitals < size &&
		       isupper((unsigned char)text[at + capitals]))
			capitals++;
		if (option > 0) {
			put_bold(text + at, option);
			at += option;
		} else if (capitals > 0) {
			putchar('_');
			put_plain(text + at, capitals);
			putchar('_');
			at += capitals;
		} else {
			put_character(text[at++]);
		}
	}
}

/* Lines that begin with blanks stand as they are, the others flow. */
static void put_paragraphs(const char *text)
{
	while (*text) {
		const char *end = text;
		bool verbatim = *text == ' ';

		while (*end && (*end == ' ') == verbatim && *end != '\n') {
			end += strcspn(end, "\n");
			end += *end == '\n';
		}
		if (verbatim) {
			printf("```\n");
			for (const char *at = text; at < end; at++)
				if (!(*at == ' ' &&
				      (at == text || at[-1] == '\n')))
					put_character(*at);
			printf("%s```\n\n", end[-1] == '\n' ? "" : "\n");
		} else {
			size_t size = (size_t)(end - text);

			put_sentence(text, size - (end[-1] == '\n'));
			putchar('\n');
		}
		text = end + strspn(end, "\n");
	}
}

/* ---- what stands in the table ---- */

static void put_option(const struct option *option)
{
	if (option->letter)
		printf("*-%c*, ", option->letter);
	printf("*--%s*", option->name);
	if (option->argument) {
		putchar(' ');
		put_form(option->argument, strlen(option->argument));
	}
	printf("\n\t");
	put_sentence(option->help, strlen(option->help));
	putchar('\n');
}

/* The first table is a command's own, or that of all. */
static void put_options(const struct command *command)
{
	const struct option_table *tables[OPTION_TABLES_MAX];
	size_t count = option_tables(command, tables);

	for (size_t t = 0; t < count; t++) {
		const char *title = t > 0 ? tables[t]->title : "Options";

		printf("# ");
		while (*title)
			putchar(toupper((unsigned char)*title++));
		printf("\n\n");
		for (size_t i = 0; i < tables[t]->count; i++)
			put_option(&tables[t]->items[i]);
	}
}

static void put_row(const char *head, const char *text)
{
	printf("|[ *%s*\n:< ", head);
	put_sentence(text, strlen(text));
}

static void put_statuses(const struct command *command)
{
	const struct status_list *statuses =
		command ? command->statuses : &statuses_of_all;

	printf("# EXIT STATUS\n\n");
	if (!statuses) {
		printf("Those of every command: see *waybill*(1).\n\n");
		return;
	}
	if (command)
		printf("%s:\n\n", statuses->title);
	for (size_t at = 0; at < statuses->count; at++) {
		char number[16];

		snprintf(number, sizeof(number), "%d",
			 statuses->items[at].number);
		put_row(number, statuses->items[at].meaning);
	}
	putchar('\n');
}

static void put_page_name(const char *command)
{
	printf("waybill%s", *command ? "-" : "");
	for (const char *at = command; *at; at++)
		putchar(*at == ' ' ? '-' : *at);
}

static void put_commands(const struct command *command)
{
	(void)command;
	for (size_t at = 0; commands[at]; at++) {
		printf("|[ *");
		put_page_name(commands[at]->name);
		printf("*(1)\n:< %s\n", commands[at]->summary);
	}
	putchar('\n');
}

static void put_synopsis(const struct command *command)
{
	const char *form = command->operands;

	do {
		size_t size = strcspn(form, "\n");

		printf("*waybill %s* [_OPTION_...] ", command->name);
		put_form(form, size);
		form += size;
		printf("%s\n", *form ? "++" : "");
		form += *form == '\n';
	} while (*form);
	putchar('\n');
}

/* All of a command's page but its examples and what else to see. */
static void put_command(const struct command *command)
{
	printf("# NAME\n\n");
	put_page_name(command->name);
	printf(" - %c%s\n\n# SYNOPSIS\n\n",
	       tolower((unsigned char)*command->summary), command->summary + 1);
	put_synopsis(command);
	printf("# DESCRIPTION\n\n");
	put_paragraphs(command->details ? command->details : command->summary);
	put_options(command);
	put_statuses(command);
}

static void put_surroundings(const struct command *command)
{
	(void)command;
	put_paragraphs(help_surroundings);
}

static void put_answers(const struct command *command)
{
	(void)command;
	put_paragraphs(help_answers);
}

/* ---- the page ---- */

static const struct {
	const char *line;
	void (*put)(const struct command *command);
} marks[] = {
	{"@command\n", put_command},	       {"@commands\n", put_commands},
	{"@options\n", put_options},	       {"@statuses\n", put_statuses},
	{"@surroundings\n", put_surroundings}, {"@answers\n", put_answers},
};

static void put_line(const char *line, const struct command *command)
{
	if (*line != '@') {
		fputs(line, stdout);
		return;
	}
	for (size_t at = 0; at < sizeof(marks) / sizeof(marks[0]); at++)
		if (strcmp(line, marks[at].line) == 0) {
			marks[at].put(command);
			return;
		}
	errx(1, "nothing is called %s", line);
}

int main(int argc, char **argv)
{
	const struct command *command = NULL;
	char line[1024];
	FILE *file;

	if (argc != 3)
		errx(1, "usage: manual COMMAND FILE");
	for (size_t at = 0; commands[at]; at++)
		if (strcmp(commands[at]->name, argv[1]) == 0)
			command = commands[at];
	if (*argv[1] && !command)
		errx(1, "no command %s", argv[1]);
	file = fopen(argv[2], "r");
	if (!file)
		err(1, "%s", argv[2]);
	put_page_name(argv[1]);
	printf("(1) \"waybill %s\" \"Waybill\"\n\n", wb_version());
	while (fgets(line, sizeof(line), file))
		if (*line != ';')
			put_line(line, command);
	fclose(file);
	return fflush(stdout) == 0 && !ferror(stdout) ? EXIT_SUCCESS
						      : EXIT_FAILURE;
}
