/* store_rocks_tables.h -- the five column families of a database, and work on all pairs of one
 * prefix in them.
 *
 * Tables     "default" (meta), "panes", "orphans", "rows", "marks", made at the first opening and
 *            never dropped: making a column family costs 20-40 ms of CPU.  Keys of rows and marks
 *            begin with their family's prefix (key.h).
 * Runs       a row file holds one family.  Ingestion puts it into the deepest level in which, and
 *            above which, nothing overlaps it; so the files of one family stack in levels, those of
 *            different families lie side by side, and level 0 stays empty as long as a family has
 *            no more than RUNS_MAX files.  Nothing is compacted but by rows_merge.
 * Merge      writes the rows of a family into one file, then (a) records in meta that it replaces
 *            the family's files, (b) deletes these in one edit of the manifest, (c) ingests it, (d)
 *            removes the record.  Recovery tells the steps apart by the family's files: several
 *            before (b), none before (c), one after.
 * Drop       by prefix: whole files first, then what is left key by key.  Not atomic: the record of
 *            the family goes first, and opening drops again what has no record.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_STATE_STORE_ROCKS_TABLES_H
#define SLIPSTREAM_STATE_STORE_ROCKS_TABLES_H

#include "state/row_files.h"
#include "state/store_rocks_families.h"
#include "state/store_rocks_options.h"

struct rocks_tables {
    rocksdb_t *database; /* NULL: not open */
    rocksdb_column_family_handle_t *handles[FAMILY_KINDS];
    struct store_rocks_options options;
    struct row_files files;
};

/* Takes RocksDB's message, if there is one, as a status: CORRUPT or IO. */
enum status rocks_check(char *message, const char *what, struct error *err) MUST_CHECK;

/* Errors of all below: IO, CORRUPT. */

/* options and files are set. */
enum status rocks_tables_open(struct rocks_tables *tables, const char *directory,
                              struct error *err) MUST_CHECK;
void rocks_tables_close(struct rocks_tables *tables);

/* A durable put of a meta key, or its deletion when value.data is NULL. */
enum status rocks_write_meta(struct rocks_tables *tables, struct slice key, struct slice value,
                             struct error *err) MUST_CHECK;
/* Pairs of family in key order, keys without prefix; ends as store_ops.scan does. */
enum status rocks_scan(struct rocks_tables *tables, struct family family,
                       enum status (*visit)(void *context, struct slice key, struct slice value),
                       void *context, struct error *err) MUST_CHECK;
/* Deletes all pairs of a ROWS or MARKS family. */
enum status rocks_empty(struct rocks_tables *tables, struct family family,
                        struct error *err) MUST_CHECK;
/* Deletes the files of a family, in one atomic write, that hold nothing else. */
enum status rocks_delete_files(struct rocks_tables *tables, struct family family,
                               struct error *err) MUST_CHECK;
/* The files of a ROWS family. */
uint32_t rocks_count_runs(const struct rocks_tables *tables, struct family family);
/* Sets the runs of families, and empties those that have rows or marks but are not in it. */
enum status rocks_sweep(struct rocks_tables *tables, struct known_families *families,
                        struct error *err) MUST_CHECK;

/* Rows: sorted, of one family.  The file is durable, its name is not. */
enum status rows_write(struct rocks_tables *tables, const char *path, const struct store_row *rows,
                       size_t count, struct error *err) MUST_CHECK;
enum status rows_ingest(struct rocks_tables *tables, const char *path,
                        struct error *err) MUST_CHECK;
/* Makes one run of a family's runs, of which there are several. */
enum status rows_merge(struct rocks_tables *tables, struct family family,
                       struct error *err) MUST_CHECK;
/* At opening, before anything is read: ends a merge that was cut short. */
enum status rows_recover_merge(struct rocks_tables *tables, struct error *err) MUST_CHECK;

#endif
