/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/conformance/images.h"

#include "tests/support/suite.h"

#include <inttypes.h>
#include <string.h>

struct wb_images *images;
static const struct images_provider *provider;

const struct wb_call call = {.size = sizeof(struct wb_call), .ns = "default"};

struct wb_call call_in(const char *ns)
{
	return (struct wb_call){.size = sizeof(struct wb_call), .ns = ns};
}

struct wb_image plain(const char *name)
{
	return (struct wb_image){.name = name,
				 .target = {.media_type = MEDIA,
					    .digest = DIGEST_A,
					    .size = 7}};
}

uint64_t given_image(const struct wb_image *image)
{
	struct wb_outcome outcome = {0, false};
	struct wb_text text = {""};

	ck_assert_msg(!images->ops->put(images, &call, image, NULL, &outcome,
					NULL, &text),
		      "%s", text.text);
	return outcome.revision;
}

uint64_t given(const char *name)
{
	struct wb_image image = plain(name);

	return given_image(&image);
}

struct wb_image *got(const char *name)
{
	struct wb_image *image = NULL;
	struct wb_text text = {""};

	ck_assert_msg(!images->ops->get(images, &call, name, &image, &text),
		      "%s", text.text);
	ck_assert_str_eq(image->name, name);
	return image;
}

static size_t add_labels(char *to, size_t room, const struct wb_labels *labels)
{
	size_t size = 0;

	for (size_t i = 0; i < labels->count; i++) {
		int length =
			snprintf(to + size, room - size, " %s=%s",
				 labels->items[i].key, labels->items[i].value);

		ck_assert_int_ge(length, 0);
		ck_assert_uint_lt((size_t)length, room - size);
		size += (size_t)length;
	}
	return size;
}

const char *shape(const struct wb_image *image)
{
	static char text[4096];
	size_t size = (size_t)sprintf(text, "labels");

	size += add_labels(text + size, 1500, &image->labels);
	size += (size_t)snprintf(text + size, 500, "; target %s %s %" PRId64,
				 image->target.media_type, image->target.digest,
				 image->target.size);
	size += (size_t)sprintf(text + size, "; annotations");
	add_labels(text + size, 1500, &image->target.annotations);
	return text;
}

static bool add_name(void *context, const struct wb_image *image)
{
	char *text = context;

	ck_assert_uint_lt(strlen(text) + strlen(image->name) + 2, 4096);
	strcat(text, image->name);
	strcat(text, " ");
	return true;
}

const char *names(void)
{
	static char text[4096];
	struct wb_text why = {""};

	*text = 0;
	ck_assert_msg(!images->ops->list(images, &call, NULL, add_name, text,
					 NULL, &why),
		      "%s", why.text);
	return text;
}

static void setup(void)
{
	images = provider->open();
	ck_assert_ptr_nonnull(images);
}

static void teardown(void)
{
	provider->close(images);
	images = NULL;
}

Suite *images_conformance(const char *name, const struct images_provider *of)
{
	TCase *(*const parts[])(void) = {
		conformance_read,  conformance_write, conformance_condition,
		conformance_apply, conformance_list,  conformance_history,
		conformance_undo,
	};
	Suite *suite = suite_create(name);

	provider = of;
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		TCase *tcase = parts[i]();

		tcase_add_checked_fixture(tcase, setup, teardown);
		tcase_set_timeout(tcase, 60);
		suite_add_tcase(suite, tcase);
	}
	return suite;
}
