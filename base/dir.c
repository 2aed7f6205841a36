/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"

#include <string.h>

struct search {
	const char *entry;
	bool found;
};

static bool compare(void *context, const char *entry)
{
	struct search *search = context;

	search->found = strcmp(entry, search->entry) == 0;
	return !search->found;
}

enum wb_error dir_has(struct dir *dir, const char *name, const char *entry,
		      bool *ret_has)
{
	struct search search = {.entry = entry};
	enum wb_error error = dir_list(dir, name, compare, &search);

	if (!error)
		*ret_has = search.found;
	return error;
}
