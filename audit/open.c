/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/open.h"

#include "base/lock.h"
#include "base/posix.h"
#include "base/sized.h"

#include <inttypes.h>
#include <stdio.h>

/* ---- telling ---- */

static void tell(struct teller *teller, enum wb_severity severity,
		 const char *line)
{
	static const char *const words[] = {
		[WB_NOTE] = "note",
		[WB_WARNING] = "warning",
		[WB_DAMAGE] = "damage",
	};

	if (severity == WB_DAMAGE && !teller->first.text[0])
		snprintf(teller->first.text, sizeof(teller->first.text), "%s",
			 line);
	if (teller->report)
		teller->report(teller->context, severity, line);
	else
		fprintf(stderr, "waybill: %s: %s\n", words[severity], line);
}

static void tell_diag(void *teller, enum diag_severity severity,
		      const char *line)
{
	tell(teller, (enum wb_severity)severity, line);
}

/* ", revisions 3 to 5" */
static void format_range(const struct audit_finding *finding, char *to,
			 size_t room)
{
	if (finding->revision_first == 0)
		*to = 0;
	else if (finding->revision_last == finding->revision_first)
		snprintf(to, room, ", revision %" PRIu64,
			 finding->revision_first);
	else if (finding->revision_last == UINT64_MAX)
		snprintf(to, room, ", revision %" PRIu64 " and all after it",
			 finding->revision_first);
	else
		snprintf(to, room, ", revisions %" PRIu64 " to %" PRIu64,
			 finding->revision_first, finding->revision_last);
}

void teller_finding(void *context, const struct audit_finding *finding)
{
	struct teller *teller = context;
	char range[80];
	struct wb_text line;

	if (finding->severity == AUDIT_NOTE)
		return;
	format_range(finding, range, sizeof(range));
	/* File names are other people's bytes. */
	(void)text_set(&line, WB_OK, "%s: offset %" PRIu64 ": %s: %s%s",
		       finding->file, finding->offset,
		       audit_rule_text(finding->rule), finding->what, range);
	tell(teller,
	     finding->severity == AUDIT_WARNING ? WB_WARNING : WB_DAMAGE,
	     line.text);
}

/* ---- the directory ---- */

enum wb_error audit_open(const char *path,
			 const struct wb_audit_options *options,
			 struct teller *teller, struct dir **ret_dir,
			 struct wb_text *ret_text)
{
	struct wb_audit_options mine = {.size = sizeof(mine)};
	struct diag diag = {tell_diag, teller};
	struct dir *dir = NULL;
	unsigned flags = 0;
	enum wb_error error = WB_OK;

	if (options)
		error = sized_take(&mine, sizeof(mine), options);
	if (error)
		return text_set(ret_text, error, "struct wb_audit_options %s",
				sized_problem(error));
	teller->report = mine.report;
	teller->context = mine.report_context;
	teller->meter.tell = mine.progress;
	teller->meter.context = mine.progress_context;
	teller->flags = mine.threads > 1 ? AUDIT_READ_TWO_THREADS : 0;
	if (mine.flags & WB_OPEN_ANY_FILESYSTEM)
		flags |= POSIX_DIR_ANY_FILESYSTEM;
	error = posix_dir_open(path, flags, &diag, &dir, NULL, ret_text);
	if (error == WB_NOT_FOUND)
		return text_set(ret_text, WB_NOT_A_STORE, "no such directory");
	if (error)
		return error;
	error = lock_take(dir, false, ret_text);
	if (error)
		dir_close(dir);
	else
		*ret_dir = dir;
	return error;
}

enum wb_error audit_conclude(const struct audit_summary *summary,
			     const struct teller *teller,
			     struct wb_text *ret_text)
{
	if (summary->verdict == AUDIT_NO_STORE)
		return text_set(ret_text, WB_NOT_A_STORE, "no waybill store");
	if (summary->verdict == AUDIT_REFUSED)
		return text_set(ret_text, WB_UNSUPPORTED, "%s",
				teller->first.text);
	return WB_OK;
}
