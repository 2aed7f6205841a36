/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/progress_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { CELLS = 20, COLUMNS_FOR_CELLS = 60, SECOND_MS = 1000 };

/* `more` behind what is there, as far as there is room. */
static void append(char to[PROGRESS_TEXT_BYTES], const char *more)
{
	size_t size = strlen(to);

	snprintf(to + size, PROGRESS_TEXT_BYTES - size, "%s", more);
}

/* "430 MiB", "1.0 GiB", "12 commits"; "12" where another amount follows. */
static void append_amount(char to[PROGRESS_TEXT_BYTES], uint64_t amount,
			  const char *unit, bool follows)
{
	static const char *const sizes[] = {"bytes", "KiB", "MiB", "GiB",
					    "TiB"};
	double value = (double)amount;
	unsigned at = 0;
	char text[64];

	if (strcmp(unit, "bytes") == 0) {
		for (; value >= 1000 && at < 4; at++)
			value /= 1024;
		snprintf(text, sizeof(text), "%.*f %s",
			 at > 0 && value < 10 ? 1 : 0, value, sizes[at]);
	} else {
		snprintf(text, sizeof(text), "%" PRIu64 "%s%s", amount,
			 follows ? "" : " ", follows ? "" : unit);
	}
	append(to, text);
}

/* ", 3 s left". Not in the first second, which says little. */
static void append_left(char to[PROGRESS_TEXT_BYTES],
			const struct wb_progress *progress, uint64_t elapsed_ms)
{
	uint64_t left_s;
	char text[64];

	if (progress->done == 0 || progress->done >= progress->total ||
	    elapsed_ms < SECOND_MS)
		return;
	left_s = (uint64_t)((double)elapsed_ms / SECOND_MS *
				    (double)(progress->total - progress->done) /
				    (double)progress->done +
			    1);
	if (left_s < 120)
		snprintf(text, sizeof(text), ", %" PRIu64 " s left", left_s);
	else if (left_s < 7200)
		snprintf(text, sizeof(text), ", %" PRIu64 " min left",
			 left_s / 60);
	else
		snprintf(text, sizeof(text), ", %" PRIu64 " h left",
			 left_s / 3600);
	append(to, text);
}

void progress_sentence(const struct wb_progress *progress, uint64_t elapsed_ms,
		       char to[PROGRESS_TEXT_BYTES])
{
	char percent[16];

	snprintf(to, PROGRESS_TEXT_BYTES, "%s", progress->phase);
	if (!progress->unit || (progress->total == 0 && progress->done == 0))
		return;
	append(to, ": ");
	if (progress->total > 0) {
		snprintf(percent, sizeof(percent), "%.0f%%, ",
			 (double)(progress->done * 100 / progress->total));
		append(to, percent);
	}
	append_amount(to, progress->done, progress->unit, progress->total > 0);
	if (progress->total > 0) {
		append(to, " of ");
		append_amount(to, progress->total, progress->unit, false);
	}
	append_left(to, progress, elapsed_ms);
}

void progress_bar(const struct wb_progress *progress, uint64_t elapsed_ms,
		  unsigned columns, char to[PROGRESS_TEXT_BYTES])
{
	char sentence[PROGRESS_TEXT_BYTES];
	size_t full = CELLS;

	progress_sentence(progress, elapsed_ms, sentence);
	*to = '\0';
	if (progress->total > 0 && columns >= COLUMNS_FOR_CELLS) {
		full = (size_t)(progress->done * CELLS / progress->total);
		append(to, "[");
		while (full-- > 0)
			append(to, "#");
		while (strlen(to) < CELLS + 1)
			append(to, " ");
		append(to, "] ");
	}
	append(to, sentence);
	if (columns > 0 && strlen(to) >= columns)
		to[columns - 1] = '\0';
}

void progress_json(const struct wb_progress *progress,
		   char to[PROGRESS_TEXT_BYTES])
{
	char unit[40] = "null", total[24] = "null";

	if (progress->unit)
		snprintf(unit, sizeof(unit), "\"%s\"", progress->unit);
	if (progress->total > 0)
		snprintf(total, sizeof(total), "%" PRIu64, progress->total);
	snprintf(to, PROGRESS_TEXT_BYTES,
		 "{\"progress\":{\"phase\":\"%s\",\"unit\":%s,\"done\":%" PRIu64
		 ",\"total\":%s}}",
		 progress->phase, unit, progress->done, total);
}
