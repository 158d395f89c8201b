/* pane_entry.h -- the counts of one pane and group in a partition, in one of three places:
 *
 *   open     struct tables: panes that still take predictions, and large ones
 *   packed   encoded, as they travel and are stored: a fifth of the memory where there are few
 *            rows.  Small ones are changed by reading, adding and writing them again, which costs
 *            less than tables of their own for one label.
 *   evicted  in the store only
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_PARTITION_PANE_ENTRY_H
#define SLIPSTREAM_PARTITION_PANE_ENTRY_H

#include "base/error.h"
#include "metrics/tables.h"
#include "partition/event.h"

struct pane_entry {
    struct tables *tables;      /* NULL: packed or evicted */
    char *packed;               /* encoded tables; NULL: open or evicted */
    int64_t version[LOG_COUNT]; /* greatest offsets that touched it, -1 none */
    int64_t sealed_predicted;   /* predictions when the pane was sealed */
    int64_t dirty_since_ms;     /* wall time of the first commit that held it back; 0: none did */
    uint32_t packed_size, packed_capacity;
    uint16_t group;
    bool dirty;    /* changed since it was last published */
    bool unstored; /* changed since it was last flushed */
};

/* What the entries of one instance share. */
struct entry_pool {
    const struct shape *shape;
    struct tables *work;   /* of a packed entry while it is changed */
    struct buffer scratch; /* tables being packed */
    struct tables **spare; /* emptied: the next entries grow into them */
    size_t spare_count;
};

void entry_pool_init(struct entry_pool *pool, const struct shape *shape);
void entry_pool_release(struct entry_pool *pool);
/* Of the emptied tables. */
size_t entry_pool_bytes(const struct entry_pool *pool);
/* Frees them. */
void entry_pool_trim(struct entry_pool *pool);

/* Of an entry that was just made. */
void entry_make_tables(struct entry_pool *pool, struct pane_entry *entry);
/* Of an evicted entry; false: the bytes are no tables. */
bool entry_load(struct entry_pool *pool, struct pane_entry *entry, struct slice bytes);
/* Gives up what it has in memory. */
void entry_release(struct entry_pool *pool, struct pane_entry *entry);

bool entry_is_in_memory(const struct pane_entry *entry);
size_t entry_bytes(const struct pane_entry *entry);

/* The tables of an entry in memory, to be changed; entry_close before the next one is opened. NULL:
 * more was taken away than was added. */
struct tables *entry_open(struct entry_pool *pool, struct pane_entry *entry);
void entry_close(struct entry_pool *pool, struct pane_entry *entry, const struct tables *tables);

/* Of an entry in memory. */
int64_t entry_predicted(const struct pane_entry *entry);
void entry_write(const struct pane_entry *entry, struct buffer *out);

void entry_pack(struct entry_pool *pool, struct pane_entry *entry);
/* The same if it is small enough to be changed where it is. */
void entry_pack_small(struct entry_pool *pool, struct pane_entry *entry);
/* Of a packed one. */
void entry_evict(struct pane_entry *entry);

#endif
