/* store_model.h -- a naive model of a store, random batches for both, and the two implementations
 * as a table.
 *
 * The model is a dense table of value numbers (0: absent) over a few families and keys; it shares
 * nothing with what it checks.  SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_TESTS_LIB_STORE_MODEL_H
#define SLIPSTREAM_TESTS_LIB_STORE_MODEL_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "state/store.h"
#include "tests/lib/family_rows.h"
#include "tests/lib/test.h"
#include "tests/sim/random.h"

enum { MODEL_FAMILIES = 11, MODEL_KEYS = 30, FIRST_ROWS = 3, FIRST_MARKS = 8, BATCH_MAX = 96 };

/* In store order, so that rows taken family by family are sorted. */
static const struct family model_families[MODEL_FAMILIES] = {
    {FAMILY_META, 0, 0},  {FAMILY_PANES, 0, 0},         {FAMILY_ORPHANS, 0, 0},
    {FAMILY_ROWS, 0, -1}, {FAMILY_ROWS, 0, 0},          {FAMILY_ROWS, 0, 12345678901},
    {FAMILY_ROWS, 1, 5},  {FAMILY_ROWS, 7, -90000000},  {FAMILY_MARKS, 0, 0},
    {FAMILY_MARKS, 0, 1}, {FAMILY_MARKS, 4000000000, 1}};

struct model {
    int values[MODEL_FAMILIES][MODEL_KEYS];
    bool exists[MODEL_FAMILIES]; /* of rows and marks: listed */
    int last_value;
};

struct model_key {
    char bytes[24];
    size_t size;
};

/* Ascending with k; 16 bytes in rows. */
static inline UNUSED struct slice model_key(size_t family, size_t k, struct model_key *key) {
    struct random random = {k};
    uint64_t bits[3] = {random_bits(&random), random_bits(&random), random_bits(&random)};
    memcpy(key->bytes, bits, sizeof key->bytes);
    key->bytes[0] = (char)(k * 8 + 3);
    bool is_rows = model_families[family].kind == FAMILY_ROWS;
    key->size = is_rows ? 16 : 1 + (k * 11) % sizeof key->bytes;
    return (struct slice){key->bytes, key->size};
}

struct model_value {
    char bytes[96];
};

static inline UNUSED struct slice model_value(int number, struct model_value *value) {
    int size =
        snprintf(value->bytes, sizeof value->bytes, "%d:%*d", number, number * 13 % 60 + 1, number);
    return (struct slice){value->bytes, (size_t)size};
}

struct model_batch {
    struct family_row rows[BATCH_MAX];
    struct store_put puts[BATCH_MAX];
    size_t row_count, put_count;
    struct model_key row_keys[BATCH_MAX], put_keys[BATCH_MAX];
    struct model_value row_values[BATCH_MAX], put_values[BATCH_MAX];
};

static inline UNUSED void batch_row(struct model_batch *batch, struct model *model, size_t family,
                                    size_t k) {
    size_t at = batch->row_count++;
    model->values[family][k] = ++model->last_value;
    model->exists[family] = true;
    batch->rows[at] =
        (struct family_row){model_families[family], model_key(family, k, &batch->row_keys[at]),
                            model_value(model->last_value, &batch->row_values[at])};
}

static inline UNUSED void batch_put(struct model_batch *batch, struct model *model, size_t family,
                                    size_t k, bool is_delete) {
    size_t at = batch->put_count++;
    model->values[family][k] = is_delete ? 0 : ++model->last_value;
    batch->puts[at] =
        (struct store_put){model_families[family], model_key(family, k, &batch->put_keys[at]),
                           model_value(model->last_value, &batch->put_values[at]), is_delete};
}

/* A random batch; applied to model. */
static inline UNUSED void batch_fill(struct model_batch *batch, struct model *model,
                                     struct random *random) {
    batch->row_count = batch->put_count = 0;
    for (size_t family = FIRST_ROWS; family < MODEL_FAMILIES; family++)
        for (size_t k = 0; k < MODEL_KEYS && random_chance(random, 0.6);
             k += 1 + random_below(random, 7))
            if (batch->row_count < BATCH_MAX)
                batch_row(batch, model, family, k);
    for (size_t puts = random_below(random, 12); puts > 0; puts--)
        batch_put(batch, model, random_below(random, FIRST_ROWS), random_below(random, MODEL_KEYS),
                  random_chance(random, 0.25));
}

static inline UNUSED enum status batch_flush(struct store *store, struct model_batch *batch,
                                             struct error *err) {
    return flush_rows_of(store, batch->rows, batch->row_count, batch->puts, batch->put_count, err);
}

/* What a scan has left to see of one family. */
struct model_scan {
    const struct model *model;
    size_t family, k;
    bool is_equal;
};

static inline UNUSED bool is_value(int number, struct slice found) {
    struct model_value value;
    return number == 0 ? found.data == NULL
                       : found.data && slice_equal(found, model_value(number, &value));
}

static inline UNUSED enum status model_visit(void *context, struct slice key, struct slice value) {
    struct model_scan *scan = context;
    const int *values = scan->model->values[scan->family];
    while (scan->k < MODEL_KEYS && values[scan->k] == 0)
        scan->k++;
    struct model_key expected;
    scan->is_equal &= scan->k < MODEL_KEYS &&
                      slice_equal(key, model_key(scan->family, scan->k, &expected)) &&
                      is_value(values[scan->k], value);
    scan->k++;
    return STATUS_OK;
}

static inline UNUSED bool scan_equals(struct store *store, const struct model *model,
                                      size_t family) {
    struct model_scan scan = {.model = model, .family = family, .is_equal = true};
    enum status status = store->ops->scan(store, model_families[family], model_visit, &scan, NULL);
    for (; scan.k < MODEL_KEYS; scan.k++)
        scan.is_equal &= model->values[family][scan.k] == 0;
    return status == STATUS_OK && scan.is_equal;
}

static inline UNUSED bool get_equals(struct store *store, const struct model *model,
                                     size_t family) {
    struct arena arena;
    arena_init(&arena);
    struct model_key bytes[MODEL_KEYS];
    struct slice keys[MODEL_KEYS], values[MODEL_KEYS];
    for (size_t k = 0; k < MODEL_KEYS; k++)
        keys[k] = model_key(family, k, &bytes[k]);
    bool is_equal = store->ops->get(store, model_families[family], keys, MODEL_KEYS, values, &arena,
                                    NULL) == STATUS_OK;
    for (size_t k = 0; k < MODEL_KEYS && is_equal; k++)
        is_equal = is_value(model->values[family][k], values[k]);
    arena_release(&arena);
    return is_equal;
}

/* All families in one go, from first on and around. */
static inline UNUSED bool ask_equals(struct store *store, const struct model *model, size_t first) {
    struct arena arena;
    arena_init(&arena);
    struct model_key bytes[MODEL_FAMILIES][MODEL_KEYS];
    struct slice keys[MODEL_FAMILIES][MODEL_KEYS], values[MODEL_FAMILIES][MODEL_KEYS];
    struct store_question questions[MODEL_FAMILIES];
    for (size_t i = 0; i < MODEL_FAMILIES; i++) {
        size_t family = (first + i) % MODEL_FAMILIES;
        for (size_t k = 0; k < MODEL_KEYS; k++)
            keys[family][k] = model_key(family, k, &bytes[family][k]);
        questions[i] = (struct store_question){model_families[family], keys[family], MODEL_KEYS,
                                               values[family]};
    }
    bool is_equal = store->ops->ask(store, questions, MODEL_FAMILIES, &arena, NULL) == STATUS_OK;
    for (size_t i = 0; i < (size_t)MODEL_FAMILIES * MODEL_KEYS && is_equal; i++)
        is_equal = is_value(model->values[i / MODEL_KEYS][i % MODEL_KEYS],
                            values[i / MODEL_KEYS][i % MODEL_KEYS]);
    arena_release(&arena);
    return is_equal;
}

/* Every family as get and as scan sees it, and all of them as ask does. */
static inline UNUSED bool store_equals(struct store *store, const struct model *model) {
    for (size_t family = 0; family < MODEL_FAMILIES; family++)
        if (!get_equals(store, model, family) || !scan_equals(store, model, family))
            return false;
    return ask_equals(store, model, (size_t)model->last_value % MODEL_FAMILIES);
}

/* Families that must be listed are, and only families that may be. */
static inline UNUSED bool list_lies_between(struct store *store, const struct model *must,
                                            const struct model *may) {
    struct arena arena;
    arena_init(&arena);
    struct family *families = NULL;
    size_t count = store->ops->list(store, &families, &arena);
    bool holds = true;
    size_t known = 0;
    for (size_t family = FIRST_ROWS; family < MODEL_FAMILIES; family++) {
        bool is_listed = false;
        for (size_t i = 0; i < count; i++)
            is_listed |= families[i].kind == model_families[family].kind &&
                         families[i].instance == model_families[family].instance &&
                         families[i].slice == model_families[family].slice;
        holds &= (is_listed || !must->exists[family]) && (!is_listed || may->exists[family]);
        known += is_listed;
    }
    arena_release(&arena);
    return holds && known == count;
}

static inline UNUSED void model_drop(struct model *model, size_t family) {
    memset(model->values[family], 0, sizeof model->values[family]);
    model->exists[family] = false;
}

/* Folders of tests. */

static inline UNUSED void path_join(char out_path[512], const char *folder, const char *name) {
    int size = snprintf(out_path, 512, "%s/%s", folder, name);
    assert_in_range(size, 1, 511);
}

static inline UNUSED void remove_tree(const char *path) {
    DIR *folder = opendir(path);
    for (const struct dirent *entry; folder && (entry = readdir(folder));) {
        char inner[512];
        if (entry->d_name[0] == '.')
            continue;
        path_join(inner, path, entry->d_name);
        if (unlink(inner) != 0)
            remove_tree(inner);
    }
    if (folder)
        (void)closedir(folder);
    (void)rmdir(path);
}

/* In memory where there is such a folder: processes die here, not computers. */
static inline UNUSED void make_temporary(char out_path[512]) {
    const char *folder = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    path_join(out_path, getenv("TMPDIR") ? getenv("TMPDIR") : folder, "store_test_XXXXXX");
    assert_non_null(mkdtemp(out_path));
}

/* Either implementation over a disk that outlives the store. */
struct store_fixture {
    bool is_rocks;
    struct memory_disk *disk;
    struct store_cache *cache;
    char directory[512];
};

static inline UNUSED void fixture_init(struct store_fixture *fixture, bool is_rocks) {
    *fixture = (struct store_fixture){.is_rocks = is_rocks};
    if (is_rocks) {
        make_temporary(fixture->directory);
        fixture->cache = store_cache_create(1 << 20);
    } else {
        fixture->disk = memory_disk_create();
    }
}

static inline UNUSED void fixture_release(struct store_fixture *fixture) {
    if (fixture->is_rocks)
        remove_tree(fixture->directory);
    store_cache_destroy(fixture->cache);
    memory_disk_destroy(fixture->disk);
}

static inline UNUSED struct store *fixture_open(struct store_fixture *fixture) {
    struct store *store = NULL;
    struct error err = {0};
    enum status status = fixture->is_rocks
                             ? store_rocks_open(fixture->directory, fixture->cache, &store, &err)
                             : store_memory_open(fixture->disk, NULL, &store, &err);
    if (status != STATUS_OK)
        print_error("%s\n", err.text);
    assert_int_equal(status, STATUS_OK);
    return store;
}

#endif
