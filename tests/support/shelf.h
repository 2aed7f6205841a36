/* SPDX-License-Identifier: Apache-2.0
 *
 * A store on a simulated disk, and words to say what is in it. Keys are of
 * kind 64 in namespace "n" unless a test makes its own; names and values are
 * strings, a listing is one: "a=1 b=2".
 *
 * Whatever fails and was not asked for ends the test.
 */
#ifndef WAYBILL_TESTS_SUPPORT_SHELF_H
#define WAYBILL_TESTS_SUPPORT_SHELF_H

#include "store/store.h"
#include "tests/support/simdisk.h"
#include "tests/support/simenv.h"
#include "tests/support/suite.h"

#include <string.h>

struct shelf {
	struct simdisk *disk;
	struct simenv env;
	struct wb_open_options options;
	struct wb_text text; /* of the last open */
	struct wb_store *store;
};

/* An empty disk, a clock, options that create; nothing is opened. */
void shelf_init(struct shelf *shelf, uint64_t seed);
/* Abandons a store that is open. */
void shelf_release(struct shelf *shelf);

enum wb_error shelf_open(struct shelf *shelf);
enum wb_error shelf_close(struct shelf *shelf);
/* The process is killed: the page cache lives on. */
void shelf_kill(struct shelf *shelf);
/* The power is cut, too. */
void shelf_cut(struct shelf *shelf, struct sim_crash crash);

/* ---- words ---- */

struct wb_bytes text_of(const char *text);
struct wb_key named(const char *name);
extern const struct wb_precondition if_any;

/* An Update that holds the turn. */
struct wb_txn *shelf_begin(struct shelf *shelf);
enum wb_error txn_put(struct wb_txn *txn, const char *name, const char *value);
enum wb_error txn_delete(struct wb_txn *txn, const char *name);
/* An Update of one change; its revision. */
uint64_t shelf_put(struct shelf *shelf, const char *name, const char *value);
uint64_t shelf_delete(struct shelf *shelf, const char *name);
/* The same, only staged. */
struct store_ticket stage_put(struct shelf *shelf, const char *name,
			      const char *value);
struct store_ticket stage_delete(struct shelf *shelf, const char *name);

/* Values, "" for none. Valid until the next call but seven. */
const char *shelf_text(struct shelf *shelf, const char *name);
const char *view_text(struct wb_view *view, const char *name);
const char *txn_text(struct wb_txn *txn, const char *name);

/* Of namespace "n", in order. Valid until the next listing. */
const char *shelf_listing(struct shelf *shelf);
const char *view_listing(struct wb_view *view, const char *prefix,
			 const char *after);
const char *txn_listing(struct wb_txn *txn, const char *prefix,
			const char *after);

struct wb_stat shelf_stat(struct shelf *shelf);
/* How many files a disk has, but the lock. */
unsigned shelf_files(struct simdisk *disk);

#define ck_text(actual, expected) ck_assert_str_eq(actual, expected)

#endif
