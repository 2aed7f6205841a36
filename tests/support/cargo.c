/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/cargo.h"

#include "images/image.h"
#include "images/validate.h"

#include <stdlib.h>

enum { NAMES = 24, TEXT_BYTES = 5000, LABELS_MAX = 5 };

static const char *const odd[] = {
	"docker.io/library/redis:7",
	"a",
	" ",
	"\"quoted\"",
	"back\\slash/\\u0041",
	"tab\tline\nreturn\rbell\afeed\f\b",
	"\x7F delete",
	"Z\xC3\xBCrich",
	"\xC2\x80\xC2\x85\xC2\x9F controls",
	"\xE2\x80\xA8 line \xE2\x80\xA9 paragraph",
	"\xF0\x9F\x90\xB3 whale",
	"\xEF\xBF\xBD\xEF\xBF\xBF\xEE\x80\x80",
	"\xF4\x8F\xBF\xBF",
	"{\"type\":\"end\",\"count\":0}",
	"</script><!--",
	"@{1}",
};
enum { ODD = sizeof(odd) / sizeof(*odd) };

static const char *const spaces[] = {"default", "k8s.io", "moby", "a-b_c.D"};
enum { SPACES = sizeof(spaces) / sizeof(*spaces) };

/* ---- texts ---- */

static const char *text_from(struct rng *rng, char *text, uint64_t number)
{
	if (rng_chance(rng, 1, 40)) {
		/* As long as a name may be. */
		memset(text, 'x', WB_NAME_BYTES_MAX);
		snprintf(text, 8, "%07u", (unsigned)number);
		text[7] = 'x';
		text[WB_NAME_BYTES_MAX] = 0;
		return text;
	}
	snprintf(text, TEXT_BYTES, "%s%s%u", odd[number % ODD],
		 number % 3 ? "" : "/", (unsigned)(number / ODD));
	return text;
}

static char *label_text(struct rng *rng, char *to)
{
	snprintf(to, 200, "%s.%u", odd[rng_below(rng, ODD)],
		 (unsigned)rng_below(rng, 9));
	return to;
}

static struct wb_labels labels_from(struct rng *rng,
				    struct wb_label labels[LABELS_MAX],
				    char texts[2 * LABELS_MAX][200])
{
	size_t count = (size_t)rng_below(rng, LABELS_MAX + 1);

	for (size_t at = 0; at < count; at++)
		labels[at] =
			(struct wb_label){label_text(rng, texts[2 * at]),
					  label_text(rng, texts[2 * at + 1])};
	return (struct wb_labels){labels, count};
}

/* ---- images ---- */

static int64_t time_from(struct rng *rng)
{
	switch (rng_below(rng, 8)) {
	case 0:
		return (int64_t)rng_next(rng);
	case 1:
		return rng_chance(rng, 1, 2) ? INT64_MIN : INT64_MAX;
	case 2:
		return (int64_t)rng_below(rng, 3) - 1;
	default:
		return INT64_C(1700000000) * 1000000000 +
		       (int64_t)rng_below(rng, UINT64_C(1) << 50);
	}
}

/* A field that a later version may add, at the end; `value` is taken over. */
static struct wb_bytes later(struct wb_bytes value)
{
	static const char field[] = "\x48\x01"; /* 9: 1 */
	char *longer = realloc((void *)value.data, value.size + 2);

	ck_assert_ptr_nonnull(longer);
	memcpy(longer + value.size, field, 2);
	return (struct wb_bytes){longer, value.size + 2};
}

/* Free it. */
static struct wb_bytes image_value(struct rng *rng, const char *name)
{
	static struct wb_label labels[LABELS_MAX], notes[LABELS_MAX];
	static char texts[4][2 * LABELS_MAX][200];
	static const char *const types[] = {
		"application/vnd.oci.image.index.v1+json",
		"application/vnd.oci.image.manifest.v1+json", "t\xC3\xA9"};
	char digest[80] = "sha256:";
	struct wb_image image = {
		.name = name,
		.labels = labels_from(rng, labels, texts[0]),
		.target = {.media_type = types[rng_below(rng, 3)],
			   .digest = digest,
			   .size = 1 + (int64_t)(rng_next(rng) >> 2),
			   .annotations = labels_from(rng, notes, texts[1])},
		.created_at_ns = time_from(rng),
		.updated_at_ns = time_from(rng),
	};
	struct wb_image canonical;
	struct wb_bytes value;

	for (unsigned at = 7; at < 71; at++)
		digest[at] = "0123456789abcdef"[rng_below(rng, 16)];
	ck_ok(image_canonical(&image, &canonical));
	ck_ok(image_check(&canonical, NULL));
	ck_ok(image_encode(&canonical, &value));
	image_canonical_release(&canonical);
	return rng_chance(rng, 1, 9) ? later(value) : value;
}

/* ---- any record ---- */

static uint8_t bytes[3][TEXT_BYTES];

static struct wb_bytes any_bytes(struct rng *rng, unsigned which, size_t least,
				 size_t most, bool zeros)
{
	size_t size = least + (size_t)rng_below(rng, most - least + 1);

	rng_fill(rng, bytes[which], size);
	for (size_t at = 0; at < size && !zeros; at++)
		bytes[which][at] |= bytes[which][at] == 0;
	return (struct wb_bytes){bytes[which], size};
}

/* Few enough keys that they meet again. */
static struct wb_key raw_key(struct rng *rng)
{
	static const uint32_t kinds[] = {2, 5, 63, 64, 65, 191};
	struct rng fixed = rng_of(rng_below(rng, NAMES));
	struct wb_key key = {.kind = kinds[rng_below(&fixed, 6)]};

	key.ns =
		any_bytes(&fixed, 0, 0,
			  rng_chance(&fixed, 1, 3) ? WB_NAMESPACE_BYTES_MAX : 2,
			  false);
	key.name = any_bytes(&fixed, 1, 1, rng_chance(&fixed, 1, 3) ? 40 : 4,
			     true);
	if (rng_chance(&fixed, 1, 2))
		key.name = text_of(odd[rng_below(&fixed, ODD)]);
	if (rng_chance(&fixed, 1, 2))
		key.ns = text_of(spaces[rng_below(&fixed, SPACES)]);
	return key;
}

static struct wb_key image_key_from(struct rng *rng, char *text)
{
	struct rng fixed = rng_of(rng_below(rng, NAMES) + 1000);
	const char *space = spaces[rng_below(&fixed, SPACES)];

	text_from(&fixed, text, rng_below(&fixed, 3 * ODD));
	return (struct wb_key){WB_KIND_IMAGE, text_of(space), text_of(text)};
}

/* A key may come twice in one commit; then the second time is left out. */
static void change(struct cargo *cargo, struct wb_txn *txn)
{
	static char text[TEXT_BYTES];
	struct rng *rng = &cargo->rng;
	bool is_image = rng_chance(rng, 2, 3);
	struct wb_key key = is_image ? image_key_from(rng, text) : raw_key(rng);
	struct wb_bytes value;
	enum wb_error error;

	if (rng_chance(rng, 1, 4)) {
		error = store_txn_delete(txn, &key, if_any);
		ck_assert(!error || error == WB_NOT_FOUND || error == WB_USAGE);
		return;
	}
	value = is_image ? image_value(rng, text)
			 : any_bytes(rng, 2, 0,
				     rng_chance(rng, 1, 9) ? 3000 : 40, true);
	error = store_txn_put(txn, &key, value, if_any);
	ck_assert(!error || error == WB_USAGE);
	if (is_image)
		free((void *)value.data);
}

void cargo_commit(struct cargo *cargo)
{
	struct rng *rng = &cargo->rng;
	struct wb_actor actor = {(uint32_t)rng_next(rng),
				 (uint32_t)rng_next(rng),
				 (int32_t)rng_next(rng),
				 odd[rng_below(rng, ODD)]};
	struct wb_txn_options options = {.size = sizeof(options)};
	struct wb_outcome outcome;
	struct wb_txn *txn;
	char id[32];

	if (rng_chance(rng, 1, 2))
		options.actor = &actor;
	if (rng_chance(rng, 1, 3))
		options.reason = any_bytes(rng, 0, 0, 60, true);
	if (rng_chance(rng, 1, 3))
		options.reason = text_of(odd[rng_below(rng, ODD)]);
	if (rng_chance(rng, 1, 4)) {
		snprintf(id, sizeof(id), "%s%llx",
			 rng_chance(rng, 1, 2) ? "id" : "\xFF\xFE",
			 (unsigned long long)rng_next(rng));
		options.operation_id = text_of(id);
		options.operation_ns =
			text_of(rng_chance(rng, 1, 2) ? "n" : "");
	}
	if (rng_chance(rng, 1, 4))
		options.request_hash = rng_next(rng);
	simenv_set_wall(&cargo->shelf.env, time_from(rng));
	ck_ok(wb_txn_begin(cargo->shelf.store, &options, &txn, &outcome));
	for (uint64_t left = 1 + rng_below(rng, 5); left > 0; left--)
		change(cargo, txn);
	ck_ok(wb_txn_commit(txn, NULL));
}

static void interrupt(struct cargo *cargo)
{
	switch (rng_below(&cargo->rng, 3)) {
	case 0:
		ck_ok(shelf_close(&cargo->shelf));
		break;
	case 1:
		shelf_kill(&cargo->shelf);
		break;
	default:
		shelf_cut(&cargo->shelf, sim_crash_random(&cargo->rng));
	}
	ck_ok(shelf_open(&cargo->shelf));
}

void cargo_make(struct cargo *cargo, uint64_t seed, unsigned commits)
{
	*cargo = (struct cargo){.rng = rng_of(seed)};
	shelf_init(&cargo->shelf, seed);
	ck_ok(shelf_open(&cargo->shelf));
	for (unsigned at = 0; at < commits; at++) {
		cargo_commit(cargo);
		if (rng_chance(&cargo->rng, 1, 14))
			interrupt(cargo);
	}
}

void cargo_release(struct cargo *cargo)
{
	shelf_release(&cargo->shelf);
	*cargo = (struct cargo){0};
}
