/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/conformance/images.h"

#include "tests/support/suite.h"

#include <stddef.h>
#include <string.h>

START_TEST(what_was_stored_comes_back)
{
	struct wb_image image = plain("docker.io/library/redis:7");
	struct wb_image *stored;

	image.labels = LABELS({"z", "1"}, {"a", "2"}, {"m.x/y", "\xC3\xA9"});
	image.target.annotations = LABELS({"two", "2"}, {"one", "1"});
	image.created_at_ns = 1;
	image.updated_at_ns = 2;
	image.revision = 3;
	given_image(&image);
	stored = got("docker.io/library/redis:7");
	ck_assert_str_eq(shape(stored),
			 "labels a=2 m.x/y=\xC3\xA9 z=1; target " MEDIA
			 " " DIGEST_A " 7; annotations one=1 two=2");
	ck_assert_int_gt(stored->created_at_ns, 2);
	ck_assert_int_eq(stored->created_at_ns, stored->updated_at_ns);
	ck_assert_uint_gt(stored->revision, 0);
	wb_image_free(stored);
}
END_TEST

static const struct {
	const char *name;
	const char *text;
} missing[] = {
	{"x", "image \"x\": not found"},
	{"", "image \"\": not found"},
	{"a\"b\n", "image \"a\\\"b\\n\": not found"},
	{"\xE5\x90\x8D", "image \"\xE5\x90\x8D\": not found"},
	{"\xFF", "image \"\\xff\": not found"},
	{"\xC2\xA0", "image \"\\u00a0\": not found"},
};

START_TEST(what_is_not_there_is_not_found)
{
	struct wb_text text = {""};
	struct wb_image *image = (struct wb_image *)&text;
	enum wb_error error;

	given("y");
	error = images->ops->get(images, &call, missing[_i].name, &image,
				 &text);
	ck_answer(error, WB_NOT_FOUND, text, missing[_i].text);
	ck_assert_ptr_eq(image, (struct wb_image *)&text);
	text.text[0] = 0;
	error = images->ops->remove(images, &call, missing[_i].name, NULL, NULL,
				    NULL, NULL, &text);
	ck_answer(error, WB_NOT_FOUND, text, missing[_i].text);
	ck_assert_str_eq(names(), "y ");
}
END_TEST

START_TEST(a_name_beyond_the_limit_is_not_found)
{
	char name[4200];
	struct wb_text text = {""};

	memset(name, 'n', sizeof(name));
	name[4097] = 0;
	ck_error(images->ops->get(images, &call, name, NULL, &text),
		 WB_NOT_FOUND);
	ck_assert(!strncmp(text.text, "image \"nnn", 10));
	name[4096] = 0;
	ck_error(images->ops->get(images, &call, name, NULL, &text),
		 WB_NOT_FOUND);
	given(name);
	ck_ok(images->ops->get(images, &call, name, NULL, &text));
}
END_TEST

/* ---- namespaces ---- */

#define MUST_MATCH                                                       \
	" must match ^[A-Za-z0-9]+(?:[._-](?:[A-Za-z0-9]+))*$: invalid " \
	"argument"
#define NS_76                                   \
	"nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn" \
	"nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"

static const struct {
	const char *ns;
	enum wb_error error;
	const char *text;
} namespaces[] = {
	{NULL, WB_PRECONDITION, "namespace is required: failed precondition"},
	{"", WB_PRECONDITION, "namespace is required: failed precondition"},
	{"-bad", WB_BAD_INPUT,
	 "namespace validation: identifier \"-bad\"" MUST_MATCH},
	{"a..b", WB_BAD_INPUT,
	 "namespace validation: identifier \"a..b\"" MUST_MATCH},
	{"a/b", WB_BAD_INPUT,
	 "namespace validation: identifier \"a/b\"" MUST_MATCH},
	{NS_76 "n", WB_BAD_INPUT,
	 "namespace validation: identifier \"" NS_76 "n\" greater than maximum "
	 "length (76 characters): invalid argument"},
};

static bool count_image(void *context, const struct wb_image *image)
{
	(void)image;
	*(size_t *)context += 1;
	return true;
}

static bool count_version(void *context, const struct wb_image_version *version)
{
	(void)version;
	*(size_t *)context += 1;
	return true;
}

/* One operation after the other in a namespace that may be bad. */
static enum wb_error operate(int operation, const struct wb_call *in,
			     struct wb_text *text)
{
	struct wb_image image = plain("a");
	struct wb_image_mutation mutation = {.put = &image};
	size_t count = 0;

	switch (operation) {
	case 0:
		return images->ops->list(images, in, NULL, count_image, &count,
					 NULL, text);
	case 1:
		return images->ops->create(images, in, &image, NULL, NULL,
					   text);
	case 2:
		return images->ops->get(images, in, "a", NULL, text);
	case 3:
		return images->ops->put(images, in, &image, NULL, NULL, NULL,
					text);
	case 4:
		return images->ops->update(images, in, &image, NULL, 0, NULL,
					   NULL, NULL, text);
	case 5:
		return images->ops->apply(images, in, &mutation, 1, false, NULL,
					  NULL, NULL, text);
	case 6:
		return images->ops->history(images, in, "a", 0, 0,
					    count_version, &count, text);
	default:
		return images->ops->remove(images, in, "a", NULL, NULL, NULL,
					   NULL, text);
	}
}

START_TEST(a_namespace_is_checked_before_all_else)
{
	struct wb_call in = call_in(namespaces[_i].ns);

	for (int operation = 0; operation < 8; operation++) {
		struct wb_text text = {""};
		enum wb_error error = operate(operation, &in, &text);

		ck_answer(error, namespaces[_i].error, text,
			  namespaces[_i].text);
	}
	ck_assert_str_eq(names(), "");
}
END_TEST

START_TEST(a_namespace_may_look_like_this)
{
	static const char *const legal[] = {NS_76, "k8s.io", "A-b_c.d", "0"};

	for (size_t i = 0; i < sizeof(legal) / sizeof(*legal); i++) {
		struct wb_call in = call_in(legal[i]);
		struct wb_image image = plain("a");

		ck_ok(images->ops->create(images, &in, &image, NULL, NULL,
					  NULL));
		ck_ok(images->ops->get(images, &in, "a", NULL, NULL));
	}
}
END_TEST

START_TEST(a_namespace_that_nobody_made_is_empty)
{
	struct wb_call in = call_in("never-made");
	struct wb_page page = {.more = true};
	size_t count = 0;

	ck_ok(images->ops->list(images, &in, NULL, count_image, &count, &page,
				NULL));
	ck_assert_uint_eq(count, 0);
	ck_assert(!page.more);
	ck_error(images->ops->get(images, &in, "a", NULL, NULL), WB_NOT_FOUND);
	ck_error(images->ops->remove(images, &in, "a", NULL, NULL, NULL, NULL,
				     NULL),
		 WB_NOT_FOUND);
}
END_TEST

START_TEST(a_name_is_its_namespaces_own)
{
	struct wb_call in = call_in("other");
	struct wb_image image = plain("a");
	struct wb_image *found = NULL;

	given("a");
	given("b");
	image.target.digest = DIGEST_B;
	ck_ok(images->ops->create(images, &in, &image, NULL, NULL, NULL));
	ck_ok(images->ops->get(images, &in, "a", &found, NULL));
	ck_assert_str_eq(found->target.digest, DIGEST_B);
	wb_image_free(found);
	ck_ok(images->ops->remove(images, &call, "a", NULL, NULL, NULL, NULL,
				  NULL));
	ck_ok(images->ops->get(images, &in, "a", NULL, NULL));
	ck_assert_str_eq(names(), "b ");
}
END_TEST

/* ---- the call itself ---- */

START_TEST(reason_and_operation_id_have_limits)
{
	static const struct {
		size_t bytes;
		bool is_reason;
		enum wb_error error;
	} cases[] = {{4096, true, WB_OK},
		     {4097, true, WB_BAD_INPUT},
		     {128, false, WB_OK},
		     {129, false, WB_BAD_INPUT}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct wb_image image = plain("a");
		struct wb_call with = call_in("default");
		char note[5000];

		memset(note, 'r', sizeof(note));
		note[cases[i].bytes] = 0;
		if (cases[i].is_reason)
			with.reason = note;
		else
			with.operation_id = note;
		ck_error(images->ops->put(images, &with, &image, NULL, NULL,
					  NULL, NULL),
			 cases[i].error);
	}
}
END_TEST

START_TEST(a_reason_is_utf8)
{
	struct wb_image image = plain("a");
	struct wb_call with = call_in("default");
	struct wb_text text = {""};
	enum wb_error error;

	with.reason = "caf\xE9";
	error = images->ops->put(images, &with, &image, NULL, NULL, NULL,
				 &text);
	ck_answer(error, WB_BAD_INPUT, text,
		  "reason \"caf\\xe9\" is not valid UTF-8: invalid argument");
	ck_assert_str_eq(names(), "");
}
END_TEST

static enum wb_error get_with(const struct wb_call *with)
{
	return images->ops->get(images, with, "a", NULL, NULL);
}

/* Behind an older program's call lies an operation id that is too long. */
START_TEST(a_call_may_be_an_older_programs_or_a_newer_ones)
{
	struct {
		struct wb_call known;
		uint64_t later;
	} with = {.known = call_in("default")};
	char id[WB_OPERATION_ID_BYTES_MAX + 2] = "";

	given("a");
	memset(id, 'i', sizeof(id) - 1);
	with.known.operation_id = id;
	ck_error(get_with(&with.known), WB_BAD_INPUT);
	with.known.size = offsetof(struct wb_call, operation_id);
	ck_ok(get_with(&with.known));
	with.known = call_in("default");
	with.known.size = sizeof(with);
	ck_ok(get_with(&with.known));
	with.later = 1;
	ck_error(get_with(&with.known), WB_UNSUPPORTED);
	with.known.size = sizeof(with.known) - 1;
	ck_error(get_with(&with.known), WB_USAGE);
	ck_error(get_with(NULL), WB_USAGE);
}
END_TEST

/* Every operation asks in the same way. */
START_TEST(no_operation_takes_a_call_that_it_does_not_know)
{
	struct {
		struct wb_call known;
		uint64_t later;
	} with = {.known = call_in("default"), .later = 1};
	const struct wb_images_ops *ops = images->ops;
	const struct wb_call *call_of = &with.known;
	struct wb_image image = plain("a");
	const struct wb_image_mutation put = {.put = &image};
	struct wb_image *got = NULL;

	with.known.size = sizeof(with);
	ck_error(ops->put(images, call_of, &image, NULL, NULL, &got, NULL),
		 WB_UNSUPPORTED);
	ck_error(ops->create(images, call_of, &image, NULL, &got, NULL),
		 WB_UNSUPPORTED);
	ck_error(ops->update(images, call_of, &image, NULL, 0, NULL, NULL, &got,
			     NULL),
		 WB_UNSUPPORTED);
	ck_error(ops->remove(images, call_of, "a", NULL, NULL, NULL, &got,
			     NULL),
		 WB_UNSUPPORTED);
	ck_error(ops->apply(images, call_of, &put, 1, false, NULL, NULL, &got,
			    NULL),
		 WB_UNSUPPORTED);
	ck_error(ops->list(images, call_of, NULL, NULL, NULL, NULL, NULL),
		 WB_UNSUPPORTED);
	ck_error(ops->history(images, call_of, "a", 0, 0, NULL, NULL, NULL),
		 WB_UNSUPPORTED);
	ck_assert_ptr_null(got);
	ck_assert_str_eq(names(), "");
}
END_TEST

START_TEST(statistics_tell_the_newest_revision)
{
	struct wb_stat stat = {.size = sizeof(stat)};
	uint64_t revision = given("a");

	ck_ok(images->ops->stat(images, &stat, NULL));
	ck_assert_uint_eq(stat.revision, revision);
	ck_assert_uint_eq(stat.records, 1);
}
END_TEST

#define COUNT(table) (int)(sizeof(table) / sizeof(*(table)))

/* One that was made before the last operations were added. */
START_TEST(the_table_tells_which_operations_there_are)
{
	struct wb_images_ops table = *images->ops;
	struct wb_images older = {&table};

	ck_assert_uint_ge(images->ops->size, sizeof(table));
	ck_assert(wb_images_has(images, get));
	ck_assert(wb_images_has(images, close));
	table.size = offsetof(struct wb_images_ops, close);
	ck_assert(wb_images_has(&older, get));
	ck_assert(wb_images_has(&older, stat));
	ck_assert(!wb_images_has(&older, close));
	table.size++;
	ck_assert(!wb_images_has(&older, close));
}
END_TEST

static bool see_image(void *context, const struct wb_image *image)
{
	(void)context;
	(void)image;
	return true;
}

static bool see_version(void *context, const struct wb_image_version *version)
{
	(void)context;
	(void)version;
	return true;
}

START_TEST(where_only_the_effect_matters_all_else_may_be_null)
{
	struct wb_image a = plain("a"), b = plain("b");
	struct wb_image_mutation batch[] = {{.put = &b}};

	ck_ok(images->ops->create(images, &call, &a, NULL, NULL, NULL));
	ck_error(images->ops->create(images, &call, &a, NULL, NULL, NULL),
		 WB_EXISTS);
	ck_ok(images->ops->put(images, &call, &a, NULL, NULL, NULL, NULL));
	ck_ok(images->ops->update(images, &call, &a, NULL, 0, NULL, NULL, NULL,
				  NULL));
	ck_ok(images->ops->copy(images, &call, "a", "c", false, NULL, NULL,
				NULL, NULL));
	ck_ok(images->ops->apply(images, &call, batch, 1, false, NULL, NULL,
				 NULL, NULL));
	ck_error(images->ops->apply(images, &call, NULL, 1u << 20, false, NULL,
				    NULL, NULL, NULL),
		 WB_TOO_LARGE);
	ck_ok(images->ops->remove(images, &call, "c", NULL, NULL, NULL, NULL,
				  NULL));
	ck_ok(images->ops->undo(images, &call, "c", NULL, NULL, NULL, NULL));
	ck_ok(images->ops->get(images, &call, "c", NULL, NULL));
	ck_error(images->ops->get(images, &call, "d", NULL, NULL),
		 WB_NOT_FOUND);
	ck_ok(images->ops->list(images, &call, NULL, see_image, NULL, NULL,
				NULL));
	ck_ok(images->ops->history(images, &call, NULL, 0, 0, see_version, NULL,
				   NULL));
	ck_assert_str_eq(names(), "a b c ");
	images->ops->close(NULL);
}
END_TEST

TCase *conformance_read(void)
{
	TCase *tcase = tcase_create("read");

	tcase_add_test(tcase, what_was_stored_comes_back);
	tcase_add_loop_test(tcase, what_is_not_there_is_not_found, 0,
			    COUNT(missing));
	tcase_add_test(tcase, a_name_beyond_the_limit_is_not_found);
	tcase_add_loop_test(tcase, a_namespace_is_checked_before_all_else, 0,
			    COUNT(namespaces));
	tcase_add_test(tcase, a_namespace_may_look_like_this);
	tcase_add_test(tcase, a_namespace_that_nobody_made_is_empty);
	tcase_add_test(tcase, a_name_is_its_namespaces_own);
	tcase_add_test(tcase, reason_and_operation_id_have_limits);
	tcase_add_test(tcase, a_reason_is_utf8);
	tcase_add_test(tcase, a_call_may_be_an_older_programs_or_a_newer_ones);
	tcase_add_test(tcase, no_operation_takes_a_call_that_it_does_not_know);
	tcase_add_test(tcase, statistics_tell_the_newest_revision);
	tcase_add_test(tcase, the_table_tells_which_operations_there_are);
	tcase_add_test(tcase,
		       where_only_the_effect_matters_all_else_may_be_null);
	return tcase;
}
