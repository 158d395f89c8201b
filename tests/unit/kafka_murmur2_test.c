/* SPDX-License-Identifier: Apache-2.0 */
#include "kafka/murmur2.h"

#include "tests/lib/test.h"

/* Published in Apache Kafka's UtilsTest.java. */
static const struct {
    const char *key;
    int32_t hash;
} vectors[] = {
    {"21", -973932308},
    {"foobar", -790332482},
    {"a-little-bit-long-string", -985981536},
    {"a-little-bit-longer-string", -1486304829},
    {"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971},
    {"abc", 479470107},
};

TEST(the_hash_equals_the_one_of_java_clients) {
    for (size_t i = 0; i < COUNT_OF(vectors); i++)
        assert_int_equal(murmur2(slice_from(vectors[i].key)), vectors[i].hash);
}

/* Utils.toPositive(murmur2(key)) % 7, by hand: -973932308 + 2^31 = 1173551340 = 7 * 167650191 + 3.
 */
TEST(a_negative_hash_loses_its_sign_bit_before_the_division) {
    assert_int_equal(murmur2_partition(SLICE("21"), 7), 3);
    assert_int_equal(murmur2_partition(SLICE("21"), 1), 0);
}

TEST(an_empty_key_is_hashed) {
    assert_int_equal(murmur2(SLICE("")), 275646681);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(the_hash_equals_the_one_of_java_clients),
        CASE(a_negative_hash_loses_its_sign_bit_before_the_division),
        CASE(an_empty_key_is_hashed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
