/* SPDX-License-Identifier: Apache-2.0 */
#include "kafka/murmur2.h"

#include <string.h>

#include "base/error.h"

static const uint32_t MULTIPLIER = 0x5bd1e995;

static uint32_t load_little_endian(const unsigned char *bytes) {
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
           (uint32_t)bytes[3] << 24;
}

static uint32_t mix(uint32_t word) {
    word *= MULTIPLIER;
    word ^= word >> 24;
    return word * MULTIPLIER;
}

int32_t murmur2(struct slice key) {
    const unsigned char *at = (const unsigned char *)key.data;
    uint32_t hash = 0x9747b28c ^ (uint32_t)key.size;
    size_t left = key.size;
    for (; left >= 4; left -= 4, at += 4)
        hash = hash * MULTIPLIER ^ mix(load_little_endian(at));
    if (left > 0) {
        unsigned char tail[4] = {0};
        for (size_t i = 0; i < left; i++)
            tail[i] = at[i];
        hash = (hash ^ load_little_endian(tail)) * MULTIPLIER;
    }
    hash ^= hash >> 13;
    hash *= MULTIPLIER;
    hash ^= hash >> 15;
    int32_t value;
    memcpy(&value, &hash, sizeof value);
    return value;
}

int32_t murmur2_partition(struct slice key, int32_t partition_count) {
    ASSERT(partition_count >= 1);
    return (murmur2(key) & INT32_MAX) % partition_count;
}
