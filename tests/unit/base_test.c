/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include "base/arena.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/varint.h"

TEST(longs_survive_writing_and_reading) {
    static const int64_t values[] = {0, -1, 1, 63, 64, -64, -65, 1LL << 40, INT64_MAX, INT64_MIN};
    struct buffer buffer;
    buffer_init(&buffer, 1 << 16);
    for (size_t i = 0; i < COUNT_OF(values); i++)
        write_long(&buffer, values[i]);
    struct reader reader = reader_from(buffer_slice(&buffer));
    for (size_t i = 0; i < COUNT_OF(values); i++)
        assert_int_equal(read_long(&reader), values[i]);
    assert_true(reader_done(&reader));
    buffer_release(&buffer);
}

TEST(every_truncation_is_noticed) {
    struct buffer buffer;
    buffer_init(&buffer, 1 << 16);
    write_long(&buffer, INT64_MIN);
    write_bytes(&buffer, SLICE("hello"));
    write_double(&buffer, 1.5);
    for (size_t size = 0; size < buffer.size; size++) {
        struct reader reader = reader_from((struct slice){buffer.data, size});
        (void)read_long(&reader);
        (void)read_bytes(&reader);
        (void)read_double(&reader);
        assert_false(reader_done(&reader));
    }
    buffer_release(&buffer);
}

TEST(an_overlong_number_is_refused) {
    struct reader reader = reader_from(SLICE("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f"));
    (void)read_long(&reader);
    assert_true(reader.failed);
}

TEST(an_arena_gives_aligned_distinct_memory_again_and_again) {
    struct arena arena;
    arena_init(&arena);
    for (int round = 0; round < 3; round++) {
        for (size_t size = 1; size < 200000; size = size * 3 + 1) {
            char *memory = arena_take(&arena, size);
            assert_int_equal((uintptr_t)memory % 16, 0);
            memset(memory, round, size);
        }
        arena_reset(&arena);
    }
    arena_release(&arena);
}

TEST(a_wrapped_error_reads_context_first) {
    struct error err = {0};
    (void)error_set(&err, STATUS_IO, "disk %d full", 3);
    assert_int_equal(error_wrap(&err, STATUS_IO, "open state"), STATUS_IO);
    assert_string_equal(err.text, "open state: disk 3 full");
}

TEST(keyed_hashes_differ_by_key_only) {
    struct hash_key a, b, again;
    hash_key_derive(&a, SLICE("one"));
    hash_key_derive(&b, SLICE("two"));
    hash_key_derive(&again, SLICE("one"));
    struct hash128 x = hash128_keyed(&a, SLICE("id")), y = hash128_keyed(&b, SLICE("id"));
    struct hash128 z = hash128_keyed(&again, SLICE("id"));
    assert_memory_not_equal(&x, &y, sizeof x);
    assert_memory_equal(&x, &z, sizeof x);
}

TEST(an_arena_tells_what_it_keeps_beyond_a_reset) {
    struct arena arena;
    arena_init(&arena);
    assert_int_equal(arena_memory(&arena), 0);
    (void)arena_take(&arena, 10);
    (void)arena_take(&arena, 200000);
    assert_in_range(arena_memory(&arena), 265000, 266000);
    arena_reset(&arena);
    assert_in_range(arena_memory(&arena), 265000, 266000);
    arena_release(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(longs_survive_writing_and_reading),
        CASE(every_truncation_is_noticed),
        CASE(an_overlong_number_is_refused),
        CASE(an_arena_gives_aligned_distinct_memory_again_and_again),
        CASE(an_arena_tells_what_it_keeps_beyond_a_reset),
        CASE(a_wrapped_error_reads_context_first),
        CASE(keyed_hashes_differ_by_key_only),
    };
    return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
