/* SPDX-License-Identifier: Apache-2.0 */
#include "task/clocks.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

void clocks_init(struct clocks *clocks, int32_t source_partitions) {
    *clocks =
        (struct clocks){.source_partitions = source_partitions, .limit_ms = {INT64_MIN, INT64_MIN}};
}

void clocks_release(struct clocks *clocks) {
    free(clocks->items);
    *clocks = (struct clocks){0};
}

static int64_t least(int64_t a, int64_t b) {
    return a < b ? a : b;
}

static int64_t greatest(int64_t a, int64_t b) {
    return a > b ? a : b;
}

/* End of the clocks of the partition whose clocks begin at begin. */
static size_t partition_end(const struct clocks *clocks, size_t begin) {
    size_t end = begin;
    while (end < clocks->count && clocks->items[end].partition == clocks->items[begin].partition)
        end++;
    return end;
}

static void recompute(struct clocks *clocks) {
    int32_t spoken = 0;
    int64_t limit_ms[BOUNDARY_COUNT] = {INT64_MAX, INT64_MAX};
    clocks->has_several_epochs = false;
    for (size_t begin = 0, end; begin < clocks->count; begin = end, spoken++) {
        end = partition_end(clocks, begin);
        clocks->has_several_epochs |= end - begin > 1;
        for (int b = 0; b < BOUNDARY_COUNT; b++) {
            int64_t furthest = INT64_MIN;
            for (size_t i = begin; i < end; i++)
                furthest = greatest(furthest, clocks->items[i].before_ms[b]);
            limit_ms[b] = least(limit_ms[b], furthest);
        }
    }
    for (int b = 0; b < BOUNDARY_COUNT; b++)
        clocks->limit_ms[b] = spoken == clocks->source_partitions ? limit_ms[b] : INT64_MIN;
}

static size_t find(const struct clocks *clocks, const struct source_clock *clock) {
    size_t at = 0;
    while (at < clocks->count && (clocks->items[at].partition < clock->partition ||
                                  (clocks->items[at].partition == clock->partition &&
                                   clocks->items[at].epoch < clock->epoch)))
        at++;
    return at;
}

static size_t partition_begin(const struct clocks *clocks, int32_t partition) {
    size_t begin = 0;
    while (begin < clocks->count && clocks->items[begin].partition < partition)
        begin++;
    return begin;
}

static void remove_at(struct clocks *clocks, size_t at) {
    ASSERT(clocks->items && at < clocks->count);
    clocks->count--;
    memmove(&clocks->items[at], &clocks->items[at + 1],
            (clocks->count - at) * sizeof *clocks->items);
}

/* An epoch that was replaced before its first record covers nothing, and its clock moves no more:
 * it would hold back every window across its beginning. */
static bool covers_nothing(const struct clocks *clocks, size_t at,
                           const struct source_clock *clock) {
    const struct source_clock *next = at < clocks->count ? &clocks->items[at] : NULL;
    return clock->from_ms == clock->until_ms ||
           (next && next->partition == clock->partition && next->epoch > clock->epoch &&
            next->from_ms <= clock->from_ms);
}

static void remove_replaced(struct clocks *clocks, const struct source_clock *clock) {
    for (size_t i = partition_begin(clocks, clock->partition); i < clocks->count;) {
        const struct source_clock *known = &clocks->items[i];
        if (known->partition != clock->partition || known->epoch >= clock->epoch)
            return;
        if (known->from_ms >= clock->from_ms)
            remove_at(clocks, i);
        else
            i++;
    }
}

/* The oldest epoch is forgotten where there are too many: the clock of a newer one speaks for it.
 */
static void insert(struct clocks *clocks, size_t at, const struct source_clock *clock) {
    size_t begin = partition_begin(clocks, clock->partition);
    if (partition_begin(clocks, clock->partition + 1) - begin == EPOCHS_MAX) {
        if (at == begin)
            return;
        remove_at(clocks, begin);
        at--;
    }
    if (clocks->count == clocks->capacity) {
        clocks->capacity = clocks->capacity ? clocks->capacity * 2 : 16;
        clocks->items = alloc_resize(clocks->items, clocks->capacity, sizeof *clocks->items);
    }
    ASSERT(clocks->items);
    if (at < clocks->count)
        memmove(&clocks->items[at + 1], &clocks->items[at],
                (clocks->count - at) * sizeof *clocks->items);
    clocks->items[at] = *clock;
    clocks->count++;
}

bool clocks_put(struct clocks *clocks, const struct source_clock *clock) {
    if (clock->partition < 0 || clock->partition >= clocks->source_partitions ||
        clock->from_ms > clock->until_ms)
        return false;
    if (covers_nothing(clocks, find(clocks, clock), clock))
        return true;
    remove_replaced(clocks, clock);
    size_t at = find(clocks, clock);
    struct source_clock *known = at < clocks->count ? &clocks->items[at] : NULL;
    if (!known || known->partition != clock->partition || known->epoch != clock->epoch) {
        insert(clocks, at, clock);
    } else if (clock->position_predictions >= known->position_predictions &&
               clock->position_feedback >= known->position_feedback) {
        struct source_clock old = *known;
        *known = *clock;
        for (int b = 0; b < BOUNDARY_COUNT; b++)
            known->before_ms[b] = greatest(old.before_ms[b], clock->before_ms[b]);
    }
    recompute(clocks);
    return true;
}

/* One partition; its clocks are items[begin, end), by epoch. */
static bool partition_passed(const struct clocks *clocks, size_t begin, size_t end,
                             enum boundary boundary, int64_t start_ms, int64_t end_ms) {
    bool covers_end = false;
    for (size_t i = begin; i < end; i++) {
        const struct source_clock *clock = &clocks->items[i];
        int64_t until_ms =
            i + 1 < end ? least(clock->until_ms, clocks->items[i + 1].from_ms) : clock->until_ms;
        covers_end |= until_ms >= end_ms;
        /* What lies before the first epoch is judged by the first. */
        bool is_beside = until_ms <= start_ms || (clock->from_ms >= end_ms && i > begin);
        if (!is_beside && clock->before_ms[boundary] < least(end_ms, until_ms))
            return false;
    }
    return covers_end;
}

bool clocks_passed(const struct clocks *clocks, enum boundary boundary, int64_t start_ms,
                   int64_t end_ms) {
    if (end_ms > clocks->limit_ms[boundary])
        return false;
    for (size_t begin = 0, end; begin < clocks->count; begin = end) {
        end = partition_end(clocks, begin);
        if (!partition_passed(clocks, begin, end, boundary, start_ms, end_ms))
            return false;
    }
    return true;
}
