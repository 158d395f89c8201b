/* SPDX-License-Identifier: Apache-2.0 */
#include "base/varint.h"
#include "metrics/tables_private.h"

/* No pane, group and partition holds more records; far from where sums of many panes overflow. */
static const int64_t count_limit = INT64_C(1) << 40;
static const int64_t score_limit = INT64_C(1) << 62;
static const int64_t high_limit = INT64_C(1) << 62;

/* --- numbers --------------------------------------------------------------------------------- */

enum { LONG_BYTES_MAX = 10 };

/* Like write_long into memory that is already reserved: most numbers take one byte. */
static inline unsigned char *put_long(unsigned char *at, int64_t value) {
    uint64_t zigzag = ((uint64_t)value << 1) ^ (value < 0 ? UINT64_MAX : 0);
    for (; zigzag >= 0x80; zigzag >>= 7)
        *at++ = (unsigned char)(zigzag | 0x80);
    *at++ = (unsigned char)zigzag;
    return at;
}

/* buffer_reserve without its call while there is room. */
static inline unsigned char *room_for(struct buffer *out, size_t count) {
    if (out->capacity - out->size >= count)
        return (unsigned char *)out->data + out->size;
    return (unsigned char *)buffer_reserve(out, count);
}

static inline void append_long(struct buffer *out, int64_t value) {
    unsigned char *start = room_for(out, LONG_BYTES_MAX);
    out->size += (size_t)(put_long(start, value) - start);
}

static inline int64_t from_zigzag(uint64_t zigzag) {
    return (int64_t)((zigzag >> 1) ^ (0 - (zigzag & 1)));
}

static inline int64_t next_long(struct reader *reader) {
    const unsigned char *at = reader->at;
    if (reader->end - at < 2)
        return read_long(reader);
    if (at[0] < 0x80) {
        reader->at++;
        return from_zigzag(at[0]);
    }
    if (at[1] < 0x80) {
        reader->at += 2;
        return from_zigzag((at[0] & 0x7fU) | (uint64_t)at[1] << 7);
    }
    return read_long(reader);
}

/* --- writing ------------------------------------------------------------------------------- */

static bool is_empty(const struct cell *cell) {
    return cell->predicted == 0 && cell->positives == 0 && cell->negatives == 0;
}

/* The first cell at or after from that counts something. */
static size_t next_cell(const struct cell *cells, size_t count, size_t from) {
    while (from < count && is_empty(&cells[from]))
        from++;
    return from;
}

/* One past the run of neighbours that begins at from. */
static size_t run_end(const struct cell *cells, size_t count, size_t from) {
    size_t end = from + 1;
    while (end < count && cells[end].cell == cells[end - 1].cell + 1 && !is_empty(&cells[end]))
        end++;
    return end;
}

static int64_t count_items(const struct cell *cells, size_t count) {
    size_t items = 0, end;
    for (size_t i = next_cell(cells, count, 0); i < count; i = next_cell(cells, count, end)) {
        end = run_end(cells, count, i);
        items += 2 + 3 * (end - i);
    }
    return (int64_t)items;
}

static int64_t unlabelled(const struct cell *cell) {
    return cell->predicted - cell->positives - cell->negatives;
}

static void write_cell(const struct cell *cell, const struct cell *last, struct buffer *out) {
    unsigned char *start = room_for(out, 3 * LONG_BYTES_MAX);
    unsigned char *at = put_long(start, cell->positives - last->positives);
    at = put_long(at, cell->negatives - last->negatives);
    at = put_long(at, unlabelled(cell) - unlabelled(last));
    out->size += (size_t)(at - start);
}

/* Neighbouring cells hold similar counts, so their differences take one byte where the counts take
 * two or three. */
static void write_cells(const struct tables *tables, struct buffer *out) {
    const struct cell *cells, none = {0}, *last = &none;
    size_t count = tables_cells(tables, &cells), end;
    int64_t items = count_items(cells, count);
    uint32_t after = 0; /* one past the last cell written */
    if (items > 0)
        append_long(out, items);
    for (size_t i = next_cell(cells, count, 0); i < count; i = next_cell(cells, count, end)) {
        end = run_end(cells, count, i);
        append_long(out, cells[i].cell - after);
        append_long(out, (int64_t)(end - i));
        after = cells[end - 1].cell + 1;
        for (size_t at = i; at < end; last = &cells[at++])
            write_cell(&cells[at], last, out);
    }
    append_long(out, 0);
}

/* Counters with keys in [from, to): first and one past last in *out_end. */
static uint32_t counters_between(const struct tables *tables, uint32_t from, uint32_t to,
                                 uint32_t *out_end) {
    const struct counter *counters = (const void *)tables->counters.items;
    uint32_t first = 0, end;
    while (first < tables->counters.count && counters[first].key < from)
        first++;
    for (end = first; end < tables->counters.count && counters[end].key < to;)
        end++;
    *out_end = end;
    return first;
}

static void write_confusion(const struct tables *tables, struct buffer *out) {
    const struct counter *counters = (const void *)tables->counters.items;
    uint32_t end, first = counters_between(tables, KEY_CONFUSION, KEYS_END, &end);
    uint32_t after = KEY_CONFUSION;
    int64_t items = 0;
    for (uint32_t i = first; i < end; i++)
        items += counters[i].count ? 2 : 0;
    if (items > 0)
        append_long(out, items);
    for (uint32_t i = first; i < end; i++) {
        if (counters[i].count == 0)
            continue;
        append_long(out, counters[i].key - after);
        append_long(out, counters[i].count);
        after = counters[i].key + 1;
    }
    append_long(out, 0);
}

/* Dense from the first to the last counter that is not 0, after the place of the first. */
static void write_dense(const struct tables *tables, uint32_t from, uint32_t to,
                        struct buffer *out) {
    const struct counter *counters = (const void *)tables->counters.items;
    uint32_t end, first = counters_between(tables, from, to, &end);
    while (first < end && counters[first].count == 0)
        first++;
    while (end > first && counters[end - 1].count == 0)
        end--;
    if (first < end) {
        uint32_t key = counters[first].key, last = counters[end - 1].key;
        append_long(out, last - key + 2);
        append_long(out, key - from);
        for (uint32_t i = first; i < end; i++, key++) {
            for (; key < counters[i].key; key++)
                append_long(out, 0);
            append_long(out, counters[i].count);
        }
    }
    append_long(out, 0);
}

static void write_sums(const struct tables *tables, struct buffer *out) {
    uint32_t count = tables->sum_count;
    while (count > 0 && tables->sums[count - 1] == 0)
        count--;
    if (count > 0)
        append_long(out, 2 * (int64_t)count);
    for (uint32_t i = 0; i < count; i++) {
        int64_t low = (int64_t)(uint64_t)(uint128)tables->sums[i];
        append_long(out, low);
        append_long(out, (int64_t)((tables->sums[i] - low) / ((int128)1 << 64)));
    }
    append_long(out, 0);
}

void tables_write(const struct tables *tables, struct buffer *out) {
    append_long(out, tables->predicted);
    append_long(out, tables->predicted_positive);
    append_long(out, tables->labelled);
    write_cells(tables, out);
    write_confusion(tables, out);
    write_dense(tables, KEY_CALIBRATION, KEY_CONFUSION, out);
    write_dense(tables, KEY_LAG, KEY_CALIBRATION, out);
    write_sums(tables, out);
}

/* --- reading ------------------------------------------------------------------------------- */

static bool is_count(int64_t value) {
    return value >= 0 && value <= count_limit;
}

struct totals {
    int64_t predicted, labelled, confusion, lag;
};

/* An item count that our writer gives: one block, closed by 0.  False: not that. */
static bool read_size(struct reader *reader, int64_t most, int64_t *out_size) {
    *out_size = next_long(reader);
    return !reader->failed && *out_size >= 0 && *out_size <= most;
}

static bool read_end(struct reader *reader, int64_t size) {
    return !reader->failed && (size == 0 || next_long(reader) == 0);
}

static uint32_t cells_of(const struct shape *shape) {
    return shape->kind == TASK_BINARY       ? shape->cell_count
           : shape->kind == TASK_MULTICLASS ? shape->class_count
                                            : 1;
}

/* The counts of the cell read last: what the next one differs from. */
struct running {
    int64_t positives, negatives, unlabelled;
};

static inline void read_differences(struct reader *reader, struct running *counts) {
    const unsigned char *at = reader->at;
    if (reader->end - at >= 3 && (at[0] | at[1] | at[2]) < 0x80) {
        counts->positives += from_zigzag(at[0]);
        counts->negatives += from_zigzag(at[1]);
        counts->unlabelled += from_zigzag(at[2]);
        reader->at = at + 3;
    } else {
        counts->positives = add_wrapping_long(counts->positives, next_long(reader));
        counts->negatives = add_wrapping_long(counts->negatives, next_long(reader));
        counts->unlabelled = add_wrapping_long(counts->unlabelled, next_long(reader));
    }
}

/* Checked after each cell, so that the next difference cannot overflow. */
static inline bool is_cell(const struct running *counts, bool is_binary) {
    if (!is_count(counts->positives) || !is_count(counts->negatives) ||
        counts->unlabelled > count_limit)
        return false;
    int64_t labelled = counts->positives + counts->negatives;
    bool is_empty = labelled == 0 && counts->unlabelled == 0;
    return counts->unlabelled >= -labelled && !is_empty && (is_binary || labelled == 0);
}

static inline void add_cell(struct tables *into, uint32_t number, const struct running *counts,
                            struct totals *totals) {
    int64_t labelled = counts->positives + counts->negatives;
    struct cell *cell = cell_at(into, number);
    cell->positives = add_wrapping_long(cell->positives, counts->positives);
    cell->negatives = add_wrapping_long(cell->negatives, counts->negatives);
    cell->predicted = add_wrapping_long(cell->predicted, labelled + counts->unlabelled);
    totals->labelled += labelled;
    totals->predicted += labelled + counts->unlabelled;
}

static bool read_cells(struct tables *into, const struct shape *shape, struct reader *reader,
                       struct totals *totals) {
    int64_t limit = cells_of(shape), size, left, cell = 0;
    struct running counts = {0};
    bool is_binary = shape->kind == TASK_BINARY;
    if (!read_size(reader, 5 * limit, &size))
        return false;
    for (left = size; left > 0;) {
        int64_t skip = next_long(reader), length = next_long(reader);
        left -= 2;
        if (skip < 0 || skip > limit - cell || length < 1 || length > limit - cell - skip ||
            3 * length > left)
            return false;
        left -= 3 * length;
        for (cell += skip; length > 0; length--, cell++) {
            read_differences(reader, &counts);
            if (!is_cell(&counts, is_binary))
                return false;
            add_cell(into, (uint32_t)cell, &counts, totals);
        }
    }
    return left == 0 && read_end(reader, size);
}

static void add_counter(struct tables *into, uint32_t key, int64_t value) {
    int64_t *counter = counter_at(into, key);
    *counter = add_wrapping_long(*counter, value);
}

static bool read_confusion(struct tables *into, const struct shape *shape, struct reader *reader,
                           struct totals *totals) {
    int64_t classes = shape->kind == TASK_REGRESSION ? 0 : shape->class_count;
    int64_t size, place = 0;
    if (!read_size(reader, 2 * classes * classes, &size) || size % 2 != 0)
        return false;
    for (int64_t i = 0; i < size; i += 2, place++) {
        int64_t skip = next_long(reader), count = next_long(reader);
        if (skip < 0 || skip > CLASSES_MAX * CLASSES_MAX || count == 0 || !is_count(count))
            return false;
        place += skip;
        if (place / CLASSES_MAX >= classes || place % CLASSES_MAX >= classes)
            return false;
        add_counter(into, KEY_CONFUSION + (uint32_t)place, count);
        totals->confusion += count;
    }
    return read_end(reader, size);
}

static bool read_dense(struct tables *into, struct reader *reader, uint32_t from, uint32_t to,
                       int64_t limit, int64_t *out_total) {
    int64_t size, room = to - from;
    *out_total = 0;
    if (!read_size(reader, room + 1, &size) || size == 1)
        return false;
    int64_t first = size ? next_long(reader) : 0;
    if (first < 0 || first > room || size - 1 > room - first)
        return false;
    for (int64_t i = 0; i < size - 1; i++) {
        int64_t value = next_long(reader);
        if (value < 0 || value > limit)
            return false;
        if (value)
            add_counter(into, from + (uint32_t)(first + i), value);
        *out_total = add_wrapping_long(*out_total, value);
    }
    return read_end(reader, size);
}

static bool read_sums(struct tables *into, const struct shape *shape, struct reader *reader) {
    int64_t size;
    if (!read_size(reader, 2 * (int64_t)shape->sum_count, &size) || size % 2 != 0)
        return false;
    tables_grow_sums(into, (uint32_t)(size / 2));
    for (uint32_t i = 0; i < (uint32_t)(size / 2); i++) {
        int64_t low = next_long(reader), high = next_long(reader);
        if (high < -high_limit || high > high_limit)
            return false;
        into->sums[i] = add_wrapping(into->sums[i], (int128)high * ((int128)1 << 64) + low);
    }
    return read_end(reader, size);
}

static bool totals_agree(const struct shape *shape, const struct totals *totals, int64_t predicted,
                         int64_t labelled) {
    return totals->predicted == predicted && totals->lag == labelled &&
           totals->labelled == (shape->kind == TASK_BINARY ? labelled : 0) &&
           totals->confusion == (shape->kind == TASK_REGRESSION ? 0 : labelled);
}

bool tables_read(struct tables *into, const struct shape *shape, struct slice bytes) {
    struct reader reader = reader_from(bytes);
    struct totals totals = {0};
    int64_t scores;
    int64_t predicted = next_long(&reader), positive = next_long(&reader),
            labelled = next_long(&reader);
    if (!is_count(predicted) || !is_count(positive) || positive > predicted || !is_count(labelled))
        return false;
    into->predicted = add_wrapping_long(into->predicted, predicted);
    into->predicted_positive = add_wrapping_long(into->predicted_positive, positive);
    into->labelled = add_wrapping_long(into->labelled, labelled);
    return read_cells(into, shape, &reader, &totals) &&
           read_confusion(into, shape, &reader, &totals) &&
           read_dense(into, &reader, KEY_CALIBRATION, KEY_CONFUSION, score_limit, &scores) &&
           read_dense(into, &reader, KEY_LAG, KEY_CALIBRATION, count_limit, &totals.lag) &&
           read_sums(into, shape, &reader) && reader_done(&reader) &&
           totals_agree(shape, &totals, predicted, labelled);
}

int64_t tables_written_predicted(struct slice bytes) {
    struct reader reader = reader_from(bytes);
    return next_long(&reader);
}
