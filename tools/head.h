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

/* The digits alone, of any bytes; `ret_text` has room for 2 * size + 1. */
void hex_format(const uint8_t *bytes, size_t size, char *ret_text);

/* Which store it is, and how far its history goes: as fields of an object, and
 * as lines. */
void head_json(json_t **json, const struct wb_audit_verified *verified);
void head_print(struct output *output,
		const struct wb_audit_verified *verified);

#endif
