/* SPDX-License-Identifier: Apache-2.0
 *
 * A line is taken for what it is, or refused for the reason that it is told.
 */
#include "dump/entry.h"

#include "tests/support/rng.h"
#include "tests/support/suite.h"

#include <inttypes.h>
#include <string.h>

#define DIGEST                                       \
	"sha256:11111111111111111111111111111111111" \
	"11111111111111111111111111111"
#define TARGET                                                                \
	"\"target\":{\"mediaType\":\"t\",\"digest\":\"" DIGEST "\",\"size\":" \
	"12}"
#define TIMES                                      \
	"\"created_at\":\"2026-01-01T00:00:00Z\"," \
	"\"updated_at\":\"2026-01-01T00:00:00.000000005Z\""
#define IMAGE_OF(name)                                                  \
	"{\"type\":\"image\",\"namespace\":\"n\",\"name\":\"" name "\"" \
	"," TARGET
#define IMAGE	     IMAGE_OF("a") ",\"labels\":{}," TIMES "}"
#define RECORD(more) "{\"type\":\"record\",\"kind\":64," more "}"
#define DELETION     "{\"type\":\"deletion\",\"kind\":64,\"namespace\":\"n\","
#define TEXT_65                            \
	"12345678901234567890123456789012" \
	"123456789012345678901234567890123"
#define ACTOR "\"actor\":{\"uid\":1,\"gid\":2,\"pid\":-3"
#define COMMIT(more)                                    \
	"{\"type\":\"commit\",\"revision\":7,\"time\":" \
	"\"2026-01-01T00:00:00Z\"," ACTOR "}" more ",\"changes\":2}"
#define HEADER "{\"format\":\"waybill-dump\",\"version\":1,\"content\":"
#define UUID   "\"00112233445566778899aabbccddeeff\""
#define SUM                                \
	"0123456789abcdef0123456789abcdef" \
	"0123456789abcdef0123456789abcdef"

static struct entry_reader reader;
static struct json_out out;
static char *line;

static void tear_down(void)
{
	entry_reader_release(&reader);
	json_out_release(&out);
	free(line);
	line = NULL;
}

/* From memory of exactly its size. */
static enum wb_error read_bytes(const char *bytes, size_t size,
				struct entry *entry, struct wb_text *text)
{
	free(line);
	line = malloc(size ? size : 1);
	ck_assert_ptr_nonnull(line);
	memcpy(line, bytes, size);
	*text = (struct wb_text){""};
	return entry_read(&reader, line, size, entry, text);
}

/* Write what was read. */
static void put(const struct entry *entry)
{
	struct wb_bytes value;
	void *owned;

	out.size = 0;
	switch (entry->type) {
	case ENTRY_HEADER:
		entry_put_header(&out, entry->history ? entry->uuid : NULL);
		break;
	case ENTRY_IMAGE:
	case ENTRY_RECORD:
		ck_ok(entry_value(entry, &value, &owned));
		ck_assert_int_ne(entry_put_record(&out, &entry->key, value),
				 WB_NO_MEMORY);
		free(owned);
		break;
	case ENTRY_DELETION:
		entry_put_deletion(&out, &entry->key);
		break;
	case ENTRY_COMMIT:
		entry_put_commit(&out, &entry->commit);
		break;
	case ENTRY_END:
		entry_put_end(&out, entry->count, entry->sum);
	}
	ck_assert(!out.out_of_memory);
}

/* ---- what is taken ---- */

/* NULL: it is written as it was read. */
static const struct {
	const char *line, *again;
	enum entry_type type;
} good[] = {
	{HEADER "\"state\"}", NULL, ENTRY_HEADER},
	{HEADER "\"history\",\"uuid\":" UUID "}", NULL, ENTRY_HEADER},
	{IMAGE, NULL, ENTRY_IMAGE},
	{IMAGE_OF("\\u0001 \xF0\x9F\x90\xB3") ",\"labels\":{\"a\":\"1\","
					      "\"b\":\"2\"}," TIMES "}",
	 NULL, ENTRY_IMAGE},
	/* Any order, any spelling, any offset: one meaning. */
	{" { \"name\" : \"\\u0061\" , " TIMES ", \"labels\" : { } ,"
	 "\"namespace\":\"n\"," TARGET ",\"type\":\"image\" } ",
	 IMAGE, ENTRY_IMAGE},
	{IMAGE_OF("a") ",\"labels\":{\"b\":\"2\",\"a\":\"1\"}," TIMES "}",
	 IMAGE_OF("a") ",\"labels\":{\"a\":\"1\",\"b\":\"2\"}," TIMES "}",
	 ENTRY_IMAGE},
	{IMAGE_OF("a") ",\"labels\":{},\"created_at\":"
		       "\"2026-01-01T02:00:00+02:00\",\"updated_at\":"
		       "\"2026-01-01T00:00:00.000000005Z\"}",
	 IMAGE, ENTRY_IMAGE},
	{RECORD("\"namespace\":\"n\",\"name\":\"a\",\"value\":\"eA==\""), NULL,
	 ENTRY_RECORD},
	{RECORD("\"namespace\":\"\",\"name\":\"a\\u0000b\",\"value\":\"\""),
	 NULL, ENTRY_RECORD},
	{RECORD("\"namespace64\":\"/g==\",\"name64\":\"/w==\",\"value\":\"\""),
	 NULL, ENTRY_RECORD},
	{RECORD("\"namespace64\":\"bg==\",\"name64\":\"YQ==\",\"value\":\"\""),
	 RECORD("\"namespace\":\"n\",\"name\":\"a\",\"value\":\"\""),
	 ENTRY_RECORD},
	{DELETION "\"name\":\"a\"}", NULL, ENTRY_DELETION},
	{COMMIT(""), NULL, ENTRY_COMMIT},
	{COMMIT(",\"reason\":\"why\",\"operation_namespace\":\"n\","
		"\"operation_id64\":\"/w==\",\"request_hash\":"
		"\"0123456789abcdef\""),
	 NULL, ENTRY_COMMIT},
	{"{\"type\":\"commit\",\"revision\":7,\"time\":"
	 "\"2026-01-01T00:00:00Z\"," ACTOR ",\"command64\":\"/w==\"},"
	 "\"reason64\":\"/w==\",\"changes\":65536}",
	 NULL, ENTRY_COMMIT},
	{"{\"type\":\"commit\",\"revision\":7,\"time\":"
	 "\"2026-01-01T00:00:00Z\"," ACTOR ",\"command\":\"a\\u0000b\"},"
	 "\"changes\":1}",
	 NULL, ENTRY_COMMIT},
	{"{\"type\":\"end\",\"count\":0,\"sha256\":\"" SUM "\"}", NULL,
	 ENTRY_END},
};

START_TEST(what_is_taken_is_written_again)
{
	for (size_t at = 0; at < sizeof(good) / sizeof(*good); at++) {
		const char *again =
			good[at].again ? good[at].again : good[at].line;
		struct entry entry;
		struct wb_text text;
		enum wb_error error =
			read_bytes(good[at].line, strlen(good[at].line), &entry,
				   &text);

		ck_assert_msg(!error, "%s: %s", good[at].line, text.text);
		ck_assert_int_eq(entry.type, good[at].type);
		put(&entry);
		ck_assert_uint_eq(out.size, strlen(again) + 1);
		ck_assert_int_eq(memcmp(out.bytes, again, out.size - 1), 0);
	}
}
END_TEST

/* ---- what is refused ---- */

#define LABELS(labels) IMAGE_OF("a") ",\"labels\":" labels "," TIMES "}"

static const struct {
	const char *line, *says;
} bad[] = {
	/* No JSON, or another one. */
	{"", "column 1: an object is expected"},
	{"[]", "column 1: an object is expected"},
	{"{", "column 2: a key is expected"},
	{IMAGE "x", "something follows the object"},
	{"{\"type\":7}", "column 9: a string is expected"},
	{"{\"kind\":\"7\"}", "column 9: a whole number is expected"},
	{"{\"kind\":1.5}", "column 9: a whole number is expected"},
	{"{\"type\":\"\xFF\"}", "column 10: not UTF-8"},
	{"{\"target\":7}", "column 11: an object is expected"},
	/* Fields. */
	{"{}", "\"type\" is missing"},
	{"{\"type\":\"picture\"}", "unknown type \"picture\""},
	{"{\"tpye\":\"image\"}", "unknown field \"tpye\""},
	{"{\"a\\u001b\\\"\":1}", "unknown field \"a\\x1b\\\"\""},
	{"{\"type\":\"end\",\"type\":\"end\"}", "field \"type\": twice"},
	{"{\"type\":\"end\",\"count\":1}", "\"sha256\" is missing"},
	{"{\"type\":\"end\",\"count\":-1,\"sha256\":\"" SUM "\"}",
	 "\"count\" is out of range"},
	{"{\"type\":\"end\",\"count\":1,\"sha256\":\"" SUM "0\"}",
	 "\"sha256\" is not of hexadecimal digits"},
	{"{\"type\":\"end\",\"count\":1,\"sha256\":\"A123456789abcdef0123456789"
	 "abcdef0123456789abcdef0123456789abcdef\"}",
	 "\"sha256\" is not of hexadecimal digits"},
	{"{\"type\":\"end\",\"count\":1,\"sha256\":\"" SUM "\",\"name\":\"a\"}",
	 "unknown field \"name\""},
	/* The header. */
	{"{\"format\":\"tar\",\"version\":1}",
	 "\"format\" is not \"waybill-dump\""},
	{"{\"format\":\"waybill-dump\",\"version\":0,\"content\":\"state\"}",
	 "\"version\" is none"},
	{HEADER "\"none\"}", "\"content\" is neither"},
	{HEADER "\"state\",\"uuid\":" UUID "}", "unknown field \"uuid\""},
	{HEADER "\"history\"}", "\"uuid\" is missing"},
	{HEADER "\"history\",\"uuid\":\"00\"}", "\"uuid\" is not of hex"},
	/* Images. */
	{IMAGE_OF("a") "," TIMES "}", "\"labels\" is missing"},
	{IMAGE_OF("a") ",\"labels\":{},\"kind\":1," TIMES "}",
	 "unknown field \"kind\""},
	{IMAGE_OF("") ",\"labels\":{}," TIMES "}", "Image.Name required"},
	{IMAGE_OF("a\\u0000") ",\"labels\":{}," TIMES "}",
	 "\"name\" holds a zero byte"},
	{LABELS("[]"), "an object is expected"},
	{LABELS("{\"a\":1}"), "a string is expected"},
	{LABELS("{\"a\":\"\"}"), "label \"a\": has no value"},
	{LABELS("{\"\":\"1\"}"), "key must not be empty"},
	{LABELS("{\"a\":\"1\",\"b\":\"2\",\"a\":\"1\"}"), "label \"a\": twice"},
	{LABELS("{\"a\\u0000\":\"1\"}"), "label \"a\": holds a zero byte"},
	{LABELS("{\"a\":\"\\u0000\"}"), "label \"a\": holds a zero byte"},
	{"{\"type\":\"image\",\"namespace\":\"\",\"name\":\"a\"," TARGET
	 ",\"labels\":{}," TIMES "}",
	 "namespace is required"},
	{"{\"type\":\"image\",\"namespace\":\"-n\",\"name\":\"a\"," TARGET
	 ",\"labels\":{}," TIMES "}",
	 "namespace validation"},
	{"{\"type\":\"image\",\"namespace\":\"n\",\"name\":\"a\",\"target\":"
	 "{\"mediaType\":\"t\",\"digest\":\"sha256:1\",\"size\":1},"
	 "\"labels\":{}," TIMES "}",
	 "Target.Digest \"sha256:1\" invalid"},
	{"{\"type\":\"image\",\"namespace\":\"n\",\"name\":\"a\",\"target\":"
	 "{\"mediaType\":\"t\",\"digest\":\"" DIGEST "\"},\"labels\":{}," TIMES
	 "}",
	 "\"size\" is missing"},
	{"{\"type\":\"image\",\"namespace\":\"n\",\"name\":\"a\",\"target\":"
	 "{\"name\":\"t\"},\"labels\":{}," TIMES "}",
	 "unknown field \"name\""},
	{IMAGE_OF("a") ",\"labels\":{},\"created_at\":\"2026-01-01\","
		       "\"updated_at\":\"2026-01-01T00:00:00Z\"}",
	 "\"created_at\" is not a time of RFC 3339"},
	{IMAGE_OF("a") ",\"labels\":{},\"created_at\":\"2026-01-01T00:00:00\","
		       "\"updated_at\":\"2026-01-01T00:00:00Z\"}",
	 "\"created_at\" is not a time of RFC 3339"},
	/* Records. */
	{RECORD("\"name\":\"a\",\"value\":\"\""), "\"namespace\" is missing"},
	{RECORD("\"namespace\":\"n\",\"value\":\"\""), "\"name\" is missing"},
	{RECORD("\"namespace\":\"n\",\"name\":\"\",\"value\":\"\""),
	 "\"name\" is missing, or cannot be one"},
	{RECORD("\"namespace\":\"n\",\"name\":\"a\""), "\"value\" is missing"},
	{RECORD("\"namespace\":\"n\",\"name\":\"a\",\"value\":\"e\""),
	 "\"value\" is not base64"},
	{RECORD("\"namespace\":\"n\",\"name\":\"a\",\"name64\":\"YQ==\","
		"\"value\":\"\""),
	 "\"name64\" stands beside the other form of it"},
	{RECORD("\"namespace\":\"\\u0000\",\"name\":\"a\",\"value\":\"\""),
	 "\"namespace\" is missing, or cannot be one"},
	{RECORD("\"namespace\":\"1234567890123456789012345678901234567890"
		"1234567890123456789012345678901234567\",\"name\":\"a\","
		"\"value\":\"\""),
	 "\"namespace\" is missing, or cannot be one"},
	{"{\"type\":\"record\",\"kind\":0,\"namespace\":\"n\",\"name\":\"a\","
	 "\"value\":\"\"}",
	 "\"kind\" is out of range"},
	{"{\"type\":\"record\",\"kind\":256,\"namespace\":\"n\",\"name\":\"a\","
	 "\"value\":\"\"}",
	 "\"kind\" is out of range"},
	{"{\"type\":\"record\",\"kind\":192,\"namespace\":\"n\",\"name\":\"a\","
	 "\"value\":\"\"}",
	 "\"kind\" is one of records about a store's files"},
	{DELETION "\"name\":\"a\",\"value\":\"\"}", "unknown field \"value\""},
	{DELETION "\"name\":\"a\"," TARGET "}", "unknown field \"target\""},
	/* Commits. */
	{COMMIT(",\"request_hash\":\"1\""), "\"request_hash\" is not of hex"},
	{COMMIT(",\"operation_id\":\"1234567890123456789012345678901234567890"
		"12345678901234567890123456789012345678901234567890123456789012"
		"345678901234567890123456789\""),
	 "\"operation_id\" is too long"},
	{"{\"type\":\"commit\",\"revision\":0,\"time\":\"2026-01-01T00:00:00Z\""
	 "," ACTOR "},\"changes\":1}",
	 "\"revision\" is out of range"},
	{"{\"type\":\"commit\",\"revision\":1,\"time\":\"2026-01-01T00:00:00Z\""
	 "," ACTOR "},\"changes\":65537}",
	 "\"changes\" is out of range"},
	{"{\"type\":\"commit\",\"revision\":1,\"time\":\"2026-01-01T00:00:00Z\""
	 ",\"actor\":{\"uid\":-1,\"gid\":0,\"pid\":0},\"changes\":1}",
	 "\"uid\" is out of range"},
	{"{\"type\":\"commit\",\"revision\":1,\"time\":\"2026-01-01T00:00:00Z\""
	 ",\"actor\":{\"uid\":1,\"gid\":0},\"changes\":1}",
	 "\"pid\" is missing"},
	{"{\"type\":\"commit\",\"revision\":1,\"time\":\"2026-01-01T00:00:00Z\""
	 "," ACTOR ",\"command\":\"" TEXT_65 "\"},\"changes\":1}",
	 "\"command\" is too long"},
};

START_TEST(what_is_wrong_is_named)
{
	for (size_t at = 0; at < sizeof(bad) / sizeof(*bad); at++) {
		struct entry entry = {.count = 4711};
		struct wb_text text;
		enum wb_error error =
			read_bytes(bad[at].line, strlen(bad[at].line), &entry,
				   &text);

		ck_assert_msg(error == WB_BAD_INPUT, "taken: %s", bad[at].line);
		ck_assert_msg(strstr(text.text, bad[at].says), "%s: %s",
			      bad[at].line, text.text);
		ck_assert_uint_eq(entry.count, 4711);
	}
}
END_TEST

START_TEST(a_later_version_is_told_from_a_wrong_line)
{
	static const char later[] = "{\"format\":\"waybill-dump\","
				    "\"version\":2,\"zipped\":true}";
	struct entry entry;
	struct wb_text text;

	ck_error(read_bytes(later, strlen(later), &entry, &text),
		 WB_UNSUPPORTED);
	ck_assert_str_eq(text.text,
			 "a dump of version 2, which is a later one");
}
END_TEST

/* What bytes do to a line: it is refused, or it is another line that means
 * what it says. */
START_TEST(a_spoilt_line_is_refused_or_means_what_it_says)
{
	struct rng rng = rng_of(3);
	unsigned taken = 0, refused = 0;

	for (unsigned times = 0; times < 40000; times++) {
		const char *from =
			good[rng_below(&rng, sizeof(good) / sizeof(*good))]
				.line;
		size_t size = strlen(from), first;
		struct entry entry;
		struct wb_text text;
		char copy[1024], *again;

		memcpy(copy, from, size);
		copy[rng_below(&rng, size)] =
			rng_chance(&rng, 1, 2)
				? "{}[]\":,\\019azAZ/=+-. "[rng_below(&rng, 22)]
				: (char)rng_next(&rng);
		if (rng_chance(&rng, 1, 8))
			size = (size_t)rng_below(&rng, size);
		if (read_bytes(copy, size, &entry, &text)) {
			ck_assert(*text.text);
			refused++;
			continue;
		}
		taken++;
		put(&entry);
		first = out.size;
		again = malloc(first);
		memcpy(again, out.bytes, first);
		ck_ok(read_bytes(again, first - 1, &entry, &text));
		put(&entry);
		if (out.size != first || memcmp(out.bytes, again, first) != 0)
			ck_abort_msg("%.*s", (int)size, copy);
		free(again);
	}
	ck_assert_uint_gt(taken, 1000);
	ck_assert_uint_gt(refused, 10000);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("entry_in");
	TCase *tcase = tcase_create("entry_in");

	tcase_add_checked_fixture(tcase, NULL, tear_down);
	tcase_add_test(tcase, what_is_taken_is_written_again);
	tcase_add_test(tcase, what_is_wrong_is_named);
	tcase_add_test(tcase, a_later_version_is_told_from_a_wrong_line);
	tcase_add_test(tcase, a_spoilt_line_is_refused_or_means_what_it_says);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
