/* SPDX-License-Identifier: Apache-2.0 */
#include "base/slice.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

struct slice slice_from(const char *text) {
    return (struct slice){text ? text : "", text ? strlen(text) : 0};
}

bool slice_equal(struct slice a, struct slice b) {
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

int slice_compare(struct slice a, struct slice b) {
    size_t shared = a.size < b.size ? a.size : b.size;
    int order = shared ? memcmp(a.data, b.data, shared) : 0;
    return order ? order : (a.size > b.size) - (a.size < b.size);
}

void buffer_init(struct buffer *buffer, size_t limit) {
    *buffer = (struct buffer){.limit = limit};
}

void buffer_release(struct buffer *buffer) {
    free(buffer->data);
    *buffer = (struct buffer){.limit = buffer->limit};
}

void buffer_reset(struct buffer *buffer) {
    buffer->size = 0;
}

char *buffer_reserve(struct buffer *buffer, size_t count) {
    ASSERT(count <= buffer->limit && buffer->size <= buffer->limit - count);
    if (buffer->capacity - buffer->size < count) {
        size_t wanted = buffer->capacity * 2 < 256 ? 256 : buffer->capacity * 2;
        if (wanted < buffer->size + count)
            wanted = buffer->size + count;
        buffer->capacity = wanted < buffer->limit ? wanted : buffer->limit;
        buffer->data = alloc_resize(buffer->data, buffer->capacity, 1);
    }
    return buffer->data + buffer->size;
}

void buffer_append(struct buffer *buffer, const void *bytes, size_t count) {
    if (count == 0)
        return;
    memcpy(buffer_reserve(buffer, count), bytes, count);
    buffer->size += count;
}

struct slice buffer_slice(const struct buffer *buffer) {
    return (struct slice){buffer->data ? buffer->data : "", buffer->size};
}

void *alloc_zero(size_t count, size_t size) {
    void *memory = calloc(count ? count : 1, size ? size : 1);
    ASSERT(memory != NULL);
    return memory;
}

void *alloc_resize(void *memory, size_t count, size_t size) {
    ASSERT(size == 0 || count <= SIZE_MAX / size);
    size_t bytes = count * size;
    void *resized = realloc(memory, bytes ? bytes : 1);
    ASSERT(resized != NULL);
    return resized;
}

char *alloc_copy(struct slice text) {
    char *copy = alloc_zero(text.size + 1, 1);
    if (text.size)
        memcpy(copy, text.data, text.size);
    return copy;
}
