/* random.h -- the simulator's only source of chance: one seed, one sequence (SplitMix64).
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_TESTS_SIM_RANDOM_H
#define SLIPSTREAM_TESTS_SIM_RANDOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"

struct random {
    uint64_t state;
};

static inline UNUSED uint64_t random_bits(struct random *random) {
    uint64_t z = random->state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* Uniform in [low, high]. */
static inline UNUSED int64_t random_between(struct random *random, int64_t low, int64_t high) {
    return low + (int64_t)(random_bits(random) % (uint64_t)(high - low + 1));
}

static inline UNUSED size_t random_below(struct random *random, size_t count) {
    return (size_t)(random_bits(random) % count);
}

static inline UNUSED double random_unit(struct random *random) {
    return (double)(random_bits(random) >> 11) * 0x1p-53;
}

static inline UNUSED bool random_chance(struct random *random, double probability) {
    return random_unit(random) < probability;
}

/* One of the values of an array. */
#define RANDOM_OF(random, values) ((values)[random_below((random), COUNT_OF(values))])

#endif
