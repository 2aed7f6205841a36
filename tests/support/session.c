/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/session.h"

#include <inttypes.h>

enum { GROUPS = 7, FILL_BYTES = 1500 };

static const char check_errors[] = "a failure is told, by its own error";
static const char check_stays[] = "a store that stopped stays stopped";

static struct complaint *complaint_of(struct session *session)
{
	return &session->work.context.complaint;
}

static bool ok(const struct session *session)
{
	return work_ok(&session->work);
}

static bool is_expected(const struct session *session, enum wb_error error)
{
	for (size_t at = 0; at < 3; at++)
		if (session->expected[at] && error == session->expected[at])
			return true;
	return error == WB_OUTCOME_UNKNOWN || error == WB_STOPPED;
}

/* Note a result. True: it was WB_OK. */
static bool took(struct session *session, const char *what, enum wb_error error)
{
	if (!error)
		return true;
	session->refused++;
	session->in_doubt += error == WB_OUTCOME_UNKNOWN;
	if (!is_expected(session, error))
		(void)complain_of(complaint_of(session), check_errors, "%s: %s",
				  what, wb_error_text(error));
	return false;
}

/* ---- open ---- */

/* Twice, for a failure that comes once; leaves no store where it fails. */
static void open_again(struct session *session, uint32_t flags)
{
	struct workload *work = &session->work;
	uint64_t revision;

	for (int tries = 0; tries < 2 && !work->store && ok(session); tries++)
		(void)took(session, "opening", work_open(work, flags));
	if (!work->store)
		return;
	work->created = true;
	if (oracle_revision(work->store, work->oracle.acked,
			    work->oracle.staged, complaint_of(session),
			    &revision))
		oracle_cut(&work->oracle, revision);
}

static void kill_and_open(struct session *session)
{
	store_abandon(session->work.store);
	session->work.store = NULL;
	open_again(session, 0);
}

/* ---- what goes on while nothing can be written ---- */

/* Reads go on, and see what is durable. */
static void read_everything(struct session *session)
{
	struct workload *work = &session->work;

	if (work->store && ok(session))
		(void)took(session, "reading",
			   oracle_compare(&work->oracle, work->store,
					  work->oracle.acked, false, &work->rng,
					  complaint_of(session)));
}

/* In doubt: the store must refuse from now on, and reads go on. */
static void doubt(struct session *session)
{
	struct workload *work = &session->work;
	enum wb_error error = oracle_probe(work->store);

	if (error != WB_STOPPED && !is_expected(session, error))
		(void)complain_of(complaint_of(session), check_stays,
				  "a commit after it: %s",
				  wb_error_text(error));
	if (!error)
		(void)complain_of(complaint_of(session), check_stays,
				  "a commit after it was taken");
	read_everything(session);
	kill_and_open(session);
}

static void handle(struct session *session, enum wb_error error)
{
	if (error == WB_OUTCOME_UNKNOWN || error == WB_STOPPED)
		doubt(session);
	else
		oracle_void(&session->work.oracle);
}

/* ---- writing ---- */

/* A group of commits. */
static void commit(struct session *session, size_t commits, size_t value_bytes)
{
	struct workload *work = &session->work;
	struct store_ticket ticket = {0};
	enum wb_error error, waited;

	if (!work->store || !ok(session))
		return;
	/* Where staging fails, what was staged before is still on its way. */
	error = work_stage(work, commits, value_bytes, &ticket);
	(void)took(session, "staging", error);
	waited = store_wait(work->store, &ticket);
	if (took(session, "committing", waited))
		oracle_ack(&work->oracle);
	else
		handle(session, waited);
	if (!waited && error == WB_STOPPED)
		handle(session, error);
}

static void mark(struct session *session)
{
	enum wb_error error;

	if (!session->work.store || !ok(session))
		return;
	error = wb_store_mark(session->work.store);
	if (!took(session, "a mark", error) &&
	    (error == WB_OUTCOME_UNKNOWN || error == WB_STOPPED))
		doubt(session);
}

/* ---- reading inside an Update, and the rest of the interface ---- */

static bool count_record(void *context, const struct wb_record *record)
{
	unsigned *count = context;

	*count += record->key.kind == WB_KIND_IMAGE;
	return true;
}

static enum wb_error list_and_put(void *context, struct wb_txn *txn)
{
	const struct wb_bytes none = {.size = 0}, ns = {"default", 7};
	const struct wb_key key = {64, {"", 0}, {"listed", 6}};
	struct wb_record record;
	uint8_t buffer[16];
	enum wb_error error;

	error = wb_txn_list(txn, WB_KIND_IMAGE, ns, none, none, count_record,
			    context);
	if (!error)
		error = wb_txn_put(txn, &key, (struct wb_bytes){"x", 1},
				   (struct wb_precondition){.kind = WB_IF_ANY});
	if (!error)
		error = wb_txn_get(txn, &key, buffer, sizeof(buffer), &record);
	/* Aborted, so that the oracle need not know of it. */
	return error ? error : WB_CANCELLED;
}

static bool count_ns(void *context, struct wb_bytes ns)
{
	(void)ns;
	++*(unsigned *)context;
	return true;
}

static enum wb_error list_namespaces(void *context, struct wb_view *view)
{
	return wb_view_namespaces(view, WB_KIND_IMAGE, count_ns, context);
}

static bool count_version(void *context, const struct wb_version *version)
{
	(void)version;
	++*(unsigned *)context;
	return true;
}

static bool count_file(void *context, const struct wb_file_stat *file)
{
	(void)file;
	++*(unsigned *)context;
	return true;
}

static void use_the_rest(struct session *session)
{
	struct wb_stat stat = {.size = sizeof(stat)};
	struct workload *work = &session->work;
	struct wb_key key = oracle_key(3);
	unsigned count = 0;
	uint64_t revision;
	enum wb_error error;

	if (!work->store || !ok(session))
		return;
	error = wb_update(work->store, NULL, list_and_put, &count, NULL);
	if (error != WB_CANCELLED)
		(void)took(session, "an Update", error);
	(void)took(session, "namespaces",
		   wb_view(work->store, list_namespaces, &count));
	(void)took(session, "history",
		   wb_history(work->store, &key, 0, 0, count_version, &count));
	(void)took(session, "a point in time",
		   wb_revision_at(work->store, INT64_MAX, &revision));
	(void)took(session, "files",
		   wb_store_files(work->store, count_file, &count));
	(void)took(session, "numbers", wb_store_stat(work->store, &stat));
}

/* ---- the whole ---- */

static void close_and_open(struct session *session)
{
	struct workload *work = &session->work;

	if (!work->store || !ok(session))
		return;
	(void)took(session, "closing", wb_store_close(work->store));
	work->store = NULL;
	open_again(session, 0);
}

void session_run(struct session *session)
{
	struct workload *work = &session->work;

	open_again(session, WB_OPEN_CREATE);
	for (int group = 0; group < GROUPS; group++)
		commit(session, 1 + (size_t)group % 3, FILL_BYTES);
	read_everything(session);
	mark(session);
	use_the_rest(session);
	close_and_open(session);
	for (int group = 0; group < GROUPS; group++) {
		commit(session, 1 + (size_t)group % 3, FILL_BYTES);
		/* The anchor becomes due. */
		simenv_advance(&work->env, INT64_C(400000000));
	}
	if (work->store && ok(session))
		kill_and_open(session);
	commit(session, 2, 100);
	read_everything(session);
	if (work->store && ok(session)) {
		(void)took(session, "closing", wb_store_close(work->store));
		work->store = NULL;
	}
}

bool session_settle(struct session *session)
{
	const struct sim_crash nothing = {SIM_KEEP_NOTHING, 0};
	struct workload *work = &session->work;
	struct simdisk *image;

	if (!ok(session))
		return false;
	store_abandon(work->store);
	work->store = NULL;
	if (!work->created && !work_create(work))
		return false;
	if (!work->store && !work_reopen(work))
		return false;
	if (!work_check(work) || !work_commit(work, 1, 100) ||
	    !work_check(work) || !work_close(work) || !work_check(work))
		return false;
	store_abandon(work->store);
	work->store = NULL;
	image = simdisk_crash(work->disk, nothing);
	simdisk_free(work->disk);
	work->disk = image;
	return work_reopen(work) && work_check(work);
}
