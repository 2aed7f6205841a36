/* SPDX-License-Identifier: Apache-2.0
 *
 * The parser, on tables of the test's own.
 */
#include "tools/options.h"

#include "tests/support/suite.h"
#include "tools/nearest.h"

#include <string.h>

static const struct option paint_items[] = {
	{OPTION_SIZE, 's', "size", OPTION_IS_NUMBER, "N", "how much"},
	{OPTION_LABEL, 0, "label", OPTION_IS_LIST, "L", "which"},
	{OPTION_FORCE, 'f', "force", OPTION_IS_FLAG, NULL, "anyway"},
};
static const struct option look_items[] = {
	{OPTION_PREFIX, 0, "prefix", OPTION_IS_TEXT, "P", "where"},
};
static const struct command paint = {
	.name = "paint",
	.operands = "WALL\n"
		    "WALL COLOR",
	.operands_min = 1,
	.operands_max = 2,
	.options = {"Options of paint", paint_items, 3},
	.writes = true,
};
static const struct command look = {
	.name = "look",
	.operands = "",
	.options = {"Options of look", look_items, 1},
};
static const struct command hang_picture = {
	.name = "hang picture",
	.operands = "WALL",
	.operands_min = 1,
	.operands_max = 1,
};
static const struct command hang_up = {
	.name = "hang up",
	.operands = "",
	.options = {"Options of hang up", look_items, 1},
};
static const struct command *const all[] = {&paint, &hang_picture, &look,
					    &hang_up, NULL};

static struct scratch scratch;
static struct arguments arguments;
static struct wb_text text;

/* Splits at spaces; a word `''` is the empty string. */
static enum wb_error parse(const char *line)
{
	static char copy[256];
	char *argv[24] = {(char[]){"waybill"}};
	int argc = 1;

	scratch_release(&scratch);
	text.text[0] = '\0';
	ck_assert_uint_lt(strlen(line), sizeof(copy));
	strcpy(copy, line);
	for (char *word = strtok(copy, " "); word; word = strtok(NULL, " ")) {
		ck_assert_int_lt(argc, 24);
		argv[argc++] = strcmp(word, "''") == 0 ? word + 2 : word;
	}
	return options_parse(all, argc, argv, &scratch, &arguments, &text);
}

static void expect(const char *line)
{
	enum wb_error error = parse(line);

	ck_assert_msg(error == WB_OK, "%s: %s", line, text.text);
}

static const struct option_value *value(enum option_id id)
{
	return &arguments.values[id];
}

START_TEST(options_stand_before_and_after_operands)
{
	static const char *const lines[] = {
		"paint wall red --size 3 --json",
		"--json paint --size=3 wall red",
		"paint wall --json --size=3 red",
		"--json paint wall -s 3 red",
		"paint -s3 wall red --json",
		"paint --size 3 --json -- wall red",
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		expect(lines[i]);
		ck_assert_ptr_eq(arguments.command, &paint);
		ck_assert_uint_eq(arguments.operand_count, 2);
		ck_assert_str_eq(arguments.operands[0], "wall");
		ck_assert_str_eq(arguments.operands[1], "red");
		ck_assert(value(OPTION_JSON)->given);
		ck_assert(value(OPTION_SIZE)->given);
		ck_assert_uint_eq(value(OPTION_SIZE)->number, 3);
		ck_assert(!value(OPTION_FORCE)->given);
		ck_assert(!value(OPTION_RAW)->given);
	}
}
END_TEST

START_TEST(letters_can_be_joined)
{
	expect("paint -qfn blue wall");
	ck_assert(value(OPTION_QUIET)->given);
	ck_assert(value(OPTION_FORCE)->given);
	ck_assert_str_eq(value(OPTION_NAMESPACE)->text, "blue");
	expect("-0nblue look");
	ck_assert(value(OPTION_NULL)->given);
	ck_assert_str_eq(value(OPTION_NAMESPACE)->text, "blue");
}
END_TEST

START_TEST(one_dash_is_an_operand_and_two_end_the_options)
{
	expect("paint - --json");
	ck_assert_str_eq(arguments.operands[0], "-");
	ck_assert(value(OPTION_JSON)->given);
	expect("paint -- --json --");
	ck_assert_str_eq(arguments.operands[0], "--json");
	ck_assert_str_eq(arguments.operands[1], "--");
	ck_assert(!value(OPTION_JSON)->given);
}
END_TEST

START_TEST(a_value_may_look_like_anything)
{
	expect("look --prefix --json");
	ck_assert_str_eq(value(OPTION_PREFIX)->text, "--json");
	ck_assert(!value(OPTION_JSON)->given);
	expect("look --prefix=");
	ck_assert(value(OPTION_PREFIX)->given);
	ck_assert_str_eq(value(OPTION_PREFIX)->text, "");
	expect("look --prefix=a=b");
	ck_assert_str_eq(value(OPTION_PREFIX)->text, "a=b");
	expect("look --prefix ''");
	ck_assert_str_eq(value(OPTION_PREFIX)->text, "");
}
END_TEST

START_TEST(a_list_keeps_all_in_order)
{
	expect("paint --label c --label=a wall --label b");
	ck_assert_uint_eq(value(OPTION_LABEL)->count, 3);
	ck_assert_str_eq(value(OPTION_LABEL)->list[0], "c");
	ck_assert_str_eq(value(OPTION_LABEL)->list[1], "a");
	ck_assert_str_eq(value(OPTION_LABEL)->list[2], "b");
}
END_TEST

START_TEST(a_writing_command_takes_the_options_of_writing)
{
	expect("paint wall --reason because --if-revision 7");
	ck_assert_str_eq(value(OPTION_REASON)->text, "because");
	ck_assert_uint_eq(value(OPTION_IF_REVISION)->number, 7);
	ck_assert_int_eq(parse("look --reason because"), WB_USAGE);
}
END_TEST

START_TEST(a_command_may_have_two_words)
{
	expect("hang picture wall");
	ck_assert_ptr_eq(arguments.command, &hang_picture);
	ck_assert_uint_eq(arguments.operand_count, 1);
	ck_assert_str_eq(arguments.operands[0], "wall");
	expect("--json hang -q up --prefix p");
	ck_assert_ptr_eq(arguments.command, &hang_up);
	ck_assert(value(OPTION_JSON)->given);
	ck_assert(value(OPTION_QUIET)->given);
	ck_assert_str_eq(value(OPTION_PREFIX)->text, "p");
	expect("hang --help");
	ck_assert_ptr_null(arguments.command);
	ck_assert_str_eq(arguments.group, "hang");
}
END_TEST

START_TEST(help_and_version_need_nothing_else)
{
	static const char *const lines[] = {"--help",
					    "-h",
					    "paint --help",
					    "--version",
					    "paint --version",
					    "look too many --help"};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		expect(lines[i]);
}
END_TEST

/* What is wrong, and what the sentence must name. */
static const struct {
	const char *line;
	const char *says;
} refusals[] = {
	{"", "no command"},
	{"--json", "no command"},
	{"dance", "unknown command dance; see `waybill --help`"},
	{"piant wall", "did you mean paint?"},
	{"loo", "did you mean look?"},
	{"hang", "hang is the first of two words; see `waybill hang --help`"},
	{"hagn up", "unknown command hagn; did you mean hang?"},
	{"hang pp", "unknown command hang pp; did you mean hang up?"},
	{"hang paint", "see `waybill hang --help`"},
	{"hang look", "see `waybill hang --help`"},
	{"up", "unknown command up; see"},
	{"hang\tup", "unknown command"},
	{"hang up now", "unexpected argument now: waybill hang up"},
	{"hang picture", "too few arguments: waybill hang picture WALL"},
	{"hang picture x --prefix y", "no option --prefix here, but look has "
				      "one; see `waybill hang picture --help`"},
	{"paint", "too few arguments: waybill paint WALL | WALL COLOR"},
	{"paint a b c", "unexpected argument c: waybill paint WALL | WALL"},
	{"look at", "unexpected argument at: waybill look"},
	{"paint wall --sise 3", "unknown option --sise; did you mean --size?"},
	{"paint wall --siz=3", "did you mean --size?"},
	{"paint wall --forec", "did you mean --force?"},
	{"paint wall --jsno", "did you mean --json?"},
	{"paint wall --raeson x", "did you mean --reason?"},
	{"paint wall --op x", "did you mean --operation-id?"},
	{"paint wall --zzzzzzzz", "unknown option --zzzzzzzz; see `waybill "
				  "paint --help`"},
	{"--zzzzzzzz", "see `waybill --help`"},
	{"paint wall --prefix x", "no option --prefix here, but look has one; "
				  "see `waybill paint --help`"},
	{"look --size 3", "no option --size here, but paint has one"},
	{"look --if-absent", "no option --if-absent here, but paint has one"},
	{"--size 3 paint wall", "write it after `paint`"},
	{"paint wall -x", "unknown option -x; see `waybill paint --help`, or "
			  "write -- before"},
	{"paint wall -qx", "unknown option -x; see `waybill paint --help`"},
	{"look -x", "unknown option -x; see `waybill look --help`"},
	{"-x", "unknown option -x; see `waybill --help`"},
	{"paint wall -json", "did you mean --json?"},
	{"paint wall -size=3", "did you mean --size=3?"},
	{"paint wall --force=yes", "--force takes no value"},
	{"paint wall --size", "--size needs a value: --size N"},
	{"paint wall -s", "--size needs a value: --size N"},
	{"paint wall --size=", "not a whole number"},
	{"paint wall --size -3", "not a whole number"},
	{"paint wall --size 3k", "not a whole number"},
	{"paint wall --size 0x3", "not a whole number"},
	{"paint wall --size 18446744073709551616",
	 "--size 18446744073709551616: larger than 18446744073709551615"},
	{"paint wall --revision 3", "unknown option --revision; see"},
	{"paint wall --size 3 --size 4", "--size is given twice"},
	{"look --color", "--color needs a value: --color auto|always|never"},
	{"look --color red", "--color red: not one of auto|always|never"},
	{"look --color al", "not one of"},
	{"look --color auto|always", "not one of"},
	{"look --color=", "not one of"},
	{"look --store a --store b", "--store is given twice"},
};

START_TEST(a_refusal_names_what_is_right)
{
	size_t size;

	ck_assert_msg(parse(refusals[_i].line) == WB_USAGE, "accepted: %s",
		      refusals[_i].line);
	ck_assert_msg(strstr(text.text, refusals[_i].says), "%s: says: %s",
		      refusals[_i].line, text.text);
	ck_assert_ptr_null(strchr(text.text, '\n'));
	size = strlen(text.text);
	ck_assert_int_ne(text.text[size - 1], ' ');
}
END_TEST

/* And how, where --json says so before or behind the mistake. */
START_TEST(an_error_is_the_first_and_options_count_wherever_they_stand)
{
	static const char *const lines[] = {
		"--json paint wall --sise 3",
		"paint wall --sise 3 --json",
		"paint --sise --json wall",
		"paint wall --size x --json",
		"paint wall -x --json --zzzzz",
		"piant wall --json",
		"piant paint --json",
		"--zzzzz paint wall --json",
		"paint --json",
	};
	static const char *const says[] = {
		"--sise", "--sise", "--sise",  "--size x", "-x",
		"piant",  "piant",  "--zzzzz", "too few",
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		ck_assert_int_eq(parse(lines[i]), WB_USAGE);
		ck_assert_msg(value(OPTION_JSON)->given, "%s", lines[i]);
		ck_assert_msg(strstr(text.text, says[i]), "%s: says: %s",
			      lines[i], text.text);
	}
	/* It is a value here, and an operand there. */
	ck_assert_int_eq(parse("paint --sise --reason --json"), WB_USAGE);
	ck_assert(!value(OPTION_JSON)->given);
	ck_assert_int_eq(parse("paint --sise -- --json"), WB_USAGE);
	ck_assert(!value(OPTION_JSON)->given);
	/* An unknown command is none, whatever follows. */
	ck_assert_int_eq(parse("piant paint wall"), WB_USAGE);
	ck_assert_ptr_null(arguments.command);
}
END_TEST

START_TEST(help_is_a_word_too)
{
	expect("help");
	ck_assert(value(OPTION_HELP)->given);
	ck_assert_ptr_null(arguments.command);
	expect("help look");
	ck_assert(value(OPTION_HELP)->given);
	ck_assert_ptr_eq(arguments.command, &look);
	expect("paint help");
	ck_assert(!value(OPTION_HELP)->given);
}
END_TEST

START_TEST(flags_may_be_repeated)
{
	expect("--json look --json -qq");
	ck_assert(value(OPTION_JSON)->given);
}
END_TEST

START_TEST(edits_are_counted)
{
	static const struct {
		const char *a;
		const char *b;
		size_t distance;
	} table[] = {{"", "", 0},	  {"", "abc", 3},
		     {"abc", "abc", 0},	  {"abc", "abd", 1},
		     {"abc", "acb", 1},	  {"abc", "ab", 1},
		     {"ab", "abc", 1},	  {"kitten", "sitting", 3},
		     {"json", "store", 4}};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		ck_assert_uint_eq(edit_distance(table[i].a, table[i].b),
				  table[i].distance);
		ck_assert_uint_eq(edit_distance(table[i].b, table[i].a),
				  table[i].distance);
	}
	ck_assert_uint_eq(edit_distance("a", "a word that is much too long to "
					     "be an option"),
			  SIZE_MAX);
}
END_TEST

static void release(void)
{
	scratch_release(&scratch);
}

int main(void)
{
	Suite *suite = suite_create("options");
	TCase *cases = tcase_create("options");

	tcase_add_checked_fixture(cases, NULL, release);
	tcase_add_test(cases, options_stand_before_and_after_operands);
	tcase_add_test(cases, letters_can_be_joined);
	tcase_add_test(cases, one_dash_is_an_operand_and_two_end_the_options);
	tcase_add_test(cases, a_value_may_look_like_anything);
	tcase_add_test(cases, a_list_keeps_all_in_order);
	tcase_add_test(cases, a_writing_command_takes_the_options_of_writing);
	tcase_add_test(cases, a_command_may_have_two_words);
	tcase_add_test(cases, help_and_version_need_nothing_else);
	tcase_add_loop_test(cases, a_refusal_names_what_is_right, 0,
			    sizeof(refusals) / sizeof(refusals[0]));
	tcase_add_test(
		cases,
		an_error_is_the_first_and_options_count_wherever_they_stand);
	tcase_add_test(cases, help_is_a_word_too);
	tcase_add_test(cases, flags_may_be_repeated);
	tcase_add_test(cases, edits_are_counted);
	suite_add_tcase(suite, cases);
	return suite_run(suite);
}
