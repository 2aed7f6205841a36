/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/help.h"

#include "tools/exit_status.h"

#include <stdio.h>
#include <string.h>

/* Where the explanation of an option begins. */
#define HELP_COLUMN 26

/* Prints `text`, each of its lines but the first indented by `indent`. */
static void print_lines(struct output *output, const char *text, int indent)
{
	while (*text) {
		size_t size = strcspn(text, "\n");

		output_bytes(output, text, size);
		output_text(output, "\n");
		text += size;
		if (*text == '\n') {
			text++;
			output_format(output, "%*s", indent, "");
		}
	}
}

static void print_option(struct output *output, const struct option *option)
{
	char letter[] = "-x, ";
	char head[64];

	letter[1] = option->letter;
	snprintf(head, sizeof(head), "  %s--%s%s%s",
		 option->letter ? letter : "    ", option->name,
		 option->argument ? " " : "",
		 option->argument ? option->argument : "");
	if (strlen(head) < HELP_COLUMN)
		output_format(output, "%-*s", HELP_COLUMN, head);
	else
		output_format(output, "%s\n%*s", head, HELP_COLUMN, "");
	print_lines(output, option->help, HELP_COLUMN);
}

static void print_tables(struct output *output, const struct command *command)
{
	const struct option_table *tables[OPTION_TABLES_MAX];
	size_t count = option_tables(command, tables);

	for (size_t t = 0; t < count; t++) {
		output_format(output, "\n%s\n", tables[t]->title);
		for (size_t i = 0; i < tables[t]->count; i++)
			print_option(output, &tables[t]->items[i]);
	}
}

/* `group` NULL: all of them. */
static void print_commands(struct output *output,
			   const struct command *const *commands,
			   const char *group)
{
	int width = 0;

	for (size_t i = 0; commands[i]; i++)
		if (width < (int)strlen(commands[i]->name))
			width = (int)strlen(commands[i]->name);
	for (size_t i = 0; commands[i]; i++)
		if (!group ||
		    command_in_group(commands[i], group, strlen(group)))
			output_format(output, "  %-*s  %s\n", width,
				      commands[i]->name, commands[i]->summary);
}

void help_group(struct output *output, const struct command *const *commands,
		const char *group)
{
	output_format(output, "usage: waybill %s COMMAND [ARGUMENT…]\n\n",
		      group);
	print_commands(output, commands, group);
	output_format(output, "\n`waybill %s COMMAND --help` tells more.\n",
		      group);
	print_tables(output, NULL);
}

static const struct status_meaning meanings_of_all[] = {
#define MEANING_ROW(name, number, meaning) {number, meaning},
	EXIT_LIST(MEANING_ROW)
#undef MEANING_ROW
};
const struct status_list statuses_of_all = {"Exit status", meanings_of_all,
					    sizeof(meanings_of_all) /
						    sizeof(meanings_of_all[0])};

const char help_surroundings[] =
	"The store is the first of: --store; $WAYBILL_STORE; the daemon, if "
	"its socket is\nthere (root: /run/waybill/waybill.sock, others: "
	"$XDG_RUNTIME_DIR/waybill/\nwaybill.sock); the directory "
	"/var/lib/waybill (root) or $XDG_STATE_HOME/waybill,\nwhich is "
	"$HOME/.local/state/waybill where that is not set. The namespace is "
	"the\nfirst of: -n, $WAYBILL_NAMESPACE, $CONTAINERD_NAMESPACE, "
	"\"default\".";

const char help_answers[] =
	"Answers go to standard output, all else to standard error. With "
	"--json an error\nis "
	"{\"error\":{\"code\":\"not_found\",\"message\":\"…\","
	"\"status\":2}}, the last line,\n"
	"with \"current\" (the image, or null) where a precondition does not "
	"hold, and\n\"line\" where it is about one of a plan. A \"note\", "
	"\"warning\" or \"damage\" is an\nobject of its own before it, with a "
	"\"message\"; so is \"progress\", with \"phase\",\n\"unit\", \"done\" "
	"and \"total\", null where that is not known.";

static void print_statuses(struct output *output,
			   const struct status_list *statuses)
{
	output_format(output, "\n%s\n", statuses->title);
	for (size_t at = 0; at < statuses->count; at++)
		output_format(output, "  %3d  %s\n", statuses->items[at].number,
			      statuses->items[at].meaning);
}

void help_all(struct output *output, const struct command *const *commands)
{
	output_text(output,
		    "usage: waybill [OPTION…] COMMAND [ARGUMENT…]\n\n"
		    "Names of container images, kept through a crash.\n\n"
		    "Commands\n");
	print_commands(output, commands, NULL);
	output_text(output,
		    "\n`waybill COMMAND --help` tells more. Options may "
		    "stand anywhere; -- ends them.\n");
	print_tables(output, NULL);
	output_format(output, "\n%s\n\n%s\n", help_surroundings, help_answers);
	print_statuses(output, &statuses_of_all);
	output_text(output, "fsck has those of fsck(8): see `waybill fsck "
			    "--help`.\n");
}

void help_command(struct output *output, const struct command *command)
{
	int indent = (int)strlen("usage: waybill  [OPTION.] ") +
		     (int)strlen(command->name);

	/* put has several forms, one a line. */
	output_format(output, "usage: waybill %s [OPTION…]%s", command->name,
		      *command->operands ? " " : "\n");
	print_lines(output, command->operands, indent);
	output_format(output, "\n%s.\n", command->summary);
	if (command->details)
		output_format(output, "\n%s\n", command->details);
	if (command->statuses)
		print_statuses(output, command->statuses);
	print_tables(output, command);
}
