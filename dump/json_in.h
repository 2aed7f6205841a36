/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON being read (RFC 8259), strictly, in the order in which it stands: who
 * reads says what he expects next. Objects, strings and whole numbers are all
 * that a dump has.
 *
 * As with every cursor, a problem sticks: from then on nothing is read, and
 * it is asked for once, at the end. Nothing is allocated: a string is decoded
 * over its own text, which is never shorter.
 */
#ifndef WAYBILL_DUMP_JSON_IN_H
#define WAYBILL_DUMP_JSON_IN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <waybill/store.h>

struct json_in {
	char *text;
	size_t size, at;
	bool fresh;	     /* an object was opened, and nothing is in it */
	const char *problem; /* NULL: none; then `at` is where it is */
};

/* Of `size` bytes, which will be written over. */
static inline struct json_in json_in_of(char *text, size_t size)
{
	return (struct json_in){.text = text, .size = size};
}

/* The beginning of an object. */
void json_in_object(struct json_in *in);
/* The next key of the object that was opened last and is not at its end; its
 * value must be read next. False: the object ends here, and was left; or there
 * is a problem. */
bool json_in_key(struct json_in *in, struct wb_bytes *ret_key);

/* A string, valid UTF-8, which may hold zero bytes; a zero byte stands behind
 * it too. Valid as long as the text. */
struct wb_bytes json_in_string(struct json_in *in);
/* A number without fraction and exponent. */
int64_t json_in_number(struct json_in *in);

/* Nothing but white space may be left. */
void json_in_end(struct json_in *in);

#endif
