/* SPDX-License-Identifier: Apache-2.0 */
#include "task/windows.h"

#include <stdlib.h>
#include <string.h>

enum { ALLOCATION_BYTES = 16 };

void windows_init(struct windows *windows, const struct task_definition *definition, int task) {
    *windows =
        (struct windows){.definition = definition, .task = task, .sealed_until_ms = INT64_MIN};
}

static size_t view_bytes(const struct windows *windows) {
    return sizeof(struct view) + (size_t)windows->definition->metric_count * sizeof(uint64_t) +
           ALLOCATION_BYTES + sizeof(struct view *);
}

static void release_frame(struct windows *windows, struct frame *frame) {
    for (size_t i = 0; i < frame->count; i++) {
        windows_forget_sum(windows, frame->views[i]);
        free(frame->views[i]);
    }
    free(frame->views);
    free(frame);
}

void windows_release(struct windows *windows) {
    for (size_t i = 0; i < windows->changed.count; i++) {
        if (windows->changed.items[i]->is_removed)
            free(windows->changed.items[i]);
    }
    for (int w = 0; w < WINDOWS_MAX; w++) {
        for (size_t i = 0; i < windows->frames[w].count; i++)
            release_frame(windows, windows->frames[w].items[i]);
        free(windows->frames[w].items);
    }
    free(windows->waiting.items);
    free(windows->changed.items);
}

static int64_t floor_to(int64_t time_ms, int64_t step_ms, int64_t offset_ms) {
    int64_t rest = (time_ms - offset_ms) % step_ms;
    return time_ms - (rest < 0 ? rest + step_ms : rest);
}

bool window_covering(const struct window_definition *window, int64_t start_ms, int64_t end_ms,
                     int64_t i, int64_t *out_start_ms, int64_t *out_end_ms) {
    int64_t size_ms = window->size_ms, slide_ms = window->slide_ms;
    if (window->kind == WINDOW_CUMULATIVE) {
        int64_t base_ms = floor_to(start_ms, size_ms, window->offset_ms);
        int64_t first_end_ms = base_ms + floor_to(end_ms - base_ms + slide_ms - 1, slide_ms, 0);
        *out_start_ms = base_ms;
        *out_end_ms = first_end_ms + i * slide_ms;
        return *out_end_ms <= base_ms + size_ms;
    }
    if (window->kind == WINDOW_TUMBLING)
        slide_ms = size_ms;
    *out_start_ms = floor_to(start_ms, slide_ms, window->offset_ms) - i * slide_ms;
    *out_end_ms = *out_start_ms + size_ms;
    return *out_end_ms >= end_ms;
}

int64_t windows_covering_end(const struct windows *windows, int64_t start_ms, int64_t end_ms) {
    int64_t last_ms = end_ms;
    for (int w = 0; w < windows->definition->window_count; w++) {
        const struct window_definition *window = &windows->definition->windows[w];
        int64_t step_ms = window->kind == WINDOW_HOPPING ? window->slide_ms : window->size_ms;
        int64_t covering_ms = floor_to(start_ms, step_ms, window->offset_ms) + window->size_ms;
        if (covering_ms > last_ms)
            last_ms = covering_ms;
    }
    return last_ms;
}

void view_list_add(struct view_list *list, struct view *view) {
    if (list->count == list->capacity) {
        list->capacity = list->capacity ? list->capacity * 2 : 64;
        list->items = alloc_resize(list->items, list->capacity, sizeof(struct view *));
    }
    list->items[list->count++] = view;
}

static size_t frame_at(const struct frame_list *list, int64_t end_ms) {
    size_t low = 0, high = list->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (list->items[middle]->end_ms < end_ms)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct frame *find_frame(struct windows *windows, const struct clocks *clocks, int window,
                                int64_t start_ms, int64_t end_ms) {
    struct frame_list *list = &windows->frames[window];
    size_t at = frame_at(list, end_ms);
    if (at < list->count && list->items[at]->end_ms == end_ms)
        return list->items[at];
    if (list->count == list->capacity) {
        list->capacity = list->capacity ? list->capacity * 2 : 16;
        list->items = alloc_resize(list->items, list->capacity, sizeof(struct frame *));
    }
    memmove(&list->items[at + 1], &list->items[at], (list->count - at) * sizeof(struct frame *));
    struct frame *frame = alloc_zero(1, sizeof *frame);
    frame->start_ms = start_ms;
    frame->end_ms = end_ms;
    frame->task = windows->task;
    frame->window = window;
    frame->is_sealed = clocks_passed(clocks, BOUNDARY_SEALED, start_ms, end_ms);
    list->items[at] = frame;
    list->count++;
    windows->bytes += sizeof *frame + ALLOCATION_BYTES + sizeof(struct frame *);
    return frame;
}

static size_t view_at(const struct frame *frame, const struct group *group) {
    size_t low = 0, high = frame->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if ((uintptr_t)frame->views[middle]->group < (uintptr_t)group)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct view *windows_view(struct windows *windows, const struct clocks *clocks, int window,
                          int64_t start_ms, int64_t end_ms, struct group *group) {
    struct frame *frame = find_frame(windows, clocks, window, start_ms, end_ms);
    size_t at = view_at(frame, group);
    if (at < frame->count && frame->views[at]->group == group)
        return frame->views[at];
    if (frame->count == frame->capacity) {
        frame->capacity = frame->capacity ? frame->capacity * 2 : 4;
        frame->views = alloc_resize(frame->views, frame->capacity, sizeof(struct view *));
    }
    memmove(&frame->views[at + 1], &frame->views[at], (frame->count - at) * sizeof(struct view *));
    size_t hashes = (size_t)windows->definition->metric_count * sizeof(uint64_t);
    struct view *view = alloc_zero(1, sizeof *view + hashes);
    view->frame = frame;
    view->group = group;
    frame->views[at] = view;
    frame->count++;
    windows->view_count++;
    windows->bytes += view_bytes(windows);
    return view;
}

struct view *windows_find(const struct windows *windows, int window, int64_t end_ms,
                          const struct group *group) {
    const struct frame_list *list = &windows->frames[window];
    size_t at = frame_at(list, end_ms);
    if (at == list->count || list->items[at]->end_ms != end_ms)
        return NULL;
    const struct frame *frame = list->items[at];
    at = view_at(frame, group);
    return at < frame->count && frame->views[at]->group == group ? frame->views[at] : NULL;
}

struct frame *windows_oldest_summed(const struct windows *windows, int64_t end_ms) {
    struct frame *oldest = NULL;
    for (int w = 0; w < windows->definition->window_count; w++) {
        const struct frame_list *list = &windows->frames[w];
        size_t i = 0;
        while (i < list->count && list->items[i]->sum_count == 0)
            i++;
        if (i < list->count && list->items[i]->end_ms < end_ms) {
            oldest = list->items[i];
            end_ms = oldest->end_ms;
        }
    }
    return oldest;
}

void windows_wait(struct windows *windows, struct view *view) {
    if (view->is_waiting)
        return;
    view->is_waiting = true;
    view_list_add(&windows->waiting, view);
    windows_change(windows, view);
}

void windows_change(struct windows *windows, struct view *view) {
    if (view->is_changed)
        return;
    view->is_changed = true;
    view_list_add(&windows->changed, view);
}

static void make_urgent(struct windows *windows, struct frame *frame) {
    windows->passed++;
    for (size_t i = 0; i < frame->count; i++) {
        frame->views[i]->is_urgent = true;
        windows_wait(windows, frame->views[i]);
    }
}

static void seal_frames(struct windows *windows, const struct clocks *clocks, int window) {
    const struct frame_list *list = &windows->frames[window];
    int64_t limit_ms = clocks->limit_ms[BOUNDARY_SEALED];
    /* With several epochs a frame before the limit may still be open. */
    bool all = clocks->has_several_epochs || windows->sealed_until_ms == INT64_MIN;
    size_t i = all ? 0 : frame_at(list, windows->sealed_until_ms);
    for (; i < list->count && list->items[i]->end_ms <= limit_ms; i++) {
        struct frame *frame = list->items[i];
        if (frame->is_sealed ||
            !clocks_passed(clocks, BOUNDARY_SEALED, frame->start_ms, frame->end_ms))
            continue;
        frame->is_sealed = true;
        make_urgent(windows, frame);
    }
}

/* Final frames are removed by each commit, so those that pass now are the first. */
static void finish_frames(struct windows *windows, const struct clocks *clocks, int window) {
    const struct frame_list *list = &windows->frames[window];
    for (size_t i = 0; i < list->count; i++) {
        struct frame *frame = list->items[i];
        if (frame->end_ms > clocks->limit_ms[BOUNDARY_FINAL])
            break;
        if (frame->is_final ||
            !clocks_passed(clocks, BOUNDARY_FINAL, frame->start_ms, frame->end_ms))
            continue;
        frame->is_sealed = true;
        frame->is_final = true;
        make_urgent(windows, frame);
    }
}

void windows_advance(struct windows *windows, const struct clocks *clocks) {
    for (int w = 0; w < windows->definition->window_count; w++) {
        seal_frames(windows, clocks, w);
        finish_frames(windows, clocks, w);
    }
    windows->sealed_until_ms = clocks->limit_ms[BOUNDARY_SEALED];
}

static void remove_frame(struct windows *windows, struct frame *frame,
                         void (*forget)(void *context, const struct view *view), void *context) {
    for (size_t i = 0; i < frame->count; i++) {
        struct view *view = frame->views[i];
        if (view->is_stored)
            forget(context, view);
        windows_forget_sum(windows, view);
        windows->view_count--;
        windows->bytes -= view_bytes(windows);
        /* The list of changed views still points to it. */
        view->is_removed = true;
        if (!view->is_changed)
            free(view);
    }
    windows->bytes -= sizeof *frame + ALLOCATION_BYTES + sizeof(struct frame *);
    free(frame->views);
    free(frame);
}

void windows_remove_final(struct windows *windows, const struct clocks *clocks,
                          void (*forget)(void *context, const struct view *view), void *context) {
    for (int w = 0; w < windows->definition->window_count; w++) {
        struct frame_list *list = &windows->frames[w];
        size_t kept = 0, i = 0;
        for (; i < list->count && list->items[i]->end_ms <= clocks->limit_ms[BOUNDARY_FINAL]; i++) {
            if (list->items[i]->is_final)
                remove_frame(windows, list->items[i], forget, context);
            else
                list->items[kept++] = list->items[i];
        }
        if (kept < i) {
            memmove(&list->items[kept], &list->items[i],
                    (list->count - i) * sizeof(struct frame *));
            list->count -= i - kept;
        }
    }
}

void windows_sweep(struct windows *windows) {
    for (size_t i = 0; i < windows->changed.count; i++) {
        struct view *view = windows->changed.items[i];
        view->is_changed = false;
        view->is_stored = true;
        if (view->is_removed)
            free(view);
    }
    windows->changed.count = 0;
}
