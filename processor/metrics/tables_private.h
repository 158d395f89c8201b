/* tables_private.h -- inside of struct tables, for tables.c and its codec only.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_METRICS_TABLES_PRIVATE_H
#define SLIPSTREAM_METRICS_TABLES_PRIVATE_H

#include "metrics/sparse.h"
#include "metrics/tables.h"

struct counter {
    uint32_t key;
    int64_t count;
};

/* Keys of the counters: one sparse array for three small tables. */
enum {
    KEY_LAG = 0,                                        /* + bin */
    KEY_CALIBRATION = LAG_BINS,                         /* + bin; a sum of scores, 2^-32 */
    KEY_CONFUSION = KEY_CALIBRATION + CALIBRATION_BINS, /* + label CLASSES_MAX + prediction */
    KEYS_END = KEY_CONFUSION + CLASSES_MAX * CLASSES_MAX,
};

struct tables {
    int64_t predicted, predicted_positive, labelled;
    struct sparse cells;    /* struct cell */
    struct sparse counters; /* struct counter */
    int128 *sums;
    uint32_t sum_count;
};

_Static_assert((int)KEYS_END <= (int)SPARSE_KEYS_MAX &&
                   (int)THRESHOLD_CELLS_MAX <= (int)SPARSE_KEYS_MAX,
               "keys fit the sparse arrays");

static inline struct cell *cell_at(struct tables *tables, uint32_t cell) {
    return sparse_at(&tables->cells, cell, sizeof(struct cell));
}

static inline int64_t *counter_at(struct tables *tables, uint32_t key) {
    return &((struct counter *)sparse_at(&tables->counters, key, sizeof(struct counter)))->count;
}

/* Makes sure that there are count sums. */
void tables_grow_sums(struct tables *tables, uint32_t count);

/* Sums of hostile partials may pass 2^127; they wrap, as unsigned numbers may. */
static inline int128 add_wrapping(int128 a, int128 b) {
    return (int128)((uint128)a + (uint128)b);
}

static inline int64_t add_wrapping_long(int64_t a, int64_t b) {
    return (int64_t)((uint64_t)a + (uint64_t)b);
}

#endif
