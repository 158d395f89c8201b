/* stage.h -- the inside of stage 2: what its files share.
 *
 *     step    step.c clocks.c table.c recall.c  what the partials say
 *     commit  windows.c advance.c               which windows that touches
 *             merge.c sums.c publish.c          their values, as SLIs
 *             history.c status.c                what a rebuild could not find out
 *     flush   persist.c memory.c                what changed, to the store; what stays in memory
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_TASK_STAGE_H
#define SLIPSTREAM_TASK_STAGE_H

#include "metrics/metric.h"
#include "task/clocks.h"
#include "task/table.h"
#include "task/task.h"
#include "task/windows.h"

enum {
    FORMULA_BYTES = 64,
    SLIS_PER_COMMIT = 2000,     /* evaluated; urgent and overdue ones go beyond it */
    REPLAY_SETTLE_EVERY = 65536 /* records; what became final is let go then */
};

struct task_state {
    const struct task_definition *definition;
    struct shape shape;
    char formulas[METRICS_MAX][FORMULA_BYTES]; /* "precision/1" */
    struct clocks clocks;
    struct table table;
    struct windows windows;
    int64_t finished_until_ms; /* panes that end at or before it were looked at */
    int64_t widest_pane_ms;    /* ever seen */
    bool clocks_moved;         /* since the last commit */
    size_t passed;             /* panes that became final since the last commit */
};

struct store_puts {
    struct store_put *items;
    size_t count, capacity;
};

struct recall {
    struct task_state *task;
    struct pane *pane;
    struct slice key;
};

struct recall_list {
    struct recall *items;
    size_t count, capacity;
};

struct task_stage {
    struct task_options options;
    struct task_state *tasks;
    int task_count;
    int64_t position;
    int64_t commit_position;   /* at the last commit */
    int64_t flushed_position;  /* of the store */
    int64_t replayed;          /* records since the last settling */
    bool is_settled;           /* the committed offset is reached */
    bool is_live;              /* and the end that was seen at the start */
    struct view_list waiting;  /* the newest first, see publish.c */
    struct tables *scratch;    /* of one merge */
    struct tables *probe;      /* of one source that may not be readable */
    struct buffer key, value;  /* of one record */
    struct arena commit_arena; /* of one commit or flush */
    struct arena delete_arena; /* keys of `deletes` */
    struct arena fetch_arena;  /* of one fetch_panes or recall_panes */
    struct recall_list recalls;
    struct buffer fetch_key;
    struct store_puts deletes; /* since the last flush */
    size_t changed_bytes;      /* of panes that the next flush writes, about */
    bool has_flush_time;
    int64_t last_flush_ms;
    struct task_stats stats;
};

/* advance.c: from touched panes and moved clocks to outputs.  outbox NULL: replaying, what is final
 * was published before. */
enum status stage_advance(struct task_stage *stage, int64_t now_ms, bool drain,
                          struct outbox *outbox, struct error *err) MUST_CHECK;

/* merge.c: adds up encoded partials into stage->scratch, cleared before. */
struct merged {
    int64_t late;
    int64_t epoch; /* the greatest; INT64_MIN: nothing was there */
    bool is_mixed;
    size_t panes;
};
enum status merge_pane(struct task_stage *stage, const struct task_state *task, struct pane *pane,
                       struct merged *out_merged, struct error *err) MUST_CHECK;
enum status merge_window(struct task_stage *stage, const struct task_state *task,
                         const struct group *group, int64_t start_ms, int64_t end_ms,
                         struct merged *out_merged, struct error *err) MUST_CHECK;

/* publish.c */
enum status publish_waiting(struct task_stage *stage, int64_t now_ms, bool drain,
                            struct outbox *outbox, struct error *err) MUST_CHECK;
/* Views of final frames wait no longer; the others wait with no hurry. */
void settle_waiting(struct task_stage *stage);

/* history.c: panes that became final give way to their merge; outbox NULL: silently. */
enum status finish_panes(struct task_stage *stage, struct task_state *task, struct outbox *outbox,
                         struct error *err) MUST_CHECK;
/* Final panes that no open window covers leave memory and store. */
void remove_panes(struct task_stage *stage, struct task_state *task);
/* The clocks, so that a rebuild knows what was final although compaction took them from the
 * partials. */
void write_clocks(struct task_stage *stage, struct task_state *task, struct outbox *outbox);
/* Takes a record of the state topic; false when it is malformed. */
bool restore_pane(struct task_stage *stage, struct slice value);
bool restore_clock(struct task_stage *stage, struct slice value);

/* status.c: a window was revised; it needs no memory any more. */
void write_revised(struct task_stage *stage, const struct view *view, struct outbox *outbox);
void forget_revised(struct task_stage *stage, const struct view *view, struct outbox *outbox);
/* As restore_pane. */
bool restore_revised(struct task_stage *stage, struct slice value);

/* persist.c */
enum status stage_load(struct task_stage *stage, struct error *err) MUST_CHECK;
enum status stage_flush(struct task_stage *stage, struct error *err) MUST_CHECK;
size_t stage_changed_count(const struct task_stage *stage);
void write_pane_key(struct buffer *out, const struct task_state *task, const struct pane *pane);
bool read_stored_pane(struct slice value, int64_t *out_end_ms, struct slice *out_sources);
enum status store_is_corrupt(struct error *err, const char *what);
void forget_pane(struct task_stage *stage, const struct task_state *task, const struct pane *pane);
void forget_view(void *context /* struct task_stage */, const struct view *view);

/* recall.c: what the store holds of the evicted ones among these panes of one group, in their
 * order, in fetch_arena; NULL when none is evicted. */
enum status fetch_panes(struct task_stage *stage, const struct task_state *task,
                        struct pane *const *list, size_t count, const struct slice **out_sources,
                        struct error *err) MUST_CHECK;
/* Notes a pane, when it is evicted, for recall_panes, which makes all those noted, in any order and
 * as often as they were, panes that are not evicted: by one look-up. */
void recall_later(struct task_stage *stage, struct task_state *task, struct pane *pane);
enum status recall_panes(struct task_stage *stage, struct error *err) MUST_CHECK;

/* memory.c: partials in memory are past what they may take. */
bool stage_is_full(const struct task_stage *stage);
/* Evicts when full, and flushes for it: all that was stepped must be committed. */
enum status stage_make_room(struct task_stage *stage, struct error *err) MUST_CHECK;

/* step.c: evicted panes that the records replace come back by one look-up.  Those that were stepped
 * over are among them no more. */
enum status recall_replaced(struct task_stage *stage, const struct task_record *records,
                            size_t count, struct error *err) MUST_CHECK;
enum status step_record(struct task_stage *stage, const struct task_record *record,
                        struct error *err) MUST_CHECK;

/* task.c: NULL, or -1, when the configuration has no such task or window. */
struct task_state *stage_find_task(struct task_stage *stage, struct slice name);
int stage_find_window(const struct task_definition *definition, struct slice name);
/* False: malformed.  Of a task that we do not know: ignored. */
bool stage_put_clock(struct task_stage *stage, const struct clock_partial *said);
/* NULL when the stretch is no pane, or another end is known of this start and epoch. */
struct pane *stage_pane(struct task_state *task, struct slice group, int64_t start_ms,
                        int64_t end_ms, int64_t epoch);

#endif
