/* reference.c -- docs/REFERENCE.md from options.def, kafka_denied.def and the metrics.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "config/config.h"
#include "config/options.h"
#include "metrics/metric.h"

static const char *type_word(const struct option *option) {
    static const char *const words[] = {
        [OPTION_NAME] = "name",
        [OPTION_TEXT] = "text",
        [OPTION_SLICE] = "text",
        [OPTION_DURATION] = "duration",
        [OPTION_SIZE] = "size",
        [OPTION_COUNT] = "count",
        [OPTION_TIME] = "time",
        [OPTION_CHOICE] = "choice",
        [OPTION_NUMBER] = "number",
        [OPTION_PREDICTION_COLUMN] = "path",
        [OPTION_PREDICTION_TIME] = "path",
        [OPTION_FEEDBACK_COLUMN] = "path",
        [OPTION_FEEDBACK_TIME] = "path",
        [OPTION_STRUCTURE] = "list",
    };
    return strcmp(option->name, "pane") == 0 ? "duration" : words[option->type];
}

static void add_words(struct buffer *out, const char *words) {
    for (const char *at = words; *at; at++)
        if (*at == '|')
            text_add(out, ", ");
        else
            buffer_append(out, at, 1);
}

static void add_rows(struct buffer *out, bool is_task) {
    text_add(out, "| option | type | default | range | meaning |\n|---|---|---|---|---|\n");
    for (size_t i = 0; i < options_count; i++) {
        const struct option *option = &options[i];
        if ((option->scope == OPTION_TASK) != is_task)
            continue;
        text_add(out, "| `%s` | %s | %s | ", option->name, type_word(option),
                 option->default_text ? option->default_text : "*required*");
        if (option->type == OPTION_CHOICE)
            add_words(out, option->least);
        else if (option->least)
            text_add(out, "%s to %s", option->least, option->most);
        text_add(out, " | %s |\n", option->text);
    }
    text_add(out, "\n");
}

static void add_denied(struct buffer *out) {
    static const char *const rows[] = {
#define KAFKA_DENIED(key_, reason_) "| `" key_ "` | " reason_ " |\n",
#include "config/kafka_denied.def"
#undef KAFKA_DENIED
    };
    text_add(out, "| property | why not |\n|---|---|\n");
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        text_add(out, "%s", rows[i]);
    text_add(out, "\n");
}

static void add_metrics(struct buffer *out) {
    static const char *const kinds[] = {"binary", "multiclass", "regression"};
    text_add(out, "| metric | tasks | meaning |\n|---|---|---|\n");
    for (size_t i = 0; i < metrics_count; i++) {
        text_add(out, "| `%s` |", metrics[i]->name);
        for (size_t k = 0; k < COUNT_OF(kinds); k++)
            if (metrics[i]->kinds & (1U << k))
                text_add(out, " %s", kinds[k]);
        text_add(out, " | %s |\n", metrics[i]->summary);
    }
}

void config_reference(struct buffer *out) {
    text_add(out, "# Reference\n\nWritten by `slipstream reference`; do not edit.\n\n"
                  "## Configuration\n\n"
                  "One YAML file. `commit: {interval: 1s}` and `commit.interval: 1s` are the same. "
                  "The environment wins over the file: `SLIPSTREAM_` and the name in capitals, "
                  "each other character an underscore (`SLIPSTREAM_COMMIT_INTERVAL=1s`, "
                  "`SLIPSTREAM_KAFKA_BOOTSTRAP_SERVERS=host:9092`); tasks are set by the file "
                  "alone. Durations are written 250ms, 10s, 5m, 24h, 7d; sizes 512B, 64kB, 64MB, "
                  "1GB (powers of 1024); paths `$.a.b` and `$.a[0]`. `none` unsets a text.\n\n");
    add_rows(out, false);
    text_add(out, "### An item of `tasks`\n\n");
    add_rows(out, true);
    text_add(out, "### `kafka`\n\nEvery other property goes to librdkafka as it is; with "
                  "`consumer.`, `producer.` or `admin.` before it, to those clients only. "
                  "`kafka.NAME.file: PATH` reads the property NAME from a file and keeps it "
                  "secret. A member that leaves or dies keeps its partitions for "
                  "`session.timeout.ms` (45000): they lie still until it is back or that time is "
                  "over. These break the guarantees and are refused:\n\n");
    add_denied(out);
    text_add(out, "## Metrics\n\n");
    add_metrics(out);
}
