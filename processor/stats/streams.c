/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/streams.h"

#include <math.h>

#include "stats/trip_judge.h"

static const double two_pi = 6.283185307179586476925286766559;

uint64_t stream_mix(uint64_t z) {
    z += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

uint64_t stream_bits(uint64_t seed, uint64_t index, uint64_t variable) {
    return stream_mix(stream_mix(stream_mix(seed) ^ index) ^ variable);
}

/* The middle of one of 2^53 cells: never 0, never 1. */
static double uniform_from(uint64_t bits) {
    return ((double)(bits >> 11) + 0.5) * 0x1p-53;
}

double stream_uniform(uint64_t seed, uint64_t index, uint64_t variable) {
    return uniform_from(stream_bits(seed, index, variable));
}

double stream_normal(uint64_t seed, uint64_t index, uint64_t variable) {
    return sqrt(-2.0 * log(stream_uniform(seed, index, variable))) *
           cos(two_pi * stream_uniform(seed, index, variable + 1));
}

double stream_hash(uint64_t seed, uint64_t id) {
    return uniform_from(stream_mix(stream_mix(seed ^ UINT64_C(0xA5A5A5A5A5A5A5A5)) ^ id));
}

static double logistic(double x) {
    return 1.0 / (1.0 + exp(-x));
}

void trip_parameters_default(struct trip_parameters *out_parameters) {
    *out_parameters = (struct trip_parameters){
        .card = 0.70, .cash = 0.25, .distance_mean = 0.9, .distance_sd = 0.7};
    for (int zone = 0; zone < STREAM_ZONES; zone++)
        out_parameters->zone_weights[zone] = 1.0 / (zone + 1);
}

double trip_shift_hidden(const struct trip *trip) {
    bool long_card = trip->distance > 5 && trip->payment == 0;
    return (long_card ? -0.9 : 0.0) + (trip->hour < 5 ? 0.8 : 0.0);
}

/* Inverse CDF: the first value whose cumulated weight exceeds u; the last takes the rounding. */
static int draw_weighted(const double *weights, int count, double u) {
    double total = 0, cumulated = 0;
    for (int i = 0; i < count; i++)
        total += weights[i];
    for (int i = 0; i < count - 1; i++) {
        cumulated += weights[i] / total;
        if (u < cumulated)
            return i;
    }
    return count - 1;
}

static int draw_hour(bool daily_hours, uint64_t seed, uint64_t index) {
    static const double demand[24] = {1, 1, .6, .4,  .4,  .6,  1.2, 2.2, 2.6, 2.2, 1.8, 1.8,
                                      2, 2, 2,  2.1, 2.3, 2.8, 3,   2.6, 2.2, 2,   1.8, 1.4};
    if (daily_hours)
        return draw_weighted(demand, 24, stream_uniform(seed, index, 70));
    return (int)(24 * stream_uniform(seed, index, 1));
}

static bool within(int value, int first, int last) {
    return value >= first && value <= last;
}

static double zone_effect(int zone) {
    return 0.8 * cos(1.7 * zone);
}

/* The log-odds that the trip's columns explain. */
static double trip_logit(const struct trip *trip) {
    return -0.6 + 1.4 * (trip->payment == 0) - 1.6 * (trip->payment == 1) +
           0.5 * (log(trip->distance) - 0.9) + zone_effect(trip->zone) +
           0.4 * within(trip->hour, 17, 20) - 0.5 * (trip->hour < 5);
}

static void draw_features(const struct trip_parameters *parameters, uint64_t seed,
                          struct trip *trip) {
    uint64_t i = trip->index;
    trip->zone = draw_weighted(parameters->zone_weights, STREAM_ZONES, stream_uniform(seed, i, 0));
    trip->hour = draw_hour(parameters->daily_hours, seed, i);
    double payment = stream_uniform(seed, i, 2), vendor = stream_uniform(seed, i, 3);
    trip->payment =
        (payment >= parameters->card) + (payment >= parameters->card + parameters->cash);
    trip->vendor = (vendor >= 0.5) + (vendor >= 0.8);
    trip->distance =
        exp(parameters->distance_mean + parameters->distance_sd * stream_normal(seed, i, 4));
    double more = floor(log(stream_uniform(seed, i, 6)) / log(0.35));
    trip->passengers = 1 + (int)fmin(5, more);
    trip->fare = 3 + 2.5 * trip->distance + stream_normal(seed, i, 7);
    bool rush = within(trip->hour, 7, 9) || within(trip->hour, 16, 18);
    trip->speed = exp(2.4 + 0.3 * stream_normal(seed, i, 9) - 0.2 * rush);
}

void trip_judge(uint64_t seed, double (*shift)(const struct trip *), struct trip *trip) {
    double logit = trip_logit(trip), bias = 0.35 * sin(2.3 * trip->zone + 1);
    trip->truth = logistic(logit + (shift ? shift(trip) : 0.0));
    trip->label = stream_uniform(seed, trip->index, 11) < trip->truth;
    trip->score = logistic(0.9 * logit + bias + 0.4 * stream_normal(seed, trip->index, 12));
    trip->decision = trip->score >= 0.5;
}

void trip_item(const struct trip_parameters *parameters, uint64_t seed, uint64_t index,
               struct trip *out_trip) {
    out_trip->index = index;
    draw_features(parameters, seed, out_trip);
    trip_judge(seed, parameters->shift, out_trip);
}

void fraud_item(uint64_t seed, uint64_t index, struct transaction *out_transaction) {
    struct trip_parameters zones;
    trip_parameters_default(&zones);
    int zone = draw_weighted(zones.zone_weights, STREAM_ZONES, stream_uniform(seed, index, 0));
    double x1 = stream_normal(seed, index, 2), x2 = stream_normal(seed, index, 4);
    double logit = -6.5 + 1.8 * x1 + 1.2 * x2 + 0.5 * cos(1.7 * zone);
    double score = logistic(0.95 * logit + 0.5 * stream_normal(seed, index, 12));
    *out_transaction = (struct transaction){
        .index = index,
        .zone = zone,
        .x1 = x1,
        .x2 = x2,
        .amount = exp(3 + 1.2 * stream_normal(seed, index, 6)),
        .score = score,
        .decision = score >= 0.2,
        .label = stream_uniform(seed, index, 11) < logistic(logit),
    };
}

void regression_item(const struct trip_parameters *parameters, bool night_noise, uint64_t seed,
                     uint64_t index, struct fare_prediction *out_prediction) {
    struct trip *trip = &out_prediction->trip;
    trip_item(parameters, seed, index, trip);
    double predicted = 3 + 2.5 * trip->distance;
    double spread = exp(0.2 + 0.8 * log(trip->distance) + 0.5 * cos(1.7 * trip->zone) +
                        (night_noise && trip->hour < 5 ? 0.6 : 0.0));
    out_prediction->predicted = predicted;
    out_prediction->actual =
        predicted * (1 + 0.03 * sin(trip->zone)) + spread * stream_normal(seed, index, 14);
}

void lag_parameters_default(struct lag_parameters *out_parameters) {
    *out_parameters =
        (struct lag_parameters){.median_minutes = 30, .sigma = 1, .class_factor = {1, 1}};
    for (int zone = 0; zone < STREAM_ZONES; zone++)
        out_parameters->zone_factor[zone] = 1;
}

void lag_item(const struct trip_parameters *parameters, const struct lag_parameters *lag,
              uint64_t seed, uint64_t index, struct lagged_trip *out_trip) {
    struct trip *trip = &out_trip->trip;
    trip_item(parameters, seed, index, trip);
    out_trip->minute = 120 * stream_uniform(seed, index, 60);
    out_trip->lag_minutes = lag->median_minutes * lag->zone_factor[trip->zone] *
                            lag->class_factor[trip->label] *
                            exp(lag->sigma * stream_normal(seed, index, 61));
}
