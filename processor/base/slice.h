/* slice.h -- borrowed bytes, and a growable buffer of owned ones.
 *
 * A slice points into a record, an arena or a buffer and never owns.  A buffer names its largest
 * size when it is made; growing past it aborts, so callers check records against limits before they
 * append.  Out of memory aborts: state is on disk, restart is the one recovery path.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_BASE_SLICE_H
#define SLIPSTREAM_BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct slice {
    const char *data;
    size_t size;
};

/* A string literal as a slice. */
#define SLICE(literal) ((struct slice){(literal), sizeof(literal) - 1})

struct slice slice_from(const char *text); /* NULL gives the empty slice */
bool slice_equal(struct slice a, struct slice b);
/* Like memcmp, a shorter prefix first: negative, 0, positive. */
int slice_compare(struct slice a, struct slice b);

struct buffer {
    char *data;
    size_t size, capacity, limit; /* bytes */
};

void buffer_init(struct buffer *buffer, size_t limit);
void buffer_release(struct buffer *buffer);
void buffer_reset(struct buffer *buffer); /* size 0, keeps the memory */
/* Room for count more bytes; returns where to write them; does not change size. */
char *buffer_reserve(struct buffer *buffer, size_t count);
void buffer_append(struct buffer *buffer, const void *bytes, size_t count);
struct slice buffer_slice(const struct buffer *buffer); /* borrow, valid until the next call */

/* Never NULL; abort when memory is out.  alloc_zero gives zeroed memory, alloc_copy a
 * NUL-terminated copy. */
void *alloc_zero(size_t count, size_t size);
void *alloc_resize(void *memory, size_t count, size_t size);
char *alloc_copy(struct slice text);

#endif
