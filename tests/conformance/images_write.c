/* SPDX-License-Identifier: Apache-2.0
 *
 * create, put, update and remove, one at a time.
 */
#include "tests/conformance/images.h"

#include "tests/support/suite.h"

#include <string.h>

/* ---- what is refused ---- */

#define TWENTY "0123456789abcdefghij"

static char big[5000]; /* 4,096 and more of "v" */

static const struct {
	const char *name;
	struct wb_label label;
	const char *digest;
	int64_t size;
	const char *media_type;
	const char *text;
} refused[] = {
	/* each alone */
	{"", {"k", "v"}, DIGEST_A, 1, "m", "Image.Name required"},
	{NULL, {"k", "v"}, DIGEST_A, 1, "m", "Image.Name required"},
	{"a\xFF",
	 {"k", "v"},
	 DIGEST_A,
	 1,
	 "m",
	 "Image.Name \"a\\xff\" is not valid UTF-8: invalid argument"},
	{"a",
	 {TWENTY, big},
	 DIGEST_A,
	 1,
	 "m",
	 "image.Labels: label key and value greater than maximum size "
	 "(4096 bytes), key: 0123456789: invalid argument"},
	{"a",
	 {"k", big},
	 DIGEST_A,
	 1,
	 "m",
	 "image.Labels: label key and value greater than maximum size "
	 "(4096 bytes), key: k: invalid argument"},
	{"a",
	 {"", "v"},
	 DIGEST_A,
	 1,
	 "m",
	 "image.Labels: key must not be empty: invalid argument"},
	{"a",
	 {"k", "\xC0\x80"},
	 DIGEST_A,
	 1,
	 "m",
	 "image.Labels: \"k\"=\"\\xc0\\x80\" is not valid UTF-8: "
	 "invalid argument"},
	{"a",
	 {"k", "v"},
	 "",
	 1,
	 "m",
	 "Target.Digest \"\" invalid: invalid checksum digest format: "
	 "invalid argument"},
	{"a",
	 {"k", "v"},
	 NULL,
	 1,
	 "m",
	 "Target.Digest \"\" invalid: invalid checksum digest format: "
	 "invalid argument"},
	{"a",
	 {"k", "v"},
	 "sha256:abc",
	 1,
	 "m",
	 "Target.Digest \"sha256:abc\" invalid: invalid checksum digest "
	 "length: invalid argument"},
	{"a",
	 {"k", "v"},
	 "md5:" HEX_A,
	 1,
	 "m",
	 "Target.Digest \"md5:" HEX_A "\" invalid: unsupported digest "
	 "algorithm: invalid argument"},
	{"a",
	 {"k", "v"},
	 "sha512:" HEX_A,
	 1,
	 "m",
	 "Target.Digest \"sha512:" HEX_A "\" invalid: invalid checksum "
	 "digest length: invalid argument"},
	{"a",
	 {"k", "v"},
	 SHA "A" HEX_A,
	 1,
	 "m",
	 "Target.Digest \"" SHA "A" HEX_A "\" invalid: invalid checksum "
	 "digest length: invalid argument"},
	{"a",
	 {"k", "v"},
	 DIGEST_A,
	 0,
	 "m",
	 "Target.Size must be greater than zero: invalid argument"},
	{"a",
	 {"k", "v"},
	 DIGEST_A,
	 -1,
	 "m",
	 "Target.Size must be greater than zero: invalid argument"},
	{"a",
	 {"k", "v"},
	 DIGEST_A,
	 1,
	 "",
	 "Target.MediaType must be set: invalid argument"},
	{"a",
	 {"k", "v"},
	 DIGEST_A,
	 1,
	 NULL,
	 "Target.MediaType must be set: invalid argument"},
	{"a",
	 {"k", "v"},
	 DIGEST_A,
	 1,
	 "\x80",
	 "Target.MediaType \"\\x80\" is not valid UTF-8: invalid argument"},
	{"a",
	 {"k", "v"},
	 DIGEST_A,
	 1,
	 big,
	 "Target.MediaType greater than maximum size (4096 bytes): "
	 "invalid argument"},
	/* the order */
	{"", {"k", big}, "", 0, "", "Image.Name required"},
	{"a",
	 {"k", big},
	 "",
	 0,
	 "",
	 "image.Labels: label key and value greater than maximum size "
	 "(4096 bytes), key: k: invalid argument"},
	{"a",
	 {"k", "v"},
	 "",
	 0,
	 "",
	 "Target.Digest \"\" invalid: invalid checksum digest format: "
	 "invalid argument"},
	{"a",
	 {"k", "v"},
	 DIGEST_A,
	 0,
	 "",
	 "Target.Size must be greater than zero: invalid argument"},
};

START_TEST(what_is_not_fit_is_refused_in_these_words)
{
	struct wb_image image = {.name = refused[_i].name,
				 .labels = {&refused[_i].label, 1},
				 .target = {refused[_i].media_type,
					    refused[_i].digest,
					    refused[_i].size,
					    {NULL, 0}}};
	struct wb_image_mutation mutation = {.put = &image};
	struct wb_text text;
	enum wb_error error;

	memset(big, 'v', 4097);
	error = wb_image_validate(&image, &text);
	ck_answer(error, WB_BAD_INPUT, text, refused[_i].text);
	memset(&text, 0, sizeof(text));
	error = images->ops->create(images, &call, &image, NULL, NULL, &text);
	ck_answer(error, WB_BAD_INPUT, text, refused[_i].text);
	memset(&text, 0, sizeof(text));
	error = images->ops->put(images, &call, &image, NULL, NULL, NULL,
				 &text);
	ck_answer(error, WB_BAD_INPUT, text, refused[_i].text);
	memset(&text, 0, sizeof(text));
	error = images->ops->apply(images, &call, &mutation, 1, false, NULL,
				   NULL, NULL, &text);
	ck_answer(error, WB_BAD_INPUT, text, refused[_i].text);
	ck_assert_str_eq(names(), "");
}
END_TEST

START_TEST(limits_are_met_exactly)
{
	struct wb_image image = plain("a");
	struct wb_label annotations[257];
	char keys[257][8];
	char value[4094];

	memset(value, 'v', sizeof(value) - 1);
	value[sizeof(value) - 1] = 0; /* 4,093 bytes */
	for (size_t i = 0; i < 257; i++) {
		snprintf(keys[i], sizeof(keys[i]), "%03zu", i);
		annotations[i] = (struct wb_label){keys[i], value};
	}
	image.labels = (struct wb_labels){annotations, 256};
	given_image(&image); /* 256 of 4,096 bytes: 1 MiB */
	image.target.annotations = LABELS({"k", "v"});
	ck_error(images->ops->put(images, &call, &image, NULL, NULL, NULL,
				  NULL),
		 WB_BAD_INPUT);
	image.labels.count = 255;
	given_image(&image);
	image.target.annotations = (struct wb_labels){annotations, 2};
	ck_error(images->ops->put(images, &call, &image, NULL, NULL, NULL,
				  NULL),
		 WB_BAD_INPUT);
}
END_TEST

/* ---- what is stored ---- */

START_TEST(sha384_and_sha512_are_digests_too)
{
	struct wb_image image = plain("a");
	struct wb_image *stored;

	image.target.digest = "sha512:" HEX_A HEX_B;
	given_image(&image);
	stored = got("a");
	ck_assert_str_eq(stored->target.digest, "sha512:" HEX_A HEX_B);
	wb_image_free(stored);
	image.target.digest =
		"sha384:" HEX_A "00000000000000000000000000000000";
	given_image(&image);
}
END_TEST

START_TEST(of_equal_keys_the_last_wins_and_empty_values_are_dropped)
{
	struct wb_image image = plain("a");
	struct wb_image *stored = NULL;

	image.labels = LABELS({"b", "1"}, {"a", "2"}, {"b", "3"}, {"c", ""},
			      {"", ""}, {"d", "4"}, {"d", ""});
	image.target.annotations = LABELS({"x", ""}, {"x", "5"}, {"y", ""});
	ck_ok(images->ops->create(images, &call, &image, NULL, &stored, NULL));
	ck_assert_str_eq(shape(stored), "labels a=2 b=3; target " MEDIA
					" " DIGEST_A " 7; annotations x=5");
	wb_image_free(stored);
	stored = got("a");
	ck_assert_str_eq(shape(stored), "labels a=2 b=3; target " MEDIA
					" " DIGEST_A " 7; annotations x=5");
	wb_image_free(stored);
}
END_TEST

START_TEST(names_are_opaque)
{
	static const char *const odd[] = {"a b", "UPPER",  "\n",
					  "\"",	 "a/../b", "\xF0\x9F\x90\xB3",
					  "-",	 "@",	   ".."};

	for (size_t i = 0; i < sizeof(odd) / sizeof(*odd); i++) {
		given(odd[i]);
		wb_image_free(got(odd[i]));
	}
}
END_TEST

START_TEST(create_answers_with_the_image_and_its_revision)
{
	struct wb_image image = plain("a");
	struct wb_outcome outcome = {0, true};
	struct wb_image *stored = NULL;
	struct wb_image *read;

	ck_ok(images->ops->create(images, &call, &image, &outcome, &stored,
				  NULL));
	ck_assert(!outcome.replayed);
	ck_assert_uint_gt(outcome.revision, 0);
	ck_assert_uint_eq(stored->revision, outcome.revision);
	read = got("a");
	ck_assert_uint_eq(read->revision, outcome.revision);
	ck_assert_int_eq(read->created_at_ns, stored->created_at_ns);
	ck_assert_int_eq(read->updated_at_ns, stored->updated_at_ns);
	ck_assert_str_eq(read->target.digest, stored->target.digest);
	wb_image_free(read);
	wb_image_free(stored);
}
END_TEST

START_TEST(create_refuses_what_exists)
{
	struct wb_image image = plain("a");
	struct wb_text text = {""};
	struct wb_outcome outcome = {42, true};
	struct wb_image *untouched = &image;
	struct wb_image *stored;
	enum wb_error error;

	given("a");
	image.target.digest = DIGEST_B;
	error = images->ops->create(images, &call, &image, &outcome, &untouched,
				    &text);
	ck_answer(error, WB_EXISTS, text, "image \"a\": already exists");
	ck_assert_uint_eq(outcome.revision, 42);
	ck_assert_ptr_eq(untouched, &image);
	stored = got("a");
	ck_assert_str_eq(stored->target.digest, DIGEST_A);
	wb_image_free(stored);
}
END_TEST

START_TEST(put_replaces_all_but_created_at)
{
	struct wb_image image = plain("a");
	struct wb_image *before;
	struct wb_image *after;

	image.labels = LABELS({"a", "1"});
	image.target.annotations = LABELS({"b", "2"});
	given_image(&image);
	before = got("a");
	image = plain("a");
	image.target.digest = DIGEST_B;
	given_image(&image);
	after = got("a");
	ck_assert_str_eq(shape(after), "labels; target " MEDIA " " DIGEST_B
				       " 7; annotations");
	ck_assert_int_eq(after->created_at_ns, before->created_at_ns);
	ck_assert_int_gt(after->updated_at_ns, before->updated_at_ns);
	ck_assert_uint_gt(after->revision, before->revision);
	wb_image_free(before);
	wb_image_free(after);
}
END_TEST

START_TEST(updated_at_is_strictly_later_at_every_write)
{
	struct wb_image image = plain("a");
	int64_t last = 0;
	int64_t created = 0;

	for (int i = 0; i < 100; i++) {
		struct wb_image *stored;

		if (i % 2)
			ck_ok(images->ops->update(images, &call, &image, NULL,
						  0, NULL, NULL, NULL, NULL));
		else
			given("a");
		stored = got("a");
		ck_assert_int_gt(stored->updated_at_ns, last);
		last = stored->updated_at_ns;
		if (i == 0)
			created = stored->created_at_ns;
		ck_assert_int_eq(stored->created_at_ns, created);
		wb_image_free(stored);
	}
}
END_TEST

/* ---- update ---- */

#define WAS  "target " MEDIA " " DIGEST_A " 7"
#define WILL "target other " DIGEST_B " 8"

/* The image before: labels a=1 b=2 x.y/z=3, annotations p=1 q=2. The request:
 * labels a=9 c=4, annotations q=8 r=3, another target. */
static const struct {
	const char *paths[4];
	const char *after;
} masks[] = {
	{{NULL}, "labels a=9 c=4; " WILL "; annotations q=8 r=3"},
	{{"labels"}, "labels a=9 c=4; " WAS "; annotations p=1 q=2"},
	{{"labels.a"}, "labels a=9 b=2 x.y/z=3; " WAS "; annotations p=1 q=2"},
	{{"labels.c"},
	 "labels a=1 b=2 c=4 x.y/z=3; " WAS "; annotations p=1 q=2"},
	{{"labels.b"}, "labels a=1 x.y/z=3; " WAS "; annotations p=1 q=2"},
	{{"labels.x.y/z"}, "labels a=1 b=2; " WAS "; annotations p=1 q=2"},
	{{"labels.nope"},
	 "labels a=1 b=2 x.y/z=3; " WAS "; annotations p=1 q=2"},
	{{"labels."}, "labels a=1 b=2 x.y/z=3; " WAS "; annotations p=1 q=2"},
	{{"target"}, "labels a=1 b=2 x.y/z=3; " WILL "; annotations q=8 r=3"},
	{{"annotations"},
	 "labels a=1 b=2 x.y/z=3; " WAS "; annotations q=8 r=3"},
	{{"annotations.p"}, "labels a=1 b=2 x.y/z=3; " WAS "; annotations q=2"},
	{{"annotations.q"},
	 "labels a=1 b=2 x.y/z=3; " WAS "; annotations p=1 q=8"},
	{{"labels.a", "labels.b", "annotations.r"},
	 "labels a=9 x.y/z=3; " WAS "; annotations p=1 q=2 r=3"},
	{{"labels", "labels.a"},
	 "labels a=9 c=4; " WAS "; annotations p=1 q=2"},
	{{"annotations.p", "target"},
	 "labels a=1 b=2 x.y/z=3; " WILL "; annotations q=8 r=3"},
	{{"target", "annotations.p"},
	 "labels a=1 b=2 x.y/z=3; " WILL "; annotations q=8 r=3"},
	{{"labels.a", "labels.a", "labels.a", "labels.a"},
	 "labels a=9 b=2 x.y/z=3; " WAS "; annotations p=1 q=2"},
};

static struct wb_image before_mask(void)
{
	static const struct wb_label labels[] = {{"a", "1"},
						 {"b", "2"},
						 {"x.y/z", "3"}};
	static const struct wb_label annotations[] = {{"p", "1"}, {"q", "2"}};
	struct wb_image image = plain("i");

	image.labels = (struct wb_labels){labels, 3};
	image.target.annotations = (struct wb_labels){annotations, 2};
	return image;
}

static struct wb_image mask_request(void)
{
	static const struct wb_label labels[] = {{"a", "9"}, {"c", "4"}};
	static const struct wb_label annotations[] = {{"q", "8"}, {"r", "3"}};
	struct wb_image image = {
		.name = "i",
		.labels = {labels, 2},
		.target = {"other", DIGEST_B, 8, {annotations, 2}}};

	return image;
}

START_TEST(an_update_changes_what_its_mask_names)
{
	struct wb_image image = before_mask();
	struct wb_image request = mask_request();
	struct wb_image *stored = NULL;
	struct wb_outcome outcome = {0, true};
	size_t count = 0;

	given_image(&image);
	while (count < 4 && masks[_i].paths[count])
		count++;
	ck_ok(images->ops->update(images, &call, &request, masks[_i].paths,
				  count, NULL, &outcome, &stored, NULL));
	ck_assert_str_eq(shape(stored), masks[_i].after);
	ck_assert_uint_eq(stored->revision, outcome.revision);
	wb_image_free(stored);
	stored = got("i");
	ck_assert_str_eq(shape(stored), masks[_i].after);
	wb_image_free(stored);
}
END_TEST

static const struct {
	const char *name;
	const char *path; /* NULL: none */
	const char *digest;
	enum wb_error error;
	const char *text;
} bad_updates[] = {
	{"i", "name", DIGEST_A, WB_BAD_INPUT,
	 "cannot update \"name\" field on image \"i\": invalid argument"},
	{"i", "", DIGEST_A, WB_BAD_INPUT,
	 "cannot update \"\" field on image \"i\": invalid argument"},
	{"i", "target.digest", DIGEST_A, WB_BAD_INPUT,
	 "cannot update \"target.digest\" field on image \"i\": "
	 "invalid argument"},
	{"i", "Labels", DIGEST_A, WB_BAD_INPUT,
	 "cannot update \"Labels\" field on image \"i\": invalid argument"},
	{"i", "target", "", WB_BAD_INPUT,
	 "Target.Digest \"\" invalid: invalid checksum digest format: "
	 "invalid argument"},
	{"i", NULL, "", WB_BAD_INPUT,
	 "Target.Digest \"\" invalid: invalid checksum digest format: "
	 "invalid argument"},
	{"", "labels", DIGEST_A, WB_BAD_INPUT, "Image.Name required"},
	{"nope", "labels", DIGEST_A, WB_NOT_FOUND, "image \"nope\": not found"},
	{"nope", "name", DIGEST_A, WB_NOT_FOUND, "image \"nope\": not found"},
	{"\xFF", "labels", DIGEST_A, WB_NOT_FOUND,
	 "image \"\\xff\": not found"},
};

START_TEST(an_update_that_cannot_be_changes_nothing)
{
	struct wb_image image = before_mask();
	struct wb_image request = plain(bad_updates[_i].name);
	const char *const *path = &bad_updates[_i].path;
	struct wb_text text = {""};
	struct wb_image *stored;
	enum wb_error error;

	given_image(&image);
	request.target.digest = bad_updates[_i].digest;
	error = images->ops->update(images, &call, &request, path,
				    *path != NULL, NULL, NULL, NULL, &text);
	ck_answer(error, bad_updates[_i].error, text, bad_updates[_i].text);
	stored = got("i");
	ck_assert_str_eq(shape(stored), "labels a=1 b=2 x.y/z=3; " WAS
					"; annotations p=1 q=2");
	wb_image_free(stored);
	ck_assert_str_eq(names(), "i ");
}
END_TEST

START_TEST(a_mask_spares_a_request_the_rest_of_the_image)
{
	struct wb_image image = before_mask();
	struct wb_image request = {.name = "i", .labels = LABELS({"n", "1"})};
	static const char *const paths[] = {"labels.n"};
	struct wb_image *stored = NULL;

	given_image(&image);
	ck_ok(images->ops->update(images, &call, &request, paths, 1, NULL, NULL,
				  &stored, NULL));
	ck_assert_str_eq(shape(stored), "labels a=1 b=2 n=1 x.y/z=3; " WAS
					"; annotations p=1 q=2");
	wb_image_free(stored);
}
END_TEST

/* ---- remove ---- */

START_TEST(copy_takes_all_but_the_name_and_the_times)
{
	struct wb_image from = plain("a");
	struct wb_image *old, *stored = NULL;
	struct wb_outcome outcome = {0, true};
	struct wb_text text = {"untouched"};

	from.labels = LABELS({"k", "v"});
	from.target.annotations = LABELS({"n", "w"});
	given_image(&from);
	old = got("a");
	ck_ok(images->ops->copy(images, &call, "a", "b", false, NULL, &outcome,
				&stored, &text));
	ck_assert(!outcome.replayed);
	ck_assert_uint_eq(outcome.revision, old->revision + 1);
	ck_assert_uint_eq(stored->revision, outcome.revision);
	ck_assert_str_eq(stored->name, "b");
	ck_assert_str_eq(shape(stored), "labels k=v; target " MEDIA " " DIGEST_A
					" 7; annotations n=w");
	ck_assert_int_gt(stored->created_at_ns, old->created_at_ns);
	ck_assert_int_eq(stored->updated_at_ns, stored->created_at_ns);
	wb_image_free(stored);
	ck_assert_str_eq(names(), "a b ");

	/* Over one that is there, whose created_at stays. */
	given("c");
	wb_image_free(old);
	old = got("c");
	ck_ok(images->ops->copy(images, &call, "a", "c", true, NULL, NULL,
				&stored, &text));
	ck_assert_str_eq(shape(stored), "labels k=v; target " MEDIA " " DIGEST_A
					" 7; annotations n=w");
	ck_assert_int_eq(stored->created_at_ns, old->created_at_ns);
	ck_assert_str_eq(text.text, "untouched");
	wb_image_free(stored);
	wb_image_free(old);
}
END_TEST

START_TEST(copy_refuses_what_exists_and_what_does_not)
{
	struct wb_text text = {""};
	enum wb_error error;

	given("a");
	given("b");
	error = images->ops->copy(images, &call, "a", "b", false, NULL, NULL,
				  NULL, &text);
	ck_answer(error, WB_EXISTS, text, "image \"b\": already exists");
	for (int replace = 0; replace < 2; replace++) {
		error = images->ops->copy(images, &call, "x", "c", replace,
					  NULL, NULL, NULL, &text);
		ck_answer(error, WB_NOT_FOUND, text, "image \"x\": not found");
		error = images->ops->copy(images, &call, "", "c", replace, NULL,
					  NULL, NULL, &text);
		ck_answer(error, WB_NOT_FOUND, text, "image \"\": not found");
		error = images->ops->copy(images, &call, "a", "", replace, NULL,
					  NULL, NULL, &text);
		ck_answer(error, WB_BAD_INPUT, text, "Image.Name required");
	}
	ck_assert_str_eq(names(), "a b ");
}
END_TEST

START_TEST(remove_takes_one_name_and_tells_what_it_was)
{
	struct wb_outcome outcome = {0, true};
	struct wb_image *removed = NULL;
	uint64_t revision = given("a");

	given("b");
	ck_ok(images->ops->remove(images, &call, "a", NULL, NULL, &outcome,
				  &removed, NULL));
	ck_assert_uint_gt(outcome.revision, revision);
	ck_assert_uint_eq(removed->revision, revision);
	ck_assert_str_eq(removed->target.digest, DIGEST_A);
	wb_image_free(removed);
	ck_assert_str_eq(names(), "b ");
	ck_error(images->ops->remove(images, &call, "a", NULL, NULL, NULL, NULL,
				     NULL),
		 WB_NOT_FOUND);
}
END_TEST

START_TEST(remove_with_a_target_removes_only_that)
{
	struct wb_text text = {""};
	enum wb_error error;

	given("a");
	error = images->ops->remove(images, &call, "a", DIGEST_B, NULL, NULL,
				    NULL, &text);
	ck_answer(error, WB_NOT_FOUND, text,
		  "image \"a\" has target " DIGEST_A ", not " DIGEST_B
		  ": not found");
	ck_assert_str_eq(names(), "a ");
	ck_ok(images->ops->remove(images, &call, "a", DIGEST_A, NULL, NULL,
				  NULL, NULL));
	ck_assert_str_eq(names(), "");
	given("a");
	ck_ok(images->ops->remove(images, &call, "a", "", NULL, NULL, NULL,
				  NULL));
}
END_TEST

START_TEST(a_name_that_was_removed_begins_anew)
{
	struct wb_image *before;
	struct wb_image *after;

	given("a");
	before = got("a");
	ck_ok(images->ops->remove(images, &call, "a", NULL, NULL, NULL, NULL,
				  NULL));
	given("a");
	after = got("a");
	ck_assert_int_eq(after->created_at_ns, after->updated_at_ns);
	ck_assert_uint_gt(after->revision, before->revision + 1);
	wb_image_free(before);
	wb_image_free(after);
}
END_TEST

#define COUNT(table) (int)(sizeof(table) / sizeof(*(table)))

TCase *conformance_write(void)
{
	TCase *tcase = tcase_create("write");

	tcase_add_loop_test(tcase, what_is_not_fit_is_refused_in_these_words, 0,
			    COUNT(refused));
	tcase_add_test(tcase, limits_are_met_exactly);
	tcase_add_test(tcase, sha384_and_sha512_are_digests_too);
	tcase_add_test(
		tcase,
		of_equal_keys_the_last_wins_and_empty_values_are_dropped);
	tcase_add_test(tcase, names_are_opaque);
	tcase_add_test(tcase, create_answers_with_the_image_and_its_revision);
	tcase_add_test(tcase, create_refuses_what_exists);
	tcase_add_test(tcase, put_replaces_all_but_created_at);
	tcase_add_test(tcase, updated_at_is_strictly_later_at_every_write);
	tcase_add_loop_test(tcase, an_update_changes_what_its_mask_names, 0,
			    COUNT(masks));
	tcase_add_loop_test(tcase, an_update_that_cannot_be_changes_nothing, 0,
			    COUNT(bad_updates));
	tcase_add_test(tcase, a_mask_spares_a_request_the_rest_of_the_image);
	tcase_add_test(tcase, copy_takes_all_but_the_name_and_the_times);
	tcase_add_test(tcase, copy_refuses_what_exists_and_what_does_not);
	tcase_add_test(tcase, remove_takes_one_name_and_tells_what_it_was);
	tcase_add_test(tcase, remove_with_a_target_removes_only_that);
	tcase_add_test(tcase, a_name_that_was_removed_begins_anew);
	return tcase;
}
