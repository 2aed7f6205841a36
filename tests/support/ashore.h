/* SPDX-License-Identifier: Apache-2.0
 *
 * The files of a simulated disk in a real directory.
 */
#ifndef WAYBILL_TESTS_SUPPORT_ASHORE_H
#define WAYBILL_TESTS_SUPPORT_ASHORE_H

#include "tests/support/simdisk.h"

/* Make `path`, in the place of whatever is there, of what `disk` has. */
void ashore_lay(struct simdisk *disk, const char *path);
/* Does it have there, to the byte, all that `disk` has? */
bool ashore_is(struct simdisk *disk, const char *path);
bool ashore_exists(const char *path);
/* Remove what is there, if anything. */
void ashore_remove(const char *path);

#endif
