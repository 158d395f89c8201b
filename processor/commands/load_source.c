/* SPDX-License-Identifier: Apache-2.0 */
#include "commands/load_source.h"

#include <stdlib.h>

#include "base/arena.h"
#include "schemas/record_file.h"

struct held_record {
    struct load_record record;
    size_t number; /* in the file: equal times keep its order */
};

struct load_source {
    struct load_source_options options;
    struct record_file *file; /* NULL once all is held */
    struct load_span span;
    bool is_sorted, has_record;
    struct load_record record;
    struct arena arena;
    struct held_record *held;
    size_t held_count, held_at;
};

static enum status open_file(struct load_source *source, struct error *err) {
    size_t count = 0;
    const struct column_path *columns = record_writer_columns(source->options.writer, &count);
    record_file_close(source->file);
    source->file = NULL;
    TRY(record_file_open(source->options.path, columns, count, &source->file, err));
    return record_writer_accepts(source->options.writer, source->file, err);
}

/* The next good row at or after from_ms. */
static enum status read_record(struct load_source *source, struct error *err) {
    struct value values[LOAD_COLUMNS_MAX];
    for (source->has_record = false;;) {
        bool end = false;
        enum status status = record_file_next(source->file, values, &end, err);
        if (status == STATUS_OK && end)
            return STATUS_OK;
        if (status == STATUS_OK &&
            !record_writer_write(source->options.writer, source->file, values, &source->record))
            status = error_set(err, STATUS_CORRUPT, "%.300s:%zu: the row has no id or no time",
                               source->options.path, record_file_line(source->file));
        if (status == STATUS_CORRUPT && source->options.skip_bad) {
            source->span.bad++;
            continue;
        }
        if (status != STATUS_OK)
            return status;
        if (source->record.time_ms >= source->options.from_ms) {
            source->has_record = true;
            return STATUS_OK;
        }
    }
}

static enum status scan(struct load_source *source, struct error *err) {
    struct load_span *span = &source->span;
    source->is_sorted = true;
    TRY(open_file(source, err));
    for (;;) {
        TRY(read_record(source, err));
        if (!source->has_record)
            return STATUS_OK;
        int64_t time_ms = source->record.time_ms;
        source->is_sorted = source->is_sorted && (span->count == 0 || time_ms >= span->last_ms);
        if (span->count == 0 || time_ms < span->first_ms)
            span->first_ms = time_ms;
        if (span->count == 0 || time_ms > span->last_ms)
            span->last_ms = time_ms;
        span->count++;
        span->bytes += source->record.key.size + source->record.value.size;
    }
}

static int compare_held(const void *a, const void *b) {
    const struct held_record *left = a, *right = b;
    if (left->record.time_ms != right->record.time_ms)
        return left->record.time_ms < right->record.time_ms ? -1 : 1;
    return (left->number > right->number) - (left->number < right->number);
}

static enum status hold(struct load_source *source, struct error *err) {
    source->held = alloc_zero(source->span.count, sizeof *source->held);
    for (;;) {
        TRY(read_record(source, err));
        if (!source->has_record || source->held_count == source->span.count)
            break;
        struct held_record *held = &source->held[source->held_count];
        held->number = source->held_count++;
        held->record = (struct load_record){source->record.time_ms,
                                            arena_copy(&source->arena, source->record.key),
                                            arena_copy(&source->arena, source->record.value)};
        if (source->arena.total + source->held_count * sizeof *held > LOAD_BYTES_MAX)
            return error_set(err, STATUS_CONFIG,
                             "%.300s is not in order of time and larger than 4 GB in memory: sort "
                             "it, or use --keep-order",
                             source->options.path);
    }
    qsort(source->held, source->held_count, sizeof *source->held, compare_held);
    record_file_close(source->file);
    source->file = NULL;
    return STATUS_OK;
}

static enum status begin(struct load_source *source, struct error *err) {
    TRY(scan(source, err));
    uint64_t bad = source->span.bad;
    TRY(open_file(source, err));
    if (!source->is_sorted && !source->options.keep_order)
        TRY(hold(source, err));
    TRY(load_source_advance(source, err));
    source->span.bad = bad;
    return STATUS_OK;
}

enum status load_source_open(const struct load_source_options *options,
                             struct load_source **out_source, struct error *err) {
    struct load_source *source = alloc_zero(1, sizeof *source);
    source->options = *options;
    arena_init(&source->arena);
    enum status status = begin(source, err);
    if (status != STATUS_OK) {
        load_source_close(source);
        return status;
    }
    *out_source = source;
    return STATUS_OK;
}

void load_source_close(struct load_source *source) {
    if (!source)
        return;
    record_file_close(source->file);
    arena_release(&source->arena);
    free(source->held);
    free(source);
}

const struct load_record *load_source_peek(const struct load_source *source) {
    return source->has_record ? &source->record : NULL;
}

enum status load_source_advance(struct load_source *source, struct error *err) {
    if (!source->held)
        return read_record(source, err);
    source->has_record = source->held_at < source->held_count;
    if (source->has_record)
        source->record = source->held[source->held_at++].record;
    return STATUS_OK;
}

void load_source_span(const struct load_source *source, struct load_span *out_span) {
    *out_span = source->span;
}
