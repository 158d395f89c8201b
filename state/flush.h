/* flush.h -- how a store is written: one protocol with one commit point, for both implementations.
 *
 * A flush
 *   (a) writes the rows and marks of each family into a sorted file of a folder beside the
 *       database, durably;
 *   (b) writes ONE atomic, durable batch: the puts and the list of those files.  The commit point;
 *   (c) ingests all the files in one atomic step and removes them, then clears the list, durably.
 *
 * Recovery, at open: a listed file that is gone, or that the database says it has, is ingested:
 * remove it; all other listed files are ingested now.  Files that are not listed belong to a flush
 * that never committed: removed.  Then the list is cleared.  Recovery that is cut short is
 * recovered by the next one.
 *
 * Newest wins  a file's number orders it among the files of its family: of a key that several hold,
 *              as a mark after a relabelling, the greatest number counts.
 * Never twice  ingestion moves a file: it shares its inode with the database's, and ingesting it
 *              again rewrites the sequence number inside a file that the database uses.
 * File numbers are never used again while a list may name them, and clearing is durable: else,
 *              after a loss of power, a list of yesterday could bring back a file of which the
 *              family has since been merged or dropped.
 * Drop         one atomic write, and only while the list is clear.
 *
 * The list and the next file number are kept in the meta family under PENDING_KEY, which scans
 * hide; puts may not use meta keys that begin with RESERVED_KEYS.  After a failed write the store
 * refuses all work (STATUS_IO): what is on disk is then for recovery to say.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_STATE_FLUSH_H
#define SLIPSTREAM_STATE_FLUSH_H

#include "state/store.h"

#define RESERVED_KEYS SLICE("\xff\xff")
#define PENDING_KEY                                                                                \
    SLICE("\xff\xff"                                                                               \
          "files")

/* A file of rows that a flush has written. */
struct flush_file {
    uint64_t number;
    struct family family;
};

/* What an implementation offers.  Each write is atomic and durable when it returns, except that a
 * write_file cut short leaves a partial file, and files are durable after sync_files only. */
struct disk_ops {
    enum status (*write_file)(struct store *store, uint64_t file, const struct store_rows *rows,
                              struct error *err);
    enum status (*sync_files)(struct store *store, struct error *err);
    enum status (*write_batch)(struct store *store, const struct store_put *puts, size_t count,
                               struct error *err);
    /* All or none of the files, of one family each at most.  They may or may not be left. */
    enum status (*ingest)(struct store *store, const struct flush_file *files, size_t count,
                          struct error *err);
    enum status (*remove_file)(struct store *store, uint64_t file,
                               struct error *err); /* or absent */
    enum status (*drop_family)(struct store *store, struct family family, struct error *err);

    bool (*has_family)(struct store *store, struct family family);
    /* Asked of files of the folder only. */
    bool (*is_ingested)(struct store *store, const struct flush_file *file);
    /* All files of the folder, into an arena array. */
    enum status (*list_files)(struct store *store, uint64_t **out_files, size_t *out_count,
                              struct arena *arena, struct error *err);
};

struct flush {
    struct store *store; /* its get is used too */
    const struct disk_ops *disk;
    uint64_t next_file;
    bool failed;
    struct arena arena;
};

void flush_init(struct flush *flush, struct store *store, const struct disk_ops *disk);
void flush_release(struct flush *flush);

/* Once, before anything else.  Errors: CORRUPT (the list does not parse), and the disk's. */
enum status flush_recover(struct flush *flush, struct error *err) MUST_CHECK;
/* As store_ops.flush and store_ops.drop. */
enum status flush_write(struct flush *flush, const struct store_rows *rows, size_t family_count,
                        const struct store_put *puts, size_t put_count,
                        struct error *err) MUST_CHECK;
enum status flush_drop(struct flush *flush, struct family family, struct error *err) MUST_CHECK;
/* IO after a failed write; reads ask it too. */
enum status flush_usable(const struct flush *flush, struct error *err) MUST_CHECK;

/* Only tests set it: called before each write with its name ("ingest"). */
extern void (*flush_hook)(const char *write);
/* Calls it; for writes that an implementation makes by itself. */
void flush_announce(const char *write);

#endif
