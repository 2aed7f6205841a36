/* SPDX-License-Identifier: Apache-2.0
 *
 * The texts of errors, built the way containerd's clients know them.
 *
 * A sentence is always valid UTF-8: a byte that belongs to no character
 * becomes U+FFFD, which is what grpc-go makes of it on the wire too, and a
 * zero byte becomes "?". What does not fit is left out; wb_text is shorter
 * still and marks the cut.
 */
#ifndef WAYBILL_IMAGES_SENTENCE_H
#define WAYBILL_IMAGES_SENTENCE_H

#include <stddef.h>
#include <waybill/store.h>

struct sentence {
	char text[1024]; /* zero-terminated */
	size_t size;
};

void sentence_add(struct sentence *sentence, const char *words);
void sentence_add_bytes(struct sentence *sentence, struct wb_bytes bytes);
/* In double quotes with escapes, as Go's %q. */
void sentence_quote(struct sentence *sentence, struct wb_bytes bytes);

/* Adds `format`, in which %s is a string, %q one to be quoted, %d a
 * `long long` and %% a percent sign. */
void sentence_format(struct sentence *sentence, const char *format, ...);

/* One sentence of `format` into `ret_text` (NULL is allowed). Returns
 * `error`. */
enum wb_error answer(struct wb_text *ret_text, enum wb_error error,
		     const char *format, ...);
/* Likewise, of a sentence that is there already. */
enum wb_error sentence_answer(const struct sentence *sentence,
			      struct wb_text *ret_text, enum wb_error error);

static inline struct wb_bytes bytes_of(const char *string)
{
	return (struct wb_bytes){string, __builtin_strlen(string)};
}

#endif
