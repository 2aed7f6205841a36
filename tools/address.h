/* SPDX-License-Identifier: Apache-2.0
 *
 * Where the store is: `dir:PATH`, opened by this process, or `unix:SOCKET`,
 * asked of the daemon behind it.
 *
 * Unless an address was given, a socket that exists decides for the daemon,
 * even if nobody answers there: falling back to the directory would open
 * the store behind the back of a daemon that is only slow or starting.
 */
#ifndef WAYBILL_TOOLS_ADDRESS_H
#define WAYBILL_TOOLS_ADDRESS_H

#include "tools/scratch.h"

#include <stdbool.h>
#include <waybill/error.h>

enum address_kind { ADDRESS_DIRECTORY, ADDRESS_SOCKET };

struct address {
	enum address_kind kind;
	const char *path;
	bool is_default; /* nobody named it */
};

/* What the choice of a default depends on; unset and empty variables are
 * NULL. */
struct surroundings {
	bool root;
	const char *waybill_store;
	const char *xdg_runtime_dir;
	const char *xdg_state_home;
	const char *home;
	bool (*exists)(const char *path);
};

/* Reads an address; `ret_address->path` points into `text`. WB_USAGE. */
enum wb_error address_parse(const char *text, struct address *ret_address,
			    struct wb_text *ret_text);

/* `given` (NULL: none), $WAYBILL_STORE, the socket's place if something is
 * there, the directory's place. WB_USAGE where there is neither. */
enum wb_error address_choose(const char *given,
			     const struct surroundings *surroundings,
			     struct scratch *scratch,
			     struct address *ret_address,
			     struct wb_text *ret_text);

/* Those of this process. */
void surroundings_of_process(struct surroundings *ret_surroundings);

/* Is a daemon there? WB_OK: somebody accepts connections. Else
 * WB_UNAVAILABLE, WB_PERMISSION or WB_USAGE with a sentence. */
enum wb_error address_probe(const char *socket_path, struct wb_text *ret_text);

#endif
