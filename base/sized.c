/* SPDX-License-Identifier: Apache-2.0 */
#include "base/sized.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

/* 0: it cannot be one. */
static size_t size_of(const void *theirs)
{
	size_t size;

	memcpy(&size, theirs, sizeof(size));
	if (size > SIZED_BYTES_MAX || size % _Alignof(size_t) != 0)
		return 0;
	return size;
}

static bool is_zero(const unsigned char *bytes, size_t size)
{
	for (size_t at = 0; at < size; at++)
		if (bytes[at] != 0)
			return false;
	return true;
}

enum wb_error sized_take(void *ours, size_t bytes, const void *theirs)
{
	size_t size = size_of(theirs);

	assert(bytes >= sizeof(size));
	if (size == 0)
		return WB_USAGE;
	if (size > bytes &&
	    !is_zero((const unsigned char *)theirs + bytes, size - bytes))
		return WB_UNSUPPORTED;
	memset(ours, 0, bytes);
	memcpy(ours, theirs, size < bytes ? size : bytes);
	memcpy(ours, &bytes, sizeof(bytes));
	return WB_OK;
}

enum wb_error sized_give(void *theirs, const void *ours, size_t bytes)
{
	size_t size = size_of(theirs);

	assert(bytes >= sizeof(size));
	if (size == 0)
		return WB_USAGE;
	memset(theirs, 0, size);
	memcpy(theirs, ours, size < bytes ? size : bytes);
	memcpy(theirs, &size, sizeof(size));
	return WB_OK;
}

const char *sized_problem(enum wb_error error)
{
	return error == WB_UNSUPPORTED
		       ? "sets a field that this version of the library does "
			 "not know"
		       : "is of a size that it cannot have";
}
