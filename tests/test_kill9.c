/* SPDX-License-Identifier: Apache-2.0
 *
 * Eight threads write to a real directory; the process is killed at a moment
 * that a seed chooses; another one opens the directory and looks. Again and
 * again, on the same store.
 *
 * A writer tells through a pipe what it is about to commit, and what was
 * acknowledged. What it writes follows from the seed, its number and a
 * counter, so the parent knows the contents from the number alone. Each
 * writer has keys of its own: after a kill they are as after its last
 * acknowledged commit, or as after the one that was unanswered, never in
 * between.
 *
 * A kill proves what the process does, not what the disk does; that is
 * test_crash's.
 */
#include "store/store.h"
#include "tests/support/hush.h"
#include "tests/support/rng.h"
#include "tests/support/suite.h"
#include "tests/support/tempdir.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	WRITERS = 8,
	SLOTS = 6, /* keys of a writer */
	CHANGES_MAX = 3,
	VALUE_BYTES_MAX = 3000,
	SEGMENT_BYTES = 16 << 10,
	CYCLES_A_STORE = 40,
	ACKS_MAX = 60,
	QUIET_MS = 60000, /* longer than this nothing may take */
};

/* ---- what is written ---- */

struct slot {
	uint64_t number; /* of the commit that wrote it; 0: not there */
	uint64_t revision;
};

/* A writer's keys, and how many commits it has made. */
struct shelf {
	struct slot slots[SLOTS];
	uint64_t number;
};

struct change {
	unsigned slot;
	bool deleted;
};

struct operation {
	unsigned count;
	struct change changes[CHANGES_MAX];
};

static uint64_t seed;

static struct rng rng_for(unsigned writer, uint64_t number, unsigned slot)
{
	uint64_t state = seed;

	state = splitmix64(&state) ^ writer;
	state = splitmix64(&state) ^ number;
	return rng_of(splitmix64(&state) ^ slot);
}

/* Commit `number` of a writer whose keys are as in `shelf`. */
static struct operation operation_of(const struct shelf *shelf, unsigned writer,
				     uint64_t number)
{
	struct rng rng = rng_for(writer, number, SLOTS);
	unsigned first = (unsigned)rng_below(&rng, SLOTS);
	struct operation operation = {
		.count = 1 + (unsigned)rng_below(&rng, CHANGES_MAX),
	};

	for (unsigned at = 0; at < operation.count; at++) {
		struct change *change = &operation.changes[at];

		change->slot = (first + at) % SLOTS;
		change->deleted = shelf->slots[change->slot].number &&
				  rng_chance(&rng, 1, 4);
	}
	return operation;
}

static size_t value_of(unsigned writer, uint64_t number, unsigned slot,
		       uint8_t value[VALUE_BYTES_MAX])
{
	struct rng rng = rng_for(writer, number, slot);
	size_t size = 1 + (size_t)rng_below(&rng, rng_chance(&rng, 1, 4)
							  ? VALUE_BYTES_MAX
							  : 200);

	rng_fill(&rng, value, size);
	return size;
}

static void shelf_apply(struct shelf *shelf, const struct operation *operation,
			uint64_t number, uint64_t revision)
{
	for (unsigned at = 0; at < operation->count; at++) {
		const struct change *change = &operation->changes[at];
		struct slot *slot = &shelf->slots[change->slot];

		*slot = (struct slot){0};
		if (!change->deleted)
			*slot = (struct slot){number, revision};
	}
	shelf->number = number;
}

static struct wb_key key_of(unsigned writer, unsigned slot, char name[16])
{
	int size = snprintf(name, 16, "w%u/%u", writer, slot);

	return (struct wb_key){64, {"", 0}, {name, (size_t)size}};
}

/* ---- the process that is killed ---- */

/* What a writer tells; shorter than PIPE_BUF, so it arrives whole. */
struct message {
	uint32_t writer;
	uint32_t acknowledged; /* else: about to be committed */
	uint64_t number;
	uint64_t revision;
};

struct writer {
	pthread_t thread;
	unsigned number;
	int pipe;
	struct wb_store *store;
	struct shelf shelf;
};

static void tell(const struct writer *writer, uint64_t number,
		 uint64_t revision)
{
	struct message message = {
		.writer = writer->number,
		.acknowledged = revision != 0,
		.number = number,
		.revision = revision,
	};

	if (write(writer->pipe, &message, sizeof(message)) != sizeof(message))
		_exit(3);
}

struct attempt {
	const struct writer *writer;
	const struct operation *operation;
	uint64_t number;
};

static enum wb_error make_changes(void *context, struct wb_txn *txn)
{
	const struct wb_precondition any = {.kind = WB_IF_ANY};
	const struct attempt *attempt = context;
	unsigned writer = attempt->writer->number;
	uint8_t value[VALUE_BYTES_MAX];
	enum wb_error error = WB_OK;
	char name[16];

	for (unsigned at = 0; at < attempt->operation->count && !error; at++) {
		const struct change *change = &attempt->operation->changes[at];
		struct wb_key key = key_of(writer, change->slot, name);
		size_t size =
			value_of(writer, attempt->number, change->slot, value);

		if (change->deleted)
			error = wb_txn_delete(txn, &key, any);
		else
			error = wb_txn_put(txn, &key,
					   (struct wb_bytes){value, size}, any);
	}
	return error;
}

static void *write_for_ever(void *context)
{
	struct writer *writer = context;

	for (;;) {
		uint64_t number = writer->shelf.number + 1;
		struct operation operation =
			operation_of(&writer->shelf, writer->number, number);
		struct attempt attempt = {writer, &operation, number};
		struct wb_outcome outcome;

		tell(writer, number, 0);
		if (wb_update(writer->store, NULL, make_changes, &attempt,
			      &outcome))
			_exit(4);
		tell(writer, number, outcome.revision);
		shelf_apply(&writer->shelf, &operation, number,
			    outcome.revision);
	}
}

static enum wb_error open_store(const char *path, struct wb_store **ret_store,
				struct wb_text *ret_text)
{
	const struct wb_open_options options = {
		.size = sizeof(options),
		.flags = WB_OPEN_CREATE | WB_OPEN_ANY_FILESYSTEM,
		.segment_bytes = SEGMENT_BYTES,
		.report = hush,
	};

	return wb_store_open(path, &options, ret_store, ret_text);
}

static void be_killed(const char *path, const struct shelf *shelves,
		      int to_parent)
{
	static struct writer writers[WRITERS];
	struct wb_store *store;

	if (open_store(path, &store, NULL))
		_exit(2);
	for (unsigned at = 0; at < WRITERS; at++) {
		writers[at] = (struct writer){.number = at,
					      .pipe = to_parent,
					      .store = store,
					      .shelf = shelves[at]};
		if (pthread_create(&writers[at].thread, NULL, write_for_ever,
				   &writers[at]))
			_exit(5);
	}
	for (;;)
		pause();
}

/* ---- the one that kills and looks ---- */

struct run {
	struct shelf shelves[WRITERS];
	uint64_t unanswered[WRITERS]; /* number of a commit; 0: none */
	uint64_t commits;	      /* that are there for sure */
	struct rng rng;
	uint64_t cycles, in_flight, kept, rotations, sealed;
	uint64_t acknowledged, during_open;
};

static void hear(struct run *run, const struct message *message)
{
	struct shelf *shelf = &run->shelves[message->writer];
	struct operation operation;

	ck_assert_uint_lt(message->writer, WRITERS);
	ck_assert_uint_eq(message->number, shelf->number + 1);
	run->unanswered[message->writer] =
		message->acknowledged ? 0 : message->number;
	if (!message->acknowledged)
		return;
	operation = operation_of(shelf, message->writer, message->number);
	shelf_apply(shelf, &operation, message->number, message->revision);
	run->commits++;
	run->acknowledged++;
}

/* Not a wait for anything: it moves the kill away from the moment at which
 * the pipe was read. */
static void linger(struct rng *rng, uint64_t ns_max)
{
	uint64_t ns = rng_below(rng, ns_max), passed;
	struct timespec from, now;

	clock_gettime(CLOCK_MONOTONIC, &from);
	do {
		clock_gettime(CLOCK_MONOTONIC, &now);
		passed = (uint64_t)(now.tv_sec - from.tv_sec) * 1000000000 +
			 (uint64_t)now.tv_nsec - (uint64_t)from.tv_nsec;
	} while (passed < ns);
}

/* Listen until so many were acknowledged. */
static void listen_for(struct run *run, int from_child, uint64_t acks)
{
	uint64_t until = run->acknowledged + acks;
	struct pollfd poll_for = {.fd = from_child, .events = POLLIN};
	struct message message;

	while (run->acknowledged < until) {
		ck_assert_msg(poll(&poll_for, 1, QUIET_MS) == 1,
			      "seed %" PRIu64 ": the writers are stuck", seed);
		ck_assert_msg(read(from_child, &message, sizeof(message)) ==
				      sizeof(message),
			      "seed %" PRIu64 ": the writers ended", seed);
		hear(run, &message);
	}
}

static void kill_once(struct run *run, const char *path)
{
	bool early = rng_chance(&run->rng, 1, 10);
	struct message message;
	int ends[2], status;
	pid_t child;

	memset(run->unanswered, 0, sizeof(run->unanswered));
	ck_assert_int_eq(pipe(ends), 0);
	fflush(NULL);
	child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		close(ends[0]);
		be_killed(path, run->shelves, ends[1]);
	}
	close(ends[1]);
	if (early) { /* while it opens, most likely */
		run->during_open++;
		linger(&run->rng, 8000000);
	} else {
		listen_for(run, ends[0], 1 + rng_below(&run->rng, ACKS_MAX));
		linger(&run->rng, 500000);
	}
	ck_assert_int_eq(kill(child, SIGKILL), 0);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL,
		      "seed %" PRIu64 ": the writers ended with status %d",
		      seed, status);
	while (read(ends[0], &message, sizeof(message)) == sizeof(message))
		hear(run, &message);
	close(ends[0]);
	run->cycles++;
}

/* ---- looking ---- */

static bool shelf_matches(struct wb_store *store, unsigned writer,
			  const struct shelf *shelf, uint64_t fresh,
			  uint64_t *revision_of_fresh)
{
	uint8_t expected[VALUE_BYTES_MAX], found[VALUE_BYTES_MAX];
	struct wb_record record;
	enum wb_error error;
	char name[16];

	for (unsigned at = 0; at < SLOTS; at++) {
		const struct slot *slot = &shelf->slots[at];
		struct wb_key key = key_of(writer, at, name);
		size_t size;

		error = wb_get(store, &key, found, sizeof(found), &record);
		if (error == WB_NOT_FOUND && slot->number == 0)
			continue;
		if (error || slot->number == 0)
			return false;
		size = value_of(writer, slot->number, at, expected);
		if (record.value.size != size ||
		    memcmp(found, expected, size) != 0)
			return false;
		/* Of the unanswered commit, all keys have one revision. */
		if (slot->number == fresh && *revision_of_fresh == 0)
			*revision_of_fresh = record.revision;
		if (record.revision != (slot->number == fresh
						? *revision_of_fresh
						: slot->revision))
			return false;
	}
	return true;
}

/* As acknowledged, or with the unanswered commit as a whole; else what is
 * wrong. */
static const char *check_writer(struct run *run, struct wb_store *store,
				unsigned writer)
{
	struct shelf *shelf = &run->shelves[writer];
	uint64_t number = run->unanswered[writer], revision = 0;
	struct operation operation;
	struct shelf with = *shelf;

	if (shelf_matches(store, writer, shelf, 0, &revision))
		return NULL;
	if (number == 0)
		return "something acknowledged is lost";
	operation = operation_of(shelf, writer, number);
	shelf_apply(&with, &operation, number, 0);
	if (!shelf_matches(store, writer, &with, number, &revision))
		return "something acknowledged is lost, or a commit is half "
		       "there";
	shelf_apply(shelf, &operation, number, revision);
	run->commits++;
	run->kept++;
	return NULL;
}

static bool count_sealed(void *context, const struct wb_file_stat *file)
{
	uint64_t *sealed = context;

	*sealed += strcmp(file->state, "sealed") == 0;
	return true;
}

struct walk {
	uint64_t commits;
	uint64_t last;
};

static bool count_commit(void *context, const struct wb_version *version)
{
	struct walk *walk = context;

	walk->commits += version->record.revision != walk->last;
	walk->last = version->record.revision;
	return true;
}

static void look(struct run *run, const char *path)
{
	struct wb_stat stat = {.size = sizeof(stat)};
	struct walk walk = {0};
	struct wb_store *store;
	struct wb_text text = {""};
	uint64_t sealed = 0;
	bool in_flight = false;
	enum wb_error error = open_store(path, &store, &text);

	ck_assert_msg(!error, "seed %" PRIu64 ", cycle %" PRIu64 ": %s (%s)",
		      seed, run->cycles, wb_error_text(error), text.text);
	for (unsigned at = 0; at < WRITERS; at++) {
		const char *wrong = check_writer(run, store, at);

		in_flight |= run->unanswered[at] != 0;
		ck_assert_msg(!wrong,
			      "seed %" PRIu64 ", cycle %" PRIu64
			      ", writer %u: %s",
			      seed, run->cycles, at, wrong);
	}
	run->in_flight += in_flight;
	ck_ok(wb_store_files(store, count_sealed, &sealed));
	run->rotations += sealed > run->sealed;
	run->sealed = sealed;
	/* No commit but those, and every one in the log. */
	ck_ok(wb_store_stat(store, &stat));
	ck_ok(wb_log(store, 0, NULL, 0, 0, count_commit, &walk));
	ck_assert_uint_eq(stat.revision, run->commits);
	ck_assert_uint_eq(walk.commits, run->commits);
	if (rng_chance(&run->rng, 1, 3))
		ck_ok(wb_store_close(store));
	else
		store_abandon(store);
}

START_TEST(fault_13_what_was_acknowledged_survives_kill_9)
{
	uint64_t cycles = rounds(200, 1000);
	struct run run = {.cycles = 0};

	seed = first_seed();
	run.rng = rng_of(seed);
	while (run.cycles < cycles) {
		char *path = tempdir_make();

		/* A new store: nothing is there. */
		memset(run.shelves, 0, sizeof(run.shelves));
		run.commits = run.sealed = 0;
		do {
			kill_once(&run, path);
			look(&run, path);
		} while (run.cycles % CYCLES_A_STORE && run.cycles < cycles);
		tempdir_remove(path);
	}
	printf("count: kill9 cycles %" PRIu64 "\n", run.cycles);
	printf("count: kill9 cycles with an unanswered commit %" PRIu64 "\n",
	       run.in_flight);
	printf("count: kill9 cycles with a rotation %" PRIu64 "\n",
	       run.rotations);
	printf("count: kill9 killed at once %" PRIu64 "\n", run.during_open);
	printf("count: kill9 commits acknowledged %" PRIu64 "\n",
	       run.acknowledged);
	printf("count: kill9 unanswered commits that were kept %" PRIu64 "\n",
	       run.kept);
	ck_assert_uint_ge(run.cycles, rounds(200, 1000));
	ck_assert_uint_ge(2 * run.in_flight, run.cycles);
	ck_assert_uint_ge(run.rotations, 10);
	ck_assert_uint_gt(run.kept, 0);
}
END_TEST

/* The checks above are asked about what they must not pass. */
START_TEST(a_loss_and_a_half_commit_are_seen)
{
	struct run run = {.rng = rng_of(1)}, told;
	struct operation operation = {.count = 1};
	char *path = tempdir_make();
	struct wb_store *store;
	unsigned writer = 0;

	seed = 1;
	for (int cycle = 0; cycle < 3; cycle++) {
		kill_once(&run, path);
		look(&run, path);
	}
	memset(run.unanswered, 0, sizeof(run.unanswered));
	ck_ok(open_store(path, &store, NULL));
	for (writer = 0; writer < WRITERS; writer++) {
		uint64_t number = run.shelves[writer].number;

		told = run;
		ck_assert_ptr_null(check_writer(&told, store, writer));
		/* One more was acknowledged, or so it is said. */
		operation =
			operation_of(&told.shelves[writer], writer, number + 1);
		shelf_apply(&told.shelves[writer], &operation, number + 1, 1);
		ck_assert_ptr_nonnull(check_writer(&told, store, writer));
		/* One key is of a commit that is otherwise not there. */
		told = run;
		told.shelves[writer].slots[0] = (struct slot){number + 2, 1};
		ck_assert_ptr_nonnull(check_writer(&told, store, writer));
	}
	store_abandon(store);
	tempdir_remove(path);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("kill9");
	TCase *tcase = tcase_create("kill9");

	tcase_set_timeout(tcase, 280);
	tcase_add_test(tcase, a_loss_and_a_half_commit_are_seen);
	tcase_add_test(tcase, fault_13_what_was_acknowledged_survives_kill_9);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
