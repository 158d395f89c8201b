/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/cells.h"

#include <math.h>

void ranking_add(struct ranking *ranking, int64_t positives, int64_t negatives) {
    int64_t twice_wins = 2 * ranking->negatives + negatives;
    int64_t twice_below = 2 * ranking->positives + positives;
    ranking->wins += (int128)positives * twice_wins;
    ranking->ties += (int128)positives * negatives;
    ranking->wins_square += (double)positives * (double)twice_wins * (double)twice_wins;
    ranking->below_square += (double)negatives * (double)twice_below * (double)twice_below;
    ranking->positives += positives;
    ranking->negatives += negatives;
}

static double pairs(const struct ranking *ranking) {
    return (double)ranking->positives * (double)ranking->negatives;
}

bool ranking_auc(const struct ranking *ranking, double *out_value, double *out_bound) {
    if (ranking->positives <= 0 || ranking->negatives <= 0)
        return false;
    *out_value = (double)ranking->wins / (2 * pairs(ranking));
    *out_bound = (double)ranking->ties / (2 * pairs(ranking));
    return true;
}

/* Sum of squared deviations from the mean; rounding alone is none. */
static double spread(double squares, double count, double mean) {
    double deviation = squares - count * mean * mean;
    return deviation > 1e-12 * squares ? deviation : 0;
}

bool ranking_variance(const struct ranking *ranking, double *out_variance) {
    double positives = (double)ranking->positives, negatives = (double)ranking->negatives, auc,
           bound;
    if (positives < 2 || negatives < 2 || !ranking_auc(ranking, &auc, &bound))
        return false;
    /* Placements of positives among negatives have mean AUC; of negatives, 1 - AUC. */
    double v10 = spread(ranking->wins_square / (4 * negatives * negatives), positives, auc);
    double v01 = spread(ranking->below_square / (4 * positives * positives), negatives, 1 - auc);
    *out_variance = v10 / (positives - 1) / positives + v01 / (negatives - 1) / negatives;
    return true;
}

/* At least the sum over j = 1..p of (above + j) / (ahead + j): precision at p positives in a row.
 */
static double precision_least(double above, double ahead, double p) {
    /* 1/x is convex: the harmonic sum is at most the integral between midpoints, and at most the
     * trapezoid.  The trapezoid needs no logarithm, and is as good when the row is short. */
    double harmonic = 4 * p < ahead ? p / 2 * (1 / (ahead + 1) + 1 / (ahead + p))
                                    : log((ahead + p + 0.5) / (ahead + 0.5));
    return p - (ahead - above) * harmonic;
}

/* The same with each positive followed by ratio - 1 negatives, as an integral over 0..p; where it
 * is nearly straight by Simpson's rule, within 1e-5 p. */
static double precision_mixed(double above, double ahead, double p, double ratio) {
    if (ahead <= 0)
        return p / ratio;
    if (4 * ratio * p < ahead) {
        double middle = (above + p / 2) / (ahead + ratio * p / 2);
        return p / 6 * (above / ahead + 4 * middle + (above + p) / (ahead + ratio * p));
    }
    return p / ratio + (above - ahead / ratio) / ratio * log1p(ratio * p / ahead);
}

void precision_recall_add(struct precision_recall *sums, int64_t positives, int64_t negatives) {
    double above = (double)sums->positives, ahead = above + (double)sums->negatives;
    double p = (double)positives, n = (double)negatives;
    if (positives > 0) {
        double least = precision_least(above, ahead + n, p);
        double most = p * (above + p) / (ahead + p);
        double mixed = precision_mixed(above, ahead, p, (p + n) / p);
        sums->least += least;
        sums->most += most;
        sums->middle += fmin(fmax(mixed, least), most);
    }
    sums->positives += positives;
    sums->negatives += negatives;
}

bool precision_recall_average(const struct precision_recall *sums, double *out_value,
                              double *out_bound) {
    if (sums->positives <= 0 || sums->negatives < 0)
        return false;
    double positives = (double)sums->positives;
    *out_value = sums->middle / positives;
    *out_bound = fmax(sums->most - sums->middle, sums->middle - sums->least) / positives;
    return true;
}
