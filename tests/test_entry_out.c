/* SPDX-License-Identifier: Apache-2.0
 *
 * Which records are told in words, and how the other lines look.
 */
#include "dump/entry.h"
#include "images/image.h"
#include "tests/support/suite.h"

#include <string.h>

#define DIGEST                                       \
	"sha256:11111111111111111111111111111111111" \
	"11111111111111111111111111111"

static struct json_out out;

static void tear_down(void)
{
	json_out_release(&out);
}

static const char *written(void)
{
	static char text[8192];

	ck_assert(!out.out_of_memory);
	ck_assert_uint_lt(out.size, sizeof(text));
	memcpy(text, out.bytes, out.size);
	text[out.size] = 0;
	out.size = 0;
	return text;
}

static struct wb_bytes text_of(const char *text)
{
	return (struct wb_bytes){text, strlen(text)};
}

static struct wb_key key_of(uint32_t kind, const char *ns, const char *name)
{
	return (struct wb_key){kind, text_of(ns), text_of(name)};
}

static struct wb_image plain(const char *name)
{
	return (struct wb_image){
		.name = name,
		.target = {.media_type = "t", .digest = DIGEST, .size = 12},
		.created_at_ns = 1,
		.updated_at_ns = 2,
	};
}

/* The line of an image whose value is followed by `more`. */
static const char *line_of(const struct wb_image *image, const char *ns,
			   struct wb_bytes more)
{
	struct wb_key key = key_of(WB_KIND_IMAGE, ns, image->name);
	struct wb_bytes value;
	uint8_t bytes[2000];

	ck_ok(image_encode(image, &value));
	ck_assert_uint_lt(value.size + more.size, sizeof(bytes));
	memcpy(bytes, value.data, value.size);
	if (more.size > 0)
		memcpy(bytes + value.size, more.data, more.size);
	free((void *)value.data);
	ck_ok(entry_put_record(&out, &key,
			       (struct wb_bytes){bytes,
						 value.size + more.size}));
	return written();
}

#define IS_RECORD "{\"type\":\"record\",\"kind\":1,\"namespace\":\""

static const struct wb_bytes nothing = {NULL, 0};

START_TEST(an_image_is_told_in_words)
{
	struct wb_label labels[] = {{"a", "1"}, {"b", "\"2\""}};
	struct wb_label notes[] = {{"n", "\xC3\xA9"}};
	struct wb_image image = plain("a:1");

	ck_assert_str_eq(
		line_of(&image, "default", nothing),
		"{\"type\":\"image\",\"namespace\":\"default\",\"name\":\"a:1\""
		",\"target\":{\"mediaType\":\"t\",\"digest\":\"" DIGEST
		"\",\"size\":12},\"labels\":{},\"created_at\":"
		"\"1970-01-01T00:00:00.000000001Z\",\"updated_at\":"
		"\"1970-01-01T00:00:00.000000002Z\"}\n");
	image.labels = (struct wb_labels){labels, 2};
	image.target.annotations = (struct wb_labels){notes, 1};
	ck_assert_str_eq(
		line_of(&image, "default", nothing),
		"{\"type\":\"image\",\"namespace\":\"default\",\"name\":\"a:1\""
		",\"target\":{\"mediaType\":\"t\",\"digest\":\"" DIGEST
		"\",\"size\":12,\"annotations\":{\"n\":\"\xC3\xA9\"}},"
		"\"labels\":{\"a\":\"1\",\"b\":\"\\\"2\\\"\"},\"created_at\":"
		"\"1970-01-01T00:00:00.000000001Z\",\"updated_at\":"
		"\"1970-01-01T00:00:00.000000002Z\"}\n");
}
END_TEST

/* In words it would not mean the same bytes again. */
START_TEST(what_words_cannot_hold_is_told_as_bytes)
{
	struct wb_image image = plain("a");
	/* Field 9, which a later version may have; a longer form of 0. */
	static const char later[] = "\x48\x01", longer[] = "\x48\x80\x00";

	ck_assert(strstr(line_of(&image, "n", (struct wb_bytes){later, 2}),
			 IS_RECORD "n\",\"name\":\"a\",\"value\":\""));
	ck_assert(strstr(line_of(&image, "n", (struct wb_bytes){longer, 3}),
			 IS_RECORD));
	/* Nor would it be taken. */
	ck_assert(strstr(line_of(&image, "", nothing), IS_RECORD "\""));
	ck_assert(strstr(line_of(&image, "-bad", nothing), IS_RECORD "-bad"));
	image.target.digest = "sha256:123";
	ck_assert(strstr(line_of(&image, "n", nothing), IS_RECORD));
	image.target.digest = DIGEST;
	ck_assert(strstr(line_of(&image, "n", nothing), "\"image\""));
}
END_TEST

START_TEST(other_values_are_bytes)
{
	struct wb_key key = key_of(1, "n", "a");

	/* A history may hold it; a state may not. */
	ck_error(entry_put_record(&out, &key, text_of("garbage")), WB_CORRUPT);
	ck_assert_str_eq(written(), IS_RECORD "n\",\"name\":\"a\",\"value\":"
					      "\"Z2FyYmFnZQ==\"}\n");
	key = key_of(191, "", "b");
	ck_ok(entry_put_record(&out, &key, nothing));
	ck_assert_str_eq(written(),
			 "{\"type\":\"record\",\"kind\":191,\"namespace\":\"\","
			 "\"name\":\"b\",\"value\":\"\"}\n");
	key = key_of(64, "\xFE", "\xFF");
	ck_ok(entry_put_record(&out, &key, text_of("x")));
	ck_assert_str_eq(written(), "{\"type\":\"record\",\"kind\":64,"
				    "\"namespace64\":\"/g==\",\"name64\":"
				    "\"/w==\",\"value\":\"eA==\"}\n");
	entry_put_deletion(&out, &key);
	ck_assert_str_eq(written(), "{\"type\":\"deletion\",\"kind\":64,"
				    "\"namespace64\":\"/g==\",\"name64\":"
				    "\"/w==\"}\n");
}
END_TEST

START_TEST(a_commit_has_what_it_has)
{
	struct store_commit commit = {
		.revision = 7,
		.time_ns = -1,
		.uid = 4294967295u,
		.pid = -5,
		.changes = 2,
	};

	entry_put_commit(&out, &commit);
	ck_assert_str_eq(written(),
			 "{\"type\":\"commit\",\"revision\":7,\"time\":"
			 "\"1969-12-31T23:59:59.999999999Z\",\"actor\":"
			 "{\"uid\":4294967295,\"gid\":0,\"pid\":-5},"
			 "\"changes\":2}\n");
	commit.command = text_of("me");
	commit.reason = text_of("why");
	commit.operation_ns = text_of("n");
	commit.operation_id = text_of("\xFF");
	commit.request_hash = 0x0123456789abcdef;
	entry_put_commit(&out, &commit);
	ck_assert_str_eq(
		written(),
		"{\"type\":\"commit\",\"revision\":7,\"time\":"
		"\"1969-12-31T23:59:59.999999999Z\",\"actor\":"
		"{\"uid\":4294967295,\"gid\":0,\"pid\":-5,\"command\":\"me\"},"
		"\"reason\":\"why\",\"operation_namespace\":\"n\","
		"\"operation_id64\":\"/w==\",\"request_hash\":"
		"\"0123456789abcdef\",\"changes\":2}\n");
}
END_TEST

START_TEST(the_first_line_and_the_last)
{
	uint8_t sum[SUM_BYTES] = {0xAB};

	entry_put_header(&out, NULL);
	ck_assert_str_eq(written(), "{\"format\":\"waybill-dump\",\"version\":"
				    "1,\"content\":\"state\"}\n");
	entry_put_header(&out, (const uint8_t *)"0123456789abcdef");
	ck_assert_str_eq(written(),
			 "{\"format\":\"waybill-dump\",\"version\":1,"
			 "\"content\":\"history\",\"uuid\":"
			 "\"30313233343536373839616263646566\"}\n");
	entry_put_end(&out, 3, sum);
	ck_assert_str_eq(written(), "{\"type\":\"end\",\"count\":3,\"sha256\":"
				    "\"ab000000000000000000000000000000"
				    "00000000000000000000000000000000\"}\n");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("entry_out");
	TCase *tcase = tcase_create("entry_out");

	tcase_add_checked_fixture(tcase, NULL, tear_down);
	tcase_add_test(tcase, an_image_is_told_in_words);
	tcase_add_test(tcase, what_words_cannot_hold_is_told_as_bytes);
	tcase_add_test(tcase, other_values_are_bytes);
	tcase_add_test(tcase, a_commit_has_what_it_has);
	tcase_add_test(tcase, the_first_line_and_the_last);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
