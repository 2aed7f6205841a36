/* SPDX-License-Identifier: Apache-2.0
 *
 * Standard output, collected and checked.
 *
 * A command writes here while the store is open; the bytes leave for the
 * file descriptor after it was closed. So a slow reader (`ls | less`) does
 * not hold the store's lock, and a command that writes has finished before a
 * reader can go away. Beyond OUTPUT_HELD_BYTES the bytes leave at once: a
 * bound on memory is worth more than that.
 *
 * Failures are remembered and told by output_finish, so that printing needs
 * no check at each call.
 */
#ifndef WAYBILL_TOOLS_OUTPUT_H
#define WAYBILL_TOOLS_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <waybill/error.h>

#define OUTPUT_HELD_BYTES (64u << 20)

struct output {
	int fd;
	bool terminal;
	bool color;
	char *bytes;
	size_t size;
	size_t capacity;
	bool fixed; /* the bytes are the caller's, and no more are had */
	bool out_of_memory;
	int error_number; /* of the write that failed; 0: none did */
};

void output_init(struct output *output, int fd);
/* One that allocates nothing while each output_format is of less than 512
 * bytes: for what must be said where there is no memory. What does not fit in
 * `bytes` is left out. */
void output_init_fixed(struct output *output, int fd, char *bytes,
		       size_t capacity);
void output_release(struct output *output);

void output_bytes(struct output *output, const void *bytes, size_t size);
void output_text(struct output *output, const char *text);
__attribute__((format(printf, 2, 3))) void output_format(struct output *output,
							 const char *format,
							 ...);

/* `text` with \xNN for each byte of what has no glyph of its own (control
 * characters, marks that turn the direction of writing, spaces without width,
 * and so on) and of what is not UTF-8: a name cannot move the cursor, forge a
 * line or look like another. A backslash is doubled, so that "a\x0a" is not
 * taken for it. */
void output_plain(struct output *output, const char *text);
/* How many columns of a terminal output_plain takes for it, as far as the
 * process's locale (LC_CTYPE) knows. */
size_t output_plain_columns(const char *text);
/* Likewise, but a backslash stays: sentences quote for themselves. */
void output_sentence(struct output *output, const char *text);

/* `text` as a string of JSON; what is not UTF-8 as \xNN. */
void output_json_text(struct output *output, const char *text);

/* Writes what is held. WB_OK, and quietly so, where the reader went away.
 * Else WB_NO_SPACE, WB_IO, WB_NO_MEMORY. */
enum wb_error output_finish(struct output *output, struct wb_text *ret_text);

#endif
