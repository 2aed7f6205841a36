/* SPDX-License-Identifier: Apache-2.0
 * cc register.c $(pkg-config --cflags --libs waybill) && ./a.out DIR */
#include <stdio.h>
#include <waybill/waybill.h>

static bool print_image(void *context, const struct wb_image *image)
{
	(void)context;
	return printf("%s -> %s\n", image->name, image->target.digest) > 0;
}

static bool print_version(void *context, const struct wb_image_version *version)
{
	(void)context;
	return printf("@{r%d} %s: %s\n", (int)version->revision, version->name,
		      version->reason) > 0;
}

int main(int argc, char **argv)
{
	struct wb_open_options options = {sizeof(options),
					  .flags = WB_OPEN_CREATE};
	struct wb_call call = {sizeof(call), "default", .reason = "an example"};
	struct wb_list_options all = {sizeof(all), .prefix = "docker.io/"};
	struct wb_image seven = {.name = "docker.io/library/redis:7"};
	struct wb_image latest = {.name = "docker.io/library/redis:latest"};
	struct wb_text text = {"usage: register DIR"};
	struct wb_store *store = NULL;
	struct wb_images *to = NULL;

	seven.target.media_type = "application/vnd.oci.image.manifest.v1+json";
	seven.target.digest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4"
			      "649b934ca495991b7852b855";
	seven.target.size = 428;
	latest.target = seven.target;
	if (argc != 2 || wb_store_open(argv[1], &options, &store, &text) ||
	    wb_images_local(store, &to) ||
	    to->ops->put(to, &call, &seven, NULL, NULL, NULL, &text) ||
	    to->ops->put(to, &call, &latest, NULL, NULL, NULL, &text) ||
	    to->ops->list(to, &call, &all, print_image, NULL, NULL, &text) ||
	    to->ops->history(to, &call, NULL, 0, 0, print_version, NULL, &text))
		return fprintf(stderr, "%s\n", text.text), 1;
	to->ops->close(to);
	return wb_store_close(store) != WB_OK;
}
