/* SPDX-License-Identifier: Apache-2.0
 *
 * One image: opened, compared, written again, cut again.
 *
 * The images of nested cuts are taken by a hook while the image is opened,
 * and examined afterwards, when it is known what that open found: each of
 * them must lead to the very same state, for an open that is cut short may
 * lose nothing and add nothing.
 */
#include "tests/support/crashwork.h"
#include "tests/support/hush.h"
#include "tests/support/simpages.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#define SEGMENT_BYTES (16u << 10)

enum {
	NESTED_MAX = 96,    /* images of one recovery */
	NESTED_AT_ONCE = 2, /* before each of its operations */
	NESTED_AFTER = 6,   /* and when it is done */
	REOPENED_EVERY = 3, /* are opened once more after a commit */
	READ_ONLY_EVERY = 6,
	DEBRIS_MAX = 8,
};

const char check_opens[] = "every image can be opened";
const char check_writable[] = "a reopened store accepts and keeps a commit";
const char check_creation[] = "a store that was created stays";
const char check_converges[] = "a recovery that was cut short is repeated";
const char check_debris[] = "what is cut off is kept in torn/";
const char check_cut_order[] = "nothing is cut before the cut is durable";
const char check_read_only[] = "reading changes nothing and sees the same";

/* ---- what processes share ---- */

static void *shared_memory(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		abort();
	return memory;
}

static struct seen_set seen_set_new(uint64_t numbers_max)
{
	struct seen_set set = {.capacity = 1024};

	while (set.capacity < 2 * numbers_max)
		set.capacity *= 2;
	set.slots = shared_memory(set.capacity * sizeof(*set.slots));
	return set;
}

bool seen_set_add(struct seen_set *set, uint64_t number)
{
	uint64_t at = splitmix64(&(uint64_t){number});

	number = number ? number : 1;
	for (uint64_t probes = 0; probes < set->capacity; probes++, at++) {
		_Atomic uint64_t *slot = &set->slots[at & (set->capacity - 1)];
		uint64_t there = atomic_load(slot);

		if (there == 0 &&
		    atomic_compare_exchange_strong(slot, &there, number))
			return true;
		if (there == number)
			return false;
	}
	abort();
}

struct crash_shared *crash_shared_new(uint64_t images_max)
{
	struct crash_shared *shared = shared_memory(sizeof(*shared));

	/* The last workloads may go far beyond; an image may be examined with
	 * several expectations. */
	shared->images = seen_set_new(images_max + images_max / 2);
	shared->examined = seen_set_new(6 * images_max);
	return shared;
}

static void seen_set_free(const struct seen_set *set)
{
	munmap((void *)set->slots, set->capacity * sizeof(*set->slots));
}

void crash_shared_free(struct crash_shared *shared)
{
	seen_set_free(&shared->images);
	seen_set_free(&shared->examined);
	munmap(shared, sizeof(*shared));
}

static uint64_t mix(uint64_t a, uint64_t b)
{
	uint64_t state = a ^ (b + 0x9E3779B97F4A7C15) * 0xD6E8FEB86659FD93;

	return splitmix64(&state);
}

/* ---- opening ---- */

struct wb_open_options crash_open_options(uint32_t flags)
{
	return (struct wb_open_options){
		.size = sizeof(struct wb_open_options),
		.flags = flags,
		.segment_bytes = SEGMENT_BYTES,
	};
}

/* A store opened on an image, with a world of its own. */
struct visit {
	struct simenv env;
	struct wb_store *store;
	struct wb_text text;
};

static enum wb_error visit_open(struct visit *visit, struct simdisk *disk,
				uint32_t flags)
{
	struct wb_open_options options = crash_open_options(flags);
	enum wb_error error;

	options.report = hush;
	visit->text.text[0] = '\0';
	/* The same randomness each time: see crashloop.h. */
	simenv_init(&visit->env, 1);
	error = store_open_on(simdisk_dir(disk), &visit->env.env, &options,
			      &visit->store, &visit->text);
	if (error)
		simenv_release(&visit->env);
	return error;
}

static enum wb_error visit_close(struct visit *visit)
{
	enum wb_error error = wb_store_close(visit->store);

	simenv_release(&visit->env);
	return error;
}

static void visit_abandon(struct visit *visit)
{
	store_abandon(visit->store);
	simenv_release(&visit->env);
}

/* ---- nested cuts ---- */

struct nested {
	struct crash_context *context;
	struct simdisk *disk;
	struct simdisk *original;	    /* as it was before the open */
	struct simdisk *images[NESTED_MAX]; /* no two of them are equal */
	uint64_t hashes[NESTED_MAX];
	size_t count;
};

static void nested_take(struct nested *nested)
{
	struct simdisk *image =
		simdisk_crash(nested->disk,
			      sim_crash_random(&nested->context->rng));
	uint64_t hash = simdisk_hash(image);

	for (size_t i = 0; i < nested->count; i++)
		if (nested->hashes[i] == hash) {
			simdisk_free(image);
			return;
		}
	nested->hashes[nested->count] = hash;
	nested->images[nested->count++] = image;
}

static void nested_take_some(struct nested *nested, int images)
{
	while (images-- > 0 && nested->count < NESTED_MAX)
		nested_take(nested);
}

static void nested_hook(void *nested, enum sim_op op, const char *name)
{
	(void)op;
	(void)name;
	nested_take_some(nested, NESTED_AT_ONCE);
}

static void nested_begin(struct nested *nested, struct crash_context *context,
			 struct simdisk *disk)
{
	nested->context = context;
	nested->disk = disk;
	nested->original = simdisk_clone(disk);
	nested->count = 0;
	simdisk_observe(disk, SIM_ANY_CHANGE, nested_hook, nested);
}

static void nested_end(struct nested *nested)
{
	for (size_t i = 0; i < nested->count; i++)
		simdisk_free(nested->images[i]);
	simdisk_free(nested->original);
}

/* ---- what was cut off ---- */

/* A file of torn/ that an open made, and where its bytes came from. */
struct debris {
	char path[64];
	char segment[64];
	char successor[64];
	uint64_t at;
	uint64_t size;
	uint8_t *bytes; /* as they were in the segment before */
};

struct debris_list {
	struct nested *nested;
	struct debris all[DEBRIS_MAX];
	size_t count;
	bool last; /* one is of the segment that was the newest */
};

/* An open finishes what earlier ones left, so there may be several. */
static bool find_debris(void *context, const char *path, uint64_t size)
{
	struct debris_list *list = context;
	struct simdisk *original = list->nested->original;
	struct debris *debris = &list->all[list->count];
	uint64_t id, at;

	if (sscanf(path, "torn/%16" SCNx64 "-%10" SCNx64, &id, &at) != 2 ||
	    simdisk_has(original, path))
		return true;
	snprintf(debris->path, sizeof(debris->path), "%s", path);
	snprintf(debris->segment, sizeof(debris->segment), "%016" PRIx64 ".log",
		 id);
	snprintf(debris->successor, sizeof(debris->successor),
		 "%016" PRIx64 ".log", id + 1);
	debris->at = at;
	debris->size = size;
	debris->bytes = sim_alloc(size);
	simdisk_get(original, debris->segment, debris->bytes, size, at);
	if (!simdisk_has(original, debris->successor))
		list->last = true;
	return ++list->count < DEBRIS_MAX;
}

static bool holds_debris(struct simdisk *disk, const char *path, uint64_t at,
			 const struct debris *debris)
{
	uint8_t *bytes;
	bool same;

	if (!simdisk_has(disk, path))
		return false;
	bytes = sim_alloc(debris->size);
	simdisk_get(disk, path, bytes, debris->size, at);
	same = memcmp(bytes, debris->bytes, debris->size) == 0;
	free(bytes);
	return same;
}

/* In the image of a cut during the open: the debris is where it was, or
 * whole in torn/ while the segment's end is durable in its successor. */
static bool check_nested_debris(struct complaint *complaint,
				struct simdisk *image,
				const struct debris *debris)
{
	if (holds_debris(image, debris->segment, debris->at, debris))
		return true;
	if (!holds_debris(image, debris->path, 0, debris))
		return complain_of(complaint, check_debris,
				   "neither %s nor %s has the %" PRIu64
				   " bytes at %" PRIu64,
				   debris->segment, debris->path, debris->size,
				   debris->at);
	if (!simdisk_has(image, debris->successor))
		return complain_of(complaint, check_cut_order,
				   "%s was cut and %s is not there",
				   debris->segment, debris->successor);
	return true;
}

static bool check_each_debris(struct crash_context *context,
			      struct nested *nested,
			      const struct debris *debris)
{
	bool good = holds_debris(nested->disk, debris->path, 0, debris);

	if (!good)
		(void)complain_of(&context->complaint, check_debris,
				  "%s is not what was cut off %s", debris->path,
				  debris->segment);
	for (size_t i = 0; i < nested->count && good; i++)
		good = check_nested_debris(&context->complaint,
					   nested->images[i], debris);
	return good;
}

static bool check_kept_debris(struct crash_context *context,
			      struct nested *nested, uint64_t torn_bytes)
{
	struct debris_list list = {.nested = nested};
	bool good = true;

	simdisk_each(nested->disk, find_debris, &list);
	if (torn_bytes > 0 && !list.last)
		good = complain_of(&context->complaint, check_debris,
				   "%" PRIu64 " bytes were cut, and torn/ has "
				   "nothing new",
				   torn_bytes);
	for (size_t i = 0; i < list.count && good; i++)
		good = check_each_debris(context, nested, &list.all[i]);
	for (size_t i = 0; i < list.count; i++)
		free(list.all[i].bytes);
	return good;
}

/* ---- one image ---- */

static bool examine(struct crash_context *context, struct simdisk *disk,
		    const struct promise *promise, enum image_kind kind,
		    unsigned level);

static bool examine_nested(struct crash_context *context, struct nested *nested,
			   const struct promise *promise, unsigned level)
{
	bool good = true;

	for (size_t i = 0; i < nested->count && good; i++) {
		struct simdisk *image = nested->images[i];

		nested->images[i] = NULL;
		good = examine(context, image, promise, IMAGE_CUT, level + 1);
		crash_count(context, level ? CRASH_NESTED_TWICE : CRASH_NESTED);
	}
	if (!good && context->complaint.check == check_acknowledged)
		context->complaint.check = check_converges;
	return good;
}

/* The store that was reopened takes a commit, and keeps it. */
static bool check_probe(struct crash_context *context, struct visit *visit,
			struct simdisk *disk, uint64_t revision, bool reopen)
{
	struct complaint *complaint = &context->complaint;
	enum wb_error error = oracle_probe(visit->store);
	struct sim_crash crash;
	struct simdisk *image;
	uint64_t found;
	bool good;

	if (error) {
		visit_abandon(visit);
		return complain_of(complaint, check_writable, "a commit: %s",
				   wb_error_text(error));
	}
	if (rng_chance(&context->rng, 1, 2))
		visit_abandon(visit);
	else if ((error = visit_close(visit)))
		return complain_of(complaint, check_writable, "closing: %s",
				   wb_error_text(error));
	if (!reopen)
		return true;
	crash = sim_crash_random(&context->rng);
	if (rng_chance(&context->rng, 1, 2))
		crash.keep = SIM_KEEP_NOTHING;
	image = simdisk_crash(disk, crash);
	error = visit_open(visit, image, 0);
	if (error) {
		simdisk_free(image);
		return complain_of(complaint, check_writable,
				   "opening after a commit: %s (%s)",
				   wb_error_text(error), visit->text.text);
	}
	good = oracle_revision(visit->store, revision + 1, revision + 1,
			       complaint, &found) &&
	       oracle_check(context->oracle, visit->store, revision, true,
			    &context->rng, complaint);
	visit_abandon(visit);
	simdisk_free(image);
	return good;
}

static bool check_reading(struct crash_context *context, struct simdisk *disk,
			  const struct promise *promise, uint64_t *ret_revision)
{
	struct complaint *complaint = &context->complaint;
	uint64_t hash = simdisk_hash(disk);
	struct visit visit;
	enum wb_error error = visit_open(&visit, disk, WB_OPEN_READ_ONLY);
	bool good;

	crash_count(context, CRASH_READ_ONLY);
	*ret_revision = UINT64_MAX;
	if (error == WB_NOT_A_STORE && promise->maybe_absent)
		return true;
	if (error)
		return complain_of(complaint, check_opens,
				   "opening for reading: %s (%s)",
				   wb_error_text(error), visit.text.text);
	good = oracle_revision(visit.store, promise->min, promise->max,
			       complaint, ret_revision) &&
	       oracle_check(context->oracle, visit.store, *ret_revision, false,
			    &context->rng, complaint);
	error = visit_close(&visit);
	if (good && (error || simdisk_hash(disk) != hash))
		good = complain_of(complaint, check_read_only,
				   "closing it: %s; the disk %s",
				   wb_error_text(error),
				   simdisk_hash(disk) == hash ? "is the same"
							      : "changed");
	return good;
}

static void count_outcome(struct crash_context *context,
			  const struct promise *promise, uint64_t revision,
			  uint64_t torn_bytes)
{
	if (torn_bytes)
		crash_count(context, CRASH_TORN);
	else if (promise->min == promise->max)
		crash_count(context, CRASH_CLEAN);
	if (promise->min == promise->max)
		return;
	if (revision == promise->min)
		crash_count(context, CRASH_ABSENT);
	else
		crash_count(context, revision == promise->max ? CRASH_KEPT
							      : CRASH_PARTLY);
}

/* Open it, creating it where that is allowed and was not finished. */
static enum wb_error open_or_create(struct crash_context *context,
				    struct visit *visit, struct simdisk *disk,
				    const struct promise *promise)
{
	enum wb_error error = visit_open(visit, disk, 0);

	if (error != WB_NOT_A_STORE || !promise->maybe_absent)
		return error;
	crash_count(context, CRASH_UNFINISHED);
	return visit_open(visit, disk, WB_OPEN_CREATE);
}

static bool check_opened(struct crash_context *context, struct visit *visit,
			 const struct promise *promise, uint64_t *ret_revision,
			 uint64_t *ret_torn_bytes)
{
	struct wb_stat stat = {.size = sizeof(stat)};

	if (!oracle_revision(visit->store, promise->min, promise->max,
			     &context->complaint, ret_revision) ||
	    !oracle_check(context->oracle, visit->store, *ret_revision, false,
			  &context->rng, &context->complaint))
		return false;
	(void)wb_store_stat(visit->store, &stat);
	*ret_torn_bytes = stat.torn_bytes;
	count_outcome(context, promise, *ret_revision, stat.torn_bytes);
	return true;
}

/* Everything but the nested images, which `nested` collects if there is one.
 */
static bool examine_open(struct crash_context *context, struct simdisk *disk,
			 const struct promise *promise, enum image_kind kind,
			 struct nested *nested, uint64_t *ret_revision)
{
	bool reopen = kind == IMAGE_KILLED ||
		      rng_chance(&context->rng, 1, REOPENED_EVERY);
	uint64_t read_only = UINT64_MAX, torn_bytes;
	struct visit visit;
	enum wb_error error;

	if (rng_chance(&context->rng, 1, READ_ONLY_EVERY) &&
	    !check_reading(context, disk, promise, &read_only))
		return false;
	if (nested)
		nested_begin(nested, context, disk);
	error = open_or_create(context, &visit, disk, promise);
	simdisk_observe(disk, SIM_ANY_CHANGE, NULL, NULL);
	if (nested)
		nested_take_some(nested, NESTED_AFTER);
	if (error)
		return complain_of(&context->complaint,
				   error == WB_NOT_A_STORE ? check_creation
							   : check_opens,
				   "%s (%s)", wb_error_text(error),
				   visit.text.text);
	if (!check_opened(context, &visit, promise, ret_revision,
			  &torn_bytes) ||
	    (nested && kind == IMAGE_CUT &&
	     !check_kept_debris(context, nested, torn_bytes))) {
		visit_abandon(&visit);
		return false;
	}
	if (read_only != UINT64_MAX && read_only != *ret_revision) {
		visit_abandon(&visit);
		return complain_of(&context->complaint, check_read_only,
				   "it saw revision %" PRIu64
				   ", and writing %" PRIu64,
				   read_only, *ret_revision);
	}
	return check_probe(context, &visit, disk, *ret_revision, reopen);
}

static bool is_nested(struct crash_context *context, unsigned level)
{
	static const uint64_t every[][2] = {
		[NEST_SOME] = {20, 6},
		[NEST_OFTEN] = {8, 6},
		[NEST_ALL] = {1, 1},
	};

	return level < 2 && context->nesting != NEST_NONE &&
	       rng_chance(&context->rng, 1, every[context->nesting][level]);
}

static bool examine(struct crash_context *context, struct simdisk *disk,
		    const struct promise *promise, enum image_kind kind,
		    unsigned level)
{
	uint64_t hash = simdisk_hash(disk);
	struct promise exact = *promise;
	struct nested nested = {.count = 0};
	bool nest = is_nested(context, level);
	uint64_t revision;
	bool good;

	if (kind == IMAGE_CUT && seen_set_add(&context->shared->images, hash))
		crash_count(context, CRASH_IMAGES);
	hash = mix(mix(hash, context->seed),
		   mix(promise->min, mix(promise->max, promise->maybe_absent)));
	if (!nest && kind == IMAGE_CUT &&
	    !seen_set_add(&context->shared->examined, hash)) {
		simdisk_free(disk);
		return true;
	}
	crash_count(context, CRASH_EXAMINED);
	good = examine_open(context, disk, promise, kind, nest ? &nested : NULL,
			    &revision);
	if (good && nest) {
		/* What an open has seen after a power cut is durable. */
		if (kind == IMAGE_CUT)
			exact.min = exact.max = revision;
		good = examine_nested(context, &nested, &exact, level);
	}
	nested_end(&nested);
	simdisk_free(disk);
	return good;
}

bool image_examine(struct crash_context *context, struct simdisk *disk,
		   const struct promise *promise, enum image_kind kind)
{
	return examine(context, disk, promise, kind, 0);
}
