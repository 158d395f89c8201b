/* The store over RocksDB's tables.  SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "state/flush.h"
#include "state/put_order.h"
#include "state/store_rocks_tables.h"

enum { LOOK_UP_CHUNK = 256 };

struct store_rocks {
    struct store store;
    struct flush flush;
    struct rocks_tables tables;
    struct known_families families;
    struct buffer keys; /* of one look-up or batch */
};

static struct store_rocks *rocks(struct store *store) {
    return (struct store_rocks *)(void *)store;
}

/* The writes of the flush protocol. */

static bool has_family(struct store *store, struct family family) {
    return !family_is_sliced(family.kind) ||
           known_families_find(&rocks(store)->families, family) != NULL;
}

/* In memory; write_batch records it. */
static enum status create_family(struct store *store, struct family family,
                                 struct error *err UNUSED) {
    known_families_insert(&rocks(store)->families, family);
    return STATUS_OK;
}

/* Dropped when its record is gone; if the rest is cut short, the next opening does it. */
static enum status drop_family(struct store *store, struct family family, struct error *err) {
    struct store_rocks *self = rocks(store);
    char record[FAMILY_RECORD_BYTES];
    TRY(rocks_write_meta(&self->tables, family_record(family, record), (struct slice){0}, err));
    known_families_remove(&self->families, family);
    flush_announce("empty_family");
    return rocks_empty(&self->tables, family, err);
}

static enum status write_file(struct store *store, uint64_t file, const struct store_row *rows,
                              size_t count, struct error *err) {
    struct store_rocks *self = rocks(store);
    char path[ROW_PATH_BYTES];
    return rows_write(&self->tables, row_files_path(&self->tables.files, file, path), rows, count,
                      err);
}

static enum status sync_files(struct store *store, struct error *err) {
    return row_files_sync(&rocks(store)->tables.files, err);
}

/* A key as its table has it; a borrow of keys. */
static struct slice table_key(struct buffer *keys, struct family family, struct slice key) {
    char prefix[PREFIX_BYTES];
    if (!family_is_sliced(family.kind))
        return key;
    buffer_reset(keys);
    buffer_append(keys, family_prefix(family, prefix).data, PREFIX_BYTES);
    buffer_append(keys, key.data, key.size);
    return buffer_slice(keys);
}

static void batch_put(struct store_rocks *self, rocksdb_writebatch_t *batch,
                      const struct store_put *put) {
    rocksdb_column_family_handle_t *handle = self->tables.handles[put->family.kind];
    struct slice key = table_key(&self->keys, put->family, put->key);
    if (put->is_delete)
        rocksdb_writebatch_delete_cf(batch, handle, key.data, key.size);
    else
        rocksdb_writebatch_put_cf(batch, handle, key.data, key.size, put->value.data,
                                  put->value.size);
}

static void batch_records(struct store_rocks *self, rocksdb_writebatch_t *batch) {
    for (size_t i = 0; i < self->families.count; i++) {
        const struct known_family *known = &self->families.entries[i];
        char record[FAMILY_RECORD_BYTES];
        struct slice key = family_record(known->family, record);
        if (!known->is_recorded)
            rocksdb_writebatch_put_cf(batch, self->tables.handles[FAMILY_META], key.data, key.size,
                                      "", 0);
    }
}

static enum status write_batch(struct store *store, const struct store_put *puts, size_t count,
                               struct error *err) {
    struct store_rocks *self = rocks(store);
    const struct store_put **sorted = put_order(puts, count, &self->flush.arena);
    rocksdb_writebatch_t *batch = rocksdb_writebatch_create();
    batch_records(self, batch);
    for (size_t i = 0; i < count; i++)
        batch_put(self, batch, sorted[i]);
    char *message = NULL;
    rocksdb_write(self->tables.database, self->tables.options.synced, batch, &message);
    rocksdb_writebatch_destroy(batch);
    TRY(rocks_check(message, "write a batch", err));
    for (size_t i = 0; i < self->families.count; i++)
        self->families.entries[i].is_recorded = true;
    return STATUS_OK;
}

static enum status ingest(struct store *store, uint64_t file, struct family family,
                          struct error *err) {
    struct store_rocks *self = rocks(store);
    struct known_family *known = known_families_find(&self->families, family);
    char path[ROW_PATH_BYTES];
    ASSERT(known);
    if (known->runs >= RUNS_MAX) {
        TRY(rows_merge(&self->tables, family, err));
        known->runs = 1;
    }
    TRY(rows_ingest(&self->tables, row_files_path(&self->tables.files, file, path), err));
    known->runs++;
    return STATUS_OK;
}

static enum status reset_file(struct store *store, uint64_t file, struct error *err) {
    return row_files_reset(&rocks(store)->tables.files, file, err);
}

static enum status remove_file(struct store *store, uint64_t file, struct error *err) {
    return row_files_remove(&rocks(store)->tables.files, file, err);
}

static enum status list_files(struct store *store, uint64_t **out_files, size_t *out_count,
                              struct arena *arena, struct error *err) {
    return row_files_list(&rocks(store)->tables.files, out_files, out_count, arena, err);
}

static const struct disk_ops disk = {
    .create_family = create_family,
    .write_file = write_file,
    .sync_files = sync_files,
    .write_batch = write_batch,
    .reset_file = reset_file,
    .ingest = ingest,
    .remove_file = remove_file,
    .drop_family = drop_family,
    .has_family = has_family,
    .list_files = list_files,
};

/* Reads */

/* Copies one answer and frees it; the first trouble stays. */
static void take_answer(rocksdb_pinnableslice_t *found, char *message, struct slice *out_value,
                        struct arena *arena, enum status *status, struct error *err) {
    *out_value = (struct slice){0};
    if (found) {
        struct slice value = {0};
        value.data = rocksdb_pinnableslice_value(found, &value.size);
        *out_value = arena_copy(arena, value);
        rocksdb_pinnableslice_destroy(found);
    }
    enum status answer = rocks_check(message, "get", *status == STATUS_OK ? err : NULL);
    if (*status == STATUS_OK)
        *status = answer;
}

/* Room first, so that the bytes stay where they are. */
static void fill_keys(struct store_rocks *self, struct family family, const struct slice *keys,
                      size_t count, const char **out_datas, size_t *out_sizes) {
    char prefix[PREFIX_BYTES];
    size_t head = family_is_sliced(family.kind) ? family_prefix(family, prefix).size : 0, bytes = 0;
    for (size_t i = 0; i < count; i++)
        bytes += head + keys[i].size;
    buffer_reset(&self->keys);
    (void)buffer_reserve(&self->keys, bytes);
    for (size_t i = 0; i < count; i++) {
        out_sizes[i] = head + keys[i].size;
        out_datas[i] = self->keys.data + self->keys.size;
        buffer_append(&self->keys, prefix, head);
        buffer_append(&self->keys, keys[i].data, keys[i].size);
    }
}

static enum status get_chunk(struct store_rocks *self, struct family family,
                             const struct slice *keys, size_t count, struct slice *out_values,
                             struct arena *arena, struct error *err) {
    const char *datas[LOOK_UP_CHUNK];
    size_t sizes[LOOK_UP_CHUNK];
    rocksdb_pinnableslice_t *found[LOOK_UP_CHUNK];
    char *messages[LOOK_UP_CHUNK];
    fill_keys(self, family, keys, count, datas, sizes);
    rocksdb_batched_multi_get_cf(self->tables.database, self->tables.options.reading,
                                 self->tables.handles[family.kind], count, datas, sizes, found,
                                 messages, true);
    enum status status = STATUS_OK;
    for (size_t i = 0; i < count; i++)
        take_answer(found[i], messages[i], &out_values[i], arena, &status, err);
    return status;
}

static enum status get(struct store *store, struct family family, const struct slice *keys,
                       size_t count, struct slice *out_values, struct arena *arena,
                       struct error *err) {
    struct store_rocks *self = rocks(store);
    TRY(flush_usable(&self->flush, err));
    bool is_known = has_family(store, family);
    for (size_t at = 0; at < count; at += LOOK_UP_CHUNK) {
        size_t chunk = count - at < LOOK_UP_CHUNK ? count - at : LOOK_UP_CHUNK;
        if (is_known)
            TRY(get_chunk(self, family, keys + at, chunk, out_values + at, arena, err));
        else
            memset(out_values + at, 0, chunk * sizeof *out_values);
    }
    return STATUS_OK;
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
    if (!has_family(store, family))
        return STATUS_OK;
    if (family.kind == FAMILY_META)
        return rocks_scan(&self->tables, family, visit_meta, &visitor, err);
    return rocks_scan(&self->tables, family, visit, context, err);
}

static size_t list(struct store *store, struct family **out_families, struct arena *arena) {
    const struct known_families *known = &rocks(store)->families;
    *out_families = arena_take(arena, known->count * sizeof **out_families);
    for (size_t i = 0; i < known->count; i++)
        (*out_families)[i] = known->entries[i].family;
    return known->count;
}

static void usage(struct store *store, uint64_t *out_bytes, uint64_t *out_files) {
    const struct rocks_tables *tables = &rocks(store)->tables;
    *out_bytes = *out_files = 0;
    for (size_t i = 0; i < FAMILY_KINDS; i++) {
        rocksdb_column_family_metadata_t *facts =
            rocksdb_get_column_family_metadata_cf(tables->database, tables->handles[i]);
        *out_bytes += rocksdb_column_family_metadata_get_size(facts);
        *out_files += rocksdb_column_family_metadata_get_file_count(facts);
        rocksdb_column_family_metadata_destroy(facts);
    }
}

static enum status flush_rows(struct store *store, const struct store_row *rows, size_t row_count,
                              const struct store_put *puts, size_t put_count, struct error *err) {
    return flush_write(&rocks(store)->flush, rows, row_count, puts, put_count, err);
}

static enum status drop(struct store *store, struct family family, struct error *err) {
    return flush_drop(&rocks(store)->flush, family, err);
}

static void close_store(struct store *store) {
    struct store_rocks *self = rocks(store);
    rocks_tables_close(&self->tables);
    store_rocks_options_release(&self->tables.options);
    known_families_release(&self->families);
    buffer_release(&self->keys);
    flush_release(&self->flush);
    free(self);
}

static const struct store_ops rocks_ops = {
    .get = get,
    .scan = scan,
    .flush = flush_rows,
    .drop = drop,
    .list = list,
    .usage = usage,
    .close = close_store,
};

/* Opening */

static enum status visit_record(void *context, struct slice key, struct slice value UNUSED) {
    struct family family;
    if (family_record_parse(key, &family))
        known_families_insert(context, family)->is_recorded = true;
    return STATUS_OK;
}

static enum status open_store(struct store_rocks *self, const char *directory, struct error *err) {
    TRY(row_files_open(&self->tables.files, directory, err));
    TRY(rocks_tables_open(&self->tables, directory, err));
    TRY(rows_recover_merge(&self->tables, err));
    TRY(rocks_scan(&self->tables, (struct family){.kind = FAMILY_META}, visit_record,
                   &self->families, err));
    TRY(rocks_sweep(&self->tables, &self->families, err));
    return flush_recover(&self->flush, err);
}

enum status store_rocks_open(const char *directory, struct store_cache *cache,
                             struct store **out_store, struct error *err) {
    rocksdb_set_perf_level(
        rocksdb_disable); /* of this thread: its counters cost 3 % of a look-up */
    struct store_rocks *store = alloc_zero(1, sizeof *store);
    store->store.ops = &rocks_ops;
    flush_init(&store->flush, &store->store, &disk);
    buffer_init(&store->keys, SIZE_MAX);
    store_rocks_options_init(&store->tables.options, cache);
    enum status status = open_store(store, directory, err);
    if (status != STATUS_OK) {
        close_store(&store->store);
        return error_wrap(err, status, "open the state in %s", directory);
    }
    *out_store = &store->store;
    return STATUS_OK;
}
