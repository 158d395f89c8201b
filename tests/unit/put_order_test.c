/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include "state/key.h"
#include "state/put_order.h"
#include "tests/sim/random.h"

enum { PUTS = 400, KEY_BYTES_MAX = 20 };

struct batch {
    struct store_put puts[PUTS];
    char keys[PUTS][KEY_BYTES_MAX];
};

/* Of few bytes, so that many keys are equal, or begin alike for more than 16. */
static void fill(struct batch *batch, struct random *random) {
    static const enum family_kind kinds[] = {FAMILY_META, FAMILY_PANES, FAMILY_MARKS};
    for (size_t i = 0; i < PUTS; i++) {
        size_t size = random_below(random, 2) ? KEY_BYTES_MAX - random_below(random, 3)
                                              : random_below(random, 4);
        for (size_t at = 0; at < size; at++)
            batch->keys[i][at] = (char)(at < 2 || at >= 17 ? 255 * random_below(random, 2) : 7U);
        struct family family = {.kind = kinds[random_below(random, COUNT_OF(kinds))]};
        if (family.kind == FAMILY_MARKS)
            family.slice = (int64_t)random_below(random, 3) - 1;
        batch->puts[i] = (struct store_put){.family = family, .key = {batch->keys[i], size}};
    }
}

TEST(puts_are_ordered_by_family_and_key_and_equal_ones_as_they_came) {
    static struct batch batch;
    for (uint64_t seed = 1; seed <= 50; seed++) {
        struct random random = {seed};
        struct arena arena;
        bool is_there[PUTS] = {false};
        arena_init(&arena);
        fill(&batch, &random);
        const struct store_put **sorted = put_order(batch.puts, PUTS, &arena);
        for (size_t i = 0; i < PUTS; i++) {
            is_there[sorted[i] - batch.puts] = true;
            if (i == 0)
                continue;
            int order = family_compare(sorted[i - 1]->family, sorted[i]->family);
            if (order == 0)
                order = slice_compare(sorted[i - 1]->key, sorted[i]->key);
            assert_true(order < 0 || (order == 0 && sorted[i - 1] < sorted[i]));
        }
        for (size_t i = 0; i < PUTS; i++)
            assert_true(is_there[i]);
        arena_release(&arena);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(puts_are_ordered_by_family_and_key_and_equal_ones_as_they_came),
    };
    return cmocka_run_group_tests_name("put_order", tests, NULL, NULL);
}
