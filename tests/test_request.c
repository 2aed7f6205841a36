/* SPDX-License-Identifier: Apache-2.0
 *
 * The hash of a request is kept in the log, so its bytes are fixed. That two
 * requests differ is asked by the conformance suite.
 */
#include "images/request.h"

#include "tests/support/suite.h"

#include <string.h>
#include <xxhash.h>

static void add_number(uint8_t **to, uint64_t number)
{
	for (int i = 0; i < 8; i++)
		*(*to)++ = (uint8_t)(number >> 8 * i);
}

static void add_string(uint8_t **to, const char *string)
{
	add_number(to, strlen(string) + 1);
	*to = mempcpy(*to, string, strlen(string));
}

START_TEST(a_request_is_these_bytes)
{
	const struct wb_label labels[] = {{"a", "1"}, {"b", ""}, {"c", "2"}};
	const struct wb_image image = {.name = "n",
				       .labels = {labels, 3},
				       .target = {"m", "d", -2, {NULL, 0}},
				       .created_at_ns = 99,
				       .revision = 98};
	struct wb_condition condition = {WB_WHEN_REVISION, 5, "ignored"};
	uint8_t bytes[512];
	uint8_t *to = bytes;
	struct request request;

	add_number(&to, 1); /* put */
	add_number(&to, 1); /* there is an image */
	add_string(&to, "n");
	add_number(&to, 2); /* labels */
	add_string(&to, "a");
	add_string(&to, "1");
	add_string(&to, "c");
	add_string(&to, "2");
	add_string(&to, "m");
	add_string(&to, "d");
	add_number(&to, (uint64_t)-2);
	add_number(&to, 0); /* annotations */
	add_number(&to, 3); /* condition */
	add_number(&to, 5);
	add_number(&to, 0); /* no string */
	add_string(&to, "");
	ck_ok(request_begin(&request, REQUEST_PUT));
	request_image(&request, &image);
	request_condition(&request, &condition);
	request_string(&request, NULL);
	request_string(&request, "");
	ck_assert_uint_eq(request_end(&request),
			  XXH3_64bits(bytes, (size_t)(to - bytes)));
}
END_TEST

START_TEST(no_condition_and_any_are_the_same)
{
	struct wb_condition any = {WB_WHEN_ANY, 7, "x"};
	struct request a;
	struct request b;

	ck_ok(request_begin(&a, REQUEST_REMOVE));
	request_condition(&a, NULL);
	ck_ok(request_begin(&b, REQUEST_REMOVE));
	request_condition(&b, &any);
	ck_assert_uint_eq(request_end(&a), request_end(&b));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("request");
	TCase *tcase = tcase_create("request");

	tcase_add_test(tcase, a_request_is_these_bytes);
	tcase_add_test(tcase, no_condition_and_any_are_the_same);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
