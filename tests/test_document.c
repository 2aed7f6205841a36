/* SPDX-License-Identifier: Apache-2.0
 *
 * A dump is whole and right, or it is refused: cut anywhere, changed anywhere,
 * and also where somebody made the sum right again.
 */
#include "dump/document.h"

#include "tests/support/cargo.h"
#include "tests/support/paper.h"

#include <inttypes.h>

#define DIGEST                                       \
	"sha256:11111111111111111111111111111111111" \
	"11111111111111111111111111111"

static struct paper paper, spoilt;
static struct wb_dump_summary summary = {.size = sizeof(summary)};
static struct wb_text text;

static void tear_down(void)
{
	paper_release(&paper);
	paper_release(&spoilt);
}

static enum wb_error check(struct paper *what)
{
	text = (struct wb_text){""};
	return wb_dump_check(paper_read, what, &summary, &text);
}

/* A state, and a history: of several lines of each type. */
static void make(bool history, uint64_t seed, unsigned commits)
{
	struct wb_dump_options options = {.size = sizeof(options),
					  .history = history};
	struct cargo cargo;

	cargo_make(&cargo, seed, commits);
	paper_dump(&paper, cargo.shelf.store, &options);
	cargo_release(&cargo);
}

START_TEST(a_dump_is_taken_and_summed_up)
{
	make(false, 1, 60);
	ck_ok(check(&paper));
	ck_assert(!summary.history);
	ck_assert_uint_eq(summary.count, paper_lines(&paper) - 2);
	ck_assert_uint_eq(summary.records, summary.count);
	ck_assert_uint_eq(summary.commits, 0);
	make(true, 1, 60);
	ck_ok(check(&paper));
	ck_assert(summary.history);
	ck_assert_uint_eq(summary.count, paper_lines(&paper) - 2);
	ck_assert_uint_eq(summary.records, 0);
	ck_assert_uint_gt(summary.commits, 40);
	ck_ok(wb_dump_check(paper_read, &paper, NULL, NULL));
}
END_TEST

/* ---- cut and changed ---- */

static void must_refuse(const char *how, size_t at)
{
	enum wb_error error = check(&spoilt);

	/* The first line may now say that it is of a later version. */
	if (error != WB_BAD_INPUT && error != WB_UNSUPPORTED)
		ck_abort_msg("%s %zu: %s", how, at, wb_error_code(error));
	if (strncmp(text.text, "line ", 5) != 0 && error == WB_BAD_INPUT)
		ck_abort_msg("%s %zu: %s", how, at, text.text);
}

static uint64_t refused;

static void cut_everywhere(void)
{
	for (size_t at = 0; at < paper.size; at++, refused++) {
		paper_set(&spoilt, paper.bytes, at);
		must_refuse("cut at", at);
	}
}

static void flip_everywhere(struct rng *rng)
{
	paper_set(&spoilt, paper.bytes, paper.size);
	for (size_t at = 0; at < paper.size; at++, refused++) {
		char was = spoilt.bytes[at];

		do
			spoilt.bytes[at] = (char)rng_next(rng);
		while (spoilt.bytes[at] == was);
		must_refuse("a byte changed at", at);
		spoilt.bytes[at] = (char)(was ^ (1 << rng_below(rng, 8)));
		must_refuse("a bit flipped at", at);
		spoilt.bytes[at] = was;
	}
}

static void insert_and_remove_everywhere(struct rng *rng)
{
	for (size_t at = 0; at <= paper.size; at++, refused++) {
		char byte = (char)rng_next(rng);

		paper_set(&spoilt, paper.bytes, at);
		paper_write(&spoilt, rng_chance(rng, 1, 2) ? " " : &byte, 1);
		paper_write(&spoilt, paper.bytes + at, paper.size - at);
		must_refuse("a byte more at", at);
		if (at == paper.size)
			break;
		paper_set(&spoilt, paper.bytes, at);
		paper_write(&spoilt, paper.bytes + at + 1, paper.size - at - 1);
		must_refuse("a byte less at", at);
	}
}

/* Line `a` is written `times` times, and lines `a` and `b` change places. */
static void arrange(size_t a, size_t b, unsigned times)
{
	size_t lines = paper_lines(&paper);

	spoilt.size = 0;
	for (size_t line = 1; line <= lines; line++) {
		size_t which = line == a ? b : line == b ? a : line;
		size_t from = paper_line(&paper, which);
		size_t end = paper_line(&paper, which + 1);

		for (unsigned left = line == a ? times : 1; left > 0; left--)
			paper_write(&spoilt, paper.bytes + from, end - from);
	}
}

static void rearrange_lines(void)
{
	size_t lines = paper_lines(&paper);

	for (size_t line = 1; line <= lines; line++, refused++) {
		arrange(line, line, 0);
		must_refuse("without line", line);
		arrange(line, line, 2);
		must_refuse("twice line", line);
		if (line == lines)
			continue;
		arrange(line, line + 1, 1);
		must_refuse("the next one before line", line);
	}
}

/* Of several lines, none of which is long: each byte of it is spoilt. */
static void make_small(bool history)
{
	uint64_t seed = 1;

	do
		make(history, seed++, 3);
	while (paper.size > 3000 || paper_lines(&paper) < 6);
}

START_TEST(what_was_cut_or_changed_is_refused)
{
	refused = 0;
	for (unsigned history = 0; history < 2; history++) {
		struct rng rng = rng_of(history);

		make_small(history);
		cut_everywhere();
		flip_everywhere(&rng);
		insert_and_remove_everywhere(&rng);
		rearrange_lines();
		/* Two in one file, and one that is fed twice. */
		paper_set(&spoilt, paper.bytes, paper.size);
		paper_write(&spoilt, paper.bytes, paper.size);
		must_refuse("twice", 0);
	}
	ck_assert_uint_gt(refused, 5000);
	printf("count: dumps spoilt and refused %" PRIu64 "\n", refused);
}
END_TEST

/* ---- with a right sum ---- */

#define HEADER "{\"format\":\"waybill-dump\",\"version\":1,\"content\":"
#define STATE  HEADER "\"state\"}\n"
#define HISTORY \
	HEADER "\"history\",\"uuid\":\"00112233445566778899aabbccddeeff\"}\n"
#define RECORD(kind, ns, name)                                       \
	"{\"type\":\"record\",\"kind\":" kind ",\"namespace\":\"" ns \
	"\",\"name\":\"" name "\",\"value\":\"\"}\n"
#define DELETION                                                          \
	"{\"type\":\"deletion\",\"kind\":64,\"namespace\":\"\",\"name\":" \
	"\"a\"}\n"
#define COMMIT(revision, changes)                                          \
	"{\"type\":\"commit\",\"revision\":" revision                      \
	",\"time\":\"2026-01-01T00:00:00Z\",\"actor\":{\"uid\":1,\"gid\":" \
	"1,\"pid\":1},\"changes\":" changes "}\n"
#define A RECORD("64", "", "a")

static const struct {
	const char *lines;
	const char *says; /* NULL: it is right */
} sealed[] = {
	{STATE, NULL},
	{STATE A, NULL},
	{STATE RECORD("64", "", "a") RECORD("64", "", "b"), NULL},
	{STATE RECORD("64", "", "a") RECORD("64", "", "aa"), NULL},
	{STATE RECORD("64", "a", "b") RECORD("64", "aa", "a"), NULL},
	{STATE RECORD("64", "b", "a") RECORD("65", "", "a"), NULL},
	{STATE RECORD("64", "", "z") RECORD("64", "a", "a"), NULL},
	{HISTORY, NULL},
	{HISTORY COMMIT("1", "1") A, NULL},
	{HISTORY COMMIT("1", "1") RECORD("1", "n", "a"), NULL},
	{HISTORY COMMIT("1", "2") A DELETION COMMIT("2", "1") A, NULL},
	{"", "line 1: not the first line of a dump"},
	{A, "line 1: not the first line of a dump"},
	{STATE STATE, "line 2: has no place in the dump of a state"},
	{STATE COMMIT("1", "1") A, "line 2: has no place"},
	{STATE DELETION, "line 2: has no place"},
	{STATE A A, "line 3: the same key as before"},
	{STATE RECORD("64", "", "b") A, "line 3: the key is out of order"},
	{STATE RECORD("64", "", "aa") A, "line 3: the key is out of order"},
	{STATE RECORD("65", "", "a") A, "line 3: the key is out of order"},
	{STATE RECORD("64", "a", "a") A, "line 3: the key is out of order"},
	{STATE RECORD("194", "", "a"), "line 2: \"kind\" is one of a store's"},
	{STATE RECORD("1", "n", "a"), "line 2: \"value\" is no image"},
	{STATE "{\"type\":\"none\"}\n", "line 2: unknown type \"none\""},
	{STATE "\n", "line 2: column 1: an object is expected"},
	{HISTORY HISTORY, "line 2: has no place in the dump of a history"},
	{HISTORY A, "line 2: a change that is of no commit"},
	{HISTORY COMMIT("1", "1") A A, "line 4: a change that is of no commit"},
	{HISTORY COMMIT("2", "1") A, "line 2: the revision does not follow"},
	{HISTORY COMMIT("1", "1") A COMMIT("1", "1") A,
	 "line 4: the revision does not follow"},
	{HISTORY COMMIT("1", "1") A COMMIT("3", "1") A,
	 "line 4: the revision does not follow"},
	{HISTORY COMMIT("1", "2") A COMMIT("2", "1") A,
	 "line 4: a commit, where the one before lacks a change"},
	{HISTORY COMMIT("1", "2") A,
	 "line 4: the end, where the last commit lacks a change"},
};

START_TEST(rules_hold_where_the_sum_is_right)
{
	for (size_t at = 0; at < sizeof(sealed) / sizeof(*sealed); at++) {
		paper_text(&paper, sealed[at].lines);
		paper_end(&paper);
		if (!sealed[at].says) {
			ck_assert_msg(!check(&paper), "%s", text.text);
			continue;
		}
		ck_error(check(&paper), WB_BAD_INPUT);
		ck_assert_msg(strncmp(text.text, sealed[at].says,
				      strlen(sealed[at].says)) == 0,
			      "%s: %s", sealed[at].lines, text.text);
	}
}
END_TEST

START_TEST(the_end_is_told_by_what_is_wrong_with_it)
{
	static const struct {
		const char *end, *says;
	} table[] = {
		{"{\"type\":\"end\",\"count\":2,\"sha256\":"
		 "\"0000000000000000000000000000000000000000000000000000000000"
		 "000000\"}\n",
		 "line 3: \"count\" is not how many lines there are"},
		{"{\"type\":\"end\",\"count\":1,\"sha256\":"
		 "\"0000000000000000000000000000000000000000000000000000000000"
		 "000000\"}\n",
		 "line 3: \"sha256\" is not that of the lines before: the dump "
		 "was changed"},
		{RECORD("64", "", "b"),
		 "line 3: the dump has no end: it was cut short"},
		{"", "line 2: the dump has no end: it was cut short"},
	};

	for (size_t at = 0; at < 4; at++) {
		paper_text(&paper, STATE A);
		paper_write(&paper, table[at].end, strlen(table[at].end));
		ck_error(check(&paper), WB_BAD_INPUT);
		ck_assert_str_eq(text.text, table[at].says);
	}
	paper_text(&paper, STATE A);
	paper_end(&paper);
	paper_write(&paper, "\n", 1);
	ck_error(check(&paper), WB_BAD_INPUT);
	ck_assert_str_eq(text.text, "line 3: more follows the end");
}
END_TEST

START_TEST(what_is_no_dump_is_told_in_its_first_line)
{
	static const char *const table[] = {"PK\003\004", "\n\n", "[1]\n",
					    "{\"type\":\"end\"}\n"};

	for (size_t at = 0; at < 4; at++) {
		paper_text(&paper, table[at]);
		ck_error(check(&paper), WB_BAD_INPUT);
		ck_assert_int_eq(strncmp(text.text, "line 1: ", 8), 0);
	}
	paper_text(&paper,
		   "{\"format\":\"waybill-dump\",\"version\":2,\"new\":1}\n");
	ck_error(check(&paper), WB_UNSUPPORTED);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("document");
	TCase *tcase = tcase_create("document");

	tcase_set_timeout(tcase, 120);
	tcase_add_checked_fixture(tcase, NULL, tear_down);
	tcase_add_test(tcase, a_dump_is_taken_and_summed_up);
	tcase_add_test(tcase, what_was_cut_or_changed_is_refused);
	tcase_add_test(tcase, rules_hold_where_the_sum_is_right);
	tcase_add_test(tcase, the_end_is_told_by_what_is_wrong_with_it);
	tcase_add_test(tcase, what_is_no_dump_is_told_in_its_first_line);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
