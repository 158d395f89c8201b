/* run.c -- `slipstream run`: the process that does the work.  SPDX-License-Identifier: Apache-2.0
 */
#include <inttypes.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/crash_point.h"
#include "base/log.h"
#include "commands/registry.h"
#include "http/http.h"
#include "http/process.h"
#include "kafka/admin.h"
#include "kafka/outage.h"
#include "partition/decode.h"
#include "state/flush.h"
#include "worker/partials.h"
#include "worker/worker.h"

enum {
    STAGES = 2,
    STOP_MS = 25000, /* who supervises us kills after 30 s, without a word */
    STOP_POLL_MS = 20,
};

struct process {
    struct config *config;
    struct schema_set *schemas;
    struct store_cache *cache;
    struct control *control;
    struct http_server *http;
    struct board board;
    struct worker *workers[BOARD_WORKERS_MAX];
    int worker_count;
    int32_t source_partitions;
    int64_t started_ms;
    char instance[128];
    atomic_bool stopping;
};

static bool healthy(void *owner) {
    struct process *process = owner;
    return board_is_healthy(&process->board, clock_monotonic_us(), outage_seen_us());
}

static bool ready(void *owner) {
    struct process *process = owner;
    return board_is_ready(&process->board);
}

static void write_metrics(void *owner, struct metrics_page *page) {
    struct process *process = owner;
    board_write(&process->board, process->cache, page);
    process_write(page, process->started_ms);
}

/* Partition counts: both inputs alike, and our own topics as `check --create-topics` makes them. */
static enum status inspect_topics(struct process *process, struct error *err) {
    const struct config *config = process->config;
    struct admin *admin;
    TRY(admin_create(config, &admin, err));
    const char *const topics[] = {config->predictions.topic, config->feedback.topic,
                                  config->checkpoints_topic, config->partials_topic,
                                  config->state_topic,       config->tasks_topic,
                                  config->slis_topic,        config->dead_letters_topic};
    int32_t counts[COUNT_OF(topics)];
    enum status status = STATUS_OK;
    for (size_t i = 0; i < COUNT_OF(topics) && status == STATUS_OK; i++) {
        status = admin_partition_count(admin, topics[i], &counts[i], err);
        if (status == STATUS_OK && counts[i] == 0)
            status = error_set(err, STATUS_CONFIG,
                               "topic %s does not exist; create it, or run slipstream check CONFIG "
                               "--create-topics",
                               topics[i]);
    }
    admin_destroy(admin);
    if (status != STATUS_OK)
        return status;
    if (counts[0] != counts[1] || counts[0] != counts[2])
        return error_set(
            err, STATUS_CONFIG,
            "%s has %d partitions, %s %d and %s %d: they must have equally many, keyed "
            "by prediction id",
            topics[0], counts[0], topics[1], counts[1], topics[2], counts[2]);
    if (counts[3] != config->partials_partitions || counts[4] != config->partials_partitions)
        return error_set(err, STATUS_CONFIG,
                         "%s has %d partitions and %s %d, the configuration says %d: their "
                         "count is fixed once they exist; set partials.partitions to it",
                         topics[3], counts[3], topics[4], counts[4], config->partials_partitions);
    process->source_partitions = counts[0];
    return STATUS_OK;
}

static enum status start_worker(struct process *process, enum stage stage, int index,
                                struct error *err) {
    const struct worker_options options = {.config = process->config,
                                           .schemas = process->schemas,
                                           .cache = process->cache,
                                           .board = &process->board,
                                           .control = process->control,
                                           .stopping = &process->stopping,
                                           .stage = stage,
                                           .index = index,
                                           .instance = process->instance,
                                           .source_partitions = process->source_partitions};
    TRY(worker_start(&options, &process->workers[process->worker_count], err));
    process->worker_count++;
    return STATUS_OK;
}

static enum status start(struct process *process, struct error *err) {
    const struct config *config = process->config;
    if (decode_needs_schemas(config))
        TRY(schema_set_load(config->schema_directory, &process->schemas, err));
    TRY(inspect_topics(process, err));
    TRY(partials_check_all(config, err));
    TRY(control_start(process->config, &process->control, err));
    process->cache = store_cache_create(config->memory_bytes_max);
    board_init(&process->board, config, config->workers * STAGES);
    if (config->http_bind) {
        const struct http_callbacks callbacks = {process, healthy, ready, write_metrics};
        TRY(http_start(config->http_bind, &callbacks, &process->http, err));
        LOG_INFO("http", "bind=%s port=%u", config->http_bind, http_port(process->http));
    }
    for (int i = 0; i < config->workers; i++) {
        TRY(start_worker(process, STAGE_PARTITION, i, err));
        TRY(start_worker(process, STAGE_TASK, i, err));
    }
    return STATUS_OK;
}

static bool have_ended(const struct process *process) {
    for (int i = 0; i < process->worker_count; i++)
        if (!worker_has_ended(process->workers[i]))
            return false;
    return true;
}

/* Calls into librdkafka outlast their time-outs when no broker answers.  Dying is safe at any
 * point: what was not committed is read again. */
static void await_workers(const struct process *process) {
    const struct timespec poll = {.tv_nsec = STOP_POLL_MS * 1000000L};
    int64_t deadline_us = clock_monotonic_us() + INT64_C(1000) * STOP_MS;
    while (!have_ended(process)) {
        if (clock_monotonic_us() >= deadline_us) {
            LOG_ERROR(
                "stop_unfinished",
                "after_s=%d note=\"a worker still waits for the brokers: what was not committed is "
                "read again at the next start\"",
                STOP_MS / 1000);
            _exit(EXIT_FAILED);
        }
        (void)nanosleep(&poll, NULL);
    }
}

static bool stop(struct process *process) {
    bool ok = true;
    atomic_store(&process->stopping, true);
    for (int i = 0; i < process->worker_count; i++)
        worker_wake(process->workers[i]);
    await_workers(process);
    for (int i = 0; i < process->worker_count; i++)
        ok &= worker_join(process->workers[i]);
    http_stop(process->http);
    control_stop(process->control);
    if (process->cache)
        store_cache_destroy(process->cache);
    schema_set_destroy(process->schemas);
    if (process->board.partitions)
        board_release(&process->board);
    config_destroy(process->config);
    return ok;
}

static void block_signals(sigset_t *signals) {
    (void)sigemptyset(signals);
    (void)sigaddset(signals, SIGINT);
    (void)sigaddset(signals, SIGTERM);
    (void)pthread_sigmask(SIG_BLOCK, signals, NULL);
}

static void name_instance(struct process *process, const char *given) {
    char host[96] = "localhost";
    (void)gethostname(host, sizeof host - 1);
    (void)snprintf(process->instance, sizeof process->instance, "%s", given ? given : host);
}

/* A worker that ended by itself ends the process: whoever supervises it starts it again. */
static void wait_for_end(struct process *process, const sigset_t *signals) {
    const struct timespec second = {.tv_sec = 1};
    for (;;) {
        int signal_number = sigtimedwait(signals, NULL, &second);
        if (signal_number > 0) {
            LOG_INFO("stopping", "signal=%d", signal_number);
            return;
        }
        for (int i = 0; i < process->worker_count; i++)
            if (worker_has_ended(process->workers[i]))
                return;
    }
}

#ifdef CRASH_POINTS
/* False: *out_code is the end. */
static bool arm_crash(const char *order, int *out_code) {
    *out_code = EXIT_USAGE;
    if (order && strcmp(order, "list") == 0) {
        crash_list(stdout);
        *out_code = EXIT_DONE;
        return false;
    }
    if (order && !crash_arm(order)) {
        (void)fprintf(stderr, "slipstream run: --crash: no such point: %s\n", order);
        return false;
    }
    flush_hook = crash_write;
    return true;
}
#endif

/* librdkafka's threads fill fetch buffers that ours let go: with glibc's moving threshold they end
 * up in arenas that grow to their peak and stay there (218 MB free of 322 MB, measured). */
static void bound_malloc(void) {
#ifdef __GLIBC__
    (void)mallopt(M_MMAP_THRESHOLD, 128 * 1024);
    (void)mallopt(M_TRIM_THRESHOLD, 1024 * 1024);
    (void)mallopt(M_ARENA_MAX, 4);
#endif
}

static int run(int argc, char **argv) {
    const char *operands[1], *instance = NULL, *verbose = NULL;
#ifdef CRASH_POINTS
    const char *crash = NULL;
#endif
    const struct argument arguments[] = {
        {"instance", "NAME", "unique among the members (default: the host's name)", &instance},
#ifdef CRASH_POINTS
        {"crash", "STAGE.POINT:N", "die at the N-th passing of a point; list: name them", &crash},
#endif
        {"debug", NULL, "log debug lines", &verbose}};
    int code;
    if (!arguments_parse(&command_run, argc, argv, arguments, COUNT_OF(arguments), operands, 1,
                         &code))
        return code;
#ifdef CRASH_POINTS
    if (!arm_crash(crash, &code))
        return code;
#endif
    if (verbose)
        log_set_level(LOG_LEVEL_DEBUG);
    bound_malloc();
    sigset_t signals;
    block_signals(&signals);
    struct process process = {.config = command_config(operands[0]), .started_ms = clock_wall_ms()};
    if (!process.config)
        return EXIT_USAGE;
    name_instance(&process, instance);
    struct error err = {0};
    enum status status = start(&process, &err);
    if (status == STATUS_OK) {
        LOG_INFO("running", "application=%s instance=%s workers=%d partitions=%d",
                 process.config->application, process.instance, process.config->workers,
                 process.source_partitions);
        wait_for_end(&process, &signals);
    }
    bool ok = stop(&process);
    if (status != STATUS_OK)
        return command_failed(&command_run, status, &err);
    LOG_INFO("stopped", "ok=%d", ok);
    return ok ? EXIT_DONE : EXIT_FAILED;
}

const struct command command_run = {
    .name = "run",
    .summary = "join, estimate and publish until SIGTERM",
    .synopsis = "CONFIG [--instance NAME]",
    .text =
        "Reads the predictions and feedback topics, keeps the join state, publishes SLIs. Start "
        "as\n"
        "many as you like: members of one application share the partitions. Each needs a name of\n"
        "its own that stays over restarts (a StatefulSet's pod name): with it a member finds its\n"
        "state and its transactional ids again.\n\n"
        "SIGTERM commits, flushes, leaves and exits 0; when no broker answers it exits 1 after\n"
        "25 s, and what was not committed is read again.\n\n"
        "Example:\n  slipstream check demo.yaml --create-topics && slipstream run demo.yaml\n",
    .run = run,
};
