/* estimate.c -- what a rate of predictions costs in state, memory and Kafka bytes.
 * SPDX-License-Identifier: Apache-2.0 */
#include "config/config.h"

/* The budgets of docs/DESIGN.md: gates, not what was measured, so that plans are on the safe side.
 */
static const double row_bytes = 45, mark_bytes = 32;
static const double partial_bytes_base = 120, partial_bytes_a_row = 4.8, partial_bytes_max = 1500;
static const double pane_bytes_memory = 2048;
static const double locator_bytes_a_row = 3 / .75;
static const double process_bytes = 64e6, partition_bytes = 40e6;

static double least(double a, double b) {
    return a < b ? a : b;
}

/* How long a row stays: until both clocks have passed its horizon. */
static double kept_ms(const struct config *config, const struct task_definition *task) {
    int64_t disorder_ms = config->predictions.disorder_max_ms > config->feedback.disorder_max_ms
                              ? config->predictions.disorder_max_ms
                              : config->feedback.disorder_max_ms;
    return (double)(task->horizon_ms + disorder_ms + config->skew_ms + task->segment_ms);
}

/* Bytes of the partials of one task a second.  A commit carries each touched partial once: those of
 * the newest pane by predictions, older ones by labels, which come over the whole horizon. */
static double partials_a_second(const struct config *config, const struct task_definition *task,
                                const struct load *load) {
    double groups = (double)load->groups + 1, groupings = (double)task->grouping_count + 1;
    double commits = 1000.0 / (double)config->commit_interval_ms;
    double rate = load->predictions_per_second / load->partitions;
    double panes = (double)task->horizon_ms / (double)task->pane_ms + 1;
    double rows = rate * (double)task->pane_ms / 1000 / groups;
    double bytes = least(partial_bytes_base + partial_bytes_a_row * rows, partial_bytes_max);
    double hot = least(rate / commits * groupings, groups);
    double cold = least(rate / commits * load->labelled * groupings, groups * panes);
    double a_commit = least((hot + cold) * bytes, (double)config->commit_bytes);
    return a_commit * commits * load->partitions;
}

static double segments_of(const struct task_definition *task) {
    return (double)task->horizon_ms / (double)task->segment_ms + 2;
}

double config_segments_a_label(const struct config *config) {
    double most = 0;
    for (int i = 0; i < config->task_count; i++)
        if (segments_of(&config->tasks[i]) > most)
            most = segments_of(&config->tasks[i]);
    return most;
}

double config_located_rows(const struct config *config) {
    return (double)config->locator_bytes_max / config->task_count / locator_bytes_a_row;
}

/* The row of a label is as likely to be in any segment.  The locator names its segment, or it is in
 * one of those without room in the locator, which are asked then: the newest first until it is
 * found. */
static double reads_a_label(const struct config *config, const struct task_definition *task,
                            double rows) {
    double located = least(config_located_rows(config) / rows, 1);
    double others = (1 - located) * segments_of(task);
    double asked = others / 2 > 1 ? others / 2 : 1;
    if (config->feedback.prediction_time_column >= 0)
        return 1;
    return located + (1 - located) * asked;
}

void config_estimate(const struct config *config, const struct load *load,
                     struct load_estimate *out_estimate) {
    struct load_estimate sum = {.memory_bytes = process_bytes + (double)config->memory_bytes_max +
                                                partition_bytes * load->partitions};
    for (int i = 0; i < config->task_count; i++) {
        const struct task_definition *task = &config->tasks[i];
        double rows = load->predictions_per_second * kept_ms(config, task) / 1000;
        double panes = kept_ms(config, task) / (double)task->pane_ms + 1;
        sum.pending_rows += rows;
        sum.open_panes += panes * ((double)load->groups + 1) * load->partitions;
        sum.disk_bytes += rows * (row_bytes + mark_bytes * load->labelled);
        sum.partials_bytes_a_second += partials_a_second(config, task, load);
        double reads = reads_a_label(config, task, rows / load->partitions);
        if (config->feedback.prediction_time_column < 0)
            sum.locator_bytes += rows / load->partitions * locator_bytes_a_row;
        if (reads > sum.reads_a_label)
            sum.reads_a_label = reads;
    }
    sum.disk_bytes += sum.open_panes * partial_bytes_max;
    sum.memory_bytes += least(sum.open_panes * pane_bytes_memory,
                              (double)config->pane_bytes_max * load->partitions);
    sum.memory_bytes +=
        least(sum.locator_bytes, (double)config->locator_bytes_max) * load->partitions;
    sum.memory_bytes += least(sum.open_panes * partial_bytes_max,
                              (double)config->task_bytes_max * config->partials_partitions);
    *out_estimate = sum;
}

static void add_bytes(struct buffer *out, const char *what, double bytes, const char *unit) {
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB"};
    size_t i = 0;
    for (; bytes >= 1024 && i + 1 < COUNT_OF(units); i++)
        bytes /= 1024;
    text_add(out, "%-24s %.3g %s%s\n", what, bytes, units[i], unit);
}

void config_print_estimate(const struct config *config, const struct load *load,
                           struct buffer *out) {
    struct load_estimate estimate;
    config_estimate(config, load, &estimate);
    text_add(out, "%-24s %g predictions/s, %g labelled, %d groups, %d partitions\n", "load",
             load->predictions_per_second, load->labelled, load->groups, load->partitions);
    text_add(out, "%-24s %.3g\n", "rows waiting", estimate.pending_rows);
    text_add(out, "%-24s %.3g\n", "open panes x groups", estimate.open_panes);
    add_bytes(out, "disk", estimate.disk_bytes, "");
    add_bytes(out, "memory, one process", estimate.memory_bytes, "");
    add_bytes(out, "partials to Kafka", estimate.partials_bytes_a_second, "/s");
    if (config->feedback.prediction_time_column < 0)
        add_bytes(out, "locator, a partition", estimate.locator_bytes,
                  estimate.locator_bytes > (double)config->locator_bytes_max
                      ? " (more than locator.max.bytes: raise it, or send feedback.prediction.time)"
                      : "");
    text_add(out, "%-24s %.3g\n", "segments read a label", estimate.reads_a_label);
}
