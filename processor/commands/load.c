/* load.c -- slipstream load.  SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "commands/load_source.h"
#include "commands/load_topic.h"
#include "commands/registry.h"
#include "kafka/admin.h"
#include "kafka/produce.h"

struct load_options {
    const char *predictions, *feedback, *speed, *from, *features, *keep_order, *skip_bad, *quiet;
};

enum { SIDES = 2 };

struct loading {
    struct config *config;
    struct record_writer *writers[SIDES];
    struct load_source *sources[SIDES]; /* predictions, feedback; NULL: not given */
    struct producer *producer;
    double speed; /* event time a wall time; 0: as fast as it goes */
    bool is_quiet;
    uint64_t done, total;
    int64_t first_ms, started_us, reported_us;
};

static void loading_release(struct loading *loading) {
    for (int side = 0; side < SIDES; side++) {
        load_source_close(loading->sources[side]);
        record_writer_destroy(loading->writers[side]);
    }
    producer_destroy(loading->producer);
    config_destroy(loading->config);
}

static enum status check_topics(const struct loading *loading, struct admin *admin,
                                struct error *err) {
    for (int side = 0; side < SIDES; side++) {
        struct load_span span = {.count = 0};
        if (loading->sources[side])
            load_source_span(loading->sources[side], &span);
        if (span.count > 0)
            TRY(load_check_topic(admin, record_writer_topic(loading->writers[side]), &span, err));
    }
    return STATUS_OK;
}

/* The side whose record comes next; predictions first at equal times.  -1: both at their end. */
static int next_side(const struct loading *loading) {
    int next = -1;
    int64_t next_ms = 0;
    for (int side = 0; side < SIDES; side++) {
        const struct load_record *record =
            loading->sources[side] ? load_source_peek(loading->sources[side]) : NULL;
        if (record && (next < 0 || record->time_ms < next_ms)) {
            next = side;
            next_ms = record->time_ms;
        }
    }
    return next;
}

static void report(struct loading *loading, int64_t now_us) {
    double seconds = (double)(now_us - loading->started_us) / 1e6;
    double rate = seconds > 0 ? (double)loading->done / seconds : 0;
    if (!loading->is_quiet)
        (void)fprintf(stderr,
                      "load: %" PRIu64 " of %" PRIu64 " records, %.0f/s, about %.0f s left\n",
                      loading->done, loading->total, rate,
                      rate > 0 ? (double)(loading->total - loading->done) / rate : 0);
    loading->reported_us = now_us;
}

static void nap(int64_t us) {
    struct timespec pause = {.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};
    (void)nanosleep(&pause, NULL);
}

/* Waits until event time, run speed times as fast as the wall clock, has come to time_ms. */
static void pace(struct loading *loading, int64_t time_ms) {
    enum { NAP_US = 200000, SECOND_US = 1000000 };
    for (;;) {
        int64_t now_us = clock_monotonic_us();
        if (now_us - loading->reported_us >= SECOND_US)
            report(loading, now_us);
        if (loading->speed <= 0)
            return;
        double due_us = (double)(time_ms - loading->first_ms) * 1000 / loading->speed;
        double wait_us = due_us - (double)(now_us - loading->started_us);
        if (wait_us <= 0)
            return;
        nap(wait_us < NAP_US ? (int64_t)wait_us + 1 : NAP_US);
    }
}

static enum status send_all(struct loading *loading, struct error *err) {
    for (int side; (side = next_side(loading)) >= 0; loading->done++) {
        const struct load_record *record = load_source_peek(loading->sources[side]);
        /* A look at the clock costs as much as a record. */
        if (loading->speed > 0 || loading->done % 1024 == 0)
            pace(loading, record->time_ms);
        TRY(producer_send(loading->producer, record_writer_topic(loading->writers[side]),
                          record->key, record->value, record->time_ms, err));
        TRY(load_source_advance(loading->sources[side], err));
    }
    return producer_finish(loading->producer, err);
}

static enum status open_sources(struct loading *loading, const struct load_options *options,
                                int64_t from_ms, struct error *err) {
    const char *paths[SIDES] = {options->predictions, options->feedback};
    for (int side = 0; side < SIDES; side++) {
        if (!paths[side])
            continue;
        TRY(record_writer_create(loading->config, side == 1, options->features,
                                 &loading->writers[side], err));
        const struct load_source_options source = {
            .path = paths[side],
            .writer = loading->writers[side],
            .from_ms = from_ms,
            .keep_order = options->keep_order != NULL,
            .skip_bad = options->skip_bad != NULL,
        };
        TRY(load_source_open(&source, &loading->sources[side], err));
        struct load_span span;
        load_source_span(loading->sources[side], &span);
        loading->total += span.count;
        if (span.bad > 0)
            (void)fprintf(stderr, "load: %s: %" PRIu64 " bad rows are left out\n", paths[side],
                          span.bad);
    }
    return STATUS_OK;
}

static enum status load(struct loading *loading, const struct load_options *options,
                        int64_t from_ms, struct error *err) {
    struct admin *admin = NULL;
    TRY(admin_create(loading->config, &admin, err)); /* before files are sorted in vain */
    enum status status = open_sources(loading, options, from_ms, err);
    if (status == STATUS_OK)
        status = check_topics(loading, admin, err);
    admin_destroy(admin);
    TRY(status);
    TRY(producer_create(loading->config, &loading->producer, err));
    int side = next_side(loading);
    loading->first_ms = side < 0 ? 0 : load_source_peek(loading->sources[side])->time_ms;
    loading->started_us = loading->reported_us = clock_monotonic_us();
    TRY(send_all(loading, err));
    report(loading, clock_monotonic_us());
    return STATUS_OK;
}

static int run_load(const char *path, const struct load_options *options) {
    struct loading loading = {.is_quiet = options->quiet != NULL};
    int64_t from_ms = INT64_MIN;
    struct error err = {0};
    if (!options->predictions && !options->feedback) {
        (void)fprintf(stderr, "slipstream load: --predictions FILE or --feedback FILE, or both\n");
        return EXIT_USAGE;
    }
    if ((options->speed && strcmp(options->speed, "max") != 0 &&
         !argument_number("speed", options->speed, 1e-6, 1e9, &loading.speed)) ||
        !argument_time("from", options->from, &from_ms))
        return EXIT_USAGE;
    loading.config = command_config(path);
    if (!loading.config)
        return EXIT_USAGE;
    enum status status = load(&loading, options, from_ms, &err);
    loading_release(&loading);
    return status == STATUS_OK ? EXIT_DONE : command_failed(&command_load, status, &err);
}

static int run(int argc, char **argv) {
    struct load_options options = {.speed = NULL};
    const struct argument arguments[] = {
        {"predictions", "FILE", ".csv, .jsonl or .avro", &options.predictions},
        {"feedback", "FILE", "labels, the same", &options.feedback},
        {"speed", "N", "times real time; max: as fast as it goes (max)", &options.speed},
        {"from", "TIME", "leave out what is earlier", &options.from},
        {"features", "A,B", "features to take along, besides those that a task reads",
         &options.features},
        {"keep-order", NULL, "do not sort a file that is not in order of time",
         &options.keep_order},
        {"skip-bad", NULL, "leave out rows without id or time and broken ones", &options.skip_bad},
        {"quiet", NULL, "no progress", &options.quiet},
    };
    const char *operands[1];
    int code = EXIT_DONE;
    if (!arguments_parse(&command_load, argc, argv, arguments, COUNT_OF(arguments), operands, 1,
                         &code))
        return code;
    return run_load(operands[0], &options);
}

const struct command command_load = {
    .name = "load",
    .summary = "write files of predictions and labels to their topics",
    .synopsis = "CONFIG --predictions FILE --feedback FILE [--speed N] ...",
    .text =
        "Writes both files to the topics of the configuration, merged in order of event time:\n"
        "predictions at their own time, labels at the time they became known. Records are keyed\n"
        "by id and stamped with that time. A file that is not in order is sorted in memory, up to\n"
        "4 GB. Topics whose retention would delete what is written are refused.\n\n"
        "A column of a CSV file is the path without its $. : groups.zone is $.groups.zone.\n\n"
        "Example: a day in a minute and a half\n"
        "  slipstream load docs/examples/demo.yaml --predictions predictions.jsonl \\\n"
        "      --feedback feedback.jsonl --speed 1000",
    .run = run,
};
