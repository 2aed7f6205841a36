/* SPDX-License-Identifier: Apache-2.0
 *
 * Sleeping on a word, futex(2). With condition variables everybody who is
 * woken must take the same mutex before he can look; with 64 committers that
 * convoy costs more than the disk.
 */
#ifndef WAYBILL_STORE_FUTEX_H
#define WAYBILL_STORE_FUTEX_H

#include <limits.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Sleep while `*word` is `expected`; may return for no reason. */
static inline void futex_wait(_Atomic uint32_t *word, uint32_t expected)
{
	syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, expected, NULL, NULL, 0);
}

static inline void futex_wake(_Atomic uint32_t *word, int sleepers)
{
	syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, sleepers, NULL, NULL, 0);
}

#endif
