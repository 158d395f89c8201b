/* SPDX-License-Identifier: Apache-2.0 */
#include "state/flush.h"

#include <string.h>

#include "base/crash_point.h"
#include "base/varint.h"
#include "state/key.h"
#include "state/mutation.h"

/* A list of 64 tasks with some files each is a few kilobytes. */
enum { PENDING_VERSION = 2, PENDING_BYTES_MAX = 64 * 1024 * 1024 };

struct pending {
    struct flush_file *files;
    size_t count;
};

static const struct family meta = {.kind = FAMILY_META};

void (*flush_hook)(const char *write) = NULL;

void flush_announce(const char *write) {
    if (flush_hook)
        flush_hook(write);
}

void flush_init(struct flush *flush, struct store *store, const struct disk_ops *disk) {
    *flush = (struct flush){.store = store, .disk = disk, .next_file = 1};
    arena_init(&flush->arena);
}

void flush_release(struct flush *flush) {
    arena_release(&flush->arena);
}

enum status flush_usable(const struct flush *flush, struct error *err) {
    if (!flush->failed)
        return STATUS_OK;
    return error_set(err, STATUS_IO, "a write of this store failed before: close and open it");
}

/* The list, as bytes of the meta family. */

static void write_pending(const struct flush *flush, const struct pending *pending,
                          struct buffer *out) {
    write_long(out, PENDING_VERSION);
    write_long(out, (int64_t)flush->next_file);
    write_long(out, (int64_t)pending->count);
    for (size_t i = 0; i < pending->count; i++) {
        const struct flush_file *file = &pending->files[i];
        write_long(out, (int64_t)file->number);
        write_long(out, file->family.kind);
        write_long(out, file->family.instance);
        write_long(out, file->family.slice);
    }
}

static bool read_pending_file(struct reader *reader, struct flush_file *out_file) {
    out_file->number = (uint64_t)read_long(reader);
    int64_t kind = read_long(reader);
    out_file->family.kind = kind == FAMILY_MARKS ? FAMILY_MARKS : FAMILY_ROWS;
    out_file->family.instance = (uint32_t)read_long(reader);
    out_file->family.slice = read_long(reader);
    return kind == (int64_t)out_file->family.kind;
}

static enum status parse_pending(struct flush *flush, struct slice bytes,
                                 struct pending *out_pending, struct error *err) {
    struct reader reader = reader_from(bytes);
    int64_t version = read_long(&reader), next_file = read_long(&reader);
    size_t count = (size_t)read_long(&reader);
    if (reader.failed || version != PENDING_VERSION || count > bytes.size)
        return error_set(err, STATUS_CORRUPT, "the list of row files does not parse");
    struct pending pending = {arena_take(&flush->arena, count * sizeof *pending.files), count};
    bool is_parsed = true;
    for (size_t i = 0; i < count; i++)
        is_parsed &= read_pending_file(&reader, &pending.files[i]);
    if (!is_parsed || !reader_done(&reader))
        return error_set(err, STATUS_CORRUPT, "the list of row files does not parse");
    flush->next_file = (uint64_t)next_file;
    *out_pending = pending;
    return STATUS_OK;
}

/* Primitive writes, each announced to the tests. */

static enum status remove_file(struct flush *flush, uint64_t file, struct error *err) {
    flush_announce("remove_file");
    return flush->disk->remove_file(flush->store, file, err);
}

static enum status ingest(struct flush *flush, const struct pending *pending, struct error *err) {
    if (pending->count == 0)
        return STATUS_OK;
    flush_announce("ingest");
    return flush->disk->ingest(flush->store, pending->files, pending->count, err);
}

/* The puts and the list in one batch. */
static enum status commit(struct flush *flush, const struct store_put *puts, size_t count,
                          const struct pending *pending, struct error *err) {
    struct buffer list;
    buffer_init(&list, PENDING_BYTES_MAX);
    write_pending(flush, pending, &list);
    struct store_put *all = arena_take(&flush->arena, (count + 1) * sizeof *all);
    if (count > 0)
        memcpy(all, puts, count * sizeof *all);
    all[count] =
        (struct store_put){.family = meta, .key = PENDING_KEY, .value = buffer_slice(&list)};
    flush_announce("write_batch");
    enum status status = flush->disk->write_batch(flush->store, all, count + 1, err);
    buffer_release(&list);
    return status;
}

/* Step (a) */

static enum status write_file(struct flush *flush, const struct store_rows *rows,
                              struct pending *pending, struct error *err) {
    const struct flush_file file = {flush->next_file++, rows->family};
    pending->files[pending->count++] = file;
    flush_announce("write_file");
    return flush->disk->write_file(flush->store, file.number, rows, err);
}

static struct store_row row_behind_first(void *context, size_t i) {
    const struct store_rows *rows = context;
    return rows->row(rows->context, i + 1);
}

/* A mutation: without its first row. */
static enum status write_file_but_first(struct flush *flush, struct store_rows rows,
                                        struct pending *pending, struct error *err) {
    if (rows.count == 1)
        return STATUS_OK;
    return write_file(flush,
                      &(struct store_rows){rows.family, rows.count - 1, row_behind_first, &rows},
                      pending, err);
}

static enum status write_files(struct flush *flush, const struct store_rows *rows, size_t count,
                               struct pending *pending, struct error *err) {
    pending->files = arena_take(&flush->arena, count * sizeof *pending->files);
    bool drops_mark = mutation == MUTATION_DROP_MARK;
    for (size_t i = 0; i < count; i++) {
        if (!drops_mark || rows[i].family.kind != FAMILY_MARKS) {
            TRY(write_file(flush, &rows[i], pending, err));
            continue;
        }
        drops_mark = false;
        TRY(write_file_but_first(flush, rows[i], pending, err));
    }
    if (pending->count == 0)
        return STATUS_OK;
    flush_announce("sync_files");
    return flush->disk->sync_files(flush->store, err);
}

/* Step (c) */

static enum status ingest_files(struct flush *flush, const struct pending *pending,
                                struct error *err) {
    TRY(ingest(flush, pending, err));
    for (size_t i = 0; i < pending->count; i++)
        TRY(remove_file(flush, pending->files[i].number, err));
    return STATUS_OK;
}

static enum status clear(struct flush *flush, const struct pending *pending, struct error *err) {
    if (pending->count == 0)
        return STATUS_OK;
    return commit(flush, NULL, 0, &(struct pending){0}, err);
}

static bool is_reserved(const struct store_put *put) {
    struct slice head = RESERVED_KEYS;
    return put->family.kind == FAMILY_META && put->key.size >= head.size &&
           memcmp(put->key.data, head.data, head.size) == 0;
}

static void check_contract(const struct store_rows *rows, size_t family_count,
                           const struct store_put *puts, size_t put_count) {
    for (size_t i = 0; i < family_count; i++) {
        ASSERT(rows[i].count > 0 && family_is_sliced(rows[i].family.kind));
        ASSERT(i == 0 || family_compare(rows[i - 1].family, rows[i].family) < 0);
    }
    for (size_t i = 0; i < put_count; i++) {
        ASSERT(!family_is_sliced(puts[i].family.kind));
        ASSERT(!is_reserved(&puts[i]));
    }
}

static enum status write_all(struct flush *flush, const struct store_rows *rows,
                             size_t family_count, const struct store_put *puts, size_t put_count,
                             struct error *err) {
    struct pending pending = {0};
    TRY(write_files(flush, rows, family_count, &pending, err));
    if (mutation == MUTATION_ROWS_BEFORE_COUNTS) {
        TRY(ingest_files(flush, &pending, err));
        pending.count = 0;
    }
    TRY(commit(flush, puts, put_count, &pending, err));
    TRY(ingest_files(flush, &pending, err));
    return clear(flush, &pending, err);
}

enum status flush_write(struct flush *flush, const struct store_rows *rows, size_t family_count,
                        const struct store_put *puts, size_t put_count, struct error *err) {
    TRY(flush_usable(flush, err));
    check_contract(rows, family_count, puts, put_count);
    if (family_count == 0 && put_count == 0)
        return STATUS_OK;
    arena_reset(&flush->arena);
    enum status status = write_all(flush, rows, family_count, puts, put_count, err);
    CRASH_POINT("flush.done");
    flush->failed = status != STATUS_OK;
    return status;
}

enum status flush_drop(struct flush *flush, struct family family, struct error *err) {
    TRY(flush_usable(flush, err));
    ASSERT(family_is_sliced(family.kind));
    if (!flush->disk->has_family(flush->store, family))
        return STATUS_OK;
    flush_announce("drop_family");
    enum status status = flush->disk->drop_family(flush->store, family, err);
    flush->failed = status != STATUS_OK;
    return status;
}

/* Recovery */

static bool contains(const uint64_t *files, size_t count, uint64_t file) {
    for (size_t i = 0; i < count; i++)
        if (files[i] == file)
            return true;
    return false;
}

static bool is_pending(const struct pending *pending, uint64_t file) {
    for (size_t i = 0; i < pending->count; i++)
        if (pending->files[i].number == file)
            return true;
    return false;
}

static enum status recover_files(struct flush *flush, const struct pending *pending,
                                 struct error *err) {
    uint64_t *files = NULL;
    size_t count = 0;
    TRY(flush->disk->list_files(flush->store, &files, &count, &flush->arena, err));
    struct pending missing = {arena_take(&flush->arena, pending->count * sizeof *missing.files), 0};
    for (size_t i = 0; i < pending->count; i++)
        if (contains(files, count, pending->files[i].number) &&
            (mutation == MUTATION_REINGEST ||
             !flush->disk->is_ingested(flush->store, &pending->files[i])))
            missing.files[missing.count++] = pending->files[i];
    TRY(ingest(flush, &missing, err));
    for (size_t i = 0; i < pending->count; i++)
        if (contains(files, count, pending->files[i].number))
            TRY(remove_file(flush, pending->files[i].number, err));
    for (size_t i = 0; i < count; i++)
        if (!is_pending(pending, files[i]))
            TRY(remove_file(flush, files[i], err));
    return clear(flush, pending, err);
}

enum status flush_recover(struct flush *flush, struct error *err) {
    struct slice key = PENDING_KEY, bytes = {0};
    struct pending pending = {0};
    TRY(flush->store->ops->get(flush->store, meta, &key, 1, &bytes, &flush->arena, err));
    if (bytes.data)
        TRY(parse_pending(flush, bytes, &pending, err));
    return recover_files(flush, &pending, err);
}
