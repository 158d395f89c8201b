/* store_rocks_tables.h -- the four column families of a database, and the files of runs in one of
 * them.
 *
 * Tables     "default" (meta), "panes", "orphans", "runs", made at the first opening and never
 *            dropped: making a column family costs 20-40 ms of CPU.
 * Runs       a file holds one run of one family; its keys begin with their prefix (key.h).  So no
 *            two files overlap: all lie side by side in the last level, an ingestion has nothing to
 *            order and leaves the file as it was written, and RocksDB has nothing to compact.
 * Merge      writes several runs into one file and ingests it, then deletes the files of those runs
 *            in one edit of the manifest.  A process that dies in between leaves what is said
 *            twice, which changes nothing.
 * Drop       deletes the files of a family in one edit of the manifest.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_STATE_STORE_ROCKS_TABLES_H
#define SLIPSTREAM_STATE_STORE_ROCKS_TABLES_H

#include "state/flush.h"
#include "state/row_files.h"
#include "state/store_rocks_options.h"
#include "state/store_rocks_runs.h"

enum { TABLE_COUNT = 4 };

struct rocks_tables {
    rocksdb_t *database; /* NULL: not open */
    rocksdb_column_family_handle_t *handles[TABLE_COUNT];
    struct store_rocks_options options;
    struct row_files files;
    struct stored_runs runs;
    struct store_cache *cache;
    uint64_t counted_bytes; /* of the runs, as told the cache */
    unsigned int asked;     /* look-ups in runs */
};

/* Takes RocksDB's message, if there is one, as a status: CORRUPT or IO. */
enum status rocks_check(char *message, const char *what, struct error *err) MUST_CHECK;

/* Errors of all below: IO, CORRUPT. */

/* options, files and cache are set. */
enum status rocks_tables_open(struct rocks_tables *tables, const char *directory,
                              struct error *err) MUST_CHECK;
void rocks_tables_close(struct rocks_tables *tables);
/* Sets tables->runs by what the database says that it has.  CORRUPT: a file's first and last key
 * are not those of one run. */
enum status rocks_list_runs(struct rocks_tables *tables, struct error *err) MUST_CHECK;

/* Tells the cache how long the runs are now. */
void rocks_count_runs(struct rocks_tables *tables);

rocksdb_column_family_handle_t *rocks_table(const struct rocks_tables *tables,
                                            enum family_kind kind);
/* All pairs of META, PANES or ORPHANS in key order; ends as store_ops.scan does. */
enum status rocks_scan(struct rocks_tables *tables, enum family_kind kind,
                       enum status (*visit)(void *context, struct slice key, struct slice value),
                       void *context, struct error *err) MUST_CHECK;

/* As store_ops.ask. */
enum status rocks_look_up(struct rocks_tables *tables, const struct store_question *questions,
                          size_t count, struct arena *arena, struct error *err) MUST_CHECK;

/* The file is durable, its name is not. */
enum status run_write(struct rocks_tables *tables, uint64_t number, const struct store_rows *rows,
                      struct error *err) MUST_CHECK;
/* All of the files or none. */
enum status runs_ingest(struct rocks_tables *tables, const struct flush_file *files, size_t count,
                        struct error *err) MUST_CHECK;
/* Pairs of a family's runs in key order, each key once, keys without prefix; ends as
 * store_ops.scan does. */
enum status runs_scan(struct rocks_tables *tables, struct family_runs runs,
                      enum status (*visit)(void *context, struct slice key, struct slice value),
                      void *context, struct error *err) MUST_CHECK;
/* Deletes runs of one family that follow each other. */
enum status runs_delete(struct rocks_tables *tables, struct family_runs runs,
                        struct error *err) MUST_CHECK;
/* Makes one run, of this number, of the newest runs of a family. */
enum status runs_merge(struct rocks_tables *tables, struct family_runs newest, uint64_t number,
                       struct error *err) MUST_CHECK;

#endif
