/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/epochs.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"

enum { EPOCHS_MAX = 10000, CONFIG_BYTES_MAX = 1 << 20 };

void epochs_take(struct epochs *epochs, const json_t *value) {
    const json_t *task = json_object_get(value, "task"), *epoch = json_object_get(value, "epoch");
    const json_t *print = json_object_get(value, "fingerprint");
    const json_t *configuration = json_object_get(value, "configuration");
    if (!json_is_string(task) || !json_is_integer(epoch) || !json_is_string(print) ||
        !json_is_string(configuration) || epochs->record_count >= EPOCHS_MAX)
        return;
    epochs->records =
        alloc_resize(epochs->records, epochs->record_count + 1, sizeof *epochs->records);
    epochs->records[epochs->record_count++] = (struct epoch_record){
        .task = alloc_copy(slice_from(json_string_value(task))),
        .configuration = alloc_copy(slice_from(json_string_value(configuration))),
        .epoch = json_integer_value(epoch),
        .fingerprint = strtoull(json_string_value(print), NULL, 16)};
}

/* ---- an older definition: its columns, in terms of ours ---- */

/* A configuration's arrays are its own: they are replaced, not resized, and live with the process.
 */
static void *extend(const void *array, int count, size_t size) {
    void *longer = alloc_zero((size_t)count + 1, size);
    memcpy(longer, array, (size_t)count * size);
    return longer;
}

static int column_in(struct topic_definition *topic, const struct topic_definition *old,
                     int column) {
    if (column < 0)
        return column;
    const struct column_definition *wanted = &old->columns[column];
    for (int i = 0; i < topic->column_count; i++)
        if (strcmp(topic->columns[i].path, wanted->path) == 0 &&
            topic->columns[i].is_time == wanted->is_time)
            return i;
    topic->columns = extend(topic->columns, topic->column_count, sizeof *topic->columns);
    topic->columns[topic->column_count] = *wanted;
    return topic->column_count++;
}

static void adopt(struct config *config, const struct config *old,
                  const struct task_definition *definition, int64_t epoch) {
    config->tasks = extend(config->tasks, config->task_count, sizeof *config->tasks);
    struct task_definition *task = &config->tasks[config->task_count++];
    *task = *definition;
    task->epoch = epoch;
    struct topic_definition *predictions = &config->predictions, *feedback = &config->feedback;
    task->score_column = column_in(predictions, &old->predictions, task->score_column);
    task->output_column = column_in(predictions, &old->predictions, task->output_column);
    task->where_column = column_in(predictions, &old->predictions, task->where_column);
    task->label_column = column_in(feedback, &old->feedback, task->label_column);
    task->feedback_where_column = column_in(feedback, &old->feedback, task->feedback_where_column);
    for (int i = 0; i < task->grouping_count; i++)
        for (int j = 0; j < task->groupings[i].column_count; j++)
            task->groupings[i].columns[j] =
                column_in(predictions, &old->predictions, task->groupings[i].columns[j]);
}

static enum status adopt_older(struct epochs *epochs, struct config *config,
                               const struct epoch_record *record, struct error *err) {
    struct problems problems;
    problems_init(&problems, "older definition");
    struct config *old = NULL;
    if (config_parse("older definition", slice_from(record->configuration), &old, &problems) !=
        STATUS_OK) {
        problems_release(&problems);
        return error_set(err, STATUS_CONFIG,
                         "epoch %" PRId64 " of task %s on the control topic does not parse; start "
                         "it once with the release that wrote it",
                         record->epoch, record->task);
    }
    problems_release(&problems);
    for (int i = 0; i < old->task_count; i++)
        if (strcmp(old->tasks[i].name, record->task) == 0)
            adopt(config, old, &old->tasks[i], record->epoch);
    epochs->older =
        alloc_resize((void *)epochs->older, epochs->older_count + 1, sizeof(struct config *));
    epochs->older[epochs->older_count++] = old;
    return STATUS_OK;
}

/* ---- ours ---- */

static void publish(struct epochs *epochs, const struct config *config,
                    const struct task_definition *task) {
    char key[512], print[32];
    struct buffer text;
    buffer_init(&text, CONFIG_BYTES_MAX);
    /* The file is of this machine and this day: the definition must be read without it. */
    struct config shared = *config;
    shared.state_key_file = NULL;
    config_print(&shared, &text);
    (void)snprintf(key, sizeof key, "task/%s/%" PRId64, task->name, task->epoch);
    (void)snprintf(print, sizeof print, "%016" PRIx64, task->fingerprint);
    json_t *value =
        json_pack("{s:s, s:I, s:s, s:s%}", "task", task->name, "epoch", (json_int_t)task->epoch,
                  "fingerprint", print, "configuration", text.data, text.size);
    ASSERT(value != NULL);
    epochs->publish =
        alloc_resize(epochs->publish, epochs->publish_count + 1, sizeof *epochs->publish);
    epochs->publish[epochs->publish_count++] =
        (struct epoch_message){alloc_copy(slice_from(key)), json_dumps(value, JSON_COMPACT)};
    json_decref(value);
    buffer_release(&text);
}

static enum status number(struct epochs *epochs, struct task_definition *task, struct error *err) {
    int64_t newest = 0, ours = 0;
    for (size_t i = 0; i < epochs->record_count; i++) {
        const struct epoch_record *record = &epochs->records[i];
        if (strcmp(record->task, task->name) != 0)
            continue;
        newest = record->epoch > newest ? record->epoch : newest;
        if (record->fingerprint == task->fingerprint && record->epoch > ours)
            ours = record->epoch;
    }
    if (ours != 0 && ours < newest)
        return error_set(err, STATUS_CONFIG,
                         "task %s: this definition is epoch %" PRId64 ", but epoch %" PRId64
                         " runs; start with the newest configuration, or change the definition "
                         "(a new effective_from will do) to go back on purpose",
                         task->name, ours, newest);
    task->epoch = ours != 0 ? ours : newest + 1;
    return STATUS_OK;
}

enum status epochs_assign(struct epochs *epochs, struct config *config, struct error *err) {
    int count = config->task_count;
    for (int i = 0; i < count; i++) {
        TRY(number(epochs, &config->tasks[i], err));
        bool known = false;
        for (size_t j = 0; j < epochs->record_count; j++)
            known |= strcmp(epochs->records[j].task, config->tasks[i].name) == 0 &&
                     epochs->records[j].epoch == config->tasks[i].epoch;
        if (!known)
            publish(epochs, config, &config->tasks[i]);
    }
    for (int i = 0; i < count; i++)
        for (size_t j = 0; j < epochs->record_count; j++)
            if (strcmp(epochs->records[j].task, config->tasks[i].name) == 0 &&
                epochs->records[j].epoch < config->tasks[i].epoch)
                TRY(adopt_older(epochs, config, &epochs->records[j], err));
    return STATUS_OK;
}

/* The older configurations are not freed: adopted definitions borrow from them for the process's
 * life. */
void epochs_release(struct epochs *epochs) {
    for (size_t i = 0; i < epochs->record_count; i++) {
        free(epochs->records[i].task);
        free(epochs->records[i].configuration);
    }
    for (size_t i = 0; i < epochs->publish_count; i++) {
        free(epochs->publish[i].key);
        free(epochs->publish[i].value);
    }
    free(epochs->records);
    free(epochs->publish);
    free((void *)epochs->older);
}
