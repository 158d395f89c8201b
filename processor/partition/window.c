/* window.c -- joined pairs into panes, seals, finality.  SPDX-License-Identifier: Apache-2.0 */
#include "partition/internal.h"

int64_t pane_floor(const struct instance *instance, int64_t time_ms) {
    return floor_divide(time_ms, instance->definition->pane_ms) * instance->definition->pane_ms;
}

/* T is final when T + horizon + disorder.max + skew < clock, on both logs. */
int64_t final_before(const struct partition *partition, const struct instance *instance,
                     const int64_t clocks[LOG_COUNT]) {
    const struct config *config = partition->config;
    if (clocks[LOG_PREDICTIONS] == TIME_NONE || clocks[LOG_FEEDBACK] == TIME_NONE)
        return INT64_MIN;
    int64_t predictions = clocks[LOG_PREDICTIONS] - config->predictions.disorder_max_ms;
    int64_t feedback = clocks[LOG_FEEDBACK] - config->feedback.disorder_max_ms;
    int64_t least = predictions < feedback ? predictions : feedback;
    return pane_floor(instance, least - instance->definition->horizon_ms - config->skew_ms - 1);
}

void output_of(const struct instance *instance, const struct delta_entry *entry,
               struct output *out_output) {
    *out_output = (struct output){0};
    switch (instance->definition->kind) {
    case TASK_BINARY:
        out_output->score = entry->output;
        break;
    case TASK_MULTICLASS:
        out_output->class = (uint32_t)entry->output;
        break;
    case TASK_REGRESSION:
        out_output->value = entry->output;
        break;
    }
}

static struct pane *pane_of(struct instance *instance, int64_t time_ms) {
    int64_t start_ms = pane_floor(instance, time_ms);
    bool sealed = start_ms + instance->definition->pane_ms <= instance->sealed_before_ms;
    return panes_at(&instance->panes, start_ms, sealed);
}

static enum status unreadable(struct error *err) {
    return error_set(err, STATUS_CORRUPT, "the counts of a pane do not parse");
}

uint16_t window_group(const struct cohort *cohort, int i) {
    return i == 0 ? GROUP_ALL : cohort->groups[i - 1];
}

enum status window_add_prediction(struct partition *partition, struct instance *instance,
                                  const struct delta_entry *entry, struct error *err) {
    struct output output;
    struct prediction_part part;
    output_of(instance, entry, &output);
    prediction_part_of(&instance->shape, &output, &part);
    struct pane *pane = pane_of(instance, entry->time_ms);
    const struct cohort *cohort = delta_cohort(&partition->delta, entry);
    for (int i = 0; i <= instance->definition->grouping_count; i++) {
        struct pane_entry *touched;
        TRY(panes_entry(&instance->panes, pane, window_group(cohort, i), partition->store, &touched,
                        err));
        struct tables *tables = entry_open(&instance->panes.pool, touched);
        if (!tables)
            return unreadable(err);
        tables_add_prediction(tables, &part);
        entry_close(&instance->panes.pool, touched, tables);
        panes_touch(pane, touched, LOG_PREDICTIONS, entry->offset);
    }
    return STATUS_OK;
}

static void label_part(const struct instance *instance, const struct delta_entry *entry,
                       const struct delta_label *label, struct label_part *out_part) {
    struct pair pair = {.lag_ms = label->time_ms - entry->time_ms};
    output_of(instance, entry, &pair.output);
    if (instance->definition->kind == TASK_MULTICLASS)
        pair.label.class = (uint32_t)label->value;
    else
        pair.label.value = label->value;
    label_part_of(&instance->shape, &pair, out_part);
}

enum status window_add_label(struct partition *partition, struct instance *instance,
                             const struct delta_entry *entry, int sign, struct error *err) {
    const struct delta_label *label = delta_label(&partition->delta, entry);
    ASSERT(label);
    struct label_part part;
    label_part(instance, entry, label, &part);
    struct pane *pane = pane_of(instance, entry->time_ms);
    const struct cohort *cohort = delta_cohort(&partition->delta, entry);
    for (int i = 0; i <= instance->definition->grouping_count; i++) {
        struct pane_entry *touched;
        TRY(panes_entry(&instance->panes, pane, window_group(cohort, i), partition->store, &touched,
                        err));
        struct tables *tables = entry_open(&instance->panes.pool, touched);
        if (!tables)
            return unreadable(err);
        tables_add_label(tables, &part, sign);
        entry_close(&instance->panes.pool, touched, tables);
        panes_touch(pane, touched, LOG_FEEDBACK, label->offset);
    }
    return STATUS_OK;
}

enum status window_touch_label(struct partition *partition, struct instance *instance,
                               const struct delta_entry *entry, int64_t offset, struct error *err) {
    struct pane *pane = pane_of(instance, entry->time_ms);
    const struct cohort *cohort = delta_cohort(&partition->delta, entry);
    for (int i = 0; i <= instance->definition->grouping_count; i++) {
        struct pane_entry *touched;
        TRY(panes_entry(&instance->panes, pane, window_group(cohort, i), partition->store, &touched,
                        err));
        panes_touch(pane, touched, LOG_FEEDBACK, offset);
    }
    return STATUS_OK;
}

void window_remove(struct partition *partition, struct instance *instance, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const struct pane *pane = instance->panes.sorted[i];
        for (size_t j = 0; j < pane->count; j++) {
            char key[PANE_KEY_BYTES];
            pane_write_key(instance->id, pane->start_ms, pane->entries[j].group, key);
            buffer_append(&partition->removed_panes, key, sizeof key);
        }
    }
    panes_remove(&instance->panes, count);
    partition->changed_since_flush |= count > 0;
}

/* At the record that moves the watermark past a pane's end. */
void window_seal(struct partition *partition) {
    int64_t watermark = partition->clocks[LOG_PREDICTIONS] - partition->config->disorder_ms;
    for (size_t i = 0; i < partition->instance_count; i++) {
        struct instance *instance = &partition->instances[i];
        int64_t sealed_before_ms = pane_floor(instance, watermark);
        if (sealed_before_ms <= instance->sealed_before_ms)
            continue;
        instance->sealed_before_ms = sealed_before_ms;
        panes_seal(&instance->panes, sealed_before_ms, instance->definition->pane_ms);
    }
}
