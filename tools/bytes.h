/* SPDX-License-Identifier: Apache-2.0
 *
 * Names and values of any kind, which need not be text: they may hold zero
 * bytes, and what is no UTF-8.
 */
#ifndef WAYBILL_TOOLS_BYTES_H
#define WAYBILL_TOOLS_BYTES_H

#include "tools/output.h"

#include <jansson.h>
#include <waybill/store.h>

/* For people: as output_plain, and a zero byte as \x00. */
void output_plain_bytes(struct output *output, struct wb_bytes bytes);

/* `NAME in NAMESPACE, kind 64`; of an image the kind is not told. */
void output_plain_key(struct output *output, const struct wb_key *key);

/* As a string, with \xNN for what is not UTF-8. NULL: out of memory. */
json_t *bytes_json(struct wb_bytes bytes);

#endif
