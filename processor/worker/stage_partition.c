/* stage_partition.c -- stage 1 in the loop: both logs of one input partition, in record-timestamp
 * order, into the pure core.  SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "kafka/latest.h"
#include "partition/decode.h"
#include "worker/directory.h"
#include "worker/stage.h"

enum {
    PENDING_MAX = 4 * READER_BATCH_MAX, /* a step's look-ups are batched: shorter lists read more
                                           often, longer ones hold messages (3 MB a thousand) */
    BROKER_TIMEOUT_MS = 10000,
    AGREE_PAUSE_MS = 50,
    SAY_REPLAY_US = 5000000,
    AHEAD_MS = 60000,     /* one log runs at most this far ahead of the other, by record time */
    STARVED_US = 3000000, /* ... unless the other has given nothing for so long */
    IDLE_CHECK_US = 1000000,
    BEHIND_RECORDS = 100000, /* about what a second of catching up reads */
};

struct log_state {
    struct log_reader *reader;
    struct decode *decode;
    struct kafka_record *pending; /* [PENDING_MAX]; [at, count) are not stepped yet */
    size_t at, count;
    int64_t last_ms;         /* record time stepped last */
    int64_t empty_since_us;  /* 0: gave something */
    int64_t at_end_since_us; /* 0: not at its end */
};

struct item {
    int32_t number;
    struct partition *partition;
    struct store *store;
    struct log_state logs[LOG_COUNT];
    struct event *events; /* [2 * PENDING_MAX] */
    struct arena arena;
    int64_t idle_checked_us;
    int64_t replay_began_us, replay_said_us; /* 0: none is under way */
    int64_t replay_all;                      /* records that it had to read */
};

static const char *topic_of(const struct config *config, enum log_side log) {
    return log == LOG_PREDICTIONS ? config->predictions.topic : config->feedback.topic;
}

/* ---- what is said of a replay: what there is to do, how far it is, and its end ---- */

static int64_t replay_left(const struct item *item) {
    struct partition_stats stats;
    partition_stats(item->partition, &stats);
    return stats.replay_left;
}

static void begin_replay(struct item *item) {
    if (partition_is_live(item->partition))
        return;
    item->replay_began_us = item->replay_said_us = clock_monotonic_us();
    item->replay_all = replay_left(item);
    LOG_INFO("replaying", "partition=%d records=%" PRId64, item->number, item->replay_all);
}

static void say_replay(struct item *item) {
    int64_t now_us = clock_monotonic_us(), left = replay_left(item), done = item->replay_all - left;
    if (now_us - item->replay_said_us < SAY_REPLAY_US || done <= 0)
        return;
    item->replay_said_us = now_us;
    double rate = (double)done * 1e6 / (double)(now_us - item->replay_began_us);
    LOG_INFO("replaying",
             "partition=%d done=%" PRId64 " left=%" PRId64 " records_per_s=%.0f seconds_left=%.0f",
             item->number, done, left, rate, (double)left / rate);
}

static void end_replay(struct item *item) {
    if (item->replay_began_us == 0 || !partition_is_live(item->partition))
        return;
    double seconds = (double)(clock_monotonic_us() - item->replay_began_us) / 1e6;
    LOG_INFO("replayed", "partition=%d records=%" PRId64 " seconds=%.1f records_per_s=%.0f",
             item->number, item->replay_all, seconds,
             (double)item->replay_all / (seconds > 0.001 ? seconds : 0.001));
    item->replay_began_us = 0;
}

/* ---- opening ---- */

/* An offset that the group does not know (any more) is nobody's word against the checkpoint's:
 * those of feedback, which the group does not subscribe to, may expire alone. */
static bool agrees(const struct log_position committed[LOG_COUNT], struct slice checkpoint) {
    int64_t positions[LOG_COUNT];
    bool is_first = true, agree = checkpoint.data && checkpoint_positions(checkpoint, positions);
    for (int log = 0; log < LOG_COUNT; log++) {
        is_first &= committed[log].offset < 0;
        agree = agree && (committed[log].offset < 0 || committed[log].offset == positions[log]);
    }
    return agree || (is_first && !checkpoint.data);
}

/* Of a partition: its checkpoint and, a record of its own, its groups. */
struct saved {
    struct slice values[2]; /* data NULL: none */
    int64_t offsets[2];     /* on the checkpoints topic; -1: none */
};

/* What was read is what is wrong: an empty disk would fail alike. */
static enum status blame_records(const struct config *config, int32_t number,
                                 const struct saved *saved, struct error *err) {
    char reason[sizeof err->text];
    (void)snprintf(reason, sizeof reason, "%.200s", err->text);
    return error_set(err, STATUS_CORRUPT,
                     "%s[%d], checkpoint at offset %" PRId64 ", groups at %" PRId64
                     ": %s; the disk is not to blame: run the version that wrote them, or give the "
                     "application another name, and it computes everything anew",
                     config->checkpoints_topic, number, saved->offsets[0], saved->offsets[1],
                     reason);
}

static enum status disagree(const struct config *config, int32_t number,
                            const struct log_position committed[LOG_COUNT], struct error *err) {
    return error_set(err, STATUS_BROKER,
                     "the checkpoint of partition %d on %s is not the one of the committed "
                     "offsets (predictions %" PRId64 ", feedback %" PRId64 ")",
                     number, config->checkpoints_topic, committed[LOG_PREDICTIONS].offset,
                     committed[LOG_FEEDBACK].offset);
}

static bool parses(struct slice checkpoint) {
    int64_t positions[LOG_COUNT];
    return !checkpoint.data || checkpoint_positions(checkpoint, positions);
}

/* The checkpoint of the committed offsets: the group's commit is the authority, and its
 * transaction's marker may reach the checkpoints topic a little later. */
static enum status read_checkpoint(struct stage_context *context, int32_t number,
                                   struct arena *arena, struct saved *out_saved,
                                   struct error *err) {
    const struct timespec pause = {.tv_nsec = AGREE_PAUSE_MS * 1000000L};
    const struct config *config = context->options->config;
    struct log_position committed[LOG_COUNT];
    for (int log = 0; log < LOG_COUNT; log++)
        committed[log] = (struct log_position){topic_of(config, (enum log_side)log), number, -1};
    TRY(group_committed(context->group, committed, LOG_COUNT, BROKER_TIMEOUT_MS, err));
    char scratch[2][32];
    const struct slice keys[2] = {checkpoint_key(number, scratch[0]),
                                  groups_key(number, scratch[1])};
    int64_t deadline_us = clock_monotonic_us() + (int64_t)BROKER_TIMEOUT_MS * 1000;
    for (;;) {
        TRY(read_latest(context->visitor, config->checkpoints_topic, number, keys, 2,
                        BROKER_TIMEOUT_MS, arena, out_saved->values, out_saved->offsets, err));
        if (agrees(committed, out_saved->values[0]))
            return STATUS_OK;
        if (!parses(out_saved->values[0])) {
            (void)error_set(err, STATUS_CORRUPT, "the checkpoint does not parse");
            return blame_records(config, number, out_saved, err);
        }
        if (clock_monotonic_us() > deadline_us)
            return disagree(config, number, committed, err);
        (void)nanosleep(&pause, NULL);
    }
}

static enum status open_core(struct stage_context *context, struct item *item, const char *path,
                             const struct saved *saved, struct error *err) {
    TRY(store_rocks_open(path, context->options->cache, &item->store, err));
    const struct partition_options options = {.config = context->options->config,
                                              .partition = item->number,
                                              .store = item->store,
                                              .checkpoint = saved->values[0],
                                              .groups = saved->values[1]};
    enum status status = partition_open(&options, &item->partition, err);
    if (status != STATUS_OK) {
        item->store->ops->close(item->store);
        item->store = NULL;
    }
    return status;
}

/* A store that cannot be read is thrown away: the inputs are its changelog. */
static enum status open_saved(struct stage_context *context, struct item *item,
                              const struct saved *saved, struct error *err) {
    const struct config *config = context->options->config;
    char path[1024], quoted[600];
    TRY(directory_make(path, sizeof path, config->state_directory, config->predictions.topic,
                       item->number, err));
    enum status status = open_core(context, item, path, saved, err);
    if (status != STATUS_CORRUPT)
        return status;
    LOG_WARN("state_rebuilt", "partition=%d reason=%s", item->number, log_quote(quoted, err->text));
    TRY(directory_empty(path, err));
    status = open_core(context, item, path, saved, err);
    return status == STATUS_CORRUPT ? blame_records(config, item->number, saved, err) : status;
}

static enum status open_or_rebuild(struct stage_context *context, struct item *item,
                                   struct error *err) {
    struct saved saved = {.offsets = {-1, -1}};
    struct arena arena;
    arena_init(&arena);
    enum status status = read_checkpoint(context, item->number, &arena, &saved, err);
    if (status == STATUS_OK)
        status = open_saved(context, item, &saved, err);
    arena_release(&arena);
    return status;
}

static enum status open_log(struct stage_context *context, struct item *item, enum log_side log,
                            struct error *err) {
    const struct worker_options *options = context->options;
    const char *topic = topic_of(options->config, log);
    int64_t low, high, position = partition_position(item->partition, log);
    TRY(assign_consumer_watermarks(context->visitor, topic, item->number, BROKER_TIMEOUT_MS, &low,
                                   &high, err));
    if (position > high)
        return error_set(err, STATUS_BROKER,
                         "%s [%d] ends at %" PRId64 " before our position %" PRId64
                         ": was the topic made anew? delete the state and the consumer group",
                         topic, item->number, high, position);
    if (position == 0 && partition_is_live(item->partition))
        partition_skip_to(item->partition, log, low); /* a first start, at what is there */
    else if (position < low)
        partition_report_gap(item->partition, log, low);
    TRY(decode_create(options->config, log, options->schemas, &item->logs[log].decode, err));
    item->logs[log].pending = alloc_zero(PENDING_MAX, sizeof *item->logs[log].pending);
    item->logs[log].last_ms = INT64_MIN;
    return assign_consumer_add(context->reader, topic, item->number,
                               partition_position(item->partition, log), &item->logs[log].reader,
                               err);
}

static void stage_close(struct stage_context *context, struct item *item) {
    for (int log = 0; log < LOG_COUNT; log++) {
        struct log_state *state = &item->logs[log];
        if (state->pending)
            records_release(state->pending + state->at, state->count - state->at);
        if (state->reader)
            assign_consumer_remove(context->reader, state->reader);
        decode_destroy(state->decode);
        free(state->pending);
    }
    partition_close(item->partition);
    if (item->store)
        item->store->ops->close(item->store);
    arena_release(&item->arena);
    free(item->events);
    free(item);
}

static enum status stage_open(struct stage_context *context, int32_t number, struct item **out_item,
                              struct error *err) {
    struct item *item = alloc_zero(1, sizeof *item);
    item->number = number;
    arena_init(&item->arena);
    item->events = alloc_zero((size_t)2 * PENDING_MAX, sizeof *item->events);
    enum status status = open_or_rebuild(context, item, err);
    for (int log = 0; log < LOG_COUNT && status == STATUS_OK; log++)
        status = open_log(context, item, (enum log_side)log, err);
    if (status != STATUS_OK) {
        stage_close(context, item);
        return status;
    }
    begin_replay(item);
    *out_item = item;
    return STATUS_OK;
}

/* ---- turning ---- */

static enum status fill(struct item *item, enum log_side log, struct error *err) {
    struct log_state *state = &item->logs[log];
    if (state->at < state->count)
        return STATUS_OK;
    if (!partition_wants(item->partition, log)) {
        state->at_end_since_us = 0; /* not looked at: it must not count as idle */
        return STATUS_OK;
    }
    state->at = state->count = 0;
    size_t got = READER_BATCH_MAX;
    while (got == READER_BATCH_MAX && state->count + READER_BATCH_MAX <= PENDING_MAX) {
        TRY(log_reader_poll(state->reader, state->pending + state->count, READER_BATCH_MAX, &got,
                            err));
        state->count += got;
    }
    int64_t now_us = clock_monotonic_us();
    bool at_end = state->count == 0 && log_reader_at_end(state->reader);
    if (state->count == 0) {
        partition_skip_to(item->partition, log, log_reader_position(state->reader));
        state->empty_since_us = state->empty_since_us ? state->empty_since_us : now_us;
    } else {
        state->empty_since_us = 0;
    }
    if (!at_end)
        state->at_end_since_us = 0;
    else if (state->at_end_since_us == 0)
        state->at_end_since_us = now_us;
    return STATUS_OK;
}

/* The log's next record, or NULL when it must not be stepped now.  What lies between the last
 * record and the end of a replay is skipped only once all before it is stepped. */
static struct kafka_record *front(struct item *item, enum log_side log, bool all_stepped) {
    struct log_state *state = &item->logs[log];
    if (state->at == state->count)
        return NULL;
    struct kafka_record *record = &state->pending[state->at];
    if (record->offset < partition_until(item->partition, log))
        return record;
    if (!all_stepped)
        return NULL;
    partition_skip_to(item->partition, log, record->offset);
    return record->offset < partition_until(item->partition, log) ? record : NULL;
}

/* An empty log holds the other back only as long as it may still be about to bring older records.
 */
static bool may_run(const struct item *item, enum log_side log, int64_t record_ms, int64_t now_us) {
    const struct log_state *other = &item->logs[1 - log];
    if (other->at < other->count || other->at_end_since_us != 0 ||
        !partition_wants(item->partition, (enum log_side)(1 - log)))
        return true;
    if (other->empty_since_us != 0 && now_us - other->empty_since_us > STARVED_US)
        return true;
    return other->last_ms != INT64_MIN &&
           (record_ms <= other->last_ms || record_ms - other->last_ms <= AHEAD_MS);
}

/* By which both logs are taken in order.  A timestamp from far ahead must not hold its log back
 * until the other one is read to its end: it counts as the one before it. */
static int64_t order_ms(const struct log_state *state, const struct kafka_record *record,
                        int64_t wall_ms) {
    if (wall_ms == 0 || record->timestamp_ms <= wall_ms + AHEAD_MS)
        return record->timestamp_ms;
    return state->last_ms != INT64_MIN ? state->last_ms : wall_ms;
}

/* wall_ms: 0 when nothing is to be decided by it. */
static bool take(struct stage_context *context, struct item *item, size_t *count, int64_t now_us,
                 int64_t wall_ms) {
    struct kafka_record *records[LOG_COUNT];
    int64_t orders_ms[LOG_COUNT] = {0, 0};
    for (int log = 0; log < LOG_COUNT; log++) {
        records[log] = front(item, (enum log_side)log, *count == 0);
        if (records[log])
            orders_ms[log] = order_ms(&item->logs[log], records[log], wall_ms);
        if (records[log] && !may_run(item, (enum log_side)log, orders_ms[log], now_us))
            records[log] = NULL;
    }
    if (!records[0] && !records[1])
        return false;
    int log = !records[LOG_PREDICTIONS] ||
              (records[LOG_FEEDBACK] && orders_ms[LOG_FEEDBACK] < orders_ms[LOG_PREDICTIONS]);
    struct kafka_record *record = records[log];
    struct log_state *state = &item->logs[log];
    const struct raw_record raw = {record->offset, record->timestamp_ms, record->key,
                                   record->value};
    struct event *event = &item->events[(*count)++];
    decode_event(state->decode, &raw, &item->arena, event);
    event->wall_ms = wall_ms;
    state->last_ms = orders_ms[log];
    state->at++;
    context->figures->records++;
    context->figures->bytes += (int64_t)(record->key.size + record->value.size);
    return true;
}

static void release_stepped(struct item *item, const size_t first[LOG_COUNT]) {
    for (int log = 0; log < LOG_COUNT; log++)
        records_release(item->logs[log].pending + first[log], item->logs[log].at - first[log]);
}

static void decide_idle(struct stage_context *context, struct item *item) {
    const struct config *config = context->options->config;
    int64_t now_us = clock_monotonic_us();
    if (config->idle_timeout_ms <= 0 || now_us - item->idle_checked_us < IDLE_CHECK_US)
        return;
    item->idle_checked_us = now_us;
    for (int log = 0; log < LOG_COUNT; log++) {
        int64_t since_us = item->logs[log].at_end_since_us;
        if (since_us != 0 && now_us - since_us >= config->idle_timeout_ms * 1000)
            partition_decide_clock(item->partition, (enum log_side)log,
                                   clock_wall_ms() - config->idle_timeout_ms, -1);
    }
}

static void decide_close(struct stage_context *context, struct item *item) {
    int64_t time_ms, offset = control_close(context->options->control, &time_ms);
    if (offset <= partition_control_offset(item->partition) ||
        item->logs[LOG_PREDICTIONS].at_end_since_us == 0 ||
        item->logs[LOG_FEEDBACK].at_end_since_us == 0)
        return;
    for (int log = 0; log < LOG_COUNT; log++)
        partition_decide_clock(item->partition, (enum log_side)log, time_ms, offset);
    LOG_INFO("closed", "partition=%d at_ms=%" PRId64, item->number, time_ms);
}

static enum status stage_turn(struct stage_context *context, struct item *item, bool *out_busy,
                              struct error *err) {
    struct partition *partition = item->partition;
    size_t first[LOG_COUNT], count = 0;
    for (int log = 0; log < LOG_COUNT; log++) {
        TRY(fill(item, (enum log_side)log, err));
        first[log] = item->logs[log].at;
    }
    partition_set_predictions_at_end(partition, item->logs[LOG_PREDICTIONS].at_end_since_us != 0);
    int64_t now_us = clock_monotonic_us();
    arena_reset(&item->arena);
    bool was_live = partition_is_live(partition);
    int64_t wall_ms = context->options->config->idle_advance == IDLE_BY_WALL ? clock_wall_ms() : 0;
    while (count < (size_t)2 * PENDING_MAX && take(context, item, &count, now_us, wall_ms) &&
           partition_is_live(partition) == was_live)
        continue;
    enum status status = partition_step(partition, item->events, count, context->outbox, err);
    release_stepped(item, first);
    if (status != STATUS_OK)
        return status;
    *out_busy |= count > 0;
    context->commit_now |= partition_is_full(partition);
    end_replay(item);
    if (partition_is_live(partition)) {
        bool located = false;
        if (count == 0)
            TRY(partition_locate(partition, &located, err));
        *out_busy |= located;
        decide_idle(context, item);
        decide_close(context, item);
        return STATUS_OK;
    }
    say_replay(item);
    return partition_flush_if_due(partition, clock_wall_ms(), err);
}

/* ---- committing ---- */

static enum status stage_commit(struct stage_context *context, struct item *item, int64_t now_ms,
                                bool drain, struct error *err) {
    int64_t unread = 0;
    for (int log = 0; log < LOG_COUNT; log++)
        unread += log_reader_lag(item->logs[log].reader);
    partition_set_behind(item->partition, unread > BEHIND_RECORDS);
    return partition_commit(item->partition, now_ms, drain, context->outbox, err);
}

static size_t stage_positions(const struct stage_context *context, const struct item *item,
                              struct log_position *out_positions) {
    for (int log = 0; log < LOG_COUNT; log++)
        out_positions[log] = (struct log_position){
            topic_of(context->options->config, (enum log_side)log), item->number,
            partition_position(item->partition, (enum log_side)log)};
    return LOG_COUNT;
}

static enum status stage_committed(struct stage_context *context UNUSED, struct item *item,
                                   int64_t now_ms, bool flush, struct error *err) {
    return partition_committed(item->partition, now_ms, flush, err);
}

static bool stage_is_live(const struct item *item) {
    return partition_is_live(item->partition);
}

static void stage_report(struct stage_context *context, struct item *item) {
    struct partition_figures figures = {.partition = item->number,
                                        .live = partition_is_live(item->partition),
                                        .wall_ms = clock_wall_ms()};
    partition_stats(item->partition, &figures.stats);
    for (int log = 0; log < LOG_COUNT; log++) {
        int64_t unread = log_reader_lag(item->logs[log].reader);
        figures.read_ms[log] = item->logs[log].last_ms;
        size_t pending = item->logs[log].count - item->logs[log].at;
        figures.lag[log] = unread < 0 ? -1 : unread + (int64_t)pending;
        figures.fetched_bytes += log_reader_fetched_bytes(item->logs[log].reader, pending);
    }
    item->store->ops->usage(item->store, &figures.store);
    board_set_partition(context->options->board, &figures);
}

static void stage_forget(struct stage_context *context, int32_t number) {
    board_remove_partition(context->options->board, number);
}

const struct stage_ops partition_stage = {.name = "partition",
                                          .open = stage_open,
                                          .close = stage_close,
                                          .turn = stage_turn,
                                          .commit = stage_commit,
                                          .positions = stage_positions,
                                          .committed = stage_committed,
                                          .is_live = stage_is_live,
                                          .report = stage_report,
                                          .forget = stage_forget};
