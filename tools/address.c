/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/address.h"

#include "tools/wording.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum wb_error address_parse(const char *text, struct address *ret_address,
			    struct wb_text *ret_text)
{
	struct address address = {.kind = ADDRESS_DIRECTORY};

	if (strncmp(text, "dir:", 4) == 0) {
		address.path = text + 4;
	} else if (strncmp(text, "unix:", 5) == 0) {
		address.kind = ADDRESS_SOCKET;
		address.path = text + 5;
	} else {
		return fail(ret_text, WB_USAGE,
			    "store \"%s\": an address is dir:PATH or "
			    "unix:SOCKET%s%s%s",
			    text, *text ? "; did you mean dir:" : "", text,
			    *text ? "?" : "");
	}
	if (!*address.path)
		return fail(ret_text, WB_USAGE, "store \"%s\": no path", text);
	*ret_address = address;
	return WB_OK;
}

/* The XDG rules: a relative path there is as if it was not set. */
static const char *absolute(const char *path)
{
	return path && path[0] == '/' ? path : NULL;
}

enum wb_error address_choose(const char *given,
			     const struct surroundings *surroundings,
			     struct scratch *scratch,
			     struct address *ret_address,
			     struct wb_text *ret_text)
{
	const char *runtime = absolute(surroundings->xdg_runtime_dir);
	const char *state = absolute(surroundings->xdg_state_home);
	const char *home = absolute(surroundings->home);
	const char *path = NULL;

	if (given)
		return address_parse(given, ret_address, ret_text);
	if (surroundings->waybill_store)
		return address_parse(surroundings->waybill_store, ret_address,
				     ret_text);

	if (surroundings->root)
		path = "/run/waybill/waybill.sock";
	else if (runtime &&
		 !(path = scratch_format(scratch, "%s/waybill/waybill.sock",
					 runtime)))
		return fail(ret_text, WB_NO_MEMORY, "out of memory");
	if (path && surroundings->exists(path)) {
		*ret_address = (struct address){ADDRESS_SOCKET, path, true};
		return WB_OK;
	}

	if (surroundings->root)
		path = "/var/lib/waybill";
	else if (state)
		path = scratch_format(scratch, "%s/waybill", state);
	else if (home)
		path = scratch_format(scratch, "%s/.local/state/waybill", home);
	else
		return fail(ret_text, WB_USAGE,
			    "no store: give --store dir:PATH, or set "
			    "WAYBILL_STORE, XDG_STATE_HOME or HOME");
	if (!path)
		return fail(ret_text, WB_NO_MEMORY, "out of memory");
	*ret_address = (struct address){ADDRESS_DIRECTORY, path, true};
	return WB_OK;
}

/* What cannot be looked at counts as there: see the head of address.h. */
static bool path_exists(const char *path)
{
	struct stat status;

	return lstat(path, &status) == 0 ||
	       (errno != ENOENT && errno != ENOTDIR);
}

static const char *variable(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

void surroundings_of_process(struct surroundings *ret_surroundings)
{
	*ret_surroundings = (struct surroundings){
		.root = geteuid() == 0,
		.waybill_store = variable("WAYBILL_STORE"),
		.xdg_runtime_dir = variable("XDG_RUNTIME_DIR"),
		.xdg_state_home = variable("XDG_STATE_HOME"),
		.home = variable("HOME"),
		.exists = path_exists,
	};
}

enum wb_error address_probe(const char *socket_path, struct wb_text *ret_text)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	int error_number = 0;
	int fd;

	if (strlen(socket_path) >= sizeof(name.sun_path))
		return fail(ret_text, WB_USAGE,
			    "unix:%s: longer than a socket's path may be",
			    socket_path);
	memcpy(name.sun_path, socket_path, strlen(socket_path) + 1);
	/* Non-blocking: a full backlog is an answer too. */
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return fail_errno(ret_text, errno, "socket");
	if (connect(fd, (const struct sockaddr *)&name, sizeof(name)) != 0)
		error_number = errno;
	close(fd);
	if (error_number == 0)
		return WB_OK;
	return fail(ret_text,
		    error_number == EACCES || error_number == EPERM
			    ? WB_PERMISSION
			    : WB_UNAVAILABLE,
		    "the daemon at unix:%s does not answer: %s", socket_path,
		    strerror(error_number));
}
