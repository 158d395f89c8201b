/* SPDX-License-Identifier: Apache-2.0 */
#include "state/key.h"

#include <string.h>

enum { KIND_BYTES = 1, INSTANCE_BYTES = 4, NUMBER_BYTES = 8 };

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

uint64_t key_head(struct slice key) {
    char head[NUMBER_BYTES] = {0};
    if (key.size >= NUMBER_BYTES)
        return read_big_endian(key.data, NUMBER_BYTES);
    if (key.size > 0)
        memcpy(head, key.data, key.size);
    return read_big_endian(head, NUMBER_BYTES);
}

struct slice run_prefix(struct family family, uint64_t number, char scratch[PREFIX_BYTES]) {
    ASSERT(family_is_sliced(family.kind));
    char *at = scratch;
    write_big_endian(at, (uint64_t)family.kind, KIND_BYTES);
    write_big_endian(at += KIND_BYTES, family.instance, INSTANCE_BYTES);
    write_big_endian(at += INSTANCE_BYTES, (uint64_t)family.slice ^ SIGN_BIT, NUMBER_BYTES);
    write_big_endian(at + NUMBER_BYTES, number, NUMBER_BYTES);
    return (struct slice){scratch, PREFIX_BYTES};
}

bool run_parse(struct slice key, struct family *out_family, uint64_t *out_number) {
    const char *at = key.data;
    if (key.size < PREFIX_BYTES || (*at != FAMILY_ROWS && *at != FAMILY_MARKS))
        return false;
    *out_family = (struct family){.kind = (enum family_kind) * at};
    out_family->instance = (uint32_t)read_big_endian(at += KIND_BYTES, INSTANCE_BYTES);
    out_family->slice = (int64_t)(read_big_endian(at += INSTANCE_BYTES, NUMBER_BYTES) ^ SIGN_BIT);
    *out_number = read_big_endian(at + NUMBER_BYTES, NUMBER_BYTES);
    return true;
}
