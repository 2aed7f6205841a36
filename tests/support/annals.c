/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/annals.h"

#include <stdlib.h>

enum { KEYS = 24, VALUE_BYTES_MAX = 3000, GROUP_MAX = 4 };

static const uint32_t kinds[] = {4, 5, 64, 191};
enum { KINDS = sizeof(kinds) / sizeof(*kinds) };

/* ---- listings ---- */

static uint64_t mix(uint64_t hash, const void *bytes, size_t size)
{
	const unsigned char *at = bytes;

	for (size_t i = 0; i < size; i++)
		hash = (hash ^ at[i]) * UINT64_C(0x100000001b3);
	return hash;
}

uint64_t listing_add(uint64_t listing, const struct wb_key *key,
		     struct wb_bytes value, uint64_t revision, int64_t time_ns)
{
	uint64_t numbers[] = {key->kind,  key->ns.size, key->name.size,
			      value.size, revision,	(uint64_t)time_ns};

	listing = mix(listing, numbers, sizeof(numbers));
	listing = mix(listing, key->ns.data, key->ns.size);
	listing = mix(listing, key->name.data, key->name.size);
	return mix(listing, value.data, value.size);
}

struct lister {
	struct wb_view *view;
	uint32_t kind;
	uint64_t listing;
};

static bool list_record(void *context, const struct wb_record *record)
{
	struct lister *lister = context;

	lister->listing =
		listing_add(lister->listing, &record->key, record->value,
			    record->revision, record->time_ns);
	return true;
}

enum { NAMESPACES_MAX = 8 };
struct namespaces {
	size_t count;
	struct wb_bytes ns[NAMESPACES_MAX];
	char bytes[NAMESPACES_MAX][WB_NAMESPACE_BYTES_MAX + 1];
};

/* A view must not be used from within its own visit. */
static bool take_namespace(void *context, struct wb_bytes ns)
{
	struct namespaces *all = context;
	char *copy = all->bytes[all->count];

	ck_assert_uint_lt(all->count, NAMESPACES_MAX);
	if (ns.size > 0)
		memcpy(copy, ns.data, ns.size);
	all->ns[all->count++] = (struct wb_bytes){copy, ns.size};
	return true;
}

uint64_t listing_of(struct wb_store *store)
{
	struct wb_bytes none = {"", 0};
	struct lister lister = {.listing = 0};

	ck_ok(wb_view_begin(store, &lister.view));
	for (unsigned kind = 0; kind < KINDS; kind++) {
		struct namespaces all = {.count = 0};

		lister.kind = kinds[kind];
		ck_ok(wb_view_namespaces(lister.view, lister.kind,
					 take_namespace, &all));
		for (size_t at = 0; at < all.count; at++)
			ck_ok(wb_view_list(lister.view, lister.kind, all.ns[at],
					   none, none, list_record, &lister));
	}
	wb_view_end(lister.view);
	return lister.listing;
}

/* ---- transactions ---- */

static struct wb_key key_of(unsigned number, char name[32])
{
	static const char *const spaces[] = {"", "default", "n"};
	struct wb_key key = {.kind = kinds[number % KINDS]};

	key.ns = text_of(spaces[number / 4 % 3]);
	snprintf(name, 32, "%s%u", number % 5 ? "name" : "a/long:name", number);
	key.name = text_of(name);
	return key;
}

static bool change(struct annals *annals, struct wb_txn *txn, unsigned number)
{
	static uint8_t value[VALUE_BYTES_MAX];
	struct rng *rng = &annals->rng;
	size_t size =
		(size_t)rng_below(rng,
				  rng_chance(rng, 1, 6) ? VALUE_BYTES_MAX : 90);
	char name[32];
	struct wb_key key = key_of(number, name);
	enum wb_error error;

	if (rng_chance(rng, 1, 4)) {
		error = store_txn_delete(txn, &key, if_any);
		if (error != WB_NOT_FOUND)
			ck_ok(error);
		return !error;
	}
	rng_fill(rng, value, size);
	ck_ok(store_txn_put(txn, &key, (struct wb_bytes){value, size}, if_any));
	return true;
}

/* Staged; revision 0: it held nothing. */
static struct store_ticket stage(struct annals *annals)
{
	struct rng *rng = &annals->rng;
	struct wb_actor actor = {(uint32_t)rng_below(rng, 70000), 5,
				 (int32_t)rng_below(rng, 4000), "annals"};
	struct wb_txn_options options = {.size = sizeof(options)};
	unsigned count = 1 + (unsigned)rng_below(rng, 5);
	unsigned number = (unsigned)rng_below(rng, KEYS);
	struct store_ticket ticket = {0};
	struct wb_outcome replayed;
	struct wb_txn *txn;
	char id[32];

	if (rng_chance(rng, 1, 3))
		options.actor = &actor;
	if (rng_chance(rng, 1, 3))
		options.reason = text_of("because");
	if (rng_chance(rng, 1, 4)) {
		snprintf(id, sizeof(id), "id-%llx",
			 (unsigned long long)rng_next(rng));
		options.operation_ns = text_of("n");
		options.operation_id = text_of(id);
		options.request_hash = rng_next(rng);
	}
	simenv_set_wall(&annals->shelf.env,
			INT64_C(1700000000000000000) +
				(int64_t)rng_below(rng, 1u << 30));
	ck_ok(wb_txn_begin(annals->shelf.store, &options, &txn, &replayed));
	for (unsigned at = 0; at < count; at++)
		change(annals, txn, (number + at) % KEYS);
	ck_ok(store_stage(txn, &ticket));
	return ticket;
}

uint64_t annals_head(struct annals *annals)
{
	return shelf_stat(&annals->shelf).revision;
}

static void look(struct annals *annals)
{
	uint64_t head = annals_head(annals);

	while (annals->capacity <= head) {
		size_t capacity = 2 * annals->capacity + 64;

		annals->listings =
			realloc(annals->listings,
				capacity * sizeof(*annals->listings));
		ck_assert_ptr_nonnull(annals->listings);
		while (annals->capacity < capacity)
			annals->listings[annals->capacity++] = 0;
	}
	annals->listings[head] = listing_of(annals->shelf.store);
}

static void forget_after(struct annals *annals, uint64_t head)
{
	for (size_t at = head + 1; at < annals->capacity; at++)
		annals->listings[at] = 0;
}

static void commit_group(struct annals *annals)
{
	uint64_t many = rng_chance(&annals->rng, 1, 4) ? GROUP_MAX : 1;

	for (uint64_t left = 1 + rng_below(&annals->rng, many); left > 0;
	     left--)
		stage(annals);
	ck_ok(store_flush(annals->shelf.store));
	store_settle(annals->shelf.store);
	simenv_advance(&annals->shelf.env,
		       (int64_t)rng_below(&annals->rng, 600000000));
	look(annals);
}

/* ---- interruptions ---- */

static void reopen(struct annals *annals)
{
	ck_ok(shelf_open(&annals->shelf));
	forget_after(annals, annals_head(annals));
	look(annals);
}

/* Power goes during the next group, before operation `nth`. */
static void break_off(struct annals *annals, bool with_power)
{
	struct rng *rng = &annals->rng;
	uint64_t nth = 1 + rng_below(rng, 3);

	simdisk_cut_at(annals->shelf.disk, SIM_ANY_CHANGE, nth);
	for (uint64_t left = 1 + rng_below(rng, 3); left > 0; left--)
		stage(annals);
	(void)store_flush(annals->shelf.store);
	store_settle(annals->shelf.store);
	if (with_power) {
		shelf_cut(&annals->shelf, sim_crash_random(rng));
	} else {
		shelf_kill(&annals->shelf);
		simdisk_revive(annals->shelf.disk);
	}
}

static void interrupt(struct annals *annals)
{
	switch (rng_below(&annals->rng, 4)) {
	case 0:
		ck_ok(shelf_close(&annals->shelf));
		break;
	case 1:
		shelf_kill(&annals->shelf);
		break;
	case 2:
		break_off(annals, false);
		break;
	default:
		break_off(annals, true);
	}
	reopen(annals);
}

static struct simdisk *settled(struct simdisk *disk)
{
	return simdisk_crash(disk, (struct sim_crash){SIM_KEEP_ALL, 0});
}

void annals_make(struct annals *annals, uint64_t seed, unsigned commits)
{
	*annals = (struct annals){.seed = seed, .rng = rng_of(seed)};
	shelf_init(&annals->shelf, seed);
	ck_ok(shelf_open(&annals->shelf));
	look(annals);
	for (unsigned at = 0; at < commits; at++) {
		commit_group(annals);
		if (rng_chance(&annals->rng, 1, 8))
			ck_ok(wb_store_mark(annals->shelf.store));
		if (rng_chance(&annals->rng, 1, 14))
			interrupt(annals);
		if (at == commits / 2)
			annals->earlier = settled(annals->shelf.disk);
	}
}

void annals_release(struct annals *annals)
{
	shelf_release(&annals->shelf);
	simdisk_free(annals->earlier);
	free(annals->listings);
	*annals = (struct annals){0};
}

struct simdisk *annals_end(struct annals *annals)
{
	switch (rng_below(&annals->rng, 5)) {
	case 0:
		ck_ok(shelf_close(&annals->shelf));
		break;
	case 1:
		ck_ok(wb_store_mark(annals->shelf.store));
		shelf_kill(&annals->shelf);
		break;
	case 2:
		break_off(annals, true);
		break;
	case 3:
		break_off(annals, false);
		break;
	default:
		shelf_kill(&annals->shelf);
	}
	return settled(annals->shelf.disk);
}
