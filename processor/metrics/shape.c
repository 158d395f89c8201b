/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "base/error.h"
#include "metrics/lag_bins.h"
#include "metrics/metric.h"
#include "stats/fixed.h"

/* A metric that is used twice, with two parameters, keeps its sums once. */
static int first_use(const struct task_definition *definition, int use) {
    int first = 0;
    while (definition->metrics[first].metric != definition->metrics[use].metric)
        first++;
    return first;
}

void shape_init(struct shape *out_shape, const struct task_definition *definition) {
    *out_shape = (struct shape){
        .kind = definition->kind,
        .cell_count = definition->cell_count,
        .threshold = definition->threshold,
        .class_count = definition->kind == TASK_BINARY ? 2 : (uint32_t)definition->class_count,
        .definition = definition,
    };
    for (int i = 0; i < definition->metric_count; i++) {
        int first = first_use(definition, i);
        out_shape->sum_offset[i] = first < i ? out_shape->sum_offset[first] : out_shape->sum_count;
        if (first == i)
            out_shape->sum_count += definition->metrics[i].metric->sum_count;
    }
    ASSERT(out_shape->sum_count <= SUMS_MAX);
}

/* floor(score cells), and a place for scores that no caller should let through. */
static uint32_t score_cell(double score, uint32_t cells) {
    if (!(score > 0))
        return 0;
    double cell = score * cells;
    return cell < cells ? (uint32_t)cell : cells - 1;
}

void prediction_part_of(const struct shape *shape, const struct output *output,
                        struct prediction_part *out_part) {
    *out_part = (struct prediction_part){0};
    switch (shape->kind) {
    case TASK_BINARY:
        out_part->cell = score_cell(output->score, shape->cell_count);
        out_part->is_positive = output->score >= shape->threshold;
        break;
    case TASK_MULTICLASS:
        out_part->cell = output->class;
        break;
    case TASK_REGRESSION:
        break;
    }
}

static void add_sums(const struct shape *shape, const struct pair *pair, int128 *sums) {
    const struct task_definition *definition = shape->definition;
    uint32_t filled = 0;
    for (uint32_t i = 0; i < shape->sum_count; i++)
        sums[i] = 0;
    for (int i = 0; i < definition->metric_count; i++) {
        const struct metric *metric = definition->metrics[i].metric;
        if (metric->sum_count == 0 || shape->sum_offset[i] < filled)
            continue;
        metric->add(shape, pair, sums + shape->sum_offset[i]);
        filled = shape->sum_offset[i] + metric->sum_count;
    }
}

void label_part_of(const struct shape *shape, const struct pair *pair,
                   struct label_part *out_part) {
    prediction_part_of(shape, &pair->output, &out_part->prediction);
    bool is_binary = shape->kind == TASK_BINARY;
    out_part->kind = shape->kind;
    out_part->label_class = is_binary ? pair->label.value > 0.5 : pair->label.class;
    out_part->lag_bin = lag_bin_of(pair->lag_ms);
    out_part->calibration_bin =
        is_binary ? calibration_bin_of_cell(shape, out_part->prediction.cell) : 0;
    out_part->score_fixed =
        is_binary ? (int64_t)fixed_from(fmin(fmax(pair->output.score, 0), 1)) : 0;
    out_part->sum_count = shape->sum_count;
    add_sums(shape, pair, out_part->sums);
}

uint32_t calibration_bin_of_cell(const struct shape *shape, uint32_t cell) {
    return cell * CALIBRATION_BINS / shape->cell_count;
}
