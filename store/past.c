/* SPDX-License-Identifier: Apache-2.0
 *
 * A state that was: the log up to a revision, replayed into an index of its
 * own, by the code that opens a store. It costs the time of that open, and
 * the memory of that state.
 *
 * Discarded: the newest state taken back change by change. It is quicker for
 * a past that is near, and it is a second meaning of the log beside replay.
 */
#include "log/follow.h"
#include "store/load.h"
#include "store/state.h"

enum wb_error store_past(struct wb_store *store, uint64_t revision,
			 struct wb_store **ret_past)
{
	enum wb_error error = store_check(store);
	struct loader loader = {.store = NULL};

	if (!error && revision > store->published)
		error = WB_NOT_FOUND;
	if (!error)
		error = store_new(&store->env, &store->options, &loader.store);
	if (error)
		return error;
	error = log_follow(store->log, revision, load_commit, &loader);
	error = load_finish(&loader, error);
	if (error) {
		store_free(loader.store);
		return error;
	}
	loader.store->published = revision;
	loader.store->publishing = revision;
	*ret_past = loader.store;
	return WB_OK;
}

void store_past_free(struct wb_store *past)
{
	if (past && !store_check(past))
		store_free(past);
}
