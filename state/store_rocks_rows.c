/* Row files of RocksDB: writing, ingesting, merging.  SPDX-License-Identifier: Apache-2.0 */
#include "state/flush.h"
#include "state/store_rocks_tables.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MERGE_RECORD                                                                               \
    SLICE("\xff\xff"                                                                               \
          "merge")

/* A file being written; the first trouble stays. */
struct row_writer {
    rocksdb_sstfilewriter_t *writer;
    char prefix[PREFIX_BYTES];
    struct buffer key;
    char *message;
};

static void writer_open(struct row_writer *self, const struct rocks_tables *tables,
                        struct family family, const char *path) {
    *self = (struct row_writer){
        .writer = rocksdb_sstfilewriter_create(tables->options.environment, tables->options.rows)};
    buffer_init(&self->key, SIZE_MAX);
    (void)family_prefix(family, self->prefix);
    rocksdb_sstfilewriter_open(self->writer, path, &self->message);
}

static void writer_put(struct row_writer *self, struct slice key, struct slice value) {
    if (self->message)
        return;
    buffer_reset(&self->key);
    buffer_append(&self->key, self->prefix, PREFIX_BYTES);
    buffer_append(&self->key, key.data, key.size);
    rocksdb_sstfilewriter_put(self->writer, self->key.data, self->key.size, value.data, value.size,
                              &self->message);
}

/* Finish syncs the file. */
static enum status writer_close(struct row_writer *self, const char *path, struct error *err) {
    if (!self->message)
        rocksdb_sstfilewriter_finish(self->writer, &self->message);
    rocksdb_sstfilewriter_destroy(self->writer);
    buffer_release(&self->key);
    return rocks_check(self->message, path, err);
}

enum status rows_write(struct rocks_tables *tables, const char *path, const struct store_row *rows,
                       size_t count, struct error *err) {
    struct row_writer writer;
    writer_open(&writer, tables, rows->family, path);
    for (size_t i = 0; i < count; i++)
        writer_put(&writer, rows[i].key, rows[i].value);
    return writer_close(&writer, path, err);
}

enum status rows_ingest(struct rocks_tables *tables, const char *path, struct error *err) {
    char *message = NULL;
    rocksdb_ingest_external_file_cf(tables->database, tables->handles[FAMILY_ROWS], &path, 1,
                                    tables->options.moving, &message);
    return rocks_check(message, "ingest", err);
}

/* Merging */

/* Beside the numbered ones, which are a flush's. */
static const char *merged_path(const struct rocks_tables *tables, char scratch[ROW_PATH_BYTES]) {
    (void)snprintf(scratch, ROW_PATH_BYTES, "%s/merged.sst", tables->files.folder);
    return scratch;
}

static enum status visit_merged(void *context, struct slice key, struct slice value) {
    struct row_writer *writer = context;
    writer_put(writer, key, value);
    return STATUS_OK;
}

static enum status write_merged(struct rocks_tables *tables, struct family family, const char *path,
                                struct error *err) {
    struct row_writer writer;
    flush_announce("write_merged");
    writer_open(&writer, tables, family, path);
    enum status scanned = rocks_scan(tables, family, visit_merged, &writer, err);
    enum status written = writer_close(&writer, path, scanned == STATUS_OK ? err : NULL);
    TRY(scanned);
    TRY(written);
    flush_announce("sync_files");
    return row_files_sync(&tables->files, err);
}

/* Steps (c) and (d). */
static enum status ingest_merged(struct rocks_tables *tables, const char *path, struct error *err) {
    flush_announce("ingest_merged");
    return rows_ingest(tables, path, err);
}

static enum status end_merge(struct rocks_tables *tables, const char *path, struct error *err) {
    flush_announce("remove_merged");
    TRY(row_files_remove_path(path, err));
    flush_announce("end_merge");
    return rocks_write_meta(tables, MERGE_RECORD, (struct slice){0}, err);
}

enum status rows_merge(struct rocks_tables *tables, struct family family, struct error *err) {
    char path[ROW_PATH_BYTES], prefix[PREFIX_BYTES];
    merged_path(tables, path);
    TRY(write_merged(tables, family, path, err));
    flush_announce("begin_merge");
    TRY(rocks_write_meta(tables, MERGE_RECORD, family_prefix(family, prefix), err));
    flush_announce("delete_merged");
    TRY(rocks_delete_files(tables, family, err));
    TRY(ingest_merged(tables, path, err));
    return end_merge(tables, path, err);
}

static enum status finish_merge(struct rocks_tables *tables, struct family family, const char *path,
                                struct error *err) {
    size_t runs = rocks_count_runs(tables, family);
    if (runs > 1) {
        flush_announce("delete_merged");
        TRY(rocks_delete_files(tables, family, err));
    }
    if (runs != 1) {
        flush_announce("reset_merged");
        TRY(row_files_reset_path(path, err));
        TRY(ingest_merged(tables, path, err));
    }
    return end_merge(tables, path, err);
}

enum status rows_recover_merge(struct rocks_tables *tables, struct error *err) {
    char path[ROW_PATH_BYTES], *message = NULL;
    struct slice key = MERGE_RECORD, value = {0};
    struct family family;
    char *bytes = rocksdb_get(tables->database, tables->options.reading, key.data, key.size,
                              &value.size, &message);
    TRY(rocks_check(message, "read the record of a merge", err));
    merged_path(tables, path);
    if (!bytes)
        return row_files_remove_path(path, err);
    value.data = bytes;
    bool is_parsed = value.size == PREFIX_BYTES && family_parse(FAMILY_ROWS, value, &family);
    rocksdb_free(bytes);
    if (!is_parsed)
        return error_set(err, STATUS_CORRUPT, "the record of a merge does not parse");
    return finish_merge(tables, family, path, err);
}
