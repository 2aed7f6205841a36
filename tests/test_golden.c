/* SPDX-License-Identifier: Apache-2.0
 *
 * The worked example at the end of docs/FORMAT.md. Its bytes were computed
 * from the page's prose by tests/golden/make_example.py; here the log makes
 * the same store, and opens the page's.
 */
#include "log/log.h"

#include "tests/support/lab.h"
#include "tests/support/suite.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

static const int64_t time_ns = INT64_C(1600000000) * 1000000000;

/* ---- the page ---- */

struct page_file {
	char name[32];
	uint8_t *bytes;
	size_t size;
};

static struct page_file files[2];

static void take_line(struct page_file *file, const char *line)
{
	size_t offset, at;
	unsigned byte;
	int used;

	if (sscanf(line, "%8zx  %n", &offset, &used) != 1)
		ck_abort_msg("not a line of the example: %s", line);
	if (strncmp(line + used, "zeros", 5) == 0)
		return;
	for (at = 0; at < 16 && line[used] && line[used] != ' '; at++) {
		ck_assert(sscanf(line + used, "%2x", &byte) == 1);
		ck_assert_uint_lt(offset + at, file->size);
		file->bytes[offset + at] = (uint8_t)byte;
		used += 2;
		/* One space goes on, two begin the comment. */
		if (line[used] == ' ' && isxdigit(line[used + 1]))
			used++;
	}
}

static void read_page(void)
{
	const char *source = getenv("WAYBILL_SOURCE_DIR");
	char path[4096], line[256];
	struct page_file *file = NULL;
	unsigned fences = 0;
	size_t count = 0;
	bool reached = false;
	FILE *page;

	snprintf(path, sizeof(path), "%s/docs/FORMAT.md",
		 source ? source : WAYBILL_SOURCE_DIR);
	page = fopen(path, "r");
	ck_assert_msg(page != NULL, "%s", path);
	while (fences < 2 && fgets(line, sizeof(line), page)) {
		char name[32];
		size_t size;

		reached |= strcmp(line, "## A worked example\n") == 0;
		if (reached && strcmp(line, "```\n") == 0)
			fences++;
		else if (fences && sscanf(line, "%31[^,], %zu bytes:", name,
					  &size) == 2) {
			ck_assert_uint_lt(count, 2);
			file = &files[count++];
			memcpy(file->name, name, sizeof(name));
			file->bytes = calloc(1, size);
			file->size = size;
			ck_assert_ptr_nonnull(file->bytes);
		} else if (fences) {
			ck_assert_ptr_nonnull(file);
			take_line(file, line);
		}
	}
	fclose(page);
	ck_assert_uint_eq(count, 2);
	ck_assert_uint_eq(fences, 2);
}

static void forget_page(void)
{
	for (size_t at = 0; at < 2; at++)
		free(files[at].bytes);
}

/* ---- the store ---- */

/* 00, 01, …, 0f, then 1 and the salt as little endian numbers. */
static void scripted_fill(const struct random *random, void *buffer,
			  size_t size)
{
	static const uint8_t script[32] = {0,	 1,    2,    3,	   4,	 5,
					   6,	 7,    8,    9,	   10,	 11,
					   12,	 13,   14,   15,   1,	 0,
					   0,	 0,    0,    0,	   0,	 0,
					   0xef, 0xcd, 0xab, 0x89, 0x67, 0x45,
					   0x23, 0x01};
	static size_t next;

	(void)random;
	ck_assert_uint_le(next + size, sizeof(script));
	memcpy(buffer, script + next, size);
	next += size;
}

static struct wb_bytes text_bytes(const char *text)
{
	return (struct wb_bytes){text, strlen(text)};
}

static void stage_example(struct lab *lab)
{
	struct commit_head head = {
		.revision = 1,
		.time_ns = time_ns,
		.actor = {.uid = 1000,
			  .gid = 1000,
			  .pid = 42,
			  .command = text_bytes("test")},
		.reason = text_bytes("first"),
	};
	struct mutation mutation = {
		.key = {.kind = 1,
			.ns = text_bytes("default"),
			.name = text_bytes("a")},
		.value = text_bytes("b"),
	};
	uint32_t hash = mutation_hash(&mutation.key);
	uint8_t bytes[64];
	struct writer writer = writer_of(bytes, sizeof(bytes));

	mutation_write(&writer, &mutation);
	ck_ok(log_stage(lab->log, lab->group, &head,
			(struct wb_bytes){bytes, writer.at}, &hash, 1));
}

static void report_difference(const struct page_file *file,
			      const uint8_t *bytes)
{
	size_t at = 0;

	while (bytes[at] == file->bytes[at])
		at++;
	ck_abort_msg("%s: offset %zx: %02x, not %02x", file->name, at,
		     bytes[at], file->bytes[at]);
}

START_TEST(the_log_writes_the_bytes_of_the_page)
{
	struct lab lab;

	lab_init(&lab, 1);
	lab.options = (struct log_options){.create = true};
	lab.env.random.fill = scripted_fill;
	simenv_set_wall(&lab.env, time_ns);
	ck_ok(lab_open(&lab));
	stage_example(&lab);
	ck_ok(log_append(lab.log, lab.group));
	for (size_t at = 0; at < 2; at++) {
		uint8_t *bytes = malloc(files[at].size);

		ck_assert_ptr_nonnull(bytes);
		ck_assert_uint_eq(simdisk_size(lab.disk, files[at].name),
				  files[at].size);
		simdisk_get(lab.disk, files[at].name, bytes, files[at].size, 0);
		if (memcmp(bytes, files[at].bytes, files[at].size) != 0)
			report_difference(&files[at], bytes);
		free(bytes);
	}
	lab_release(&lab);
}
END_TEST

static enum wb_error check_commit(void *context, const struct commit *commit)
{
	unsigned *seen = context;
	struct mutation_walk walk = mutation_walk_begin(commit);
	struct mutation mutation;

	ck_assert(mutation_walk_next(&walk, &mutation));
	ck_assert_uint_eq(commit->head.revision, 1);
	ck_assert_int_eq(commit->head.time_ns, time_ns);
	ck_assert_uint_eq(commit->head.actor.uid, 1000);
	ck_assert_uint_eq(commit->head.actor.gid, 1000);
	ck_assert_int_eq(commit->head.actor.pid, 42);
	ck_assert_mem_eq(commit->head.reason.data, "first", 5);
	ck_assert_mem_eq(commit->head.actor.command.data, "test", 4);
	ck_assert_uint_eq(mutation.key.kind, 1);
	ck_assert_mem_eq(mutation.key.ns.data, "default", 7);
	ck_assert_mem_eq(mutation.key.name.data, "a", 1);
	ck_assert_mem_eq(mutation.value.data, "b", 1);
	ck_assert(!mutation_walk_next(&walk, &mutation));
	++*seen;
	return WB_OK;
}

START_TEST(the_log_opens_the_bytes_of_the_page)
{
	struct simdisk *disk = simdisk_new();
	struct dir *dir = simdisk_dir(disk);
	struct log_options options = {.read_only = true};
	struct simenv env;
	unsigned seen = 0;
	struct log *log;

	simenv_init(&env, 1);
	for (size_t at = 0; at < 2; at++) {
		struct file *file;

		ck_ok(dir_open(dir, files[at].name, FILE_CREATE, &file));
		ck_ok(file_write(file, files[at].bytes, files[at].size, 0));
		file_close(file);
	}
	ck_ok(log_open(dir, &env.env, &options, check_commit, &seen, &log));
	ck_assert_uint_eq(seen, 1);
	ck_assert_uint_eq(log_epoch(log), 1);
	ck_assert_uint_eq(log_uuid(log)[15], 15);
	ck_assert_uint_eq(simenv_count(&env, DIAG_WARNING), 0);
	ck_ok(log_close(log));
	dir_close(dir);
	simdisk_free(disk);
	simenv_release(&env);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("golden");
	TCase *tests = tcase_create("golden");

	tcase_add_checked_fixture(tests, read_page, forget_page);
	tcase_add_test(tests, the_log_writes_the_bytes_of_the_page);
	tcase_add_test(tests, the_log_opens_the_bytes_of_the_page);
	suite_add_tcase(suite, tests);
	return suite_run(suite);
}
