/* internal.h -- the structs that the files of this room share.  Nobody else includes it.
 *
 *   look_up.c      what a batch needs from the store
 *   fetch.c        and that into the delta
 *   fetch_evicted.c  and the evicted panes of those rows into memory
 *   join.c         predictions and labels against the delta and the orphans
 *   window.c       joined pairs into panes; seals, finality
 *   segments.c     slices of the join state: floors, expiry
 *   future.c       records far ahead of the wall clock
 *   checkpoint.c   the small state as bytes: checkpoint, store meta, decisions
 *   dead_letter.c  refused records
 *   unstored.c     rows and label marks that a flush writes
 *   persist.c      flush and load
 *   locate.c       stored rows into the locators
 *   overflow.c     labels refused for the orphan limit
 *   open.c         store or floor, replay, epochs, becoming live
 *   commit.c       what a transaction must carry
 *   partition.c    decisions, step, committed
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_PARTITION_INTERNAL_H
#define SLIPSTREAM_PARTITION_INTERNAL_H

#include "partition/delta.h"
#include "partition/groups.h"
#include "partition/locator.h"
#include "partition/orphans.h"
#include "partition/panes.h"
#include "partition/partition.h"
#include "partition/row.h"
#include "state/key.h"

/* A slice of the join state.  first_*: the lowest offset that it needs from each log for a rebuild,
 * with that log's clock before it; INT64_MAX when it needs none. */
struct segment {
    int64_t number;
    int64_t first_offset[LOG_COUNT], first_clock[LOG_COUNT];
    bool has_rows, has_marks; /* in the store */
    bool located;             /* all rows in the store are in the locator */
};

struct segments {
    struct segment *sorted; /* by number */
    size_t count, capacity, last;
};

/* One epoch of a task in this partition. */
struct instance {
    const struct task_definition *definition;
    struct shape shape;
    struct row_layout layout;
    uint32_t id; /* stable: of (name, epoch); numbers the store's families */
    struct task *task;
    int64_t from_ms, until_ms; /* event times it takes; from INT64_MAX: not decided yet */
    int64_t skip_before_ms;    /* replay: panes that end at or before it are published and done */
    int64_t sealed_before_ms;
    int64_t sent_sealed_ms; /* as last published */
    struct segments segments;
    struct panes panes;
    struct groups groups;
    struct locator locator;
    bool locator_is_full;
};

/* The epochs of one name: ids, labels and orphans are the task's, whatever the epoch. */
struct task {
    const char *name;
    uint32_t id; /* stable: of the name */
    struct hash_key key;
    uint16_t first_instance, instance_count; /* in partition->instances, by ascending epoch */
    bool is_overflowing;                     /* the last range of overflow.c goes on */
    int64_t overflow_limit;                  /* of that range */
};

enum decision_kind {
    DECISION_CLOCK,        /* the log's clock is at least time_ms from offset on */
    DECISION_ORPHAN_LIMIT, /* the task's labels in [offset, last] join only predictions below limit
                            */
    DECISION_FUTURE, /* the log's records in [offset, last] with a time beyond time_ms are FUTURE
                      */
};

struct decision {
    enum decision_kind kind;
    enum log_side log;
    int64_t offset, time_ms, last, limit;
    uint32_t task; /* id; 0 for clocks */
};

enum { DECISIONS_MAX = 4096, FUTURES_MAX = 1024, OVERFLOWS_MAX = 2048 };

/* Decisions FUTURE of one log, in offset order.  At FUTURES_MAX no more is refused (counted): what
 * cannot be remembered must not be decided.  That is about 40 days of a producer that is always
 * wrong, unless the floor passes the oldest before. */
struct futures {
    struct decision *list;
    size_t count;
};

struct counters {
    int64_t predicted, duplicates, filtered, labelled, superseded, final_panes;
    int64_t refused[REFUSAL_COUNT];
};

struct since_flush {
    int64_t kept_rows_met; /* flushed rows, in the delta, by labels and duplicates */
    int64_t rows_asked;    /* of the store */
};

struct partition {
    const struct config *config;
    struct store *store;
    int32_t number;

    int64_t clocks[LOG_COUNT], positions[LOG_COUNT], until[LOG_COUNT];
    int64_t committed_clocks[LOG_COUNT]; /* while replaying: those of the checkpoint */
    int64_t control_offset;
    bool live, behind, predictions_at_end, has_gap[LOG_COUNT];
    int64_t gap_records;

    struct task *tasks;
    size_t task_count;
    struct instance *instances;
    size_t instance_count;

    struct decision *decisions; /* each log's in offset order */
    size_t decision_count;
    size_t applied[LOG_COUNT]; /* index after the last applied decision of that log */
    struct futures futures[LOG_COUNT];
    int64_t futures_forgotten; /* accepted for want of room, since the opening */
    int64_t overflows_forgotten;

    struct delta delta;
    struct orphans orphans;
    struct counters counters, committed_counters;

    struct arena batch;       /* dies with the step */
    struct hash128 key_check; /* of the secret and the application: whose keys the store holds */
    struct buffer scratch, scratch2;
    struct buffer probes;  /* of look_up.c, kept for its memory */
    struct outbox *outbox; /* of the running step; NULL while replaying: output is suppressed */

    uint64_t sent_checkpoint;    /* hash of the last one published */
    struct buffer removed_panes; /* store keys of final panes since the last flush */
    int64_t flushed_at_ms, flushes, rows_flushed, look_ups, ambiguous; /* since the opening */
    struct since_flush since_flush;
    bool changed_since_flush, groups_sent;
};

/* ---- partition.c ---- */
void clock_move(struct partition *partition, enum log_side log, int64_t time_ms);
/* Decisions of this log up to offset. */
void clock_apply_decisions(struct partition *partition, enum log_side log, int64_t offset);

/* ---- future.c ---- */
/* Live: decides by the wall clock, and remembers it.  While replaying: as was decided. */
bool future_refuses(struct partition *partition, const struct event *event);
void futures_add(struct futures *futures, const struct decision *decision);
/* Forgets what lies below the floor of the log. */
void futures_prune(struct futures *futures, int64_t floor);

/* ---- open.c ---- */
void open_become_live_if_reached(struct partition *partition);

/* ---- segments.c ---- */
int64_t segment_number(const struct instance *instance, int64_t time_ms);
struct segment *segments_find(struct segments *segments, int64_t number); /* or NULL */
struct segment *segments_at(struct segments *segments, int64_t number);   /* made when absent */
size_t segments_lower_bound(const struct segments *segments, int64_t number);
void segments_release(struct segments *segments);
void segment_needs(struct segment *segment, enum log_side log, int64_t offset, int64_t clock_ms);
bool segment_expired(const struct partition *partition, const struct instance *instance,
                     int64_t number);

/* ---- window.c ---- */
int64_t pane_floor(const struct instance *instance, int64_t time_ms);
/* Panes that end at or before it are locally final by these clocks; INT64_MIN when none can be. */
int64_t final_before(const struct partition *partition, const struct instance *instance,
                     const int64_t clocks[LOG_COUNT]);
/* The i-th of the groups that a row counts in, from 0: all of them, then those of the groupings. */
uint16_t window_group(const struct cohort *cohort, int i);
enum status window_add_prediction(struct partition *partition, struct instance *instance,
                                  const struct delta_entry *entry, struct error *err);
enum status window_add_label(struct partition *partition, struct instance *instance,
                             const struct delta_entry *entry, int sign, struct error *err);
enum status window_touch_label(struct partition *partition, struct instance *instance,
                               const struct delta_entry *entry, int64_t offset, struct error *err);
void window_seal(struct partition *partition);
/* Panes that are final leave memory, and with the next flush the store: the first count ones. */
void window_remove(struct partition *partition, struct instance *instance, size_t count);
void output_of(const struct instance *instance, const struct delta_entry *entry,
               struct output *out_output);

/* ---- join.c ---- */
enum status join_prediction(struct partition *partition, const struct event *event,
                            const struct hash128 *keys, int64_t clock_before_ms, struct error *err);
enum status join_feedback(struct partition *partition, const struct event *event,
                          const struct hash128 *keys, int64_t clock_before_ms, struct error *err);
/* Labels that waited long enough become dead letters. */
void join_expire_orphans(struct partition *partition);
struct instance *instance_at(struct partition *partition, const struct task *task,
                             int64_t time_ms); /* or NULL */
/* ---- overflow.c ---- */
/* The label at this offset found no room among the orphans, and is refused. */
void overflow_decide(struct partition *partition, struct task *task, int64_t offset);
/* A label has joined the prediction at this offset: it ends a range whose limit is not above it. */
void overflow_end_at(struct task *task, int64_t prediction_offset);
/* Offset below which predictions may be joined by the label at this offset: INT64_MAX when it was
 * not refused. */
int64_t overflow_limit(const struct partition *partition, const struct task *task,
                       int64_t label_offset);

/* ---- look_up.c ---- */
/* Called for each event in turn, before it is looked for: starts to bring what the next ones will
 * read of the delta into the cache. */
void look_ahead(const struct partition *partition, const struct hash128 *keys, size_t event,
                size_t count);
/* Fetches from the store into the delta what these events may meet; keys[event * task_count +
 * task]. */
enum status look_up(struct partition *partition, const struct event *events, size_t count,
                    const struct hash128 *keys, struct error *err);

/* ---- fetch.c ---- */
/* Rows of one segment, which are not in the delta. */
struct wanted_rows {
    uint16_t instance;
    int64_t segment;
    const struct hash128 **keys; /* ascending, distinct */
    size_t count;
    struct slice *values; /* set by fetch_rows: data == NULL where there is no row */
};
/* Into the delta, without their marks.  Lies in partition->batch. */
enum status fetch_rows(struct partition *partition, struct wanted_rows *wanted, size_t count,
                       struct error *err);
/* The marks of the delta's entries from first on, which were fetched. */
enum status fetch_marks(struct partition *partition, size_t first, struct error *err);

/* ---- fetch_evicted.c ---- */
/* The evicted panes in which the delta's entries from first on count. */
enum status fetch_evicted(struct partition *partition, size_t first, struct error *err);

/* ---- dead_letter.c ---- */
void dead_letter(struct partition *partition, const struct event *event, enum refusal refusal,
                 const char *task);
/* By its prediction or the want of one: the same whether the label waited or not. */
void dead_letter_label(struct partition *partition, int64_t offset, struct slice id,
                       enum refusal refusal, const char *task);

/* ---- checkpoint.c ---- */
struct checkpoint_instance {
    struct slice task;
    int64_t epoch, from_ms, until_ms;
};
struct checkpoint {
    int64_t positions[LOG_COUNT], clocks[LOG_COUNT];
    int64_t floors[LOG_COUNT], floor_clocks[LOG_COUNT];
    int64_t control_offset;
    struct counters counters;
    struct checkpoint_instance *instances;
    size_t instance_count;
    struct decision *decisions;
    size_t decision_count;
};
/* Arrays are in arena and borrow from bytes. */
bool checkpoint_read(struct slice bytes, struct arena *arena, struct checkpoint *out_checkpoint);
void checkpoint_write(const struct partition *partition, struct buffer *out);
void checkpoint_write_groups(const struct partition *partition, struct buffer *out);
bool checkpoint_read_groups(struct partition *partition, struct slice bytes);
void checkpoint_prune_decisions(struct partition *partition);
void floor_of(const struct partition *partition, int64_t out_offsets[LOG_COUNT],
              int64_t out_clocks[LOG_COUNT]);

/* ---- unstored.c ---- */
struct unstored_item {
    uint32_t head;  /* of the key, big-endian */
    uint32_t entry; /* number in the delta */
};
/* Lies in partition->batch, reads the delta, and writes rows into partition->scratch. */
struct unstored {
    struct store_rows *families;
    size_t family_count, row_count;
};
/* And puts the rows and marks into the locators. */
void unstored_gather(struct partition *partition, struct unstored *out_unstored);

/* ---- persist.c ---- */
enum status persist_flush(struct partition *partition, struct error *err);
/* Drops what has expired by the present clocks: only a flush may, whose offsets have passed that.
 */
enum status persist_drop_expired(struct partition *partition, struct error *err);
/* out_found: false when the store is empty. */
enum status persist_load_meta(struct partition *partition, struct slice *out_meta, bool *out_found,
                              struct error *err);
/* The rows and orphans of the store are keyed as this partition's are. */
enum status persist_check_key(struct partition *partition, bool *out_same, struct error *err);
/* groups: of the checkpoint, which knows all that the store does; empty: those of the store. */
enum status persist_load(struct partition *partition, struct slice groups, struct error *err);
enum status persist_wipe(struct partition *partition, struct error *err);
bool persist_read_segments(struct partition *partition, struct slice meta);

/* ---- locate.c ---- */
struct instance *instance_of_id(struct partition *partition, uint32_t id); /* or NULL */
/* Rows of one family that are about to be flushed; their segment has rows from now on. */
void locate_flushed(struct partition *partition, struct family family,
                    const struct unstored_item *items, size_t count);
/* Marks of one family that are about to be flushed, behind all rows of that flush. */
void locate_marked(struct partition *partition, struct family family,
                   const struct unstored_item *items, size_t count);
/* Puts one stored segment that is not in the locator into it; *out_did false: none is left. */
enum status locate_stored(struct partition *partition, bool *out_did, struct error *err);

#endif
