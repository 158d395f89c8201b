/* unstored.c -- the rows and label marks that a flush writes, in the store's order: 8 bytes each,
 * and 8 more while they are sorted.  Their own bytes are made when the store asks for them.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "partition/internal.h"
#include "state/key.h"

/* Rows or marks of one family. */
struct bin {
    struct family family;
    struct partition *partition;
    struct unstored_item *items;
    size_t count;
    char mark_key[MARK_KEY_BYTES]; /* of the mark that was asked for last */
};

struct bins {
    struct bin *list; /* as the store orders families */
    size_t count;
};

/* Where a cohort's rows and marks go; segment: NULL when it has expired. */
struct place {
    struct segment *segment;
    struct bin *rows, *marks;
};

static int compare_bins(const void *left, const void *right) {
    const struct bin *a = left, *b = right;
    return family_compare(a->family, b->family);
}

static struct bins make_bins(struct partition *partition) {
    size_t count = 0, most = 0;
    for (size_t i = 0; i < partition->instance_count; i++)
        most += 2 * partition->instances[i].segments.count;
    struct bin *list = arena_take(&partition->batch, (most + 1) * sizeof *list);
    for (size_t i = 0; i < partition->instance_count; i++) {
        const struct instance *instance = &partition->instances[i];
        for (size_t j = 0; j < instance->segments.count; j++) {
            int64_t segment = instance->segments.sorted[j].number;
            list[count++] = (struct bin){.family = {FAMILY_ROWS, instance->id, segment}};
            list[count++] =
                (struct bin){.family = {FAMILY_MARKS, instance->id, mark_slice(segment)}};
        }
    }
    qsort(list, count, sizeof *list, compare_bins);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || compare_bins(&list[kept - 1], &list[i]) != 0)
            list[kept++] = list[i];
    return (struct bins){list, kept};
}

static struct bin *find_bin(const struct bins *bins, struct family family) {
    const struct bin wanted = {.family = family};
    return bsearch(&wanted, bins->list, bins->count, sizeof *bins->list, compare_bins);
}

/* Rows of expired segments have no place: nobody asks for them any more. */
static struct place *make_places(struct partition *partition, const struct bins *bins) {
    const struct cohorts *cohorts = &partition->delta.cohorts;
    struct place *places = arena_take(&partition->batch, (cohorts->count + 1) * sizeof *places);
    for (size_t i = 0; i < cohorts->count; i++) {
        const struct cohort *cohort = &cohorts->list[i];
        struct instance *instance = &partition->instances[cohort->instance];
        int64_t segment = cohort->segment;
        places[i] = (struct place){
            .segment = segments_find(&instance->segments, segment),
            .rows = find_bin(bins, (struct family){FAMILY_ROWS, instance->id, segment}),
            .marks =
                find_bin(bins, (struct family){FAMILY_MARKS, instance->id, mark_slice(segment)})};
    }
    return places;
}

/* NULL: nothing of this entry is to be stored. */
static struct bin *bin_of(const struct delta_entry *entry, const struct place *places) {
    const struct place *place = &places[entry->cohort];
    if (!place->segment)
        return NULL;
    if (entry->row_unstored)
        return place->rows;
    return entry->mark_unstored ? place->marks : NULL;
}

static void count_items(const struct delta *delta, const struct place *places) {
    for (size_t i = 0; i < delta->count; i++) {
        struct bin *bin = bin_of(&delta->entries[i], places);
        if (!bin)
            continue;
        bin->count++;
        if (bin->family.kind == FAMILY_MARKS)
            places[delta->entries[i].cohort].segment->has_marks = true;
    }
}

/* Big-endian numbers order as the bytes do. */
static uint32_t head_of(const unsigned char *key) {
    return (uint32_t)key[0] << 24 | (uint32_t)key[1] << 16 | (uint32_t)key[2] << 8 | key[3];
}

static void fill_bins(struct partition *partition, const struct place *places,
                      const struct bins *bins) {
    const struct delta *delta = &partition->delta;
    for (size_t i = 0; i < bins->count; i++) {
        struct bin *bin = &bins->list[i];
        bin->partition = partition;
        bin->items = arena_take(&partition->batch, (bin->count + 1) * sizeof *bin->items);
        bin->count = 0;
    }
    for (size_t i = 0; i < delta->count; i++) {
        struct bin *bin = bin_of(&delta->entries[i], places);
        if (bin)
            bin->items[bin->count++] =
                (struct unstored_item){head_of(delta->entries[i].key), (uint32_t)i};
    }
}

/* ---- order ---- */

/* By one byte of the head; of equal ones the order stays. */
static void sort_by_byte(const struct unstored_item *items, size_t count, int shift,
                         struct unstored_item *out_items) {
    enum { VALUES = 256 };
    size_t ends[VALUES] = {0}, end = 0;
    for (size_t i = 0; i < count; i++)
        ends[items[i].head >> shift & (VALUES - 1)]++;
    for (int value = 0; value < VALUES; value++) {
        size_t taken = ends[value];
        ends[value] = end;
        end += taken;
    }
    for (size_t i = 0; i < count; i++)
        out_items[ends[items[i].head >> shift & (VALUES - 1)]++] = items[i];
}

/* Marks of one id in several segments differ by the segment, as their keys have it. */
static int compare_items(const struct delta *delta, const struct unstored_item *a,
                         const struct unstored_item *b) {
    if (a->head != b->head)
        return a->head < b->head ? -1 : 1;
    const struct delta_entry *left = &delta->entries[a->entry], *right = &delta->entries[b->entry];
    int order = memcmp(left->key, right->key, sizeof left->key);
    if (order)
        return order;
    uint32_t one = (uint32_t)delta_cohort(delta, left)->segment;
    uint32_t other = (uint32_t)delta_cohort(delta, right)->segment;
    return (one > other) - (one < other);
}

/* Heads are random bits: few are equal, and those stand together already. */
static void sort_bin(struct bin *bin, struct unstored_item *spare) {
    struct unstored_item *items = bin->items;
    for (int shift = 0; shift < 32; shift += 16) {
        sort_by_byte(items, bin->count, shift, spare);
        sort_by_byte(spare, bin->count, shift + 8, items);
    }
    const struct delta *delta = &bin->partition->delta;
    for (size_t i = 1; i < bin->count; i++) {
        const struct unstored_item item = items[i];
        size_t at = i;
        for (; at > 0 && compare_items(delta, &items[at - 1], &item) > 0; at--)
            items[at] = items[at - 1];
        items[at] = item;
    }
}

/* ---- what the store asks for ---- */

static struct store_row row_at(void *context, size_t i) {
    enum { AHEAD = 8 };
    struct bin *bin = context;
    struct partition *partition = bin->partition;
    const struct delta *delta = &partition->delta;
    if (i + AHEAD < bin->count)
        PREFETCH(&delta->entries[bin->items[i + AHEAD].entry]);
    const struct delta_entry *entry = &delta->entries[bin->items[i].entry];
    const struct cohort *cohort = delta_cohort(delta, entry);
    const struct row_layout *layout = &partition->instances[cohort->instance].layout;
    struct buffer *value = &partition->scratch;
    buffer_reset(value);
    if (bin->family.kind == FAMILY_ROWS) {
        row_write(delta, entry, layout, value);
        return (struct store_row){{(const char *)entry->key, ROW_KEY_BYTES}, buffer_slice(value)};
    }
    mark_write_key(entry->key, cohort->segment, bin->mark_key);
    mark_write(delta, entry, layout, value);
    return (struct store_row){{bin->mark_key, MARK_KEY_BYTES}, buffer_slice(value)};
}

void unstored_gather(struct partition *partition, struct unstored *out_unstored) {
    struct arena *arena = &partition->batch;
    struct bins bins = make_bins(partition);
    const struct place *places = make_places(partition, &bins);
    count_items(&partition->delta, places);
    fill_bins(partition, places, &bins);
    size_t largest = 0;
    for (size_t i = 0; i < bins.count; i++)
        largest = bins.list[i].count > largest ? bins.list[i].count : largest;
    struct unstored_item *spare = arena_take(arena, (largest + 1) * sizeof *spare);
    *out_unstored = (struct unstored){
        .families = arena_take(arena, (bins.count + 1) * sizeof(struct store_rows))};
    for (size_t i = 0; i < bins.count; i++) {
        struct bin *bin = &bins.list[i];
        if (bin->count == 0)
            continue;
        if (bin->family.kind == FAMILY_ROWS) {
            locate_flushed(partition, bin->family, bin->items, bin->count);
            out_unstored->row_count += bin->count;
        } else {
            locate_marked(partition, bin->family, bin->items, bin->count);
        }
        sort_bin(bin, spare);
        out_unstored->families[out_unstored->family_count++] =
            (struct store_rows){bin->family, bin->count, row_at, bin};
    }
}
