/* persist.c -- a partition's state into the store, all of it at one position, and back.
 *
 * META keys: "state" (a checkpoint), "groups", "segments", "key" (a check value of what the ids are
 * hashed with).  SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "partition/internal.h"

static const struct family meta = {.kind = FAMILY_META}, pane_family = {.kind = FAMILY_PANES},
                           orphan_family = {.kind = FAMILY_ORPHANS};

struct gathered {
    struct store_put *puts;
    size_t put_count, put_capacity;
    struct partition *partition;
};

static void put(struct gathered *gathered, struct family family, struct slice key,
                const struct buffer *value) {
    if (gathered->put_count == gathered->put_capacity) {
        gathered->put_capacity = gathered->put_capacity ? gathered->put_capacity * 2 : 256;
        gathered->puts =
            alloc_resize(gathered->puts, gathered->put_capacity, sizeof *gathered->puts);
    }
    struct arena *arena = &gathered->partition->batch;
    gathered->puts[gathered->put_count++] = (struct store_put){
        family, arena_copy(arena, key),
        value ? arena_copy(arena, buffer_slice(value)) : (struct slice){NULL, 0}, value == NULL};
}

/* ---- panes and orphans ---- */

static void gather_pane(struct gathered *gathered, const struct instance *instance,
                        struct pane *pane) {
    struct buffer *scratch = &gathered->partition->scratch;
    for (size_t i = 0; i < pane->count; i++) {
        struct pane_entry *entry = &pane->entries[i];
        if (!entry->unstored)
            continue;
        char key[PANE_KEY_BYTES];
        pane_write_key(instance->id, pane->start_ms, entry->group, key);
        buffer_reset(scratch);
        pane_write(pane, entry, scratch);
        put(gathered, pane_family, (struct slice){key, sizeof key}, scratch);
        entry->unstored = false;
    }
}

static void gather_panes(struct gathered *gathered) {
    struct partition *partition = gathered->partition;
    for (size_t i = 0; i < partition->instance_count; i++)
        for (size_t j = 0; j < partition->instances[i].panes.count; j++)
            gather_pane(gathered, &partition->instances[i],
                        partition->instances[i].panes.sorted[j]);
    struct buffer *removed = &partition->removed_panes;
    for (size_t at = 0; at < removed->size; at += PANE_KEY_BYTES)
        put(gathered, pane_family, (struct slice){removed->data + at, PANE_KEY_BYTES}, NULL);
    buffer_reset(removed);
}

static void gather_orphans(struct gathered *gathered) {
    struct orphans *orphans = &gathered->partition->orphans;
    struct buffer *scratch = &gathered->partition->scratch;
    for (size_t at = 0; at < orphans->removed.size; at += ORPHAN_KEY_BYTES)
        put(gathered, orphan_family, (struct slice){orphans->removed.data + at, ORPHAN_KEY_BYTES},
            NULL);
    buffer_reset(&orphans->removed);
    for (size_t i = 0; i < orphans->capacity; i++) {
        struct orphan *orphan = &orphans->list[i];
        if (!orphan->used || orphan->stored)
            continue;
        char key[ORPHAN_KEY_BYTES];
        orphan_write_key(orphan, key);
        buffer_reset(scratch);
        orphan_write(orphan, scratch);
        put(gathered, orphan_family, (struct slice){key, sizeof key}, scratch);
        orphan->stored = true;
    }
}

/* ---- meta ---- */

static void write_segments(const struct partition *partition, struct buffer *out) {
    write_long(out, (int64_t)partition->instance_count);
    for (size_t i = 0; i < partition->instance_count; i++) {
        const struct instance *instance = &partition->instances[i];
        write_long(out, instance->id);
        write_long(out, instance->sealed_before_ms);
        write_long(out, (int64_t)instance->segments.count);
        for (size_t j = 0; j < instance->segments.count; j++) {
            const struct segment *segment = &instance->segments.sorted[j];
            write_long(out, segment->number);
            write_long(out, (segment->has_rows ? 1 : 0) | (segment->has_marks ? 2 : 0));
            for (int log = 0; log < LOG_COUNT; log++) {
                write_long(out, segment->first_offset[log]);
                write_long(out, segment->first_clock[log]);
            }
        }
    }
}

static void read_segment(struct reader *reader, struct segments *segments) {
    struct segment *segment = segments_at(segments, read_long(reader));
    int64_t flags = read_long(reader);
    segment->has_rows = (flags & 1) != 0;
    segment->has_marks = (flags & 2) != 0;
    for (int log = 0; log < LOG_COUNT; log++) {
        segment->first_offset[log] = read_long(reader);
        segment->first_clock[log] = read_long(reader);
    }
}

bool persist_read_segments(struct partition *partition, struct slice bytes) {
    struct reader reader = reader_from(bytes);
    int64_t count = read_long(&reader);
    for (int64_t i = 0; i < count && !reader.failed; i++) {
        int64_t id = read_long(&reader), sealed_before_ms = read_long(&reader);
        int64_t segment_count = read_long(&reader);
        struct segments skipped = {0}, *segments = &skipped;
        for (size_t j = 0; j < partition->instance_count; j++) {
            if (partition->instances[j].id != (uint64_t)id)
                continue;
            partition->instances[j].sealed_before_ms = sealed_before_ms;
            segments = &partition->instances[j].segments;
        }
        for (int64_t j = 0; j < segment_count && !reader.failed; j++)
            read_segment(&reader, segments);
        segments_release(&skipped);
    }
    return reader_done(&reader);
}

static void gather_meta(struct gathered *gathered) {
    struct partition *partition = gathered->partition;
    struct buffer *scratch = &partition->scratch;
    buffer_reset(scratch);
    checkpoint_write(partition, scratch);
    put(gathered, meta, SLICE("state"), scratch);
    buffer_reset(scratch);
    checkpoint_write_groups(partition, scratch);
    put(gathered, meta, SLICE("groups"), scratch);
    buffer_reset(scratch);
    write_segments(partition, scratch);
    put(gathered, meta, SLICE("segments"), scratch);
    buffer_reset(scratch);
    buffer_append(scratch, partition->key_check.bytes, sizeof partition->key_check.bytes);
    put(gathered, meta, SLICE("key"), scratch);
}

/* ---- flush ---- */

static void forget_expired(struct partition *partition, struct instance *instance) {
    struct segments *segments = &instance->segments;
    size_t kept = 0;
    for (size_t i = 0; i < segments->count; i++)
        if (!segment_expired(partition, instance, segments->sorted[i].number))
            segments->sorted[kept++] = segments->sorted[i];
    segments->count = kept;
    segments->last = 0;
    if (locator_expire(&instance->locator, kept > 0 ? segments->sorted[0].number : INT64_MAX))
        instance->locator_is_full = false;
}

/* Families that no segment needs: only after the store's own offsets have passed their expiry. */
static enum status drop_unneeded(struct partition *partition, struct error *err) {
    struct family *families;
    size_t count = partition->store->ops->list(partition->store, &families, &partition->batch);
    for (size_t i = 0; i < count; i++) {
        struct instance *instance = instance_of_id(partition, families[i].instance);
        bool needed = instance != NULL;
        if (instance && families[i].kind == FAMILY_ROWS)
            needed = segments_find(&instance->segments, families[i].slice) != NULL;
        else if (instance && families[i].kind == FAMILY_MARKS)
            needed = !segment_expired(partition, instance, mark_slice_end(families[i].slice) - 1);
        if (!needed)
            TRY(partition->store->ops->drop(partition->store, families[i], err));
    }
    return STATUS_OK;
}

enum status persist_drop_expired(struct partition *partition, struct error *err) {
    arena_reset(&partition->batch);
    for (size_t i = 0; i < partition->instance_count; i++)
        forget_expired(partition, &partition->instances[i]);
    return drop_unneeded(partition, err);
}

/* Flushed rows stay in memory for reading: the newer half of what the delta may hold.  When labels
 * meet hardly any of them there, flushes are longer instead, and so many stay as are needed to
 * notice that they do. */
static size_t kept_bytes(const struct partition *partition) {
    const struct since_flush *since = &partition->since_flush;
    bool is_useful = since->kept_rows_met * 16 >= since->rows_asked;
    return partition->config->delta_bytes_max / (is_useful ? 2 : 64);
}

static enum status flush_all(struct partition *partition, struct error *err) {
    struct gathered gathered = {.partition = partition};
    struct unstored unstored;
    arena_reset(&partition->batch);
    for (size_t i = 0; i < partition->instance_count; i++)
        forget_expired(partition, &partition->instances[i]);
    checkpoint_prune_decisions(partition);
    unstored_gather(partition, &unstored);
    gather_panes(&gathered);
    gather_orphans(&gathered);
    gather_meta(&gathered);
    enum status status =
        partition->store->ops->flush(partition->store, unstored.families, unstored.family_count,
                                     gathered.puts, gathered.put_count, err);
    free(gathered.puts);
    if (status != STATUS_OK)
        return status;
    partition->flushes++;
    partition->rows_flushed += (int64_t)unstored.row_count;
    partition->changed_since_flush = false;
    delta_trim(&partition->delta, kept_bytes(partition));
    partition->since_flush = (struct since_flush){0};
    for (size_t i = 0; i < partition->instance_count; i++)
        panes_evict(&partition->instances[i].panes,
                    partition->config->pane_bytes_max / partition->instance_count);
    return drop_unneeded(partition, err);
}

/* A flush lists all that it writes: that memory goes back, for the worker's next partition; what
 * the steps use stays. */
enum status persist_flush(struct partition *partition, struct error *err) {
    struct arena steps = partition->batch;
    arena_init(&partition->batch);
    enum status status = flush_all(partition, err);
    arena_release(&partition->batch);
    partition->batch = steps;
    return status;
}

/* ---- load ---- */

static enum status get_meta(struct partition *partition, struct slice key, struct slice *out_value,
                            struct error *err) {
    return partition->store->ops->get(partition->store, meta, &key, 1, out_value, &partition->batch,
                                      err);
}

enum status persist_load_meta(struct partition *partition, struct slice *out_meta, bool *out_found,
                              struct error *err) {
    TRY(get_meta(partition, SLICE("state"), out_meta, err));
    *out_found = out_meta->data != NULL;
    return STATUS_OK;
}

/* A store from before there were check values has no secret. */
enum status persist_check_key(struct partition *partition, bool *out_same, struct error *err) {
    struct slice check;
    TRY(get_meta(partition, SLICE("key"), &check, err));
    *out_same = check.data
                    ? slice_equal(check, (struct slice){(const char *)partition->key_check.bytes,
                                                        sizeof partition->key_check.bytes})
                    : partition->config->state_key.size == 0;
    return STATUS_OK;
}

static enum status visit_pane(void *context, struct slice key, struct slice value) {
    struct partition *partition = context;
    uint32_t id;
    int64_t start_ms;
    uint16_t group;
    if (!pane_read_key(key, &id, &start_ms, &group))
        return STATUS_CORRUPT;
    for (size_t i = 0; i < partition->instance_count; i++)
        if (partition->instances[i].id == id &&
            !panes_load(&partition->instances[i].panes, start_ms, group, value))
            return STATUS_CORRUPT;
    return STATUS_OK;
}

static enum status visit_orphan(void *context, struct slice key, struct slice value) {
    struct partition *partition = context;
    return orphans_load(&partition->orphans, key, value) ? STATUS_OK : STATUS_CORRUPT;
}

enum status persist_load(struct partition *partition, struct slice groups, struct error *err) {
    const struct store_ops *ops = partition->store->ops;
    struct slice segments;
    if (groups.size == 0)
        TRY(get_meta(partition, SLICE("groups"), &groups, err));
    TRY(get_meta(partition, SLICE("segments"), &segments, err));
    if (!groups.data || !segments.data || !checkpoint_read_groups(partition, groups) ||
        !persist_read_segments(partition, segments))
        return error_set(err, STATUS_CORRUPT, "stored groups or segments do not parse");
    TRY(ops->scan(partition->store, pane_family, visit_pane, partition, err));
    TRY(ops->scan(partition->store, orphan_family, visit_orphan, partition, err));
    for (size_t i = 0; i < partition->instance_count; i++)
        panes_set_sealed(&partition->instances[i].panes, partition->instances[i].sealed_before_ms,
                         partition->instances[i].definition->pane_ms);
    return drop_unneeded(partition, err);
}

/* ---- wipe ---- */

struct wiping {
    struct gathered gathered;
    struct family family;
};

static enum status visit_delete(void *context, struct slice key, struct slice value UNUSED) {
    struct wiping *wiping = context;
    put(&wiping->gathered, wiping->family, key, NULL);
    return STATUS_OK;
}

static enum status wipe_family(struct partition *partition, struct family family,
                               struct error *err) {
    struct wiping wiping = {.gathered = {.partition = partition}, .family = family};
    struct gathered *gathered = &wiping.gathered;
    enum status status =
        partition->store->ops->scan(partition->store, family, visit_delete, &wiping, err);
    if (status == STATUS_OK && gathered->put_count > 0)
        status = partition->store->ops->flush(partition->store, NULL, 0, gathered->puts,
                                              gathered->put_count, err);
    free(gathered->puts);
    return status;
}

/* Meta first: without its position the rest is nothing. */
enum status persist_wipe(struct partition *partition, struct error *err) {
    TRY(wipe_family(partition, meta, err));
    TRY(wipe_family(partition, pane_family, err));
    TRY(wipe_family(partition, orphan_family, err));
    struct family *families;
    size_t count = partition->store->ops->list(partition->store, &families, &partition->batch);
    for (size_t i = 0; i < count; i++)
        TRY(partition->store->ops->drop(partition->store, families[i], err));
    return STATUS_OK;
}
