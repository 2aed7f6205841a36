/* SPDX-License-Identifier: Apache-2.0 */
#include "base/control.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#ifdef WAYBILL_CONTROLS
enum control control_switched_off = CONTROL_COUNT;
#endif

static const char *const control_names[] = {
#define CONTROL_NAME(name, what) [CONTROL_##name] = #name,
	CONTROL_LIST(CONTROL_NAME)
#undef CONTROL_NAME
};

const char *control_name(enum control control)
{
	assert(control < CONTROL_COUNT);
	return control_names[control];
}

enum control control_find(const char *name)
{
	unsigned at = 0;

	while (at < CONTROL_COUNT && strcmp(control_names[at], name) != 0)
		at++;
	return (enum control)at;
}

bool control_from_environment(void)
{
	const char *name = getenv("WAYBILL_CONTROL");

	if (!name || !*name)
		return true;
#ifdef WAYBILL_CONTROLS
	control_switched_off = control_find(name);
	return control_switched_off != CONTROL_COUNT;
#else
	return false;
#endif
}
