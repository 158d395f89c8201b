/* join.c -- predictions and labels, one by one, against what is in memory (look_up.c has fetched
 * the rest).
 *
 *      t - skew      t                                   t + horizon
 *   ------[----------*-----------------------------------]------> label time
 *          \ negative lag                                 \ BEYOND_HORIZON
 *
 * Whether a label joins is a property of the two records.  SPDX-License-Identifier: Apache-2.0 */
#include "partition/internal.h"
#include "partition/roles.h"

/* One label on its way: what joins need of it, from a record or from an orphan. */
struct arrival {
    int64_t label_ms, offset, prediction_ms, clock_before_ms;
    int64_t joins_before; /* only predictions with lower offsets */
    double label;
};

enum fit { FIT_NO, FIT_JOINS, FIT_BEYOND };

struct instance *instance_at(struct partition *partition, const struct task *task,
                             int64_t time_ms) {
    for (size_t i = 0; i < task->instance_count; i++) {
        struct instance *instance = &partition->instances[task->first_instance + i];
        if (time_ms >= instance->from_ms && time_ms < instance->until_ms)
            return instance;
    }
    return NULL;
}

static uint16_t index_of(const struct partition *partition, const struct instance *instance) {
    return (uint16_t)(instance - partition->instances);
}

static enum fit fit_of(const struct partition *partition, const struct instance *instance,
                       int64_t time_ms, int64_t label_ms) {
    int64_t lag_ms = label_ms - time_ms;
    if (lag_ms > instance->definition->horizon_ms)
        return FIT_BEYOND;
    return lag_ms >= -partition->config->skew_ms ? FIT_JOINS : FIT_NO;
}

/* Is this row one that the label may name? */
static enum fit fit_row(struct partition *partition, const struct task *task,
                        const struct delta_entry *entry, const struct arrival *arrival) {
    const struct cohort *cohort = delta_cohort(&partition->delta, entry);
    struct instance *instance = &partition->instances[cohort->instance];
    if (instance->task != task || entry->offset >= arrival->joins_before)
        return FIT_NO;
    if (arrival->prediction_ms != TIME_NONE) {
        if (instance_at(partition, task, arrival->prediction_ms) != instance ||
            segment_number(instance, arrival->prediction_ms) != cohort->segment)
            return FIT_NO;
    } else if (cohort->segment <
               segment_number(instance, arrival->label_ms - instance->definition->horizon_ms)) {
        return FIT_NO;
    }
    return fit_of(partition, instance, entry->time_ms, arrival->label_ms);
}

static bool is_later(const struct arrival *arrival, const struct delta_label *label) {
    return arrival->label_ms != label->time_ms ? arrival->label_ms > label->time_ms
                                               : arrival->offset > label->offset;
}

/* A rebuild: this pane was published as final and is done.  Its rows are still there, as they were,
 * until their segment expires: a label beyond the horizon must find them. */
static bool is_done(const struct instance *instance, int64_t time_ms) {
    return pane_floor(instance, time_ms) + instance->definition->pane_ms <=
           instance->skip_before_ms;
}

static enum status count_label(struct partition *partition, struct instance *instance,
                               const struct delta_entry *entry, int sign, struct error *err) {
    if (is_done(instance, entry->time_ms))
        return STATUS_OK;
    return window_add_label(partition, instance, entry, sign, err);
}

/* A label that changes nothing counts in the version all the same: the version is the greatest
 * offset of all labels that joined, in whatever order they did. */
static enum status touch_label(struct partition *partition, struct instance *instance,
                               const struct delta_entry *entry, int64_t offset, struct error *err) {
    if (is_done(instance, entry->time_ms))
        return STATUS_OK;
    return window_touch_label(partition, instance, entry, offset, err);
}

static enum status add_label(struct partition *partition, struct delta_entry *entry,
                             const struct arrival *arrival, struct error *err) {
    const struct cohort *cohort = delta_cohort(&partition->delta, entry);
    struct instance *instance = &partition->instances[cohort->instance];
    segment_needs(segments_at(&instance->segments, cohort->segment), LOG_FEEDBACK, arrival->offset,
                  arrival->clock_before_ms);
    const struct delta_label *former = delta_label(&partition->delta, entry);
    if (former) {
        partition->counters.superseded++;
        if (!is_later(arrival, former))
            return touch_label(partition, instance, entry, arrival->offset, err);
        TRY(count_label(partition, instance, entry, -1, err));
    } else {
        partition->counters.labelled++;
    }
    delta_set_label(&partition->delta, entry,
                    (struct delta_label){arrival->label_ms, arrival->offset, arrival->label});
    entry->mark_unstored = 1;
    return count_label(partition, instance, entry, +1, err);
}

/* ---- predictions ---- */

static enum status join_waiting(struct partition *partition, const struct task *task,
                                struct delta_entry *entry, const struct hash128 *key,
                                struct error *err) {
    uint32_t next;
    for (uint32_t number = orphans_first(&partition->orphans, task->id, key); number != ORPHAN_NONE;
         number = next) {
        struct orphan *orphan = &partition->orphans.list[number];
        next = orphans_next(&partition->orphans, number);
        const struct arrival arrival = {orphan->label_ms,      orphan->offset,
                                        orphan->prediction_ms, orphan->clock_before_ms,
                                        orphan->joins_before,  orphan->label};
        enum fit fit = fit_row(partition, task, entry, &arrival);
        if (fit == FIT_NO)
            continue;
        if (fit == FIT_BEYOND)
            dead_letter_label(partition, orphan->offset, orphan_id(orphan), REFUSAL_BEYOND_HORIZON,
                              task->name);
        orphans_remove(&partition->orphans, number);
        if (fit == FIT_JOINS)
            TRY(add_label(partition, entry, &arrival, err));
    }
    return STATUS_OK;
}

static enum status insert_row(struct partition *partition, struct instance *instance,
                              const struct event *event, const struct hash128 *key, double output,
                              struct error *err) {
    struct cohort cohort = {.instance = index_of(partition, instance),
                            .segment = segment_number(instance, event->time_ms)};
    groups_of(&instance->groups, event->columns, cohort.groups);
    struct delta_entry *entry = delta_insert(&partition->delta, key, &cohort);
    entry->time_ms = event->time_ms;
    entry->offset = event->offset;
    entry->output = output;
    entry->row_unstored = 1;
    partition->delta.unstored_rows++;
    partition->counters.predicted++;
    if (!is_done(instance, event->time_ms))
        TRY(window_add_prediction(partition, instance, entry, err));
    return join_waiting(partition, instance->task, entry, key, err);
}

static enum status predict(struct partition *partition, const struct task *task,
                           const struct event *event, const struct hash128 *key,
                           int64_t clock_before_ms, struct error *err) {
    struct instance *instance = instance_at(partition, task, event->time_ms);
    if (!instance) {
        dead_letter(partition, event, REFUSAL_BEFORE_EPOCH, task->name);
        return STATUS_OK;
    }
    const struct task_definition *definition = instance->definition;
    if (!role_filter(event->columns, definition->where_column, definition->where_value)) {
        partition->counters.filtered++;
        return STATUS_OK;
    }
    double output = 0;
    enum refusal refusal = role_output(definition, event->columns, &output);
    if (refusal != REFUSAL_NONE) {
        dead_letter(partition, event, refusal, task->name);
        return STATUS_OK;
    }
    int64_t segment = segment_number(instance, event->time_ms);
    if (!partition->live && is_done(instance, (segment + 1) * definition->segment_ms - 1))
        return STATUS_OK; /* expired at the committed position; its groups are known */
    segment_needs(segments_at(&instance->segments, segment), LOG_PREDICTIONS, event->offset,
                  clock_before_ms);
    if (delta_find(&partition->delta, key, index_of(partition, instance), segment)) {
        partition->counters.duplicates++;
        return STATUS_OK;
    }
    return insert_row(partition, instance, event, key, output, err);
}

enum status join_prediction(struct partition *partition, const struct event *event,
                            const struct hash128 *keys, int64_t clock_before_ms,
                            struct error *err) {
    for (size_t i = 0; i < partition->task_count; i++)
        TRY(predict(partition, &partition->tasks[i], event, &keys[i], clock_before_ms, err));
    return STATUS_OK;
}

/* ---- feedback ---- */

/* Of the rows that it fits the newest, for a label without the prediction's time may fit several.
 */
static struct delta_entry *find_row(struct partition *partition, const struct task *task,
                                    const struct hash128 *key, const struct arrival *arrival,
                                    enum fit *out_fit) {
    struct delta_entry *best = NULL;
    *out_fit = FIT_NO;
    for (struct delta_entry *entry = delta_first(&partition->delta, key); entry;
         entry = delta_next(&partition->delta, entry)) {
        enum fit fit = fit_row(partition, task, entry, arrival);
        if (fit == FIT_BEYOND && *out_fit == FIT_NO)
            *out_fit = FIT_BEYOND;
        if (fit != FIT_JOINS)
            continue;
        partition->ambiguous += best != NULL; /* the id was used twice within the horizon */
        if (best && best->time_ms > entry->time_ms)
            continue;
        best = entry;
        *out_fit = FIT_JOINS;
    }
    return best;
}

static void wait_or_refuse(struct partition *partition, struct task *task,
                           const struct event *event, const struct hash128 *key,
                           const struct arrival *arrival, int64_t deadline_ms) {
    int64_t clock_ms = partition->clocks[LOG_PREDICTIONS];
    if (clock_ms != TIME_NONE && clock_ms > deadline_ms) {
        dead_letter_label(partition, event->offset, event->id, REFUSAL_UNMATCHED, task->name);
        return;
    }
    if (partition->live && partition->orphans.count >= partition->config->orphans_max &&
        partition->predictions_at_end) {
        overflow_decide(partition, task, event->offset);
        dead_letter(partition, event, REFUSAL_ORPHAN_LIMIT, task->name);
        return;
    }
    task->is_overflowing = false;
    const struct orphan orphan = {.key = *key,
                                  .label_ms = arrival->label_ms,
                                  .offset = arrival->offset,
                                  .prediction_ms = arrival->prediction_ms,
                                  .deadline_ms = deadline_ms,
                                  .clock_before_ms = arrival->clock_before_ms,
                                  .joins_before = arrival->joins_before,
                                  .label = arrival->label,
                                  .task = task->id};
    orphans_add(&partition->orphans, &orphan, event->id);
}

/* The last prediction time, by the clock, that could still bring this label's row. */
static int64_t deadline_of(const struct partition *partition, const struct instance *instance,
                           const struct arrival *arrival) {
    int64_t latest_ms = arrival->label_ms + partition->config->skew_ms;
    if (arrival->prediction_ms != TIME_NONE)
        latest_ms = (segment_number(instance, arrival->prediction_ms) + 1) *
                    instance->definition->segment_ms;
    return latest_ms + partition->config->predictions.disorder_max_ms;
}

/* A label that carries its prediction's time need not find it to be judged. */
static enum refusal judge_lag(const struct partition *partition,
                              const struct task_definition *definition, int64_t lag_ms) {
    if (lag_ms > definition->horizon_ms)
        return REFUSAL_BEYOND_HORIZON;
    return lag_ms < -partition->config->skew_ms ? REFUSAL_BEFORE_PREDICTION : REFUSAL_NONE;
}

static enum status feed(struct partition *partition, struct task *task, const struct event *event,
                        const struct hash128 *key, int64_t clock_before_ms, struct error *err) {
    bool is_timed = event->prediction_ms != TIME_NONE;
    struct instance *instance =
        instance_at(partition, task,
                    is_timed ? event->prediction_ms : event->time_ms + partition->config->skew_ms);
    if (!instance) {
        dead_letter(partition, event, REFUSAL_BEFORE_EPOCH, task->name);
        return STATUS_OK;
    }
    const struct task_definition *definition = instance->definition;
    if (!role_filter(event->columns, definition->feedback_where_column,
                     definition->feedback_where_value)) {
        partition->counters.filtered++;
        return STATUS_OK;
    }
    struct arrival arrival = {.label_ms = event->time_ms,
                              .offset = event->offset,
                              .prediction_ms = event->prediction_ms,
                              .clock_before_ms = clock_before_ms,
                              .joins_before = partition->live
                                                  ? INT64_MAX
                                                  : overflow_limit(partition, task, event->offset)};
    enum refusal refusal = role_label(definition, event->columns, &arrival.label);
    if (refusal == REFUSAL_NONE && is_timed)
        refusal = judge_lag(partition, definition, event->time_ms - event->prediction_ms);
    if (refusal != REFUSAL_NONE) {
        dead_letter(partition, event, refusal, task->name);
        return STATUS_OK;
    }
    enum fit fit;
    struct delta_entry *entry = find_row(partition, task, key, &arrival, &fit);
    if (fit == FIT_JOINS) {
        overflow_end_at(task, entry->offset);
        return add_label(partition, entry, &arrival, err);
    }
    if (fit == FIT_BEYOND)
        dead_letter_label(partition, event->offset, event->id, REFUSAL_BEYOND_HORIZON, task->name);
    else
        wait_or_refuse(partition, task, event, key, &arrival,
                       deadline_of(partition, instance, &arrival));
    return STATUS_OK;
}

enum status join_feedback(struct partition *partition, const struct event *event,
                          const struct hash128 *keys, int64_t clock_before_ms, struct error *err) {
    for (size_t i = 0; i < partition->task_count; i++)
        TRY(feed(partition, &partition->tasks[i], event, &keys[i], clock_before_ms, err));
    return STATUS_OK;
}

void join_expire_orphans(struct partition *partition) {
    struct orphans *orphans = &partition->orphans;
    for (uint32_t number; (number = orphans_earliest(orphans)) != ORPHAN_NONE;) {
        const struct orphan *orphan = &orphans->list[number];
        if (orphan->deadline_ms >= partition->clocks[LOG_PREDICTIONS])
            return;
        const char *name = "";
        for (size_t i = 0; i < partition->task_count; i++)
            if (partition->tasks[i].id == orphan->task)
                name = partition->tasks[i].name;
        dead_letter_label(partition, orphan->offset, orphan_id(orphan), REFUSAL_UNMATCHED, name);
        orphans_remove(orphans, number);
    }
}
