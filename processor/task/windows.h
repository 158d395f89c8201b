/* windows.h -- the windows of one task that are not final yet, and what was last published of them.
 *
 *     panes       |p0|p1|p2|p3|p4|p5|p6|p7|
 *     tumbling    [     4     )[     4     )             [k size, (k+1) size)
 *     hopping     [     4     )                          [k slide, k slide + size)
 *                       [     4     )
 *     cumulative  [  2  )                                [k size, k size + j slide)
 *                 [     4     )
 *
 * A frame is one stretch of event time of one window definition; a view is a frame and a group.
 * Frames and views stay where they are until they are removed.  SPDX-License-Identifier: Apache-2.0
 */
#ifndef SLIPSTREAM_TASK_WINDOWS_H
#define SLIPSTREAM_TASK_WINDOWS_H

#include "config/definition.h"
#include "task/clocks.h"
#include "task/table.h"

struct frame;
struct window_sum;

struct view {
    struct frame *frame;
    struct group *group;
    int64_t
        waiting_since_ms; /* set when is_deferred: wall time of the commit that first let it wait */
    struct window_sum *sum; /* see sums.h; NULL: merged at each publication */
    bool is_waiting;        /* something changed since it was last published */
    bool is_deferred;
    bool is_urgent;  /* it passed a boundary */
    bool is_revised; /* touched after its seal */
    bool is_changed; /* in the list `changed` */
    bool is_stored;
    bool is_removed;
    uint64_t published[]; /* content of the last record, hashed, a metric; 0: none */
};

struct frame {
    int64_t start_ms, end_ms;
    int task, window; /* indices into the configuration and the definition */
    bool is_sealed, is_final;
    struct view **views; /* by address of the group */
    size_t count, capacity;
    size_t sum_count; /* of its views: those that have a sum */
};

struct frame_list {
    struct frame **items; /* by end_ms, which is unique in a window definition */
    size_t count, capacity;
};

struct view_list {
    struct view **items;
    size_t count, capacity;
};

struct windows {
    const struct task_definition *definition;
    int task;
    struct frame_list frames[WINDOWS_MAX];
    int64_t sealed_until_ms;  /* frames that end at or before it were looked at */
    struct view_list waiting; /* newly waiting, in no order */
    struct view_list changed; /* since the last flush */
    size_t view_count, bytes;
    size_t sum_bytes; /* of all sums of views */
    size_t passed;    /* frames that passed a boundary since the last commit */
};

void windows_init(struct windows *windows, const struct task_definition *definition, int task);
void windows_release(struct windows *windows);

/* The i-th window that covers [start_ms, end_ms), from 0 on; false when there are no more. */
bool window_covering(const struct window_definition *window, int64_t start_ms, int64_t end_ms,
                     int64_t i, int64_t *out_start_ms, int64_t *out_end_ms);
/* The last end of all windows of the task that cover the stretch; end_ms when there is none. */
int64_t windows_covering_end(const struct windows *windows, int64_t start_ms, int64_t end_ms);

/* Finds the view, or makes it; a new frame is sealed when the clocks say so. */
struct view *windows_view(struct windows *windows, const struct clocks *clocks, int window,
                          int64_t start_ms, int64_t end_ms, struct group *group);
/* NULL: there is none. */
struct view *windows_find(const struct windows *windows, int window, int64_t end_ms,
                          const struct group *group);
void windows_wait(struct windows *windows, struct view *view);
void windows_change(struct windows *windows, struct view *view);
/* Marks frames that passed a boundary; their views wait, urgently. */
void windows_advance(struct windows *windows, const struct clocks *clocks);
/* Removes the final frames.  Calls forget for each view that was stored. */
void windows_remove_final(struct windows *windows, const struct clocks *clocks,
                          void (*forget)(void *context, const struct view *view), void *context);
/* Everything changed is flushed. */
void windows_sweep(struct windows *windows);

/* sums.c: the view is merged anew. */
void windows_forget_sum(struct windows *windows, struct view *view);
/* The first frame that ends before end_ms and has sums; NULL: there is none. */
struct frame *windows_oldest_summed(const struct windows *windows, int64_t end_ms);

void view_list_add(struct view_list *list, struct view *view);

#endif
