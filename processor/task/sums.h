/* sums.h -- what a window adds up to, kept from one publication to the next.
 *
 * A window of few panes is merged at each publication.  One of SUMMED_PANES or more is merged once;
 * from then on the partial that gives way is taken from its sum and the new one added, which is
 * exact (metrics/tables.h), so that the sum is what a merge would be.
 *
 * Limit      all sums of a stage take at most a quarter of task.memory.max.bytes: the sums of older
 *            windows give way to newer ones, and windows beyond it are merged each time.
 * Given up   when more has changed since the last publication than a merge would read.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_TASK_SUMS_H
#define SLIPSTREAM_TASK_SUMS_H

#include "task/stage.h"

enum { SUMMED_PANES = 8 };

/* Of the window of the view: *out_tables is a borrow, valid until the next change or merge. */
enum status sum_window(struct task_stage *stage, struct task_state *task, struct view *view,
                       const struct tables **out_tables, struct merged *out_merged,
                       struct error *err) MUST_CHECK;

/* A partial gives way to another in a pane; without old it is the first of its source.  Tables are
 * NULL when they could not be read: such a source counts nothing. */
struct replaced {
    const struct pane *pane;
    const struct tables *old_tables, *new_tables;
    int64_t old_late, new_late;
};
void sums_replace(struct task_state *task, const struct replaced *replaced);

#endif
