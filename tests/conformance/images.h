/* SPDX-License-Identifier: Apache-2.0
 *
 * What every struct wb_images must do, wherever it keeps its images. A test
 * program brings one implementation and runs all of it on that.
 */
#ifndef WAYBILL_TESTS_CONFORMANCE_IMAGES_H
#define WAYBILL_TESTS_CONFORMANCE_IMAGES_H

#include <check.h>
#include <waybill/images.h>

/* Called before and after every test, in its process. */
struct images_provider {
	struct wb_images *(*open)(void); /* empty */
	void (*close)(struct wb_images *images);
};

Suite *images_conformance(const char *name,
			  const struct images_provider *provider);

/* ---- for the files of the suite ---- */

extern struct wb_images *images; /* of the running test */

#define SHA	 "sha256:"
#define HEX_A	 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define HEX_B	 "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define DIGEST_A SHA HEX_A
#define DIGEST_B SHA HEX_B
#define MEDIA	 "application/vnd.oci.image.manifest.v1+json"

/* They live as long as the block they stand in. */
#define LABELS(...)                                                          \
	((struct wb_labels){(const struct wb_label[]){__VA_ARGS__},          \
			    sizeof((const struct wb_label[]){__VA_ARGS__}) / \
				    sizeof(struct wb_label)})

/* A call in `ns`, with nothing else. */
struct wb_call call_in(const char *ns);
/* The one that most tests make, in the namespace "default". */
extern const struct wb_call call;

/* An image that is fit to be stored. */
struct wb_image plain(const char *name);
/* Store it, or end the test. Returns its revision. */
uint64_t given(const char *name);
uint64_t given_image(const struct wb_image *image);
/* Get it, or end the test; the test frees it. */
struct wb_image *got(const char *name);

/* `labels k=v …; target MEDIA DIGEST SIZE; annotations k=v …`, until the
 * next call. */
const char *shape(const struct wb_image *image);
/* The names of the namespace "default", each with a space behind it. */
const char *names(void);

/* Is `error` this one, with this text? */
#define ck_answer(error, expected, text, expected_text)       \
	do {                                                  \
		ck_assert_str_eq(wb_error_code(error),        \
				 wb_error_code(expected));    \
		ck_assert_str_eq((text).text, expected_text); \
	} while (0)

TCase *conformance_read(void);
TCase *conformance_write(void);
TCase *conformance_condition(void);
TCase *conformance_apply(void);
TCase *conformance_list(void);
TCase *conformance_history(void);
TCase *conformance_undo(void);

#endif
