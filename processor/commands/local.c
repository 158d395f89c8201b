/* local.c -- `slipstream local`: files through the same pure core, both stages, without a broker.
 *
 * Rows are taken in the order of their own times (a stable sort), so that none is late; the end of
 * the files closes every window.  SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands/registry.h"
#include "commands/sli_table.h"
#include "partition/decode.h"
#include "partition/partition.h"
#include "schemas/record_file.h"
#include "task/task.h"

enum { BATCH = 4096, ROWS_MAX = 20000000 };

struct rows {
    struct event *list;
    size_t count, capacity;
    struct arena arena;
};

struct local {
    struct config *config;
    struct decode *decode[LOG_COUNT];
    struct rows rows[LOG_COUNT];
    struct memory_disk *disks[2];
    struct store *stores[2];
    struct partition *partition;
    struct task_stage **stages; /* [partials_partitions] */
    struct memory_disk **task_disks;
    struct store **task_stores;
    int64_t *offsets; /* next offset of each partials partition */
    struct outbox outbox;
    struct sli_table table;
    int64_t dead[REFUSAL_COUNT];
};

/* ---- reading ---- */

static struct event *add_row(struct rows *rows) {
    if (rows->count == rows->capacity) {
        rows->capacity = rows->capacity ? rows->capacity * 2 : 1024;
        rows->list = alloc_resize(rows->list, rows->capacity, sizeof *rows->list);
    }
    struct event *event = &rows->list[rows->count++];
    *event = (struct event){.record_ms = TIME_NONE};
    return event;
}

static void keep_row(struct local *local, enum log_side log, const struct value *values,
                     int column_count, struct slice raw) {
    struct rows *rows = &local->rows[log];
    struct value *columns = arena_take(&rows->arena, (size_t)(column_count + 1) * sizeof *columns);
    for (int i = 0; i < column_count; i++) {
        columns[i] = values[i];
        if (values[i].kind == VALUE_STRING)
            columns[i].as.string = arena_copy(&rows->arena, values[i].as.string);
    }
    struct event *event = add_row(rows);
    decode_columns(local->decode[log], columns, &rows->arena, event);
    if (event->refusal != REFUSAL_NONE)
        event->raw_value = arena_copy(&rows->arena, raw);
}

static enum status read_rows(struct local *local, enum log_side log, const char *path,
                             struct error *err) {
    const struct topic_definition *topic =
        log == LOG_PREDICTIONS ? &local->config->predictions : &local->config->feedback;
    size_t count = (size_t)topic->column_count;
    struct column_path *paths = alloc_zero(count, sizeof *paths);
    struct value *values = alloc_zero(count, sizeof *values);
    for (size_t i = 0; i < count; i++)
        paths[i] = (struct column_path){topic->columns[i].path, topic->columns[i].is_time};
    struct record_file *file = NULL;
    enum status status = record_file_open(path, paths, count, &file, err);
    bool end = false;
    while (status == STATUS_OK && local->rows[log].count < ROWS_MAX) {
        status = record_file_next(file, values, &end, err);
        if (status != STATUS_OK || end)
            break;
        keep_row(local, log, values, topic->column_count, record_file_raw(file));
    }
    if (status == STATUS_OK && !end)
        status = error_set(err, STATUS_CONFIG,
                           "%s has more than %d rows: use a broker and "
                           "`slipstream load`",
                           path, ROWS_MAX);
    if (file)
        record_file_close(file);
    free(paths);
    free(values);
    return status;
}

static int compare_times(const void *left, const void *right) {
    const struct event *a = left, *b = right;
    if (a->time_ms != b->time_ms)
        return a->time_ms < b->time_ms ? -1 : 1;
    return a->offset < b->offset ? -1 : a->offset > b->offset;
}

static void order_rows(struct rows *rows) {
    for (size_t i = 0; i < rows->count; i++)
        rows->list[i].offset = (int64_t)i; /* the sort is stable by it */
    qsort(rows->list, rows->count, sizeof *rows->list, compare_times);
    for (size_t i = 0; i < rows->count; i++)
        rows->list[i].offset = (int64_t)i;
}

/* ---- the two stages ---- */

static enum status open_stages(struct local *local, struct error *err) {
    const struct config *config = local->config;
    size_t count = (size_t)config->partials_partitions;
    local->disks[0] = memory_disk_create();
    TRY(store_memory_open(local->disks[0], NULL, &local->stores[0], err));
    const struct partition_options options = {.config = config, .store = local->stores[0]};
    TRY(partition_open(&options, &local->partition, err));
    local->stages = alloc_zero(count, sizeof *local->stages);
    local->task_disks = alloc_zero(count, sizeof *local->task_disks);
    local->task_stores = alloc_zero(count, sizeof *local->task_stores);
    local->offsets = alloc_zero(count, sizeof *local->offsets);
    for (size_t i = 0; i < count; i++) {
        local->task_disks[i] = memory_disk_create();
        TRY(store_memory_open(local->task_disks[i], NULL, &local->task_stores[i], err));
        const struct task_options task = {.config = config,
                                          .partition = (int32_t)i,
                                          .source_partitions = 1,
                                          .incarnation = 1,
                                          .store = local->task_stores[i]};
        TRY(task_open(&task, &local->stages[i], err));
    }
    return STATUS_OK;
}

/* What stage 1 sent becomes what stage 2 reads. */
static enum status hand_over(struct local *local, struct error *err) {
    for (size_t i = 0; i < local->outbox.count; i++) {
        const struct message *message = &local->outbox.messages[i];
        if (message->topic != TOPIC_PARTIALS)
            continue;
        const struct task_record record = {local->offsets[message->partition]++, message->key,
                                           message->value};
        TRY(task_step(local->stages[message->partition], &record, 1, err));
    }
    outbox_reset(&local->outbox);
    return STATUS_OK;
}

static enum status publish(struct local *local, int64_t now_ms, struct error *err) {
    for (int i = 0; i < local->config->partials_partitions; i++) {
        TRY(task_commit(local->stages[i], now_ms, true, &local->outbox, err));
        for (size_t j = 0; j < local->outbox.count; j++) {
            const struct message *message = &local->outbox.messages[j];
            if (message->topic == TOPIC_SLIS)
                (void)sli_table_put(&local->table, message->key, message->value);
        }
        outbox_reset(&local->outbox);
        TRY(task_committed(local->stages[i], now_ms, false, err));
    }
    return STATUS_OK;
}

/* Commit times are event times: nothing here knows the wall clock. */
static enum status commit(struct local *local, int64_t now_ms, bool drain, struct error *err) {
    TRY(partition_commit(local->partition, now_ms, drain, &local->outbox, err));
    TRY(hand_over(local, err));
    return partition_committed(local->partition, now_ms, false, err);
}

static size_t merge_batch(struct local *local, size_t at[LOG_COUNT], struct event *batch) {
    size_t count = 0;
    while (count < BATCH) {
        const struct rows *predictions = &local->rows[LOG_PREDICTIONS];
        const struct rows *feedback = &local->rows[LOG_FEEDBACK];
        bool has_prediction = at[LOG_PREDICTIONS] < predictions->count;
        bool has_label = at[LOG_FEEDBACK] < feedback->count;
        if (!has_prediction && !has_label)
            break;
        int log =
            !has_prediction || (has_label && feedback->list[at[LOG_FEEDBACK]].time_ms <
                                                 predictions->list[at[LOG_PREDICTIONS]].time_ms);
        batch[count++] = local->rows[log].list[at[log]++];
    }
    return count;
}

static int64_t latest_of(const struct local *local) {
    int64_t latest_ms = 0;
    for (int log = 0; log < LOG_COUNT; log++)
        for (size_t i = 0; i < local->rows[log].count; i++)
            if (local->rows[log].list[i].refusal == REFUSAL_NONE &&
                local->rows[log].list[i].time_ms > latest_ms)
                latest_ms = local->rows[log].list[i].time_ms;
    return latest_ms;
}

/* Beyond every window's end, horizon and disorder. */
static void close_logs(struct local *local) {
    const struct config *config = local->config;
    int64_t time_ms = latest_of(local), longest_ms = 0;
    for (int i = 0; i < config->task_count; i++) {
        const struct task_definition *task = &config->tasks[i];
        int64_t span_ms = task->horizon_ms;
        for (int j = 0; j < task->window_count; j++)
            if (task->horizon_ms + task->windows[j].size_ms > span_ms)
                span_ms = task->horizon_ms + task->windows[j].size_ms;
        longest_ms = span_ms > longest_ms ? span_ms : longest_ms;
    }
    time_ms += longest_ms + config->predictions.disorder_max_ms + config->feedback.disorder_max_ms +
               2 * config->skew_ms + config->disorder_ms + 1;
    for (int log = 0; log < LOG_COUNT; log++)
        partition_decide_clock(local->partition, (enum log_side)log, time_ms, -1);
}

static enum status process(struct local *local, struct error *err) {
    struct event *batch = alloc_zero(BATCH, sizeof *batch);
    size_t at[LOG_COUNT] = {0, 0}, count;
    enum status status = STATUS_OK;
    while (status == STATUS_OK && (count = merge_batch(local, at, batch)) > 0) {
        status = partition_step(local->partition, batch, count, &local->outbox, err);
        if (status == STATUS_OK)
            status = commit(local, batch[count - 1].time_ms, false, err);
    }
    free(batch);
    if (status != STATUS_OK)
        return status;
    close_logs(local);
    int64_t now_ms = latest_of(local);
    TRY(commit(local, now_ms, true, err));
    return publish(local, now_ms, err);
}

/* ---- the command ---- */

static void say_refused(const struct local *local) {
    struct partition_stats stats;
    partition_stats(local->partition, &stats);
    (void)fprintf(stderr,
                  "%zu predictions, %zu labels: %" PRId64 " counted, %" PRId64 " labelled, %" PRId64
                  " duplicates, %" PRId64 " superseded\n",
                  local->rows[LOG_PREDICTIONS].count, local->rows[LOG_FEEDBACK].count,
                  stats.predicted, stats.labelled, stats.duplicates, stats.superseded);
    for (int i = 1; i < REFUSAL_COUNT; i++)
        if (stats.refused[i] > 0)
            (void)fprintf(stderr, "%" PRId64 " refused: %s: %s\n", stats.refused[i],
                          refusal_code((enum refusal)i), refusal_remedy((enum refusal)i));
}

static void release(struct local *local) {
    partition_close(local->partition);
    for (int i = 0; local->stages && i < local->config->partials_partitions; i++) {
        task_close(local->stages[i]);
        if (local->task_stores[i])
            local->task_stores[i]->ops->close(local->task_stores[i]);
        if (local->task_disks[i])
            memory_disk_destroy(local->task_disks[i]);
    }
    if (local->stores[0])
        local->stores[0]->ops->close(local->stores[0]);
    if (local->disks[0])
        memory_disk_destroy(local->disks[0]);
    for (int log = 0; log < LOG_COUNT; log++) {
        decode_destroy(local->decode[log]);
        free(local->rows[log].list);
        arena_release(&local->rows[log].arena);
    }
    free(local->stages);
    free(local->task_disks);
    free(local->task_stores);
    free(local->offsets);
    outbox_release(&local->outbox);
    sli_table_release(&local->table);
    config_destroy(local->config);
}

static enum status work(struct local *local, const char *const paths[LOG_COUNT],
                        struct error *err) {
    for (int log = 0; log < LOG_COUNT; log++) {
        TRY(decode_create(local->config, (enum log_side)log, NULL, &local->decode[log], err));
        TRY(read_rows(local, (enum log_side)log, paths[log], err));
        order_rows(&local->rows[log]);
    }
    TRY(open_stages(local, err));
    return process(local, err);
}

/* Files bring their own schemas, or none: whatever the topics' format is, columns come by path. */
static void adapt(struct config *config) {
    config->predictions.format = config->feedback.format = FORMAT_JSON;
    for (int i = 0; i < config->task_count; i++)
        config->tasks[i].epoch = 1;
}

static int run(int argc, char **argv) {
    const char *operands[1], *paths[LOG_COUNT] = {NULL, NULL}, *format = "table";
    struct sli_choice choice = {.group = "all"};
    const struct argument arguments[] = {
        {"predictions", "FILE", "predictions: .csv, .jsonl or .avro", &paths[LOG_PREDICTIONS]},
        {"feedback", "FILE", "labels: .csv, .jsonl or .avro", &paths[LOG_FEEDBACK]},
        {"format", "F", "table (default), csv or jsonl", &format},
        {"task", "NAME", "only this task", &choice.task},
        {"metric", "NAME", "only this metric", &choice.metric},
        {"group", "NAME", "only this group (default all; \"\" for every group)", &choice.group},
        {"window", "NAME", "only this window", &choice.window}};
    int code;
    enum sli_format parsed = SLI_FORMAT_TABLE;
    if (!arguments_parse(&command_local, argc, argv, arguments, COUNT_OF(arguments), operands, 1,
                         &code))
        return code;
    if (!paths[0] || !paths[1] || !sli_format_parse(format, &parsed)) {
        (void)fprintf(stderr,
                      "slipstream local: --predictions FILE and --feedback FILE are needed; "
                      "--format is table, csv or jsonl\n");
        return EXIT_USAGE;
    }
    if (choice.group && choice.group[0] == '\0')
        choice.group = NULL;
    struct local local = {.config = command_config(operands[0])};
    if (!local.config)
        return EXIT_USAGE;
    adapt(local.config);
    outbox_init(&local.outbox);
    sli_table_init(&local.table);
    struct error err = {0};
    enum status status = work(&local, paths, &err);
    code = status == STATUS_OK ? EXIT_DONE : command_failed(&command_local, status, &err);
    if (status == STATUS_OK) {
        sli_table_print(&local.table, parsed, &choice, stdout);
        (void)fflush(stdout); /* what follows goes to standard error */
        say_refused(&local);
    }
    release(&local);
    return code;
}

const struct command command_local = {
    .name = "local",
    .summary = "SLIs from files, without a broker",
    .synopsis = "CONFIG --predictions FILE --feedback FILE",
    .text =
        "Reads both files whole, takes their rows in the order of their own times and runs them "
        "through\n"
        "the same core as `run`, both stages, until every window is FINAL. Results go to standard\n"
        "output, counts of what was refused to standard error.\n\n"
        "Example:\n"
        "  slipstream generate TIPS --what predictions > p.jsonl\n"
        "  slipstream generate TIPS --what feedback > f.jsonl\n"
        "  slipstream local docs/examples/demo.yaml --predictions p.jsonl --feedback f.jsonl\n",
    .run = run,
};
