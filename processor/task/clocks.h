/* clocks.h -- how far every source partition of one task has come, and so which stretches of event
 * time are sealed or final.
 *
 * A stretch has passed a boundary when every source partition 0 .. source_partitions - 1 has passed
 * it: one that never spoke holds back everything.
 *
 *     partition 0   |---- epoch 1 ----|------ epoch 2 -------->     from/until of each epoch
 *     stretch                   |========|                          both epochs must have passed
 *                                                                    their part of it
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_TASK_CLOCKS_H
#define SLIPSTREAM_TASK_CLOCKS_H

#include "partial.h"

enum boundary { BOUNDARY_SEALED, BOUNDARY_FINAL, BOUNDARY_COUNT };

enum { EPOCHS_MAX = 64 }; /* remembered a source partition: the newest */

struct source_clock {
    int32_t partition;
    int64_t epoch;
    int64_t from_ms, until_ms;
    int64_t before_ms[BOUNDARY_COUNT]; /* panes that end at or before it have passed */
    int64_t prediction_clock_ms, feedback_clock_ms;
    int64_t position_predictions, position_feedback;
    bool is_changed; /* since the last flush */
    bool is_unsaid;  /* since it was last written to the state topic */
};

struct clocks {
    int32_t source_partitions;
    struct source_clock *items; /* by (partition, epoch) */
    size_t count, capacity;
    /* No stretch that ends after it has passed; INT64_MIN when a partition never spoke.  With one
     * epoch a partition, all that end at or before it have. */
    int64_t limit_ms[BOUNDARY_COUNT];
    bool has_several_epochs;
};

void clocks_init(struct clocks *clocks, int32_t source_partitions);
void clocks_release(struct clocks *clocks);
/* Takes what is newer than the clock of its (partition, epoch).  Boundaries never go back.
 * An epoch that covers nothing, since the next one begins where it does, is forgotten.
 * False: not a source partition, or a range that ends before it begins. */
bool clocks_put(struct clocks *clocks, const struct source_clock *clock);
bool clocks_passed(const struct clocks *clocks, enum boundary boundary, int64_t start_ms,
                   int64_t end_ms);

#endif
