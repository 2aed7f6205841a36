/* SPDX-License-Identifier: Apache-2.0
 *
 * Memory that is ours and must not be touched, told to the address sanitizer:
 * without that, whoever reads past the end within a larger block is not seen.
 * Nothing in a build without it.
 */
#ifndef WAYBILL_BASE_POISON_H
#define WAYBILL_BASE_POISON_H

#include <stddef.h>

#if defined(__SANITIZE_ADDRESS__)
#define MEMORY_POISONS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define MEMORY_POISONS 1
#endif
#endif
#ifdef MEMORY_POISONS
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(at, size)   ((void)(at), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(at, size) ((void)(at), (void)(size))
#endif

#endif
