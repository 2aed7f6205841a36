/* SPDX-License-Identifier: Apache-2.0
 *
 * The protobuf wire format over cursors: just enough for record.proto.
 * Source: https://protobuf.dev/programming-guides/encoding/
 */
#ifndef WAYBILL_LOG_WIRE_H
#define WAYBILL_LOG_WIRE_H

#include "base/cursor.h"

#include <waybill/store.h>

enum wire_type {
	WIRE_VARINT = 0,
	WIRE_FIXED64 = 1,
	WIRE_BYTES = 2,
	WIRE_FIXED32 = 5
};

struct wire_field {
	uint32_t number;
	enum wire_type type;
	uint64_t value;	       /* varint, fixed */
	struct wb_bytes bytes; /* WIRE_BYTES */
};

/* The next field; false at the end of the bytes and where they are broken
 * (reader->failed tells). */
bool wire_next(struct reader *reader, struct wire_field *ret_field);

size_t wire_varint_size(uint64_t value);

/* A field that has its default value is not written, as proto3 says. */
void wire_put_varint(struct writer *writer, uint32_t number, uint64_t value);
void wire_put_fixed64(struct writer *writer, uint32_t number, uint64_t value);
void wire_put_bytes(struct writer *writer, uint32_t number,
		    struct wb_bytes bytes);
/* Key and length of a field of `size` bytes that the caller writes next,
 * also where it is empty. */
void wire_put_head(struct writer *writer, uint32_t number, size_t size);

/* What the functions above will write. */
size_t wire_varint_field_size(uint32_t number, uint64_t value);
size_t wire_bytes_field_size(uint32_t number, size_t size);

#endif
