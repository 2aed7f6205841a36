/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys and records.
 *
 * A record is sealed when it is made and never changes, so one checksum over
 * all of it is enough for its whole life in memory. The checksum's own extent
 * depends on the two sizes in the header; a flipped bit there would send the
 * reader past the block. `size_check` guards them alone, and is looked at
 * first.
 */
#include "index/record.h"

#include "base/control.h"
#include "base/cursor.h"
#include "index/checksum.h"
#include "index/heap.h"

#include <assert.h>
#include <string.h>

static_assert(sizeof(struct record) == 32, "a header is half a cache line");
static_assert(KEY_BYTES_MAX <= UINT16_MAX, "key_bytes holds any key");

enum wb_error key_encode(const struct wb_key *from, struct key *ret_key)
{
	uint8_t *at = ret_key->bytes;

	if (from->kind == 0 || from->kind > WB_KIND_LAST)
		return WB_BAD_INPUT;
	if (from->ns.size > WB_NAMESPACE_BYTES_MAX)
		return WB_BAD_INPUT;
	if (from->ns.size && memchr(from->ns.data, 0, from->ns.size))
		return WB_BAD_INPUT;
	if (from->name.size == 0 || from->name.size > WB_NAME_BYTES_MAX)
		return WB_BAD_INPUT;
	*at++ = (uint8_t)from->kind;
	if (from->ns.size)
		at = mempcpy(at, from->ns.data, from->ns.size);
	*at++ = 0;
	at = mempcpy(at, from->name.data, from->name.size);
	ret_key->size = (size_t)(at - ret_key->bytes);
	return WB_OK;
}

enum wb_error key_decode(const void *bytes, size_t size, struct wb_key *ret_key)
{
	struct reader reader = reader_of(bytes, size);
	uint8_t kind = read_u8(&reader);
	size_t left = reader_left(&reader);
	const uint8_t *zero, *ns;
	size_t ns_bytes;

#ifdef WAYBILL_PLANT_KEY
	left += 1; /* the planted bug: the search leaves the key */
#endif
	zero = left ? memchr(reader.bytes + reader.at, 0, left) : NULL;
	if (!zero || kind == 0)
		return WB_CORRUPT;
	ns_bytes = (size_t)(zero - (reader.bytes + reader.at));
	ns = read_span(&reader, ns_bytes);
	read_u8(&reader);
	left = reader_left(&reader);
	if (ns_bytes > WB_NAMESPACE_BYTES_MAX || left == 0 ||
	    left > WB_NAME_BYTES_MAX)
		return WB_CORRUPT;
	ret_key->kind = kind;
	ret_key->ns = (struct wb_bytes){ns, ns_bytes};
	ret_key->name = (struct wb_bytes){read_span(&reader, left), left};
	return WB_OK;
}

int key_compare(const void *a, size_t a_bytes, const void *b, size_t b_bytes)
{
	size_t common = a_bytes < b_bytes ? a_bytes : b_bytes;
	int order = common ? memcmp(a, b, common) : 0;

	return order ? order : (a_bytes > b_bytes) - (a_bytes < b_bytes);
}

static uint64_t record_checksum(const struct record *record)
{
	const size_t skip = sizeof(record->checksum);

	return checksum((const uint8_t *)record + skip,
			record_size(record) - skip);
}

struct record *record_new(struct heap *heap, const void *key, size_t key_bytes,
			  struct wb_bytes value, uint64_t revision,
			  int64_t time_ns, uint8_t flags)
{
	struct record *record;

	assert(key_bytes <= KEY_BYTES_MAX);
	assert(value.size <= UINT32_MAX);
	record = heap_alloc(heap, sizeof(*record) + key_bytes + value.size);
	if (!record)
		return NULL;
	record->revision = revision;
	record->time_ns = time_ns;
	record->value_bytes = (uint32_t)value.size;
	record->key_bytes = (uint16_t)key_bytes;
	record->flags = flags;
	record->size_check = record_size_check(record);
	memcpy(record->bytes, key, key_bytes);
	if (value.size)
		memcpy(record->bytes + key_bytes, value.data, value.size);
	record->checksum = record_checksum(record);
	return record;
}

/* By damaged sizes a block would go to the wrong list, and its neighbours be
 * written over: that one is lost. */
void record_free(struct heap *heap, struct record *record)
{
	if (record && record_sizes_hold(record))
		heap_free(heap, record, record_size(record));
}

bool record_verifies(const struct record *record)
{
	if (control_off(CONTROL_RECORD_VERIFY))
		return true;
	return record_sizes_hold(record) &&
	       record->checksum == record_checksum(record);
}
