/* Files of runs in RocksDB: writing, ingesting, scanning, deleting, merging.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "state/store_rocks_tables.h"

/* A file being written; the first trouble stays. */
struct run_writer {
    rocksdb_sstfilewriter_t *writer;
    struct buffer key; /* begins with the prefix */
    char *message;
};

static void writer_open(struct run_writer *self, const struct rocks_tables *tables,
                        struct family family, uint64_t number) {
    char path[ROW_PATH_BYTES], prefix[PREFIX_BYTES];
    *self = (struct run_writer){
        .writer = rocksdb_sstfilewriter_create(tables->options.environment, tables->options.runs)};
    buffer_init(&self->key, SIZE_MAX);
    buffer_append(&self->key, run_prefix(family, number, prefix).data, PREFIX_BYTES);
    rocksdb_sstfilewriter_open(self->writer, row_files_path(&tables->files, number, path),
                               &self->message);
}

static void writer_put(struct run_writer *self, struct slice key, struct slice value) {
    if (self->message)
        return;
    self->key.size = PREFIX_BYTES;
    buffer_append(&self->key, key.data, key.size);
    rocksdb_sstfilewriter_put(self->writer, self->key.data, self->key.size, value.data, value.size,
                              &self->message);
}

/* Finish syncs the file. */
static enum status writer_close(struct run_writer *self, struct error *err) {
    if (!self->message)
        rocksdb_sstfilewriter_finish(self->writer, &self->message);
    rocksdb_sstfilewriter_destroy(self->writer);
    buffer_release(&self->key);
    return rocks_check(self->message, "write a run", err);
}

enum status run_write(struct rocks_tables *tables, uint64_t number, const struct store_rows *rows,
                      struct error *err) {
    struct run_writer writer;
    writer_open(&writer, tables, rows->family, number);
    for (size_t i = 0; i < rows->count; i++) {
        struct store_row row = rows->row(rows->context, i);
        writer_put(&writer, row.key, row.value);
    }
    return writer_close(&writer, err);
}

/* Ingesting */

static enum status ingest_paths(struct rocks_tables *tables, const struct flush_file *files,
                                size_t count, struct error *err) {
    char(*paths)[ROW_PATH_BYTES] = alloc_zero(count, sizeof *paths);
    const char **list = alloc_zero(count, sizeof(const char *));
    for (size_t i = 0; i < count; i++)
        list[i] = row_files_path(&tables->files, files[i].number, paths[i]);
    char *message = NULL;
    rocksdb_ingest_external_file_cf(tables->database, rocks_table(tables, FAMILY_ROWS), list, count,
                                    tables->options.moving, &message);
    free((void *)list);
    free(paths);
    return rocks_check(message, "ingest", err);
}

enum status runs_ingest(struct rocks_tables *tables, const struct flush_file *files, size_t count,
                        struct error *err) {
    struct stored_run *runs = alloc_zero(count, sizeof *runs);
    enum status status = STATUS_OK;
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        runs[i] = (struct stored_run){.family = files[i].family, .number = files[i].number};
        status = row_files_size(&tables->files, files[i].number, &runs[i].bytes, err);
    }
    if (status == STATUS_OK)
        status = ingest_paths(tables, files, count, err);
    for (size_t i = 0; i < count && status == STATUS_OK; i++)
        stored_runs_insert(&tables->runs, runs[i]);
    free(runs);
    return status;
}

/* Scanning */

/* A run being read. */
struct run_reader {
    rocksdb_readoptions_t *reading;
    rocksdb_iterator_t *iterator;
    char prefix[PREFIX_BYTES], limit[PREFIX_BYTES];
    struct slice key; /* without prefix; data NULL at the end */
    uint64_t head;    /* of the key */
};

static void reader_read(struct run_reader *self) {
    self->key = (struct slice){0};
    if (!rocksdb_iter_valid(self->iterator))
        return;
    self->key.data = rocksdb_iter_key(self->iterator, &self->key.size);
    self->key.data = (const char *)self->key.data + PREFIX_BYTES;
    self->key.size -= PREFIX_BYTES;
    self->head = key_head(self->key);
}

static int compare_readers(const struct run_reader *a, const struct run_reader *b) {
    if (a->head != b->head)
        return a->head < b->head ? -1 : 1;
    return slice_compare(a->key, b->key);
}

static void reader_open(struct run_reader *self, const struct rocks_tables *tables,
                        const struct stored_run *run) {
    (void)run_prefix(run->family, run->number, self->prefix);
    (void)run_prefix(run->family, run->number + 1, self->limit);
    self->reading = rocksdb_readoptions_create();
    rocksdb_readoptions_set_fill_cache(self->reading, 0);
    rocksdb_readoptions_set_iterate_upper_bound(self->reading, self->limit, PREFIX_BYTES);
    self->iterator = rocksdb_create_iterator_cf(tables->database, self->reading,
                                                rocks_table(tables, run->family.kind));
    rocksdb_iter_seek(self->iterator, self->prefix, PREFIX_BYTES);
    reader_read(self);
}

/* Trouble of reading, if there is any. */
static char *reader_close(struct run_reader *self) {
    char *message = NULL;
    rocksdb_iter_get_error(self->iterator, &message);
    rocksdb_iter_destroy(self->iterator);
    rocksdb_readoptions_destroy(self->reading);
    return message;
}

/* Of the readers at the least key the newest, or NULL when all are at their end. */
static struct run_reader *least(struct run_reader *readers, size_t count) {
    struct run_reader *least = NULL;
    for (size_t i = 0; i < count; i++)
        if (readers[i].key.data && (!least || compare_readers(&readers[i], least) <= 0))
            least = &readers[i];
    return least;
}

/* Those at the key of one move on, that one last. */
static void pass(struct run_reader *readers, size_t count, struct run_reader *one) {
    for (size_t i = 0; i < count; i++) {
        if (&readers[i] == one || !readers[i].key.data || compare_readers(&readers[i], one) != 0)
            continue;
        rocksdb_iter_next(readers[i].iterator);
        reader_read(&readers[i]);
    }
    rocksdb_iter_next(one->iterator);
    reader_read(one);
}

static enum status visit_runs(struct run_reader *readers, size_t count,
                              enum status (*visit)(void *context, struct slice key,
                                                   struct slice value),
                              void *context) {
    for (struct run_reader *next; (next = least(readers, count)); pass(readers, count, next)) {
        struct slice value;
        value.data = rocksdb_iter_value(next->iterator, &value.size);
        TRY(visit(context, next->key, value));
    }
    return STATUS_OK;
}

enum status runs_scan(struct rocks_tables *tables, struct family_runs runs,
                      enum status (*visit)(void *context, struct slice key, struct slice value),
                      void *context, struct error *err) {
    struct run_reader *readers = alloc_zero(runs.count, sizeof *readers);
    for (size_t i = 0; i < runs.count; i++)
        reader_open(&readers[i], tables, &runs.entries[i]);
    enum status status = visit_runs(readers, runs.count, visit, context);
    for (size_t i = 0; i < runs.count; i++) {
        char *message = reader_close(&readers[i]);
        enum status read = rocks_check(message, "scan", status == STATUS_OK ? err : NULL);
        status = status == STATUS_OK ? read : status;
    }
    free(readers);
    return status;
}

/* Deleting and merging */

/* Both ends are meant to be inside; they are no keys of ours. */
enum status runs_delete(struct rocks_tables *tables, struct family_runs runs, struct error *err) {
    char from[PREFIX_BYTES], to[PREFIX_BYTES], *message = NULL;
    struct family family = runs.entries[0].family;
    uint64_t first = runs.entries[0].number, last = runs.entries[runs.count - 1].number;
    (void)run_prefix(family, first, from);
    (void)run_prefix(family, last + 1, to);
    rocksdb_delete_file_in_range_cf(tables->database, rocks_table(tables, family.kind), from,
                                    PREFIX_BYTES, to, PREFIX_BYTES, &message);
    TRY(rocks_check(message, "delete runs", err));
    stored_runs_remove(&tables->runs, family, first, last);
    return STATUS_OK;
}

static enum status visit_merged(void *context, struct slice key, struct slice value) {
    writer_put(context, key, value);
    return STATUS_OK;
}

static enum status write_merged(struct rocks_tables *tables, struct family_runs runs,
                                uint64_t number, struct error *err) {
    struct run_writer writer;
    flush_announce("write_merged");
    writer_open(&writer, tables, runs.entries->family, number);
    enum status scanned = runs_scan(tables, runs, visit_merged, &writer, err);
    enum status written = writer_close(&writer, scanned == STATUS_OK ? err : NULL);
    return scanned == STATUS_OK ? written : scanned;
}

enum status runs_merge(struct rocks_tables *tables, struct family_runs newest, uint64_t number,
                       struct error *err) {
    const struct flush_file merged = {number, newest.entries->family};
    size_t count = newest.count;
    TRY(write_merged(tables, newest, number, err));
    flush_announce("ingest_merged");
    TRY(runs_ingest(tables, &merged, 1, err));
    flush_announce("delete_merged");
    struct family_runs runs = stored_runs_of(&tables->runs, merged.family);
    runs.entries += runs.count - 1 - count;
    runs.count = count;
    return runs_delete(tables, runs, err);
}
