/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/attributes.h"
#include "base/error.h"
#include "base/slice.h"
#include "stats/streams.h"
#include "stats/trip_judge.h"

enum { SHIFT_PANE = 4 };
static const uint64_t second_seed = 500000; /* the shifted population is drawn apart */

struct kind_stream;

struct kind {
    const char *name;
    /* trip holds the unshifted item on entry. */
    void (*alter)(const struct kind_stream *stream, struct trip *trip);
    void (*plan)(struct kind_stream *stream); /* shifts that move values between items */
};

struct kind_stream {
    const struct kind *kind;
    uint64_t seed, count;
    uint64_t kept; /* l_label may fill less than count */
    struct trip_parameters base, shifted;
    uint64_t *source;       /* e_misjoin, l_label: the item that gives */
    unsigned char *swapped; /* p_pair: 1 + the payment it gets, 0 */
};

static int pane_of(const struct kind_stream *stream, uint64_t index) {
    return (int)(index * KIND_PANES / stream->count);
}

static bool is_late(const struct kind_stream *stream, const struct trip *trip) {
    return pane_of(stream, trip->index) >= SHIFT_PANE;
}

static double chance(const struct kind_stream *stream, const struct trip *trip) {
    return stream_uniform(stream->seed, trip->index, 80);
}

/* Share of shifted items grows from pane 2 to pane 14. */
static bool is_ramped(const struct kind_stream *stream, const struct trip *trip) {
    double ramp = (pane_of(stream, trip->index) - 2) / 12.0;
    return chance(stream, trip) < fmin(fmax(ramp, 0), 1);
}

static void from_shifted(const struct kind_stream *stream, struct trip *trip) {
    trip_item(&stream->shifted, stream->seed + second_seed, trip->index, trip);
}

static void alter_none(const struct kind_stream *stream, struct trip *trip) {
    (void)stream;
    (void)trip;
}

static void alter_null(const struct kind_stream *stream, struct trip *trip) {
    if (is_late(stream, trip) && chance(stream, trip) < 0.3)
        trip->distance = NAN;
}

static void alter_unit(const struct kind_stream *stream, struct trip *trip) {
    if (is_late(stream, trip))
        trip->distance *= 1.609344;
}

static void alter_constant(const struct kind_stream *stream, struct trip *trip) {
    if (is_late(stream, trip))
        trip->speed = 11.0;
}

static void alter_recode(const struct kind_stream *stream, struct trip *trip) {
    if (is_late(stream, trip))
        trip->vendor += 10;
}

static void alter_unseen(const struct kind_stream *stream, struct trip *trip) {
    if (is_late(stream, trip) && chance(stream, trip) < 0.2)
        trip->vendor = 100 + (int)(stream_mix(trip->index) % 500);
}

static void alter_one_source(const struct kind_stream *stream, struct trip *trip) {
    if (is_late(stream, trip) && trip->vendor == 2)
        trip->fare *= 100;
}

static void alter_sentinel(const struct kind_stream *stream, struct trip *trip) {
    if (is_late(stream, trip) && chance(stream, trip) < 0.15)
        trip->speed = -1.0;
}

static void alter_swap(const struct kind_stream *stream, struct trip *trip) {
    if (!is_late(stream, trip))
        return;
    double distance = trip->distance;
    trip->distance = trip->fare;
    trip->fare = distance;
}

static void alter_misjoin(const struct kind_stream *stream, struct trip *trip) {
    struct trip giver;
    if (!is_late(stream, trip))
        return;
    trip_item(&stream->base, stream->seed, stream->source[trip->index], &giver);
    trip->fare = giver.fare;
}

static void alter_time_zone(const struct kind_stream *stream, struct trip *trip) {
    if (is_late(stream, trip))
        trip->hour = (trip->hour + 5) % 24;
}

static void alter_ramped(const struct kind_stream *stream, struct trip *trip) {
    if (is_ramped(stream, trip))
        from_shifted(stream, trip);
}

static void alter_event(const struct kind_stream *stream, struct trip *trip) {
    if (is_late(stream, trip))
        from_shifted(stream, trip);
}

static void alter_new_zone(const struct kind_stream *stream, struct trip *trip) {
    if (is_late(stream, trip) && chance(stream, trip) < 0.1)
        trip->zone = STREAM_ZONES;
}

static double shift_card(const struct trip *trip) {
    return trip->payment == 0 ? -0.8 : 0.0;
}

static double shift_region(const struct trip *trip) {
    return trip->distance > 4 ? -1.5 : 0.0;
}

static double shift_both(const struct trip *trip) {
    return trip->payment == 0 ? -1.0 : 0.0;
}

/* Concept shift: the same trips, other labels. */
static void alter_card(const struct kind_stream *stream, struct trip *trip) {
    if (is_ramped(stream, trip))
        trip_judge(stream->seed, shift_card, trip);
}

static void alter_region(const struct kind_stream *stream, struct trip *trip) {
    if (is_late(stream, trip))
        trip_judge(stream->seed, shift_region, trip);
}

static void alter_label(const struct kind_stream *stream, struct trip *trip) {
    uint64_t index = trip->index;
    if (!is_late(stream, trip))
        return;
    trip_item(&stream->base, stream->seed + second_seed, stream->source[index], trip);
    trip->index = index;
}

static void alter_pair(const struct kind_stream *stream, struct trip *trip) {
    if (stream->swapped[trip->index] == 0)
        return;
    trip->payment = stream->swapped[trip->index] - 1;
    trip_judge(stream->seed, NULL, trip);
}

/* P(1 passenger | payment, vendor) moves with the sign of an exclusive or: no pair margin moves. */
static void alter_triple(const struct kind_stream *stream, struct trip *trip) {
    if (!is_late(stream, trip))
        return;
    bool card = trip->payment == 0, alone = trip->passengers == 1;
    bool more = card != (trip->vendor == 0);
    double delta = card ? 0.15 : 0.35, u = stream_uniform(stream->seed, trip->index, 83);
    if (more && !alone && u < delta / 0.35)
        trip->passengers = 1;
    else if (!more && alone && u < delta / 0.65)
        trip->passengers = 2;
}

struct ranked {
    double key;
    uint64_t index;
};

static int compare_ranked(const void *a, const void *b) {
    const struct ranked *left = a, *right = b;
    return (left->key > right->key) - (left->key < right->key);
}

static void plan_misjoin(struct kind_stream *stream) {
    struct ranked *ranked = alloc_zero(stream->count, sizeof *ranked);
    for (uint64_t i = 0; i < stream->count; i++)
        ranked[i] = (struct ranked){stream_uniform(stream->seed, i, 81), i};
    qsort(ranked, stream->count, sizeof *ranked, compare_ranked);
    stream->source = alloc_zero(stream->count, sizeof *stream->source);
    for (uint64_t i = 0; i < stream->count; i++)
        stream->source[i] = ranked[i].index;
    free(ranked);
}

static void plan_label(struct kind_stream *stream) {
    uint64_t kept = 0;
    stream->source = alloc_zero(stream->count, sizeof *stream->source);
    for (uint64_t i = 0; i < 3 * stream->count && kept < stream->count; i++) {
        struct trip trip;
        trip_item(&stream->base, stream->seed + second_seed, i, &trip);
        if (stream_uniform(stream->seed, i, 82) < (trip.label ? 1.0 : 0.35))
            stream->source[kept++] = i;
    }
    stream->kept = kept;
}

/* The next item at or after index with this payment and zone parity, or count. */
static uint64_t next_trip(const struct kind_stream *stream, uint64_t index, int payment,
                          int parity) {
    for (; index < stream->count; index++) {
        struct trip trip;
        trip_item(&stream->base, stream->seed, index, &trip);
        if (trip.payment == payment && trip.zone % 2 == parity)
            break;
    }
    return index;
}

static uint64_t count_trips(const struct kind_stream *stream, int payment, int parity) {
    uint64_t found = 0;
    for (uint64_t i = 0; (i = next_trip(stream, i, payment, parity)) < stream->count; i++)
        found++;
    return found;
}

/* The k-th cash trip of an even zone changes payment with the k-th card trip of an odd zone. */
static void plan_pair(struct kind_stream *stream) {
    stream->swapped = alloc_zero(stream->count, 1);
    uint64_t cash = count_trips(stream, 1, 0), card = count_trips(stream, 0, 1);
    uint64_t pairs = (uint64_t)((double)(cash < card ? cash : card) * 0.7);
    uint64_t a = 0, b = 0;
    for (uint64_t k = 0; k < pairs; k++, a++, b++) {
        a = next_trip(stream, a, 1, 0);
        b = next_trip(stream, b, 0, 1);
        if (pane_of(stream, a) >= SHIFT_PANE && pane_of(stream, b) >= SHIFT_PANE) {
            stream->swapped[a] = 1 + 0;
            stream->swapped[b] = 1 + 1;
        }
    }
}

static void weigh_zones(struct kind_stream *stream, int first, int last, double factor) {
    for (int zone = first; zone <= last; zone++)
        stream->shifted.zone_weights[zone] *= factor;
}

static void plan_zone(struct kind_stream *stream) {
    weigh_zones(stream, 6, STREAM_ZONES - 1, 3);
}

static void plan_event(struct kind_stream *stream) {
    weigh_zones(stream, 3, 4, 4);
}

static void plan_distance(struct kind_stream *stream) {
    stream->shifted.distance_mean = 1.25;
}

static void plan_both(struct kind_stream *stream) {
    plan_zone(stream);
    stream->shifted.shift = shift_both;
}

static void plan_nothing(struct kind_stream *stream) {
    (void)stream;
}

#define KINDS(KIND)                                                                                \
    KIND(none, alter_none, plan_nothing)                                                           \
    KIND(e_null, alter_null, plan_nothing)                                                         \
    KIND(e_unit, alter_unit, plan_nothing)                                                         \
    KIND(e_const, alter_constant, plan_nothing)                                                    \
    KIND(e_recode, alter_recode, plan_nothing)                                                     \
    KIND(e_unseen, alter_unseen, plan_nothing)                                                     \
    KIND(e_source, alter_one_source, plan_nothing)                                                 \
    KIND(e_sentinel, alter_sentinel, plan_nothing)                                                 \
    KIND(e_swap, alter_swap, plan_nothing)                                                         \
    KIND(e_misjoin, alter_misjoin, plan_misjoin)                                                   \
    KIND(e_tz, alter_time_zone, plan_nothing)                                                      \
    KIND(d_zone, alter_ramped, plan_zone)                                                          \
    KIND(d_dist, alter_ramped, plan_distance)                                                      \
    KIND(d_event, alter_event, plan_event)                                                         \
    KIND(d_newzone, alter_new_zone, plan_nothing)                                                  \
    KIND(c_card, alter_card, plan_nothing)                                                         \
    KIND(c_region, alter_region, plan_nothing)                                                     \
    KIND(l_label, alter_label, plan_label)                                                         \
    KIND(p_pair, alter_pair, plan_pair)                                                            \
    KIND(p_triple, alter_triple, plan_nothing)                                                     \
    KIND(both, alter_ramped, plan_both)

#define KIND_ROW(name, alter, plan) {#name, alter, plan},
#define KIND_NAME(name, alter, plan) #name,
static const struct kind kinds[] = {KINDS(KIND_ROW)};
const char *const kind_names[] = {KINDS(KIND_NAME) NULL};

static const struct kind *kind_find(const char *name) {
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        if (strcmp(kinds[i].name, name) == 0)
            return &kinds[i];
    }
    return NULL;
}

struct kind_stream *kind_stream_create(const char *name, uint64_t seed, uint64_t count) {
    const struct kind *kind = kind_find(name);
    if (!kind)
        return NULL;
    struct kind_stream *stream = alloc_zero(1, sizeof *stream);
    stream->kind = kind;
    stream->seed = seed;
    stream->count = stream->kept = count;
    trip_parameters_default(&stream->base);
    stream->base.daily_hours = true;
    stream->shifted = stream->base;
    kind->plan(stream);
    return stream;
}

void kind_stream_destroy(struct kind_stream *stream) {
    if (!stream)
        return;
    free(stream->source);
    free(stream->swapped);
    free(stream);
}

uint64_t kind_stream_count(const struct kind_stream *stream) {
    return stream->kept;
}

int kind_stream_pane(const struct kind_stream *stream, uint64_t index) {
    return pane_of(stream, index);
}

void kind_item(const struct kind_stream *stream, uint64_t index, struct trip *out_trip) {
    ASSERT(index < stream->kept);
    trip_item(&stream->base, stream->seed, index, out_trip);
    stream->kind->alter(stream, out_trip);
}
