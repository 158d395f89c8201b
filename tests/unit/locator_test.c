/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include <string.h>

#include "partition/locator.h"

enum { ROWS_A_SEGMENT = 500, SEGMENTS = 200 };

static struct hash128 key_of(int64_t segment, int64_t i) {
    int64_t id = segment * ROWS_A_SEGMENT + i;
    struct hash128 key;
    memset(&key, 0, sizeof key);
    uint64_t words[2] = {(uint64_t)id * UINT64_C(0x9e3779b97f4a7c15),
                         (uint64_t)(id + 1) * UINT64_C(0xc2b2ae3d27d4eb4f)};
    memcpy(key.bytes, words, sizeof key.bytes);
    return key;
}

static void add_segment(struct locator *locator, int64_t segment) {
    for (int64_t i = 0; i < ROWS_A_SEGMENT; i++) {
        struct hash128 key = key_of(segment, i);
        locator_add(locator, &key, segment, i % 3 == 0);
    }
}

static bool has_all(const struct locator *locator, int64_t segment) {
    for (int64_t i = 0; i < ROWS_A_SEGMENT; i++) {
        struct hash128 key = key_of(segment, i);
        if (!locator_has(locator, &key, segment))
            return false;
    }
    return true;
}

TEST(what_was_added_is_found) {
    struct locator locator;
    locator_init(&locator, 1 << 20);
    for (int64_t segment = 0; segment < SEGMENTS; segment++) {
        assert_true(locator_reserve(&locator, ROWS_A_SEGMENT));
        add_segment(&locator, segment);
    }
    for (int64_t segment = 0; segment < SEGMENTS; segment++) {
        assert_true(has_all(&locator, segment));
        struct hash128 key = key_of(segment, 7);
        uint32_t codes[LOCATOR_FOUND_MAX];
        size_t count = locator_find(&locator, &key, codes);
        bool found = false;
        for (size_t i = 0; i < count; i++)
            found |= codes[i] == locator_code(segment);
        assert_true(found);
    }
    locator_release(&locator);
    assert_int_equal(locator.bytes, 0);
}

/* Every third row was added with a mark; a second slot of a row must not hide it. */
TEST(rows_that_may_have_a_mark_are_known_and_most_others_too) {
    struct locator locator;
    locator_init(&locator, 1 << 20);
    for (int64_t segment = 0; segment < SEGMENTS; segment++) {
        assert_true(locator_reserve(&locator, ROWS_A_SEGMENT + 1));
        add_segment(&locator, segment);
        struct hash128 key = key_of(segment, 3);
        locator_add(&locator, &key, segment, false);
    }
    for (int64_t segment = 0; segment < SEGMENTS; segment++)
        for (int64_t i = 1; i < ROWS_A_SEGMENT; i += 6) {
            struct hash128 key = key_of(segment, i);
            locator_mark(&locator, &key, segment);
        }
    int wrong = 0;
    for (int64_t segment = 0; segment < SEGMENTS; segment++) {
        assert_true(has_all(&locator, segment));
        for (int64_t i = 0; i < ROWS_A_SEGMENT; i++) {
            struct hash128 key = key_of(segment, i);
            bool is_marked = i % 3 == 0 || i % 6 == 1;
            bool may_be = locator_has_mark(&locator, &key, segment);
            assert_true(may_be || !is_marked);
            wrong += may_be != is_marked;
        }
    }
    assert_in_range(wrong, 0, 10);
    locator_release(&locator);
}

/* A segment that lost a row must be among those dropped; the newest stay; the cap holds. */
TEST(past_its_cap_the_oldest_segments_are_dropped) {
    static const size_t caps[] = {3000, 11000, 50000, 200000};
    for (size_t c = 0; c < sizeof caps / sizeof caps[0]; c++) {
        struct locator locator;
        locator_init(&locator, caps[c]);
        bool located[SEGMENTS] = {false};
        size_t known = 0;
        for (int64_t segment = 0; segment < SEGMENTS; segment++) {
            if (!locator_reserve(&locator, ROWS_A_SEGMENT)) {
                struct locator_codes dropped = {0};
                locator_drop_oldest(&locator, ROWS_A_SEGMENT, &dropped);
                for (int64_t i = 0; i < segment; i++)
                    if (locator_codes_have(&dropped, i))
                        located[i] = false;
            }
            located[segment] = locator_reserve(&locator, ROWS_A_SEGMENT);
            if (located[segment])
                add_segment(&locator, segment);
            assert_true(locator.bytes <= caps[c]);
        }
        for (int64_t segment = 0; segment < SEGMENTS; segment++) {
            known += located[segment];
            assert_true(!located[segment] || has_all(&locator, segment));
            assert_true(segment == 0 || located[segment] >= located[segment - 1]);
        }
        /* Three bytes a row at three quarters full: half of that is the least to expect. */
        assert_true(caps[c] < 10000 || known * ROWS_A_SEGMENT * 4 >= caps[c] / 2);
        assert_true(known < SEGMENTS);
        locator_release(&locator);
    }
}

TEST(generations_expire_with_their_last_segment) {
    struct locator locator;
    locator_init(&locator, 1 << 20);
    for (int64_t segment = 0; segment < SEGMENTS; segment++) {
        assert_true(locator_reserve(&locator, ROWS_A_SEGMENT));
        add_segment(&locator, segment);
    }
    assert_false(locator_expire(&locator, 0));
    assert_true(locator_expire(&locator, SEGMENTS / 2));
    for (int64_t segment = SEGMENTS / 2; segment < SEGMENTS; segment++)
        assert_true(has_all(&locator, segment));
    assert_true(locator_expire(&locator, SEGMENTS));
    assert_int_equal(locator.bytes, 0);
    locator_release(&locator);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(what_was_added_is_found),
        CASE(rows_that_may_have_a_mark_are_known_and_most_others_too),
        CASE(past_its_cap_the_oldest_segments_are_dropped),
        CASE(generations_expire_with_their_last_segment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
