/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/finding.h"

#include "base/posix.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *code, *text;
	enum audit_severity severity;
	enum audit_remedy remedy;
} rules[] = {
#define ROW(name, code, severity, remedy, text) \
	{code, text, AUDIT_##severity, AUDIT_##remedy},
	AUDIT_RULE_LIST(ROW)
#undef ROW
};

const char *audit_rule_code(enum audit_rule rule)
{
	assert(rule < AUDIT_RULE_COUNT);
	return rules[rule].code;
}

const char *audit_rule_text(enum audit_rule rule)
{
	assert(rule < AUDIT_RULE_COUNT);
	return rules[rule].text;
}

const char *audit_severity_name(enum audit_severity severity)
{
	static const char *const names[] = {
		[AUDIT_NOTE] = "note",
		[AUDIT_WARNING] = "warning",
		[AUDIT_UNSUPPORTED] = "unsupported",
		[AUDIT_DAMAGE] = "damage",
	};

	assert(severity <= AUDIT_DAMAGE);
	return names[severity];
}

const char *audit_remedy_name(enum audit_remedy remedy)
{
	static const char *const names[] = {
		[AUDIT_LEAVE] = "leave",     [AUDIT_OPEN] = "open",
		[AUDIT_REPAIR] = "repair",   [AUDIT_REBUILD] = "rebuild",
		[AUDIT_RESTORE] = "restore", [AUDIT_SALVAGE] = "salvage",
		[AUDIT_AGAIN] = "again",     [AUDIT_ACCESS] = "access",
		[AUDIT_UPGRADE] = "upgrade", [AUDIT_MOVE] = "move",
	};

	assert(remedy <= AUDIT_MOVE);
	return names[remedy];
}

const char *audit_remedy_text(enum audit_remedy remedy)
{
	static const char *const texts[] = {
		[AUDIT_LEAVE] = "nothing has to be done",
		[AUDIT_OPEN] = "fsck -p sees to it, or the next open for "
			       "writing",
		[AUDIT_REPAIR] = "another copy has all of it: fsck -p writes "
				 "it again",
		[AUDIT_REBUILD] = "the log proves all of it: fsck -p writes "
				  "it again",
		[AUDIT_RESTORE] = "put the right file back, or keep what "
				  "verifies: fsck --salvage NEWDIR",
		[AUDIT_SALVAGE] = "keep what verifies, in a new store: fsck "
				  "--salvage NEWDIR",
		[AUDIT_AGAIN] = "remove the directory, and do it again",
		[AUDIT_ACCESS] = "read it as a user who may: its owner, or "
				 "root",
		[AUDIT_UPGRADE] = "use a newer version of waybill",
		[AUDIT_MOVE] = "move it elsewhere: it is not the store's, and "
			       "in its way",
	};

	assert(remedy <= AUDIT_MOVE);
	return texts[remedy];
}

struct audit_finding audit_finding_of(enum audit_rule rule, const char *file,
				      uint64_t offset)
{
	assert(rule < AUDIT_RULE_COUNT);
	return (struct audit_finding){
		.rule = rule,
		.severity = rules[rule].severity,
		.remedy = rules[rule].remedy,
		.file = file,
		.offset = offset,
	};
}

struct audit_finding audit_unreadable(const char *file, enum wb_error error)
{
	struct audit_finding finding =
		audit_finding_of(AUDIT_RULE_UNREADABLE, file, 0);

	/* Nothing is wrong with what only others may read. */
	if (error == WB_PERMISSION)
		finding.remedy = AUDIT_ACCESS;
	snprintf(finding.what, sizeof(finding.what), "%s",
		 audit_why(file, error));
	return finding;
}

/* What the kernel says for itself is in its words, and they are the error's;
 * what is kept beside it is more. */
const char *audit_why(const char *file, enum wb_error error)
{
	const char *why = posix_why(error);
	size_t size = strlen(file);

	if (posix_is_no_file(error) && strncmp(why, file, size) == 0 &&
	    strncmp(why + size, ": ", 2) == 0)
		return why + size + 2;
	return wb_error_text(error);
}
