/* canonical.c -- the definition of a task as one text: what it means, not how it was written.
 *
 * Everything that changes the meaning of its partials or SLIs is in it; paths stand for columns, so
 * that another task's columns do not matter.  SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <string.h>

#include "base/hash.h"
#include "config/quantity.h"
#include "config/read.h"
#include "metrics/metric.h"

enum { CANONICAL_BYTES_MAX = 1 << 18 };

static const char *path_of(const struct topic_definition *topic, int column) {
    return column < 0 ? "-" : topic->columns[column].path;
}

static void add_inputs(struct buffer *text, const struct config *config) {
    const struct topic_definition *predictions = &config->predictions;
    const struct topic_definition *feedback = &config->feedback;
    text_add(text, "predictions %s id=%s time=%s\n", predictions->topic,
             path_of(predictions, predictions->id_column),
             path_of(predictions, predictions->time_column));
    text_add(text, "feedback %s id=%s time=%s prediction_time=%s\n", feedback->topic,
             path_of(feedback, feedback->id_column), path_of(feedback, feedback->time_column),
             path_of(feedback, feedback->prediction_time_column));
}

static void add_slice(struct buffer *text, const char *name, struct slice value) {
    text_add(text, " %s=%zu:", name, value.size);
    buffer_append(text, value.data, value.size);
}

static void add_columns(struct buffer *text, const struct config *config,
                        const struct task_definition *task) {
    text_add(text, "score=%s output=%s label=%s\n",
             path_of(&config->predictions, task->score_column),
             path_of(&config->predictions, task->output_column),
             path_of(&config->feedback, task->label_column));
    text_add(text, "where=%s feedback_where=%s", path_of(&config->predictions, task->where_column),
             path_of(&config->feedback, task->feedback_where_column));
    add_slice(text, "equals", task->where_value);
    add_slice(text, "feedback_equals", task->feedback_where_value);
    text_add(text, "\n");
}

static void add_cuts(struct buffer *text, const struct config *config,
                     const struct task_definition *task) {
    for (int i = 0; i < task->window_count; i++) {
        const struct window_definition *window = &task->windows[i];
        text_add(text, "window %s %d %" PRId64 " %" PRId64 " %" PRId64 "\n", window->name,
                 (int)window->kind, window->size_ms, window->slide_ms, window->offset_ms);
    }
    for (int i = 0; i < task->grouping_count; i++) {
        const struct grouping_definition *grouping = &task->groupings[i];
        text_add(text, "group %s", grouping->name);
        for (int k = 0; k < grouping->column_count; k++)
            text_add(text, " %s", path_of(&config->predictions, grouping->columns[k]));
        text_add(text, "\n");
    }
    for (int i = 0; i < task->class_count; i++)
        add_slice(text, "class", slice_from(task->classes[i]));
}

static void add_metrics(struct buffer *text, const struct task_definition *task) {
    char parameter[QUANTITY_BYTES];
    for (int i = 0; i < task->metric_count; i++) {
        const struct metric_use *use = &task->metrics[i];
        text_add(text, "metric %s=%s/%" PRIu32 " %s\n", use->name, use->metric->name,
                 use->metric->version, format_number(parameter, use->parameter));
    }
}

void canonical_set(struct reading *reading, struct task_definition *task) {
    char threshold[QUANTITY_BYTES], level[QUANTITY_BYTES];
    struct buffer text;
    buffer_init(&text, CANONICAL_BYTES_MAX);
    text_add(&text,
             "task %s kind=%d horizon=%" PRId64 " pane=%" PRId64 " segment=%" PRId64
             " from=%" PRId64 " groups_max=%" PRIu32 " cells=%" PRIu32 "\n",
             task->name, (int)task->kind, task->horizon_ms, task->pane_ms, task->segment_ms,
             task->effective_from_ms, task->groups_max, task->cell_count);
    text_add(&text, "threshold=%s level=%s positive=%s\n",
             format_number(threshold, task->threshold), format_number(level, task->level),
             task->positive_label ? task->positive_label : "-");
    add_inputs(&text, reading->config);
    add_columns(&text, reading->config, task);
    add_cuts(&text, reading->config, task);
    add_metrics(&text, task);
    task->fingerprint = hash64(buffer_slice(&text));
    char *copy = arena_take(reading->arena, text.size + 1);
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    task->canonical = copy;
    buffer_release(&text);
}
