/* SPDX-License-Identifier: Apache-2.0
 *
 * System calls that fail, are interrupted or fall short, by number. For the
 * tests that CMakeLists.txt names under CALLS: there the linker sends the calls
 * on files and directories of our own objects here.
 *
 * Nothing is synced, since no test that uses this cuts the power; a sync can
 * fail all the same.
 */
#ifndef WAYBILL_TESTS_SUPPORT_CALLS_H
#define WAYBILL_TESTS_SUPPORT_CALLS_H

#include <stdbool.h>
#include <stdint.h>

enum calls_fault {
	CALLS_FAIL, /* with an errno: any call */
	/* EINTR: a call that may be interrupted and then be made again. Those
	 * are not syncs: a failed one is never tried again. */
	CALLS_INTERRUPT,
	CALLS_SHORT, /* half is transferred: a pread or pwrite of many bytes */
};

/* From now on the nth call that `fault` is about (1: the next) has it, alone or
 * with all after it. Interrupted for ever is every second one, for nothing
 * would ever end. `number` is the errno of CALLS_FAIL. */
void calls_break(enum calls_fault fault, uint64_t nth, bool forever,
		 int number);
/* All goes well again. Returns how many calls had it. */
uint64_t calls_mend(void);

#endif
