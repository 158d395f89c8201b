/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "metrics/tables_private.h"

struct tables *tables_create(void) {
    return alloc_zero(1, sizeof(struct tables));
}

void tables_destroy(struct tables *tables) {
    if (!tables)
        return;
    sparse_release(&tables->cells);
    sparse_release(&tables->counters);
    free(tables->sums);
    free(tables);
}

void tables_clear(struct tables *tables) {
    tables->predicted = tables->predicted_positive = tables->labelled = 0;
    sparse_clear(&tables->cells, sizeof(struct cell));
    sparse_clear(&tables->counters, sizeof(struct counter));
    for (uint32_t i = 0; i < tables->sum_count; i++)
        tables->sums[i] = 0;
}

size_t tables_bytes(const struct tables *tables) {
    return sizeof *tables + sparse_bytes(&tables->cells, sizeof(struct cell)) +
           sparse_bytes(&tables->counters, sizeof(struct counter)) +
           tables->sum_count * sizeof *tables->sums;
}

size_t tables_items(const struct tables *tables) {
    return (size_t)tables->cells.count + tables->counters.count;
}

void tables_grow_sums(struct tables *tables, uint32_t count) {
    if (count <= tables->sum_count)
        return;
    tables->sums = alloc_resize(tables->sums, count, sizeof *tables->sums);
    memset(tables->sums + tables->sum_count, 0, (count - tables->sum_count) * sizeof *tables->sums);
    tables->sum_count = count;
}

void tables_add_prediction(struct tables *tables, const struct prediction_part *part) {
    tables->predicted++;
    tables->predicted_positive += part->is_positive;
    cell_at(tables, part->cell)->predicted++;
}

static void add_sums(struct tables *tables, const int128 *sums, uint32_t count, int sign) {
    if (count > tables->sum_count)
        tables_grow_sums(tables, count);
    if (sign > 0) {
        for (uint32_t i = 0; i < count; i++)
            tables->sums[i] = add_wrapping(tables->sums[i], sums[i]);
    } else {
        for (uint32_t i = 0; i < count; i++)
            tables->sums[i] = add_wrapping(tables->sums[i], (int128)(0 - (uint128)sums[i]));
    }
}

static void add_class(struct tables *tables, const struct label_part *part,
                      uint32_t predicted_class, int64_t sign) {
    *counter_at(tables, KEY_CONFUSION + part->label_class * CLASSES_MAX + predicted_class) += sign;
}

static void add_binary(struct tables *tables, const struct label_part *part, int64_t sign) {
    struct cell *cell = cell_at(tables, part->prediction.cell);
    /* Without a branch: labels are what nobody can foresee. */
    cell->positives += part->label_class ? sign : 0;
    cell->negatives += part->label_class ? 0 : sign;
    *counter_at(tables, KEY_CALIBRATION + part->calibration_bin) += sign * part->score_fixed;
    add_class(tables, part, part->prediction.is_positive, sign);
}

void tables_add_label(struct tables *tables, const struct label_part *part, int sign) {
    tables->labelled += sign;
    *counter_at(tables, KEY_LAG + part->lag_bin) += sign;
    if (part->kind == TASK_BINARY)
        add_binary(tables, part, sign);
    else if (part->kind == TASK_MULTICLASS)
        add_class(tables, part, part->prediction.cell, sign);
    add_sums(tables, part->sums, part->sum_count, sign);
}

/* Counts of hostile partials may be anything: they wrap. */
static void add_to(int64_t *sum, int64_t count, int sign) {
    *sum = add_wrapping_long(*sum, sign > 0 ? count : (int64_t)(0 - (uint64_t)count));
}

void tables_merge(struct tables *into, const struct tables *from, int sign) {
    ASSERT(into != from);
    add_to(&into->predicted, from->predicted, sign);
    add_to(&into->predicted_positive, from->predicted_positive, sign);
    add_to(&into->labelled, from->labelled, sign);
    const struct cell *cells;
    for (size_t i = 0, count = tables_cells(from, &cells); i < count; i++) {
        struct cell *cell = cell_at(into, cells[i].cell);
        add_to(&cell->predicted, cells[i].predicted, sign);
        add_to(&cell->positives, cells[i].positives, sign);
        add_to(&cell->negatives, cells[i].negatives, sign);
    }
    const struct counter *counters = (const void *)from->counters.items;
    for (uint32_t i = 0; i < from->counters.count; i++)
        add_to(counter_at(into, counters[i].key), counters[i].count, sign);
    add_sums(into, from->sums, from->sum_count, sign);
}

int64_t tables_predicted(const struct tables *tables) {
    return tables->predicted;
}

int64_t tables_predicted_positive(const struct tables *tables) {
    return tables->predicted_positive;
}

int64_t tables_labelled(const struct tables *tables) {
    return tables->labelled;
}

size_t tables_cells(const struct tables *tables, const struct cell **out_cells) {
    *out_cells = (const void *)tables->cells.items;
    return tables->cells.count;
}

static int64_t counter_of(const struct tables *tables, uint32_t key) {
    const struct counter *counter = sparse_find(&tables->counters, key, sizeof *counter);
    return counter ? counter->count : 0;
}

int64_t tables_confusion(const struct tables *tables, uint32_t label_class,
                         uint32_t predicted_class) {
    return counter_of(tables, KEY_CONFUSION + label_class * CLASSES_MAX + predicted_class);
}

int128 tables_sum(const struct tables *tables, uint32_t index) {
    return index < tables->sum_count ? tables->sums[index] : 0;
}

int64_t tables_calibration_score(const struct tables *tables, uint32_t bin) {
    return counter_of(tables, KEY_CALIBRATION + bin);
}

int64_t tables_lag(const struct tables *tables, uint32_t bin) {
    return counter_of(tables, KEY_LAG + bin);
}
