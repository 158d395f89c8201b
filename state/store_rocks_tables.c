/* SPDX-License-Identifier: Apache-2.0 */
#include "state/store_rocks_tables.h"

#include <string.h>

static const char *const table_names[TABLE_COUNT] = {"default", "panes", "orphans", "runs"};

/* META, PANES and ORPHANS have a table each; ROWS and MARKS share the last. */
static size_t table_index(enum family_kind kind) {
    return family_is_sliced(kind) ? TABLE_COUNT - 1 : (size_t)kind;
}

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

rocksdb_column_family_handle_t *rocks_table(const struct rocks_tables *tables,
                                            enum family_kind kind) {
    return tables->handles[table_index(kind)];
}

static enum status list_run(struct rocks_tables *tables, const rocksdb_livefiles_t *live, int at,
                            struct error *err) {
    struct stored_run run = {.bytes = rocksdb_livefiles_size(live, at)}, last = {0};
    struct slice from, to;
    from.data = rocksdb_livefiles_smallestkey(live, at, &from.size);
    to.data = rocksdb_livefiles_largestkey(live, at, &to.size);
    if (strcmp(rocksdb_livefiles_column_family_name(live, at), table_names[TABLE_COUNT - 1]) != 0)
        return STATUS_OK;
    if (!run_parse(from, &run.family, &run.number) || !run_parse(to, &last.family, &last.number) ||
        run.number != last.number || family_compare(run.family, last.family) != 0)
        return error_set(err, STATUS_CORRUPT, "a file of runs holds a key that is none");
    stored_runs_insert(&tables->runs, run);
    return STATUS_OK;
}

void rocks_count_runs(struct rocks_tables *tables) {
    store_cache_count(tables->cache, (int64_t)tables->runs.bytes - (int64_t)tables->counted_bytes);
    tables->counted_bytes = tables->runs.bytes;
}

enum status rocks_list_runs(struct rocks_tables *tables, struct error *err) {
    stored_runs_release(&tables->runs);
    const rocksdb_livefiles_t *live = rocksdb_livefiles(tables->database);
    enum status status = STATUS_OK;
    for (int i = 0; i < rocksdb_livefiles_count(live) && status == STATUS_OK; i++)
        status = list_run(tables, live, i, err);
    rocksdb_livefiles_destroy(live);
    rocks_count_runs(tables);
    return status;
}

enum status rocks_tables_open(struct rocks_tables *tables, const char *directory,
                              struct error *err) {
    const rocksdb_options_t *options[TABLE_COUNT];
    for (size_t i = 0; i < TABLE_COUNT; i++)
        options[i] = tables->options.ordinary;
    options[table_index(FAMILY_PANES)] = tables->options.panes;
    options[table_index(FAMILY_ROWS)] = tables->options.runs;
    char *message = NULL;
    tables->database =
        rocksdb_open_column_families(tables->options.ordinary, directory, TABLE_COUNT, table_names,
                                     options, tables->handles, &message);
    TRY(rocks_check(message, "open", err));
    return rocks_list_runs(tables, err);
}

void rocks_tables_close(struct rocks_tables *tables) {
    stored_runs_release(&tables->runs);
    rocks_count_runs(tables);
    if (!tables->database)
        return;
    for (size_t i = 0; i < TABLE_COUNT; i++)
        rocksdb_column_family_handle_destroy(tables->handles[i]);
    rocksdb_close(tables->database);
}

static enum status visit_all(rocksdb_iterator_t *iterator,
                             enum status (*visit)(void *context, struct slice key,
                                                  struct slice value),
                             void *context) {
    for (rocksdb_iter_seek_to_first(iterator); rocksdb_iter_valid(iterator);
         rocksdb_iter_next(iterator)) {
        struct slice key, value;
        key.data = rocksdb_iter_key(iterator, &key.size);
        value.data = rocksdb_iter_value(iterator, &value.size);
        TRY(visit(context, key, value));
    }
    return STATUS_OK;
}

enum status rocks_scan(struct rocks_tables *tables, enum family_kind kind,
                       enum status (*visit)(void *context, struct slice key, struct slice value),
                       void *context, struct error *err) {
    rocksdb_iterator_t *iterator = rocksdb_create_iterator_cf(
        tables->database, tables->options.passing, rocks_table(tables, kind));
    char *message = NULL;
    enum status visited = visit_all(iterator, visit, context);
    rocksdb_iter_get_error(iterator, &message);
    rocksdb_iter_destroy(iterator);
    enum status read = rocks_check(message, "scan", visited == STATUS_OK ? err : NULL);
    return visited == STATUS_OK ? read : visited;
}
