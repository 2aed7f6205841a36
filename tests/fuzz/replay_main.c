/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs a fuzzer's entry point over its corpus, in builds that have no
 * libFuzzer: every input that once was of interest stays a test.
 *
 *   fuzz_x NAME DIRECTORY    prints TAP, one case for each input
 *
 * An input's name is printed before it is run, so that a crash names it.
 */
#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Reads a whole file into memory of exactly its size, so that asan sees one
 * byte too many; NULL on failure. */
static uint8_t *read_whole(const char *path, size_t *ret_size)
{
	FILE *file = fopen(path, "rb");
	uint8_t *data = NULL;
	long size = -1;

	if (!file)
		return NULL;
	if (fseek(file, 0, SEEK_END) == 0)
		size = ftell(file);
	if (size >= 0 && fseek(file, 0, SEEK_SET) == 0)
		data = malloc(size ? (size_t)size : 1);
	if (data && fread(data, 1, (size_t)size, file) != (size_t)size) {
		free(data);
		data = NULL;
	}
	fclose(file);
	if (data)
		*ret_size = (size_t)size;
	return data;
}

static bool replay(const char *directory, const char *input)
{
	char path[4096];
	uint8_t *data;
	size_t size;
	int length = snprintf(path, sizeof(path), "%s/%s", directory, input);

	if (length < 0 || (size_t)length >= sizeof(path))
		return false;
	data = read_whole(path, &size);
	if (!data)
		return false;
	printf("# %s: %zu bytes\n", input, size);
	fflush(stdout);
	LLVMFuzzerTestOneInput(data, size);
	free(data);
	return true;
}

static int visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

int main(int argc, char **argv)
{
	struct dirent **entries = NULL;
	int count, failed = 0;

	if (argc != 3) {
		fprintf(stderr, "usage: %s NAME DIRECTORY\n", argv[0]);
		return 64;
	}
	count = scandir(argv[2], &entries, visible, alphasort);
	if (count <= 0) {
		printf("not ok 1 - %s: no corpus in %s\n1..1\n", argv[1],
		       argv[2]);
		return 1;
	}
	for (int i = 0; i < count; i++) {
		bool ok = replay(argv[2], entries[i]->d_name);

		printf("%sok %d - %s\n", ok ? "" : "not ", i + 1,
		       entries[i]->d_name);
		failed += !ok;
		free(entries[i]);
	}
	free(entries);
	printf("1..%d\ncount: fuzz inputs replayed %d\n", count, count);
	return failed ? 1 : 0;
}
