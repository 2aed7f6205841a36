/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/head.h"

#include "tools/image_json.h"
#include "tools/print.h"
#include "tools/wording.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

bool head_parse(const char *text, struct wb_audit_expected *ret_expected)
{
	const char *colon = strchr(text, ':');
	struct wb_audit_expected expected = {.revision = 0};
	char number[21];

	if (!colon || (size_t)(colon - text) >= sizeof(number) ||
	    strlen(colon + 1) != 2 * WB_CHAIN_BYTES)
		return false;
	memcpy(number, text, (size_t)(colon - text));
	number[colon - text] = 0;
	if (!parse_decimal(number, &expected.revision))
		return false;
	for (size_t at = 0; at < WB_CHAIN_BYTES; at++) {
		int high = digit_of(colon[1 + 2 * at]);
		int low = digit_of(colon[2 + 2 * at]);

		if (high < 0 || low < 0)
			return false;
		expected.chain[at] = (uint8_t)(high << 4 | low);
	}
	*ret_expected = expected;
	return true;
}

static void hex_format(const uint8_t *bytes, size_t size, char *ret_text)
{
	static const char digits[] = "0123456789abcdef";

	assert(size <= WB_CHAIN_BYTES);
	for (size_t at = 0; at < size; at++) {
		ret_text[2 * at] = digits[bytes[at] >> 4];
		ret_text[2 * at + 1] = digits[bytes[at] & 15];
	}
	ret_text[2 * size] = 0;
}

void head_format(uint64_t revision, const uint8_t chain[WB_CHAIN_BYTES],
		 char ret_text[HEAD_TEXT_BYTES])
{
	int length =
		snprintf(ret_text, HEAD_TEXT_BYTES, "%" PRIu64 ":", revision);

	hex_format(chain, WB_CHAIN_BYTES, ret_text + length);
}

void head_json(json_t **json, const struct wb_audit_verified *verified)
{
	json_field(json, "uuid",
		   hex_json(verified->uuid, sizeof(verified->uuid)));
	json_field(json, "epoch", word_json(verified->epoch));
	json_field(json, "revision", number_json(verified->revision));
	json_field(json, "chain", hex_json(verified->chain, WB_CHAIN_BYTES));
}

void head_print(struct output *output, const struct wb_audit_verified *verified)
{
	print_hex(output, "uuid", verified->uuid, sizeof(verified->uuid));
	print_word(output, "epoch", verified->epoch);
	print_number(output, "revision", verified->revision);
	print_hex(output, "chain", verified->chain, WB_CHAIN_BYTES);
}

/* ---- identities as digits ---- */

json_t *hex_json(const uint8_t *bytes, size_t size)
{
	char text[CHAIN_TEXT_BYTES];

	hex_format(bytes, size, text);
	return json_string(text);
}

void print_hex(struct output *output, const char *heading, const uint8_t *bytes,
	       size_t size)
{
	char text[CHAIN_TEXT_BYTES];

	hex_format(bytes, size, text);
	print_field(output, heading, text);
}

json_t *word_json(uint64_t word)
{
	return json_sprintf("%016llx", (unsigned long long)word);
}

void print_word(struct output *output, const char *heading, uint64_t word)
{
	output_format(output, "%-12s %016llx\n", heading,
		      (unsigned long long)word);
}
