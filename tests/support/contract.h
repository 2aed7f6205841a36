/* SPDX-License-Identifier: Apache-2.0
 *
 * What base/file.h promises, as test cases for any implementation: the real
 * one and the simulated one run the same list, so that what the simulated
 * disk proves holds for the real one.
 */
#ifndef WAYBILL_TESTS_SUPPORT_CONTRACT_H
#define WAYBILL_TESTS_SUPPORT_CONTRACT_H

#include "base/file.h"

struct contract_case {
	const char *name;
	void (*run)(struct dir *dir); /* an empty directory */
};

extern const struct contract_case contract_cases[];
extern const int contract_case_count;

#endif
