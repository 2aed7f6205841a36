/* SPDX-License-Identifier: Apache-2.0
 *
 * The first byte says how long the name is; after the name comes the value
 * that the store holds. What decodes is canonical: encoded and decoded again
 * it is the same bytes.
 */
#include "images/image.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wb_image *image;
	struct wb_image *again;
	struct wb_bytes name;
	struct wb_bytes first;
	struct wb_bytes second;

	if (size < 1 || data[0] >= size)
		return 0;
	name = (struct wb_bytes){data + 1, data[0]};
	if (image_decode(name,
			 (struct wb_bytes){data + 1 + data[0],
					   size - 1 - data[0]},
			 1, &image))
		return 0;
	if (image_encode(image, &first) ||
	    image_decode(name, first, 1, &again) ||
	    image_encode(again, &second))
		abort();
	if (first.size != second.size ||
	    memcmp(first.data, second.data, first.size))
		abort();
	free((void *)first.data);
	free((void *)second.data);
	wb_image_free(again);
	wb_image_free(image);
	return 0;
}
