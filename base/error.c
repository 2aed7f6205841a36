/* SPDX-License-Identifier: Apache-2.0 */
#include <waybill/error.h>

const char *wb_error_code(enum wb_error error)
{
	switch (error) {
#define ERROR_CODE(name, number, code, text) \
	case WB_##name:                      \
		return code;
		WB_ERROR_LIST(ERROR_CODE)
#undef ERROR_CODE
	}
	return "unknown";
}

const char *wb_error_text(enum wb_error error)
{
	switch (error) {
#define ERROR_TEXT(name, number, code, text) \
	case WB_##name:                      \
		return text;
		WB_ERROR_LIST(ERROR_TEXT)
#undef ERROR_TEXT
	}
	return "unknown error";
}
