/* The dictionary of groups: two limits, both told by "other".  SPDX-License-Identifier: Apache-2.0
 */
#include "partition/groups.h"
#include "tests/lib/test.h"

static const struct task_definition definition = {
    .grouping_count = 1,
    .groupings = {{.name = "url", .column_count = 1}},
    .groups_max = 1000,
};

static const char *name_of(struct groups *groups, const char *text) {
    struct value value = {.kind = VALUE_STRING, .as.string = slice_from(text)};
    uint16_t number;
    groups_of(groups, &value, &number);
    return groups_name(groups, number);
}

TEST(texts_beyond_their_room_count_in_other) {
    struct groups groups, again;
    groups_init(&groups, &definition, 10);
    assert_string_equal(name_of(&groups, "abcdef"), "url=abcdef");
    assert_string_equal(name_of(&groups, "ghijk"), "url~other");
    assert_string_equal(name_of(&groups, "ghij"), "url=ghij");
    assert_string_equal(name_of(&groups, "l"), "url~other");
    assert_string_equal(name_of(&groups, "abcdef"), "url=abcdef");

    /* The same after a restart. */
    struct buffer saved;
    buffer_init(&saved, 1 << 20);
    groups_write(&groups, &saved);
    groups_init(&again, &definition, 10);
    struct reader reader = reader_from(buffer_slice(&saved));
    assert_true(groups_read(&again, &reader));
    assert_string_equal(name_of(&again, "ghij"), "url=ghij");
    assert_string_equal(name_of(&again, "l"), "url~other");
    buffer_release(&saved);
    groups_release(&again);
    groups_release(&groups);
}

TEST(groups_beyond_their_number_count_in_other) {
    struct groups groups;
    char text[16];
    groups_init(&groups, &definition, GROUPS_TEXT_BYTES_MAX);
    for (int i = 0; i < 1000; i++) {
        (void)snprintf(text, sizeof text, "%d", i);
        assert_string_not_equal(name_of(&groups, text), "url~other");
    }
    assert_string_equal(name_of(&groups, "more"), "url~other");
    assert_string_equal(name_of(&groups, "999"), "url=999");
    groups_release(&groups);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(texts_beyond_their_room_count_in_other),
        CASE(groups_beyond_their_number_count_in_other),
    };
    return cmocka_run_group_tests_name("groups", tests, NULL, NULL);
}
