/* SPDX-License-Identifier: Apache-2.0 */
#include "commands/generated.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/slice.h"
#include "stats/streams.h"

/* Variables of the counter-based generator that no stream uses. */
enum { VARIABLE_LAG = 61, VARIABLE_LABELLED = 90 };

struct stream {
    const char *name, *model;
    bool can_drift;
    void (*item)(const struct generator *generator, uint64_t index, struct generated *out_item);
};

struct generator {
    struct generation generation;
    const struct stream *stream;
    struct trip_parameters trips;
    struct lag_parameters lags;
    struct kind_stream *kind;
};

/* The shift is a function of the trip alone, so what it is set to stands here; one process
 * generates one stream. */
static struct {
    uint64_t at;
    double by;
} drift;

static double shift_from_on(const struct trip *trip) {
    return trip->index >= drift.at ? drift.by : 0;
}

static void add_number(struct generated *item, enum generated_section section, const char *name,
                       double number) {
    ASSERT(item->field_count < GENERATED_FIELDS_MAX);
    item->fields[item->field_count++] = (struct generated_field){
        .section = section, .name = name, .is_number = true, .number = number};
}

static struct generated_field *add_text(struct generated *item, enum generated_section section,
                                        const char *name, const char *text) {
    ASSERT(item->field_count < GENERATED_FIELDS_MAX);
    struct generated_field *field = &item->fields[item->field_count++];
    *field = (struct generated_field){.section = section, .name = name};
    (void)snprintf(field->text, sizeof field->text, "%s", text);
    return field;
}

static void add_index(struct generated *item, enum generated_section section, const char *name,
                      int index) {
    char text[24];
    (void)snprintf(text, sizeof text, "%d", index);
    (void)add_text(item, section, name, text);
}

static const char *payment_name(int payment) {
    static const char *const names[] = {"card", "cash", "other"};
    return payment >= 0 && payment < 3 ? names[payment] : "unknown";
}

static void add_trip(struct generated *item, const struct trip *trip) {
    add_number(item, SECTION_FEATURES, "hour", trip->hour);
    add_number(item, SECTION_FEATURES, "passengers", trip->passengers);
    add_number(item, SECTION_FEATURES, "distance", trip->distance);
    add_number(item, SECTION_FEATURES, "fare", trip->fare);
    add_number(item, SECTION_FEATURES, "speed", trip->speed);
    (void)add_text(item, SECTION_FEATURES, "payment", payment_name(trip->payment));
    add_index(item, SECTION_GROUPS, "zone", trip->zone);
    (void)add_text(item, SECTION_GROUPS, "payment", payment_name(trip->payment));
    add_index(item, SECTION_GROUPS, "vendor", trip->vendor);
    item->label = trip->label;
}

static void tips(const struct generator *generator, uint64_t index, struct generated *out_item) {
    struct trip trip;
    trip_item(&generator->trips, generator->generation.seed, index, &trip);
    add_number(out_item, SECTION_OUTPUT, "score", trip.score);
    add_trip(out_item, &trip);
}

static void fraud(const struct generator *generator, uint64_t index, struct generated *out_item) {
    struct transaction transaction;
    fraud_item(generator->generation.seed, index, &transaction);
    add_number(out_item, SECTION_OUTPUT, "score", transaction.score);
    add_number(out_item, SECTION_FEATURES, "x1", transaction.x1);
    add_number(out_item, SECTION_FEATURES, "x2", transaction.x2);
    add_number(out_item, SECTION_FEATURES, "amount", transaction.amount);
    add_index(out_item, SECTION_GROUPS, "zone", transaction.zone);
    out_item->label = transaction.label;
}

static void regression(const struct generator *generator, uint64_t index,
                       struct generated *out_item) {
    struct fare_prediction prediction;
    regression_item(&generator->trips, false, generator->generation.seed, index, &prediction);
    add_number(out_item, SECTION_OUTPUT, "value", prediction.predicted);
    add_trip(out_item, &prediction.trip);
    out_item->label = prediction.actual;
}

/* Its items come in a window of two hours of their own, in no order. */
static void lag(const struct generator *generator, uint64_t index, struct generated *out_item) {
    struct lagged_trip lagged;
    lag_item(&generator->trips, &generator->lags, generator->generation.seed, index, &lagged);
    out_item->event_ms = generator->generation.start_ms + (int64_t)(lagged.minute * 60000);
    out_item->label_ms = out_item->event_ms + (int64_t)(lagged.lag_minutes * 60000);
    add_number(out_item, SECTION_OUTPUT, "score", lagged.trip.score);
    add_trip(out_item, &lagged.trip);
}

static void kind(const struct generator *generator, uint64_t index, struct generated *out_item) {
    struct trip trip;
    kind_item(generator->kind, index, &trip);
    add_number(out_item, SECTION_OUTPUT, "score", trip.score);
    add_trip(out_item, &trip);
}

static const struct stream streams[] = {
    {"tips", "tips-score", true, tips},      {"fraud", "fraud-score", false, fraud},
    {"reg", "fare-value", true, regression}, {"lag", "tips-score", true, lag},
    {"kind", "tips-score", false, kind},
};

static const struct stream *stream_find(const char *name) {
    for (size_t i = 0; i < COUNT_OF(streams); i++) {
        size_t k = 0;
        while (name[k] && (name[k] | 0x20) == streams[i].name[k])
            k++;
        if (!name[k] && !streams[i].name[k])
            return &streams[i];
    }
    (void)fprintf(stderr, "slipstream generate: %s is none of TIPS, FRAUD, REG, LAG, KIND\n", name);
    return NULL;
}

static void print_kinds(const char *name) {
    (void)fprintf(stderr, "slipstream generate: --kind %s is none of", name);
    for (size_t i = 0; kind_names[i]; i++)
        (void)fprintf(stderr, " %s", kind_names[i]);
    (void)fprintf(stderr, "\n");
}

struct generator *generator_create(const struct generation *generation) {
    const struct stream *stream = stream_find(generation->stream);
    if (!stream)
        return NULL;
    if (generation->has_drift && !stream->can_drift) {
        (void)fprintf(stderr, "slipstream generate: --drift-at is for TIPS, REG and LAG; KIND has "
                              "shifts of its own (--kind)\n");
        return NULL;
    }
    struct generator *generator = alloc_zero(1, sizeof *generator);
    generator->generation = *generation;
    generator->stream = stream;
    trip_parameters_default(&generator->trips);
    lag_parameters_default(&generator->lags);
    generator->lags.median_minutes = generation->lag_median_minutes;
    if (generation->has_drift) {
        drift.at = generation->drift_at;
        drift.by = generation->drift_by;
        generator->trips.shift = shift_from_on;
    }
    if (strcmp(stream->name, "kind") == 0) {
        generator->kind = kind_stream_create(generation->kind, generation->seed, generation->count);
        if (!generator->kind) {
            print_kinds(generation->kind);
            generator_destroy(generator);
            return NULL;
        }
    }
    return generator;
}

void generator_destroy(struct generator *generator) {
    if (!generator)
        return;
    kind_stream_destroy(generator->kind);
    free(generator);
}

uint64_t generator_count(const struct generator *generator) {
    return generator->kind ? kind_stream_count(generator->kind) : generator->generation.count;
}

const char *generator_model(const struct generator *generator) {
    return generator->stream->model;
}

void generator_item(const struct generator *generator, uint64_t index, struct generated *out_item) {
    const struct generation *generation = &generator->generation;
    double minutes =
        generation->lag_median_minutes * exp(stream_normal(generation->seed, index, VARIABLE_LAG));
    *out_item = (struct generated){.index = index};
    out_item->event_ms = generation->start_ms + (int64_t)((double)index * 1000 / generation->rate);
    out_item->label_ms = out_item->event_ms + (int64_t)(minutes * 60000);
    out_item->has_label =
        stream_uniform(generation->seed, index, VARIABLE_LABELLED) < generation->labelled;
    generator->stream->item(generator, index, out_item);
}
