/* SPDX-License-Identifier: Apache-2.0
 *
 * Filters, regular expressions, references, digests, namespaces and quoting
 * against containerd itself: tests/containerd/filters.go reads the tables of
 * its tests where they are installed, runs its code on them and on random
 * input, and prints what comes out. Nothing of it is kept here.
 *
 * Where an answer is meant to differ, `differences` below says so.
 */
#include "images/filter.h"
#include "images/regexp.h"
#include "images/sentence.h"
#include "images/unicode.h"
#include "images/validate.h"
#include "tests/support/suite.h"

#include <string.h>
#include <sys/wait.h>
#include <waybill/images.h>

#define FIELDS_MAX 32
#define MANY	   64

struct row {
	struct wb_bytes fields[FIELDS_MAX];
	size_t count;
};

struct object {
	struct row row; /* "object", name, other, keys and values */
};

static struct object objects[MANY];
static size_t object_count;
static struct wb_bytes subjects[MANY];
static size_t subject_count;

/* ---- reading ---- */

static const char *environment(const char *name, const char *otherwise)
{
	const char *value = getenv(name);

	return value && *value ? value : otherwise;
}

static FILE *run_containerd(unsigned long filters, unsigned long expressions,
			    unsigned long names)
{
	char command[4096];
	const char *seed = environment("WAYBILL_SEED", "1");
	FILE *output;

	snprintf(command, sizeof(command),
		 "cd '%s/tests/containerd' && GO111MODULE=off GOFLAGS= "
		 "GOPATH=/usr/share/gocode GOCACHE='%s/go-cache' "
		 "go run filters.go %s %lu %lu %lu",
		 environment("WAYBILL_SOURCE_DIR", WAYBILL_SOURCE_DIR),
		 environment("WAYBILL_BUILD_DIR", WAYBILL_BUILD_DIR), seed,
		 filters, expressions, names);
	printf("seed %s\n", seed);
	output = popen(command, "r");
	ck_assert_ptr_nonnull(output);
	return output;
}

static unsigned nibble(char digit)
{
	return (unsigned)(digit <= '9' ? digit - '0' : digit - 'a' + 10);
}

/* What hexadecimal `text` stands for, ending in a zero byte, to be kept for
 * the rest of the process. */
static struct wb_bytes decode(const char *text)
{
	size_t size = strcmp(text, "-") ? strlen(text) / 2 : 0;
	char *bytes = malloc(size + 1);

	ck_assert_ptr_nonnull(bytes);
	for (size_t i = 0; i < size; i++)
		bytes[i] = (char)(nibble(text[2 * i]) << 4 |
				  nibble(text[2 * i + 1]));
	bytes[size] = 0;
	return (struct wb_bytes){bytes, size};
}

static void forget(struct row *row)
{
	for (size_t i = 0; i < row->count; i++)
		free((void *)row->fields[i].data);
}

static void split(char *line, struct row *row, char **words)
{
	char *save = NULL;

	row->count = 0;
	line[strcspn(line, "\n")] = 0;
	for (char *word = strtok_r(line, "\t", &save); word;
	     word = strtok_r(NULL, "\t", &save)) {
		ck_assert_uint_lt(row->count, FIELDS_MAX);
		words[row->count] = word;
		row->fields[row->count++] =
			strspn(word, "0123456789abcdef-") == strlen(word)
				? decode(word)
				: (struct wb_bytes){strdup(word), strlen(word)};
	}
}

/* Call `visit` for every line that begins with `word`. */
static size_t for_each(FILE *output, const char *word,
		       void (*visit)(const struct row *row, char **words))
{
	char *line = NULL;
	size_t room = 0;
	size_t count = 0;

	while (getline(&line, &room, output) > 0) {
		struct row row;
		char *words[FIELDS_MAX];

		split(line, &row, words);
		if (!strcmp(words[0], "object")) {
			ck_assert_uint_lt(object_count, MANY);
			objects[object_count++].row = row;
			continue;
		}
		if (!strcmp(words[0], "subject")) {
			ck_assert_uint_lt(subject_count, MANY);
			subjects[subject_count++] = row.fields[1];
			free((void *)row.fields[0].data);
			continue;
		}
		if (!strcmp(words[0], word)) {
			visit(&row, words);
			count++;
		}
		forget(&row);
	}
	free(line);
	ck_assert_msg(WEXITSTATUS(pclose(output)) == 0,
		      "go, or containerd's source, is not installed: "
		      "golang-go, golang-github-containerd-containerd-dev");
	return count;
}

/* ---- filters ---- */

static bool same(struct wb_bytes a, struct wb_bytes b)
{
	return a.size == b.size && !memcmp(a.data, b.data, a.size);
}

static bool object_label(const struct row *row, const struct wb_bytes *path,
			 size_t count, struct wb_bytes *ret_value)
{
	char key[4096] = "";
	size_t size = 0;

	for (size_t i = 0; i < count; i++) {
		ck_assert_uint_lt(size + path[i].size + 1, sizeof(key));
		if (i > 0)
			key[size++] = '.';
		memcpy(key + size, path[i].data, path[i].size);
		size += path[i].size;
	}
	for (size_t i = 3; i + 1 < row->count; i += 2) {
		if (same(row->fields[i], (struct wb_bytes){key, size})) {
			*ret_value = row->fields[i + 1];
			return true;
		}
	}
	return false;
}

static bool object_field(const void *object, const struct wb_bytes *path,
			 size_t count, struct wb_bytes *ret_value)
{
	const struct row *row = &((const struct object *)object)->row;

	if (same(path[0], bytes_of("labels")))
		return object_label(row, path + 1, count - 1, ret_value);
	if (same(path[0], bytes_of("name")))
		*ret_value = row->fields[1];
	else if (same(path[0], bytes_of("other")))
		*ret_value = row->fields[2];
	else
		return false;
	return ret_value->size > 0;
}

/* input, error, matches */
static void filter_agrees(const struct row *row, char **words)
{
	struct sentence text = {.size = 0};
	struct filter *filter = NULL;
	enum wb_error error = filter_parse(row->fields[1], &filter, &text);
	const char *expected = row->fields[2].data;
	char matches[MANY + 1] = "";

	ck_assert_msg(error == (*expected ? WB_BAD_INPUT : WB_OK),
		      "filter %s: %s, expected %s", words[1], text.text,
		      expected);
	ck_assert_msg(!strcmp(text.text, expected), "filter %s: %s, not %s",
		      words[1], text.text, expected);
	for (size_t i = 0; i < object_count; i++) {
		bool match = false;

		if (!error)
			ck_ok(filter_match(filter, object_field, &objects[i],
					   &match));
		matches[i] = match ? '1' : '0';
	}
	ck_assert_msg(*expected || !strcmp(matches, words[3]),
		      "filter %s: matches %s, not %s", words[1], matches,
		      words[3]);
	filter_free(filter);
}

START_TEST(filters_answer_as_containerds_own_table_says)
{
	size_t count =
		for_each(run_containerd(0, 0, 0), "expected", filter_agrees);

	ck_assert_uint_ge(count, 20);
	ck_assert_uint_ge(object_count, 9);
	printf("count: rows of containerd's filter table %zu\n", count);
}
END_TEST

START_TEST(filters_answer_as_containerd_does)
{
	uint64_t asked = rounds(5000, 200000);
	size_t count =
		for_each(run_containerd(asked, 0, 0), "filter", filter_agrees);

	ck_assert_uint_ge(count, asked);
	printf("count: filter cases %zu\n", count);
}
END_TEST

/* ---- regular expressions ---- */

/* Matches for which the second engine had too many alternatives. */
static size_t given_up;

static void expression_agrees(const struct row *row, char **words)
{
	struct regexp *regexp = NULL;
	enum wb_error error = regexp_compile(row->fields[1], &regexp);

	ck_assert_msg(!error, "expression %s: %s", words[1],
		      wb_error_code(error));
	for (size_t i = 0; i < subject_count; i++) {
		bool expected = words[3][i] == '1';
		bool match = !expected;
		bool wide = !expected;

		error = regexp_match(regexp, subjects[i], &match);
		ck_assert_msg(!error, "expression %s, subject %zu: %s",
			      words[1], i, wb_error_code(error));
		error = regexp_match_wide(regexp, subjects[i], &wide);
		if (error == WB_TOO_LARGE) {
			given_up++;
			wide = expected;
			error = WB_OK;
		}
		ck_ok(error);
		ck_assert_msg(match == expected && wide == expected,
			      "expression %s (%s), subject %zu (%s): %d %d",
			      words[1], (const char *)row->fields[1].data, i,
			      (const char *)subjects[i].data, match, wide);
	}
	regexp_free(regexp);
}

START_TEST(regular_expressions_match_as_in_go)
{
	uint64_t asked = rounds(3000, 200000);
	size_t count = for_each(run_containerd(0, asked, 0), "expression",
				expression_agrees);

	/* Some are none in Go. */
	ck_assert_uint_ge(count, asked * 2 / 3);
	ck_assert_uint_lt(given_up, count * subject_count / 100);
	printf("count: regular expressions against Go's %zu\n", count);
}
END_TEST

/* ---- names ---- */

static void reference_agrees(const struct row *row, char **words)
{
	const char *reference = row->fields[1].data;
	const char *expected_error = row->fields[2].data;
	struct wb_text text = {""};
	struct sentence whole = {.size = 0};
	char *name = NULL;
	enum wb_error error = wb_reference_normalise(reference, &name, &text);

	ck_assert_msg(!error == !*expected_error, "reference %s (%s): %s",
		      words[1], reference, text.text);
	if (error) {
		/* One text is containerd's own; the others get the name. */
		if (strncmp(expected_error, "invalid repository name", 23))
			sentence_format(&whole, "reference %q: ", reference);
		sentence_add(&whole, expected_error);
		ck_assert_int_eq(error, WB_BAD_INPUT);
		ck_assert_msg(!strncmp(text.text, whole.text, 500),
			      "reference %s: %s, not %s", reference, text.text,
			      whole.text);
		ck_assert_ptr_null(name);
		return;
	}
	ck_assert_str_eq(name, row->fields[3].data);
	free(name);
}

static void digest_agrees(const struct row *row, char **words)
{
	const char *problem = digest_problem(row->fields[1].data);

	(void)words;
	ck_assert_str_eq(problem ? problem : "", row->fields[2].data);
}

static void namespace_agrees(const struct row *row, char **words)
{
	const char *ns = row->fields[1].data;
	const char *problem = row->fields[2].data;
	struct wb_text text = {""};
	enum wb_error error = wb_namespace_validate(ns, &text);

	(void)words;
	if (!*ns) {
		ck_error(error, WB_PRECONDITION);
		return;
	}
	ck_error(error, *problem ? WB_BAD_INPUT : WB_OK);
	if (error) {
		ck_assert(!strncmp(text.text, "namespace validation: ", 22));
		ck_assert_str_eq(text.text + 22, problem);
	}
}

static void quoting_agrees(const struct row *row, char **words)
{
	struct sentence sentence = {.size = 0};

	(void)words;
	sentence_quote(&sentence, row->fields[1]);
	ck_assert_str_eq(sentence.text, row->fields[2].data);
}

static const struct {
	const char *word;
	void (*visit)(const struct row *row, char **words);
} names[] = {
	{"reference", reference_agrees},
	{"digest", digest_agrees},
	{"namespace", namespace_agrees},
	{"quote", quoting_agrees},
};

START_TEST(names_are_judged_as_by_containerd)
{
	uint64_t asked = rounds(5000, 100000);
	size_t count = for_each(run_containerd(0, 0, asked), names[_i].word,
				names[_i].visit);

	ck_assert_uint_ge(count, asked);
	printf("count: %s cases %zu\n", names[_i].word, count);
}
END_TEST

/* ---- characters ---- */

static uint32_t seen_to;
static bool (*property)(uint32_t character);

static void range_agrees(const struct row *row, char **words)
{
	uint32_t first = (uint32_t)strtoul(words[1], NULL, 10);
	uint32_t last = (uint32_t)strtoul(words[2], NULL, 10);

	(void)row;
	for (; seen_to < first; seen_to++)
		ck_assert_msg(!property(seen_to), "U+%04X", seen_to);
	for (; seen_to <= last; seen_to++)
		ck_assert_msg(property(seen_to), "U+%04X", seen_to);
}

START_TEST(every_character_has_the_properties_that_go_gives_it)
{
	property = _i ? unicode_is_space : unicode_is_graphic;
	seen_to = 0;
	for_each(run_containerd(0, 0, 0), _i ? "space" : "graphic",
		 range_agrees);
	ck_assert_uint_gt(seen_to, 0x3000);
	for (; seen_to <= UNICODE_LAST; seen_to++)
		ck_assert_msg(!property(seen_to), "U+%04X", seen_to);
}
END_TEST

/* ---- what is meant to differ ---- */

/* In Go the answer is the opposite. */
static const struct {
	const char *expression;
	const char *subject;
	bool ours;
	const char *reason;
} differences[] = {
	{"(?i)\\p{Lu}", "a", false, "PCRE2 does not fold categories"},
	{"(?i)\\p{Ll}", "A", false, "PCRE2 does not fold categories"},
	{"\\p{Lu}", "\xE2\xB0\xAF", true, "U+2C2F is new in Unicode 14"},
};

START_TEST(these_answers_differ_from_containerds_and_are_meant_to)
{
	struct regexp *regexp;
	bool match = !differences[_i].ours;

	ck_ok(regexp_compile(bytes_of(differences[_i].expression), &regexp));
	ck_ok(regexp_match(regexp, bytes_of(differences[_i].subject), &match));
	ck_assert_msg(match == differences[_i].ours, "%s: %s",
		      differences[_i].expression, differences[_i].reason);
	regexp_free(regexp);
}
END_TEST

#define COUNT(table) (int)(sizeof(table) / sizeof(*(table)))

int main(void)
{
	Suite *suite = suite_create("filter_cases");
	TCase *tcase = tcase_create("filter_cases");

	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, filters_answer_as_containerds_own_table_says);
	tcase_add_test(tcase, filters_answer_as_containerd_does);
	tcase_add_test(tcase, regular_expressions_match_as_in_go);
	tcase_add_loop_test(tcase, names_are_judged_as_by_containerd, 0,
			    COUNT(names));
	tcase_add_loop_test(tcase,
			    every_character_has_the_properties_that_go_gives_it,
			    0, 2);
	tcase_add_loop_test(
		tcase, these_answers_differ_from_containerds_and_are_meant_to,
		0, COUNT(differences));
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
