/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SECOND = 1000,
    MINUTE = 60 * SECOND,
    HOUR = 60 * MINUTE,
    OPEN_MAX_MS = 3 * MINUTE,
    GAP_MS = 100 * MINUTE,
    BATCH_MS = 15 * MINUTE
};
#define FAR_MS (INT64_C(720) * HOUR)
static const int64_t epoch_start_ms = INT64_C(1700000000000);

/* ---- records ---- */

static void add_record(struct world *world, int partition, enum log_side log,
                       const struct input_record *record) {
    struct input_log *at = &world->logs[partition][log];
    if (at->count == at->capacity) {
        at->capacity = at->capacity ? at->capacity * 2 : 64;
        at->records = alloc_resize(at->records, at->capacity, sizeof *at->records);
    }
    at->records[at->count++] = *record;
}

/* Mostly at once, sometimes as late as allowed, seldom later than that. */
static int64_t delay(struct world *world, int64_t disorder_ms) {
    double u = random_unit(&world->random);
    int64_t most = u < .85 ? 3 * SECOND : u < .97 ? disorder_ms : disorder_ms + 20 * MINUTE;
    return random_between(&world->random, 0, most);
}

/* A producer that stamps both times wrong: by a month, or by about as much as is allowed. */
static void set_ahead(struct world *world, struct input_record *record) {
    struct random *random = &world->ahead_random;
    if (world->ahead == 0 || !random_chance(random, world->ahead))
        return;
    int64_t by_ms = random_chance(random, .8) ? FAR_MS
                                              : HOUR + world->config.skew_ms +
                                                    random_between(random, -MINUTE, 8 * MINUTE);
    record->time_ms = record->append_ms + by_ms + random_between(random, 0, 8 * MINUTE);
    record->record_ms = random_chance(random, .8) ? record->time_ms : record->time_ms + HOUR;
}

bool world_is_far(const struct world *world, const struct input_record *record) {
    return world->ahead > 0 && record->time_ms >= record->append_ms + FAR_MS;
}

static void set_append(struct world *world, struct input_record *record, int64_t disorder_ms) {
    struct random *random = &world->random;
    record->append_ms = record->time_ms + delay(world, disorder_ms);
    int64_t oldest_ms = world->backfill_ms - (world->gap_ms ? BATCH_MS : disorder_ms + 3 * MINUTE);
    if (record->time_ms <= world->backfill_ms && record->time_ms > oldest_ms &&
        random_chance(random, world->gap_ms ? 1 : .5))
        record->append_ms = world->backfill_ms + random_between(random, 0, 2 * SECOND);
    if (world->is_shuffled)
        record->append_ms =
            random_between(random, world->end_ms, world->end_ms + 3 * (int64_t)MINUTE);
    record->record_ms = record->append_ms;
    if (random_chance(random, .02)) /* ahead of its own record timestamp, at the edge or beyond */
        record->record_ms = record->time_ms - world->config.skew_ms - random_between(random, 0, 2);
    if (random_chance(random, .02))
        record->refusal = random_chance(random, .5) ? REFUSAL_UNDECODABLE : REFUSAL_MISSING_FIELD;
    set_ahead(world, record);
}

struct plan {
    int partition;
    char id[TEXT_MAX];
    int64_t time_ms;
};

static void add_prediction(struct world *world, const struct plan *plan) {
    struct random *random = &world->random;
    struct input_record record = {.time_ms = plan->time_ms, .prediction_ms = TIME_NONE};
    memcpy(record.id, plan->id, TEXT_MAX);
    record.score = random_unit(random);
    if (random_chance(random, .1))
        record.score = (double)random_between(random, 0, 2) / 2;
    if (random_chance(random, .02))
        record.score = 1.5;
    if (random_chance(random, .95))
        snprintf(record.zone, sizeof record.zone, "z%d", (int)random_below(random, 6));
    if (random_chance(random, .95))
        snprintf(record.vendor, sizeof record.vendor, "v%d", (int)random_below(random, 3));
    record.kind = random_chance(random, .7) ? 'a' : 'b';
    set_append(world, &record, world->config.predictions.disorder_max_ms);
    add_record(world, plan->partition, LOG_PREDICTIONS, &record);
}

static int64_t draw_lag(struct world *world) {
    struct random *random = &world->random;
    const struct config *config = &world->config;
    int64_t horizon = config->tasks[random_below(random, (size_t)config->task_count)].horizon_ms;
    const int64_t edges[] = {-config->skew_ms,
                             -config->skew_ms - 1,
                             horizon,
                             horizon + 1,
                             horizon + random_between(random, 1, 15 * MINUTE),
                             -random_between(random, 0, config->skew_ms),
                             0};
    if (random_chance(random, .25))
        return RANDOM_OF(random, edges);
    return random_between(random, 0, random_chance(random, .3) ? 30 * SECOND : horizon);
}

static void add_label(struct world *world, const struct plan *plan, int64_t lag_ms) {
    struct random *random = &world->random;
    struct input_record record = {.time_ms = plan->time_ms + lag_ms, .prediction_ms = TIME_NONE};
    memcpy(record.id, plan->id, TEXT_MAX);
    record.label = random_chance(random, .02) ? 2 : (int)random_below(random, 2);
    record.kind = random_chance(random, .7) ? 'a' : 'b';
    if (random_chance(random, world->timed))
        record.prediction_ms = plan->time_ms;
    if (record.prediction_ms != TIME_NONE && random_chance(random, .03))
        record.prediction_ms += random_between(random, -2 * MINUTE, 2 * MINUTE);
    set_append(world, &record, world->config.feedback.disorder_max_ms);
    add_record(world, plan->partition, LOG_FEEDBACK, &record);
}

static void add_labels(struct world *world, const struct plan *plan) {
    struct random *random = &world->random;
    if (random_chance(random, .25))
        return;
    int64_t lag = draw_lag(world);
    int count = random_chance(random, .2) ? (int)random_between(random, 2, 4) : 1;
    for (int i = 0; i < count; i++) {
        add_label(world, plan, lag);
        if (random_chance(random, .7))
            lag = draw_lag(world);
    }
}

/* The same id again: in the same segment of every task, or in another one of the same horizon. */
static void add_again(struct world *world, const struct plan *plan) {
    struct random *random = &world->random;
    struct plan again = *plan;
    again.time_ms = plan->time_ms / MINUTE * MINUTE + random_between(random, 0, MINUTE - 1);
    if (world->breach_count < BREACHES_MAX && random_chance(random, .15)) {
        again.time_ms = plan->time_ms + random_between(random, MINUTE, 12 * MINUTE);
        memcpy(world->breaches[world->breach_count++], plan->id, TEXT_MAX);
    }
    add_prediction(world, &again);
    if (random_chance(random, .3))
        add_labels(world, &again);
}

static void add_case(struct world *world, int number) {
    struct random *random = &world->random;
    struct plan plan = {.partition = (int)random_below(random, (size_t)world->partitions),
                        .time_ms = random_between(random, world->start_ms, world->end_ms)};
    if (world->gap_ms && plan.time_ms >= world->gap_ms)
        plan.time_ms += world->backfill_ms - world->gap_ms;
    if (world->backfill_ms && random_chance(random, .3))
        plan.time_ms = world->backfill_ms - random_between(random, 0, BATCH_MS);
    snprintf(plan.id, sizeof plan.id, "%s%d", random_chance(random, .1) ? "a-longer-id-" : "",
             number);
    bool is_orphan = random_chance(random, .04);
    if (!is_orphan)
        add_prediction(world, &plan);
    if (!is_orphan && random_chance(random, .06))
        add_again(world, &plan);
    add_labels(world, &plan);
}

/* ---- logs ---- */

static int by_append(const void *a, const void *b) {
    const struct input_record *x = a, *y = b;
    if (x->append_ms != y->append_ms)
        return x->append_ms < y->append_ms ? -1 : 1;
    return strcmp(x->id, y->id);
}

static void set_offsets(struct world *world, struct input_log *log) {
    struct random *random = &world->random;
    int64_t next = random_chance(random, .2) ? random_between(random, 1, 5) : 0;
    for (size_t i = 0; i < log->count; i++) {
        log->records[i].offset = next;
        next += 1 + (random_chance(random, .1) ? random_between(random, 1, 3) : 0);
        log->records[i].next_offset = next;
        log->records[i].stable_ms = log->records[i].append_ms;
    }
}

/* Some runs of records belong to a transaction that stays open for a while. */
static void set_transactions(struct world *world, struct input_log *log) {
    struct random *random = &world->random;
    size_t at = 0;
    while (random_chance(random, .6) && log->count > 0) {
        at += random_below(random, log->count) + 1;
        size_t until = at + random_below(random, 12);
        if (until >= log->count)
            return;
        int64_t open_ms = log->records[at].append_ms + random_between(random, 0, OPEN_MAX_MS);
        for (; at < until; at++)
            if (log->records[at].stable_ms < open_ms)
                log->records[at].stable_ms = open_ms;
    }
}

static void set_values(struct input_record *record, enum log_side log) {
    struct value *values = record->values;
    values[COLUMN_ID] = (struct value){VALUE_STRING, {.string = slice_from(record->id)}};
    values[COLUMN_TIME] = (struct value){VALUE_LONG, {.integer = record->time_ms}};
    struct value kind = {VALUE_STRING, {.string = {&record->kind, 1}}};
    if (log == LOG_FEEDBACK) {
        values[COLUMN_LABEL] = (struct value){VALUE_LONG, {.integer = record->label}};
        if (record->prediction_ms != TIME_NONE)
            values[COLUMN_PREDICTION_TIME] =
                (struct value){VALUE_LONG, {.integer = record->prediction_ms}};
        values[COLUMN_FEEDBACK_KIND] = kind;
        return;
    }
    values[COLUMN_SCORE] = (struct value){VALUE_DOUBLE, {.real = record->score}};
    if (record->zone[0])
        values[COLUMN_ZONE] = (struct value){VALUE_STRING, {.string = slice_from(record->zone)}};
    if (record->vendor[0])
        values[COLUMN_VENDOR] =
            (struct value){VALUE_STRING, {.string = slice_from(record->vendor)}};
    values[COLUMN_KIND] = kind;
}

static void finish_log(struct world *world, struct input_log *log, enum log_side side) {
    if (log->count > 1)
        qsort(log->records, log->count, sizeof *log->records, by_append);
    set_offsets(world, log);
    set_transactions(world, log);
    for (size_t i = 0; i < log->count; i++)
        set_values(&log->records[i], side);
    if (log->count > 0 && log->records[log->count - 1].append_ms > world->last_append_ms)
        world->last_append_ms = log->records[log->count - 1].append_ms;
}

/* Some partitions are empty, and some feedback is silent: always, or from one moment on. */
static void silence(struct world *world) {
    struct random *random = &world->random;
    for (int i = 0; i < world->partitions; i++) {
        if (random_chance(random, .08))
            world->logs[i][LOG_PREDICTIONS].count = 0;
        if (random_chance(random, .08))
            world->logs[i][LOG_FEEDBACK].count = 0;
        if (random_chance(random, .05))
            world->logs[i][LOG_FEEDBACK].count /= 2;
    }
}

static void make_switch(struct world *world) {
    struct random *random = &world->random;
    if (world->first_config.task_count == 0)
        return;
    world->switch_ms =
        world->is_backlog ? world->last_append_ms + random_between(random, 10 * MINUTE, 25 * MINUTE)
                          : random_between(random, world->start_ms, world->end_ms);
}

void world_create(struct world *world, uint64_t seed) {
    *world = (struct world){.random = {seed * 2 + 1}};
    struct random *random = &world->random;
    world->partitions = (int)random_between(random, 1, PARTITIONS_MAX);
    world->queues = (int)random_between(random, 1, 2);
    world->start_ms = epoch_start_ms + random_between(random, 0, 10 * MINUTE);
    world->end_ms = world->start_ms + random_between(random, 40, 150) * MINUTE;
    world->close_ms = world->end_ms + INT64_C(26) * 60 * MINUTE;
    world->is_shuffled = random_chance(random, .1);
    world->is_backlog = world->is_shuffled || random_chance(random, .4);
    world->has_orphan_limit = random_chance(random, .05);
    if (random_chance(random, .4))
        world->backfill_ms = random_between(random, world->start_ms, world->end_ms);
    if (world->backfill_ms && !world->is_backlog && random_chance(random, .7)) {
        world->gap_ms = world->backfill_ms;
        world->backfill_ms += GAP_MS;
    }
    static const double timed[] = {0, .5, 1};
    world->timed = RANDOM_OF(random, timed);
    world_configure(world);
    world->ahead_random = (struct random){seed ^ UINT64_C(0x9e3779b97f4a7c15)};
    if (world->config.idle_advance == IDLE_BY_WALL && random_chance(&world->ahead_random, .3))
        world->ahead = random_chance(&world->ahead_random, .8) ? .02 : .2;
    int count = (int)random_between(random, 20, 160);
    for (int i = 0; i < count; i++)
        add_case(world, i);
    for (int i = 0; i < world->partitions; i++)
        for (int log = 0; log < LOG_COUNT; log++)
            finish_log(world, &world->logs[i][log], (enum log_side)log);
    silence(world);
    make_switch(world);
}

void world_release(struct world *world) {
    for (int i = 0; i < PARTITIONS_MAX; i++)
        for (int log = 0; log < LOG_COUNT; log++)
            free(world->logs[i][log].records);
}

/* ---- reading ---- */

int64_t world_end(const struct world *world, int partition, enum log_side log, int64_t now_ms) {
    const struct input_log *at = &world->logs[partition][log];
    size_t low = 0, high = at->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (at->records[middle].append_ms <= now_ms)
            low = middle + 1;
        else
            high = middle;
    }
    return low ? at->records[low - 1].next_offset : 0;
}

int64_t world_stable_end(const struct world *world, int partition, enum log_side log,
                         int64_t now_ms) {
    const struct input_log *at = &world->logs[partition][log];
    for (size_t i = 0; i < at->count && at->records[i].append_ms <= now_ms; i++)
        if (at->records[i].stable_ms > now_ms)
            return at->records[i].offset;
    return world_end(world, partition, log, now_ms);
}

const struct input_record *world_next(const struct world *world, int partition, enum log_side log,
                                      int64_t offset) {
    const struct input_log *at = &world->logs[partition][log];
    size_t low = 0, high = at->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (at->records[middle].offset < offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low < at->count ? &at->records[low] : NULL;
}

void world_event(const struct input_record *record, enum log_side log, struct event *out_event) {
    *out_event = (struct event){
        .log = log,
        .refusal = record->refusal,
        .offset = record->offset,
        .record_ms = record->record_ms,
        .raw_key = {&record->kind, 1}, /* producers need not key by the id alone */
        .raw_value = slice_from(record->id),
    };
    if (record->refusal != REFUSAL_NONE)
        return;
    out_event->id = slice_from(record->id);
    out_event->time_ms = record->time_ms;
    out_event->prediction_ms = record->prediction_ms;
    out_event->columns = record->values;
}

int world_name_of(const struct world *world, int task) {
    int first = 0;
    while (strcmp(world->tasks[first].name, world->tasks[task].name) != 0)
        first++;
    return first;
}

bool place_is_among(const struct place *places, size_t count, const struct place *place) {
    for (size_t i = 0; i < count; i++)
        if (places[i].partition == place->partition && places[i].log == place->log &&
            places[i].offset == place->offset)
            return true;
    return false;
}

bool world_is_breach(const struct world *world, const char *id) {
    for (size_t i = 0; i < world->breach_count; i++)
        if (strcmp(world->breaches[i], id) == 0)
            return true;
    return false;
}
