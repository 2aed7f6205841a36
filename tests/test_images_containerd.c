/* SPDX-License-Identifier: Apache-2.0
 *
 * The same random calls to containerd's own image store, which
 * tests/containerd/images.go runs where its source is installed, and to
 * ours: code, text and image of every answer must agree.
 *
 * What is meant to differ is not drawn: names that are no UTF-8, a label
 * whose key is empty, what goes beyond our limits, and the removal of the
 * empty name.
 */
#include "tests/support/hush.h"
#include "tests/support/suite.h"
#include "tests/support/tempdir.h"

#include <inttypes.h>
#include <string.h>
#include <sys/wait.h>
#include <waybill/waybill.h>

#define WORDS_MAX 12
#define ITEMS_MAX 16

static const struct wb_call call = {.size = sizeof(struct wb_call),
				    .ns = "default"};
static struct wb_store *store;
static struct wb_images *images;
static char *directory;

static const char *environment(const char *name, const char *otherwise)
{
	const char *value = getenv(name);

	return value && *value ? value : otherwise;
}

/* ---- what Go printed ---- */

static unsigned nibble(char digit)
{
	return (unsigned)(digit <= '9' ? digit - '0' : digit - 'a' + 10);
}

/* In place. */
static char *decode(char *text)
{
	size_t size = strcmp(text, "-") ? strlen(text) / 2 : 0;

	for (size_t i = 0; i < size; i++)
		text[i] = (char)(nibble(text[2 * i]) << 4 |
				 nibble(text[2 * i + 1]));
	text[size] = 0;
	return text;
}

static size_t split(char *text, const char *separator, char **words,
		    size_t words_max)
{
	char *save = NULL;
	size_t count = 0;

	for (char *word = strtok_r(text, separator, &save); word;
	     word = strtok_r(NULL, separator, &save)) {
		ck_assert_uint_lt(count, words_max);
		words[count++] = word;
	}
	return count;
}

static struct wb_labels map_of(char *text, struct wb_label *items)
{
	char *pairs[ITEMS_MAX];
	size_t count = 0;

	if (strcmp(text, "-"))
		count = split(text, ",", pairs, ITEMS_MAX);
	for (size_t i = 0; i < count; i++) {
		char *value = strchr(pairs[i], '=');

		*value = 0;
		items[i].key = decode(pairs[i]);
		items[i].value = decode(value + 1);
	}
	return (struct wb_labels){items, count};
}

static size_t list_of(char *text, char **items)
{
	size_t count = 0;

	if (strcmp(text, "none"))
		count = split(text, ",", items, ITEMS_MAX);
	for (size_t i = 0; i < count; i++)
		items[i] = decode(items[i]);
	return count;
}

/* ---- our answers ---- */

struct answer {
	enum wb_error error;
	struct wb_text text;
	char back[8192];
};

static void add_labels(char *to, const struct wb_labels *labels)
{
	for (size_t i = 0; i < labels->count; i++) {
		strcat(to, " ");
		strcat(to, labels->items[i].key);
		strcat(to, "=");
		strcat(to, labels->items[i].value);
	}
}

static void take(struct answer *answer, struct wb_image *image)
{
	char size[64];

	strcpy(answer->back, "labels");
	add_labels(answer->back, &image->labels);
	strcat(answer->back, "; target ");
	strcat(answer->back, image->target.media_type);
	strcat(answer->back, " ");
	strcat(answer->back, image->target.digest);
	snprintf(size, sizeof(size), " %" PRId64 "; annotations",
		 image->target.size);
	strcat(answer->back, size);
	add_labels(answer->back, &image->target.annotations);
	wb_image_free(image);
}

static bool add_name(void *context, const struct wb_image *image)
{
	strcat(context, image->name);
	strcat(context, " ");
	return true;
}

/* create and update, from words 1 to 6 or 7 */
static size_t write_image(char **words, struct answer *answer)
{
	bool update = !strcmp(words[0], "update");
	struct wb_label labels[ITEMS_MAX];
	struct wb_label annotations[ITEMS_MAX];
	char *paths[ITEMS_MAX];
	size_t path_count = update ? list_of(words[7], paths) : 0;
	struct wb_image *stored = NULL;
	struct wb_image image = {.name = decode(words[1]),
				 .labels = map_of(words[2], labels),
				 .target = {decode(words[3]), decode(words[4]),
					    strtoll(words[5], NULL, 10),
					    map_of(words[6], annotations)}};

	if (update)
		answer->error = images->ops->update(images, &call, &image,
						    (const char *const *)paths,
						    path_count, NULL, NULL,
						    &stored, &answer->text);
	else
		answer->error = images->ops->create(images, &call, &image, NULL,
						    &stored, &answer->text);
	if (!answer->error)
		take(answer, stored);
	return update ? 8 : 7;
}

/* Repeats the call of a line; returns where its answer stands. */
static size_t repeat(char **words, struct answer *answer)
{
	struct wb_list_options options = {.size = sizeof(options)};
	char *filters[ITEMS_MAX];
	struct wb_image *image = NULL;

	if (!strcmp(words[0], "create") || !strcmp(words[0], "update"))
		return write_image(words, answer);
	if (!strcmp(words[0], "get")) {
		answer->error =
			images->ops->get(images, &call, decode(words[1]),
					 &image, &answer->text);
		if (!answer->error)
			take(answer, image);
	} else if (!strcmp(words[0], "delete")) {
		answer->error =
			images->ops->remove(images, &call, decode(words[1]),
					    NULL, NULL, NULL, NULL,
					    &answer->text);
	} else {
		ck_assert_str_eq(words[0], "list");
		options.filter_count = list_of(words[1], filters);
		options.filters = (const char *const *)filters;
		answer->error =
			images->ops->list(images, &call, &options, add_name,
					  answer->back, NULL, &answer->text);
		if (answer->error)
			*answer->back = 0;
	}
	return 2;
}

static const char *code_of(enum wb_error error)
{
	switch (error) {
	case WB_OK:
		return "OK";
	case WB_NOT_FOUND:
		return "NotFound";
	case WB_EXISTS:
		return "AlreadyExists";
	case WB_BAD_INPUT:
		return "InvalidArgument";
	default:
		return wb_error_code(error);
	}
}

static void check_line(size_t number, char *line)
{
	struct answer answer = {.error = WB_OK};
	char *words[WORDS_MAX];
	char *copy = strdup(line);
	size_t at;

	ck_assert_uint_ge(split(line, "\t\n", words, WORDS_MAX), 5);
	at = repeat(words, &answer);
	ck_assert_msg(!strcmp(code_of(answer.error), words[at]),
		      "call %zu: %s (%s), containerd %s\n%s", number,
		      code_of(answer.error), answer.text.text, words[at], copy);
	ck_assert_msg(!strcmp(answer.text.text, decode(words[at + 1])),
		      "call %zu: %s, containerd %s\n%s", number,
		      answer.text.text, words[at + 1], copy);
	ck_assert_msg(!strcmp(answer.back, decode(words[at + 2])),
		      "call %zu: %s, containerd %s\n%s", number, answer.back,
		      words[at + 2], copy);
	free(copy);
}

/* ---- the test ---- */

static void setup(void)
{
	struct wb_open_options options = {.size = sizeof(options),
					  .flags = WB_OPEN_CREATE |
						   WB_OPEN_ANY_FILESYSTEM,
					  .report = hush};

	directory = tempdir_make();
	ck_ok(wb_store_open(directory, &options, &store, NULL));
	ck_ok(wb_images_local(store, &images));
}

static void teardown(void)
{
	images->ops->close(images);
	ck_ok(wb_store_close(store));
	tempdir_remove(directory);
}

START_TEST(every_answer_is_containerds)
{
	bool full = !strcmp(environment("WAYBILL_FULL", ""), "1");
	const char *seed = environment("WAYBILL_SEED", "1");
	char command[4096];
	char *line = NULL;
	size_t room = 0;
	size_t number = 0;
	FILE *output;

	snprintf(command, sizeof(command),
		 "cd '%s/tests/containerd' && GO111MODULE=off GOFLAGS= "
		 "GOPATH=/usr/share/gocode GOCACHE='%s/go-cache' "
		 "go run images.go %s %d",
		 environment("WAYBILL_SOURCE_DIR", WAYBILL_SOURCE_DIR),
		 environment("WAYBILL_BUILD_DIR", WAYBILL_BUILD_DIR), seed,
		 full ? 50000 : 3000);
	printf("seed %s\n", seed);
	fflush(stdout);
	output = popen(command, "r");
	ck_assert_ptr_nonnull(output);
	while (getline(&line, &room, output) > 0)
		check_line(++number, line);
	free(line);
	ck_assert_msg(WEXITSTATUS(pclose(output)) == 0,
		      "go, or containerd's source, is not installed: "
		      "golang-go, golang-github-containerd-containerd-dev");
	ck_assert_uint_ge(number, 3000);
	printf("count: calls answered as by containerd %zu\n", number);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("images_containerd");
	TCase *tcase = tcase_create("images_containerd");

	tcase_set_timeout(tcase, 240);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, every_answer_is_containerds);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
