/* SPDX-License-Identifier: Apache-2.0 */
#include <waybill/waybill.h>

const char *wb_version(void)
{
	return WB_VERSION;
}
