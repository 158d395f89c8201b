/* latest.h -- the last value of every key of a log, as its reader knows it: committed records,
 * also those that compaction took away since.  SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_TESTS_SIM_LATEST_H
#define SLIPSTREAM_TESTS_SIM_LATEST_H

#include "tests/sim/broker.h"

struct latest_entry {
    struct slice key, value; /* borrows from the log */
    uint64_t hash;
    bool is_seen; /* for the user */
};

struct latest {
    struct latest_entry *entries;
    uint32_t *slots;
    size_t count, slot_count;
};

void latest_init(struct latest *latest, const struct broker *broker, enum topic_kind topic);
void latest_release(struct latest *latest);
struct latest_entry *latest_find(const struct latest *latest, struct slice key); /* or NULL */

#endif
