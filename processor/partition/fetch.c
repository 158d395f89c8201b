/* fetch.c -- rows and their label marks from the store into the delta, those of many segments at
 * once.  SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "partition/internal.h"

static enum status corrupt(struct error *err) {
    return error_set(err, STATUS_CORRUPT, "a stored row or label mark does not parse");
}

/* ---- rows ---- */

static struct store_question ask_rows(struct partition *partition, struct wanted_rows *wanted) {
    struct slice *keys = arena_take(&partition->batch, (wanted->count + 1) * sizeof *keys);
    wanted->values = arena_take(&partition->batch, (wanted->count + 1) * sizeof *wanted->values);
    for (size_t i = 0; i < wanted->count; i++)
        keys[i] = (struct slice){(const char *)wanted->keys[i]->bytes, ROW_KEY_BYTES};
    partition->look_ups += (int64_t)wanted->count;
    partition->since_flush.rows_asked += (int64_t)wanted->count;
    const struct instance *instance = &partition->instances[wanted->instance];
    return (struct store_question){
        {FAMILY_ROWS, instance->id, wanted->segment}, keys, wanted->count, wanted->values};
}

static enum status read_rows(struct partition *partition, const struct wanted_rows *wanted,
                             struct error *err) {
    const struct row_layout *layout = &partition->instances[wanted->instance].layout;
    for (size_t i = 0; i < wanted->count; i++)
        if (wanted->values[i].data &&
            !row_read(&partition->delta, wanted->keys[i], wanted->instance, wanted->segment, layout,
                      wanted->values[i]))
            return corrupt(err);
    return STATUS_OK;
}

enum status fetch_rows(struct partition *partition, struct wanted_rows *wanted, size_t count,
                       struct error *err) {
    struct store *store = partition->store;
    struct store_question *questions =
        arena_take(&partition->batch, (count + 1) * sizeof *questions);
    for (size_t i = 0; i < count; i++)
        questions[i] = ask_rows(partition, &wanted[i]);
    TRY(store->ops->ask(store, questions, count, &partition->batch, err));
    for (size_t i = 0; i < count; i++)
        TRY(read_rows(partition, &wanted[i], err));
    return STATUS_OK;
}

/* ---- marks ---- */

/* The mark of an entry of the delta. */
struct wanted_mark {
    struct family family;
    uint32_t entry;
    char key[MARK_KEY_BYTES];
};

static int compare_marks(const void *left, const void *right) {
    const struct wanted_mark *a = left, *b = right;
    int order = family_compare(a->family, b->family);
    return order ? order : memcmp(a->key, b->key, sizeof a->key);
}

static bool may_have_mark(struct instance *instance, const struct delta_entry *entry,
                          int64_t number) {
    const struct segment *segment = segments_find(&instance->segments, number);
    struct hash128 key = row_key_read(entry->key);
    return segment->has_marks &&
           (!segment->located || locator_has_mark(&instance->locator, &key, number));
}

static size_t want_marks(struct partition *partition, size_t first,
                         struct wanted_mark *out_wanted) {
    const struct delta *delta = &partition->delta;
    size_t count = 0;
    for (size_t i = first; i < delta->count; i++) {
        const struct delta_entry *entry = &delta->entries[i];
        const struct cohort *cohort = delta_cohort(delta, entry);
        struct instance *instance = &partition->instances[cohort->instance];
        if (!may_have_mark(instance, entry, cohort->segment))
            continue;
        struct wanted_mark *wanted = &out_wanted[count++];
        wanted->family = (struct family){FAMILY_MARKS, instance->id, mark_slice(cohort->segment)};
        wanted->entry = (uint32_t)i;
        mark_write_key(entry->key, cohort->segment, wanted->key);
    }
    qsort(out_wanted, count, sizeof *out_wanted, compare_marks);
    return count;
}

/* One a family: its keys and values lie in those of all. */
static size_t ask_marks(const struct wanted_mark *wanted, size_t count, struct slice *keys,
                        struct slice *values, struct store_question *out_questions) {
    size_t questions = 0;
    for (size_t i = 0; i < count; i++) {
        keys[i] = (struct slice){wanted[i].key, MARK_KEY_BYTES};
        if (i == 0 || family_compare(wanted[i - 1].family, wanted[i].family) != 0)
            out_questions[questions++] =
                (struct store_question){wanted[i].family, &keys[i], 0, &values[i]};
        out_questions[questions - 1].count++;
    }
    return questions;
}

enum status fetch_marks(struct partition *partition, size_t first, struct error *err) {
    struct arena *arena = &partition->batch;
    struct store *store = partition->store;
    struct delta *delta = &partition->delta;
    size_t most = delta->count - first;
    if (most == 0)
        return STATUS_OK;
    struct wanted_mark *wanted = arena_take(arena, most * sizeof *wanted);
    size_t count = want_marks(partition, first, wanted);
    struct slice *keys = arena_take(arena, (count + 1) * sizeof *keys);
    struct slice *values = arena_take(arena, (count + 1) * sizeof *values);
    struct store_question *questions = arena_take(arena, (count + 1) * sizeof *questions);
    size_t asked = ask_marks(wanted, count, keys, values, questions);
    TRY(store->ops->ask(store, questions, asked, arena, err));
    for (size_t i = 0; i < count; i++) {
        struct delta_entry *entry = &delta->entries[wanted[i].entry];
        uint16_t instance = delta_cohort(delta, entry)->instance;
        if (values[i].data &&
            !mark_read(delta, entry, &partition->instances[instance].layout, values[i]))
            return corrupt(err);
    }
    return STATUS_OK;
}
