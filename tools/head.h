/* SPDX-License-Identifier: Apache-2.0
 *
 * A head as a person keeps it: `REVISION:CHAIN`, the revision in decimal and
 * the chain value there as 64 lower-case hex digits.
 */
#ifndef WAYBILL_TOOLS_HEAD_H
#define WAYBILL_TOOLS_HEAD_H

#include "tools/output.h"

#include <jansson.h>
#include <stdbool.h>
#include <waybill/audit.h>

#define CHAIN_TEXT_BYTES (2 * WB_CHAIN_BYTES + 1)
#define HEAD_TEXT_BYTES	 (20 + 1 + CHAIN_TEXT_BYTES)

/* False where `text` is not one; `*ret_expected` is then untouched. */
bool head_parse(const char *text, struct wb_audit_expected *ret_expected);

void head_format(uint64_t revision, const uint8_t chain[WB_CHAIN_BYTES],
		 char ret_text[HEAD_TEXT_BYTES]);

/* Which store it is, and how far its history goes: as fields of an object, and
 * as lines. */
void head_json(json_t **json, const struct wb_audit_verified *verified);
void head_print(struct output *output,
		const struct wb_audit_verified *verified);

/* ---- identities as digits ---- */

/* A uuid or a chain value. */
json_t *hex_json(const uint8_t *bytes, size_t size);
void print_hex(struct output *output, const char *heading, const uint8_t *bytes,
	       size_t size);
/* An epoch or the id of a segment, 16 digits: an epoch is a random number of 64
 * bits, which readers of JSON would round. */
json_t *word_json(uint64_t word);
void print_word(struct output *output, const char *heading, uint64_t word);

#endif
