/* SPDX-License-Identifier: Apache-2.0 */
#include "state/store_rocks_tables.h"

#include <string.h>

enum { DELETE_BATCH = 1000 };

static const char *const table_names[FAMILY_KINDS] = {"default", "panes", "orphans", "rows",
                                                      "marks"};

enum status rocks_check(char *message, const char *what, struct error *err) {
    if (!message)
        return STATUS_OK;
    bool is_corrupt = strncmp(message, "Corruption", strlen("Corruption")) == 0 ||
                      strncmp(message, "Invalid argument", strlen("Invalid argument")) == 0;
    enum status status =
        error_set(err, is_corrupt ? STATUS_CORRUPT : STATUS_IO, "%s: rocksdb: %s", what, message);
    rocksdb_free(message);
    return status;
}

enum status rocks_tables_open(struct rocks_tables *tables, const char *directory,
                              struct error *err) {
    const rocksdb_options_t *options[FAMILY_KINDS];
    for (size_t i = 0; i < FAMILY_KINDS; i++)
        options[i] = store_rocks_family_options(&tables->options, (enum family_kind)i);
    char *message = NULL;
    tables->database =
        rocksdb_open_column_families(tables->options.ordinary, directory, FAMILY_KINDS, table_names,
                                     options, tables->handles, &message);
    return rocks_check(message, "open", err);
}

void rocks_tables_close(struct rocks_tables *tables) {
    if (!tables->database)
        return;
    for (size_t i = 0; i < FAMILY_KINDS; i++)
        rocksdb_column_family_handle_destroy(tables->handles[i]);
    rocksdb_close(tables->database);
}

enum status rocks_write_meta(struct rocks_tables *tables, struct slice key, struct slice value,
                             struct error *err) {
    char *message = NULL;
    if (value.data)
        rocksdb_put(tables->database, tables->options.synced, key.data, key.size, value.data,
                    value.size, &message);
    else
        rocksdb_delete(tables->database, tables->options.synced, key.data, key.size, &message);
    return rocks_check(message, "write a record", err);
}

/* Scans */

/* The keys of a family; sliced ones have a prefix and a limit. */
struct range {
    rocksdb_readoptions_t *reading;
    rocksdb_iterator_t *iterator;
    char prefix[PREFIX_BYTES], limit[PREFIX_BYTES];
    size_t prefix_size;
};

static void range_open(struct range *range, const struct rocks_tables *tables,
                       struct family family) {
    range->prefix_size = family_is_sliced(family.kind) ? PREFIX_BYTES : 0;
    range->reading = rocksdb_readoptions_create();
    rocksdb_readoptions_set_fill_cache(range->reading, 0);
    if (range->prefix_size > 0) {
        (void)family_prefix(family, range->prefix);
        if (prefix_end(range->prefix, range->limit))
            rocksdb_readoptions_set_iterate_upper_bound(range->reading, range->limit, PREFIX_BYTES);
    }
    range->iterator =
        rocksdb_create_iterator_cf(tables->database, range->reading, tables->handles[family.kind]);
    rocksdb_iter_seek(range->iterator, range->prefix, range->prefix_size);
}

static enum status range_close(struct range *range, enum status status, struct error *err) {
    char *message = NULL;
    rocksdb_iter_get_error(range->iterator, &message);
    rocksdb_iter_destroy(range->iterator);
    rocksdb_readoptions_destroy(range->reading);
    enum status read = rocks_check(message, "scan", status == STATUS_OK ? err : NULL);
    return status == STATUS_OK ? read : status;
}

static struct slice iterator_key(const rocksdb_iterator_t *iterator) {
    struct slice key;
    key.data = rocksdb_iter_key(iterator, &key.size);
    return key;
}

static enum status visit_range(struct range *range,
                               enum status (*visit)(void *context, struct slice key,
                                                    struct slice value),
                               void *context) {
    for (; rocksdb_iter_valid(range->iterator); rocksdb_iter_next(range->iterator)) {
        struct slice key = iterator_key(range->iterator), value;
        value.data = rocksdb_iter_value(range->iterator, &value.size);
        key.data = (const char *)key.data + range->prefix_size;
        key.size -= range->prefix_size;
        TRY(visit(context, key, value));
    }
    return STATUS_OK;
}

enum status rocks_scan(struct rocks_tables *tables, struct family family,
                       enum status (*visit)(void *context, struct slice key, struct slice value),
                       void *context, struct error *err) {
    struct range range = {0};
    range_open(&range, tables, family);
    return range_close(&range, visit_range(&range, visit, context), err);
}

/* Emptying */

/* Both ends are meant to be inside; the limit is no key of ours. */
enum status rocks_delete_files(struct rocks_tables *tables, struct family family,
                               struct error *err) {
    char prefix[PREFIX_BYTES], limit[PREFIX_BYTES], *message = NULL;
    (void)family_prefix(family, prefix);
    bool is_limited = prefix_end(prefix, limit);
    rocksdb_delete_file_in_range_cf(tables->database, tables->handles[family.kind], prefix,
                                    PREFIX_BYTES, is_limited ? limit : NULL,
                                    is_limited ? PREFIX_BYTES : 0, &message);
    return rocks_check(message, "delete files", err);
}

static enum status write_deletes(struct rocks_tables *tables, rocksdb_writebatch_t *batch,
                                 struct error *err) {
    char *message = NULL;
    rocksdb_writeoptions_t *writing = rocksdb_writeoptions_create();
    rocksdb_write(tables->database, writing, batch, &message);
    rocksdb_writeoptions_destroy(writing);
    rocksdb_writebatch_clear(batch);
    return rocks_check(message, "delete", err);
}

/* Not synced: what comes back is dropped again at the next opening. */
static enum status delete_keys(struct rocks_tables *tables, struct family family,
                               struct error *err) {
    struct range range = {0};
    range_open(&range, tables, family);
    rocksdb_writebatch_t *batch = rocksdb_writebatch_create();
    enum status status = STATUS_OK;
    for (; rocksdb_iter_valid(range.iterator) && status == STATUS_OK;
         rocksdb_iter_next(range.iterator)) {
        struct slice key = iterator_key(range.iterator);
        rocksdb_writebatch_delete_cf(batch, tables->handles[family.kind], key.data, key.size);
        if (rocksdb_writebatch_count(batch) == DELETE_BATCH)
            status = write_deletes(tables, batch, err);
    }
    if (status == STATUS_OK && rocksdb_writebatch_count(batch) > 0)
        status = write_deletes(tables, batch, err);
    rocksdb_writebatch_destroy(batch);
    return range_close(&range, status, err);
}

enum status rocks_empty(struct rocks_tables *tables, struct family family, struct error *err) {
    TRY(rocks_delete_files(tables, family, err));
    return delete_keys(tables, family, err);
}

/* What the rows and marks of no known family are. */

static bool parse_run(const rocksdb_livefiles_t *live, int at, struct family *out_family) {
    struct slice key;
    key.data = rocksdb_livefiles_smallestkey(live, at, &key.size);
    return strcmp(rocksdb_livefiles_column_family_name(live, at), table_names[FAMILY_ROWS]) == 0 &&
           family_parse(FAMILY_ROWS, key, out_family);
}

static void count_runs(const struct rocks_tables *tables, struct known_families *families) {
    const rocksdb_livefiles_t *live = rocksdb_livefiles(tables->database);
    for (int i = 0; i < rocksdb_livefiles_count(live); i++) {
        struct family family;
        struct known_family *known =
            parse_run(live, i, &family) ? known_families_find(families, family) : NULL;
        if (known)
            known->runs++;
    }
    rocksdb_livefiles_destroy(live);
}

uint32_t rocks_count_runs(const struct rocks_tables *tables, struct family family) {
    struct known_families one = {0};
    known_families_insert(&one, family);
    count_runs(tables, &one);
    uint32_t runs = one.entries->runs;
    known_families_release(&one);
    return runs;
}

/* Seeks from family to family. */
static enum status sweep_kind(struct rocks_tables *tables, enum family_kind kind,
                              const struct known_families *families, struct error *err) {
    struct range range = {.reading = rocksdb_readoptions_create()};
    range.iterator =
        rocksdb_create_iterator_cf(tables->database, range.reading, tables->handles[kind]);
    rocksdb_iter_seek_to_first(range.iterator);
    enum status status = STATUS_OK;
    while (rocksdb_iter_valid(range.iterator) && status == STATUS_OK) {
        struct family family;
        if (!family_parse(kind, iterator_key(range.iterator), &family)) {
            status = error_set(err, STATUS_CORRUPT, "a key of %s is short", table_names[kind]);
            break;
        }
        if (!known_families_find(families, family))
            status = rocks_empty(tables, family, err);
        if (!prefix_end(family_prefix(family, range.prefix).data, range.limit))
            break;
        rocksdb_iter_seek(range.iterator, range.limit, PREFIX_BYTES);
    }
    return range_close(&range, status, err);
}

enum status rocks_sweep(struct rocks_tables *tables, struct known_families *families,
                        struct error *err) {
    TRY(sweep_kind(tables, FAMILY_ROWS, families, err));
    TRY(sweep_kind(tables, FAMILY_MARKS, families, err));
    count_runs(tables, families);
    return STATUS_OK;
}
