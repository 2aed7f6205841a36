/* SPDX-License-Identifier: Apache-2.0
 *
 * Makes the completion for bash: `completion FILE` copies FILE, which people
 * wrote, and puts the table of commands in the place of its line "@table".
 * Runs when waybill is built and is not installed.
 *
 * Discarded: asking waybill itself, when somebody presses a key. That is one
 * more thing which a command must know, and a process for each key.
 */
#include "tools/commands.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* `NAME['waybill put']='`; for all commands together `NAME['waybill']='`. */
static void begin(const char *name, const struct command *command,
		  const char *option)
{
	printf("%s['waybill%s%s%s%s']='", name, command ? " " : "",
	       command ? command->name : "", *option ? " " : "", option);
}

static void put_text(const char *text, size_t size)
{
	for (size_t at = 0; at < size; at++) {
		if (text[at] == '\'')
			errx(1, "a quote in %s", text);
		putchar(text[at]);
	}
}

static void put_value(const struct command *command, const char *option,
		      const char *argument)
{
	begin("_waybill_values", command, option);
	put_text(argument, strlen(argument));
	printf("'\n");
}

static void put_table(const struct command *command,
		      const struct option_table *table)
{
	for (size_t at = 0; at < table->count; at++) {
		const struct option *option = &table->items[at];
		char spelled[64];

		if (!option->argument)
			continue;
		snprintf(spelled, sizeof(spelled), "--%s", option->name);
		put_value(command, spelled, option->argument);
		snprintf(spelled, sizeof(spelled), "-%c", option->letter);
		if (option->letter)
			put_value(command, spelled, option->argument);
	}
}

/* A command's do not repeat those of all, which come last. */
static void put_options(const struct command *command)
{
	const struct option_table *tables[OPTION_TABLES_MAX];
	size_t count = option_tables(command, tables) - (command != NULL);

	begin("_waybill_options", command, "");
	for (size_t t = 0; t < count; t++)
		for (size_t at = 0; at < tables[t]->count; at++) {
			const struct option *option = &tables[t]->items[at];

			if (option->letter)
				printf("-%c ", option->letter);
			printf("--%s ", option->name);
		}
	printf("'\n");
	for (size_t t = 0; t < count; t++)
		put_table(command, tables[t]);
}

/* Of several forms the first says what the others begin with. */
static void put_operands(const struct command *command)
{
	begin("_waybill_operands", command, "");
	put_text(command->operands, strcspn(command->operands, "\n"));
	printf("'\n");
}

static bool is_first_of_group(size_t index)
{
	size_t size = strcspn(commands[index]->name, " ");

	for (size_t at = 0; at < index; at++)
		if (command_in_group(commands[at], commands[index]->name, size))
			return false;
	return true;
}

/* The first words of all, and of each group the second ones. */
static void put_words(void)
{
	begin("_waybill_words", NULL, "");
	for (size_t at = 0; commands[at]; at++)
		if (is_first_of_group(at))
			printf("%.*s ", (int)strcspn(commands[at]->name, " "),
			       commands[at]->name);
	printf("'\n");
	for (size_t at = 0; commands[at]; at++) {
		size_t size = strcspn(commands[at]->name, " ");

		if (commands[at]->name[size])
			printf("_waybill_words['waybill %.*s']+='%s '\n",
			       (int)size, commands[at]->name,
			       command_last_word(commands[at]));
	}
}

static void put_commands(void)
{
	put_words();
	put_options(NULL);
	for (size_t at = 0; commands[at]; at++) {
		put_operands(commands[at]);
		put_options(commands[at]);
	}
}

int main(int argc, char **argv)
{
	char line[1024];
	FILE *file;

	if (argc != 2)
		errx(1, "usage: completion FILE");
	file = fopen(argv[1], "r");
	if (!file)
		err(1, "%s", argv[1]);
	while (fgets(line, sizeof(line), file)) {
		if (strcmp(line, "@table\n") == 0)
			put_commands();
		else
			fputs(line, stdout);
	}
	fclose(file);
	return fflush(stdout) == 0 && !ferror(stdout) ? EXIT_SUCCESS
						      : EXIT_FAILURE;
}
