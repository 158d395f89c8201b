/* SPDX-License-Identifier: Apache-2.0 */
#include "base/varint.h"

#include <string.h>

enum { VARINT_BYTES_MAX = 10 };

struct reader reader_from(struct slice bytes) {
    const unsigned char *at = (const unsigned char *)bytes.data;
    return (struct reader){at, at + bytes.size, false};
}

static int64_t fail(struct reader *reader) {
    reader->failed = true;
    reader->at = reader->end;
    return 0;
}

int64_t read_long(struct reader *reader) {
    uint64_t zigzag = 0;
    for (unsigned i = 0; i < VARINT_BYTES_MAX; i++) {
        if (reader->at == reader->end)
            return fail(reader);
        unsigned char byte = *reader->at++;
        if (i == VARINT_BYTES_MAX - 1 && byte > 1)
            return fail(reader);
        zigzag |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (byte < 0x80)
            return (int64_t)((zigzag >> 1) ^ (0 - (zigzag & 1)));
    }
    return fail(reader);
}

double read_double(struct reader *reader) {
    if (reader->end - reader->at < 8)
        return (double)fail(reader);
    double value;
    memcpy(&value, reader->at, sizeof value);
    reader->at += sizeof value;
    return value;
}

struct slice read_bytes(struct reader *reader) {
    int64_t size = read_long(reader);
    if (size < 0 || size > reader->end - reader->at) {
        (void)fail(reader);
        return (struct slice){"", 0};
    }
    struct slice bytes = {(const char *)reader->at, (size_t)size};
    reader->at += size;
    return bytes;
}

bool reader_done(const struct reader *reader) {
    return !reader->failed && reader->at == reader->end;
}

void write_long(struct buffer *buffer, int64_t value) {
    unsigned char *at = (unsigned char *)buffer_reserve(buffer, VARINT_BYTES_MAX);
    uint64_t zigzag = ((uint64_t)value << 1) ^ (value < 0 ? UINT64_MAX : 0);
    size_t count = 0;
    for (; zigzag >= 0x80; zigzag >>= 7)
        at[count++] = (unsigned char)(zigzag | 0x80);
    at[count++] = (unsigned char)zigzag;
    buffer->size += count;
}

void write_double(struct buffer *buffer, double value) {
    _Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "a little-endian host is assumed");
    buffer_append(buffer, &value, sizeof value);
}

void write_bytes(struct buffer *buffer, struct slice bytes) {
    write_long(buffer, (int64_t)bytes.size);
    buffer_append(buffer, bytes.data, bytes.size);
}
