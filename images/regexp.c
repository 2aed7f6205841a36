/* SPDX-License-Identifier: Apache-2.0
 *
 * Two engines for one question. Backtracking alone was discarded: with a
 * limit that stops a hostile expression soon enough, some honest ones fail
 * too. The breadth-first engine alone was discarded: it is slow for the
 * plain words that most expressions are. The just-in-time compiler was
 * discarded: no step of it can be limited.
 */
#define PCRE2_CODE_UNIT_WIDTH 8

#include "images/regexp.h"
#include "images/regexp_syntax.h"

#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

/* Of one match by backtracking: some tens of microseconds. */
#define STEPS_MAX    1000u
#define HEAP_KIB_MAX 1024u
/* Alternatives that the other engine follows at once, and how many of them
 * it may look at altogether. It compares each with the others: half a
 * microsecond at worst. */
#define ALTERNATIVES_MAX 1000
#define WORKSPACE_INTS	 (20 + 2 * 3 * ALTERNATIVES_MAX)
#define VISITS_MAX	 5000000u
#define NEST_MAX	 600u

struct regexp {
	pcre2_code *code; /* NULL: the expression is none */
	struct wb_bytes pattern;
	pcre2_match_data *match;
	pcre2_match_context *limits;

	/* The other engine, when first needed. */
	pcre2_code *wide_code;
	int *workspace;
	uint32_t visits_left;
};

static enum wb_error error_of(int number)
{
	switch (number) {
	case PCRE2_ERROR_HEAP_FAILED:
		return WB_NO_MEMORY;
	case PCRE2_ERROR_UNKNOWN_UNICODE_PROPERTY:
	case PCRE2_ERROR_MALFORMED_UNICODE_PROPERTY:
		return WB_BAD_INPUT;
	default:
		/* The translation holds nothing else that could be wrong. */
		return WB_TOO_LARGE;
	}
}

static enum wb_error compile(struct wb_bytes pattern, uint32_t options,
			     pcre2_code **ret_code)
{
	pcre2_compile_context *context = pcre2_compile_context_create(NULL);
	size_t offset;
	int number;
	pcre2_code *code;

	if (!context)
		return WB_NO_MEMORY;
	pcre2_set_newline(context, PCRE2_NEWLINE_LF);
	pcre2_set_parens_nest_limit(context, NEST_MAX);
	code = pcre2_compile(pattern.data, pattern.size,
			     options | PCRE2_UTF | PCRE2_NO_UTF_CHECK |
				     PCRE2_ALT_CIRCUMFLEX |
				     PCRE2_NEVER_BACKSLASH_C,
			     &number, &offset, context);
	pcre2_compile_context_free(context);
	if (!code)
		return error_of(number);
	*ret_code = code;
	return WB_OK;
}

/* Called by the other engine at each alternative that it looks at. */
static int count_visit(pcre2_callout_block *block, void *context)
{
	struct regexp *regexp = context;

	(void)block;
	if (regexp->visits_left == 0)
		return PCRE2_ERROR_CALLOUT;
	regexp->visits_left--;
	return 0;
}

static enum wb_error prepare(struct regexp *regexp)
{
	regexp->match = pcre2_match_data_create(1, NULL);
	regexp->limits = pcre2_match_context_create(NULL);
	if (!regexp->match || !regexp->limits)
		return WB_NO_MEMORY;
	pcre2_set_match_limit(regexp->limits, STEPS_MAX);
	pcre2_set_depth_limit(regexp->limits, STEPS_MAX);
	pcre2_set_heap_limit(regexp->limits, HEAP_KIB_MAX);
	pcre2_set_callout(regexp->limits, count_visit, regexp);
	regexp->visits_left = VISITS_MAX;
	return WB_OK;
}

enum wb_error regexp_compile(struct wb_bytes expression,
			     struct regexp **ret_regexp)
{
	struct regexp *regexp = calloc(1, sizeof(*regexp));
	enum wb_error error;

	if (!regexp)
		return WB_NO_MEMORY;
	error = regexp_translate(expression, &regexp->pattern);
	if (!error)
		error = compile(regexp->pattern, 0, &regexp->code);
	if (!error)
		error = prepare(regexp);
	if (error && error != WB_BAD_INPUT) {
		regexp_free(regexp);
		return error;
	}
	*ret_regexp = regexp;
	return WB_OK;
}

void regexp_free(struct regexp *regexp)
{
	if (!regexp)
		return;
	pcre2_code_free(regexp->code);
	pcre2_code_free(regexp->wide_code);
	pcre2_match_data_free(regexp->match);
	pcre2_match_context_free(regexp->limits);
	free(regexp->workspace);
	free((void *)regexp->pattern.data);
	free(regexp);
}

/* The expression behind any beginning, for it is asked about the whole text
 * at once and not again at each character. */
static enum wb_error widen(struct regexp *regexp)
{
	static const char any[] = "(?s:.*?)";
	size_t size = sizeof(any) - 1 + regexp->pattern.size;
	char *pattern;
	enum wb_error error;

	if (!regexp->workspace)
		regexp->workspace = malloc(WORKSPACE_INTS * sizeof(int));
	if (!regexp->workspace)
		return WB_NO_MEMORY;
	pattern = malloc(size);
	if (!pattern)
		return WB_NO_MEMORY;
	memcpy(mempcpy(pattern, any, sizeof(any) - 1), regexp->pattern.data,
	       regexp->pattern.size);
	error = compile((struct wb_bytes){pattern, size},
			PCRE2_ANCHORED | PCRE2_AUTO_CALLOUT,
			&regexp->wide_code);
	free(pattern);
	return error == WB_BAD_INPUT ? WB_TOO_LARGE : error;
}

enum wb_error regexp_match_wide(struct regexp *regexp, struct wb_bytes text,
				bool *ret_matches)
{
	enum wb_error error = WB_OK;
	int result;

	if (!regexp->code) {
		*ret_matches = false;
		return WB_OK;
	}
	if (!regexp->wide_code)
		error = widen(regexp);
	if (error)
		return error;
	result = pcre2_dfa_match(regexp->wide_code, text.data, text.size, 0,
				 PCRE2_NO_UTF_CHECK | PCRE2_DFA_SHORTEST,
				 regexp->match, regexp->limits,
				 regexp->workspace, WORKSPACE_INTS);
	if (result == PCRE2_ERROR_NOMEMORY)
		return WB_NO_MEMORY;
	if (result < 0 && result != PCRE2_ERROR_NOMATCH)
		return WB_TOO_LARGE;
	*ret_matches = result != PCRE2_ERROR_NOMATCH;
	return WB_OK;
}

enum wb_error regexp_match(struct regexp *regexp, struct wb_bytes text,
			   bool *ret_matches)
{
	int result;

	if (!regexp->code) {
		*ret_matches = false;
		return WB_OK;
	}
	result = pcre2_match(regexp->code, text.data, text.size, 0,
			     PCRE2_NO_UTF_CHECK, regexp->match, regexp->limits);
	switch (result) {
	case PCRE2_ERROR_MATCHLIMIT:
	case PCRE2_ERROR_DEPTHLIMIT:
	case PCRE2_ERROR_HEAPLIMIT:
		return regexp_match_wide(regexp, text, ret_matches);
	case PCRE2_ERROR_NOMATCH:
		*ret_matches = false;
		return WB_OK;
	case PCRE2_ERROR_NOMEMORY:
		return WB_NO_MEMORY;
	default:
		/* 0: there was no room for the groups, nor need for it. */
		if (result < 0)
			return WB_TOO_LARGE;
		*ret_matches = true;
		return WB_OK;
	}
}
