/* SPDX-License-Identifier: Apache-2.0
 *
 * The history of a store rewritten by somebody who knows the format: a commit
 * changed, and every checksum and chain value after it computed anew, so that
 * nothing in the directory contradicts it.
 *
 * Written from docs/FORMAT.md; shares no code with those who write or read
 * the format.
 */
#ifndef WAYBILL_TESTS_SUPPORT_FORGE_HISTORY_H
#define WAYBILL_TESTS_SUPPORT_FORGE_HISTORY_H

#include "tests/support/simdisk.h"

enum { FORGE_REVISIONS_MAX = 1000, FORGE_CHAIN_BYTES = 32 };

/* chain(0), chain(1), … of the commits as they are. */
struct forged_chain {
	uint64_t head;
	uint8_t at[FORGE_REVISIONS_MAX][FORGE_CHAIN_BYTES];
};

/* What the commits on the disk give, whatever the files record. */
void forge_chain(struct simdisk *disk, struct forged_chain *ret_chain);

/* Let headers, footers and the anchor record the chain that the commits give:
 * after it the directory agrees with itself. */
void forge_agreement(struct simdisk *disk);

/* In the payload of commit `revision`, put `to` in place of the first `from`,
 * which is as long; its frame's checksum is right again. False: it is not
 * there. */
bool forge_commit(struct simdisk *disk, uint64_t revision, const char *from,
		  const char *to);

/* Both: the forgery that no reader of the directory alone can see. */
bool forge_history(struct simdisk *disk, uint64_t revision, const char *from,
		   const char *to);

#endif
