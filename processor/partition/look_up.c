/* look_up.c -- fetches from the store, sorted and batched, what the events of a step may meet, so
 * that joining itself reads memory only.
 *
 * A record that names its segment (predictions, labels with the prediction's time) asks that one.
 * A label without it asks the segments that the locator names; those that are not in the locator
 * (after a restart, or past its cap) it asks one after the other, the newest first, until its row
 * is found.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "partition/internal.h"

struct probe {
    uint64_t head; /* of the key: its order, nearly always */
    const struct hash128 *key;
    int64_t segment;
    uint16_t instance;
};

struct seeker {
    const struct hash128 *key;
    const struct task *task;
    int64_t label_ms;
    bool asks_all; /* located segments too */
    bool found;
};

struct wanted {
    struct buffer *probes; /* of struct probe */
    struct seeker *seekers;
    size_t seeker_count;
    bool has_unlocated; /* segments that must be asked one by one */
};

static int compare_probes(const void *left, const void *right) {
    const struct probe *a = left, *b = right;
    if (a->instance != b->instance)
        return a->instance < b->instance ? -1 : 1;
    if (a->segment != b->segment)
        return a->segment < b->segment ? -1 : 1;
    if (a->head != b->head)
        return a->head < b->head ? -1 : 1;
    return memcmp(a->key, b->key, sizeof *a->key);
}

static int compare_seekers(const void *left, const void *right) {
    const struct seeker *a = left, *b = right;
    return memcmp(a->key, b->key, sizeof *a->key);
}

static void add_probe(struct wanted *wanted, const struct hash128 *key, int64_t segment,
                      uint16_t instance) {
    const struct probe probe = {
        key_head((struct slice){(const char *)key->bytes, sizeof key->bytes}), key, segment,
        instance};
    buffer_append(wanted->probes, &probe, sizeof probe);
}

struct span {
    int64_t first, last;
};

/* The segments that may hold the row of a label without the prediction's time.  With a horizon of
 * 48 segments and a skew of a day at most they are fewer than there are codes; those alive may be
 * more, by disorder.max. */
static struct span span_of(const struct partition *partition, const struct instance *instance,
                           int64_t label_ms) {
    return (struct span){
        segment_number(instance, label_ms - instance->definition->horizon_ms),
        segment_number(instance, label_ms + partition->config->skew_ms),
    };
}

/* The stored segment that a code means among those of the span. */
static const struct segment *segment_of_code(struct instance *instance, uint32_t code,
                                             struct span span) {
    int64_t number = span.last - (int64_t)((locator_code(span.last) - code) &
                                           ((1U << LOCATOR_SEGMENT_BITS) - 1));
    return number < span.first ? NULL : segments_find(&instance->segments, number);
}

/* Segments that the locator names are asked at once.  False: it names too many, ask all. */
static bool want_located(struct instance *instance, uint16_t index, const struct hash128 *key,
                         struct span span, struct wanted *wanted) {
    uint32_t codes[LOCATOR_FOUND_MAX];
    size_t count = locator_find(&instance->locator, key, codes);
    if (count == LOCATOR_FOUND_MAX)
        return false;
    for (size_t i = 0; i < count; i++) {
        const struct segment *segment = segment_of_code(instance, codes[i], span);
        if (segment && segment->has_rows && segment->located)
            add_probe(wanted, key, segment->number, index);
    }
    return true;
}

/* A row that was flushed and is still in memory. */
static void note_kept(struct partition *partition, const struct delta_entry *entry) {
    partition->since_flush.kept_rows_met += entry && !entry->row_unstored;
}

static void want_segment(struct partition *partition, const struct task *task, int64_t time_ms,
                         const struct hash128 *key, struct wanted *wanted) {
    struct instance *instance = instance_at(partition, task, time_ms);
    if (!instance)
        return;
    int64_t number = segment_number(instance, time_ms);
    const struct segment *segment = segments_find(&instance->segments, number);
    uint16_t index = (uint16_t)(instance - partition->instances);
    const struct delta_entry *kept = delta_find(&partition->delta, key, index, number);
    note_kept(partition, kept);
    if (!segment || !segment->has_rows || kept ||
        (segment->located && !locator_has(&instance->locator, key, number)))
        return;
    add_probe(wanted, key, number, index);
}

static const struct delta_entry *in_memory(const struct partition *partition,
                                           const struct task *task, int64_t label_ms,
                                           const struct hash128 *key) {
    for (const struct delta_entry *entry = delta_first(&partition->delta, key); entry;
         entry = delta_next(&partition->delta, entry)) {
        const struct instance *instance =
            &partition->instances[delta_cohort(&partition->delta, entry)->instance];
        int64_t lag_ms = label_ms - entry->time_ms;
        if (instance->task == task && lag_ms >= -partition->config->skew_ms &&
            lag_ms <= instance->definition->horizon_ms)
            return entry;
    }
    return NULL;
}

static void seek(struct partition *partition, const struct task *task, const struct event *event,
                 const struct hash128 *key, struct wanted *wanted) {
    bool asks_all = false;
    for (uint16_t i = 0; i < task->instance_count; i++) {
        uint16_t index = (uint16_t)(task->first_instance + i);
        struct instance *instance = &partition->instances[index];
        asks_all |= !want_located(instance, index, key,
                                  span_of(partition, instance, event->time_ms), wanted);
    }
    if (wanted->has_unlocated || asks_all)
        wanted->seekers[wanted->seeker_count++] =
            (struct seeker){key, task, event->time_ms, asks_all, false};
}

static void want_row(struct partition *partition, const struct task *task,
                     const struct event *event, const struct hash128 *key, struct wanted *wanted) {
    const struct delta_entry *entry = in_memory(partition, task, event->time_ms, key);
    note_kept(partition, entry);
    if (!entry)
        seek(partition, task, event, key, wanted);
}

static void want(struct partition *partition, const struct event *event, const struct hash128 *keys,
                 struct wanted *wanted) {
    for (size_t i = 0; i < partition->task_count; i++) {
        const struct task *task = &partition->tasks[i];
        if (event->log == LOG_PREDICTIONS)
            want_segment(partition, task, event->time_ms, &keys[i], wanted);
        else if (event->prediction_ms != TIME_NONE)
            want_segment(partition, task, event->prediction_ms, &keys[i], wanted);
        else
            want_row(partition, task, event, &keys[i], wanted);
    }
}

/* The probes of one segment: those of its keys that are not in memory yet (of several candidates
 * one may have been fetched for an earlier batch).  Returns how many probes they are. */
static size_t take_segment(const struct partition *partition, const struct probe *probes,
                           size_t count, const struct hash128 **keys,
                           struct wanted_rows *out_rows) {
    *out_rows = (struct wanted_rows){probes->instance, probes->segment, keys, 0, NULL};
    size_t taken = 0;
    for (; taken < count && probes[taken].instance == probes->instance &&
           probes[taken].segment == probes->segment;
         taken++) {
        const struct hash128 *key = probes[taken].key;
        if ((taken == 0 || memcmp(probes[taken - 1].key, key, sizeof *key) != 0) &&
            !delta_find(&partition->delta, key, probes->instance, probes->segment))
            keys[out_rows->count++] = key;
    }
    return taken;
}

static enum status fetch_probes(struct partition *partition, struct probe *probes, size_t count,
                                struct error *err) {
    qsort(probes, count, sizeof *probes, compare_probes);
    const struct hash128 **keys = arena_take(&partition->batch, (count + 1) * sizeof *keys);
    size_t segments = 0;
    for (size_t i = 0; i < count; i++)
        segments += i == 0 || probes[i].instance != probes[i - 1].instance ||
                    probes[i].segment != probes[i - 1].segment;
    struct wanted_rows *wanted = arena_take(&partition->batch, (segments + 1) * sizeof *wanted);
    segments = 0;
    for (size_t i = 0; i < count; segments++)
        i += take_segment(partition, &probes[i], count - i, &keys[i], &wanted[segments]);
    return fetch_rows(partition, wanted, segments, err);
}

/* Seekers that a segment may still serve; ascending and distinct keys. */
static size_t pick_seekers(const struct partition *partition, const struct instance *instance,
                           const struct segment *segment, struct seeker *seekers, size_t count,
                           struct seeker **out_picked) {
    size_t picked = 0;
    for (size_t i = 0; i < count; i++) {
        struct seeker *seeker = &seekers[i];
        if (seeker->found || seeker->task != instance->task ||
            (segment->located && !seeker->asks_all))
            continue;
        struct span span = span_of(partition, instance, seeker->label_ms);
        if (segment->number < span.first || segment->number > span.last)
            continue;
        if (picked == 0 ||
            memcmp(out_picked[picked - 1]->key, seeker->key, sizeof *seeker->key) != 0)
            out_picked[picked++] = seeker;
    }
    return picked;
}

static enum status seek_in(struct partition *partition, struct instance *instance,
                           struct segment *segment, struct seeker *seekers, size_t count,
                           struct error *err) {
    struct seeker **picked = arena_take(&partition->batch, (count + 1) * sizeof *picked);
    size_t taken = pick_seekers(partition, instance, segment, seekers, count, picked);
    if (taken == 0)
        return STATUS_OK;
    const struct hash128 **keys = arena_take(&partition->batch, taken * sizeof *keys);
    uint16_t index = (uint16_t)(instance - partition->instances);
    struct wanted_rows wanted = {index, segment->number, keys, 0, NULL};
    for (size_t i = 0; i < taken; i++)
        if (!delta_find(&partition->delta, picked[i]->key, index, segment->number)) {
            picked[wanted.count] = picked[i];
            keys[wanted.count++] = picked[i]->key;
        }
    TRY(fetch_rows(partition, &wanted, 1, err));
    for (size_t i = 0; i < wanted.count; i++)
        picked[i]->found = wanted.values[i].data != NULL;
    return STATUS_OK;
}

static enum status fetch_seekers(struct partition *partition, struct seeker *seekers, size_t count,
                                 struct error *err) {
    qsort(seekers, count, sizeof *seekers, compare_seekers);
    for (size_t i = 0; i < count; i++) /* where the locator said */
        seekers[i].found =
            in_memory(partition, seekers[i].task, seekers[i].label_ms, seekers[i].key) != NULL;
    for (size_t i = partition->instance_count; i-- > 0;) {
        struct instance *instance = &partition->instances[i];
        for (size_t j = instance->segments.count; j-- > 0;)
            if (instance->segments.sorted[j].has_rows)
                TRY(seek_in(partition, instance, &instance->segments.sorted[j], seekers, count,
                            err));
    }
    return STATUS_OK;
}

static bool has_unlocated(const struct partition *partition) {
    for (size_t i = 0; i < partition->instance_count; i++)
        for (size_t j = 0; j < partition->instances[i].segments.count; j++)
            if (partition->instances[i].segments.sorted[j].has_rows &&
                !partition->instances[i].segments.sorted[j].located)
                return true;
    return false;
}

/* In blocks, since what is brought for a whole step is gone again when it is read. */
enum { AHEAD = 64 };

void look_ahead(const struct partition *partition, const struct hash128 *keys, size_t event,
                size_t count) {
    if (event % AHEAD != 0)
        return;
    size_t events = count - event < AHEAD ? count - event : AHEAD;
    delta_prefetch(&partition->delta, &keys[event * partition->task_count],
                   events * partition->task_count);
}

/* When the prediction was made, if the record says it. */
static int64_t told_time(const struct event *event) {
    return event->log == LOG_PREDICTIONS ? event->time_ms : event->prediction_ms;
}

static void look_ahead_in_locators(const struct partition *partition, const struct event *events,
                                   const struct hash128 *keys, size_t event, size_t count) {
    if (event % AHEAD != 0)
        return;
    for (size_t i = event; i < count && i < event + AHEAD; i++)
        for (size_t j = 0; j < partition->instance_count; j++) {
            const struct instance *instance = &partition->instances[j];
            const struct hash128 *key =
                &keys[i * partition->task_count + (size_t)(instance->task - partition->tasks)];
            int64_t time_ms = told_time(&events[i]);
            if (time_ms == TIME_NONE)
                locator_prefetch(&instance->locator, key);
            else
                locator_prefetch_in(&instance->locator, key, segment_number(instance, time_ms));
        }
}

enum status look_up(struct partition *partition, const struct event *events, size_t count,
                    const struct hash128 *keys, struct error *err) {
    size_t most = count * partition->task_count + 1, first = partition->delta.count;
    struct wanted wanted = {.probes = &partition->probes,
                            .seekers = arena_take(&partition->batch, most * sizeof(struct seeker)),
                            .has_unlocated = has_unlocated(partition)};
    buffer_reset(&partition->probes);
    for (size_t i = 0; i < count; i++) {
        look_ahead(partition, keys, i, count);
        look_ahead_in_locators(partition, events, keys, i, count);
        if (events[i].refusal == REFUSAL_NONE)
            want(partition, &events[i], &keys[i * partition->task_count], &wanted);
    }
    if (partition->probes.size > 0)
        TRY(fetch_probes(partition, (struct probe *)(void *)partition->probes.data,
                         partition->probes.size / sizeof(struct probe), err));
    if (wanted.seeker_count > 0)
        TRY(fetch_seekers(partition, wanted.seekers, wanted.seeker_count, err));
    TRY(fetch_marks(partition, first, err));
    return fetch_evicted(partition, first, err);
}
