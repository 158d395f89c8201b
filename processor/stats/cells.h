/* cells.h -- ranking quality from counts per score cell, with the error that the cells cost.
 *
 * Scores are known by cell only: order between cells is exact, order within a cell is unknown.
 *
 * Input    cells added one by one, ascending for struct ranking, descending for struct
 *          precision_recall; positives, negatives >= 0 per cell, each total < 2^40
 * Output   false when a class is empty; else values in [0, 1]
 * Cost     5 ns a cell, no allocation; sums are integers, the division comes last
 * Source   AUC as Mann and Whitney 1947 with ties as one half; its variance: DeLong, DeLong and
 *          Clarke-Pearson 1988 on the placements of each cell (Sun and Xu 2014).
 *          Letters: P, N = totals; P_b, N_b = counts of a cell; C_b = negatives in lower cells.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_STATS_CELLS_H
#define SLIPSTREAM_STATS_CELLS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attributes.h"

/* {0} is empty. */
struct ranking {
    int64_t positives, negatives; /* P, N so far */
    int128 wins;                  /* sum of P_b (2 C_b + N_b) */
    int128 ties;                  /* sum of P_b N_b */
    double wins_square;           /* sum of P_b (2 C_b + N_b)^2 */
    double below_square;          /* sum of N_b (2 P below + P_b)^2 */
};

void ranking_add(struct ranking *ranking, int64_t positives, int64_t negatives);
/* AUC = wins / (2 P N).  bound: |AUC of the scores - value| <= ties / (2 P N), whatever the order
 * within the cells. */
bool ranking_auc(const struct ranking *ranking, double *out_value, double *out_bound);
/* Variance of the AUC over samples from an infinite population: S10 / P + S01 / N.  False also when
 * P or N is less than 2. */
bool ranking_variance(const struct ranking *ranking, double *out_variance);

/* {0} is empty. */
struct precision_recall {
    int64_t positives, negatives; /* so far: above the next cell */
    double least, most, middle;   /* sums over positives of the precision at their rank */
};

void precision_recall_add(struct precision_recall *sums, int64_t positives, int64_t negatives);
/* Average precision, sum of (R_k - R_k-1) P_k over distinct scores.  The value takes positives and
 * negatives of a cell as evenly mixed.  bound: |AP of the scores - value| <= bound; the extremes
 * are all negatives of a cell first, and all its positives first with one score. */
bool precision_recall_average(const struct precision_recall *sums, double *out_value,
                              double *out_bound);

#endif
