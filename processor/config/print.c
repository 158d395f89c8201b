/* print.c -- the effective configuration as YAML, secrets masked.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "config/config.h"
#include "config/options.h"
#include "config/quantity.h"
#include "metrics/metric.h"

/* A YAML scalar: as it is when that is safe, else double-quoted. */
static void add_scalar(struct buffer *out, const char *text) {
    static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./$";
    if (*text && strspn(text, safe) == strlen(text)) {
        text_add(out, "%s", text);
        return;
    }
    text_add(out, "\"");
    for (const char *at = text; *at; at++) {
        if (*at == '"' || *at == '\\')
            text_add(out, "\\%c", *at);
        else if ((unsigned char)*at < ' ')
            text_add(out, "\\x%02x", (unsigned)(unsigned char)*at);
        else
            buffer_append(out, at, 1);
    }
    text_add(out, "\"");
}

/* "commit.interval" under "commit:"; section holds the one that is open. */
static void add_option(struct buffer *out, const struct option *option, const char *value,
                       char section[64]) {
    const char *dot = strchr(option->name, '.');
    size_t size = dot ? (size_t)(dot - option->name) : 0;
    if (!dot) {
        section[0] = '\0';
        text_add(out, "%s: ", option->name);
    } else {
        if (strlen(section) != size || strncmp(section, option->name, size) != 0)
            text_add(out, "%.*s:\n", (int)size, option->name);
        (void)snprintf(section, 64, "%.*s", (int)size, option->name);
        text_add(out, "  %s: ", dot + 1);
    }
    add_scalar(out, value);
    text_add(out, "\n");
}

static void print_kafka(const struct config *config, struct buffer *out) {
    text_add(out, "kafka:\n");
    for (int i = 0; i < config->kafka_count; i++) {
        const struct setting *setting = &config->kafka[i];
        text_add(out, "  %s: ", setting->key);
        add_scalar(out, setting->secret ? "********" : setting->value);
        text_add(out, "\n");
    }
}

static void print_window(const struct window_definition *window, struct buffer *out) {
    char size[QUANTITY_BYTES], slide[QUANTITY_BYTES], offset[QUANTITY_BYTES];
    text_add(out, "      - {%s: %s, ", window->kind == WINDOW_CUMULATIVE ? "cumulative" : "size",
             format_duration(size, window->size_ms));
    if (window->kind != WINDOW_TUMBLING)
        text_add(out, "slide: %s, ", format_duration(slide, window->slide_ms));
    if (window->offset_ms)
        text_add(out, "offset: %s, ", format_duration(offset, window->offset_ms));
    text_add(out, "name: ");
    add_scalar(out, window->name);
    text_add(out, "}\n");
}

static void print_grouping(const struct config *config, const struct grouping_definition *grouping,
                           struct buffer *out) {
    text_add(out, "      - {name: ");
    add_scalar(out, grouping->name);
    text_add(out, ", columns: [");
    for (int i = 0; i < grouping->column_count; i++) {
        text_add(out, "%s", i ? ", " : "");
        add_scalar(out, config->predictions.columns[grouping->columns[i]].path);
    }
    text_add(out, "]}\n");
}

static void print_metric(const struct metric_use *use, struct buffer *out) {
    char parameter[QUANTITY_BYTES];
    if (strcmp(use->name, use->metric->name) == 0 && use->parameter == use->metric->parameter) {
        text_add(out, "      - %s\n", use->name);
        return;
    }
    /* beta stands for the parameter of any metric. */
    text_add(out, "      - {%s: {beta: %s, name: ", use->metric->name,
             format_number(parameter, use->parameter));
    add_scalar(out, use->name);
    text_add(out, "}}\n");
}

static void print_structures(const struct config *config, const struct task_definition *task,
                             struct buffer *out) {
    char pane[QUANTITY_BYTES];
    text_add(out, "    windows:\n");
    for (int i = 0; i < task->window_count; i++)
        print_window(&task->windows[i], out);
    text_add(out, "    pane: %s\n", format_duration(pane, task->pane_ms));
    text_add(out, task->grouping_count ? "    groups:\n" : "    groups: []\n");
    for (int i = 0; i < task->grouping_count; i++)
        print_grouping(config, &task->groupings[i], out);
    for (int i = 0; i < task->class_count; i++) {
        text_add(out, i == 0 ? "    classes:\n      - " : "      - ");
        add_scalar(out, task->classes[i]);
        text_add(out, "\n");
    }
    text_add(out, task->metric_count ? "    metrics:\n" : "    metrics: []\n");
    for (int i = 0; i < task->metric_count; i++)
        print_metric(&task->metrics[i], out);
}

static void print_task(const struct config *config, const struct task_definition *task,
                       struct buffer *out) {
    char scratch[64];
    const char *mark = "- ";
    for (size_t i = 0; i < options_count; i++) {
        if (options[i].scope != OPTION_TASK || options[i].type == OPTION_STRUCTURE)
            continue;
        const char *value = option_text(&options[i], config, task, scratch);
        if (strcmp(value, "none") == 0)
            continue;
        text_add(out, "  %s%s: ", mark, options[i].name);
        add_scalar(out, value);
        text_add(out, "\n");
        mark = "  ";
    }
    print_structures(config, task, out);
}

void config_print(const struct config *config, struct buffer *out) {
    char section[64] = "", scratch[64];
    for (size_t i = 0; i < options_count; i++)
        if (options[i].scope != OPTION_TASK)
            add_option(out, &options[i], option_text(&options[i], config, NULL, scratch), section);
    print_kafka(config, out);
    text_add(out, "tasks:\n");
    for (int i = 0; i < config->task_count; i++)
        print_task(config, &config->tasks[i], out);
}
