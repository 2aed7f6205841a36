/* SPDX-License-Identifier: Apache-2.0
 *
 * A store's files, ruined at random: bits, sectors, pieces, whole files; each
 * in a way that a disk or a person does. All follows from the generator.
 */
#ifndef WAYBILL_TESTS_SUPPORT_RUIN_H
#define WAYBILL_TESTS_SUPPORT_RUIN_H

#include "tests/support/simdisk.h"

/* Do one thing to a settled disk, and say what: "flip". `earlier` is the disk
 * as it once was: files of it are put back. */
const char *ruin_some(struct simdisk *disk, struct simdisk *earlier,
		      struct rng *rng);

#endif
