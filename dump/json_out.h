/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON being written, into memory. The form is fixed: no space, the shortest
 * escapes, and one text for each string, so that the same records make the
 * same bytes.
 *
 * Out of memory is remembered, so that it is asked for once, at the end.
 */
#ifndef WAYBILL_DUMP_JSON_OUT_H
#define WAYBILL_DUMP_JSON_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <waybill/store.h>

/* All zero: empty. */
struct json_out {
	char *bytes;
	size_t size, capacity;
	bool out_of_memory;
};

void json_out_release(struct json_out *out);

/* Bytes as they stand, and those of a string literal. */
void json_out_raw(struct json_out *out, const char *bytes, size_t size);
#define json_out_literal(out, text) json_out_raw(out, "" text, sizeof(text) - 1)

/* UTF-8 as a string. Besides what JSON demands, whatever moves a cursor or
 * ends a line somewhere is escaped: DEL, U+0080 to U+009F, U+2028, U+2029. */
void json_out_string(struct json_out *out, struct wb_bytes utf8);
void json_out_number(struct json_out *out, int64_t number);
/* Strings: RFC 3339, base64, lower-case hex digits. */
void json_out_time(struct json_out *out, int64_t time_ns);
void json_out_base64(struct json_out *out, struct wb_bytes bytes);
void json_out_hex(struct json_out *out, const uint8_t *bytes, size_t size);

#endif
