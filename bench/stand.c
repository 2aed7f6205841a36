/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/stand.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

const struct wb_bytes stand_ns = {"default", 7};

void stand_check(enum wb_error error, const char *what)
{
	if (error)
		bench_die("%s: %s", what, wb_error_text(error));
}

const char *stand_arguments(int count, char **arguments, size_t *records,
			    size_t *rounds)
{
	const char *directory = NULL;

	for (int at = 1; at < count; at++) {
		if (!strcmp(arguments[at], "--records") && at + 1 < count)
			*records = strtoul(arguments[++at], NULL, 10);
		else if (!strcmp(arguments[at], "--rounds") && at + 1 < count)
			*rounds = strtoul(arguments[++at], NULL, 10);
		else
			directory = arguments[at];
	}
	if (!directory || *records < 10000 || *rounds < 1 ||
	    *rounds >= BENCH_ROUNDS_MAX)
		bench_die("usage: %s [--records N] [--rounds N] DIRECTORY\n"
			  "(10,000 records or more, 1 to 14 rounds)",
			  arguments[0]);
	return directory;
}

void stand_init(struct stand *stand, const char *directory)
{
	snprintf(stand->path, sizeof(stand->path), "%s/bench-store", directory);
}

void stand_open(struct stand *stand)
{
	struct wb_open_options options = {
		.size = sizeof(options),
		.flags = WB_OPEN_CREATE | WB_OPEN_ANY_FILESYSTEM,
	};
	struct wb_text text = {""};

	if (wb_store_open(stand->path, &options, &stand->store, &text))
		bench_die("%s: %s", stand->path, text.text);
}

void stand_close(struct stand *stand)
{
	stand_check(wb_store_close(stand->store), "close");
}

static int remove_one(const char *name, const struct stat *stat, int type,
		      struct FTW *ftw)
{
	(void)stat;
	(void)type;
	(void)ftw;
	return remove(name);
}

void stand_remove(struct stand *stand)
{
	nftw(stand->path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void stand_fresh(struct stand *stand)
{
	stand_remove(stand);
	stand_open(stand);
}

void stand_put(struct stand *stand, uint64_t from, uint64_t to)
{
	struct wb_outcome outcome;
	char name[BENCH_NAME_BYTES];
	uint8_t value[256];
	struct wb_txn *txn;

	stand_check(wb_txn_begin(stand->store, NULL, &txn, NULL), "begin");
	for (; from < to; from++) {
		struct wb_key key = {STAND_KIND,
				     stand_ns,
				     {name, bench_name(from, name)}};
		struct wb_bytes bytes = {value, bench_value(from, value)};

		stand_check(wb_txn_put(txn, &key, bytes,
				       (struct wb_precondition){0}),
			    "put");
	}
	stand_check(wb_txn_commit(txn, &outcome), "commit");
}
