/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "task/sli.h"
#include "task/stage.h"
#include "task/sums.h"

static int compare_longs(int64_t a, int64_t b) {
    return (a > b) - (a < b);
}

/* The order of publication: the newest window first; the rest makes it one order for every
 * history of the process. */
static int compare_views(const struct view *a, const struct view *b) {
    int order = compare_longs(b->frame->end_ms, a->frame->end_ms);
    if (order == 0)
        order = compare_longs(a->frame->task, b->frame->task);
    if (order == 0)
        order = compare_longs(a->frame->window, b->frame->window);
    return order ? order : slice_compare(a->group->text, b->group->text);
}

static int compare_view_items(const void *a, const void *b) {
    return compare_views(*(struct view *const *)a, *(struct view *const *)b);
}

/* Merges the newly waiting views of a task, sorted, into the waiting ones, from the back. */
static void take_waiting(struct task_stage *stage, struct view_list *fresh) {
    struct view_list *waiting = &stage->waiting;
    if (fresh->count == 0)
        return;
    qsort(fresh->items, fresh->count, sizeof(struct view *), compare_view_items);
    size_t left = waiting->count, right = fresh->count;
    for (size_t i = 0; i < fresh->count; i++)
        view_list_add(waiting, fresh->items[i]);
    for (size_t to = left + right; right > 0; to--) {
        bool from_left =
            left > 0 && compare_views(waiting->items[left - 1], fresh->items[right - 1]) > 0;
        waiting->items[to - 1] = from_left ? waiting->items[--left] : fresh->items[--right];
    }
    fresh->count = 0;
}

static void take_all_waiting(struct task_stage *stage) {
    for (int t = 0; t < stage->task_count; t++)
        take_waiting(stage, &stage->tasks[t].windows.waiting);
}

static enum sli_status status_of(const struct view *view) {
    if (view->frame->is_final)
        return SLI_FINAL;
    if (!view->frame->is_sealed)
        return SLI_PROVISIONAL;
    return view->is_revised ? SLI_REVISED : SLI_ON_TIME;
}

static enum sli_trust trust_of(enum sli_status status, int64_t labelled) {
    if (status == SLI_FINAL)
        return TRUST_TRUSTED;
    return labelled == 0 ? TRUST_NO_LABELS : TRUST_PROVISIONAL;
}

/* What all metrics of a window have in common. */
static struct sli describe(const struct task_stage *stage, const struct task_state *task,
                           const struct view *view, const struct tables *tables,
                           const struct merged *merged, int64_t now_ms) {
    const struct task_definition *definition = task->definition;
    const struct window_definition *window = &definition->windows[view->frame->window];
    int64_t predicted = tables_predicted(tables);
    int64_t labelled = tables_labelled(tables);
    int64_t epoch = merged->epoch == INT64_MIN ? 0 : merged->epoch;
    enum sli_status status = status_of(view);
    return (struct sli){
        .task = slice_from(definition->name),
        .group = view->group->text,
        .window = slice_from(window->name),
        .window_start_ms = view->frame->start_ms,
        .window_end_ms = view->frame->end_ms,
        .run_id = SLICE(""),
        .status = status,
        .trust = trust_of(status, labelled),
        .level = definition->level,
        .predicted = predicted,
        .labelled = labelled,
        .coverage = predicted > 0 ? (double)labelled / (double)predicted : 0,
        .late = merged->late,
        .kind = definition->kind,
        .window_kind = window->kind,
        .epoch = epoch,
        .mixed_epochs = merged->is_mixed,
        .method = SLICE("full"),
        /* Of a final window, one that does not depend on when we come to it. */
        .watermark_ms =
            status == SLI_FINAL ? view->frame->end_ms : task->clocks.limit_ms[BOUNDARY_SEALED],
        .revision = {epoch, stage->options.incarnation, stage->position},
        .computed_at_ms = now_ms,
    };
}

static void estimate(const struct task_state *task, const struct tables *tables, int metric,
                     struct sli *sli) {
    const struct metric_use *use = &task->definition->metrics[metric];
    struct estimate estimate = {0};
    use->metric->estimate(tables, &task->shape, task->shape.sum_offset[metric], use->parameter,
                          task->definition->level, &estimate);
    sli->metric = slice_from(use->name);
    sli->formula = slice_from(task->formulas[metric]);
    sli->parameter = use->parameter;
    sli->has_value = estimate.has_value;
    sli->value = estimate.has_value ? estimate.value : 0;
    sli->has_interval = estimate.has_value && estimate.has_interval;
    sli->low = sli->has_interval ? estimate.low : 0;
    sli->high = sli->has_interval ? estimate.high : 0;
    sli->interval = sli->has_interval ? estimate.method : INTERVAL_NONE;
    sli->error_bound = estimate.error_bound;
    sli->support = estimate.support;
}

/* Of what makes a record worth publishing: not of revision, watermark and computed_at.  Never 0,
 * which stands for "nothing published". */
static uint64_t content_hash(const struct sli *sli) {
    const double reals[] = {sli->value, sli->low, sli->high, sli->error_bound};
    const int64_t integers[] = {
        sli->has_value, sli->has_interval, sli->predicted,        sli->labelled,
        sli->late,      sli->support,      (int64_t)sli->status,  (int64_t)sli->trust,
        sli->epoch,     sli->mixed_epochs, (int64_t)sli->interval};
    char bytes[sizeof reals + sizeof integers];
    memcpy(bytes, reals, sizeof reals);
    memcpy(bytes + sizeof reals, integers, sizeof integers);
    uint64_t hash = hash64((struct slice){bytes, sizeof bytes});
    return hash ? hash : 1;
}

static void write_sli(struct task_stage *stage, const struct sli *sli, struct outbox *outbox) {
    buffer_reset(&stage->key);
    buffer_reset(&stage->value);
    sli_write_key(sli, &stage->key);
    sli_write(sli, &stage->value);
    outbox_add(outbox, &(struct message){.topic = TOPIC_SLIS,
                                         .partition = -1,
                                         .key = buffer_slice(&stage->key),
                                         .value = buffer_slice(&stage->value)});
}

static enum status publish_view(struct task_stage *stage, struct view *view, int64_t now_ms,
                                struct outbox *outbox, struct error *err) {
    struct task_state *task = &stage->tasks[view->frame->task];
    const struct tables *tables;
    struct merged merged;
    TRY(sum_window(stage, task, view, &tables, &merged, err));
    struct sli sli = describe(stage, task, view, tables, &merged, now_ms);
    for (int m = 0; m < task->definition->metric_count; m++) {
        estimate(task, tables, m, &sli);
        uint64_t hash = content_hash(&sli);
        if (hash == view->published[m]) {
            stage->stats.unchanged++;
            continue;
        }
        view->published[m] = hash;
        write_sli(stage, &sli, outbox);
        stage->stats.published++;
        stage->stats.finals += sli.status == SLI_FINAL;
    }
    if (sli.status == SLI_FINAL && view->is_revised)
        forget_revised(stage, view, outbox);
    windows_change(&task->windows, view);
    return STATUS_OK;
}

static void stop_waiting(struct view *view) {
    view->is_waiting = false;
    view->is_urgent = false;
    view->is_deferred = false;
}

static bool is_due(const struct task_stage *stage, struct view *view, int64_t now_ms,
                   int64_t evaluated) {
    if (view->is_urgent || evaluated < SLIS_PER_COMMIT)
        return true;
    if (!view->is_deferred)
        view->waiting_since_ms = now_ms;
    view->is_deferred = true;
    return now_ms - view->waiting_since_ms >= stage->options.config->revision_interval_ms;
}

enum status publish_waiting(struct task_stage *stage, int64_t now_ms, bool drain,
                            struct outbox *outbox, struct error *err) {
    take_all_waiting(stage);
    struct view_list *waiting = &stage->waiting;
    size_t kept = 0;
    int64_t evaluated = 0;
    for (size_t i = 0; i < waiting->count; i++) {
        struct view *view = waiting->items[i];
        if (!drain && !is_due(stage, view, now_ms, evaluated)) {
            waiting->items[kept++] = view;
            continue;
        }
        TRY(publish_view(stage, view, now_ms, outbox, err));
        evaluated += stage->tasks[view->frame->task].definition->metric_count;
        stop_waiting(view);
    }
    waiting->count = kept;
    return STATUS_OK;
}

void settle_waiting(struct task_stage *stage) {
    take_all_waiting(stage);
    struct view_list *waiting = &stage->waiting;
    size_t kept = 0;
    for (size_t i = 0; i < waiting->count; i++) {
        struct view *view = waiting->items[i];
        view->is_urgent = false;
        if (view->frame->is_final)
            stop_waiting(view);
        else
            waiting->items[kept++] = view;
    }
    waiting->count = kept;
}
