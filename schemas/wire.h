/* wire.h -- Avro's binary primitives, as steps of a walk over bytes that nobody vouches for.
 *
 * Each function takes a place in the payload and the payload's end and returns the place behind
 * what it read, or NULL when that is malformed or not all there.  The same encoding as
 * base/varint.h, whose reader carries its state in memory: here everything stays in registers.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_SCHEMAS_WIRE_H
#define SLIPSTREAM_SCHEMAS_WIRE_H

#include <stddef.h>
#include <string.h>

#include "base/slice.h"

enum { VARINT_BYTES_MAX = 10 };

typedef const unsigned char *place;

static inline place take_long_slowly(place at, place end, int64_t *out_number) {
    uint64_t zigzag = 0;
    for (unsigned i = 0; i < VARINT_BYTES_MAX && at < end; i++) {
        unsigned char byte = *at++;
        if (i == VARINT_BYTES_MAX - 1 && byte > 1)
            return NULL;
        zigzag |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (byte < 0x80) {
            *out_number = (int64_t)((zigzag >> 1) ^ (0 - (zigzag & 1)));
            return at;
        }
    }
    return NULL;
}

static inline place take_long(place at, place end, int64_t *out_number) {
    if (at == end || *at >= 0x80)
        return take_long_slowly(at, end, out_number);
    *out_number = (int64_t)(*at >> 1) ^ -(int64_t)(*at & 1);
    return at + 1;
}

static inline place take_int(place at, place end, int64_t *out_number) {
    at = take_long(at, end, out_number);
    return at && *out_number == (int32_t)*out_number ? at : NULL;
}

static inline place skip_fixed(place at, place end, uint64_t size) {
    return (uint64_t)(end - at) >= size ? at + size : NULL;
}

static inline place take_bytes(place at, place end, struct slice *out_bytes) {
    int64_t size;
    at = take_long(at, end, &size);
    if (!at || size < 0 || size > end - at)
        return NULL;
    *out_bytes = (struct slice){(const char *)at, (size_t)size};
    return at + size;
}

static inline place skip_bytes(place at, place end, uint32_t count) {
    struct slice bytes;
    for (; count > 0 && at; count--)
        at = take_bytes(at, end, &bytes);
    return at;
}

static inline place skip_varints(place at, place end, uint32_t count) {
    int64_t number;
    for (; count > 0 && at; count--)
        at = take_long(at, end, &number);
    return at;
}

/* Reads a block's header.  A negative count comes with the block's size in bytes, else that is -1.
 * A count of 0 ends the array or map. */
static inline place take_block(place at, place end, uint64_t *out_count, int64_t *out_bytes) {
    int64_t count;
    *out_bytes = -1;
    at = take_long(at, end, &count);
    *out_count = (uint64_t)count;
    if (!at || count >= 0)
        return at;
    *out_count = 0 - (uint64_t)count;
    at = take_long(at, end, out_bytes);
    return at && *out_bytes >= 0 && *out_bytes <= end - at ? at : NULL;
}

static inline place take_float(place at, place end, double *out_number) {
    float number;
    if (end - at < (ptrdiff_t)sizeof number)
        return NULL;
    memcpy(&number, at, sizeof number);
    *out_number = (double)number;
    return at + sizeof number;
}

#endif
