/* The store over RocksDB's tables.  SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "state/flush.h"
#include "state/put_order.h"
#include "state/store_rocks_tables.h"

struct store_rocks {
    struct store store;
    struct flush flush;
    struct rocks_tables tables;
};

static struct store_rocks *rocks(struct store *store) {
    return (struct store_rocks *)(void *)store;
}

/* The writes of the flush protocol. */

static bool has_family(struct store *store, struct family family) {
    return stored_runs_of(&rocks(store)->tables.runs, family).count > 0;
}

static enum status drop_family(struct store *store, struct family family, struct error *err) {
    struct rocks_tables *tables = &rocks(store)->tables;
    return runs_delete(tables, stored_runs_of(&tables->runs, family), err);
}

static enum status write_file(struct store *store, uint64_t file, const struct store_rows *rows,
                              struct error *err) {
    return run_write(&rocks(store)->tables, file, rows, err);
}

static enum status sync_files(struct store *store, struct error *err) {
    return row_files_sync(&rocks(store)->tables.files, err);
}

static void batch_put(const struct rocks_tables *tables, rocksdb_writebatch_t *batch,
                      const struct store_put *put) {
    rocksdb_column_family_handle_t *handle = rocks_table(tables, put->family.kind);
    if (put->is_delete)
        rocksdb_writebatch_delete_cf(batch, handle, put->key.data, put->key.size);
    else
        rocksdb_writebatch_put_cf(batch, handle, put->key.data, put->key.size, put->value.data,
                                  put->value.size);
}

static enum status write_batch(struct store *store, const struct store_put *puts, size_t count,
                               struct error *err) {
    struct store_rocks *self = rocks(store);
    const struct rocks_tables *tables = &self->tables;
    const struct store_put **sorted = put_order(puts, count, &self->flush.arena);
    rocksdb_writebatch_t *batch = rocksdb_writebatch_create();
    for (size_t i = 0; i < count; i++)
        batch_put(tables, batch, sorted[i]);
    char *message = NULL;
    rocksdb_write(tables->database, tables->options.synced, batch, &message);
    rocksdb_writebatch_destroy(batch);
    return rocks_check(message, "write a batch", err);
}

static enum status ingest(struct store *store, const struct flush_file *files, size_t count,
                          struct error *err) {
    return runs_ingest(&rocks(store)->tables, files, count, err);
}

static bool is_ingested(struct store *store, const struct flush_file *file) {
    return stored_runs_contain(&rocks(store)->tables.runs, file->family, file->number);
}

static enum status remove_file(struct store *store, uint64_t file, struct error *err) {
    return row_files_remove(&rocks(store)->tables.files, file, err);
}

static enum status list_files(struct store *store, uint64_t **out_files, size_t *out_count,
                              struct arena *arena, struct error *err) {
    return row_files_list(&rocks(store)->tables.files, out_files, out_count, arena, err);
}

static const struct disk_ops disk = {
    .write_file = write_file,
    .sync_files = sync_files,
    .write_batch = write_batch,
    .ingest = ingest,
    .remove_file = remove_file,
    .drop_family = drop_family,
    .has_family = has_family,
    .is_ingested = is_ingested,
    .list_files = list_files,
};

/* Reads */

static enum status ask(struct store *store, const struct store_question *questions, size_t count,
                       struct arena *arena, struct error *err) {
    struct store_rocks *self = rocks(store);
    TRY(flush_usable(&self->flush, err));
    return rocks_look_up(&self->tables, questions, count, arena, err);
}

static enum status get(struct store *store, struct family family, const struct slice *keys,
                       size_t count, struct slice *out_values, struct arena *arena,
                       struct error *err) {
    const struct store_question question = {family, keys, count, out_values};
    return ask(store, &question, 1, arena, err);
}

struct visitor {
    enum status (*visit)(void *context, struct slice key, struct slice value);
    void *context;
};

static bool is_reserved(struct slice key) {
    struct slice head = RESERVED_KEYS;
    return key.size >= head.size && memcmp(key.data, head.data, head.size) == 0;
}

static enum status visit_meta(void *context, struct slice key, struct slice value) {
    const struct visitor *visitor = context;
    return is_reserved(key) ? STATUS_OK : visitor->visit(visitor->context, key, value);
}

static enum status scan(struct store *store, struct family family,
                        enum status (*visit)(void *context, struct slice key, struct slice value),
                        void *context, struct error *err) {
    struct store_rocks *self = rocks(store);
    TRY(flush_usable(&self->flush, err));
    struct visitor visitor = {visit, context};
    if (family_is_sliced(family.kind))
        return runs_scan(&self->tables, stored_runs_of(&self->tables.runs, family), visit, context,
                         err);
    if (family.kind == FAMILY_META)
        return rocks_scan(&self->tables, family.kind, visit_meta, &visitor, err);
    return rocks_scan(&self->tables, family.kind, visit, context, err);
}

static size_t list(struct store *store, struct family **out_families, struct arena *arena) {
    const struct stored_runs *runs = &rocks(store)->tables.runs;
    *out_families = arena_take(arena, runs->count * sizeof **out_families);
    size_t count = 0;
    for (size_t i = 0; i < runs->count; i++)
        if (count == 0 || family_compare((*out_families)[count - 1], runs->entries[i].family) != 0)
            (*out_families)[count++] = runs->entries[i].family;
    return count;
}

/* 0 when RocksDB does not tell. */
static uint64_t property(const struct rocks_tables *tables, size_t table, const char *name) {
    uint64_t value = 0;
    (void)rocksdb_property_int_cf(tables->database, tables->handles[table], name, &value);
    return value;
}

static void usage(struct store *store, struct store_usage *out_usage) {
    const struct rocks_tables *tables = &rocks(store)->tables;
    *out_usage = (struct store_usage){0};
    for (size_t i = 0; i < TABLE_COUNT; i++) {
        rocksdb_column_family_metadata_t *facts =
            rocksdb_get_column_family_metadata_cf(tables->database, tables->handles[i]);
        out_usage->disk_bytes += rocksdb_column_family_metadata_get_size(facts);
        out_usage->disk_files += rocksdb_column_family_metadata_get_file_count(facts);
        rocksdb_column_family_metadata_destroy(facts);
        out_usage->memtable_bytes += property(tables, i, "rocksdb.size-all-mem-tables");
        out_usage->table_reader_bytes += property(tables, i, "rocksdb.estimate-table-readers-mem");
    }
}

static enum status merge_families(struct store_rocks *self, const struct store_rows *rows,
                                  size_t count, struct error *err) {
    for (size_t i = 0; i < count; i++) {
        struct family_runs due = runs_to_merge(stored_runs_of(&self->tables.runs, rows[i].family));
        if (due.count > 0)
            TRY(runs_merge(&self->tables, due, self->flush.next_file++, err));
    }
    return STATUS_OK;
}

static enum status flush_rows(struct store *store, const struct store_rows *rows,
                              size_t family_count, const struct store_put *puts, size_t put_count,
                              struct error *err) {
    struct store_rocks *self = rocks(store);
    TRY(flush_write(&self->flush, rows, family_count, puts, put_count, err));
    enum status status = merge_families(self, rows, family_count, err);
    rocks_count_runs(&self->tables);
    self->flush.failed = status != STATUS_OK;
    return status;
}

static enum status drop(struct store *store, struct family family, struct error *err) {
    enum status status = flush_drop(&rocks(store)->flush, family, err);
    rocks_count_runs(&rocks(store)->tables);
    return status;
}

static void close_store(struct store *store) {
    struct store_rocks *self = rocks(store);
    rocks_tables_close(&self->tables);
    store_rocks_options_release(&self->tables.options);
    flush_release(&self->flush);
    free(self);
}

static const struct store_ops rocks_ops = {
    .ask = ask,
    .get = get,
    .scan = scan,
    .flush = flush_rows,
    .drop = drop,
    .list = list,
    .usage = usage,
    .close = close_store,
};

/* Opening */

/* The number of a merge is on disk as that of its run only. */
static void skip_used_numbers(struct store_rocks *self) {
    const struct stored_runs *runs = &self->tables.runs;
    for (size_t i = 0; i < runs->count; i++)
        if (self->flush.next_file <= runs->entries[i].number)
            self->flush.next_file = runs->entries[i].number + 1;
}

/* Recovery ingests files that may have been damaged meanwhile: RocksDB takes one whose first block
 * does not read, and holds it to be empty.  So the runs are listed once more behind it. */
static enum status open_store(struct store_rocks *self, const char *directory, struct error *err) {
    TRY(row_files_open(&self->tables.files, directory, err));
    TRY(rocks_tables_open(&self->tables, directory, err));
    TRY(flush_recover(&self->flush, err));
    TRY(rocks_list_runs(&self->tables, err));
    skip_used_numbers(self);
    return STATUS_OK;
}

enum status store_rocks_open(const char *directory, struct store_cache *cache,
                             struct store **out_store, struct error *err) {
    rocksdb_set_perf_level(
        rocksdb_disable); /* of this thread: its counters cost 3 % of a look-up */
    struct store_rocks *store = alloc_zero(1, sizeof *store);
    store->store.ops = &rocks_ops;
    flush_init(&store->flush, &store->store, &disk);
    store_rocks_options_init(&store->tables.options, cache);
    store->tables.cache = cache;
    enum status status = open_store(store, directory, err);
    if (status != STATUS_OK) {
        close_store(&store->store);
        return error_wrap(err, status, "open the state in %s", directory);
    }
    *out_store = &store->store;
    return STATUS_OK;
}
