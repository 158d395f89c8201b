/* cohorts.h -- what many rows have in common, kept once: their instance, segment and groups.
 *
 * A table of distinct values, numbered from 0 as they come.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_PARTITION_COHORTS_H
#define SLIPSTREAM_PARTITION_COHORTS_H

#include <stddef.h>
#include <stdint.h>

#include "config/definition.h"

/* Without padding: its bytes are compared. */
struct cohort {
    int64_t segment;
    uint16_t instance;              /* index into the partition's instances */
    uint16_t groups[GROUPINGS_MAX]; /* a group number a grouping; 0 behind the last */
};

struct cohorts {
    struct cohort *list;
    uint32_t *slots;          /* numbers and 1; 0 is empty */
    size_t count, slot_count; /* slot_count is a power of two, half of it is room in the list */
};

void cohorts_init(struct cohorts *cohorts);
void cohorts_release(struct cohorts *cohorts);
void cohorts_reset(struct cohorts *cohorts); /* keeps its memory */
/* The number of this one, which is added when it is new. */
uint32_t cohorts_number(struct cohorts *cohorts, const struct cohort *cohort);
/* Of those in use and their share of slots. */
size_t cohorts_bytes(const struct cohorts *cohorts);

#endif
