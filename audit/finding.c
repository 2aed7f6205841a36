/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/finding.h"

#include <assert.h>

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

const char *audit_remedy_text(enum audit_remedy remedy)
{
	static const char *const texts[] = {
		[AUDIT_LEAVE] = "nothing has to be done",
		[AUDIT_OPEN] = "the next open for writing sees to it",
		[AUDIT_REPAIR] = "another copy has all of it; it can be "
				 "written again",
		[AUDIT_RESTORE] = "put the right file back, or salvage the "
				  "rest into a new store",
		[AUDIT_SALVAGE] = "salvage what verifies into a new store",
		[AUDIT_UPGRADE] = "use a newer version of waybill",
	};

	assert(remedy <= AUDIT_UPGRADE);
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
