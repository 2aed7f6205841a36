/* SPDX-License-Identifier: Apache-2.0
 * cc register.c $(pkg-config --cflags --libs waybill) && ./a.out DIR */
#include <stdio.h>
#include <waybill/waybill.h>

static bool show_image(void *file, const struct wb_image *image)
{
	return fprintf(file, "%s -> %s\n", image->name, image->target.digest) >
	       0;
}

static bool show_change(void *file, const struct wb_image_version *version)
{
	return fprintf(file, "@{r%d} %s: %s\n", (int)version->revision,
		       version->name, version->reason) > 0;
}

int main(int argc, char **argv)
{
	struct wb_open_options how = {sizeof(how), .flags = WB_OPEN_CREATE};
	struct wb_call call = {sizeof(call), "default", .reason = "an example"};
	struct wb_list_options all = {sizeof(all), .prefix = "docker.io/"};
	struct wb_image image = {.name = "docker.io/library/redis:7"};
	struct wb_text text = {"usage: register DIR"};
	struct wb_store *store = NULL;
	struct wb_images *to = NULL;

	image.target.media_type = "application/vnd.oci.image.manifest.v1+json";
	image.target.digest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4"
			      "649b934ca495991b7852b855";
	image.target.size = 428;
	if (argc != 2 || wb_store_open(argv[1], &how, &store, &text) ||
	    wb_images_local(store, &to) ||
	    to->ops->put(to, &call, &image, NULL, NULL, NULL, &text) ||
	    to->ops->list(to, &call, &all, show_image, stdout, NULL, &text) ||
	    to->ops->history(to, &call, NULL, 0, 0, show_change, stdout, &text))
		return fprintf(stderr, "%s\n", text.text), 1;
	to->ops->close(to);
	return wb_store_close(store) != WB_OK;
}
