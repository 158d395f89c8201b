/* stage_task.c -- stage 2 in the loop: one partials partition into the pure core.
 * SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "kafka/latest.h"
#include "worker/directory.h"
#include "worker/partials.h"
#include "worker/stage.h"

enum { BATCH_MAX = READER_BATCH_MAX, BROKER_TIMEOUT_MS = 10000 };

struct item {
    int32_t number;
    struct task_stage *stage;
    struct store *store;
    struct log_reader *reader;
    struct kafka_record records[BATCH_MAX];
    struct task_record batch[BATCH_MAX];
};

/* ---- opening ---- */

static enum status visit_history(void *owner, const struct kafka_record *record,
                                 struct error *err) {
    struct item *item = owner;
    if (partials_is_note(record->key))
        return STATUS_OK;
    const struct task_record history = {record->offset, record->key, record->value};
    enum status status = task_restore(item->stage, &history, err);
    return status == STATUS_OK
               ? STATUS_OK
               : error_wrap(err, status, "record at offset %" PRId64, record->offset);
}

static enum status restore_history(struct stage_context *context, struct item *item,
                                   struct error *err) {
    return read_whole(context->visitor, context->options->config->state_topic, item->number, 0,
                      BROKER_TIMEOUT_MS, visit_history, item, NULL, err);
}

static enum status open_core(struct stage_context *context, struct item *item, const char *path,
                             int64_t committed, int64_t end, struct error *err) {
    TRY(store_rocks_open(path, context->options->cache, &item->store, err));
    const struct task_options options = {.config = context->options->config,
                                         .partition = item->number,
                                         .source_partitions = context->options->source_partitions,
                                         .incarnation = 1,
                                         .store = item->store,
                                         .committed = committed,
                                         .end = end};
    enum status status = task_open(&options, &item->stage, err);
    /* Also an older disk: panes that became final since have no partials any more. */
    if (status == STATUS_OK && (task_position(item->stage) < committed || committed == 0))
        status = restore_history(context, item, err);
    if (status == STATUS_OK)
        return STATUS_OK;
    task_close(item->stage);
    item->stage = NULL;
    item->store->ops->close(item->store);
    item->store = NULL;
    return status;
}

static enum status open_or_rebuild(struct stage_context *context, struct item *item,
                                   struct error *err) {
    const struct config *config = context->options->config;
    struct log_position committed = {config->partials_topic, item->number, -1};
    char path[1024];
    int64_t end;
    TRY(group_committed(context->group, &committed, 1, BROKER_TIMEOUT_MS, err));
    TRY(partials_check(context->visitor, config, item->number, committed.offset, &end, err));
    if (committed.offset < 0)
        committed.offset = 0;
    TRY(directory_make(path, sizeof path, config->state_directory, config->partials_topic,
                       item->number, err));
    enum status status = open_core(context, item, path, committed.offset, end, err);
    if (status != STATUS_CORRUPT)
        return status;
    char quoted[600];
    LOG_WARN("task_state_rebuilt", "partition=%d reason=%s", item->number,
             log_quote(quoted, err->text));
    TRY(directory_empty(path, err));
    return open_core(context, item, path, committed.offset, end, err);
}

static void stage_close(struct stage_context *context, struct item *item) {
    if (item->reader)
        assign_consumer_remove(context->reader, item->reader);
    task_close(item->stage);
    if (item->store)
        item->store->ops->close(item->store);
    free(item);
}

static enum status stage_open(struct stage_context *context, int32_t number, struct item **out_item,
                              struct error *err) {
    struct item *item = alloc_zero(1, sizeof *item);
    item->number = number;
    enum status status = open_or_rebuild(context, item, err);
    if (status == STATUS_OK)
        status = assign_consumer_add(context->reader, context->options->config->partials_topic,
                                     number, task_position(item->stage), &item->reader, err);
    if (status != STATUS_OK) {
        stage_close(context, item);
        return status;
    }
    *out_item = item;
    return STATUS_OK;
}

/* ---- turning and committing ---- */

static enum status stage_turn(struct stage_context *context, struct item *item, bool *out_busy,
                              struct error *err) {
    size_t count;
    TRY(log_reader_poll(item->reader, item->records, BATCH_MAX, &count, err));
    for (size_t i = 0; i < count; i++) {
        const struct kafka_record *record = &item->records[i];
        item->batch[i] = (struct task_record){record->offset, record->key, record->value};
        context->figures->bytes += (int64_t)(record->key.size + record->value.size);
    }
    context->figures->records += (int64_t)count;
    enum status status = task_step(item->stage, item->batch, count, err);
    records_release(item->records, count);
    if (status != STATUS_OK)
        return status;
    if (count == 0)
        TRY(task_skip_to(item->stage, log_reader_position(item->reader), err));
    *out_busy |= count > 0;
    return STATUS_OK;
}

static bool stage_is_live(const struct item *item) {
    return task_is_live(item->stage);
}

static enum status stage_commit(struct stage_context *context, struct item *item, int64_t now_ms,
                                bool drain, struct error *err) {
    size_t before = context->outbox->count;
    TRY(task_commit(item->stage, now_ms, drain, context->outbox, err));
    if (context->outbox->count > before)
        partials_note(item->number, task_position(item->stage), context->outbox);
    return STATUS_OK;
}

static size_t stage_positions(const struct stage_context *context, const struct item *item,
                              struct log_position *out_positions) {
    out_positions[0] = (struct log_position){context->options->config->partials_topic, item->number,
                                             task_position(item->stage)};
    return 1;
}

static enum status stage_committed(struct stage_context *context UNUSED, struct item *item,
                                   int64_t now_ms, bool flush, struct error *err) {
    return task_committed(item->stage, now_ms, flush, err);
}

static void stage_report(struct stage_context *context, struct item *item) {
    struct task_figures figures = {.partition = item->number,
                                   .live = stage_is_live(item),
                                   .lag = log_reader_lag(item->reader),
                                   .fetched_bytes = log_reader_fetched_bytes(item->reader, 0)};
    task_stats(item->stage, &figures.stats);
    item->store->ops->usage(item->store, &figures.store);
    board_set_task(context->options->board, &figures);
}

static void stage_forget(struct stage_context *context, int32_t number) {
    board_remove_task(context->options->board, number);
}

const struct stage_ops task_stage_ops = {.name = "task",
                                         .open = stage_open,
                                         .close = stage_close,
                                         .turn = stage_turn,
                                         .commit = stage_commit,
                                         .positions = stage_positions,
                                         .committed = stage_committed,
                                         .is_live = stage_is_live,
                                         .report = stage_report,
                                         .forget = stage_forget};
