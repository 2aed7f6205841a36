/* SPDX-License-Identifier: Apache-2.0
 *
 * The window goes from one step of whole frames to the next, and while the walk
 * takes those that are in it, the next ones have been read. So they can be
 * given to a second thread for the chain. The files are read in the same way
 * without one: what is found, also by reading, is the same. A step is long
 * enough that nobody who wakes up late makes the other wait.
 *
 * A frame that does not fit into a step is read when it is its turn, and so is
 * everything behind damage.
 */
#include "audit/walk.h"

#include <string.h>

static void ask(struct walk *walk, unsigned piece, const uint8_t *bytes,
		size_t size, const uint8_t *before)
{
	if (walk->links)
		links_ask(walk->links, piece, (struct wb_bytes){bytes, size},
			  before);
}

static void wait_for(struct walk *walk, unsigned piece)
{
	if (walk->links)
		links_wait(walk->links, piece);
}

static enum wb_error read_next(struct walk *walk)
{
	struct window *window = &walk->window;
	struct wb_bytes bytes;
	enum wb_error error;

	wait_for(walk, !walk->piece);
	error = window_read_ahead(window, walk->ahead_end);
	bytes = (struct wb_bytes){window->next_buffer, window->next_size};
	if (!error)
		ask(walk, !walk->piece, bytes.data, links_frames(bytes), NULL);
	return error;
}

enum wb_error walk_look_ahead(struct walk *walk)
{
	struct window *window = &walk->window;
	enum wb_error error;
	size_t size;
	bool was_ahead;

	if (walk->at < walk->ahead_end || walk->at >= window->file_bytes)
		return WB_OK;
	error = window_turn(window, walk->at, &was_ahead);
	if (error)
		return error;
	size = links_frames((struct wb_bytes){window->buffer, window->size});
	if (was_ahead) {
		walk->piece = !walk->piece;
	} else {
		wait_for(walk, !walk->piece);
		ask(walk, walk->piece, window->buffer, size, walk->chain);
	}
	walk->moves = window->moves;
	walk->ahead_end = walk->at + (size > 0 ? size : 1);
	if (size > 0)
		error = read_next(walk);
	wait_for(walk, walk->piece);
	return error;
}

bool walk_chain_next(struct walk *walk, struct wb_bytes payload)
{
	const uint8_t *known = NULL;

	if (walk->links && walk->moves == walk->window.moves)
		known = links_find(walk->links, walk->piece, payload,
				   walk->chain);
	if (!known)
		return audit_chain_next(&walk->sha, payload, walk->chain);
	memcpy(walk->chain, known, AUDIT_CHAIN_BYTES);
	return true;
}
