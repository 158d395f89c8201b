/* future.c -- records that would move their log's clock far beyond the wall clock.
 *
 * A producer that stamps both event time and record far ahead would make everything after it LATE,
 * for ever.  What the wall clock said at the first reading is a decision: it goes into the
 * checkpoint and is applied in every replay, whatever the wall says then.
 *
 *      first                          last         offsets of one log
 *   -----[--------------------------------]------------>
 *         FUTURE iff event time > limit; the log's clock is at most limit until last
 *
 * One range covers hours of a broken producer: refused are also records beyond the limit that the
 * wall clock has nearly reached, until it has, so that a log makes at most about one range an hour.
 * SPDX-License-Identifier: Apache-2.0 */
#include "partition/internal.h"
#include "state/mutation.h"

static const int64_t ahead_max_ms = 3600000;

void futures_add(struct futures *futures, const struct decision *decision) {
    futures->list = alloc_resize(futures->list, futures->count + 1, sizeof *futures->list);
    futures->list[futures->count++] = *decision;
}

void futures_prune(struct futures *futures, int64_t floor) {
    size_t kept = 0;
    for (size_t i = 0; i < futures->count; i++)
        if (futures->list[i].last >= floor)
            futures->list[kept++] = futures->list[i];
    futures->count = kept;
}

/* The range that holds the offset, or NULL. */
static const struct decision *range_at(const struct futures *futures, int64_t offset) {
    size_t low = 0, high = futures->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (futures->list[middle].last < offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low < futures->count && futures->list[low].offset <= offset ? &futures->list[low] : NULL;
}

static bool is_ahead_of_wall(const struct partition *partition, const struct event *event,
                             const struct decision *last) {
    if (event->wall_ms == 0)
        return false;
    if (event->time_ms > event->wall_ms + partition->config->skew_ms + ahead_max_ms)
        return true;
    return last && event->time_ms > last->time_ms && event->wall_ms <= last->time_ms;
}

/* False: there is no room for one more range. */
static bool remember(struct partition *partition, const struct event *event,
                     struct decision *last) {
    struct futures *futures = &partition->futures[event->log];
    if (last && partition->clocks[event->log] <= last->time_ms) {
        last->last = event->offset;
        if (event->time_ms <= last->time_ms)
            last->time_ms = event->time_ms - 1;
        return true;
    }
    if (futures->count >= FUTURES_MAX)
        return false;
    const struct decision decision = {.kind = DECISION_FUTURE,
                                      .log = event->log,
                                      .offset = event->offset,
                                      .time_ms = event->time_ms - 1,
                                      .last = event->offset};
    futures_add(futures, &decision);
    return true;
}

bool future_refuses(struct partition *partition, const struct event *event) {
    struct futures *futures = &partition->futures[event->log];
    if (event->time_ms <= partition->clocks[event->log])
        return false; /* it moves nothing */
    if (!partition->live) {
        const struct decision *range = range_at(futures, event->offset);
        return range && event->time_ms > range->time_ms && mutation != MUTATION_FORGET_FUTURE;
    }
    struct decision *last = futures->count > 0 ? &futures->list[futures->count - 1] : NULL;
    if (!is_ahead_of_wall(partition, event, last))
        return false;
    bool is_remembered = remember(partition, event, last);
    partition->futures_forgotten += !is_remembered;
    return is_remembered;
}
