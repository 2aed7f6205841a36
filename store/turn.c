/* SPDX-License-Identifier: Apache-2.0
 *
 * Updates take turns. A flag under a mutex, not the mutex itself: the turn
 * belongs to a transaction, which may be ended by another thread than began
 * it, and a second begin by the same thread must be an error, not a deadlock.
 */
#include "store/state.h"

enum wb_error turn_take(struct wb_store *store)
{
	enum wb_error error = WB_OK;

	pthread_mutex_lock(&store->turn);
	if (store->turn_taken &&
	    pthread_equal(store->turn_owner, pthread_self()))
		error = WB_NESTED;
	while (!error && store->turn_taken)
		pthread_cond_wait(&store->turn_free, &store->turn);
	if (!error) {
		store->turn_taken = true;
		store->turn_owner = pthread_self();
	}
	pthread_mutex_unlock(&store->turn);
	return error;
}

void turn_give(struct wb_store *store)
{
	pthread_mutex_lock(&store->turn);
	store->turn_taken = false;
	pthread_cond_signal(&store->turn_free);
	pthread_mutex_unlock(&store->turn);
}

bool turn_is_taken(struct wb_store *store)
{
	bool taken;

	pthread_mutex_lock(&store->turn);
	taken = store->turn_taken;
	pthread_mutex_unlock(&store->turn);
	return taken;
}
