/* watch.c -- `slipstream watch`: the slis topic, live, for people.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "commands/registry.h"
#include "commands/sli_table.h"
#include "kafka/admin.h"
#include "kafka/consume.h"

enum { REDRAW_US = 1000000, WAIT_MS = 200, LINES_MAX = 40, PARTITIONS_MAX = 1024 };

struct watch {
    const struct config *config;
    struct wake wake;
    struct assign_consumer *consumer;
    struct log_reader *readers[PARTITIONS_MAX];
    int32_t partition_count;
    struct sli_table table;
    struct sli_choice choice;
    enum sli_format format;
    int64_t records;
    bool live; /* redraw; else print once the end is reached */
};

static volatile sig_atomic_t interrupted;

static void on_interrupt(int number UNUSED) {
    interrupted = 1;
}

static enum status open_readers(struct watch *watch, struct error *err) {
    struct admin *admin;
    const char *topic = watch->config->slis_topic;
    TRY(admin_create(watch->config, &admin, err));
    enum status status = admin_partition_count(admin, topic, &watch->partition_count, err);
    admin_destroy(admin);
    TRY(status);
    if (watch->partition_count == 0 || watch->partition_count > PARTITIONS_MAX)
        return error_set(err, STATUS_CONFIG,
                         "topic %s does not exist: slipstream check CONFIG --create-topics", topic);
    TRY(assign_consumer_create(watch->config, "watch", &watch->wake, &watch->consumer, err));
    for (int32_t i = 0; i < watch->partition_count; i++) {
        int64_t low, high;
        TRY(assign_consumer_watermarks(watch->consumer, topic, i, 10000, &low, &high, err));
        TRY(assign_consumer_add(watch->consumer, topic, i, low, &watch->readers[i], err));
    }
    return STATUS_OK;
}

static enum status poll_once(struct watch *watch, bool *out_at_end, struct error *err) {
    *out_at_end = true;
    TRY(assign_consumer_poll(watch->consumer, err));
    for (int32_t i = 0; i < watch->partition_count; i++) {
        struct kafka_record records[READER_BATCH_MAX];
        size_t count;
        TRY(log_reader_poll(watch->readers[i], records, READER_BATCH_MAX, &count, err));
        for (size_t j = 0; j < count; j++)
            if (records[j].value.data)
                (void)sli_table_put(&watch->table, records[j].key, records[j].value);
        records_release(records, count);
        watch->records += (int64_t)count;
        *out_at_end &= count == 0 && log_reader_at_end(watch->readers[i]);
    }
    return STATUS_OK;
}

static void draw(struct watch *watch) {
    bool is_terminal = isatty(STDOUT_FILENO);
    if (is_terminal)
        (void)fputs("\033[H\033[2J", stdout);
    (void)printf("%s: %" PRId64 " SLI records read\n", watch->config->slis_topic, watch->records);
    sli_table_watch(&watch->table, &watch->choice, LINES_MAX, stdout);
    if (!is_terminal)
        (void)putchar('\n');
    (void)fflush(stdout);
}

static enum status follow(struct watch *watch, int64_t seconds, struct error *err) {
    int64_t started_us = clock_monotonic_us(), drawn_us = 0;
    while (!interrupted) {
        bool at_end;
        TRY(poll_once(watch, &at_end, err));
        int64_t now_us = clock_monotonic_us();
        if (!watch->live && at_end)
            break;
        if (watch->live && now_us - drawn_us >= REDRAW_US) {
            draw(watch);
            drawn_us = now_us;
        }
        if (seconds > 0 && now_us - started_us >= seconds * 1000000)
            break;
        if (at_end)
            wake_wait(&watch->wake, WAIT_MS);
    }
    if (!watch->live)
        sli_table_print(&watch->table, watch->format, &watch->choice, stdout);
    return STATUS_OK;
}

static enum status watch_topic(struct watch *watch, int64_t seconds, struct error *err) {
    TRY(wake_init(&watch->wake, err));
    TRY(open_readers(watch, err));
    return follow(watch, seconds, err);
}

static int run(int argc, char **argv) {
    const char *operands[1], *seconds_text = NULL, *format = NULL;
    struct watch watch = {.choice = {.group = "all"}};
    const struct argument arguments[] = {
        {"task", "NAME", "only this task", &watch.choice.task},
        {"metric", "NAME", "only this metric", &watch.choice.metric},
        {"group", "NAME", "only this group (default all; \"\" for every group)",
         &watch.choice.group},
        {"window", "NAME", "only this window", &watch.choice.window},
        {"format", "F", "print what is there as table, csv or jsonl, and end", &format},
        {"seconds", "N", "end after so long", &seconds_text}};
    int code;
    int64_t seconds = 0;
    if (!arguments_parse(&command_watch, argc, argv, arguments, COUNT_OF(arguments), operands, 1,
                         &code))
        return code;
    if (!argument_count("seconds", seconds_text, 1, 1000000, &seconds))
        return EXIT_USAGE;
    watch.live = !format;
    if (format && !sli_format_parse(format, &watch.format)) {
        (void)fprintf(stderr, "slipstream watch: --format is table, csv or jsonl\n");
        return EXIT_USAGE;
    }
    if (watch.choice.group && watch.choice.group[0] == '\0')
        watch.choice.group = NULL;
    struct config *config = command_config(operands[0]);
    if (!config)
        return EXIT_USAGE;
    watch.config = config;
    sli_table_init(&watch.table);
    (void)signal(SIGINT, on_interrupt);
    (void)signal(SIGTERM, on_interrupt);
    struct error err = {0};
    enum status status = watch_topic(&watch, seconds, &err);
    for (int32_t i = 0; i < watch.partition_count && i < PARTITIONS_MAX; i++)
        if (watch.readers[i])
            assign_consumer_remove(watch.consumer, watch.readers[i]);
    assign_consumer_destroy(watch.consumer);
    wake_release(&watch.wake);
    sli_table_release(&watch.table);
    config_destroy(config);
    return status == STATUS_OK ? EXIT_DONE : command_failed(&command_watch, status, &err);
}

const struct command command_watch = {
    .name = "watch",
    .summary = "show the SLIs as they are published and revised",
    .synopsis = "CONFIG [--group G] [--metric M] [--format table|csv|jsonl]",
    .text = "Reads the slis topic (read_committed, no group) and shows the newest window of each "
            "series\n"
            "with its interval, the share that is labelled and a line of past windows. With "
            "--format it\n"
            "prints everything that is there once and ends.\n\n"
            "Example:\n  slipstream watch demo.yaml --metric accuracy --group \"\"\n",
    .run = run,
};
