/* overflow.c -- labels that found neither their prediction nor room among the orphans.
 *
 * Each is a dead letter, so a replay must not join it with a prediction that came later.  That is a
 * decision: ranges of a task's labels with a limit, the position of the predictions log when the
 * range began, and they join only predictions below it.  A range goes on over labels that have
 * joined such predictions anyway; a label that joins a newer one, or waits, ends it.  Hence a range
 * lasts about as long as labels are late.
 *
 * Limit      OVERFLOWS_MAX ranges.  Past it the oldest is forgotten, counted: a rebuild from an
 *            empty disk may then join what was refused.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "partition/internal.h"

int64_t overflow_limit(const struct partition *partition, const struct task *task,
                       int64_t label_offset) {
    for (size_t i = 0; i < partition->decision_count; i++) {
        const struct decision *decision = &partition->decisions[i];
        if (decision->kind == DECISION_ORPHAN_LIMIT && decision->task == task->id &&
            label_offset >= decision->offset && label_offset <= decision->last)
            return decision->limit;
    }
    return INT64_MAX;
}

void overflow_end_at(struct task *task, int64_t prediction_offset) {
    if (prediction_offset >= task->overflow_limit)
        task->is_overflowing = false;
}

static struct decision *last_range(const struct partition *partition, const struct task *task) {
    for (size_t i = partition->decision_count; i-- > 0;) {
        struct decision *decision = &partition->decisions[i];
        if (decision->kind == DECISION_ORPHAN_LIMIT && decision->task == task->id)
            return decision;
    }
    return NULL;
}

static void forget_oldest_past_limit(struct partition *partition) {
    size_t count = 0, oldest = 0;
    for (size_t i = partition->decision_count; i-- > 0;)
        if (partition->decisions[i].kind == DECISION_ORPHAN_LIMIT) {
            count++;
            oldest = i;
        }
    if (count < OVERFLOWS_MAX)
        return;
    partition->decision_count--;
    memmove(&partition->decisions[oldest], &partition->decisions[oldest + 1],
            (partition->decision_count - oldest) * sizeof(struct decision));
    partition->overflows_forgotten++;
}

void overflow_decide(struct partition *partition, struct task *task, int64_t offset) {
    struct decision *last = task->is_overflowing ? last_range(partition, task) : NULL;
    if (last) {
        last->last = offset;
        return;
    }
    forget_oldest_past_limit(partition);
    task->is_overflowing = true;
    task->overflow_limit = partition->positions[LOG_PREDICTIONS];
    partition->decisions =
        alloc_resize(partition->decisions, partition->decision_count + 1, sizeof(struct decision));
    partition->decisions[partition->decision_count++] =
        (struct decision){.kind = DECISION_ORPHAN_LIMIT,
                          .log = LOG_FEEDBACK,
                          .offset = offset,
                          .time_ms = TIME_NONE,
                          .last = offset,
                          .limit = task->overflow_limit,
                          .task = task->id};
}
