/* taxi.c -- New York's yellow taxis as a stream: a model fitted on one file of trips scores
 * another.
 *
 *   taxi ZONES TRAINING TRIPS PREDICTIONS FEEDBACK [SEED]
 *
 * Trips count when their fare is above 5; the label is a tip above 10 % of the fare, known at
 * drop-off.  Besides, for the other kinds of task: the way of payment (card, cash, other), and the
 * fare by distance.  What the models see is known at pick-up, but for distance and fare, which
 * the trip's route foretells; not how it was paid.  SEED: both files in a random order.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/logistic.h"
#include "data/table.h"

enum { ZONES_MAX = 512, PAYMENTS = 3, BOROUGHS = 4, HOUR_MS = 3600000 };

static const char *const payments[PAYMENTS] = {"card", "cash", "other"};
static const char *const boroughs[BOROUGHS] = {"Manhattan", "Queens", "Brooklyn", "Bronx"};

struct trips {
    size_t count;
    double (*features)[FEATURES_MAX];
    double *is_tipped, *fares, *distances;
    int *payment;
    int64_t *pickup_ms, *dropoff_ms;
    const char **borough;
};

struct models {
    struct logistic tip, payment[PAYMENTS];
    double share[PAYMENTS];
    double start, slope; /* fare = start + slope distance */
};

static void read_zones(const char *path, struct table *table, const char *names[ZONES_MAX]) {
    table_read(path, table);
    size_t id = table_column(table, "LocationID"), borough = table_column(table, "Borough");
    for (size_t i = 0; i < ZONES_MAX; i++)
        names[i] = "Unknown";
    for (size_t row = 0; row < table->rows; row++) {
        size_t zone = (size_t)table_number(table, row, id);
        if (zone < ZONES_MAX)
            names[zone] = table_field(table, row, borough);
    }
}

static size_t set_features(double *features, double fare, double distance, double passengers,
                           int64_t pickup_ms, const char *borough) {
    const double pi = 3.14159265358979323846;
    double hour = (double)(pickup_ms / HOUR_MS % 24), day = (double)(pickup_ms / HOUR_MS / 24 % 7);
    size_t count = 0;
    features[count++] = log(fare);
    features[count++] = log1p(fmin(fmax(distance, 0), 50));
    features[count++] = passengers;
    features[count++] = sin(pi / 12 * hour);
    features[count++] = cos(pi / 12 * hour);
    features[count++] = day >= 2 && day < 4; /* 1970 began on a Thursday */
    for (size_t i = 0; i < BOROUGHS; i++)
        features[count++] = strcmp(borough, boroughs[i]) == 0;
    return count;
}

static int payment_of(double type) {
    return type > 0.5 && type < 1.5 ? 0 : type > 1.5 && type < 2.5 ? 1 : 2;
}

static void take_trips(size_t capacity, struct trips *out_trips) {
    *out_trips = (struct trips){
        .features = take(capacity, sizeof *out_trips->features),
        .is_tipped = take(capacity, sizeof(double)),
        .fares = take(capacity, sizeof(double)),
        .distances = take(capacity, sizeof(double)),
        .payment = take(capacity, sizeof(int)),
        .pickup_ms = take(capacity, sizeof(int64_t)),
        .dropoff_ms = take(capacity, sizeof(int64_t)),
        .borough = take(capacity, sizeof(char *)),
    };
}

static void release_trips(struct trips *trips) {
    free(trips->features);
    free(trips->is_tipped);
    free(trips->fares);
    free(trips->distances);
    free(trips->payment);
    free(trips->pickup_ms);
    free(trips->dropoff_ms);
    free(trips->borough);
}

/* Returns the number of features. */
static size_t read_trips(const struct table *table, const char *const zones[ZONES_MAX],
                         struct trips *trips) {
    size_t pickup = table_column(table, "pickup_datetime"), features = 0;
    size_t dropoff = table_column(table, "dropoff_datetime");
    size_t passengers = table_column(table, "passenger_count");
    size_t distance = table_column(table, "trip_distance");
    size_t zone = table_column(table, "pickup_location_id");
    size_t payment = table_column(table, "payment_type");
    size_t fare = table_column(table, "fare_amount"), tip = table_column(table, "tip_amount");
    take_trips(table->rows, trips);
    for (size_t row = 0; row < table->rows; row++) {
        /* In cents: a tip of exactly 10 % is not above it. */
        int64_t fare_cents = llround(100 * table_number(table, row, fare));
        int64_t tip_cents = llround(100 * table_number(table, row, tip));
        if (fare_cents <= 500)
            continue;
        size_t i = trips->count++, place = (size_t)table_number(table, row, zone);
        trips->fares[i] = (double)fare_cents / 100;
        trips->is_tipped[i] = 10 * tip_cents > fare_cents;
        trips->distances[i] = table_number(table, row, distance);
        trips->payment[i] = payment_of(table_number(table, row, payment));
        trips->pickup_ms[i] = time_from(table_field(table, row, pickup));
        trips->dropoff_ms[i] = time_from(table_field(table, row, dropoff));
        trips->borough[i] = place < ZONES_MAX ? zones[place] : zones[0];
        features = set_features(trips->features[i], trips->fares[i], trips->distances[i],
                                table_number(table, row, passengers), trips->pickup_ms[i],
                                trips->borough[i]);
    }
    return features;
}

/* Least squares, over distances that a taxi can drive. */
static void fit_fares(const struct trips *trips, struct models *models) {
    double count = 0, x = 0, y = 0, xx = 0, xy = 0;
    for (size_t i = 0; i < trips->count; i++) {
        double distance = trips->distances[i], fare = trips->fares[i];
        if (distance <= 0 || distance > 100)
            continue;
        count += 1;
        x += distance;
        y += fare;
        xx += distance * distance;
        xy += distance * fare;
    }
    models->slope = (count * xy - x * y) / (count * xx - x * x);
    models->start = (y - models->slope * x) / count;
}

static void fit(const struct trips *trips, size_t features, struct models *models) {
    const double(*rows)[FEATURES_MAX] = (const double(*)[FEATURES_MAX])trips->features;
    double *targets = take(trips->count, sizeof *targets);
    logistic_fit(rows, trips->is_tipped, trips->count, features, &models->tip);
    for (int way = 0; way < PAYMENTS; way++) {
        models->share[way] = 0;
        for (size_t i = 0; i < trips->count; i++) {
            targets[i] = trips->payment[i] == way;
            models->share[way] += targets[i] / (double)trips->count;
        }
        logistic_fit(rows, targets, trips->count, features, &models->payment[way]);
    }
    fit_fares(trips, models);
    free(targets);
}

/* The way whose share rises most above its share in the training: else it were always the card. */
static const char *guess_payment(const struct models *models, const double row[FEATURES_MAX]) {
    int best = 0;
    double most = 0;
    for (int way = 0; way < PAYMENTS; way++) {
        double rise = logistic_score(&models->payment[way], row) / models->share[way];
        if (rise > most) {
            most = rise;
            best = way;
        }
    }
    return payments[best];
}

static FILE *create(const char *path) {
    FILE *file = fopen(path, "w");
    if (!file)
        fail("cannot be written", path);
    return file;
}

static void write_predictions(const struct trips *trips, const struct models *models,
                              const char *path, uint64_t seed) {
    FILE *file = create(path);
    size_t *order = shuffled(trips->count, seed);
    (void)fputs("id,event_time,model,model_version,output.score,output.class,output.value,"
                "groups.borough\n",
                file);
    for (size_t k = 0; k < trips->count; k++) {
        size_t i = order[k];
        char pickup[TIME_BYTES];
        time_to(trips->pickup_ms[i], pickup);
        (void)fprintf(file, "trip-%06zu,%s,tips,2020-01,%.6f,%s,%.2f,%s\n", i, pickup,
                      logistic_score(&models->tip, trips->features[i]),
                      guess_payment(models, trips->features[i]),
                      models->start + models->slope * trips->distances[i], trips->borough[i]);
    }
    free(order);
    if (fclose(file) != 0)
        fail("cannot be written", path);
}

static void write_feedback(const struct trips *trips, const char *path, uint64_t seed) {
    FILE *file = create(path);
    size_t *order = shuffled(trips->count, seed);
    (void)fputs("id,label_time,prediction_time,label,payment,fare\n", file);
    for (size_t k = 0; k < trips->count; k++) {
        size_t i = order[k];
        char pickup[TIME_BYTES], dropoff[TIME_BYTES];
        time_to(trips->pickup_ms[i], pickup);
        time_to(trips->dropoff_ms[i], dropoff);
        (void)fprintf(file, "trip-%06zu,%s,%s,%d,%s,%.2f\n", i, dropoff, pickup,
                      trips->is_tipped[i] > 0, payments[trips->payment[i]], trips->fares[i]);
    }
    free(order);
    if (fclose(file) != 0)
        fail("cannot be written", path);
}

int main(int argc, char **argv) {
    struct table zones, training, live;
    struct trips past, trips;
    struct models models;
    const char *names[ZONES_MAX];
    if (argc < 6)
        fail("ZONES TRAINING TRIPS PREDICTIONS FEEDBACK [SEED]", argv[0]);
    uint64_t seed = argc > 6 ? strtoull(argv[6], NULL, 10) : 0;
    read_zones(argv[1], &zones, names);
    table_read(argv[2], &training);
    table_read(argv[3], &live);
    size_t features = read_trips(&training, names, &past);
    (void)read_trips(&live, names, &trips);
    fit(&past, features, &models);
    write_predictions(&trips, &models, argv[4], seed);
    write_feedback(&trips, argv[5], seed ? seed + 1 : 0);
    release_trips(&past);
    release_trips(&trips);
    table_release(&zones);
    table_release(&training);
    table_release(&live);
    return 0;
}
