/* SPDX-License-Identifier: Apache-2.0
 *
 * Eight threads register images in one directory until somebody kills the
 * program. Each prints a name once it is acknowledged, never before: every
 * line that was written whole is a promise, which `waybill get` can be held
 * against afterwards.
 *
 *	./writers DIR > acknowledged
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <waybill/waybill.h>

#define WRITERS 8

struct writer {
	pthread_t thread;
	unsigned number;
	struct wb_images *images;
};

/* One write per line, so that a kill between two leaves whole lines. */
static bool acknowledge(const char *name)
{
	char line[128];
	int size = snprintf(line, sizeof(line), "%s\n", name);

	return write(STDOUT_FILENO, line, (size_t)size) == size;
}

static void *write_images(void *context)
{
	const struct writer *writer = context;
	struct wb_images *images = writer->images;
	const struct wb_call call = {.size = sizeof(call), .ns = "default"};
	struct wb_text text;
	char name[64];
	char digest[80];
	const struct wb_image image = {
		.name = name,
		.target = {.media_type = "application/vnd.oci.image.manifest."
					 "v1+json",
			   .digest = digest,
			   .size = 1}};

	for (unsigned n = 0;; n++) {
		snprintf(name, sizeof(name), "docker.io/demo/writer%u:%u",
			 writer->number, n);
		snprintf(digest, sizeof(digest), "sha256:%032x%032x",
			 writer->number, n);
		if (images->ops->put(images, &call, &image, NULL, NULL, NULL,
				     &text) != WB_OK) {
			fprintf(stderr, "%s: %s\n", name, text.text);
			exit(EXIT_FAILURE);
		}
		if (!acknowledge(name))
			exit(EXIT_FAILURE);
	}
}

int main(int argc, char **argv)
{
	const struct wb_open_options options = {.size = sizeof(options),
						.flags = WB_OPEN_CREATE};
	struct wb_text text = {"usage: writers DIR"};
	struct wb_store *store;
	struct wb_images *images;
	struct writer writers[WRITERS];

	if (argc != 2 ||
	    wb_store_open(argv[1], &options, &store, &text) != WB_OK ||
	    wb_images_local(store, &images) != WB_OK) {
		fprintf(stderr, "%s\n", text.text);
		return EXIT_FAILURE;
	}
	for (unsigned i = 0; i < WRITERS; i++) {
		writers[i].number = i;
		writers[i].images = images;
		errno = pthread_create(&writers[i].thread, NULL, write_images,
				       &writers[i]);
		if (errno != 0) {
			perror("pthread_create");
			return EXIT_FAILURE;
		}
	}
	for (unsigned i = 0; i < WRITERS; i++)
		pthread_join(writers[i].thread, NULL);
	return EXIT_FAILURE;
}
