/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"

#include <string.h>
#include <xxhash.h>

#include "base/error.h"

void hash_key_derive(struct hash_key *out_key, struct slice seed) {
    _Static_assert(sizeof out_key->bytes >= XXH3_SECRET_SIZE_MIN, "secret too short for XXH3");
    for (size_t i = 0; i < sizeof out_key->bytes; i += sizeof(XXH128_canonical_t)) {
        XXH128_canonical_t canonical;
        XXH128_canonicalFromHash(&canonical, XXH3_128bits_withSeed(seed.data, seed.size, i + 1));
        memcpy(out_key->bytes + i, &canonical, sizeof canonical);
    }
}

struct hash128 hash128_keyed(const struct hash_key *key, struct slice bytes) {
    XXH128_hash_t hash =
        XXH3_128bits_withSecret(bytes.data, bytes.size, key->bytes, sizeof key->bytes);
    struct hash128 result;
    memcpy(result.bytes, &hash.high64, 8);
    memcpy(result.bytes + 8, &hash.low64, 8);
    return result;
}

uint64_t hash64(struct slice bytes) {
    return XXH3_64bits(bytes.data, bytes.size);
}
