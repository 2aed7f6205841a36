/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/ledger.h"

#include <assert.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Name, text. */
/* clang-format off */
#define STATEMENT_LIST(X)                                                     \
	X(ADD_KEY, "INSERT OR IGNORE INTO keys VALUES (?1)")                  \
	X(ADD, "INSERT INTO versions (key, revision, ordinal, previous, "     \
	       "time, deleted, value) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")   \
	X(CUT, "DELETE FROM versions WHERE revision > ?1")                    \
	X(CUT_OPERATIONS, "DELETE FROM operations WHERE revision > ?1")       \
	X(FIND, "SELECT key, revision, ordinal, previous, time, deleted, "    \
		"value FROM versions WHERE key = ?1 AND revision <= ?2 "      \
		"ORDER BY revision DESC LIMIT 1")                             \
	X(LIST, "SELECT v.key, v.revision, v.ordinal, v.previous, v.time, "   \
		"v.deleted, v.value FROM keys k JOIN versions v "             \
		"ON v.key = k.key AND v.revision = (SELECT max(revision) "    \
		"FROM versions WHERE key = k.key AND revision <= ?1) "        \
		"WHERE substr(k.key, 1, length(?2)) = ?2 AND k.key > ?3 "     \
		"AND NOT v.deleted ORDER BY k.key")                           \
	X(HISTORY, "SELECT key, revision, ordinal, previous, time, deleted, " \
		"value FROM versions WHERE key = ?1 AND revision <= ?2 "      \
		"AND revision < ?3 ORDER BY revision DESC")                   \
	X(LOG, "SELECT key, revision, ordinal, previous, time, deleted, "     \
	       "value FROM versions WHERE revision <= ?2 AND revision < ?3 "  \
	       "ORDER BY revision DESC, ordinal")                             \
	X(REVISION_AT, "SELECT coalesce(max(revision), 0) FROM versions "     \
		"WHERE revision <= ?1 AND time <= ?2")                        \
	X(NEWEST, "SELECT coalesce(max(revision), 0) FROM versions "          \
		"WHERE revision > ?2 AND revision <= ?1 "                     \
		"AND substr(key, 1, length(?3)) = ?3")                        \
	X(ADD_OPERATION, "INSERT INTO operations VALUES (?1, ?2, ?3, ?4)")    \
	X(FIND_OPERATION, "SELECT hash, revision FROM operations "            \
		"WHERE uid = ?1 AND id = ?2 ORDER BY revision DESC LIMIT 1")
/* clang-format on */

enum statement {
#define STATEMENT_ENUM(name, text) name,
	STATEMENT_LIST(STATEMENT_ENUM)
#undef STATEMENT_ENUM
		STATEMENTS,
};

static const char *const texts[] = {
#define STATEMENT_TEXT(name, text) text,
	STATEMENT_LIST(STATEMENT_TEXT)
#undef STATEMENT_TEXT
};

struct ledger {
	sqlite3 *db;
	sqlite3_stmt *statements[STATEMENTS];
	sqlite3_stmt *history; /* HISTORY or LOG */
};

static const char schema[] =
	"PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"
	"CREATE TABLE keys (key BLOB PRIMARY KEY) WITHOUT ROWID;"
	"CREATE TABLE versions (key BLOB, revision INTEGER, ordinal INTEGER,"
	" previous INTEGER, time INTEGER, deleted INTEGER, value BLOB,"
	" PRIMARY KEY (key, revision)) WITHOUT ROWID;"
	"CREATE INDEX by_revision ON versions (revision, ordinal);"
	"CREATE TABLE operations (uid INTEGER, id INTEGER, hash INTEGER,"
	" revision INTEGER, PRIMARY KEY (uid, id, revision)) WITHOUT ROWID;"
	"BEGIN";

static void check(struct ledger *ledger, int code, const char *what)
{
	if (code == SQLITE_OK || code == SQLITE_DONE || code == SQLITE_ROW)
		return;
	fprintf(stderr, "%s: %s\n", what, sqlite3_errmsg(ledger->db));
	abort();
}

struct ledger *ledger_open(void)
{
	struct ledger *ledger = calloc(1, sizeof(*ledger));

	assert(ledger);
	check(ledger, sqlite3_open(":memory:", &ledger->db), "open");
	check(ledger, sqlite3_exec(ledger->db, schema, NULL, NULL, NULL),
	      schema);
	for (int i = 0; i < STATEMENTS; i++)
		check(ledger,
		      sqlite3_prepare_v3(ledger->db, texts[i], -1,
					 SQLITE_PREPARE_PERSISTENT,
					 &ledger->statements[i], NULL),
		      texts[i]);
	return ledger;
}

void ledger_close(struct ledger *ledger)
{
	for (int i = 0; i < STATEMENTS; i++)
		sqlite3_finalize(ledger->statements[i]);
	sqlite3_close(ledger->db);
	free(ledger);
}

void ledger_clear(struct ledger *ledger)
{
	ledger_cut(ledger, 0);
}

struct ledger_key ledger_key(uint32_t kind, struct wb_bytes ns,
			     struct wb_bytes name)
{
	struct ledger_key key = {.size = 2 + ns.size + name.size};

	assert(key.size <= LEDGER_KEY_BYTES_MAX);
	key.bytes[0] = (uint8_t)kind;
	if (ns.size)
		memcpy(key.bytes + 1, ns.data, ns.size);
	if (name.size)
		memcpy(key.bytes + 2 + ns.size, name.data, name.size);
	return key;
}

/* ---- binding and stepping ---- */

static sqlite3_stmt *begin(struct ledger *ledger, enum statement which)
{
	sqlite3_reset(ledger->statements[which]);
	return ledger->statements[which];
}

static void bind_bytes(sqlite3_stmt *statement, int at, const void *bytes,
		       size_t size)
{
	/* A null pointer would be NULL, not an empty blob. */
	sqlite3_bind_blob(statement, at, size ? bytes : "", (int)size,
			  SQLITE_STATIC);
}

static void bind_number(sqlite3_stmt *statement, int at, uint64_t number)
{
	sqlite3_bind_int64(statement, at, (sqlite3_int64)number);
}

static bool step(struct ledger *ledger, sqlite3_stmt *statement)
{
	int code = sqlite3_step(statement);

	check(ledger, code, sqlite3_sql(statement));
	return code == SQLITE_ROW;
}

static void run(struct ledger *ledger, sqlite3_stmt *statement)
{
	while (step(ledger, statement))
		;
	sqlite3_reset(statement);
}

static struct wb_bytes column_bytes(sqlite3_stmt *statement, int at)
{
	const void *bytes = sqlite3_column_blob(statement, at);

	return (struct wb_bytes){bytes,
				 (size_t)sqlite3_column_bytes(statement, at)};
}

static uint64_t column_number(sqlite3_stmt *statement, int at)
{
	return (uint64_t)sqlite3_column_int64(statement, at);
}

static bool next_version(struct ledger *ledger, sqlite3_stmt *statement,
			 struct ledger_version *ret_version)
{
	if (!step(ledger, statement)) {
		sqlite3_reset(statement);
		return false;
	}
	*ret_version = (struct ledger_version){
		.key = column_bytes(statement, 0),
		.revision = column_number(statement, 1),
		.ordinal = (uint32_t)column_number(statement, 2),
		.previous = column_number(statement, 3),
		.time_ns = sqlite3_column_int64(statement, 4),
		.deleted = column_number(statement, 5) != 0,
		.value = column_bytes(statement, 6),
	};
	return true;
}

static uint64_t one_number(struct ledger *ledger, sqlite3_stmt *statement)
{
	uint64_t number =
		step(ledger, statement) ? column_number(statement, 0) : 0;

	sqlite3_reset(statement);
	return number;
}

/* ---- versions ---- */

void ledger_add_key(struct ledger *ledger, const struct ledger_key *key)
{
	sqlite3_stmt *statement = begin(ledger, ADD_KEY);

	bind_bytes(statement, 1, key->bytes, key->size);
	run(ledger, statement);
}

void ledger_add(struct ledger *ledger, const struct ledger_key *key,
		const struct ledger_version *version)
{
	sqlite3_stmt *statement = begin(ledger, ADD);

	bind_bytes(statement, 1, key->bytes, key->size);
	bind_number(statement, 2, version->revision);
	bind_number(statement, 3, version->ordinal);
	bind_number(statement, 4, version->previous);
	sqlite3_bind_int64(statement, 5, version->time_ns);
	bind_number(statement, 6, version->deleted);
	bind_bytes(statement, 7, version->value.data, version->value.size);
	run(ledger, statement);
}

void ledger_cut(struct ledger *ledger, uint64_t revision)
{
	sqlite3_stmt *statement = begin(ledger, CUT);

	bind_number(statement, 1, revision);
	run(ledger, statement);
	statement = begin(ledger, CUT_OPERATIONS);
	bind_number(statement, 1, revision);
	run(ledger, statement);
}

bool ledger_find(struct ledger *ledger, const struct ledger_key *key,
		 uint64_t revision, struct ledger_version *ret_version)
{
	sqlite3_stmt *statement = begin(ledger, FIND);

	bind_bytes(statement, 1, key->bytes, key->size);
	bind_number(statement, 2, revision);
	return next_version(ledger, statement, ret_version);
}

void ledger_list(struct ledger *ledger, uint64_t revision,
		 const struct ledger_key *prefix,
		 const struct ledger_key *after)
{
	sqlite3_stmt *statement = begin(ledger, LIST);

	bind_number(statement, 1, revision);
	bind_bytes(statement, 2, prefix->bytes, prefix->size);
	bind_bytes(statement, 3, after->bytes, after->size);
}

bool ledger_list_next(struct ledger *ledger, struct ledger_version *ret_version)
{
	return next_version(ledger, ledger->statements[LIST], ret_version);
}

void ledger_history(struct ledger *ledger, uint64_t revision,
		    const struct ledger_key *key, uint64_t before)
{
	ledger->history = begin(ledger, key ? HISTORY : LOG);
	if (key)
		bind_bytes(ledger->history, 1, key->bytes, key->size);
	bind_number(ledger->history, 2, revision);
	bind_number(ledger->history, 3, before ? before : INT64_MAX);
}

bool ledger_history_next(struct ledger *ledger,
			 struct ledger_version *ret_version)
{
	return next_version(ledger, ledger->history, ret_version);
}

uint64_t ledger_revision_at(struct ledger *ledger, uint64_t revision,
			    int64_t time_ns)
{
	sqlite3_stmt *statement = begin(ledger, REVISION_AT);

	bind_number(statement, 1, revision);
	sqlite3_bind_int64(statement, 2, time_ns);
	return one_number(ledger, statement);
}

uint64_t ledger_newest(struct ledger *ledger, uint64_t revision, uint64_t above,
		       const struct ledger_key *prefix)
{
	sqlite3_stmt *statement = begin(ledger, NEWEST);

	bind_number(statement, 1, revision);
	bind_number(statement, 2, above);
	bind_bytes(statement, 3, prefix->bytes, prefix->size);
	return one_number(ledger, statement);
}

/* ---- operations ---- */

void ledger_add_operation(struct ledger *ledger, uint32_t uid, unsigned id,
			  uint64_t hash, uint64_t revision)
{
	sqlite3_stmt *statement = begin(ledger, ADD_OPERATION);

	bind_number(statement, 1, uid);
	bind_number(statement, 2, id);
	bind_number(statement, 3, hash);
	bind_number(statement, 4, revision);
	run(ledger, statement);
}

bool ledger_find_operation(struct ledger *ledger, uint32_t uid, unsigned id,
			   uint64_t *ret_hash, uint64_t *ret_revision)
{
	sqlite3_stmt *statement = begin(ledger, FIND_OPERATION);
	bool found;

	bind_number(statement, 1, uid);
	bind_number(statement, 2, id);
	found = step(ledger, statement);
	if (found) {
		*ret_hash = column_number(statement, 0);
		*ret_revision = column_number(statement, 1);
	}
	sqlite3_reset(statement);
	return found;
}
