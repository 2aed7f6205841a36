/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/session.h"

#include "tools/image_json.h"
#include "tools/interrupt.h"
#include "tools/progress.h"
#include "tools/timepoint.h"
#include "tools/wording.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *variable(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

static enum wb_error choose_namespace(struct session *session)
{
	const struct command *command = session->arguments.command;

	session->ns = session_option(session, OPTION_NAMESPACE)->text;
	if (!session->ns && !command->without_names)
		session->ns = variable("WAYBILL_NAMESPACE");
	if (!session->ns && !command->without_names)
		session->ns = variable("CONTAINERD_NAMESPACE");
	if (!session->ns)
		session->ns = "default";
	/* The interface's words. There it is a precondition, for a call can
	 * come without one; here it was given, and is bad. */
	if (!*session->ns)
		return fail(&session->text, WB_BAD_INPUT,
			    "namespace is required");
	return wb_namespace_validate(session->ns, &session->text);
}

enum wb_error session_prepare(struct session *session)
{
	struct surroundings surroundings;
	enum wb_error error;

	session->json = session_option(session, OPTION_JSON)->given;
	session->raw = session_option(session, OPTION_RAW)->given;
	session->line_end = '\n';
	session->quiet = session_option(session, OPTION_QUIET)->given;
	if (session_option(session, OPTION_NULL)->given) {
		session->quiet = true;
		session->line_end = '\0';
	}
	if (session->json && session->line_end == '\0')
		return fail(&session->text, WB_USAGE,
			    "--json and -0 exclude each other");
	error = choose_namespace(session);
	if (error)
		return error;
	surroundings_of_process(&surroundings);
	return address_choose(session_option(session, OPTION_STORE)->text,
			      &surroundings, &session->scratch,
			      &session->address, &session->text);
}

/* The directories above a default store: nobody chose that place, so nobody
 * can be expected to have made it. */
static enum wb_error make_parents(struct session *session, const char *path)
{
	char *copy = scratch_copy(&session->scratch, path, strlen(path));

	if (!copy)
		return fail(&session->text, WB_NO_MEMORY, "out of memory");
	for (char *at = strchr(copy + 1, '/'); at; at = strchr(at + 1, '/')) {
		*at = '\0';
		if (mkdir(copy, 0700) != 0 && errno != EEXIST)
			return fail_errno(&session->text, errno, copy);
		*at = '/';
	}
	return WB_OK;
}

/* The library reports damage as it finds it, and the error that follows tells
 * the same; one line is enough. So the first report waits until the error is
 * known (session_complain). */
void session_report(void *context, enum wb_severity severity, const char *line)
{
	struct session *session = context;

	if (severity == WB_DAMAGE && !*session->damage.text)
		snprintf(session->damage.text, sizeof(session->damage.text),
			 "%s", line);
	else
		complain_report(&session->complainer, severity, line);
}

void session_complain(struct session *session, enum wb_error error)
{
	const char *message =
		*session->text.text ? session->text.text : wb_error_text(error);

	if (*session->damage.text &&
	    (!error || !strstr(message, session->damage.text)))
		complain_report(&session->complainer, WB_DAMAGE,
				session->damage.text);
	if (error && !session->answered_no)
		complain_error(&session->complainer,
			       &(struct complaint){
				       .error = error,
				       .message = message,
				       .current = session->current_known
							  ? &session->current
							  : NULL,
				       .line = session->failed_line,
			       });
}

/* Is there nothing in it but what mkfs makes? */
static bool is_empty(DIR *directory)
{
	const struct dirent *entry;

	while ((entry = readdir(directory)))
		if (strcmp(entry->d_name, ".") != 0 &&
		    strcmp(entry->d_name, "..") != 0 &&
		    strcmp(entry->d_name, "lost+found") != 0)
			return false;
	return true;
}

/* The directory above, where that of the store can be made. */
static bool parent_is_ready(const char *path)
{
	char *copy = strdup(path);
	struct stat status;
	bool ready;

	if (!copy)
		return false;
	path = dirname(copy);
	ready = stat(path, &status) == 0 && S_ISDIR(status.st_mode) &&
		faccessat(AT_FDCWD, path, W_OK | X_OK, AT_EACCESS) == 0;
	free(copy);
	return ready;
}

bool session_can_create(const struct session *session)
{
	const char *path = session->address.path;
	DIR *directory = opendir(path);
	struct stat status;
	bool can;

	if (directory) {
		can = is_empty(directory) &&
		      faccessat(AT_FDCWD, path, W_OK | X_OK, AT_EACCESS) == 0;
		closedir(directory);
		return can;
	}
	return lstat(path, &status) != 0 && errno == ENOENT &&
	       (session->address.is_default || parent_is_ready(path));
}

enum wb_error session_explain(struct session *session, enum access access,
			      enum wb_error error, const struct wb_text *inner)
{
	const char *path = session->address.path;
	bool named = strncmp(inner->text, path, strlen(path)) == 0;
	const char *advice = "";

	if (error == WB_NOT_A_STORE && access != ACCESS_CREATE)
		return fail(&session->text, error,
			    "dir:%s: no waybill store is there%s", path,
			    session_can_create(session)
				    ? "; the first put makes one"
				    : "");
	if (error == WB_NOT_A_STORE && path[0] == '~')
		advice = "; ~ is a shell's, and only where it is not quoted";
	if (error == WB_LOCKED)
		advice = "; if that is a daemon, use --store unix:SOCKET";
	if (error == WB_UNSUPPORTED && named) /* not the format, the place */
		advice = "; --any-filesystem accepts it";
	return fail(&session->text, error, "dir:%s%s%s%s", named ? "" : path,
		    named ? "" : ": ", inner->text, advice);
}

/* Where it is, and what it is opened with; with the directories above. */
static enum wb_error prepare_directory(struct session *session,
				       enum access access,
				       struct wb_open_options *ret_options)
{
	const char *path = session->address.path;

	*ret_options = (struct wb_open_options){
		.size = sizeof(*ret_options),
		.flags = access == ACCESS_READ	   ? WB_OPEN_READ_ONLY
			 : access == ACCESS_CREATE ? WB_OPEN_CREATE
						   : 0,
		.report = session_report,
		.report_context = session,
	};
	/* With a path so long no sentence about it would have an end. */
	if (strlen(path) >= PATH_MAX)
		return fail(&session->text, WB_USAGE,
			    "the store's path is longer than %d bytes",
			    PATH_MAX - 1);
	if (session_option(session, OPTION_ANY_FILESYSTEM)->given)
		ret_options->flags |= WB_OPEN_ANY_FILESYSTEM;
	if (access == ACCESS_CREATE && session->address.is_default)
		return make_parents(session, path);
	return WB_OK;
}

static enum wb_error open_directory(struct session *session, enum access access)
{
	const char *path = session->address.path;
	struct wb_open_options options;
	struct wb_text inner = {""};
	enum wb_error error = prepare_directory(session, access, &options);

	if (error)
		return error;
	error = wb_store_open(path, &options, &session->store, &inner);
	return error ? session_explain(session, access, error, &inner)
		     : wb_images_local(session->store, &session->images);
}

static enum wb_error open_socket(struct session *session)
{
	const char *path = session->address.path;
	enum wb_error error = address_probe(path, &session->text);

	if (error)
		return error;
	return fail(&session->text, WB_UNAVAILABLE,
		    "a daemon answers at unix:%s, but this build of waybill "
		    "opens directories only: --store dir:PATH",
		    path);
}

enum wb_error session_directory(struct session *session, const char **ret_path,
				struct wb_audit_options *ret_options)
{
	struct wb_audit_options options = {
		.size = sizeof(options),
		.threads = 2,
		.report = session_report,
		.report_context = session,
		.progress = progress_take,
	};

	if (session->address.kind == ADDRESS_SOCKET)
		return open_socket(session);
	if (session_option(session, OPTION_ANY_FILESYSTEM)->given)
		options.flags |= WB_OPEN_ANY_FILESYSTEM;
	*ret_path = session->address.path;
	*ret_options = options;
	return WB_OK;
}

enum wb_error session_place(struct session *session, enum access access,
			    const char **ret_path,
			    struct wb_open_options *ret_options)
{
	if (session->address.kind == ADDRESS_SOCKET)
		return open_socket(session);
	*ret_path = session->address.path;
	return prepare_directory(session, access, ret_options);
}

enum wb_error session_open(struct session *session, enum access access)
{
	enum wb_error error;

	if (session->address.kind == ADDRESS_SOCKET)
		return open_socket(session);
	if (access != ACCESS_READ)
		interrupt_hold();
	error = open_directory(session, access);
	if (!error && access != ACCESS_READ && interrupt_seen())
		error = fail(&session->text, WB_CANCELLED,
			     "interrupted, nothing was changed");
	return error;
}

void session_close(struct session *session)
{
	enum wb_error error = WB_OK;

	progress_end();
	if (session->images)
		session->images->ops->close(session->images);
	if (session->store)
		error = wb_store_close(session->store);
	session->images = NULL;
	session->store = NULL;
	interrupt_release(session->changed_revision != 0);
	if (error && session->changed_revision)
		complain(&session->complainer, WB_WARNING,
			 "the change is durable, but the store was not closed "
			 "cleanly: %s",
			 wb_error_text(error));
}

void session_release(struct session *session)
{
	session_close(session);
	wb_image_free(session->current);
	session->current = NULL;
	output_release(&session->output);
	scratch_release(&session->scratch);
}

enum wb_error session_name(struct session *session, const char *operand,
			   const char **ret_name)
{
	char *name;
	enum wb_error error;

	if (session->raw) {
		*ret_name = operand;
		return WB_OK;
	}
	error = wb_reference_normalise(operand, &name, &session->text);
	if (error && timepoint_find(operand)) {
		struct wb_text inner = session->text;

		return fail(&session->text, error,
			    "%s; only `waybill show` and `waybill diff` take "
			    "@{…}",
			    inner.text);
	}
	if (error)
		return error;
	if (!scratch_adopt(&session->scratch, name, free))
		return fail(&session->text, WB_NO_MEMORY, "out of memory");
	*ret_name = name;
	return WB_OK;
}

/* An ill-formed digest equals none, and that is worth saying. */
static enum wb_error check_digest(struct session *session, const char *digest)
{
	const struct wb_image probe = {
		.name = "probe",
		.target = {.media_type = "probe", .digest = digest, .size = 1},
	};
	enum wb_error error = wb_image_validate(&probe, &session->text);

	return error ? fail_where(&session->text, error, "--if-digest") : WB_OK;
}

enum wb_error session_condition(struct session *session,
				struct wb_condition *ret_condition)
{
	static const struct {
		enum option_id option;
		enum wb_condition_kind kind;
	} table[] = {{OPTION_IF_ABSENT, WB_WHEN_ABSENT},
		     {OPTION_IF_PRESENT, WB_WHEN_PRESENT},
		     {OPTION_IF_REVISION, WB_WHEN_REVISION},
		     {OPTION_IF_DIGEST, WB_WHEN_DIGEST}};
	struct wb_condition condition = {.kind = WB_WHEN_ANY};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		const struct option_value *value =
			session_option(session, table[i].option);

		if (!value->given)
			continue;
		if (condition.kind != WB_WHEN_ANY)
			return fail(&session->text, WB_USAGE,
				    "of --if-absent, --if-present, "
				    "--if-revision and --if-digest only one "
				    "can be given");
		condition.kind = table[i].kind;
		condition.revision = value->number;
		condition.digest = value->text;
	}
	*ret_condition = condition;
	return condition.kind == WB_WHEN_DIGEST
		       ? check_digest(session, condition.digest)
		       : WB_OK;
}

static enum wb_error check_text(struct session *session, const char *option,
				const char *text, size_t bytes_max)
{
	if (text && strlen(text) > bytes_max)
		return fail(&session->text, WB_TOO_LARGE,
			    "--%s: more than %zu bytes", option, bytes_max);
	if (text && !utf8_valid(text))
		return fail(&session->text, WB_BAD_INPUT, "--%s: not UTF-8",
			    option);
	return WB_OK;
}

enum wb_error session_call(struct session *session, struct wb_call *ret_call)
{
	struct wb_call call = {
		.size = sizeof(call),
		.ns = session->ns,
		.actor = &session->actor,
		.reason = session_option(session, OPTION_REASON)->text,
		.operation_id =
			session_option(session, OPTION_OPERATION_ID)->text,
	};
	enum wb_error error =
		check_text(session, "reason", call.reason, WB_REASON_BYTES_MAX);

	session->actor = (struct wb_actor){
		.uid = getuid(),
		.gid = getgid(),
		.pid = getpid(),
		.command = scratch_format(&session->scratch, "waybill %s",
					  session->arguments.command->name),
	};
	if (!error)
		error = check_text(session, "operation-id", call.operation_id,
				   WB_OPERATION_ID_BYTES_MAX);
	if (!error && call.operation_id && !*call.operation_id)
		error = fail(&session->text, WB_BAD_INPUT,
			     "--operation-id: empty");
	if (!error)
		*ret_call = call;
	return error;
}

static void tell_change(struct session *session,
			const struct wb_outcome *outcome,
			const struct wb_image *image, const char *name,
			const char *done)
{
	struct output *output = &session->output;

	if (session->json) {
		json_t *json = json_object();

		json_field(&json, "revision", number_json(outcome->revision));
		json_field(&json, "replayed", json_boolean(outcome->replayed));
		json_field(&json, "image",
			   image ? image_json(image) : json_null());
		output_json(output, json);
		return;
	}
	if (session->quiet)
		return;
	output_plain(output, name);
	output_format(output, ": %s%s at revision %llu\n",
		      outcome->replayed ? "already " : "", done,
		      (unsigned long long)outcome->revision);
}

enum wb_error session_wrote(struct session *session, enum wb_error error,
			    const struct wb_outcome *outcome,
			    struct wb_image *image, const char *name,
			    const char *done)
{
	char where[256];

	if (error == WB_PRECONDITION) {
		session->current_known = true;
		session->current = image;
	}
	if (error == WB_NO_SPACE || error == WB_IO || error == WB_STOPPED ||
	    error == WB_OUTCOME_UNKNOWN) {
		snprintf(where, sizeof(where), "dir:%s", session->address.path);
		return fail_where(&session->text, error, where);
	}
	if (error)
		return error;
	session->changed_revision = outcome->revision;
	tell_change(session, outcome, image, name, done);
	wb_image_free(image);
	return WB_OK;
}
