/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include <string.h>

#include "partition/delta.h"

enum { KEYS = 5000, INSTANCES = 3, SEGMENTS = 40 };

static struct hash128 key_of(uint32_t number) {
    struct hash128 key = {{0}};
    uint32_t words[] = {number * 0x9e3779b9U, number, number * 0x85ebca6bU};
    memcpy(key.bytes, words, ROW_KEY_BYTES);
    return key;
}

/* What a row of this number is made of: rows of the same cohort come far apart. */
static struct cohort cohort_of(uint32_t number) {
    struct cohort cohort = {.segment = (int64_t)(number % SEGMENTS) - SEGMENTS / 2,
                            .instance = (uint16_t)(number % INSTANCES)};
    for (int i = 0; i < GROUPINGS_MAX; i++)
        cohort.groups[i] = (uint16_t)(number / 7 % (uint32_t)(i + 2));
    return cohort;
}

static void insert(struct delta *delta, uint32_t number, bool has_label) {
    struct hash128 key = key_of(number);
    struct cohort cohort = cohort_of(number);
    struct delta_entry *entry = delta_insert(delta, &key, &cohort);
    entry->time_ms = number;
    entry->offset = -(int64_t)number;
    entry->output = .5 * number;
    entry->row_unstored = 1;
    delta->unstored_rows++;
    if (has_label)
        delta_set_label(delta, entry, (struct delta_label){number + 1, number + 2, number + 3});
}

static void expect(const struct delta *delta, uint32_t number, bool has_label, bool unstored) {
    struct hash128 key = key_of(number);
    struct cohort cohort = cohort_of(number);
    const struct delta_entry *entry = delta_find(delta, &key, cohort.instance, cohort.segment);
    assert_non_null(entry);
    assert_memory_equal(delta_cohort(delta, entry), &cohort, sizeof cohort);
    assert_int_equal(entry->time_ms, number);
    assert_int_equal(entry->offset, -(int64_t)number);
    assert_true(entry->output == .5 * number && entry->row_unstored == unstored);
    const struct delta_label *label = delta_label(delta, entry);
    assert_true((label != NULL) == has_label);
    if (label)
        assert_true(label->time_ms == number + 1 && label->offset == number + 2 &&
                    label->value == number + 3);
}

static bool is_labelled(uint32_t number) {
    return number % 3 == 0;
}

TEST(what_was_inserted_is_found_with_its_cohort_and_its_label) {
    struct delta delta;
    delta_init(&delta);
    for (int round = 0; round < 2; round++, delta_reset(&delta)) {
        for (uint32_t i = 0; i < KEYS; i++)
            insert(&delta, i, is_labelled(i));
        for (uint32_t i = 0; i < KEYS; i++)
            expect(&delta, i, is_labelled(i), true);
        struct hash128 absent = key_of(KEYS);
        assert_null(delta_first(&delta, &absent));
    }
    assert_int_equal(delta_bytes(&delta), 0);
    delta_release(&delta);
}

TEST(rows_of_one_key_stand_side_by_side_by_instance_and_segment) {
    struct delta delta;
    struct hash128 key = key_of(1);
    delta_init(&delta);
    for (int64_t segment = -2; segment < 2; segment++)
        for (uint16_t instance = 0; instance < 2; instance++) {
            const struct cohort cohort = {.segment = segment, .instance = instance};
            delta_insert(&delta, &key, &cohort)->time_ms = segment * 2 + instance;
        }
    for (int64_t segment = -2; segment < 2; segment++)
        for (uint16_t instance = 0; instance < 2; instance++)
            assert_int_equal(delta_find(&delta, &key, instance, segment)->time_ms,
                             segment * 2 + instance);
    assert_null(delta_find(&delta, &key, 2, 0));
    assert_null(delta_find(&delta, &key, 0, 2));
    int found = 0;
    for (const struct delta_entry *entry = delta_first(&delta, &key); entry;
         entry = delta_next(&delta, entry))
        found++;
    assert_int_equal(found, 8);
    delta_release(&delta);
}

TEST(a_later_label_takes_the_place_of_the_former) {
    struct delta delta;
    delta_init(&delta);
    insert(&delta, 7, true);
    struct hash128 key = key_of(7);
    struct delta_entry *entry = delta_first(&delta, &key);
    size_t bytes = delta_bytes(&delta);
    delta_set_label(&delta, entry, (struct delta_label){70, 71, 72});
    assert_int_equal(delta_label(&delta, entry)->offset, 71);
    assert_int_equal(delta_bytes(&delta), bytes);
    delta_release(&delta);
}

TEST(a_trim_keeps_the_newest_of_those_that_wait_as_stored_ones) {
    for (size_t kept = 0; kept <= KEYS; kept += KEYS / 5) {
        struct delta delta;
        delta_init(&delta);
        for (uint32_t i = 0; i < KEYS; i++)
            insert(&delta, i, is_labelled(i));
        delta_trim(&delta, kept * (sizeof(struct delta_entry) + sizeof(uint32_t)));
        assert_int_equal(delta.unstored_rows, 0);
        size_t left = 0;
        for (uint32_t i = KEYS; i-- > 0;) {
            if (!is_labelled(i) && left < kept) {
                expect(&delta, i, false, false);
                left++;
                continue;
            }
            struct hash128 key = key_of(i);
            assert_null(delta_first(&delta, &key));
        }
        assert_int_equal(delta.count, left);
        insert(&delta, KEYS, true); /* cohorts and labels go on from what was kept */
        expect(&delta, KEYS, true, true);
        delta_release(&delta);
    }
}

TEST(the_bytes_are_those_of_all_that_is_kept) {
    struct delta delta;
    delta_init(&delta);
    for (uint32_t i = 0; i < KEYS; i++) {
        const struct cohort own = {.segment = i}; /* the worst: a cohort a row */
        struct hash128 key = key_of(i);
        delta_set_label(&delta, delta_insert(&delta, &key, &own), (struct delta_label){0});
    }
    size_t least = KEYS * (sizeof(struct delta_entry) + sizeof(struct delta_label) +
                           2 * sizeof(struct cohort));
    assert_in_range(delta_bytes(&delta), least, 2 * least);
    delta_trim(&delta, SIZE_MAX);
    assert_int_equal(delta_bytes(&delta), 0);
    delta_release(&delta);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(what_was_inserted_is_found_with_its_cohort_and_its_label),
        CASE(rows_of_one_key_stand_side_by_side_by_instance_and_segment),
        CASE(a_later_label_takes_the_place_of_the_former),
        CASE(a_trim_keeps_the_newest_of_those_that_wait_as_stored_ones),
        CASE(the_bytes_are_those_of_all_that_is_kept),
    };
    return cmocka_run_group_tests_name("delta", tests, NULL, NULL);
}
