/* store.h -- durable state of one input partition (or of stage 2): families of sorted key-value
 * pairs, written only by flush, which has one commit point.
 *
 * Families
 *   ROWS                   join rows of one segment of one task
 *   MARKS                  label marks, in wider slices
 *   META, PANES, ORPHANS   one each, ordinary writes and deletes
 * ROWS and MARKS are written in sorted files that are ingested, and expire by being dropped whole;
 * a key that is written again has its newest value.
 *
 * Invariants
 *   S1  After any crash, rows, marks, panes, orphans and meta are those of one finished flush: all
 *       of it or nothing of it.
 *   S2  A file of rows or marks is ingested exactly once.
 *   S3  A dropped family gives back its disk and never comes back.
 *
 * Two implementations with one flush protocol: store_rocks (RocksDB) and store_memory (tests,
 * `local`, simulation; survives a simulated crash because its "disk" lives in a struct
 * memory_disk).
 *
 * Not thread safe; one partition, one thread.  SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_STATE_STORE_H
#define SLIPSTREAM_STATE_STORE_H

#include "base/arena.h"
#include "base/error.h"
#include "base/slice.h"

enum family_kind { FAMILY_META, FAMILY_PANES, FAMILY_ORPHANS, FAMILY_ROWS, FAMILY_MARKS };

struct family {
    enum family_kind kind;
    uint32_t instance; /* ROWS, MARKS: task instance; else 0 */
    int64_t slice;     /* ROWS, MARKS: segment number; else 0 */
};

struct store_row {
    struct slice key, value;
};

/* What a flush adds to one family of ROWS or MARKS. */
struct store_rows {
    struct family family;
    size_t count; /* 1 or more */
    /* The i-th; keys ascend and are unique.  Asked for from 0 on, perhaps more than once; valid
     * until the next call. */
    struct store_row (*row)(void *context, size_t i);
    void *context;
};

struct store_put {
    struct family family; /* META, PANES, ORPHANS */
    struct slice key, value;
    bool is_delete;
};

/* What is asked of one family. */
struct store_question {
    struct family family;
    const struct slice *keys; /* ascending */
    size_t count;
    struct slice *out_values; /* of keys[i], in the arena; data == NULL when absent */
};

struct store;

struct store_usage {
    uint64_t disk_bytes, disk_files;
    uint64_t memtable_bytes;     /* RocksDB's memtables */
    uint64_t table_reader_bytes; /* what it keeps of open files beside the cache */
};

struct store_ops {
    /* Answers them all.  A family is asked once; the fewest reads are made when they ascend.  A
     * family that does not exist has no keys. */
    enum status (*ask)(struct store *store, const struct store_question *questions, size_t count,
                       struct arena *arena, struct error *err);
    /* As ask, of one family. */
    enum status (*get)(struct store *store, struct family family, const struct slice *keys,
                       size_t count, struct slice *out_values, struct arena *arena,
                       struct error *err);
    /* Calls visit for each pair in key order.  visit returning non-OK ends the scan with that
     * status. */
    enum status (*scan)(struct store *store, struct family family,
                        enum status (*visit)(void *context, struct slice key, struct slice value),
                        void *context, struct error *err);
    /* Everything or nothing (S1), also when it fails: after a failed write (STATUS_IO) the store
     * refuses all work until it is closed and opened.  Of several puts of one key the last counts.
     * Creates the families it needs.  rows: one a family, ascending. */
    enum status (*flush)(struct store *store, const struct store_rows *rows, size_t family_count,
                         const struct store_put *puts, size_t put_count, struct error *err);
    /* Drops a ROWS or MARKS family; absent is fine. */
    enum status (*drop)(struct store *store, struct family family, struct error *err);
    /* Families of ROWS and MARKS that exist, into an arena array. */
    size_t (*list)(struct store *store, struct family **out_families, struct arena *arena);
    /* For metrics. */
    void (*usage)(struct store *store, struct store_usage *out_usage);
    void (*close)(struct store *store);
};

struct store {
    const struct store_ops *ops;
};

/* RocksDB in directory (created when absent).  cache: shared by all stores of the process. */
struct store_cache;
struct store_cache *store_cache_create(size_t bytes_max);
void store_cache_destroy(struct store_cache *cache);
/* Bytes held now, and at most; from any thread. */
void store_cache_usage(const struct store_cache *cache, uint64_t *out_bytes,
                       uint64_t *out_bytes_max);
/* Errors: IO, CORRUPT (recovery found what it cannot explain; remedy: delete the directory, the
 * partition rebuilds from its inputs). */
enum status store_rocks_open(const char *directory, struct store_cache *cache,
                             struct store **out_store, struct error *err) MUST_CHECK;

/* In memory.  The disk outlives the store: closing or "crashing" a store and opening another on the
 * same disk runs the same recovery as RocksDB's.  faults: NULL, or fail (the process is dead) at
 * the n-th write. */
struct memory_disk;
struct memory_faults {
    int64_t writes;   /* counts every primitive write (file, sync, batch, ingest, unlink, drop) */
    int64_t crash_at; /* this write, counted from 1, and all later ones fail: STATUS_IO; -1 never */
};
struct memory_disk *memory_disk_create(void);
void memory_disk_destroy(struct memory_disk *disk);
enum status store_memory_open(struct memory_disk *disk, struct memory_faults *faults,
                              struct store **out_store, struct error *err) MUST_CHECK;

#endif
