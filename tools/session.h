/* SPDX-License-Identifier: Apache-2.0
 *
 * What a command works with: its arguments, its store, its output.
 *
 * A command first reads and checks all that it was given, then opens the
 * store, then makes its one call: a bad argument is found before anything is
 * touched.
 */
#ifndef WAYBILL_TOOLS_SESSION_H
#define WAYBILL_TOOLS_SESSION_H

#include "tools/address.h"
#include "tools/complain.h"
#include "tools/options.h"
#include "tools/output.h"
#include "tools/scratch.h"

#include <waybill/audit.h>
#include <waybill/images.h>

struct session {
	struct arguments arguments;
	struct scratch scratch;
	struct output output;
	struct complainer complainer;
	struct wb_text text;   /* of the error that a command returns */
	struct wb_text damage; /* first reported, held back: see session.c */
	struct wb_actor actor;
	struct address address;
	const char *ns;
	bool json;
	bool raw;
	bool quiet;
	char line_end; /* '\n', or with -0 '\0' */
	/* The answer itself says no (a deleted version): no complaint. */
	bool answered_no;
	uint64_t changed_revision; /* not 0: this change is durable */
	int status;		   /* the exit status where there is no error */
	struct wb_store *store;
	struct wb_images *images;
	bool current_known; /* with WB_PRECONDITION: */
	struct wb_image *current;
	size_t failed_line; /* of a plan that the error is about; 0: none */
};

/* Fills a session that is all zero but for .arguments, .scratch, .output and
 * .complainer: names, namespace and address. Nothing is opened. */
enum wb_error session_prepare(struct session *session);

enum access {
	ACCESS_READ,   /* the store stays as it is */
	ACCESS_CHANGE, /* there must be one */
	ACCESS_CREATE, /* one is made where there is none */
};
/* Opens `session->images`. WB_CANCELLED where a signal came meanwhile. */
enum wb_error session_open(struct session *session, enum access access);

/* For a command that reads the store's files itself: where they are, and what
 * such a call begins with. Nothing is opened; the options' report is
 * session_report, their progress that of tools/progress.h. WB_UNAVAILABLE, …:
 * they are behind a socket. */
enum wb_error session_directory(struct session *session, const char **ret_path,
				struct wb_audit_options *ret_options);
/* What the library said of that directory, opened for `access`, with its path
 * and with what a person can do about it. Returns `error`. */
enum wb_error session_explain(struct session *session, enum access access,
			      enum wb_error error, const struct wb_text *inner);
/* A wb_report_fn whose context is the session. Damage that is told first is
 * held back: the error that follows says the same. */
void session_report(void *session, enum wb_severity severity, const char *line);
/* For a command that makes a store by other means: the directory, and what it
 * is opened with. With ACCESS_CREATE those above a default one are made. */
enum wb_error session_place(struct session *session, enum access access,
			    const char **ret_path,
			    struct wb_open_options *ret_options);
/* Where it was WB_NOT_A_STORE: would ACCESS_CREATE have made one? As far as
 * can be told without making it. */
bool session_can_create(const struct session *session);

/* Closes what is open. After a change a failure is a warning, for what was
 * answered holds. */
void session_close(struct session *session);

/* Says what went wrong, if anything did, on standard error. */
void session_complain(struct session *session, enum wb_error error);

/* Frees all. */
void session_release(struct session *session);

static inline const struct option_value *session_option(
	const struct session *session, enum option_id id)
{
	return &session->arguments.values[id];
}

/* The name in operand `index`: normalised, or with --raw as it stands. */
enum wb_error session_name(struct session *session, const char *operand,
			   const char **ret_name);

/* The --if-… option that was given, if any; two are WB_USAGE. */
enum wb_error session_condition(struct session *session,
				struct wb_condition *ret_condition);

/* Namespace, reason and operation id, checked. */
enum wb_error session_call(struct session *session, struct wb_call *ret_call);

/* Takes what a call that wrote returned, and tells it: with --json
 * {"revision", "replayed", "image"}, else `name: done at revision 7`. Frees
 * `image`, or keeps it as the current one. Returns `error`. */
enum wb_error session_wrote(struct session *session, enum wb_error error,
			    const struct wb_outcome *outcome,
			    struct wb_image *image, const char *name,
			    const char *done);

#endif
