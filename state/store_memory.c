/* The store over a disk of sorted runs in memory.  SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "state/flush.h"
#include "state/key.h"
#include "state/run.h"

/* Each run is more than twice as long as the next newer one, so these are enough for any memory. */
enum { RUNS_MAX = 64 };

struct memory_family {
    struct family family;
    struct run runs[RUNS_MAX]; /* oldest first */
    size_t run_count;
};

struct memory_file {
    uint64_t file;
    struct run run; /* moved into the family by ingestion */
    bool is_ingested, is_partial;
};

struct memory_disk {
    struct memory_family **families; /* ascending */
    size_t family_count;
    struct memory_file *files;
    size_t file_count;
};

struct store_memory {
    struct store store;
    struct flush flush;
    struct memory_disk *disk;
    struct memory_faults *faults;
};

static struct store_memory *memory(struct store *store) {
    return (struct store_memory *)(void *)store;
}

struct memory_disk *memory_disk_create(void) {
    return alloc_zero(1, sizeof(struct memory_disk));
}

static void family_destroy(struct memory_family *family) {
    for (size_t i = 0; i < family->run_count; i++)
        run_release(&family->runs[i]);
    free(family);
}

void memory_disk_destroy(struct memory_disk *disk) {
    if (!disk)
        return;
    for (size_t i = 0; i < disk->family_count; i++)
        family_destroy(disk->families[i]);
    for (size_t i = 0; i < disk->file_count; i++)
        run_release(&disk->files[i].run);
    free(disk->families);
    free(disk->files);
    free(disk);
}

/* Where family is, or belongs. */
static size_t family_position(const struct memory_disk *disk, struct family family) {
    size_t low = 0, high = disk->family_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (family_compare(disk->families[middle]->family, family) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct memory_family *find_family(const struct memory_disk *disk, struct family family) {
    size_t at = family_position(disk, family);
    bool is_found =
        at < disk->family_count && family_compare(disk->families[at]->family, family) == 0;
    return is_found ? disk->families[at] : NULL;
}

static struct memory_file *find_file(const struct memory_disk *disk, uint64_t file) {
    for (size_t i = 0; i < disk->file_count; i++)
        if (disk->files[i].file == file)
            return &disk->files[i];
    return NULL;
}

/* Takes the run. */
static void push_run(struct memory_family *family, struct run run) {
    while (family->run_count > 0 && family->runs[family->run_count - 1].count <= 2 * run.count) {
        struct run *older = &family->runs[--family->run_count];
        struct run merged = run_merge(older, &run, family->run_count == 0);
        run_release(older);
        run_release(&run);
        run = merged;
    }
    ASSERT(family->run_count < RUNS_MAX);
    family->runs[family->run_count++] = run;
}

static bool is_dead(const struct store_memory *store) {
    const struct memory_faults *faults = store->faults;
    return faults && faults->crash_at >= 0 && faults->writes >= faults->crash_at;
}

/* The process is dead from crash_at on. */
static enum status count_write(struct store *store, struct error *err) {
    struct memory_faults *faults = memory(store)->faults;
    if (!faults)
        return STATUS_OK;
    faults->writes++;
    if (!is_dead(memory(store)))
        return STATUS_OK;
    return error_set(err, STATUS_IO, "memory disk: dead at write %lld", (long long)faults->writes);
}

/* The writes of the flush protocol. */

static bool has_family(struct store *store, struct family family) {
    return find_family(memory(store)->disk, family) != NULL;
}

static struct memory_family *make_family(struct memory_disk *disk, struct family family) {
    struct memory_family *found = find_family(disk, family);
    if (found)
        return found;
    size_t at = family_position(disk, family), behind = disk->family_count - at;
    disk->families =
        alloc_resize(disk->families, disk->family_count + 1, sizeof(struct memory_family *));
    memmove(disk->families + at + 1, disk->families + at, behind * sizeof(struct memory_family *));
    struct memory_family *created = alloc_resize(NULL, 1, sizeof *created);
    created->family = family;
    created->run_count = 0;
    disk->families[at] = created;
    disk->family_count++;
    return created;
}

static enum status drop_family(struct store *store, struct family family, struct error *err) {
    TRY(count_write(store, err));
    struct memory_disk *disk = memory(store)->disk;
    size_t at = family_position(disk, family);
    family_destroy(disk->families[at]);
    disk->family_count--;
    memmove(disk->families + at, disk->families + at + 1,
            (disk->family_count - at) * sizeof(struct memory_family *));
    return STATUS_OK;
}

/* A process that dies here has written half of it. */
static enum status write_file(struct store *store, uint64_t file, const struct store_rows *rows,
                              struct error *err) {
    struct memory_disk *disk = memory(store)->disk;
    bool was_dead = is_dead(memory(store));
    enum status status = count_write(store, err);
    if (was_dead)
        return status;
    ASSERT(!find_file(disk, file));
    bool is_partial = status != STATUS_OK;
    disk->files = alloc_resize(disk->files, disk->file_count + 1, sizeof *disk->files);
    disk->files[disk->file_count++] =
        (struct memory_file){.file = file,
                             .run = run_of_rows(rows, is_partial ? rows->count / 2 : rows->count),
                             .is_partial = is_partial};
    return status;
}

static enum status sync_files(struct store *store, struct error *err) {
    return count_write(store, err);
}

static int put_order(const void *a, const void *b) {
    const struct store_put *left = *(const struct store_put *const *)a,
                           *right = *(const struct store_put *const *)b;
    int order = family_compare(left->family, right->family);
    if (order == 0)
        order = slice_compare(left->key, right->key);
    return order ? order : (left > right) - (left < right);
}

static bool is_same_key(const struct store_put *a, const struct store_put *b) {
    return family_compare(a->family, b->family) == 0 && slice_equal(a->key, b->key);
}

/* Sorted by family and key; of one key the last put stays. */
static size_t sort_puts(const struct store_put *puts, size_t count,
                        const struct store_put **out_sorted) {
    for (size_t i = 0; i < count; i++)
        out_sorted[i] = &puts[i];
    qsort((void *)out_sorted, count, sizeof(const struct store_put *), put_order);
    size_t used = 0;
    for (size_t i = 0; i < count; i++)
        if (i + 1 == count || !is_same_key(out_sorted[i], out_sorted[i + 1]))
            out_sorted[used++] = out_sorted[i];
    return used;
}

static enum status write_batch(struct store *store, const struct store_put *puts, size_t count,
                               struct error *err) {
    TRY(count_write(store, err));
    const struct store_put **sorted = alloc_resize(NULL, count, sizeof(const struct store_put *));
    size_t used = sort_puts(puts, count, sorted);
    for (size_t at = 0, end; at < used; at = end) {
        struct family family = sorted[at]->family;
        for (end = at + 1; end < used && family_compare(sorted[end]->family, family) == 0;)
            end++;
        push_run(make_family(memory(store)->disk, family), run_of_puts(sorted + at, end - at));
    }
    free((void *)sorted);
    return STATUS_OK;
}

static const char *why_not_ingestible(const struct memory_file *file) {
    return !file               ? "gone"
           : file->is_partial  ? "partial"
           : file->is_ingested ? "ingested already"
                               : NULL;
}

/* Ingestion moves: a second time would be the corruption that it is in RocksDB. */
static enum status ingest(struct store *store, const struct flush_file *files, size_t count,
                          struct error *err) {
    TRY(count_write(store, err));
    struct memory_disk *disk = memory(store)->disk;
    for (size_t i = 0; i < count; i++) {
        struct memory_file *found = find_file(disk, files[i].number);
        const char *why = why_not_ingestible(found);
        if (!found || why)
            return error_set(err, STATUS_CORRUPT, "memory disk: file %llu is %s",
                             (unsigned long long)files[i].number, why);
        push_run(make_family(disk, files[i].family), found->run);
        found->run = (struct run){0};
        found->is_ingested = true;
    }
    return STATUS_OK;
}

static bool is_ingested(struct store *store, const struct flush_file *file) {
    const struct memory_file *found = find_file(memory(store)->disk, file->number);
    return found && found->is_ingested;
}

static enum status remove_file(struct store *store, uint64_t file, struct error *err) {
    TRY(count_write(store, err));
    struct memory_disk *disk = memory(store)->disk;
    struct memory_file *found = find_file(disk, file);
    if (!found)
        return STATUS_OK;
    run_release(&found->run);
    *found = disk->files[--disk->file_count];
    return STATUS_OK;
}

static enum status list_files(struct store *store, uint64_t **out_files, size_t *out_count,
                              struct arena *arena, struct error *err UNUSED) {
    const struct memory_disk *disk = memory(store)->disk;
    uint64_t *files = arena_take(arena, disk->file_count * sizeof *files);
    for (size_t i = 0; i < disk->file_count; i++)
        files[i] = disk->files[i].file;
    *out_files = files;
    *out_count = disk->file_count;
    return STATUS_OK;
}

static const struct disk_ops disk_operations = {
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

static struct slice find_value(const struct memory_family *family, struct slice key,
                               size_t cursors[RUNS_MAX]) {
    for (size_t i = family->run_count; i-- > 0;) {
        const struct pair *pair = run_find(&family->runs[i], key, &cursors[i]);
        if (pair)
            return pair->value_size == RUN_TOMBSTONE ? (struct slice){0} : pair_value(pair);
    }
    return (struct slice){0};
}

static void answer(const struct memory_disk *disk, const struct store_question *question,
                   struct arena *arena) {
    const struct memory_family *found = find_family(disk, question->family);
    size_t cursors[RUNS_MAX] = {0};
    for (size_t i = 0; i < question->count; i++) {
        struct slice value =
            found ? find_value(found, question->keys[i], cursors) : (struct slice){0};
        question->out_values[i] = value.data ? arena_copy(arena, value) : value;
    }
}

static enum status ask(struct store *store, const struct store_question *questions, size_t count,
                       struct arena *arena, struct error *err) {
    TRY(flush_usable(&memory(store)->flush, err));
    for (size_t i = 0; i < count; i++)
        answer(memory(store)->disk, &questions[i], arena);
    return STATUS_OK;
}

static enum status get(struct store *store, struct family family, const struct slice *keys,
                       size_t count, struct slice *out_values, struct arena *arena,
                       struct error *err) {
    const struct store_question question = {family, keys, count, out_values};
    return ask(store, &question, 1, arena, err);
}

static void merge_all(struct memory_family *family) {
    while (family->run_count > 1) {
        struct run *newer = &family->runs[--family->run_count],
                   *older = &family->runs[family->run_count - 1];
        struct run merged = run_merge(older, newer, family->run_count == 1);
        run_release(newer);
        run_release(older);
        *older = merged;
    }
}

static enum status scan(struct store *store, struct family family,
                        enum status (*visit)(void *context, struct slice key, struct slice value),
                        void *context, struct error *err) {
    TRY(flush_usable(&memory(store)->flush, err));
    struct memory_family *found = find_family(memory(store)->disk, family);
    if (!found)
        return STATUS_OK;
    merge_all(found);
    for (size_t i = 0; found->run_count && i < found->runs[0].count; i++) {
        const struct pair *pair = &found->runs[0].pairs[i];
        bool is_hidden = pair->value_size == RUN_TOMBSTONE ||
                         (family.kind == FAMILY_META && slice_equal(pair_key(pair), PENDING_KEY));
        if (!is_hidden)
            TRY(visit(context, pair_key(pair), pair_value(pair)));
    }
    return STATUS_OK;
}

static size_t list(struct store *store, struct family **out_families, struct arena *arena) {
    const struct memory_disk *disk = memory(store)->disk;
    struct family *families = arena_take(arena, disk->family_count * sizeof *families);
    size_t count = 0;
    for (size_t i = 0; i < disk->family_count; i++)
        if (family_is_sliced(disk->families[i]->family.kind))
            families[count++] = disk->families[i]->family;
    *out_families = families;
    return count;
}

static void usage(struct store *store, struct store_usage *out_usage) {
    const struct memory_disk *disk = memory(store)->disk;
    *out_usage = (struct store_usage){0};
    for (size_t i = 0; i < disk->family_count; i++) {
        out_usage->disk_files += disk->families[i]->run_count;
        for (size_t j = 0; j < disk->families[i]->run_count; j++)
            out_usage->disk_bytes += disk->families[i]->runs[j].bytes;
    }
}

static enum status flush_rows(struct store *store, const struct store_rows *rows,
                              size_t family_count, const struct store_put *puts, size_t put_count,
                              struct error *err) {
    return flush_write(&memory(store)->flush, rows, family_count, puts, put_count, err);
}

static enum status drop(struct store *store, struct family family, struct error *err) {
    return flush_drop(&memory(store)->flush, family, err);
}

static void close_store(struct store *store) {
    flush_release(&memory(store)->flush);
    free(store);
}

static const struct store_ops memory_ops = {
    .ask = ask,
    .get = get,
    .scan = scan,
    .flush = flush_rows,
    .drop = drop,
    .list = list,
    .usage = usage,
    .close = close_store,
};

enum status store_memory_open(struct memory_disk *disk, struct memory_faults *faults,
                              struct store **out_store, struct error *err) {
    struct store_memory *store = alloc_zero(1, sizeof *store);
    store->store.ops = &memory_ops;
    store->disk = disk;
    store->faults = faults;
    flush_init(&store->flush, &store->store, &disk_operations);
    enum status status = flush_recover(&store->flush, err);
    if (status != STATUS_OK) {
        close_store(&store->store);
        return error_wrap(err, status, "open the state in memory");
    }
    *out_store = &store->store;
    return STATUS_OK;
}
