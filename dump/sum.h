/* SPDX-License-Identifier: Apache-2.0
 *
 * The SHA-256 of a text that comes in pieces.
 */
#ifndef WAYBILL_DUMP_SUM_H
#define WAYBILL_DUMP_SUM_H

#include <stddef.h>
#include <stdint.h>
#include <waybill/error.h>

#define SUM_BYTES 32

struct sum;

/* Of nothing yet. NULL: out of memory. */
struct sum *sum_new(void);
/* NULL is allowed. */
void sum_free(struct sum *sum);

/* WB_NO_MEMORY where libcrypto fails. */
enum wb_error sum_add(struct sum *sum, const void *bytes, size_t size);
/* The hash; nothing can be added any more. */
enum wb_error sum_end(struct sum *sum, uint8_t ret_hash[SUM_BYTES]);

#endif
