/* SPDX-License-Identifier: Apache-2.0
 *
 * A store on a real filesystem, for the scripts beside this file. What
 * revision N holds follows from the seed and N alone, so whoever opens the
 * directory after a power cut knows what must be there.
 *
 *	worker write DIR SEED [FILE]	commits as told on standard input
 *	worker check DIR SEED REVISION	is the store what it was at some
 *revision not older than this one?
 *
 * `write` obeys a line each: "commit", "mark", "reopen", "read", "rm". It
 * answers each with a line: "ok REVISION", or "error CODE". Behind "ok" stand
 * bytes 16 to 23 of FILE, as a number: of a log of block writes they are how
 * many entries it has, so what is acknowledged here is in one of those. At the
 * end of the input the store is closed.
 */
#include "base/control.h"
#include "tests/support/hush.h"
#include "tests/support/rng.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <waybill/store.h>

enum {
	KEYS = 24,
	CHANGES_MAX = 3,
	VALUE_BYTES_MAX = 2500,
	SEGMENT_BYTES = 16 << 10,
};

/* ---- what is written ---- */

/* The revision that wrote each key; 0: it is not there. */
struct model {
	uint64_t seed, revision;
	uint64_t keys[KEYS];
};

struct change {
	unsigned key;
	bool deleted;
};

static struct rng rng_for(uint64_t seed, uint64_t revision, unsigned part)
{
	uint64_t state = seed;

	state = splitmix64(&state) ^ revision;
	return rng_of(splitmix64(&state) ^ part);
}

/* The changes that make revision model->revision + 1; returns how many. */
static unsigned next_changes(const struct model *model,
			     struct change changes[CHANGES_MAX])
{
	struct rng rng = rng_for(model->seed, model->revision + 1, KEYS);
	unsigned count = 1 + (unsigned)rng_below(&rng, CHANGES_MAX);
	unsigned first = (unsigned)rng_below(&rng, KEYS);

	for (unsigned at = 0; at < count; at++) {
		changes[at].key = (first + at) % KEYS;
		changes[at].deleted =
			model->keys[changes[at].key] && rng_chance(&rng, 1, 4);
	}
	return count;
}

static size_t value_of(uint64_t seed, uint64_t revision, unsigned key,
		       uint8_t value[VALUE_BYTES_MAX])
{
	struct rng rng = rng_for(seed, revision, key);
	size_t size = 1 + (size_t)rng_below(&rng, rng_chance(&rng, 1, 4)
							  ? VALUE_BYTES_MAX
							  : 200);

	rng_fill(&rng, value, size);
	return size;
}

static void model_step(struct model *model)
{
	struct change changes[CHANGES_MAX];
	unsigned count = next_changes(model, changes);

	model->revision++;
	for (unsigned at = 0; at < count; at++)
		model->keys[changes[at].key] =
			changes[at].deleted ? 0 : model->revision;
}

static struct wb_key key_of(unsigned key, char name[16])
{
	int size = snprintf(name, 16, "key/%02u", key);

	return (struct wb_key){WB_KIND_EMBEDDER_FIRST,
			       {"", 0},
			       {name, (size_t)size}};
}

/* ---- a store ---- */

static enum wb_error open_store(const char *path, struct wb_store **ret_store,
				struct wb_text *ret_text)
{
	const struct wb_open_options options = {
		.size = sizeof(options),
		.flags = WB_OPEN_CREATE | WB_OPEN_ANY_FILESYSTEM,
		.segment_bytes = SEGMENT_BYTES,
		.report = hush,
	};

	return wb_store_open(path, &options, ret_store, ret_text);
}

static uint64_t revision_of(struct wb_store *store)
{
	struct wb_stat stat = {.size = sizeof(stat)};

	wb_store_stat(store, &stat);
	return stat.revision;
}

static enum wb_error make_changes(void *context, struct wb_txn *txn)
{
	const struct wb_precondition any = {.kind = WB_IF_ANY};
	const struct model *model = context;
	struct change changes[CHANGES_MAX];
	unsigned count = next_changes(model, changes);
	uint8_t value[VALUE_BYTES_MAX];
	enum wb_error error = WB_OK;
	char name[16];

	for (unsigned at = 0; at < count && !error; at++) {
		struct wb_key key = key_of(changes[at].key, name);
		size_t size = value_of(model->seed, model->revision + 1,
				       changes[at].key, value);

		if (changes[at].deleted)
			error = wb_txn_delete(txn, &key, any);
		else
			error = wb_txn_put(txn, &key,
					   (struct wb_bytes){value, size}, any);
	}
	return error;
}

static enum wb_error commit(struct wb_store *store, struct model *model)
{
	struct wb_outcome outcome;
	enum wb_error error =
		wb_update(store, NULL, make_changes, model, &outcome);

	if (!error && outcome.revision != model->revision + 1) {
		fprintf(stderr, "revision %" PRIu64 " after %" PRIu64 "\n",
			outcome.revision, model->revision);
		exit(EXIT_FAILURE);
	}
	if (!error)
		model_step(model);
	return error;
}

/* Delete the first key there is. What `check` says no longer counts. */
static enum wb_error remove_one(struct wb_store *store, struct model *model)
{
	const struct wb_precondition any = {.kind = WB_IF_ANY};
	struct wb_txn *txn;
	enum wb_error error = wb_txn_begin(store, NULL, &txn, NULL);
	unsigned at = 0;
	struct wb_key key;
	char name[16];

	if (error)
		return error;
	while (at + 1 < KEYS && !model->keys[at])
		at++;
	key = key_of(at, name);
	error = wb_txn_delete(txn, &key, any);
	if (error) {
		wb_txn_abort(txn);
		return error;
	}
	error = wb_txn_commit(txn, NULL);
	if (!error)
		model->keys[at] = 0;
	return error;
}

/* Does the store hold what the model does? */
static bool is_as_in(struct wb_store *store, const struct model *model)
{
	uint8_t expected[VALUE_BYTES_MAX], found[VALUE_BYTES_MAX];
	struct wb_record record;
	enum wb_error error;
	char name[16];

	for (unsigned at = 0; at < KEYS; at++) {
		struct wb_key key = key_of(at, name);
		size_t size;

		error = wb_get(store, &key, found, sizeof(found), &record);
		if (error == WB_NOT_FOUND && model->keys[at] == 0)
			continue;
		if (error || model->keys[at] == 0 ||
		    record.revision != model->keys[at])
			return false;
		size = value_of(model->seed, model->keys[at], at, expected);
		if (record.value.size != size ||
		    memcmp(found, expected, size) != 0)
			return false;
	}
	return true;
}

static void model_go_to(struct model *model, uint64_t revision)
{
	while (model->revision < revision)
		model_step(model);
}

/* ---- commands ---- */

static uint64_t number_in(const char *path)
{
	uint64_t number = 0;
	int fd;

	if (!path)
		return 0;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || pread(fd, &number, 8, 16) != 8) {
		perror(path);
		exit(EXIT_FAILURE);
	}
	close(fd);
	return number;
}

static enum wb_error obey(const char *word, const char *path,
			  struct wb_store **store, struct model *model)
{
	enum wb_error error;

	if (strcmp(word, "commit\n") == 0)
		return commit(*store, model);
	if (strcmp(word, "mark\n") == 0)
		return wb_store_mark(*store);
	if (strcmp(word, "rm\n") == 0)
		return remove_one(*store, model);
	if (strcmp(word, "read\n") == 0)
		return is_as_in(*store, model) ? WB_OK : WB_CORRUPT;
	if (strcmp(word, "reopen\n") != 0)
		return WB_USAGE;
	error = wb_store_close(*store);
	if (!error)
		error = open_store(path, store, NULL);
	if (error)
		exit(EXIT_FAILURE);
	return WB_OK;
}

static int write_as_told(const char *path, uint64_t seed, const char *file)
{
	struct model model = {.seed = seed};
	struct wb_store *store;
	struct wb_text text;
	enum wb_error error = open_store(path, &store, &text);
	char word[32];

	if (error) {
		printf("error %s\n", wb_error_code(error));
		fprintf(stderr, "%s\n", text.text);
		return EXIT_FAILURE;
	}
	model_go_to(&model, revision_of(store));
	printf("ok %" PRIu64 " %" PRIu64 "\n", model.revision, number_in(file));
	fflush(stdout);
	while (fgets(word, sizeof(word), stdin)) {
		error = obey(word, path, &store, &model);
		if (error)
			printf("error %s\n", wb_error_code(error));
		else
			printf("ok %" PRIu64 " %" PRIu64 "\n", model.revision,
			       number_in(file));
		fflush(stdout);
	}
	error = wb_store_close(store);
	printf("closed %s\n", wb_error_code(error));
	return error ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int complain(const char *what, const struct model *model)
{
	printf("%s at revision %" PRIu64 "\n", what, model->revision);
	return EXIT_FAILURE;
}

/* Opened, compared, written, closed, opened and compared again. */
static int check(const char *path, uint64_t seed, uint64_t revision)
{
	struct wb_stat stat = {.size = sizeof(stat)};
	struct model model = {.seed = seed};
	struct wb_store *store;
	struct wb_text text;
	uint64_t torn;

	if (open_store(path, &store, &text)) {
		printf("not opened: %s\n", text.text);
		return EXIT_FAILURE;
	}
	wb_store_stat(store, &stat);
	torn = stat.torn_bytes;
	model_go_to(&model, stat.revision);
	if (stat.revision < revision)
		return complain("acknowledged commits are lost", &model);
	if (!is_as_in(store, &model))
		return complain("the state is another", &model);
	if (commit(store, &model) || wb_store_close(store))
		return complain("it cannot be written", &model);
	if (open_store(path, &store, &text))
		return complain("not opened again", &model);
	if (revision_of(store) != model.revision || !is_as_in(store, &model))
		return complain("what was written is lost", &model);
	if (wb_store_close(store))
		return complain("not closed", &model);
	printf("ok %" PRIu64 " %" PRIu64 "\n", model.revision - 1, torn);
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	uint64_t seed = argc > 3 ? strtoull(argv[3], NULL, 0) : 0;

	if (getenv("WAYBILL_CONTROL") && !control_from_environment())
		return 64;
	if (argc >= 4 && strcmp(argv[1], "write") == 0)
		return write_as_told(argv[2], seed, argc > 4 ? argv[4] : NULL);
	if (argc == 5 && strcmp(argv[1], "check") == 0)
		return check(argv[2], seed, strtoull(argv[4], NULL, 0));
	fprintf(stderr, "usage: worker write DIR SEED [FILE]\n"
			"       worker check DIR SEED REVISION\n");
	return 64;
}
