/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/latest.h"

#include <stdlib.h>

#include "base/hash.h"

static uint32_t *slot_of(const struct latest *latest, uint64_t hash, struct slice key) {
    size_t at = hash % latest->slot_count;
    for (;; at = (at + 1) % latest->slot_count) {
        uint32_t *slot = &latest->slots[at];
        if (*slot == 0)
            return slot;
        const struct latest_entry *entry = &latest->entries[*slot - 1];
        if (entry->hash == hash && slice_equal(entry->key, key))
            return slot;
    }
}

static void add(struct latest *latest, const struct broker_record *record) {
    bool was_published = record->state == RECORD_COMMITTED || record->state == RECORD_COMPACTED;
    if (!was_published || !record->value.data)
        return;
    uint32_t *slot = slot_of(latest, record->key_hash, record->key);
    if (*slot == 0) {
        latest->entries[latest->count++] =
            (struct latest_entry){record->key, {0}, record->key_hash, false};
        *slot = (uint32_t)latest->count;
    }
    latest->entries[*slot - 1].value = record->value;
}

void latest_init(struct latest *latest, const struct broker *broker, enum topic_kind topic) {
    size_t count = 1;
    int partitions = broker_topic_partitions(broker, topic);
    for (int i = 0; i < partitions; i++)
        count += broker->logs[topic][i].count;
    *latest = (struct latest){.entries = alloc_zero(count, sizeof *latest->entries),
                              .slots = alloc_zero(count * 2, sizeof *latest->slots),
                              .slot_count = count * 2};
    for (int i = 0; i < partitions; i++)
        for (size_t k = 0; k < broker->logs[topic][i].count; k++)
            add(latest, &broker->logs[topic][i].records[k]);
}

void latest_release(struct latest *latest) {
    free(latest->entries);
    free(latest->slots);
}

struct latest_entry *latest_find(const struct latest *latest, struct slice key) {
    uint32_t number = *slot_of(latest, hash64(key), key);
    return number ? &latest->entries[number - 1] : NULL;
}
