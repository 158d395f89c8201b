/* varint.h -- Avro's binary numbers: zigzag varints (int, long), little-endian doubles,
 * length-prefixed bytes.  Also the byte order of every record that we keep on disk.
 *
 * Source   Apache Avro 1.11 specification, "Binary Encoding".  Reading is bounds-checked: a reader
 * that ran out of bytes or met an overlong number has failed set and yields zeros from then on;
 * check it once at the end.  SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_BASE_VARINT_H
#define SLIPSTREAM_BASE_VARINT_H

#include "base/slice.h"

struct reader {
    const unsigned char *at, *end;
    bool failed;
};

struct reader reader_from(struct slice bytes);
int64_t read_long(struct reader *reader);
double read_double(struct reader *reader);
struct slice read_bytes(struct reader *reader); /* length-prefixed; a borrow of the input */
bool reader_done(const struct reader *reader);  /* nothing left and never failed */

void write_long(struct buffer *buffer, int64_t value);
void write_double(struct buffer *buffer, double value);
void write_bytes(struct buffer *buffer, struct slice bytes); /* length, then the bytes */

#endif
