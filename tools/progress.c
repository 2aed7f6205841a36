/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/progress.h"

#include "tools/progress_text.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define ERASE "\r\033[K"

enum {
	LINE_BYTES = PROGRESS_TEXT_BYTES + 128,
	MOMENT_MS = 500, /* before a bar is worth a look */
	DRAW_MS = 100,	 /* between two of them */
	OBJECT_MS = 500,
	COLUMNS = 80, /* of what is no terminal */
};

static enum { SILENT, BAR, OBJECTS } way;
static bool patient; /* no bar in the first moment, or in the background */
static bool json;
static const char *command;
static uint64_t begun_ms, phase_ms, shown_ms;

static volatile sig_atomic_t drawn;
/* What SIGUSR1 asks for; the one that is not asked for is written. */
static char answers[2][LINE_BYTES];
static volatile sig_atomic_t answer;

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* What cannot be shown is not worth a complaint. */
static void put(const char *text)
{
	ssize_t ignored = write(STDERR_FILENO, text, strlen(text));

	(void)ignored;
}

/* ---- SIGUSR1 ---- */

static void on_signal(int number)
{
	int error_number = errno;

	(void)number;
	progress_hide();
	put(answers[answer]);
	errno = error_number;
}

static void prepare_answer(const struct wb_progress *progress,
			   uint64_t elapsed_ms)
{
	sig_atomic_t other = 1 - answer;
	char text[PROGRESS_TEXT_BYTES];

	if (json)
		progress_json(progress, text);
	else
		progress_sentence(progress, elapsed_ms, text);
	snprintf(answers[other], LINE_BYTES, "%s%s%s%s\n",
		 json ? "" : "waybill: ", json || !command ? "" : command,
		 json || !command ? "" : ": ", text);
	atomic_signal_fence(memory_order_release);
	answer = other;
}

static void enter(const char *name)
{
	prepare_answer(&(struct wb_progress){.phase = name}, 0);
}

void progress_init(const char *of, bool as_json)
{
	/* SA_RESTART: whoever is asked goes on as if nothing had happened. */
	struct sigaction action = {.sa_handler = on_signal,
				   .sa_flags = SA_RESTART};
	struct sigaction old;

	command = of;
	json = as_json;
	enter("start");
	sigemptyset(&action.sa_mask);
	if (sigaction(SIGUSR1, NULL, &old) == 0 && old.sa_handler != SIG_IGN)
		sigaction(SIGUSR1, &action, NULL);
}

/* ---- the bar ---- */

void progress_hide(void)
{
	if (drawn)
		put(ERASE);
	drawn = 0;
}

static unsigned columns(void)
{
	struct winsize size;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		return size.ws_col;
	return COLUMNS;
}

static bool in_background(void)
{
	pid_t foreground = tcgetpgrp(STDERR_FILENO);

	return foreground >= 0 && foreground != getpgrp();
}

static void draw(const struct wb_progress *progress, uint64_t elapsed_ms)
{
	char text[PROGRESS_TEXT_BYTES], line[LINE_BYTES];
	unsigned width = columns();
	size_t name = command ? strlen(command) + 2 : 0;

	if (name >= width)
		return;
	progress_bar(progress, elapsed_ms, width - (unsigned)name, text);
	snprintf(line, sizeof(line), "\r%s%s%s\033[K", command ? command : "",
		 command ? ": " : "", text);
	/* Twice, for a signal between the two finds it. */
	drawn = 1;
	put(line);
	drawn = 1;
}

/* ---- progress ---- */

void progress_begin(const char *when, bool quiet)
{
	const char *term = getenv("TERM");

	begun_ms = now_ms();
	patient = !when || strcmp(when, "auto") == 0;
	if (patient && !quiet && isatty(STDERR_FILENO) == 1 &&
	    !(term && strcmp(term, "dumb") == 0))
		way = BAR;
	else if (!patient && strcmp(when, "always") == 0)
		way = BAR;
	else if (!patient && strcmp(when, "jsonl") == 0)
		way = OBJECTS;
	json = json || way == OBJECTS;
	enter("start");
}

static void put_object(const struct wb_progress *progress)
{
	char text[PROGRESS_TEXT_BYTES];

	progress_json(progress, text);
	strcat(text, "\n");
	put(text);
}

void progress_take(void *unused, const struct wb_progress *progress)
{
	uint64_t now = now_ms();
	bool turn = progress->done == 0 || progress->done == progress->total;

	(void)unused;
	if (progress->done == 0)
		phase_ms = now;
	prepare_answer(progress, now - phase_ms);
	if (way == OBJECTS && (turn || now - shown_ms >= OBJECT_MS)) {
		shown_ms = now;
		put_object(progress);
	}
	if (way == BAR && (turn || now - shown_ms >= DRAW_MS) &&
	    !(patient && (now - begun_ms < MOMENT_MS || in_background()))) {
		shown_ms = now;
		draw(progress, now - phase_ms);
	}
}

void progress_end(void)
{
	progress_hide();
	way = SILENT;
	enter("answer");
}
