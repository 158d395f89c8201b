/* partition.h -- stage 1: one input partition, pure.  Records in, partials, checkpoints and dead
 * letters out.
 *
 * The state at positions (P, L) is a pure function of the two log prefixes and of the decisions in
 * the checkpoint, whatever the interleaving, batching, crashes, worker count.  No Kafka, no clock,
 * no randomness in here.
 *
 * Life     open -> (replay, output suppressed) -> live: step, step, commit, [transaction],
 * committed, ... Failure  whatever goes wrong between two commits (abort, unknown outcome, fenced):
 * close and open again. The store holds committed rows only, so that opening is the one way back;
 * there is no undo.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_PARTITION_PARTITION_H
#define SLIPSTREAM_PARTITION_PARTITION_H

#include "base/error.h"
#include "config/definition.h"
#include "message.h"
#include "partition/event.h"
#include "state/store.h"

struct partition;

struct partition_options {
    const struct config *config; /* borrowed, outlives the partition */
    int32_t partition;
    struct store *store; /* borrowed; closed by the caller after partition_close */
    /* The last committed records of this partition on the checkpoints topic: value of key
     * checkpoint_key(partition), and of groups_key(partition); empty when there is none. */
    struct slice checkpoint, groups;
};

/* Keys on the checkpoints topic: "3" and "3/groups". */
struct slice checkpoint_key(int32_t partition, char scratch[32]);
struct slice groups_key(int32_t partition, char scratch[32]);
/* Committed positions that a checkpoint repeats; false when the bytes are not a checkpoint. */
bool checkpoint_positions(struct slice checkpoint, int64_t out_positions[LOG_COUNT]);

/* Loads the store; if it is empty, too old or ahead of the checkpoint, rebuilds from the
 * checkpoint's floor. Errors: CORRUPT (store or checkpoint do not parse: wipe the store and open
 * again), CONFIG (checkpoint of a newer epoch than the configuration: the remedy is in the text),
 * IO. */
enum status partition_open(const struct partition_options *options,
                           struct partition **out_partition, struct error *err) MUST_CHECK;
void partition_close(struct partition *partition); /* accepts NULL; flushes nothing */

/* Next offset wanted from a log. */
int64_t partition_position(const struct partition *partition, enum log_side log);
/* Records at or beyond it must not be stepped now; INT64_MAX when there is no bound.  While
 * replaying: the committed position. */
int64_t partition_until(const struct partition *partition, enum log_side log);
/* Says that the log has no record in [position, offset): markers, compaction, aborted records. */
void partition_skip_to(struct partition *partition, enum log_side log, int64_t offset);
/* Says that the input below offset was deleted although it was still needed: counted; while
 * rebuilding, the panes concerned stay as they were published. */
void partition_report_gap(struct partition *partition, enum log_side log, int64_t offset);
bool partition_is_live(const struct partition *partition);
/* False: do not poll this log now (orphans at their cap while predictions are behind). */
bool partition_wants(const struct partition *partition, enum log_side log);

/* Steps over events, each log's in offset order, both logs mixed at will.  Dead letters go to the
 * outbox (suppressed while replaying).  Offsets must be >= position and < until. Errors: IO,
 * CORRUPT from the store. */
enum status partition_step(struct partition *partition, const struct event *events, size_t count,
                           struct outbox *outbox, struct error *err) MUST_CHECK;

/* A durable decision that no log says: from the present position on, this log's clock is at least
 * time_ms. Idle logs: wall time - idle.timeout.  `slipstream close --at T`: T, on both logs at
 * their ends; control_offset is the offset of that control record (kept in the checkpoint, applied
 * once), -1 else. */
void partition_decide_clock(struct partition *partition, enum log_side log, int64_t time_ms,
                            int64_t control_offset);
int64_t
partition_control_offset(const struct partition *partition); /* of the last one applied, -1 */
/* Predictions are read to their end: an overflow of orphans is decided now, not waited for. */
void partition_set_predictions_at_end(struct partition *partition, bool at_end);

/* Much more input waits: see partition_commit. */
void partition_set_behind(struct partition *partition, bool behind);

/* Writes what this commit must carry: dirty partials (hottest first up to commit_bytes; those of
 * panes that became sealed or final always; those that waited for revision_interval), clocks,
 * checkpoint.  Behind, all of the first wait while they are few enough to stay in memory: what
 * is published now is soon replaced.  now_ms is wall time and
 * decides only what waits.  drain: nothing waits (shutdown, end of a replay). Nothing is added when
 * nothing happened. */
enum status partition_commit(struct partition *partition, int64_t now_ms, bool drain,
                             struct outbox *outbox, struct error *err) MUST_CHECK;
/* The transaction with that outbox is committed: flush when due (or when forced), drop what
 * expired. */
enum status partition_committed(struct partition *partition, int64_t now_ms, bool force_flush,
                                struct error *err) MUST_CHECK;
/* When there is nothing else to do: indexes one stored segment for look-ups (after a restart);
 * *out_did false: nothing is left to do. */
enum status partition_locate(struct partition *partition, bool *out_did,
                             struct error *err) MUST_CHECK;
/* Its memory is at the limit: commit now rather than at the next interval. */
bool partition_is_full(const struct partition *partition);
/* While replaying no commit comes: flushes when due. */
enum status partition_flush_if_due(struct partition *partition, int64_t now_ms,
                                   struct error *err) MUST_CHECK;

/* For /metrics, the simulator and `local`; cumulative unless said otherwise. */
struct partition_stats {
    int64_t clock_ms[LOG_COUNT]; /* TIME_NONE before the first record */
    int64_t predicted, duplicates, filtered, labelled, superseded;
    int64_t ambiguous;              /* labels that fitted several rows, since the opening */
    int64_t refused[REFUSAL_COUNT]; /* dead letters by reason */
    int64_t final_panes, flushes, rows_flushed, look_ups;
    size_t orphans, delta_rows, panes; /* now */
    size_t delta_bytes, pane_bytes, orphan_bytes, locator_bytes;
    int64_t replay_left;         /* records until live, about; 0 when live */
    int64_t gap_records;         /* input deleted above the floor: reported, panes frozen */
    int64_t futures_forgotten;   /* records ahead of the wall clock that were taken, since too many
                                    decisions of that kind were kept already; since the opening */
    int64_t overflows_forgotten; /* ranges of labels refused for the orphan limit, likewise */
};
void partition_stats(const struct partition *partition, struct partition_stats *out_stats);

#endif
