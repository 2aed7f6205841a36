/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/allocations.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
void *__real_mmap(void *at, size_t size, int protection, int flags, int fd,
		  off_t offset);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
void *__wrap_mmap(void *at, size_t size, int protection, int flags, int fd,
		  off_t offset);

static struct {
	uint64_t countdown; /* 0: not armed */
	bool forever;
	uint64_t failed;
} plan;

/* Two threads may allocate at once. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static bool is_next(void)
{
	if (plan.countdown == 0)
		return false;
	if (plan.countdown > 1) {
		plan.countdown--;
		return false;
	}
	if (!plan.forever)
		plan.countdown = 0;
	plan.failed++;
	return true;
}

static bool fails(void)
{
	bool next;

	pthread_mutex_lock(&lock);
	next = is_next();
	pthread_mutex_unlock(&lock);
	if (next)
		errno = ENOMEM;
	return next;
}

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
	return fails() ? NULL : __real_realloc(memory, size);
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
	return fails() ? NULL : __real_aligned_alloc(alignment, size);
}

void *__wrap_mmap(void *at, size_t size, int protection, int flags, int fd,
		  off_t offset)
{
	return fails() ? MAP_FAILED
		       : __real_mmap(at, size, protection, flags, fd, offset);
}

static void *crypto_malloc(size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return malloc(size);
}

static void *crypto_realloc(void *memory, size_t size, const char *file,
			    int line)
{
	(void)file;
	(void)line;
	return realloc(memory, size);
}

static void crypto_free(void *memory, const char *file, int line)
{
	(void)file;
	(void)line;
	free(memory);
}

bool allocations_begin(void)
{
	return CRYPTO_set_mem_functions(crypto_malloc, crypto_realloc,
					crypto_free) == 1;
}

void allocations_fail(uint64_t nth, bool forever)
{
	pthread_mutex_lock(&lock);
	plan.failed = 0;
	plan.countdown = nth;
	plan.forever = forever;
	pthread_mutex_unlock(&lock);
}

uint64_t allocations_stop(void)
{
	plan.countdown = 0;
	return plan.failed;
}

uint64_t allocations_failed(void)
{
	return plan.failed;
}
