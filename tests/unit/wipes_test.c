/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"
#include "worker/wipes.h"

enum { SECOND_US = 1000000 };

TEST(the_first_wipe_waits_for_nothing_and_each_further_one_twice_as_long) {
    struct wipes wipes = {.is_due = true};
    int64_t now_us = 5 * SECOND_US;
    assert_int_equal(wipes_next_us(&wipes), 0);
    for (int i = 1; i <= 6; i++) {
        wipes_count(&wipes, now_us);
        assert_int_equal(wipes_next_us(&wipes), now_us + ((int64_t)SECOND_US << i));
        now_us = wipes_next_us(&wipes);
    }
    wipes_count(&wipes, now_us);
    assert_int_equal(wipes_next_us(&wipes), now_us + 64 * (int64_t)SECOND_US);
}

TEST(a_wipe_after_a_quiet_hour_is_a_first_one) {
    struct wipes wipes = {.is_due = true};
    wipes_count(&wipes, SECOND_US);
    wipes_count(&wipes, 4 * SECOND_US);
    assert_int_equal(wipes.in_a_row, 2);
    int64_t later_us = (4 + 3600) * (int64_t)SECOND_US;
    wipes_count(&wipes, later_us);
    assert_int_equal(wipes.in_a_row, 1);
    assert_int_equal(wipes_next_us(&wipes), later_us + 2 * (int64_t)SECOND_US);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(the_first_wipe_waits_for_nothing_and_each_further_one_twice_as_long),
        CASE(a_wipe_after_a_quiet_hour_is_a_first_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
