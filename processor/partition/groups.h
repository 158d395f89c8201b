/* groups.h -- the dictionary of one task definition's groups in one partition.
 *
 * Groups are admitted first come, in the order of the predictions log, up to groups_max a grouping;
 * later ones count in "NAME~other", and so do those whose text finds no room in text_bytes_max,
 * since the dictionary travels in one record.  Number 0 is "all".  Only grows: numbers stand in
 * stored rows.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_PARTITION_GROUPS_H
#define SLIPSTREAM_PARTITION_GROUPS_H

#include "base/varint.h"
#include "config/definition.h"
#include "schemas/value.h"

struct group {
    uint16_t grouping; /* index into the definition's groupings */
    uint16_t kind;     /* 0 a value, 1 other, 2 missing */
    char *text;        /* the value; "" for other and missing */
    char *name;        /* as published: "zone=JFK" */
    uint64_t hash;
};

struct groups {
    const struct task_definition *definition;
    struct group *list; /* by number; list[0] is "all" */
    uint16_t *slots;
    size_t count, capacity, slot_count;
    uint32_t admitted[GROUPINGS_MAX];
    size_t text_bytes, text_bytes_max; /* of all texts */
    struct buffer scratch;
    bool changed; /* since the caller last cleared it */
};

/* Above GROUPINGS_MAX x (groups.max at its greatest + other + missing): no input reaches it. */
enum { GROUP_ALL = 0, GROUPS_LIMIT = 65000 };

/* Of one definition: several fit into the one record of a partition. */
enum { GROUPS_TEXT_BYTES_MAX = 256 * 1024 };

void groups_init(struct groups *groups, const struct task_definition *definition,
                 size_t text_bytes_max);
void groups_release(struct groups *groups);
/* A number for each of the groupings; admits new groups. */
void groups_of(struct groups *groups, const struct value *columns, uint16_t *out_numbers);
const char *groups_name(const struct groups *groups, uint16_t number);
void groups_write(const struct groups *groups, struct buffer *out);
/* Into empty groups.  False: malformed, or of another definition. */
bool groups_read(struct groups *groups, struct reader *reader);

#endif
