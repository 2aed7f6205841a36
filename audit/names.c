/* SPDX-License-Identifier: Apache-2.0
 *
 * Plain arrays, bounded: who must read a longer list wants a count.
 */
#include "audit/names.h"

#include "base/array.h"

#include <stdlib.h>
#include <string.h>

struct name {
	struct wb_key key;
	struct name_place place; /* offset 0: not known */
	bool exact;
	uint8_t *bytes; /* of the key */
};

struct name_hint {
	uint32_t hash;
	struct name_place place;
};

static void name_release(struct name *name)
{
	free(name->bytes);
}

void names_release(struct names *names)
{
	for (size_t at = 0; at < names->count; at++)
		name_release(&names->all[at]);
	free(names->all);
	free(names->hints);
	*names = (struct names){0};
}

static enum wb_error append(struct names *names, const struct wb_key *key,
			    struct name_place place, bool exact)
{
	struct name name = {.key = *key, .place = place, .exact = exact};

	if (names->count >= names->max) {
		names->more++;
		return WB_OK;
	}
	if (!array_grow(&names->all, &names->capacity, names->count + 1,
			sizeof(*names->all)))
		return WB_NO_MEMORY;
	name.bytes = malloc(key->ns.size + key->name.size + 1);
	if (!name.bytes)
		return WB_NO_MEMORY;
	if (key->ns.size > 0)
		memcpy(name.bytes, key->ns.data, key->ns.size);
	memcpy(name.bytes + key->ns.size, key->name.data, key->name.size);
	name.key.ns.data = name.bytes;
	name.key.name.data = name.bytes + key->ns.size;
	names->all[names->count++] = name;
	return WB_OK;
}

static bool same_change(struct name_place a, struct name_place b)
{
	return a.offset == b.offset && a.mutation == b.mutation;
}

static void forget_hint(struct names *names, size_t at)
{
	names->hints[at] = names->hints[--names->hint_count];
}

enum wb_error names_add(struct names *names, const struct wb_key *key,
			struct name_place place, bool exact)
{
	return append(names, key, place, exact);
}

static enum wb_error add_hint(struct names *names, uint32_t hash,
			      struct name_place place)
{
	if (names->hint_count >= names->max) {
		names->more++;
		return WB_OK;
	}
	if (!array_grow(&names->hints, &names->hint_capacity,
			names->hint_count + 1, sizeof(*names->hints)))
		return WB_NO_MEMORY;
	names->hints[names->hint_count++] = (struct name_hint){hash, place};
	names->hint_filter |= UINT64_C(1) << (hash & 63);
	return WB_OK;
}

enum wb_error names_hash(struct names *names, uint32_t hash,
			 struct name_place place)
{
	for (size_t at = 0; at < names->count; at++) {
		struct name *name = &names->all[at];

		if (!same_change(name->place, place))
			continue;
		if ((uint32_t)audit_key_hash(&name->key) == hash) {
			name->place.revision = place.revision;
			name->exact = true;
			return WB_OK;
		}
		/* The name itself was hit. */
		name_release(name);
		*name = names->all[--names->count];
		break;
	}
	return add_hint(names, hash, place);
}

enum wb_error names_prove(struct names *names, const struct wb_key *key,
			  uint64_t revision)
{
	uint32_t hash = (uint32_t)audit_key_hash(key);

	for (size_t at = 0; at < names->hint_count; at++) {
		if (names->hints[at].hash == hash &&
		    names->hints[at].place.revision == revision) {
			forget_hint(names, at);
			break;
		}
	}
	for (size_t at = 0; at < names->count; at++) {
		struct name *name = &names->all[at];

		if (audit_key_compare(&name->key, key) == 0 &&
		    (name->place.revision == revision ||
		     name->place.revision == 0)) {
			name->place.revision = revision;
			name->exact = true;
			return WB_OK;
		}
	}
	return append(names, key, (struct name_place){.revision = revision},
		      true);
}

enum wb_error names_guess(struct names *names, const struct wb_key *key)
{
	uint32_t hash;

	if (names->hint_count == 0)
		return WB_OK;
	hash = (uint32_t)audit_key_hash(key);
	if (!(names->hint_filter >> (hash & 63) & 1))
		return WB_OK;
	for (size_t at = 0; at < names->hint_count; at++) {
		struct name_place place = names->hints[at].place;
		enum wb_error error;

		if (names->hints[at].hash != hash)
			continue;
		forget_hint(names, at--);
		error = append(names, key, place, false);
		if (error)
			return error;
	}
	return WB_OK;
}

static int in_order(const void *a, const void *b)
{
	const struct name *x = a, *y = b;

	if (x->place.revision != y->place.revision)
		return x->place.revision < y->place.revision ? -1 : 1;
	return audit_key_compare(&x->key, &y->key);
}

size_t names_told(struct names *names, struct wb_finding_name *told,
		  uint64_t *ret_more)
{
	if (names->count > 1)
		qsort(names->all, names->count, sizeof(*names->all), in_order);
	for (size_t at = 0; at < names->count; at++)
		told[at] = (struct wb_finding_name){
			.key = names->all[at].key,
			.revision = names->all[at].place.revision,
			.exact = names->all[at].exact,
		};
	/* A hash without a name is a change, too. */
	*ret_more = names->more + names->hint_count;
	return names->count;
}
