/* SPDX-License-Identifier: Apache-2.0
 *
 * Updates take turns. Not a mutex: the turn belongs to a transaction, which
 * may be ended by another thread than began it, and a second begin by the
 * same thread must be an error, not a deadlock.
 *
 * The word is 0 free, 1 taken, 2 taken and somebody may sleep (Drepper,
 * "Futexes are tricky", 2011, mutex 2). A turn lasts microseconds, so a
 * newcomer spins a little before it sleeps.
 */
#include "store/futex.h"
#include "store/state.h"

#define SPINS 100

static uintptr_t myself(void)
{
	return (uintptr_t)pthread_self();
}

static bool try_take(struct wb_store *store)
{
	uint32_t free_word = 0;

	return atomic_compare_exchange_strong(&store->turn, &free_word, 1);
}

static void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#endif
}

enum wb_error turn_take(struct wb_store *store)
{
	int spin;

	if (store->turn_owner == myself())
		return WB_NESTED;
	for (spin = 0; spin < SPINS; spin++) {
		if (store->turn == 0 && try_take(store))
			goto taken;
		relax();
	}
	while (atomic_exchange(&store->turn, 2) != 0)
		futex_wait(&store->turn, 2);
taken:
	store->turn_owner = myself();
	return WB_OK;
}

void turn_give(struct wb_store *store)
{
	store->turn_owner = 0;
	if (atomic_exchange(&store->turn, 0) == 2)
		futex_wake(&store->turn, 1);
}

bool turn_is_taken(struct wb_store *store)
{
	return store->turn != 0;
}
