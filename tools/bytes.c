/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/bytes.h"

#include "tools/wording.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void output_plain_bytes(struct output *output, struct wb_bytes bytes)
{
	char *text = calloc(bytes.size + 1, 1);

	if (!text) {
		output->out_of_memory = true;
		return;
	}
	if (bytes.size)
		memcpy(text, bytes.data, bytes.size);
	for (size_t at = 0; at < bytes.size; at++) {
		output_plain(output, text + at);
		at += strlen(text + at);
		if (at < bytes.size)
			output_text(output, "\\x00");
	}
	free(text);
}

void output_plain_key(struct output *output, const struct wb_key *key)
{
	output_plain_bytes(output, key->name);
	if (key->ns.size > 0) {
		output_text(output, " in ");
		output_plain_bytes(output, key->ns);
	}
	if (key->kind != WB_KIND_IMAGE)
		output_format(output, ", kind %u", key->kind);
}

/* A zero byte is a character like any other here. */
static size_t character_size(const char *at)
{
	return *at == '\0' ? 1 : utf8_character(at, NULL);
}

json_t *bytes_json(struct wb_bytes bytes)
{
	/* With an end that no character of several bytes can go beyond. */
	char *from = calloc(bytes.size + 1, 1);
	char *shown = calloc(bytes.size + 1, 4);
	size_t at = 0, to = 0;
	json_t *json = NULL;

	if (from && bytes.size)
		memcpy(from, bytes.data, bytes.size);
	while (from && shown && at < bytes.size) {
		size_t size = character_size(from + at);

		if (size == 0) {
			snprintf(shown + to, 5, "\\x%02x",
				 (unsigned char)from[at]);
			to += 4;
			at++;
			continue;
		}
		memcpy(shown + to, from + at, size);
		to += size;
		at += size;
	}
	if (from && shown)
		json = json_stringn(shown, to);
	free(from);
	free(shown);
	return json;
}
