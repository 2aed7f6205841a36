/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/trial.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>

const struct trial_way trial_ways[TRIAL_WAYS] = {
	{"EIO", CALLS_FAIL, EIO, false, WB_IO},
	{"EIO for ever", CALLS_FAIL, EIO, true, WB_IO},
	{"ENOSPC", CALLS_FAIL, ENOSPC, false, WB_NO_SPACE},
	{"ENOSPC for ever", CALLS_FAIL, ENOSPC, true, WB_NO_SPACE},
	{"EINTR", CALLS_INTERRUPT, 0, false, WB_OK},
	{"EINTR for ever", CALLS_INTERRUPT, 0, true, WB_OK},
	{"short calls", CALLS_SHORT, 0, false, WB_OK},
	{"short calls for ever", CALLS_SHORT, 0, true, WB_OK},
};

static unsigned open_files(void)
{
	DIR *files = opendir("/proc/self/fd");
	unsigned count = 0;

	ck_assert_ptr_nonnull(files);
	while (readdir(files))
		count++;
	closedir(files);
	return count;
}

static bool is_expected(const struct trial *trial, const struct trial_way *way,
			enum wb_error error)
{
	if (!error || !way->error)
		return !error;
	return error == way->error || error == trial->also;
}

/* False: that call was not reached. */
static bool run_once(const struct trial *trial, const struct trial_way *way,
		     uint64_t nth, uint64_t *refused)
{
	unsigned files = open_files();
	struct wb_text text = {""};
	enum wb_error error;
	bool reached;

	trial->begin();
	calls_break(way->fault, nth, way->forever, way->number);
	error = trial->run(&text);
	reached = calls_mend() > 0;
	ck_assert_msg(is_expected(trial, way, error) && (reached || !error),
		      "%s, %s, call %" PRIu64 ": %s: %s", trial->name,
		      way->name, nth, wb_error_code(error), text.text);
	ck_assert_msg(!error || trial->wordless || *text.text,
		      "%s, %s, call %" PRIu64 ": %s, and no text", trial->name,
		      way->name, nth, wb_error_code(error));
	*refused += error != WB_OK;
	trial->settle(error, way);
	ck_assert_msg(open_files() == files,
		      "%s, %s, call %" PRIu64 ": files are left open",
		      trial->name, way->name, nth);
	return reached;
}

void trial_run(const struct trial *trial, const struct trial_way *way)
{
	uint64_t stride = full_run() || !trial->stride ? 1 : trial->stride;
	uint64_t nth = 1 + (uint64_t)(way - trial_ways) % stride;
	uint64_t tried = 0, refused = 0;

	for (; run_once(trial, way, nth, &refused); nth += stride)
		tried++;
	ck_assert_uint_gt(tried, 0);
	if (way->fault == CALLS_FAIL)
		ck_assert_uint_gt(nth, trial->calls_min);
	ck_assert_int_eq(refused > 0, way->error != WB_OK);
	printf("count: %s, calls with %s %" PRIu64 "\n", trial->name, way->name,
	       tried);
}
