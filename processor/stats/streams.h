/* streams.h -- named synthetic streams with known truth, for `slipstream generate` and the tests.
 *
 * Every item is a pure function of (parameters, seed, index): no state, any order, any machine.
 * All random draws come from a counter-based generator: variable k of item i is U(seed, i, k) in
 * (0, 1), or the normal Z(seed, i, k) made of U(k) and U(k + 1).
 *
 *   TIPS   taxi trips; will the tip be high?  base rate .544, accuracy .740, AUC .800; the score is
 *          miscalibrated zone by zone
 *   FRAUD  rare positives: base rate .0132, predicted positive .0143, AUC .92
 *   REG    TIPS trips; predicted fare and the value that it is compared with
 *   LAG    TIPS trips with the minute of the prediction and the lag of the label
 *   KIND   TIPS trips with daily hours and one planted shift out of 21 (drift, concept,
 * engineering)
 *
 * Limits   integers are the same everywhere; doubles agree within 1e-9 between libms.  A draw that
 *          falls on a threshold within rounding may differ: probability 1e-15 a draw
 * Cost     about .5 us an item, no allocation (but kind_stream_create)
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_STATS_STREAMS_H
#define SLIPSTREAM_STATS_STREAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* SplitMix64's finaliser over z + its increment (Steele, Lea and Flood 2014). */
uint64_t stream_mix(uint64_t z);
uint64_t stream_bits(uint64_t seed, uint64_t index, uint64_t variable);
double stream_uniform(uint64_t seed, uint64_t index, uint64_t variable);
/* Box-Muller 1958; uses variable and variable + 1. */
double stream_normal(uint64_t seed, uint64_t index, uint64_t variable);
/* Independent of all draws above: decides samples in tests. */
double stream_hash(uint64_t seed, uint64_t id);

enum { STREAM_ZONES = 20 };

struct trip {
    uint64_t index;  /* also the id */
    int zone;        /* 0..19 */
    int hour;        /* 0..23 */
    int payment;     /* 0 card, 1 cash, 2 other */
    int vendor;      /* 0..2 */
    int passengers;  /* 1..6 */
    double distance; /* miles, > 0; NaN where a KIND stream nulls it */
    double fare;     /* dollars */
    double speed;    /* miles an hour */
    double truth;    /* P(label = 1), what no model sees */
    double score;    /* the model's, in (0, 1) */
    int decision;    /* score >= .5 */
    int label;       /* 0 or 1 */
};

struct trip_parameters {
    double zone_weights[STREAM_ZONES]; /* >= 0, any scale */
    double card, cash;                 /* shares of payments 0 and 1 */
    double distance_mean, distance_sd; /* of ln distance */
    bool daily_hours;                  /* hours by a day's demand (KIND), else uniform */
    /* Added to the true log-odds, not to the score: concept shift.  NULL: nothing. */
    double (*shift)(const struct trip *trip);
};

/* TIPS as its golden values have it: zone weights 1/(z+1), .70, .25, .9, .7, uniform hours. */
void trip_parameters_default(struct trip_parameters *out_parameters);
/* A shift that the model does not know of (`hid`): -.9 on long card trips, +.8 at night. */
double trip_shift_hidden(const struct trip *trip);
void trip_item(const struct trip_parameters *parameters, uint64_t seed, uint64_t index,
               struct trip *out_trip);

struct transaction {
    uint64_t index;
    int zone;      /* 0..19 */
    double x1, x2; /* features, standard normal */
    double amount; /* dollars */
    double score;
    int decision; /* score >= .2 */
    int label;
};
void fraud_item(uint64_t seed, uint64_t index, struct transaction *out_transaction);

struct fare_prediction {
    struct trip trip;
    double predicted, actual; /* dollars */
};
/* night_noise: errors are exp(.6) times as large before 5 h (REG-S). */
void regression_item(const struct trip_parameters *parameters, bool night_noise, uint64_t seed,
                     uint64_t index, struct fare_prediction *out_prediction);

struct lag_parameters {
    double median_minutes, sigma;                      /* 30, 1: lag = median exp(sigma Z) */
    double zone_factor[STREAM_ZONES], class_factor[2]; /* stretch it; 1 */
};
struct lagged_trip {
    struct trip trip;
    double minute;      /* of the prediction, in [0, 120) */
    double lag_minutes; /* > 0 */
};
void lag_parameters_default(struct lag_parameters *out_parameters);
void lag_item(const struct trip_parameters *parameters, const struct lag_parameters *lag,
              uint64_t seed, uint64_t index, struct lagged_trip *out_trip);

/* KIND: KIND_PANES panes of count/KIND_PANES items; the shift starts at pane 4, or ramps up from
 * pane 2 to 14.  Names as in kind_names. */
enum { KIND_PANES = 20 };
extern const char *const kind_names[]; /* "none", "e_null", ..., NULL */

struct kind_stream;

/* NULL: no such name.  Some shifts move values between items, so the whole stream is planned here:
 * at most 12 bytes an item. */
struct kind_stream *kind_stream_create(const char *name, uint64_t seed, uint64_t count);
void kind_stream_destroy(struct kind_stream *stream);
/* Items in it: count, but for l_label, which may run out of items to keep. */
uint64_t kind_stream_count(const struct kind_stream *stream);
int kind_stream_pane(const struct kind_stream *stream, uint64_t index);
/* index < kind_stream_count. */
void kind_item(const struct kind_stream *stream, uint64_t index, struct trip *out_trip);

#endif
