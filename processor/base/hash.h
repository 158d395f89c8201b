/* hash.h -- keyed hashes, by xxHash's XXH3 (the only place that includes it).
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_BASE_HASH_H
#define SLIPSTREAM_BASE_HASH_H

#include "base/slice.h"

struct hash_key {
    unsigned char bytes[192]; /* XXH3's secret */
};

struct hash128 {
    unsigned char bytes[16];
};

/* The same seed text gives the same key on every member. */
void hash_key_derive(struct hash_key *out_key, struct slice seed);
struct hash128 hash128_keyed(const struct hash_key *key, struct slice bytes);
uint64_t hash64(struct slice bytes); /* not keyed: fingerprints, tables of ours */

#endif
