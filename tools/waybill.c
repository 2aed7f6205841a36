/* SPDX-License-Identifier: Apache-2.0
 *
 * The command line: parse, run one command, tell how it went.
 *
 * The order at the end is the promise: the store is closed first, then the
 * answer leaves. Whoever reads it, or stops reading it, cannot disturb a
 * change, and a slow reader holds no lock.
 */
#include "tools/commands.h"
#include "tools/help.h"
#include "tools/interrupt.h"
#include "tools/leave.h"
#include "tools/progress.h"
#include "tools/session.h"
#include "tools/wording.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <waybill/waybill.h>

static bool wants_color(const struct arguments *arguments, bool terminal)
{
	const char *when = arguments->values[OPTION_COLOR].text;
	const char *no_color = getenv("NO_COLOR");
	const char *term = getenv("TERM");

	if (when && strcmp(when, "auto") != 0)
		return strcmp(when, "always") == 0;
	return terminal && !(no_color && *no_color) &&
	       !(term && strcmp(term, "dumb") == 0);
}

static void prepare_output(struct session *session)
{
	const struct arguments *arguments = &session->arguments;

	output_init(&session->output, STDOUT_FILENO);
	session->output.color =
		wants_color(arguments, session->output.terminal);
	session->complainer = (struct complainer){
		.command = arguments->command ? arguments->command->name : NULL,
		.json = arguments->values[OPTION_JSON].given,
		.quiet = arguments->values[OPTION_QUIET].given ||
			 arguments->values[OPTION_NULL].given,
		.color = wants_color(arguments, isatty(STDERR_FILENO) == 1),
		.status_of = arguments->command ? arguments->command->status_of
						: NULL,
	};
	leave_init(session->complainer.json);
	progress_init(session->complainer.command, session->complainer.json);
	interrupt_init();
}

static enum wb_error run(struct session *session, enum wb_error parsed)
{
	const struct command *command = session->arguments.command;
	enum wb_error error;

	if (parsed)
		return parsed;
	if (session_option(session, OPTION_VERSION)->given) {
		output_format(&session->output, "waybill %s\n", wb_version());
		return WB_OK;
	}
	if (session_option(session, OPTION_HELP)->given) {
		if (command)
			help_command(&session->output, command);
		else if (session->arguments.group)
			help_group(&session->output, commands,
				   session->arguments.group);
		else
			help_all(&session->output, commands);
		return WB_OK;
	}
	error = session_prepare(session);
	if (error)
		return error;
	if (command->long_work)
		progress_begin(session_option(session, OPTION_PROGRESS)->text,
			       session->quiet);
	return command->run(session);
}

/* What was answered has to arrive too; a change that was made stays made. */
static enum wb_error deliver(struct session *session)
{
	enum wb_error error = output_finish(&session->output, &session->text);

	if (error && session->changed_revision)
		complain(&session->complainer, WB_WARNING,
			 "the change is made, at revision %llu, but the answer "
			 "could not be written",
			 (unsigned long long)session->changed_revision);
	return error;
}

int main(int argc, char **argv)
{
	struct session session = {0};
	enum wb_error error;

	/* For the widths of characters, and for nothing else. */
	setlocale(LC_CTYPE, "C.UTF-8");
	error = options_parse(commands, argc, argv, &session.scratch,
			      &session.arguments, &session.text);
	prepare_output(&session);
	error = run(&session, error);
	session_close(&session);
	if (!error || session.answered_no || error == WB_COMPACTED) {
		enum wb_error undelivered = deliver(&session);

		session.answered_no = session.answered_no && !undelivered;
		error = undelivered ? undelivered : error;
	}
	session_complain(&session, error);
	session_release(&session);
	return error ? complain_status(&session.complainer, error)
		     : session.status;
}
