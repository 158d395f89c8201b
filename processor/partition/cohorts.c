/* SPDX-License-Identifier: Apache-2.0 */
#include "partition/cohorts.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"

enum { SLOTS_MIN = 256 };

_Static_assert(sizeof(struct cohort) == sizeof(int64_t) + (1 + GROUPINGS_MAX) * sizeof(uint16_t),
               "padding would be compared");

static void allocate(struct cohorts *cohorts, size_t slot_count) {
    cohorts->slot_count = slot_count;
    cohorts->list = alloc_resize(cohorts->list, slot_count / 2, sizeof *cohorts->list);
    free(cohorts->slots);
    cohorts->slots = alloc_zero(slot_count, sizeof *cohorts->slots);
}

void cohorts_init(struct cohorts *cohorts) {
    *cohorts = (struct cohorts){0};
    allocate(cohorts, SLOTS_MIN);
}

void cohorts_release(struct cohorts *cohorts) {
    free(cohorts->list);
    free(cohorts->slots);
    *cohorts = (struct cohorts){0};
}

void cohorts_reset(struct cohorts *cohorts) {
    cohorts->count = 0;
    memset(cohorts->slots, 0, cohorts->slot_count * sizeof *cohorts->slots);
}

/* Where it is, or the empty slot where it belongs. */
static uint32_t *slot_of(const struct cohorts *cohorts, const struct cohort *cohort) {
    size_t mask = cohorts->slot_count - 1;
    size_t i = hash64((struct slice){(const char *)cohort, sizeof *cohort}) & mask;
    while (cohorts->slots[i] != 0 &&
           memcmp(&cohorts->list[cohorts->slots[i] - 1], cohort, sizeof *cohort) != 0)
        i = (i + 1) & mask;
    return &cohorts->slots[i];
}

static void grow(struct cohorts *cohorts) {
    allocate(cohorts, cohorts->slot_count * 2);
    for (size_t i = 0; i < cohorts->count; i++)
        *slot_of(cohorts, &cohorts->list[i]) = (uint32_t)i + 1;
}

uint32_t cohorts_number(struct cohorts *cohorts, const struct cohort *cohort) {
    uint32_t *slot = slot_of(cohorts, cohort);
    if (*slot == 0) {
        if (cohorts->count == cohorts->slot_count / 2) {
            grow(cohorts);
            slot = slot_of(cohorts, cohort);
        }
        cohorts->list[cohorts->count++] = *cohort;
        *slot = (uint32_t)cohorts->count;
    }
    return *slot - 1;
}

size_t cohorts_bytes(const struct cohorts *cohorts) {
    return cohorts->count * (sizeof *cohorts->list + 2 * sizeof *cohorts->slots);
}
