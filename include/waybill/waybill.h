/* SPDX-License-Identifier: Apache-2.0
 *
 * libwaybill: crash-safe metadata for container images.
 */
#ifndef WAYBILL_WAYBILL_H
#define WAYBILL_WAYBILL_H

#include <waybill/audit.h>
#include <waybill/dump.h>
#include <waybill/error.h>
#include <waybill/fsck.h>
#include <waybill/images.h>
#include <waybill/progress.h>
#include <waybill/store.h>

#define WB_VERSION "0.1.0"

#ifdef __cplusplus
extern "C" {
#endif

/* The version of the library that is linked, "0.1.0". */
WB_API const char *wb_version(void);

#ifdef __cplusplus
}
#endif
#endif
