/* SPDX-License-Identifier: Apache-2.0 */
#include "state/key.h"

#include <string.h>

enum { INSTANCE_BYTES = 4 };

static const uint64_t SIGN_BIT = UINT64_C(1) << 63;

bool family_is_sliced(enum family_kind kind) {
    return kind == FAMILY_ROWS || kind == FAMILY_MARKS;
}

int family_compare(struct family a, struct family b) {
    if (a.kind != b.kind)
        return a.kind < b.kind ? -1 : 1;
    if (a.instance != b.instance)
        return a.instance < b.instance ? -1 : 1;
    return (a.slice > b.slice) - (a.slice < b.slice);
}

int row_compare(const struct store_row *a, const struct store_row *b) {
    int order = family_compare(a->family, b->family);
    return order ? order : slice_compare(a->key, b->key);
}

static void write_big_endian(char *out, uint64_t number, int bytes) {
    for (int i = bytes - 1; i >= 0; i--, number >>= 8)
        out[i] = (char)(unsigned char)(number & 0xff);
}

static uint64_t read_big_endian(const char *bytes, int count) {
    uint64_t number = 0;
    for (int i = 0; i < count; i++)
        number = number << 8 | (unsigned char)bytes[i];
    return number;
}

struct slice family_prefix(struct family family, char scratch[PREFIX_BYTES]) {
    ASSERT(family_is_sliced(family.kind));
    write_big_endian(scratch, family.instance, INSTANCE_BYTES);
    write_big_endian(scratch + INSTANCE_BYTES, (uint64_t)family.slice ^ SIGN_BIT,
                     PREFIX_BYTES - INSTANCE_BYTES);
    return (struct slice){scratch, PREFIX_BYTES};
}

bool prefix_end(const char prefix[PREFIX_BYTES], char out_end[PREFIX_BYTES]) {
    memcpy(out_end, prefix, PREFIX_BYTES);
    for (int i = PREFIX_BYTES - 1; i >= 0; i--) {
        out_end[i] = (char)(unsigned char)((unsigned char)out_end[i] + 1U);
        if (out_end[i] != 0)
            return true;
    }
    return false;
}

bool family_parse(enum family_kind kind, struct slice key, struct family *out_family) {
    if (key.size < PREFIX_BYTES)
        return false;
    const char *bytes = key.data;
    uint64_t slice = read_big_endian(bytes + INSTANCE_BYTES, PREFIX_BYTES - INSTANCE_BYTES);
    *out_family = (struct family){.kind = kind,
                                  .instance = (uint32_t)read_big_endian(bytes, INSTANCE_BYTES),
                                  .slice = (int64_t)(slice ^ SIGN_BIT)};
    return true;
}
