/* worker.c -- the loop.
 *
 * Whatever goes wrong between two commits has one answer: close everything, and open it again from
 * the committed offsets (crash-only).  A transaction that is tried again (delivery.h) is not yet
 * wrong: no core learns of it.  SPDX-License-Identifier: Apache-2.0 */
#include "worker/worker.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/crash_point.h"
#include "base/log.h"
#include "kafka/outage.h"
#include "worker/clients.h"
#include "worker/delivery.h"
#include "worker/stage.h"
#include "worker/trim.h"
#include "worker/wipes.h"

enum {
    OPEN_RETRY_US = 1000000,
    COMMITS_AT_ONCE = 1, /* failed ones after which all is opened again at once */
    DOUBLINGS_MAX = 5,
    SLEEP_MS_MAX = 100,
    REPORT_US = 1000000,
    EMPTY_STANDS_US = 10000000,  /* three heartbeats: what others give up has come by then */
    OUTBOX_BYTES_MAX = 64 << 20, /* commit before it grows further */
    RECOMMIT_MS = 3600 * 1000,   /* idle partitions, long before offsets.retention.minutes */
    TASK_COMMIT_INTERVAL_MS = 100,
};

struct owned {
    int32_t number;
    struct item *item; /* NULL: to be opened */
    int64_t open_at_us;
    struct wipes wipes;
    struct log_position sent[LOG_COUNT]; /* as last committed */
};

struct worker {
    struct worker_options options;
    const struct stage_ops *ops;
    struct stage_context context;
    struct wake wake;
    struct transaction_producer *producer;
    struct outbox outbox;
    struct owned *owned;
    size_t owned_count;
    struct worker_figures figures;
    int64_t committed_at_ms, recommitted_at_ms, trimmed_at_us;
    int64_t reported_at_us; /* 0: at once */
    int64_t empty_since_us; /* 0: owns something, or knows of no assignment */
    pthread_t thread;
    int failed_commits;  /* in a row */
    bool failed, broken; /* broken: the producer must be made anew */
    atomic_bool ended;
};

static void say(const struct worker *worker, enum log_level level, const char *event,
                int32_t number, const struct error *err) {
    char quoted[600];
    log_line(level, event, "stage=%s worker=%d partition=%d reason=%s", worker->ops->name,
             worker->options.index, number, log_quote(quoted, err->text));
}

/* What follows from brokers that are away is not said beside it. */
static void say_failure(const struct worker *worker, enum log_level level, const char *event,
                        int32_t number, enum status status, const struct error *err) {
    if (status != STATUS_BROKER || !outage_hides())
        say(worker, level, event, number, err);
}

/* ---- opening and closing ---- */

static void close_item(struct worker *worker, struct owned *owned) {
    if (owned->item) {
        worker->ops->close(&worker->context, owned->item);
        worker->ops->forget(&worker->context, owned->number);
    }
    worker->reported_at_us = 0;
    owned->item = NULL;
    owned->open_at_us = 0;
    for (int i = 0; i < LOG_COUNT; i++)
        owned->sent[i] = (struct log_position){NULL, 0, -1};
}

/* The way back from everything: what is not committed is forgotten. */
static void close_all(struct worker *worker) {
    outbox_reset(&worker->outbox);
    for (size_t i = 0; i < worker->owned_count; i++)
        close_item(worker, &worker->owned[i]);
}

static const char *source_topic(const struct worker *worker) {
    const struct config *config = worker->options.config;
    return worker->options.stage == STAGE_PARTITION ? config->predictions.topic
                                                    : config->partials_topic;
}

/* Passes on what the work on a partition ended with. */
static enum status judge(const struct worker *worker, struct owned *owned, enum status status,
                         const struct error *err) {
    struct log_position positions[LOG_COUNT];
    if (status == STATUS_CORRUPT && owned->wipes.in_a_row > 0)
        wipes_say_in_vain(&owned->wipes, worker->ops->name, positions,
                          worker->ops->positions(&worker->context, owned->item, positions), err);
    owned->wipes.is_due |= status == STATUS_CORRUPT;
    return status;
}

/* The topics are the changelog: without a store a partition is built from them. */
static enum status open_item(struct worker *worker, struct owned *owned, struct error *err) {
    if (owned->wipes.is_due)
        TRY(wipes_make(&owned->wipes, worker->options.config->state_directory, source_topic(worker),
                       owned->number, err));
    enum status status = worker->ops->open(&worker->context, owned->number, &owned->item, err);
    if (status == STATUS_CORRUPT)
        wipes_count(&owned->wipes, clock_monotonic_us()); /* the stage has tried that */
    return status;
}

/* False: no repetition helps. */
static bool open_items(struct worker *worker) {
    for (size_t i = 0; i < worker->owned_count; i++) {
        struct owned *owned = &worker->owned[i];
        int64_t now_us = clock_monotonic_us();
        if (owned->item || now_us < owned->open_at_us ||
            (owned->wipes.is_due && now_us < wipes_next_us(&owned->wipes)))
            continue;
        struct error err = {0};
        enum status status = open_item(worker, owned, &err);
        if (status == STATUS_OK) {
            LOG_INFO("opened", "stage=%s worker=%d partition=%d", worker->ops->name,
                     worker->options.index, owned->number);
            CRASH_POINT("opened");
            return true; /* one a turn, so that membership is served in between */
        }
        say_failure(worker, LOG_LEVEL_ERROR, "open_failed", owned->number, status, &err);
        if (status == STATUS_CONFIG)
            return false;
        owned->open_at_us =
            status == STATUS_CORRUPT ? wipes_next_us(&owned->wipes) : now_us + OPEN_RETRY_US;
    }
    return true;
}

/* ---- commit ---- */

static bool positions_moved(const struct worker *worker, struct log_position *positions,
                            size_t *out_count) {
    bool moved = false;
    *out_count = 0;
    for (size_t i = 0; i < worker->owned_count; i++) {
        const struct owned *owned = &worker->owned[i];
        if (!owned->item || !worker->ops->is_live(owned->item))
            continue;
        struct log_position *own = positions + *out_count;
        size_t count = worker->ops->positions(&worker->context, owned->item, own);
        *out_count += count;
        for (size_t j = 0; j < count; j++)
            moved |= own[j].offset != owned->sent[j].offset;
    }
    return moved;
}

static void remember_sent(struct worker *worker) {
    for (size_t i = 0; i < worker->owned_count; i++)
        if (worker->owned[i].item && worker->ops->is_live(worker->owned[i].item))
            (void)worker->ops->positions(&worker->context, worker->owned[i].item,
                                         worker->owned[i].sent);
}

static enum status fill_outbox(struct worker *worker, int64_t now_ms, bool drain,
                               struct error *err) {
    for (size_t i = 0; i < worker->owned_count; i++) {
        struct owned *owned = &worker->owned[i];
        if (owned->item)
            TRY(judge(worker, owned,
                      worker->ops->commit(&worker->context, owned->item, now_ms, drain, err), err));
    }
    return STATUS_OK;
}

static enum status after_commit(struct worker *worker, int64_t now_ms, bool flush,
                                struct error *err) {
    remember_sent(worker);
    outbox_reset(&worker->outbox);
    for (size_t i = 0; i < worker->owned_count; i++) {
        struct owned *owned = &worker->owned[i];
        if (!owned->item || !worker->ops->is_live(owned->item))
            continue;
        TRY(judge(worker, owned,
                  worker->ops->committed(&worker->context, owned->item, now_ms, flush, err), err));
        CRASH_POINT("commit.item");
    }
    return STATUS_OK;
}

/* What was refused twice is not sent again at once: it may be refused for good. */
static void wait_before_next(struct worker *worker) {
    int64_t now_us = clock_monotonic_us();
    int doublings = worker->failed_commits - COMMITS_AT_ONCE;
    worker->failed_commits++;
    if (doublings < 0)
        return;
    int64_t wait_us = OPEN_RETRY_US << (doublings < DOUBLINGS_MAX ? doublings : DOUBLINGS_MAX);
    for (size_t i = 0; i < worker->owned_count; i++)
        worker->owned[i].open_at_us = now_us + wait_us;
}

/* One transaction for all partitions of this worker.  False: everything was closed. */
static bool commit(struct worker *worker, bool drain, bool flush) {
    int64_t now_ms = clock_wall_ms();
    struct error err = {0};
    size_t count;
    struct log_position *positions =
        alloc_zero(worker->owned_count * LOG_COUNT + 1, sizeof *positions);
    enum commit_outcome outcome = COMMIT_COMMITTED;
    bool recommit = now_ms - worker->recommitted_at_ms >= RECOMMIT_MS;
    worker->committed_at_ms = now_ms;
    worker->context.commit_now = false;
    enum status status = fill_outbox(worker, now_ms, drain, &err);
    bool ok = status == STATUS_OK;
    bool moved = ok && positions_moved(worker, positions, &count);
    bool is_sent = ok && count > 0 && (worker->outbox.count > 0 || moved || recommit);
    if (is_sent) {
        outcome = deliver(&worker->context, worker->producer, positions, count, &err);
        CRASH_POINT("commit.committed");
        worker->recommitted_at_ms = now_ms;
    }
    free(positions);
    if (outcome != COMMIT_COMMITTED)
        status = STATUS_BROKER;
    if (status == STATUS_OK)
        status = after_commit(worker, now_ms, flush, &err);
    if (status == STATUS_OK) {
        worker->failed_commits = is_sent ? 0 : worker->failed_commits;
        return true;
    }
    say_failure(worker, LOG_LEVEL_WARN, "commit_failed", -1, status, &err);
    if (outcome == COMMIT_ABORTED)
        wait_before_next(worker);
    worker->broken = outcome == COMMIT_UNKNOWN || outcome == COMMIT_FENCED;
    close_all(worker);
    return false;
}

/* ---- membership ---- */

static void on_assign(void *owner, int32_t number) {
    struct worker *worker = owner;
    worker->figures.rebalances++;
    worker->owned = alloc_resize(worker->owned, worker->owned_count + 1, sizeof *worker->owned);
    worker->owned[worker->owned_count] = (struct owned){.number = number};
    close_item(worker, &worker->owned[worker->owned_count++]);
}

static void on_revoke(void *owner, int32_t number, bool is_lost) {
    struct worker *worker = owner;
    worker->figures.rebalances++;
    if (is_lost)
        close_all(worker);
    else
        (void)commit(worker, false, false);
    CRASH_POINT("revoke.committed");
    for (size_t i = 0; i < worker->owned_count; i++) {
        if (worker->owned[i].number != number)
            continue;
        close_item(worker, &worker->owned[i]);
        worker->owned[i] = worker->owned[--worker->owned_count];
        break;
    }
    if (!atomic_load(worker->options.stopping)) /* else: leaving */
        LOG_INFO("revoked", "stage=%s worker=%d partition=%d lost=%d", worker->ops->name,
                 worker->options.index, number, is_lost);
}

/* ---- the loop ---- */

static bool mend_producer(struct worker *worker) {
    if (!worker->broken)
        return true;
    struct error err = {0};
    enum status status = transaction_recover(worker->producer, &err);
    worker->broken = status != STATUS_OK;
    if (worker->broken)
        say_failure(worker, LOG_LEVEL_WARN, "producer_not_recovered", -1, status, &err);
    return !worker->broken;
}

static bool turn_items(struct worker *worker) {
    bool busy = false;
    for (size_t i = 0; i < worker->owned_count; i++) {
        struct error err = {0};
        struct owned *owned = &worker->owned[i];
        if (!owned->item)
            continue;
        enum status status = judge(
            worker, owned, worker->ops->turn(&worker->context, owned->item, &busy, &err), &err);
        if (status != STATUS_OK) {
            say_failure(worker, LOG_LEVEL_ERROR, "partition_failed", owned->number, status, &err);
            close_all(worker); /* its dead letters share the outbox */
            owned->open_at_us = clock_monotonic_us() + OPEN_RETRY_US;
            return false;
        }
    }
    return busy;
}

/* A new member is first given nothing, until others have let go of something. */
static bool is_ready(struct worker *worker, int64_t now_us) {
    bool is_empty =
        worker->owned_count == 0 && group_consumer_has_assignment(worker->context.group);
    if (!is_empty)
        worker->empty_since_us = 0;
    else if (worker->empty_since_us == 0)
        worker->empty_since_us = now_us;
    return is_empty ? now_us - worker->empty_since_us >= EMPTY_STANDS_US
                    : worker->owned_count > 0 && worker->figures.live == worker->figures.assigned;
}

static size_t count_live(const struct worker *worker) {
    size_t live = 0;
    for (size_t i = 0; i < worker->owned_count; i++)
        live += worker->owned[i].item && worker->ops->is_live(worker->owned[i].item);
    return live;
}

/* Once a second, and at once when a partition has become live: somebody waits for that. */
static void report(struct worker *worker) {
    int64_t now_us = clock_monotonic_us();
    size_t live = count_live(worker);
    worker->figures.turned_at_us = now_us;
    if (live == worker->figures.live && now_us - worker->reported_at_us < REPORT_US)
        return;
    worker->reported_at_us = now_us;
    worker->figures.assigned = worker->owned_count;
    worker->figures.live = live;
    for (size_t i = 0; i < worker->owned_count; i++)
        if (worker->owned[i].item)
            worker->ops->report(&worker->context, worker->owned[i].item);
    worker->figures.outbox_bytes = outbox_memory(&worker->outbox);
    worker->figures.queued_bytes = transaction_queued_bytes(worker->producer);
    worker->figures.is_ready = is_ready(worker, now_us);
    int index = worker->options.index * 2 + (worker->options.stage == STAGE_TASK);
    board_set_worker(worker->options.board, index, &worker->figures);
}

static bool serve_consumers(struct worker *worker) {
    struct error err = {0};
    if (group_consumer_poll(worker->context.group, &err) == STATUS_OK &&
        assign_consumer_poll(worker->context.reader, &err) == STATUS_OK &&
        assign_consumer_poll(worker->context.visitor, &err) == STATUS_OK)
        return true;
    say(worker, LOG_LEVEL_ERROR, "consumer_failed", -1, &err);
    return false;
}

/* Stage 2 commits soon after it has read all there is.  While more is coming, each commit would
 * publish revisions that the next one replaces: a window's SLIs per commit cost more than the
 * partials that changed it. */
static int64_t commit_interval_ms(const struct worker *worker, bool busy) {
    int64_t interval_ms = worker->options.config->commit_interval_ms;
    if (worker->options.stage == STAGE_PARTITION || (busy && interval_ms > TASK_COMMIT_INTERVAL_MS))
        return interval_ms;
    return TASK_COMMIT_INTERVAL_MS;
}

static bool commit_is_due(const struct worker *worker, bool busy) {
    return clock_wall_ms() - worker->committed_at_ms >= commit_interval_ms(worker, busy) ||
           worker->outbox.bytes > OUTBOX_BYTES_MAX || worker->context.commit_now;
}

static int sleep_ms(const struct worker *worker) {
    int64_t left_ms = worker->committed_at_ms + commit_interval_ms(worker, false) - clock_wall_ms();
    return left_ms < 1 ? 1 : left_ms > SLEEP_MS_MAX ? SLEEP_MS_MAX : (int)left_ms;
}

static void loop(struct worker *worker) {
    while (!atomic_load(worker->options.stopping)) {
        worker->failed = !serve_consumers(worker);
        if (worker->failed)
            return;
        report(worker);
        if (!mend_producer(worker)) {
            wake_wait(&worker->wake, SLEEP_MS_MAX);
            continue;
        }
        worker->failed = !open_items(worker);
        if (worker->failed)
            return;
        bool busy = turn_items(worker);
        if (commit_is_due(worker, busy))
            (void)commit(worker, false, false);
        if (busy)
            continue;
        trim_memory(&worker->trimmed_at_us);
        wake_wait(&worker->wake, sleep_ms(worker));
    }
    (void)commit(worker, true, true);
}

static void release(struct worker *worker) {
    group_consumer_destroy(worker->context.group); /* revokes: on_revoke closes the items */
    close_all(worker);
    assign_consumer_destroy(worker->context.reader);
    assign_consumer_destroy(worker->context.visitor);
    transaction_producer_destroy(worker->producer);
    outbox_release(&worker->outbox);
    free(worker->owned);
}

/* Static members are not missed before their session ends: back by then, they find all as it was.
 */
static void say_leaving(const struct worker *worker) {
    if (worker->owned_count > 0)
        LOG_INFO(
            "leaving",
            "stage=%s worker=%d partitions=%zu unowned_s=%d note=\"others take them only then\"",
            worker->ops->name, worker->options.index, worker->owned_count,
            group_consumer_session_ms(worker->context.group) / 1000);
}

static void *run(void *argument) {
    struct worker *worker = argument;
    CRASH_STAGE(worker->ops->name);
    loop(worker);
    say_leaving(worker);
    release(worker);
    atomic_store(&worker->ended, true);
    return NULL;
}

/* ---- start and join ---- */

static enum status create_clients(struct worker *worker, struct error *err) {
    const struct clients_wanted wanted = {.stage = worker->ops->name,
                                          .topic = source_topic(worker),
                                          .callbacks = {worker, on_assign, on_revoke},
                                          .wake = &worker->wake};
    return clients_create(&wanted, &worker->context, &worker->producer, err);
}

enum status worker_start(const struct worker_options *options, struct worker **out_worker,
                         struct error *err) {
    struct worker *worker = alloc_zero(1, sizeof *worker);
    worker->options = *options;
    worker->ops = options->stage == STAGE_PARTITION ? &partition_stage : &task_stage_ops;
    worker->recommitted_at_ms = clock_wall_ms();
    outbox_init(&worker->outbox);
    worker->context = (struct stage_context){
        .options = &worker->options, .outbox = &worker->outbox, .figures = &worker->figures};
    enum status status = wake_init(&worker->wake, err);
    if (status != STATUS_OK) {
        outbox_release(&worker->outbox);
        free(worker);
        return status;
    }
    status = create_clients(worker, err);
    if (status == STATUS_OK && pthread_create(&worker->thread, NULL, run, worker) != 0)
        status = error_set(err, STATUS_IO, "cannot start a thread");
    if (status != STATUS_OK) {
        release(worker);
        wake_release(&worker->wake);
        free(worker);
        return status;
    }
    *out_worker = worker;
    return STATUS_OK;
}

bool worker_join(struct worker *worker) {
    (void)pthread_join(worker->thread, NULL);
    bool ok = !worker->failed;
    wake_release(&worker->wake); /* only now: others may wake a worker that has ended by itself */
    free(worker);
    return ok;
}

bool worker_has_ended(const struct worker *worker) {
    return atomic_load(&worker->ended);
}

void worker_wake(struct worker *worker) {
    wake_now(&worker->wake);
}
