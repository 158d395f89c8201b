/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "partition/internal.h"

int64_t segment_number(const struct instance *instance, int64_t time_ms) {
    return floor_divide(time_ms, instance->definition->segment_ms);
}

size_t segments_lower_bound(const struct segments *segments, int64_t number) {
    size_t low = 0, high = segments->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (segments->sorted[middle].number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct segment *segments_find(struct segments *segments, int64_t number) {
    if (segments->last < segments->count && segments->sorted[segments->last].number == number)
        return &segments->sorted[segments->last];
    size_t index = segments_lower_bound(segments, number);
    if (index == segments->count || segments->sorted[index].number != number)
        return NULL;
    segments->last = index;
    return &segments->sorted[index];
}

struct segment *segments_at(struct segments *segments, int64_t number) {
    struct segment *found = segments_find(segments, number);
    if (found)
        return found;
    if (segments->count == segments->capacity) {
        segments->capacity = segments->capacity ? segments->capacity * 2 : 64;
        segments->sorted =
            alloc_resize(segments->sorted, segments->capacity, sizeof *segments->sorted);
    }
    size_t index = segments_lower_bound(segments, number);
    memmove(&segments->sorted[index + 1], &segments->sorted[index],
            (segments->count - index) * sizeof *segments->sorted);
    segments->count++;
    segments->sorted[index] =
        (struct segment){.number = number, .first_offset = {INT64_MAX, INT64_MAX}};
    return &segments->sorted[index];
}

void segments_release(struct segments *segments) {
    free(segments->sorted);
    *segments = (struct segments){0};
}

void segment_needs(struct segment *segment, enum log_side log, int64_t offset, int64_t clock_ms) {
    if (offset >= segment->first_offset[log])
        return;
    segment->first_offset[log] = offset;
    segment->first_clock[log] = clock_ms;
}

/* Its rows are needed until the last pane that begins in it is final. */
bool segment_expired(const struct partition *partition, const struct instance *instance,
                     int64_t number) {
    int64_t last_ms = (number + 1) * instance->definition->segment_ms - 1;
    int64_t end_ms = pane_floor(instance, last_ms) + instance->definition->pane_ms;
    return end_ms <= final_before(partition, instance, partition->clocks);
}
