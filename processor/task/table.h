/* table.h -- the panes of one task: per (group, pane, epoch) the encoded partials of its source
 * partitions.
 *
 * A partial replaces the one of its source partition, never adds; so the table is the same for
 * every order and repetition of the partials.  Partials stay encoded, those of a pane in one piece
 * of memory: a pane may be one of a million.  A pane that is final holds one source,
 * HISTORY_SOURCE: all of them merged.
 *
 * Evicted   the sources of a pane that has not changed since the last flush may be in the store
 *           only; `partials` counts those in memory.  The rest of the pane stays here.
 *
 * Pointers to groups stay valid until release; to panes until they are removed and the table is
 * swept; to the bytes of sources until the next change of their pane.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_TASK_TABLE_H
#define SLIPSTREAM_TASK_TABLE_H

#include "partial.h"

enum { HISTORY_SOURCE = -1 };

/* Borrows from the bytes of its pane. */
struct source {
    int64_t version_predictions, version_labels;
    int64_t late;
    int32_t partition;
    struct slice tables;
};

struct group;

struct pane {
    int64_t start_ms, end_ms;
    int64_t epoch;
    int64_t touched_at_ms; /* the sealed limit when it was last touched */
    struct group *group;
    char *sources; /* by partition, see sources_next; NULL: none, or evicted */
    uint32_t size; /* bytes of sources */
    bool is_evicted;
    bool is_final;
    bool is_doubtful; /* holds a source that the present definition cannot read */
    bool is_touched;  /* in the list `touched` */
    bool is_changed;  /* in the list `changed` */
    bool is_stored;
    bool is_removed;
};

struct group {
    struct slice text; /* owned */
    uint64_t hash;
    struct pane **panes; /* by (start_ms, epoch) */
    size_t count, capacity;
};

struct pane_list {
    struct pane **items;
    size_t count, capacity;
};

struct table {
    struct group **groups;
    size_t group_count, group_capacity;
    uint32_t *index; /* open addressing: number of a group + 1, or 0 */
    size_t index_size;
    struct pane_list touched;         /* since the last commit */
    struct pane_list changed;         /* since the last flush */
    size_t pane_count, evicted_count; /* evicted: of them */
    size_t bytes, partials;           /* bytes in all, and of them for sources */
    struct buffer scratch;            /* of one source */
};

void table_init(struct table *table);
void table_release(struct table *table);

/* NULL: there is none. */
struct group *table_find_group(const struct table *table, struct slice text);
struct pane *table_find_pane(const struct group *group, int64_t start_ms, int64_t epoch);
/* Finds, or makes an empty one. */
struct group *table_group(struct table *table, struct slice text);
/* Finds the pane with this start and epoch, or makes an empty one that ends at end_ms. */
struct pane *table_pane(struct table *table, struct group *group, int64_t start_ms, int64_t end_ms,
                        int64_t epoch);

enum table_result {
    TABLE_REPLACED,
    TABLE_SAME,     /* version and bytes are there already */
    TABLE_OLDER,    /* a newer version is there */
    TABLE_CONFLICT, /* this version with other bytes, or a version that is neither: the one that is
                       there stays */
};
/* What the pane holds of a source partition; false: nothing.  Not of evicted panes. */
bool table_source(const struct pane *pane, int32_t partition, struct source *out_source);
/* Copies the partial into the pane, marks the pane changed.  Not of evicted panes. */
enum table_result table_put(struct table *table, struct pane *pane, const struct partial *partial);
/* Makes the pane final: its sources give way to their merge. */
void table_put_history(struct table *table, struct pane *pane, int64_t late, struct slice tables);
/* Takes what the store holds of the pane; false when that does not parse. */
bool table_load(struct table *table, struct pane *pane, struct slice sources);
/* Not of changed panes. */
void table_evict(struct table *table, struct pane *pane);
/* At the end of the list. */
void pane_list_add(struct pane_list *list, struct pane *pane);
void table_touch(struct table *table, struct pane *pane, int64_t sealed_limit_ms);
void table_change(struct table *table, struct pane *pane);
/* Panes of a group whose is_removed is set leave it; call table_sweep for the memory. */
void table_remove_marked(struct table *table, struct group *group);
/* Everything changed is flushed. */
void table_sweep(struct table *table);

/* Index of the first pane that starts at or after start_ms. */
size_t group_first_pane(const struct group *group, int64_t start_ms);
struct slice pane_sources(const struct pane *pane); /* not of evicted panes */
/* The source that rest begins with; rest begins behind it then.  False at the end. */
bool sources_next(struct slice *rest, struct source *out_source);

#endif
