/* panes.h -- the open panes of one task instance: per pane and group the tables, what is not yet
 * published and what is not yet stored.
 *
 *     |-- pane --|-- pane --|-- pane --|-- pane --|
 *      locally final ...      sealed     open         ^ prediction clock
 *
 * Sealed: the prediction clock has passed its end by disorder; predictions that come now are late.
 * Locally final: both clocks have passed all that could still change it; it is published and
 * leaves.
 * What of the entries is in memory, and how: pane_entry.h.  Entries of sealed panes are packed once
 * they have been published.  When all that takes more than it may, those that are stored and
 * published are packed, then evicted, the oldest first.  Touching one loads it.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_PARTITION_PANES_H
#define SLIPSTREAM_PARTITION_PANES_H

#include "base/error.h"
#include "partition/pane_entry.h"
#include "state/store.h"

struct pane {
    int64_t start_ms;
    struct pane_entry *entries;
    uint16_t *slots; /* group number -> entry + 1, open addressing */
    size_t count, capacity, slot_count;
    size_t dirty_count;
    bool sealed;
};

struct panes {
    struct entry_pool pool;
    struct pane **sorted; /* by start */
    size_t count, capacity;
    size_t last;    /* index of the pane touched last */
    size_t entries; /* of all panes */
    size_t bytes;   /* in memory: exact at the last flush, with a guess for what was made since */
    size_t loaded;  /* entries made or loaded since then */
    struct pane **spare_panes;
    size_t spare_pane_count;
    uint32_t instance; /* family number in the store's keys */
};

void panes_init(struct panes *panes, const struct shape *shape, uint32_t instance);
void panes_release(struct panes *panes);

/* The pane that starts at start_ms, made when absent (sealed says in which state). */
struct pane *panes_at(struct panes *panes, int64_t start_ms, bool sealed);
/* Index of the first pane with start >= start_ms; panes->count if none. */
size_t panes_lower_bound(const struct panes *panes, int64_t start_ms);
/* The entry of a group, made when absent; it is in memory afterwards. */
enum status panes_entry(struct panes *panes, struct pane *pane, uint16_t group, struct store *store,
                        struct pane_entry **out_entry, struct error *err) MUST_CHECK;
/* The entry of a group if it is there and evicted, else NULL. */
struct pane_entry *panes_evicted(struct panes *panes, int64_t start_ms, uint16_t group);
/* Brings an evicted entry back with its stored value. */
enum status panes_restore(struct panes *panes, struct pane_entry *entry, struct slice value,
                          struct error *err) MUST_CHECK;
void panes_touch(struct pane *pane, struct pane_entry *entry, enum log_side log, int64_t offset);
int64_t pane_entry_late(const struct pane *pane, const struct pane_entry *entry);
void panes_seal(struct panes *panes, int64_t sealed_before_ms, int64_t pane_ms);
/* Removes the first count panes (they are final). */
void panes_remove(struct panes *panes, size_t count);

/* Store keys and values of entries: instance, start, group, big-endian so that they sort. */
enum { PANE_KEY_BYTES = 14 };
void pane_write_key(uint32_t instance, int64_t start_ms, uint16_t group,
                    char out_key[PANE_KEY_BYTES]);
bool pane_read_key(struct slice key, uint32_t *out_instance, int64_t *out_start_ms,
                   uint16_t *out_group);
void pane_write(const struct pane *pane, const struct pane_entry *entry, struct buffer *out);
/* Puts a stored entry into panes: its tables only if it is dirty, the others are loaded when
 * touched. */
bool panes_load(struct panes *panes, int64_t start_ms, uint16_t group, struct slice value);
/* After loading: says which panes are sealed; their counts at the seal are those stored. */
void panes_set_sealed(struct panes *panes, int64_t sealed_before_ms, int64_t pane_ms);
/* Until all takes at most bytes_max: frees emptied tables, packs, then evicts what is stored and
 * published, oldest panes first. */
void panes_evict(struct panes *panes, size_t bytes_max);
size_t panes_bytes(const struct panes *panes);

#endif
