/* SPDX-License-Identifier: Apache-2.0
 *
 * The second reader as a witness: stores with random pasts, read by the store
 * and by audit/, must be told alike: every version, the state at every
 * revision, and, of damaged ones, what is the matter.
 *
 * WAYBILL_SEED chooses the first seed, WAYBILL_FULL=1 many more of them.
 */
#include "audit/fsck.h"
#include "audit/replay.h"
#include "tests/support/annals.h"
#include "tests/support/forge.h"
#include "tests/support/ruin.h"

#include <inttypes.h>

#define SAME(seed, condition)                                              \
	ck_assert_msg(condition, "seed %" PRIu64 ": %s", (uint64_t)(seed), \
		      #condition)

static bool same_bytes(struct wb_bytes a, struct wb_bytes b)
{
	return a.size == b.size &&
	       (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

static bool same_key(const struct wb_key *a, const struct wb_key *b)
{
	return a->kind == b->kind && same_bytes(a->ns, b->ns) &&
	       same_bytes(a->name, b->name);
}

/* ---- what the second reader says ---- */

/* A change, with copies of all its bytes. */
struct change {
	struct wb_version version;
	uint8_t *bytes;
};

struct witness {
	uint64_t seed;
	struct audit_summary summary;
	struct replay *replay;
	struct change *changes;
	size_t count, capacity;
	uint64_t *listings; /* by revision */
	size_t listings_capacity;
	char damage[400]; /* all findings, in words */
};

static struct wb_bytes keep(uint8_t **to, struct wb_bytes bytes)
{
	struct wb_bytes copy = {*to, bytes.size};

	if (bytes.size > 0)
		memcpy(*to, bytes.data, bytes.size);
	*to += bytes.size;
	return copy;
}

static void take_change(struct witness *witness,
			const struct audit_commit *commit,
			const struct audit_mutation *mutation)
{
	struct wb_version *version;
	struct change change;
	uint8_t *to;

	if (witness->count == witness->capacity) {
		witness->capacity = 2 * witness->capacity + 64;
		witness->changes =
			realloc(witness->changes,
				witness->capacity * sizeof(*witness->changes));
		ck_assert_ptr_nonnull(witness->changes);
	}
	change = (struct change){.bytes = NULL};
	version = &change.version;
	to = malloc(mutation->key.ns.size + mutation->key.name.size +
		    mutation->value.size + commit->command.size +
		    commit->reason.size + commit->operation_id.size + 1);
	ck_assert_ptr_nonnull(to);
	change.bytes = to;
	version->record.key.kind = mutation->key.kind;
	version->record.key.ns = keep(&to, mutation->key.ns);
	version->record.key.name = keep(&to, mutation->key.name);
	version->record.value = keep(&to, mutation->value);
	version->reason = keep(&to, commit->reason);
	version->operation_id = keep(&to, commit->operation_id);
	version->actor.command = keep(&to, commit->command).data;
	*to = 0;
	version->record.revision = commit->revision;
	version->record.time_ns = commit->time_ns;
	version->previous_revision = mutation->previous_revision;
	version->deleted = mutation->deleted;
	version->actor.uid = commit->uid;
	version->actor.gid = commit->gid;
	version->actor.pid = commit->pid;
	witness->changes[witness->count++] = change;
}

static bool add_version(void *context, const struct replay_version *version)
{
	uint64_t *listing = context;

	*listing = listing_add(*listing, &version->key, version->value,
			       version->revision, version->time_ns);
	return true;
}

static void take_listing(struct witness *witness, uint64_t revision)
{
	uint64_t listing = 0;

	ck_ok(replay_each(witness->replay, add_version, &listing));
	while (witness->listings_capacity <= revision) {
		size_t capacity = 2 * witness->listings_capacity + 64;

		witness->listings =
			realloc(witness->listings,
				capacity * sizeof(*witness->listings));
		ck_assert_ptr_nonnull(witness->listings);
		witness->listings_capacity = capacity;
	}
	witness->listings[revision] = listing;
}

static enum wb_error take_commit(void *context,
				 const struct audit_commit *commit,
				 const struct audit_place *place)
{
	struct witness *witness = context;
	size_t mutation = 0;

	if (!place->whole)
		return WB_OK;
	SAME(witness->seed,
	     replay_apply(witness->replay, commit, &mutation) == WB_OK);
	for (size_t at = 0; at < commit->mutation_count; at++)
		take_change(witness, commit, &commit->mutations[at]);
	take_listing(witness, commit->revision);
	return WB_OK;
}

static void take_finding(void *context, const struct audit_finding *finding)
{
	struct witness *witness = context;
	size_t used = strlen(witness->damage);

	snprintf(witness->damage + used, sizeof(witness->damage) - used,
		 "[%s %s:%" PRIu64 " %s]", audit_rule_code(finding->rule),
		 finding->file, finding->offset, finding->what);
}

static void witness_read(struct witness *witness, struct simdisk *disk,
			 uint64_t seed)
{
	struct audit_visitor visitor = {.commit = take_commit,
					.finding = take_finding,
					.context = witness};
	struct dir *dir = simdisk_dir(disk);

	*witness = (struct witness){.seed = seed, .replay = replay_new()};
	ck_assert_ptr_nonnull(witness->replay);
	take_listing(witness, 0);
	ck_ok(audit_read(dir, AUDIT_READ_ENTRIES, &visitor, &witness->summary));
	dir_close(dir);
}

static void witness_release(struct witness *witness)
{
	replay_free(witness->replay);
	for (size_t at = 0; at < witness->count; at++)
		free(witness->changes[at].bytes);
	free(witness->changes);
	free(witness->listings);
}

/* ---- whole stores ---- */

struct comparison {
	const struct witness *witness;
	const struct wb_key *key;	   /* of one key's history; NULL: all */
	const struct wb_version **changes; /* newest commit first */
	size_t at;
};

static const char *command_of(const struct wb_version *version)
{
	return version->actor.command ? version->actor.command : "";
}

static bool same_version(const struct wb_version *a, const struct wb_version *b)
{
	return same_key(&a->record.key, &b->record.key) &&
	       same_bytes(a->record.value, b->record.value) &&
	       a->record.revision == b->record.revision &&
	       a->record.time_ns == b->record.time_ns &&
	       a->previous_revision == b->previous_revision &&
	       a->deleted == b->deleted && a->actor.uid == b->actor.uid &&
	       a->actor.gid == b->actor.gid && a->actor.pid == b->actor.pid &&
	       strcmp(command_of(a), command_of(b)) == 0 &&
	       same_bytes(a->reason, b->reason) &&
	       same_bytes(a->operation_id, b->operation_id);
}

/* Passes over what is not asked for. NULL: there is no more. */
static const struct wb_version *next_change(struct comparison *comparison)
{
	while (comparison->at < comparison->witness->count) {
		const struct wb_version *ours =
			comparison->changes[comparison->at++];

		if (!comparison->key ||
		    same_key(&ours->record.key, comparison->key))
			return ours;
	}
	return NULL;
}

static bool compare_version(void *context, const struct wb_version *version)
{
	struct comparison *comparison = context;
	const struct wb_version *ours = next_change(comparison);

	SAME(comparison->witness->seed, ours != NULL);
	SAME(comparison->witness->seed, same_version(ours, version));
	return true;
}

/* The newest commit first, and each commit's changes in their order. */
static void newest_first(const struct witness *witness,
			 const struct wb_version **changes)
{
	size_t end = witness->count, to = 0;

	while (end > 0) {
		const struct change *all = witness->changes;
		size_t start = end - 1;

		while (start > 0 &&
		       all[start - 1].version.record.revision ==
			       all[end - 1].version.record.revision)
			start--;
		for (size_t at = start; at < end; at++)
			changes[to++] = &all[at].version;
		end = start;
	}
}

static void compare_histories(const struct witness *witness,
			      struct wb_store *store)
{
	struct comparison comparison = {.witness = witness};

	comparison.changes =
		calloc(witness->count + 1, sizeof(*comparison.changes));
	ck_assert_ptr_nonnull(comparison.changes);
	newest_first(witness, comparison.changes);
	ck_ok(wb_log(store, 0, NULL, 0, 0, compare_version, &comparison));
	SAME(witness->seed, next_change(&comparison) == NULL);
	for (size_t at = 0; at < witness->count; at++) {
		const struct wb_version *last = &witness->changes[at].version;

		if (replay_find(witness->replay, &last->record.key)->revision !=
		    last->record.revision)
			continue;
		comparison.key = &last->record.key;
		comparison.at = 0;
		ck_ok(wb_history(store, &last->record.key, 0, 0,
				 compare_version, &comparison));
		SAME(witness->seed, next_change(&comparison) == NULL);
	}
	free(comparison.changes);
}

static bool get_again(void *context, const struct replay_version *version)
{
	static char value[1 << 16];
	struct wb_record record;

	ck_ok(wb_get(context, &version->key, value, sizeof(value), &record));
	ck_assert(same_bytes(record.value, version->value));
	ck_assert_uint_eq(record.revision, version->revision);
	ck_assert_int_eq(record.time_ns, version->time_ns);
	return true;
}

/* What the closed-over store answers, against what the files say. */
static void compare_answers(const struct witness *witness,
			    struct wb_store *store)
{
	struct wb_stat stat = {.size = sizeof(stat)};
	uint64_t seed = witness->seed;

	ck_ok(wb_store_stat(store, &stat));
	SAME(seed, stat.revision == witness->summary.head);
	SAME(seed, stat.records == replay_count(witness->replay));
	SAME(seed, stat.epoch == witness->summary.epoch);
	SAME(seed, memcmp(stat.uuid, witness->summary.uuid, 16) == 0);
	SAME(seed, listing_of(store) == witness->listings[stat.revision]);
	ck_ok(replay_each(witness->replay, get_again, store));
}

START_TEST(a_random_past_is_told_alike)
{
	unsigned histories = (unsigned)rounds(60, 300);
	uint64_t states = 0, versions = 0, segments = 0;

	for (uint64_t seed = first_seed(); histories-- > 0; seed++) {
		struct annals annals;
		struct witness witness;
		struct simdisk *now;

		annals_make(&annals, seed, 40 + (unsigned)(seed % 60));
		now = simdisk_crash(annals.shelf.disk,
				    (struct sim_crash){SIM_KEEP_ALL, 0});
		witness_read(&witness, now, seed);
		ck_assert_msg(witness.summary.findings[AUDIT_DAMAGE] == 0,
			      "seed %" PRIu64 ": %s", seed, witness.damage);
		compare_answers(&witness, annals.shelf.store);
		compare_histories(&witness, annals.shelf.store);
		for (uint64_t at = 0; at <= witness.summary.head; at++) {
			if (annals.listings[at] == 0 && at > 0)
				continue;
			SAME(seed, annals.listings[at] == witness.listings[at]);
			states++;
		}
		versions += witness.count;
		segments += witness.summary.segments;
		witness_release(&witness);
		simdisk_free(now);
		annals_release(&annals);
	}
	printf("count: witness states compared %" PRIu64 "\n", states);
	printf("count: witness versions compared %" PRIu64 "\n", versions);
	printf("count: witness segments read %" PRIu64 "\n", segments);
}
END_TEST

/* ---- damaged stores ---- */

/* ---- what the store says of them ---- */

struct answer {
	enum wb_error error;
	bool warned;
	struct wb_stat stat;
	uint64_t listing;
	struct wb_text text;
};

struct ear {
	bool warned;
};

static void hear(void *context, enum wb_severity severity, const char *line)
{
	struct ear *ear = context;

	(void)line;
	if (severity != WB_NOTE)
		ear->warned = true;
}

/* Opened, asked and left. */
static struct answer ask(struct simdisk *disk, uint32_t flags)
{
	struct answer answer = {.stat = {.size = sizeof(answer.stat)}};
	struct ear ear = {false};
	struct wb_open_options options = {
		.size = sizeof(options),
		.flags = flags,
		.segment_bytes = 16u << 10,
		.report = hear,
		.report_context = &ear,
	};
	struct wb_store *store;
	struct simenv env;

	simenv_init(&env, 99);
	answer.error = store_open_on(simdisk_dir(disk), &env.env, &options,
				     &store, &answer.text);
	answer.warned = ear.warned;
	if (!answer.error) {
		ck_ok(wb_store_stat(store, &answer.stat));
		answer.listing = listing_of(store);
		store_abandon(store);
	}
	simenv_release(&env);
	return answer;
}

static enum wb_error expected_error(enum audit_verdict verdict)
{
	switch (verdict) {
	case AUDIT_NO_STORE:
		return WB_NOT_A_STORE;
	case AUDIT_REFUSED:
		return WB_UNSUPPORTED;
	case AUDIT_CORRUPT:
		return WB_CORRUPT;
	default:
		return WB_OK;
	}
}

/* Which answer differs; NULL: none. */
static const char *difference(const struct witness *witness,
			      const struct answer *answer)
{
	const struct audit_summary *summary = &witness->summary;

	if (answer->error != expected_error(summary->verdict))
		return "verdict";
	if (answer->error)
		return NULL;
	if (answer->stat.revision != summary->head)
		return "head";
	if (answer->listing != witness->listings[summary->head])
		return "state";
	if ((answer->stat.torn_bytes > 0) != (summary->verdict == AUDIT_TORN))
		return "torn";
	if (answer->warned != (summary->findings[AUDIT_WARNING] > 0))
		return "warning";
	return NULL;
}

struct tally {
	uint64_t images, refused, torn, warned, silent, mended, different;
};

/* And so must fsck, which looks at more. */
static const char *difference_checked(const struct witness *witness,
				      struct simdisk *disk)
{
	struct fsck_visitor visitor = {.context = NULL};
	struct dir *dir = simdisk_dir(disk);
	struct fsck_summary checked;

	ck_ok(audit_fsck(dir, &visitor, &checked));
	dir_close(dir);
	if (checked.log.verdict != witness->summary.verdict)
		return "fsck's verdict";
	for (unsigned at = AUDIT_WARNING; at <= AUDIT_DAMAGE; at++)
		if (checked.findings[at] != witness->summary.findings[at])
			return "what fsck found";
	return NULL;
}

/* A writer must say the same, and leave what has nothing wrong. */
static const char *difference_mended(const struct witness *witness,
				     struct simdisk *disk, uint64_t seed)
{
	struct simdisk *copy = simdisk_clone(disk);
	struct answer answer = ask(copy, 0);
	struct witness after;
	const char *differs = difference(witness, &answer);

	witness_read(&after, copy, seed);
	if (answer.error && after.summary.verdict != witness->summary.verdict)
		differs = "what was refused";
	if (!answer.error && after.summary.findings[AUDIT_DAMAGE] > 0)
		differs = "what was mended";
	if (!answer.error && after.summary.head != witness->summary.head)
		differs = "the head of what was mended";
	witness_release(&after);
	simdisk_free(copy);
	return differs;
}

static void judge(struct simdisk *disk, uint64_t seed, const char *damage,
		  struct tally *tally)
{
	struct witness witness;
	struct answer answer;
	const char *differs;

	witness_read(&witness, disk, seed);
	answer = ask(disk, WB_OPEN_READ_ONLY);
	differs = difference(&witness, &answer);
	if (!differs)
		differs = difference_checked(&witness, disk);
	if (!differs && tally->images % 4 == 0) {
		differs = difference_mended(&witness, disk, seed);
		tally->mended++;
	}
	if (differs) {
		fprintf(stderr,
			"seed %" PRIu64 " %s: %s differs: verdict %d %s, "
			"store %s %s\n",
			seed, damage, differs, (int)witness.summary.verdict,
			witness.damage, wb_error_code(answer.error),
			answer.text.text);
		tally->different++;
	}
	tally->images++;
	if (witness.summary.verdict == AUDIT_CORRUPT)
		tally->refused++;
	else if (witness.summary.verdict == AUDIT_TORN)
		tally->torn++;
	else if (witness.summary.findings[AUDIT_WARNING] > 0)
		tally->warned++;
	else
		tally->silent++;
	witness_release(&witness);
}

static void judge_damaged(struct annals *annals, struct simdisk *end,
			  unsigned images, struct tally *tally)
{
	judge(end, annals->seed, "end", tally);
	while (images-- > 0) {
		struct simdisk *disk = simdisk_clone(end);
		const char *what =
			ruin_some(disk, annals->earlier, &annals->rng);

		judge(disk, annals->seed, what, tally);
		simdisk_free(disk);
	}
}

START_TEST(damage_is_told_alike)
{
	unsigned stores = (unsigned)rounds(40, 150);
	struct tally tally = {0};

	for (uint64_t seed = first_seed(); stores-- > 0; seed++) {
		struct annals annals;
		struct simdisk *end;

		annals_make(&annals, seed, 10 + (unsigned)(seed % 60));
		end = annals_end(&annals);
		judge_damaged(&annals, end, (unsigned)rounds(60, 200), &tally);
		simdisk_free(end);
		annals_release(&annals);
	}
	printf("count: witness images compared %" PRIu64 "\n", tally.images);
	printf("count: witness images opened for writing %" PRIu64 "\n",
	       tally.mended);
	printf("count: witness images refused %" PRIu64 "\n", tally.refused);
	printf("count: witness images torn %" PRIu64 "\n", tally.torn);
	printf("count: witness images warned of %" PRIu64 "\n", tally.warned);
	printf("count: witness images without a word %" PRIu64 "\n",
	       tally.silent);
	ck_assert_uint_eq(tally.different, 0);
}
END_TEST

/* ---- forged tails ---- */

/* From the end of the log on: real frames, fakes that claim much, and headers
 * of torn commits, whose fields are near those that matter. */
struct tail {
	struct simdisk *disk;
	struct rng *rng;
	char path[64];
	uint64_t end, head, at, file_bytes;
	uint64_t group; /* a place where one may have begun */
};

static uint64_t draw_place(const struct tail *tail)
{
	const uint64_t places[] = {
		0,
		8184,
		8192,
		tail->end - 8,
		tail->end,
		tail->end + 8,
		tail->at - 8,
		tail->at,
		tail->at + 8,
		tail->group,
		tail->end + 12,
		tail->end + 512,
	};

	return places[rng_below(tail->rng, sizeof(places) / sizeof(*places))];
}

static struct forged_frame draw_frame(const struct tail *tail)
{
	struct rng *rng = tail->rng;
	struct forged_frame frame = {
		.type = (uint8_t)(1 + rng_below(rng, 2)),
		.version = rng_chance(rng, 1, 30) ? 2 : 1,
		.revision = tail->head + rng_below(rng, 4),
		.durable_revision = tail->head + rng_below(rng, 3),
		.durable_bytes = draw_place(tail),
	};

	if (rng_chance(rng, 1, 8))
		frame.type = (uint8_t)rng_below(rng, 8);
	if (rng_chance(rng, 1, 10))
		frame.revision += rng_below(rng, 40);
	if (rng_chance(rng, 1, 10))
		frame.revision = tail->head - 1;
	frame.frame_bytes = (uint32_t)(48 + 8 * rng_below(rng, 20));
	if (frame.type != AUDIT_MARK && frame.type != AUDIT_CLOSE)
		frame.payload_bytes = frame.frame_bytes - 48;
	return frame;
}

static uint64_t put_real(struct tail *tail)
{
	struct forged_frame frame = draw_frame(tail);

	forge_new_frame(tail->disk, tail->path, tail->at, &frame);
	return frame.frame_bytes;
}

/* Some, one after the other, each of which claims the rest of the file. */
static uint64_t put_fakes(struct tail *tail)
{
	uint64_t count = 1 + rng_below(tail->rng, 60);
	struct forged_frame frame = draw_frame(tail);

	frame.type = AUDIT_COMMIT;
	for (uint64_t number = 0; number < count; number++) {
		uint64_t at = tail->at + number * 48;

		if (tail->file_bytes < at + 48)
			break;
		frame.frame_bytes = (uint32_t)(tail->file_bytes - at) / 8 * 8;
		frame.payload_bytes = frame.frame_bytes - 48;
		forge_fake_frame(tail->disk, tail->path, at, &frame);
	}
	return count * 48;
}

static uint64_t put_torn(struct tail *tail)
{
	struct forged_frame frame = {
		.type = AUDIT_COMMIT,
		.version = 1,
		.frame_bytes = (uint32_t)(48 + 8 * rng_below(tail->rng, 900)),
		.revision = tail->head + 1,
		.durable_revision = tail->head,
		.durable_bytes = tail->end,
	};

	frame.payload_bytes = frame.frame_bytes - 48;
	if (tail->at > tail->end)
		frame.revision++;
	forge_fake_frame(tail->disk, tail->path, tail->at, &frame);
	tail->group = tail->at;
	return rng_chance(tail->rng, 1, 2) ? frame.frame_bytes : 64;
}

static uint64_t put_junk(struct tail *tail)
{
	uint8_t junk[64];

	rng_fill(tail->rng, junk, sizeof(junk));
	simdisk_set(tail->disk, tail->path, junk, sizeof(junk), tail->at);
	return sizeof(junk) + 8 * rng_below(tail->rng, 20);
}

static void put_piece(struct tail *tail)
{
	switch (rng_below(tail->rng, 6)) {
	case 0:
		tail->at += put_real(tail);
		break;
	case 1:
	case 2:
		tail->at += put_fakes(tail);
		break;
	case 3:
		tail->at += put_torn(tail);
		break;
	default:
		tail->at += put_junk(tail);
	}
}

static void forge_tail(struct simdisk *disk, struct rng *rng,
		       const struct audit_summary *summary)
{
	struct tail tail = {
		.disk = disk,
		.rng = rng,
		.end = summary->end,
		.head = summary->head,
		.at = summary->end,
		.file_bytes = summary->end + 12000,
		.group = summary->end,
	};

	snprintf(tail.path, sizeof(tail.path), "%016" PRIx64 ".log",
		 summary->active_id);
	simdisk_resize(disk, tail.path, summary->end);
	simdisk_resize(disk, tail.path, tail.file_bytes);
	/* What verifies at the end is a frame of the log. */
	if (rng_chance(rng, 1, 2))
		tail.at += put_torn(&tail);
	else if (rng_chance(rng, 2, 3))
		tail.at += put_junk(&tail);
	while (rng_chance(rng, 5, 6) && tail.at + 1024 < tail.file_bytes)
		put_piece(&tail);
}

START_TEST(a_forged_tail_is_told_alike)
{
	unsigned stores = (unsigned)rounds(30, 150);
	struct tally tally = {0};

	for (uint64_t seed = first_seed(); stores-- > 0; seed++) {
		unsigned images = (unsigned)rounds(60, 200);
		struct annals annals;
		struct witness whole;
		struct simdisk *end;

		annals_make(&annals, seed, 10 + (unsigned)(seed % 20));
		end = annals_end(&annals);
		witness_read(&whole, end, seed);
		while (images-- > 0) {
			struct simdisk *disk = simdisk_clone(end);

			forge_tail(disk, &annals.rng, &whole.summary);
			judge(disk, seed, "forged tail", &tally);
			simdisk_free(disk);
		}
		witness_release(&whole);
		simdisk_free(end);
		annals_release(&annals);
	}
	printf("count: witness tails compared %" PRIu64 "\n", tally.images);
	printf("count: witness tails refused %" PRIu64 "\n", tally.refused);
	printf("count: witness tails torn %" PRIu64 "\n", tally.torn);
	ck_assert_uint_gt(tally.refused, tally.images / 10);
	ck_assert_uint_gt(tally.torn, tally.images / 10);
	ck_assert_uint_eq(tally.different, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("witness");
	TCase *tcase = tcase_create("core");

	tcase_set_timeout(tcase, 280);
	tcase_add_test(tcase, a_random_past_is_told_alike);
	tcase_add_test(tcase, damage_is_told_alike);
	tcase_add_test(tcase, a_forged_tail_is_told_alike);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
