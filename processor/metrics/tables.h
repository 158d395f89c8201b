/* tables.h -- the mergeable state of one pane and group: what every metric reads.
 *
 * Tables are sums of per-record contributions, all of them integers or fixed point, so that adding,
 * retracting (sign -1) and merging are exact, associative and commutative (statistics: all counts
 * int64, sums int128 in units of 2^-32).  Sparse: a pane with few rows is small in memory and on
 * the wire.
 *
 *   prediction side   predicted, predicted positive, predicted per score cell (binary) or class
 *   label side        labelled; per score cell positives and negatives (binary); confusion counts
 *                     (multiclass; binary at the declared threshold: tp fp tn fn exact);
 * calibration score sums per bin; the metrics' own fixed-point sums; lag histogram
 *
 * Ownership: create/destroy.  Not thread safe.  SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_METRICS_TABLES_H
#define SLIPSTREAM_METRICS_TABLES_H

#include "base/attributes.h"
#include "base/slice.h"
#include "config/definition.h"

enum {
    SUMS_MAX = 16,         /* fixed-point sums of all metrics of a task together */
    CALIBRATION_BINS = 16, /* equal widths over [0,1] */
    LAG_BINS = 64,
};

/* What the tables of one task definition look like; made once by shape_init, then constant. */
struct shape {
    enum task_kind kind;
    uint32_t cell_count;
    double threshold;
    uint32_t class_count;
    uint32_t sum_count;
    uint32_t sum_offset[METRICS_MAX]; /* first sum of the i-th metric of the definition */
    const struct task_definition *definition;
};

void shape_init(struct shape *out_shape, const struct task_definition *definition);

/* The prediction as it is stored in the join state. */
struct output {
    double score;   /* binary: in [0,1] */
    double value;   /* regression */
    uint32_t class; /* multiclass: index into the definition's classes */
};

struct label {
    double value;   /* binary: 0 or 1; regression: the true value */
    uint32_t class; /* multiclass */
};

struct pair {
    struct output output;
    struct label label;
    int64_t lag_ms; /* may be negative, down to -skew */
};

/* What one prediction, or one label, adds: computed once, applied to each group of the row. */
struct prediction_part {
    uint32_t cell; /* binary: score cell; multiclass: predicted class; regression: 0 */
    bool is_positive;
};

struct label_part {
    struct prediction_part prediction;
    enum task_kind kind;
    uint32_t label_class; /* binary: 0 or 1 */
    uint32_t lag_bin, calibration_bin;
    uint32_t sum_count;  /* sums in use */
    int64_t score_fixed; /* binary: round(score * 2^32) */
    int128 sums[SUMS_MAX];
};

void prediction_part_of(const struct shape *shape, const struct output *output,
                        struct prediction_part *out_part);
void label_part_of(const struct shape *shape, const struct pair *pair, struct label_part *out_part);

/* The calibration bin of a score cell: bins are unions of cells, so that their counts come from the
 * cells; of equal widths when CALIBRATION_BINS divides cell_count. */
uint32_t calibration_bin_of_cell(const struct shape *shape, uint32_t cell);

struct tables;

struct tables *tables_create(void);
void tables_destroy(struct tables *tables);
void tables_clear(struct tables *tables);         /* empty, keeps memory */
size_t tables_bytes(const struct tables *tables); /* memory held, roughly */
size_t tables_items(const struct tables *tables); /* cells and counters, as a measure of size */

void tables_add_prediction(struct tables *tables, const struct prediction_part *part);
void tables_add_label(struct tables *tables, const struct label_part *part, int sign /* +1, -1 */);
void tables_merge(struct tables *into, const struct tables *from, int sign);

/* Encoded form: Avro fields of schemas/partial.avsc from `predicted` on, in order (so that a
 * partial is a valid Avro record).  Equal tables give equal bytes.  tables_read adds the encoded
 * tables to into; returns false on malformed bytes (into is then unusable until cleared).
 * Only tables whose counts are all >= 0 can be read again: more taken away than was added is a bug
 * of the caller. */
void tables_write(const struct tables *tables, struct buffer *out);
bool tables_read(struct tables *into, const struct shape *shape, struct slice bytes);
/* tables_predicted of tables that tables_write has written. */
int64_t tables_written_predicted(struct slice bytes);

/* Read access for metrics.  Cells are ascending; counts may be 0 after retraction. */
struct cell {
    uint32_t cell;
    int64_t predicted, positives, negatives; /* labelled = positives + negatives */
};
int64_t tables_predicted(const struct tables *tables);
int64_t tables_predicted_positive(const struct tables *tables);
int64_t tables_labelled(const struct tables *tables);
size_t tables_cells(const struct tables *tables, const struct cell **out_cells); /* borrow */
/* Binary at the threshold: rows label, columns prediction; multiclass: class by class. */
int64_t tables_confusion(const struct tables *tables, uint32_t label_class,
                         uint32_t predicted_class);
int128 tables_sum(const struct tables *tables, uint32_t index);
int64_t tables_calibration_score(const struct tables *tables, uint32_t bin); /* sum, 2^-32 */
int64_t tables_lag(const struct tables *tables, uint32_t bin);
/* Upper edge of a lag bin in ms (the last is INT64_MAX): a constant table, no logarithm at run
 * time. */
int64_t lag_bin_edge_ms(uint32_t bin);

#endif
