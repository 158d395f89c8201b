/* worker.h -- drives both stages as the real worker does, against the broker in memory, and lets
 * everything go wrong: crashes at any write and between any two steps of a commit, aborts, unknown
 * outcomes, partitions that move, zombies, lost disks.
 *
 * A cluster is two workers (processes) with a disk each per partition.  Time is virtual.  With
 * faults off it is the uninterrupted run: one worker, no trouble, the decisions of another run.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_TESTS_SIM_WORKER_H
#define SLIPSTREAM_TESTS_SIM_WORKER_H

#include "partition/partition.h"
#include "state/store.h"
#include "task/task.h"
#include "tests/sim/broker.h"
#include "tests/sim/world.h"

struct sim_counts { /* what happened, over all seeds */
    int64_t steps, commits, empty_commits, aborts, unknown_committed, unknown_aborted, crashes,
        crashes_in_flush, crashes_in_open, moves, zombies_fenced, stalls, disks_lost,
        idle_decisions, rebuilds, compacted, epochs, futures, dead_letters, finals, slis, partials;
    int64_t refusals[REFUSAL_COUNT]; /* dead letters by code */
};

struct slot { /* one partition of one stage in one worker */
    bool is_owned, is_open;
    struct partition *partition;
    struct task_stage *task;
    struct store *store;
    struct memory_disk *disk;
    struct memory_faults faults;
    int64_t at_end_since[LOG_COUNT];                  /* wall time; TIME_NONE: not at its end */
    struct decision decisions[PENDING_DECISIONS_MAX]; /* since the last commit */
    size_t decision_count;
    size_t given_next[LOG_COUNT]; /* given decisions already taken: index behind the last one */
    int64_t ready_at; /* stage 2: end of partials at the opening; nothing is published before */
    bool has_stepped; /* since the last commit */
    bool is_clean;    /* its last commit had nothing to say, and nothing came since */
};

struct worker {
    int number;
    int64_t epochs[STAGES], generations[STAGES];
    bool is_zombie[STAGES];  /* has not heard of the last rebalance */
    bool is_stalled[STAGES]; /* between its offsets and the end of its transaction */
    struct slot slots[STAGES][PARTITIONS_MAX];
    struct outbox outboxes[STAGES];
};

enum { CONTROL_OFFSET = 7 }; /* of the record that `close` wrote */

struct cluster {
    const struct world *world;
    const struct config *config; /* of the present run */
    struct broker broker;
    struct random random;
    struct worker workers[WORKERS];
    int worker_count;
    int owners[STAGES][PARTITIONS_MAX]; /* as the group has it, whatever a zombie believes */
    int64_t now_ms;
    bool has_faults;
    bool skips_aborts; /* mutation: an aborted transaction is taken for a committed one */
    bool is_closing;   /* the control record of `close` is there */
    const struct decision *given; /* decisions to be taken again; NULL: by idleness */
    size_t given_count;
    const struct place *given_futures; /* with given: what the wall clock refused in that run */
    size_t given_future_count;
    struct sim_counts *counts;
    char failure[512]; /* empty while all is well */
};

/* ---- worker.c: one slot ---- */

/* Keeps the first failure. */
void cluster_fail(struct cluster *cluster, const char *format, ...) PRINTF_LIKE(2, 3);
int cluster_partitions(const struct cluster *cluster, enum stage stage);
/* Opens, reads, steps, decides: whatever is next.  False: the process died. */
bool slot_turn(struct cluster *cluster, struct worker *worker, enum stage stage, int partition);
void slot_close(struct slot *slot);
/* OK: true.  A fault that was planned: false, the process died.  Else the run has failed. */
bool slot_survives(struct cluster *cluster, struct slot *slot, enum status status,
                   const struct error *err, const char *what);
/* It may commit: replayed; stage 2 also read to the end that it saw at its start, for what
 * compaction took away below the committed offset is further on. */
bool slot_is_live(const struct slot *slot, enum stage stage);
int64_t slot_position(const struct slot *slot, enum stage stage, enum log_side log);

/* ---- commit.c: one transaction ---- */

/* False: the process died. */
bool worker_commit(struct cluster *cluster, struct worker *worker, enum stage stage, bool drain);
/* Goes on where a transaction stood still. */
bool worker_resume(struct cluster *cluster, struct worker *worker, enum stage stage);
void worker_close(struct worker *worker, enum stage stage);

/* ---- cluster.c ---- */

void cluster_create(struct cluster *cluster, const struct world *world, uint64_t seed,
                    bool has_faults, struct sim_counts *counts);
void cluster_destroy(struct cluster *cluster);
/* Runs until every log is read, closed and published; false: failure says why. */
bool cluster_run(struct cluster *cluster);

#endif
