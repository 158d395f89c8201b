/* locate.c -- which rows and marks the locators know: those of each flush, and after a start the
 * rows that were stored before it, one segment at a time when there is nothing else to do.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "partition/internal.h"
#include "state/mutation.h"

struct instance *instance_of_id(struct partition *partition, uint32_t id) {
    for (size_t i = 0; i < partition->instance_count; i++)
        if (partition->instances[i].id == id)
            return &partition->instances[i];
    return NULL;
}

/* Makes room for the newest rows, which labels ask for most. */
static bool reserve(struct instance *instance, size_t count) {
    if (locator_reserve(&instance->locator, count))
        return true;
    struct locator_codes dropped = {0};
    locator_drop_oldest(&instance->locator, count, &dropped);
    struct segments *segments = &instance->segments;
    for (size_t i = 0; i < segments->count; i++)
        if (locator_codes_have(&dropped, segments->sorted[i].number))
            segments->sorted[i].located = mutation == MUTATION_TRUST_DROPPED;
    instance->locator_is_full = true;
    return locator_reserve(&instance->locator, count);
}

/* A segment stays located as long as each of its flushes found room in the locator, and none was
 * dropped from it. */
void locate_flushed(struct partition *partition, struct family family,
                    const struct unstored_item *items, size_t count) {
    struct instance *instance = instance_of_id(partition, family.instance);
    struct segment *segment = segments_find(&instance->segments, family.slice);
    segment->located |= !segment->has_rows;
    /* Making room may drop rows of this very segment. */
    if (segment->located && !reserve(instance, count))
        segment->located = false;
    segment->has_rows = true;
    for (size_t i = 0; i < count && segment->located; i++) {
        struct hash128 key = row_key_read(partition->delta.entries[items[i].entry].key);
        locator_add(&instance->locator, &key, family.slice, false);
    }
}

void locate_marked(struct partition *partition, struct family family,
                   const struct unstored_item *items, size_t count) {
    struct instance *instance = instance_of_id(partition, family.instance);
    for (size_t i = 0; i < count && mutation != MUTATION_UNMARKED; i++) {
        const struct delta_entry *entry = &partition->delta.entries[items[i].entry];
        int64_t number = delta_cohort(&partition->delta, entry)->segment;
        if (!segments_find(&instance->segments, number)->located)
            continue;
        struct hash128 key = row_key_read(entry->key);
        locator_mark(&instance->locator, &key, number);
    }
}

struct locating {
    struct instance *instance;
    int64_t segment;
    bool has_marks; /* of which rows is not known: it is not worth reading them all */
};

static enum status visit_row(void *context, struct slice key, struct slice value UNUSED) {
    struct locating *locating = context;
    if (key.size != ROW_KEY_BYTES)
        return STATUS_CORRUPT;
    if (locating->instance->locator_is_full || !locator_reserve(&locating->instance->locator, 1)) {
        locating->instance->locator_is_full = true;
        return STATUS_OK;
    }
    struct hash128 hash = row_key_read(key.data);
    locator_add(&locating->instance->locator, &hash, locating->segment, locating->has_marks);
    return STATUS_OK;
}

enum status locate_stored(struct partition *partition, bool *out_did, struct error *err) {
    *out_did = false;
    for (size_t i = 0; i < partition->instance_count; i++) {
        struct instance *instance = &partition->instances[i];
        for (size_t j = instance->segments.count; j-- > 0 && !instance->locator_is_full;) {
            struct segment *segment = &instance->segments.sorted[j];
            if (!segment->has_rows || segment->located)
                continue;
            struct locating locating = {instance, segment->number, segment->has_marks};
            TRY(partition->store->ops->scan(
                partition->store, (struct family){FAMILY_ROWS, instance->id, segment->number},
                visit_row, &locating, err));
            segment->located = !instance->locator_is_full;
            *out_did = true;
            return STATUS_OK;
        }
    }
    return STATUS_OK;
}
