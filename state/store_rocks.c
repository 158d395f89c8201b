/* The only file that knows RocksDB.  SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rocksdb/c.h>

#include "state/flush.h"
#include "state/key.h"
#include "state/row_files.h"
#include "state/store_rocks_options.h"

enum { LOOK_UP_CHUNK = 256 };

struct rocks_family {
    struct family family;
    rocksdb_column_family_handle_t *handle;
};

struct store_rocks {
    struct store store;
    struct flush flush;
    struct row_files files;
    struct store_rocks_options options;
    rocksdb_t *database;
    struct rocks_family *families; /* ascending */
    size_t family_count;
};

static struct store_rocks *rocks(struct store *store) {
    return (struct store_rocks *)(void *)store;
}

/* Takes RocksDB's message, if there is one, as a status. */
static enum status rocks_check(char *message, const char *what, struct error *err) {
    if (!message)
        return STATUS_OK;
    bool is_corrupt = strncmp(message, "Corruption", strlen("Corruption")) == 0 ||
                      strncmp(message, "Invalid argument", strlen("Invalid argument")) == 0;
    enum status status =
        error_set(err, is_corrupt ? STATUS_CORRUPT : STATUS_IO, "%s: rocksdb: %s", what, message);
    rocksdb_free(message);
    return status;
}

/* Where family is, or belongs. */
static size_t family_position(const struct store_rocks *store, struct family family) {
    size_t low = 0, high = store->family_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (family_compare(store->families[middle].family, family) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* NULL when it does not exist. */
static rocksdb_column_family_handle_t *find_handle(const struct store_rocks *store,
                                                   struct family family) {
    size_t at = family_position(store, family);
    bool is_found =
        at < store->family_count && family_compare(store->families[at].family, family) == 0;
    return is_found ? store->families[at].handle : NULL;
}

static void insert_family(struct store_rocks *store, struct family family,
                          rocksdb_column_family_handle_t *handle) {
    size_t at = family_position(store, family), behind = store->family_count - at;
    store->families =
        alloc_resize(store->families, store->family_count + 1, sizeof *store->families);
    memmove(store->families + at + 1, store->families + at, behind * sizeof *store->families);
    store->families[at] = (struct rocks_family){family, handle};
    store->family_count++;
}

/* The writes of the flush protocol. */

static bool has_family(struct store *store, struct family family) {
    return find_handle(rocks(store), family) != NULL;
}

static enum status create_family(struct store *store, struct family family, struct error *err) {
    struct store_rocks *self = rocks(store);
    char name[FAMILY_NAME_BYTES], *message = NULL;
    rocksdb_column_family_handle_t *handle = rocksdb_create_column_family(
        self->database, store_rocks_family_options(&self->options, family.kind),
        family_name(family, name), &message);
    TRY(rocks_check(message, "create a family", err));
    insert_family(self, family, handle);
    return STATUS_OK;
}

/* Files are deleted when the last reader lets go of the handle: here. */
static enum status drop_family(struct store *store, struct family family, struct error *err) {
    struct store_rocks *self = rocks(store);
    size_t at = family_position(self, family);
    char *message = NULL;
    rocksdb_drop_column_family(self->database, self->families[at].handle, &message);
    TRY(rocks_check(message, "drop a family", err));
    rocksdb_column_family_handle_destroy(self->families[at].handle);
    self->family_count--;
    memmove(self->families + at, self->families + at + 1,
            (self->family_count - at) * sizeof *self->families);
    return STATUS_OK;
}

/* Finish syncs the file. */
static enum status write_file(struct store *store, uint64_t file, const struct store_row *rows,
                              size_t count, struct error *err) {
    struct store_rocks *self = rocks(store);
    char path[ROW_PATH_BYTES], *message = NULL;
    row_files_path(&self->files, file, path);
    rocksdb_sstfilewriter_t *writer =
        rocksdb_sstfilewriter_create(self->options.environment, self->options.rows);
    rocksdb_sstfilewriter_open(writer, path, &message);
    for (size_t i = 0; i < count && !message; i++)
        rocksdb_sstfilewriter_put(writer, rows[i].key.data, rows[i].key.size, rows[i].value.data,
                                  rows[i].value.size, &message);
    if (!message)
        rocksdb_sstfilewriter_finish(writer, &message);
    rocksdb_sstfilewriter_destroy(writer);
    return rocks_check(message, path, err);
}

static enum status sync_files(struct store *store, struct error *err) {
    return row_files_sync(&rocks(store)->files, err);
}

static enum status write_batch(struct store *store, const struct store_put *puts, size_t count,
                               struct error *err) {
    struct store_rocks *self = rocks(store);
    rocksdb_writebatch_t *batch = rocksdb_writebatch_create();
    for (size_t i = 0; i < count; i++) {
        const struct store_put *put = &puts[i];
        rocksdb_column_family_handle_t *handle = find_handle(self, put->family);
        if (put->is_delete)
            rocksdb_writebatch_delete_cf(batch, handle, put->key.data, put->key.size);
        else
            rocksdb_writebatch_put_cf(batch, handle, put->key.data, put->key.size, put->value.data,
                                      put->value.size);
    }
    char *message = NULL;
    rocksdb_write(self->database, self->options.synced, batch, &message);
    rocksdb_writebatch_destroy(batch);
    return rocks_check(message, "write a batch", err);
}

static enum status ingest(struct store *store, uint64_t file, struct family family,
                          struct error *err) {
    struct store_rocks *self = rocks(store);
    char path[ROW_PATH_BYTES], *message = NULL;
    row_files_path(&self->files, file, path);
    const char *paths[] = {path};
    rocksdb_ingest_external_file_cf(self->database, find_handle(self, family), paths, 1,
                                    self->options.moving, &message);
    return rocks_check(message, "ingest", err);
}

static enum status reset_file(struct store *store, uint64_t file, struct error *err) {
    return row_files_reset(&rocks(store)->files, file, err);
}

static enum status remove_file(struct store *store, uint64_t file, struct error *err) {
    return row_files_remove(&rocks(store)->files, file, err);
}

static enum status list_files(struct store *store, uint64_t **out_files, size_t *out_count,
                              struct arena *arena, struct error *err) {
    return row_files_list(&rocks(store)->files, out_files, out_count, arena, err);
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

static enum status get_chunk(struct store_rocks *store, rocksdb_column_family_handle_t *handle,
                             const struct slice *keys, size_t count, struct slice *out_values,
                             struct arena *arena, struct error *err) {
    const char *datas[LOOK_UP_CHUNK];
    size_t sizes[LOOK_UP_CHUNK];
    rocksdb_pinnableslice_t *found[LOOK_UP_CHUNK];
    char *messages[LOOK_UP_CHUNK];
    for (size_t i = 0; i < count; i++) {
        datas[i] = keys[i].data;
        sizes[i] = keys[i].size;
    }
    rocksdb_batched_multi_get_cf(store->database, store->options.reading, handle, count, datas,
                                 sizes, found, messages, true);
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
    rocksdb_column_family_handle_t *handle = find_handle(self, family);
    for (size_t at = 0; at < count; at += LOOK_UP_CHUNK) {
        size_t chunk = count - at < LOOK_UP_CHUNK ? count - at : LOOK_UP_CHUNK;
        if (handle)
            TRY(get_chunk(self, handle, keys + at, chunk, out_values + at, arena, err));
        else
            memset(out_values + at, 0, chunk * sizeof *out_values);
    }
    return STATUS_OK;
}

static bool is_hidden(struct family family, struct slice key) {
    return family.kind == FAMILY_META && slice_equal(key, PENDING_KEY);
}

static enum status scan_iterator(rocksdb_iterator_t *iterator, struct family family,
                                 enum status (*visit)(void *context, struct slice key,
                                                      struct slice value),
                                 void *context, struct error *err) {
    for (rocksdb_iter_seek_to_first(iterator); rocksdb_iter_valid(iterator);
         rocksdb_iter_next(iterator)) {
        struct slice key, value;
        key.data = rocksdb_iter_key(iterator, &key.size);
        value.data = rocksdb_iter_value(iterator, &value.size);
        if (!is_hidden(family, key))
            TRY(visit(context, key, value));
    }
    char *message = NULL;
    rocksdb_iter_get_error(iterator, &message);
    return rocks_check(message, "scan", err);
}

static enum status scan(struct store *store, struct family family,
                        enum status (*visit)(void *context, struct slice key, struct slice value),
                        void *context, struct error *err) {
    struct store_rocks *self = rocks(store);
    TRY(flush_usable(&self->flush, err));
    rocksdb_column_family_handle_t *handle = find_handle(self, family);
    if (!handle)
        return STATUS_OK;
    rocksdb_iterator_t *iterator =
        rocksdb_create_iterator_cf(self->database, self->options.scanning, handle);
    enum status status = scan_iterator(iterator, family, visit, context, err);
    rocksdb_iter_destroy(iterator);
    return status;
}

static size_t list(struct store *store, struct family **out_families, struct arena *arena) {
    const struct store_rocks *self = rocks(store);
    struct family *families = arena_take(arena, self->family_count * sizeof *families);
    size_t count = 0;
    for (size_t i = 0; i < self->family_count; i++)
        if (self->families[i].family.kind >= FAMILY_ROWS)
            families[count++] = self->families[i].family;
    *out_families = families;
    return count;
}

static void usage(struct store *store, uint64_t *out_bytes, uint64_t *out_files) {
    struct store_rocks *self = rocks(store);
    *out_bytes = *out_files = 0;
    for (size_t i = 0; i < self->family_count; i++) {
        rocksdb_column_family_metadata_t *facts =
            rocksdb_get_column_family_metadata_cf(self->database, self->families[i].handle);
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
    for (size_t i = 0; i < self->family_count; i++)
        rocksdb_column_family_handle_destroy(self->families[i].handle);
    if (self->database)
        rocksdb_close(self->database);
    free(self->families);
    store_rocks_options_release(&self->options);
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

/* The families that the database has; a new one has "default" only. */
static enum status list_families(const struct store_rocks *store, const char *directory,
                                 char ***out_names, size_t *out_count, struct error *err) {
    char path[ROW_PATH_BYTES], *message = NULL;
    (void)snprintf(path, sizeof path, "%s/CURRENT", directory);
    if (access(path, F_OK) != 0) {
        *out_names = alloc_zero(1, sizeof **out_names);
        **out_names = alloc_copy(SLICE("default"));
        *out_count = 1;
        return STATUS_OK;
    }
    *out_names =
        rocksdb_list_column_families(store->options.ordinary, directory, out_count, &message);
    return rocks_check(message, "list the families", err);
}

static enum status parse_families(char **names, size_t count, struct family *out_families,
                                  struct error *err) {
    for (size_t i = 0; i < count; i++)
        if (!family_parse(names[i], &out_families[i]))
            return error_set(err, STATUS_CORRUPT, "a family of unknown name \"%s\"", names[i]);
    return STATUS_OK;
}

static enum status open_database(struct store_rocks *store, const char *directory, char **names,
                                 const struct family *families, size_t count, struct error *err) {
    const rocksdb_options_t **options = alloc_zero(count, sizeof(rocksdb_options_t *));
    rocksdb_column_family_handle_t **handles =
        alloc_zero(count, sizeof(rocksdb_column_family_handle_t *));
    for (size_t i = 0; i < count; i++)
        options[i] = store_rocks_family_options(&store->options, families[i].kind);
    char *message = NULL;
    store->database =
        rocksdb_open_column_families(store->options.ordinary, directory, (int)count,
                                     (const char *const *)names, options, handles, &message);
    for (size_t i = 0; i < count && store->database; i++)
        insert_family(store, families[i], handles[i]);
    free((void *)options);
    free(handles);
    return rocks_check(message, "open", err);
}

static enum status open_families(struct store_rocks *store, const char *directory,
                                 struct error *err) {
    char **names = NULL;
    size_t count = 0;
    TRY(list_families(store, directory, &names, &count, err));
    struct family *families = alloc_zero(count, sizeof *families);
    enum status status = parse_families(names, count, families, err);
    if (status == STATUS_OK)
        status = open_database(store, directory, names, families, count, err);
    free(families);
    rocksdb_list_column_families_destroy(names, count);
    return status;
}

static enum status open_store(struct store_rocks *store, const char *directory, struct error *err) {
    TRY(row_files_open(&store->files, directory, err));
    TRY(open_families(store, directory, err));
    return flush_recover(&store->flush, err);
}

enum status store_rocks_open(const char *directory, struct store_cache *cache,
                             struct store **out_store, struct error *err) {
    struct store_rocks *store = alloc_zero(1, sizeof *store);
    store->store.ops = &rocks_ops;
    flush_init(&store->flush, &store->store, &disk);
    store_rocks_options_init(&store->options, cache);
    enum status status = open_store(store, directory, err);
    if (status != STATUS_OK) {
        close_store(&store->store);
        return error_wrap(err, status, "open the state in %s", directory);
    }
    *out_store = &store->store;
    return STATUS_OK;
}
