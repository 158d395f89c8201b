/* task.h -- stage 2: the tasks of one partials partition, pure.  Partials in, SLIs and history out.
 *
 * The state is a pure function of the prefix of the partials partition.  SLIs are published per
 * (task, metric, group, window): status PROVISIONAL (open), ON_TIME (every source partition has
 * sealed it), REVISED (changed later), FINAL (locally final in every source partition; never
 * changes again).
 *
 * Life     open -> replay to the committed offset, output suppressed -> on to the end seen at the
 *          start, output held back -> live: step, commit,
 *          [transaction], committed, ...
 * Failure  close and open again, as in partition.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_TASK_TASK_H
#define SLIPSTREAM_TASK_TASK_H

#include "base/error.h"
#include "config/definition.h"
#include "message.h"
#include "state/store.h"

struct task_stage;

struct task_options {
    const struct config *config;
    int32_t partition;         /* of the partials topic */
    int32_t source_partitions; /* partitions of the predictions topic */
    int64_t incarnation; /* of the partials topic: creation count or time; part of the revision */
    struct store *store; /* borrowed */
    int64_t committed;   /* next offset by the group's commit; 0 when there is none */
    /* End offset of the partition now: nothing is published before it is reached, since what
     * compaction took away before it is further on.  0: no further than committed. */
    int64_t end;
};

struct task_record {
    int64_t offset;
    struct slice key, value; /* value.data NULL: tombstone */
};

/* Errors: CORRUPT, IO. */
enum status task_open(const struct task_options *options, struct task_stage **out_stage,
                      struct error *err) MUST_CHECK;
void task_close(struct task_stage *stage);
/* A record of the state topic: merged FINAL panes, the clocks that made them final, windows that
 * were revised.  All of them, in the order of the topic, before any step, whenever task_position is
 * before the committed offset: what the store lacks since then may be gone from the partials.
 * Supersedes what the store says. */
enum status task_restore(struct task_stage *stage, const struct task_record *record,
                         struct error *err) MUST_CHECK;

int64_t task_position(const struct task_stage *stage);
/* Errors, as of task_step: CORRUPT, IO. */
enum status task_skip_to(struct task_stage *stage, int64_t offset, struct error *err) MUST_CHECK;
bool task_is_live(const struct task_stage *stage);

enum status task_step(struct task_stage *stage, const struct task_record *records, size_t count,
                      struct error *err) MUST_CHECK;
/* Estimates and writes the windows that are due: the newest first, up to slis_per_commit; older
 * ones that wait at most revision_interval; FINAL and ON_TIME transitions always.  computed_at of
 * the records is now_ms.  drain: nothing waits.  Adds nothing while replaying or when nothing
 * changed. */
enum status task_commit(struct task_stage *stage, int64_t now_ms, bool drain, struct outbox *outbox,
                        struct error *err) MUST_CHECK;
/* The transaction with that outbox and task_position is committed: flushes when due, or forced,
 * unless records were stepped over since task_commit. */
enum status task_committed(struct task_stage *stage, int64_t now_ms, bool force_flush,
                           struct error *err) MUST_CHECK;

struct task_stats {
    int64_t partials, malformed, conflicts; /* conflicts: same version, other bytes */
    int64_t ignored; /* of final panes, or of tasks that the configuration does not have */
    int64_t published, finals, unchanged;
    int64_t fetched;                      /* panes that were in the store only, and asked for */
    size_t panes, windows_waiting, bytes; /* now */
    size_t evicted;                       /* of the panes: their partials are in the store only */
    size_t sum_bytes;                     /* of the bytes: sums of windows that are kept */
    int64_t sealed_before_ms, final_before_ms; /* least over tasks and source partitions */
};
void task_stats(const struct task_stage *stage, struct task_stats *out_stats);

#endif
