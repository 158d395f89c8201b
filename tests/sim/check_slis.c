/* check_slis.c -- invariant 4, and the SLIs of the end against the oracle's cells.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "task/sli.h"
#include "tests/sim/check.h"
#include "tests/sim/latest.h"

static bool say(char out_failure[FAILURE_MAX], const struct world *world, const struct sli *sli,
                const char *what) {
    snprintf(out_failure, FAILURE_MAX,
             "SLI %.*s %.*s %.*s %.*s [%+lld s, %+lld s) %s: %s; predicted %lld labelled %lld "
             "value %.17g",
             (int)sli->task.size, sli->task.data, (int)sli->metric.size, sli->metric.data,
             (int)sli->group.size, sli->group.data, (int)sli->window.size, sli->window.data,
             (long long)(sli->window_start_ms - world->start_ms) / 1000,
             (long long)(sli->window_end_ms - world->start_ms) / 1000, sli_status_name(sli->status),
             what, (long long)sli->predicted, (long long)sli->labelled, sli->value);
    return false;
}

/* ---- invariant 4 ---- */

/* The record without what may differ: revision, computed_at, and the watermark of that moment. */
static bool same_record(struct slice a, struct slice b) {
    struct slice records[2] = {a, b};
    struct buffer bytes[2];
    for (int i = 0; i < 2; i++) {
        struct sli sli;
        buffer_init(&bytes[i], 1 << 16);
        if (sli_read(records[i], &sli)) {
            sli.revision = (struct sli_revision){0};
            sli.computed_at_ms = 0;
            sli.watermark_ms = WATERMARK_NONE;
            sli_write(&sli, &bytes[i]);
        }
    }
    bool is_same = slice_equal(buffer_slice(&bytes[0]), buffer_slice(&bytes[1]));
    for (int i = 0; i < 2; i++)
        buffer_release(&bytes[i]);
    return is_same;
}

static bool grows(const struct sli_revision *a, const struct sli_revision *b) {
    if (a->epoch != b->epoch)
        return a->epoch < b->epoch;
    if (a->incarnation != b->incarnation)
        return a->incarnation < b->incarnation;
    return a->offset < b->offset;
}

static bool check_next(const struct world *world, struct latest_entry *entry, struct slice value,
                       char out_failure[FAILURE_MAX]) {
    struct sli now, before;
    if (!sli_read(value, &now)) {
        snprintf(out_failure, FAILURE_MAX, "an SLI does not parse");
        return false;
    }
    struct slice last = entry->is_seen ? entry->value : (struct slice){0};
    entry->is_seen = true;
    entry->value = value;
    if (!last.data || !sli_read(last, &before))
        return true;
    if (same_record(last, value)) /* said again after a rebuild: an upsert */
        return true;
    if (before.status == SLI_FINAL)
        return say(out_failure, world, &now, "it was FINAL before");
    if (now.status < before.status)
        return say(out_failure, world, &now, "its status went back");
    if (!grows(&before.revision, &now.revision))
        return say(out_failure, world, &now, "its revision does not grow");
    return true;
}

bool check_history(const struct cluster *cluster, char out_failure[FAILURE_MAX]) {
    struct latest latest;
    latest_init(&latest, &cluster->broker, TOPIC_SLIS);
    const struct broker_log *log = &cluster->broker.logs[TOPIC_SLIS][0];
    bool is_right = true;
    for (size_t i = 0; i < log->count && is_right; i++) {
        if (log->records[i].state != RECORD_COMMITTED)
            continue;
        struct latest_entry *entry = latest_find(&latest, log->records[i].key);
        is_right = check_next(cluster->world, entry, log->records[i].value, out_failure);
    }
    latest_release(&latest);
    return is_right;
}

/* ---- the end against the oracle ---- */

static int find_task(const struct world *world, struct slice name) {
    for (int i = 0; i < world->config.task_count; i++)
        if (slice_equal(name, slice_from(world->tasks[i].name)))
            return i;
    return -1;
}

/* The cells of this SLI's window, group and task, added up. */
static struct oracle_cell total_of(const struct world *world, const struct oracle *oracle,
                                   const struct sli *sli) {
    int task = find_task(world, sli->task);
    struct oracle_cell total = {0};
    for (size_t i = 0; i < oracle->cell_count; i++) {
        const struct oracle_cell *cell = &oracle->cells[i];
        if (world_name_of(world, cell->task) != task || cell->pane_ms < sli->window_start_ms ||
            cell->pane_ms >= sli->window_end_ms ||
            !slice_equal(sli->group, slice_from(cell->group)))
            continue;
        total.predicted += cell->predicted;
        total.labelled += cell->labelled;
        total.tp += cell->tp;
        total.fp += cell->fp;
        total.tn += cell->tn;
        total.fn += cell->fn;
        total.brier += cell->brier;
        total.log_loss += cell->log_loss;
        total.is_tainted = total.is_tainted || cell->is_tainted;
    }
    return total;
}

static bool expect(const struct oracle_cell *total, struct slice metric, double *out_value) {
    double below = 0, above = 0;
    if (slice_equal(metric, SLICE("accuracy"))) {
        above = (double)(total->tp + total->tn);
        below = (double)total->labelled;
    } else if (slice_equal(metric, SLICE("precision"))) {
        above = (double)total->tp;
        below = (double)(total->tp + total->fp);
    } else if (slice_equal(metric, SLICE("recall"))) {
        above = (double)total->tp;
        below = (double)(total->tp + total->fn);
    } else {
        bool is_brier = slice_equal(metric, SLICE("brier"));
        above = (double)(is_brier ? total->brier : total->log_loss) / 4294967296.0;
        below = (double)total->labelled;
    }
    *out_value = above / below;
    return below > 0;
}

static bool check_value(const struct world *world, const struct oracle *oracle,
                        const struct sli *sli, char out_failure[FAILURE_MAX]) {
    struct oracle_cell total = total_of(world, oracle, sli);
    double value = 0;
    bool has_value = expect(&total, sli->metric, &value);
    char what[160];
    snprintf(what, sizeof what, "expected FINAL, predicted %lld labelled %lld value %.17g",
             (long long)total.predicted, (long long)total.labelled, value);
    if (sli->status != SLI_FINAL)
        return say(out_failure, world, sli, what);
    if (total.is_tainted)
        return true;
    if (sli->predicted != total.predicted || sli->labelled != total.labelled ||
        sli->has_value != has_value || (has_value && fabs(sli->value - value) > 1e-12 * value))
        return say(out_failure, world, sli, what);
    return true;
}

/* ---- which windows there must be ---- */

struct windows { /* starts and ends of the windows of one definition that hold a pane */
    int64_t starts[16], ends[16];
    int count;
};

static int64_t floor_to(int64_t time_ms, int64_t step_ms) {
    return time_ms - ((time_ms % step_ms) + step_ms) % step_ms;
}

static void windows_of(const struct window_definition *window, int64_t pane_ms,
                       struct windows *out) {
    out->count = 0;
    int64_t base = window->offset_ms;
    if (window->kind == WINDOW_CUMULATIVE) {
        int64_t start = floor_to(pane_ms - base, window->size_ms) + base;
        for (int64_t end = start + window->slide_ms; end <= start + window->size_ms;
             end += window->slide_ms)
            if (end > pane_ms) {
                out->starts[out->count] = start;
                out->ends[out->count++] = end;
            }
        return;
    }
    int64_t start = floor_to(pane_ms - base, window->slide_ms) + base;
    for (; start + window->size_ms > pane_ms; start -= window->slide_ms) {
        out->starts[out->count] = start;
        out->ends[out->count++] = start + window->size_ms;
    }
}

static bool find_window(const struct latest *latest, const struct task_definition *task,
                        const struct oracle_cell *cell, const struct window_definition *window,
                        const struct windows *windows, int at) {
    struct buffer key;
    buffer_init(&key, 4096);
    bool is_there = true;
    for (int i = 0; i < task->metric_count && is_there; i++) {
        const struct sli sli = {.task = slice_from(task->name),
                                .metric = slice_from(task->metrics[i].name),
                                .group = slice_from(cell->group),
                                .window = slice_from(window->name),
                                .window_start_ms = windows->starts[at],
                                .window_end_ms = windows->ends[at]};
        buffer_reset(&key);
        sli_write_key(&sli, &key);
        struct latest_entry *entry = latest_find(latest, buffer_slice(&key));
        is_there = entry != NULL;
        if (entry)
            entry->is_seen = true;
    }
    buffer_release(&key);
    return is_there;
}

static bool check_windows(const struct latest *latest, const struct world *world,
                          const struct oracle_cell *cell, char out_failure[FAILURE_MAX]) {
    const struct task_definition *task = &world->tasks[cell->task];
    for (int i = 0; i < task->window_count; i++) {
        struct windows windows;
        windows_of(&task->windows[i], cell->pane_ms, &windows);
        for (int k = 0; k < windows.count; k++)
            if (!find_window(latest, task, cell, &task->windows[i], &windows, k)) {
                snprintf(out_failure, FAILURE_MAX,
                         "SLI: task %s group %s window %s [%+lld s, %+lld s) is missing",
                         task->name, cell->group, task->windows[i].name,
                         (long long)(windows.starts[k] - world->start_ms) / 1000,
                         (long long)(windows.ends[k] - world->start_ms) / 1000);
                return false;
            }
    }
    return true;
}

bool check_slis(const struct cluster *cluster, const struct oracle *oracle,
                char out_failure[FAILURE_MAX]) {
    struct latest latest;
    latest_init(&latest, &cluster->broker, TOPIC_SLIS);
    bool is_right = true;
    for (size_t i = 0; i < oracle->cell_count && is_right; i++)
        is_right = check_windows(&latest, cluster->world, &oracle->cells[i], out_failure);
    for (size_t i = 0; i < latest.count && is_right; i++) {
        struct sli sli;
        is_right = sli_read(latest.entries[i].value, &sli) &&
                   check_value(cluster->world, oracle, &sli, out_failure);
        if (is_right && !latest.entries[i].is_seen)
            is_right = say(out_failure, cluster->world, &sli, "the oracle has no such window");
        cluster->counts->finals += is_right;
    }
    latest_release(&latest);
    return is_right;
}

/* ---- two runs ---- */

bool check_equal(const struct cluster *a, const struct cluster *b, const struct oracle *oracle,
                 char out_failure[FAILURE_MAX]) {
    struct latest ours, theirs;
    latest_init(&ours, &a->broker, TOPIC_SLIS);
    latest_init(&theirs, &b->broker, TOPIC_SLIS);
    bool is_right = true;
    for (size_t i = 0; i < ours.count && is_right; i++) {
        struct sli sli;
        const struct latest_entry *other = latest_find(&theirs, ours.entries[i].key);
        if (!sli_read(ours.entries[i].value, &sli) || total_of(a->world, oracle, &sli).is_tainted ||
            (other && same_record(ours.entries[i].value, other->value)))
            continue;
        is_right = say(out_failure, a->world, &sli, "the undisturbed run has another record");
    }
    latest_release(&ours);
    latest_release(&theirs);
    return is_right;
}
