/* SPDX-License-Identifier: Apache-2.0
 *
 * References by example; test_filter_cases.c holds random ones against
 * containerd.
 */
#include "tests/support/suite.h"

#include <string.h>
#include <waybill/images.h>

#define HEX_64 \
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define DIGEST "@sha256:" HEX_64

static const struct {
	const char *reference;
	const char *name;
} good[] = {
	{"redis", "docker.io/library/redis:latest"},
	{"redis:7", "docker.io/library/redis:7"},
	{"redis" DIGEST, "docker.io/library/redis" DIGEST},
	{"redis:7" DIGEST, "docker.io/library/redis" DIGEST},
	{"library/redis", "docker.io/library/redis:latest"},
	{"me/redis", "docker.io/me/redis:latest"},
	{"docker.io/redis", "docker.io/library/redis:latest"},
	{"docker.io/library/redis:7", "docker.io/library/redis:7"},
	{"index.docker.io/redis", "docker.io/library/redis:latest"},
	{"index.docker.io/me/redis:1", "docker.io/me/redis:1"},
	{"localhost/redis", "localhost/redis:latest"},
	{"localhost:5000/redis:7", "localhost:5000/redis:7"},
	{"host:5000/a/b/c", "host:5000/a/b/c:latest"},
	{"host/redis", "docker.io/host/redis:latest"},
	{"ghcr.io/a/b", "ghcr.io/a/b:latest"},
	{"GHCR.io/a/b", "GHCR.io/a/b:latest"},
	{"127.0.0.1/a", "127.0.0.1/a:latest"},
	{"a.b/c__d/e--f.g_h", "a.b/c__d/e--f.g_h:latest"},
	{"my_host.net/a", "my_host.net/a:latest"},
	{"redis:A_.-9", "docker.io/library/redis:A_.-9"},
	{"redis:_", "docker.io/library/redis:_"},
};

START_TEST(a_reference_is_made_full)
{
	char *name = NULL;
	char *again = NULL;

	ck_ok(wb_reference_normalise(good[_i].reference, &name, NULL));
	ck_assert_str_eq(name, good[_i].name);
	ck_ok(wb_reference_normalise(name, &again, NULL));
	ck_assert_str_eq(again, name);
	free(again);
	free(name);
}
END_TEST

#define LOWERCASE "invalid reference format: repository name must be lowercase"
#define INVALID	  "invalid reference format"

static const struct {
	const char *reference;
	const char *text; /* behind `reference "…": ` */
} bad[] = {
	{"", INVALID},
	{"Redis", LOWERCASE},
	{"me/Redis:7", LOWERCASE},
	{"My_Host.net/a", "repository name must be lowercase"},
	{":7", INVALID},
	{"redis:", INVALID},
	{"redis:-7", INVALID},
	{"redis:a:b", INVALID},
	{"redis@", INVALID},
	{"redis@sha256:abc", INVALID},
	{"redis@md5:0123456789abcdef0123456789abcdef",
	 "unsupported digest algorithm"},
	{"redis@sha256:0123456789abcdef0123456789abcdef",
	 "invalid checksum digest length"},
	{"redis" DIGEST DIGEST, INVALID},
	{"a//b", INVALID},
	{"/a", INVALID},
	{"a/", INVALID},
	{"a___b", INVALID},
	{"-a", INVALID},
	{"a b", INVALID},
	{"https://a.b/c", INVALID},
	{"a.b:x/c", INVALID},
	{"-a.b/c", INVALID},
	{"[::1]:5000/a", INVALID},
};

START_TEST(what_is_no_reference_is_refused)
{
	char *name = NULL;
	char expected[512];
	struct wb_text text = {""};

	snprintf(expected, sizeof(expected), "reference \"%s\": %s",
		 bad[_i].reference, bad[_i].text);
	ck_error(wb_reference_normalise(bad[_i].reference, &name, &text),
		 WB_BAD_INPUT);
	ck_assert_str_eq(text.text, expected);
	ck_assert_ptr_null(name);
}
END_TEST

START_TEST(lengths_are_bounded)
{
	char reference[512];
	char *name = NULL;
	struct wb_text text = {""};

	/* 255 bytes of repository, 128 of tag */
	memset(reference, 'x', sizeof(reference));
	memcpy(reference, "a.b/", 4);
	reference[255] = ':';
	reference[256 + 128] = 0;
	ck_ok(wb_reference_normalise(reference, &name, NULL));
	ck_assert_str_eq(name, reference);
	free(name);
	reference[256 + 128] = 'x';
	reference[256 + 129] = 0;
	ck_error(wb_reference_normalise(reference, &name, NULL), WB_BAD_INPUT);
	reference[255] = 'x';
	reference[256] = 0;
	ck_error(wb_reference_normalise(reference, &name, &text), WB_BAD_INPUT);
	ck_assert_ptr_nonnull(
		strstr(text.text, "must not be more than 255 characters"));
}
END_TEST

START_TEST(an_identifier_is_no_name)
{
	char *name = NULL;
	struct wb_text text = {""};

	ck_error(wb_reference_normalise(HEX_64, &name, &text), WB_BAD_INPUT);
	ck_assert_str_eq(text.text,
			 "invalid repository name (" HEX_64
			 "), cannot specify 64-byte hexadecimal strings");
	ck_ok(wb_reference_normalise(HEX_64 "0", &name, NULL));
	free(name);
}
END_TEST

#define COUNT(table) (int)(sizeof(table) / sizeof(*(table)))

int main(void)
{
	Suite *suite = suite_create("reference");
	TCase *tcase = tcase_create("reference");

	tcase_add_loop_test(tcase, a_reference_is_made_full, 0, COUNT(good));
	tcase_add_loop_test(tcase, what_is_no_reference_is_refused, 0,
			    COUNT(bad));
	tcase_add_test(tcase, lengths_are_bounded);
	tcase_add_test(tcase, an_identifier_is_no_name);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
