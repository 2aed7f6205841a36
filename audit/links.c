/* SPDX-License-Identifier: Apache-2.0
 *
 * Discarded: a thread that reads ahead, or a segment for each thread. Then
 * what is found comes from two sides and must be put in order again, and files
 * must bear two callers. Discarded, too: handing over frame by frame; waking
 * somebody costs more than a small commit.
 */
#include "audit/links.h"

#include "audit/chain.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

struct link {
	uint32_t at, size; /* of the payload in the piece */
	uint8_t value[AUDIT_CHAIN_BYTES];
};

struct piece {
	struct wb_bytes bytes;
	uint8_t before[AUDIT_CHAIN_BYTES];
	bool goes_on; /* `before` is not known yet */
	bool asked;   /* and not done */
	size_t count, found;
	struct link links[LINKS_FRAMES_MAX];
};

struct links {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t asked, done;
	/* ---- under the lock; of a piece, `asked` ---- */
	unsigned queue[LINKS_PIECES];
	size_t queued;
	bool over;
	struct piece pieces[LINKS_PIECES];
	/* ---- the second thread's ---- */
	struct audit_chain chain;
	uint8_t value[AUDIT_CHAIN_BYTES];
};

/* The next frame of the bytes, from `*at` on, which then is its end. */
static bool next_frame(struct wb_bytes bytes, size_t *at,
		       struct audit_frame *ret_frame, struct wb_bytes *ret_body)
{
	const uint8_t *start = (const uint8_t *)bytes.data + *at;

	if (bytes.size - *at < AUDIT_FRAME_HEADER_BYTES ||
	    !audit_frame_claims(start, ret_frame) ||
	    ret_frame->frame_bytes > bytes.size - *at)
		return false;
	*ret_body = (struct wb_bytes){start + AUDIT_FRAME_HEADER_BYTES,
				      ret_frame->payload_bytes};
	*at += ret_frame->frame_bytes;
	return true;
}

size_t links_frames(struct wb_bytes bytes)
{
	struct audit_frame frame;
	struct wb_bytes body;
	size_t at = 0, count = 0;

	while (count < LINKS_FRAMES_MAX &&
	       next_frame(bytes, &at, &frame, &body))
		count++;
	return at;
}

/* ---- the second thread ---- */

static void follow(struct links *links, struct piece *piece)
{
	const uint8_t *start = piece->bytes.data;
	struct audit_frame frame;
	struct wb_bytes body;
	size_t at = 0;

	if (piece->goes_on)
		memcpy(piece->before, links->value, AUDIT_CHAIN_BYTES);
	else
		memcpy(links->value, piece->before, AUDIT_CHAIN_BYTES);
	while (piece->count < LINKS_FRAMES_MAX &&
	       next_frame(piece->bytes, &at, &frame, &body)) {
		struct link *link = &piece->links[piece->count];

		if (frame.type != AUDIT_COMMIT)
			continue;
		if (!audit_chain_next(&links->chain, body, links->value))
			break;
		link->at = (uint32_t)((const uint8_t *)body.data - start);
		link->size = frame.payload_bytes;
		memcpy(link->value, links->value, AUDIT_CHAIN_BYTES);
		piece->count++;
	}
}

static void *work(void *context)
{
	struct links *links = context;

	pthread_mutex_lock(&links->lock);
	for (;;) {
		struct piece *piece;

		while (links->queued == 0 && !links->over)
			pthread_cond_wait(&links->asked, &links->lock);
		if (links->over)
			break;
		piece = &links->pieces[links->queue[0]];
		pthread_mutex_unlock(&links->lock);
		follow(links, piece);
		pthread_mutex_lock(&links->lock);
		links->queue[0] = links->queue[1];
		links->queued--;
		piece->asked = false;
		pthread_cond_signal(&links->done);
	}
	pthread_mutex_unlock(&links->lock);
	return NULL;
}

/* ---- the first ---- */

/* Signals are for the program's own threads. */
static bool start_thread(struct links *links)
{
	sigset_t all, before;
	int failed;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	failed = pthread_create(&links->thread, NULL, work, links);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return !failed;
}

struct links *links_new(void)
{
	struct links *links = calloc(1, sizeof(*links));

	if (!links)
		return NULL;
	pthread_mutex_init(&links->lock, NULL);
	pthread_cond_init(&links->asked, NULL);
	pthread_cond_init(&links->done, NULL);
	if (audit_chain_init(&links->chain) && start_thread(links))
		return links;
	audit_chain_release(&links->chain);
	free(links);
	return NULL;
}

void links_free(struct links *links)
{
	if (!links)
		return;
	pthread_mutex_lock(&links->lock);
	links->over = true;
	pthread_cond_signal(&links->asked);
	pthread_mutex_unlock(&links->lock);
	pthread_join(links->thread, NULL);
	pthread_cond_destroy(&links->done);
	pthread_cond_destroy(&links->asked);
	pthread_mutex_destroy(&links->lock);
	audit_chain_release(&links->chain);
	free(links);
}

void links_ask(struct links *links, unsigned piece, struct wb_bytes bytes,
	       const uint8_t *before)
{
	struct piece *asked = &links->pieces[piece];

	links_wait(links, piece);
	asked->bytes = bytes;
	asked->count = asked->found = 0;
	asked->goes_on = !before;
	if (before)
		memcpy(asked->before, before, AUDIT_CHAIN_BYTES);
	pthread_mutex_lock(&links->lock);
	asked->asked = true;
	links->queue[links->queued++] = piece;
	pthread_cond_signal(&links->asked);
	pthread_mutex_unlock(&links->lock);
}

void links_wait(struct links *links, unsigned piece)
{
	pthread_mutex_lock(&links->lock);
	while (links->pieces[piece].asked)
		pthread_cond_wait(&links->done, &links->lock);
	pthread_mutex_unlock(&links->lock);
}

const uint8_t *links_find(struct links *links, unsigned piece,
			  struct wb_bytes payload, const uint8_t *before)
{
	struct piece *known = &links->pieces[piece];
	uintptr_t at = (uintptr_t)payload.data - (uintptr_t)known->bytes.data;
	const struct link *link;

	while (known->found < known->count &&
	       known->links[known->found].at < at)
		known->found++;
	if (known->found == known->count)
		return NULL;
	link = &known->links[known->found];
	if (link->at != at || link->size != payload.size ||
	    memcmp(known->found ? link[-1].value : known->before, before,
		   AUDIT_CHAIN_BYTES) != 0)
		return NULL;
	return link->value;
}
