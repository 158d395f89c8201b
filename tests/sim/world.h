/* world.h -- a seeded world: the configuration and the two input logs of every partition.
 *
 * Small on purpose: panes of a minute and horizons of 10 to 30 minutes, so that segments, seals,
 * finality and expiry all happen within a few hundred records.  A log holds data records, gaps
 * (markers of transactions and aborted records, never visible) and open transactions upstream
 * (appended at one time, visible from a later one).
 *
 * Ids are unique within the horizon, except for breaches: ids whose predictions lie in two segments
 * of one horizon.  Untimed labels of those may join either, so that the comparison of values leaves
 * out the rows of such an id.  SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_TESTS_SIM_WORLD_H
#define SLIPSTREAM_TESTS_SIM_WORLD_H

#include "config/definition.h"
#include "partition/event.h"
#include "tests/sim/random.h"

enum { PARTITIONS_MAX = 3, TASKS_MAX = 3, TEXT_MAX = 64, BREACHES_MAX = 8 };

/* Columns of both topics, in the order in which the decoder would yield them. */
enum prediction_column {
    COLUMN_ID,
    COLUMN_TIME,
    COLUMN_SCORE,
    COLUMN_ZONE,
    COLUMN_VENDOR,
    COLUMN_KIND,
    PREDICTION_COLUMNS
};
enum feedback_column {
    COLUMN_LABEL = 2,
    COLUMN_PREDICTION_TIME,
    COLUMN_FEEDBACK_KIND,
    FEEDBACK_COLUMNS
};

struct input_record {
    int64_t offset;
    int64_t next_offset;                     /* behind it and the gap that follows it */
    int64_t append_ms;                       /* wall time at which it is appended; ascending */
    int64_t stable_ms;                       /* readers of committed records see it from then on */
    int64_t record_ms;                       /* Kafka's timestamp */
    char id[TEXT_MAX];                       /* "" in undecodable records */
    int64_t time_ms;                         /* event time or label time */
    int64_t prediction_ms;                   /* TIME_NONE when it does not come */
    double score;                            /* above 1: SCORE_RANGE */
    int label;                               /* 0, 1; 2: BAD_LABEL */
    char zone[8], vendor[8];                 /* "": missing */
    char kind;                               /* 'a' or 'b': what a task may filter by */
    enum refusal refusal;                    /* undecodable */
    struct value values[PREDICTION_COLUMNS]; /* borrow from this record */
};

struct place { /* of an input record */
    int partition;
    enum log_side log;
    int64_t offset;
};

struct input_log {
    struct input_record *records; /* data records, ascending offsets */
    size_t count, capacity;
};

struct world {
    struct random random;
    struct config config;
    struct task_definition tasks[TASKS_MAX]; /* the newest epoch of each name before older ones */
    struct config first_config; /* before switch_ms: without the newest epoch of the first task */
    struct task_definition first_tasks[TASKS_MAX];
    int64_t
        switch_ms; /* wall time at which all workers start again with config; 0: from the start */
    struct column_definition prediction_columns[PREDICTION_COLUMNS],
        feedback_columns[FEEDBACK_COLUMNS];
    int partitions, queues; /* input partitions; partitions of partials and state */
    double timed;           /* share of the labels that carry their prediction's time */
    struct input_log logs[PARTITIONS_MAX][LOG_COUNT];
    char breaches[BREACHES_MAX][TEXT_MAX];
    size_t breach_count;
    int64_t start_ms, end_ms; /* event times of the predictions */
    int64_t close_ms;         /* `slipstream close --at` this, at the end */
    int64_t backfill_ms;      /* a batch of old records, some too old, arrives at once; 0: none */
    int64_t gap_ms;           /* no predictions in [gap_ms, backfill_ms): the logs idle; 0: none */
    int64_t last_append_ms;
    bool is_backlog;       /* everything is there before the first worker starts */
    bool is_shuffled;      /* the logs are in no order of time; disorder_max allows it */
    bool has_orphan_limit; /* orphans_max is small: ORPHAN_LIMIT happens */
    double ahead;          /* share of the records whose two times are both far in the future */
    struct random ahead_random; /* of its own: worlds without them stay what they were */
};

void world_create(struct world *world, uint64_t seed);
void world_release(struct world *world);
/* So far ahead that no run ever reaches it: FUTURE, whenever it is read. */
bool world_is_far(const struct world *world, const struct input_record *record);
/* The part of world_create that makes config, once span and kind of the world are drawn. */
void world_configure(struct world *world);

/* At wall time now_ms: end of what is appended, and of what readers of committed records see. */
int64_t world_end(const struct world *world, int partition, enum log_side log, int64_t now_ms);
int64_t world_stable_end(const struct world *world, int partition, enum log_side log,
                         int64_t now_ms);
/* The first visible record at or after offset, or NULL. */
const struct input_record *world_next(const struct world *world, int partition, enum log_side log,
                                      int64_t offset);
void world_event(const struct input_record *record, enum log_side log, struct event *out_event);
/* Index of the newest definition of the same name. */
int world_name_of(const struct world *world, int task);
bool place_is_among(const struct place *places, size_t count, const struct place *place);
bool world_is_breach(const struct world *world, const char *id);

#endif
