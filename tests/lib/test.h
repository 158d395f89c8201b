/* test.h -- what every cmocka program of ours includes.  SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_TESTS_LIB_TEST_H
#define SLIPSTREAM_TESTS_LIB_TEST_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/attributes.h"

/* A test; its name is a sentence. */
#define TEST(name) static void name(void **state UNUSED)
#define CASE(name) cmocka_unit_test(name)

/* cmocka 1.1.5 compares floats only. */
#define assert_close(actual, expected, tolerance)                                                  \
    do {                                                                                           \
        double actual_ = (actual), expected_ = (expected);                                         \
        if (!(fabs(actual_ - expected_) <= (tolerance))) {                                         \
            print_error("%s = %.17g, expected %.17g within %g\n", #actual, actual_, expected_,     \
                        (double)(tolerance));                                                      \
            fail();                                                                                \
        }                                                                                          \
    } while (0)

#define assert_ok(expression) assert_int_equal((expression), STATUS_OK)

/* Seed of random tests: SEED=42 in the environment, else fallback; printed, so that it can be run
 * again. */
static inline UNUSED uint64_t test_seed(uint64_t fallback) {
    const char *text = getenv("SEED");
    uint64_t seed = text ? strtoull(text, NULL, 10) : fallback;
    print_message("SEED=%llu\n", (unsigned long long)seed);
    return seed;
}

#endif
