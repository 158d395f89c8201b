/* SPDX-License-Identifier: Apache-2.0 */
#include "partition/orphans.h"

#include <stdlib.h>
#include <string.h>

#include "base/varint.h"

enum { CAPACITY_MIN = 256, ID_BYTES_MAX = 1024 };

static void reset_buckets(struct orphans *orphans, size_t bucket_count) {
    orphans->bucket_count = bucket_count;
    orphans->buckets = alloc_resize(orphans->buckets, bucket_count, sizeof *orphans->buckets);
    memset(orphans->buckets, 0xff, bucket_count * sizeof *orphans->buckets);
}

static uint32_t *bucket_of(const struct orphans *orphans, const struct hash128 *key) {
    uint64_t word;
    memcpy(&word, key->bytes, sizeof word);
    return &orphans->buckets[word & (orphans->bucket_count - 1)];
}

void orphans_init(struct orphans *orphans) {
    *orphans = (struct orphans){.free_list = ORPHAN_NONE};
    reset_buckets(orphans, CAPACITY_MIN);
    buffer_init(&orphans->removed, SIZE_MAX / 2);
}

void orphans_release(struct orphans *orphans) {
    for (size_t i = 0; i < orphans->capacity; i++)
        if (orphans->list[i].used)
            free(orphans->list[i].id);
    free(orphans->list);
    free(orphans->buckets);
    free(orphans->heap);
    buffer_release(&orphans->removed);
    *orphans = (struct orphans){0};
}

/* ---- the heap of deadlines ---- */

static bool earlier(const struct orphans *orphans, uint32_t a, uint32_t b) {
    const struct orphan *x = &orphans->list[a], *y = &orphans->list[b];
    return x->deadline_ms != y->deadline_ms ? x->deadline_ms < y->deadline_ms
                                            : x->offset < y->offset;
}

static void place(struct orphans *orphans, size_t index, uint32_t number) {
    orphans->heap[index] = number;
    orphans->list[number].heap_index = (uint32_t)index;
}

static void sift_up(struct orphans *orphans, size_t index, uint32_t number) {
    while (index > 0 && earlier(orphans, number, orphans->heap[(index - 1) / 2])) {
        place(orphans, index, orphans->heap[(index - 1) / 2]);
        index = (index - 1) / 2;
    }
    place(orphans, index, number);
}

static void sift_down(struct orphans *orphans, size_t index, uint32_t number) {
    for (size_t child; (child = 2 * index + 1) < orphans->count; index = child) {
        if (child + 1 < orphans->count &&
            earlier(orphans, orphans->heap[child + 1], orphans->heap[child]))
            child++;
        if (!earlier(orphans, orphans->heap[child], number))
            break;
        place(orphans, index, orphans->heap[child]);
    }
    place(orphans, index, number);
}

/* ---- adding, finding, removing ---- */

static void link_orphan(struct orphans *orphans, uint32_t number) {
    uint32_t *bucket = bucket_of(orphans, &orphans->list[number].key);
    orphans->list[number].next = *bucket;
    *bucket = number;
}

static void grow(struct orphans *orphans) {
    size_t old = orphans->capacity, capacity = old ? old * 2 : CAPACITY_MIN;
    orphans->list = alloc_resize(orphans->list, capacity, sizeof *orphans->list);
    orphans->heap = alloc_resize(orphans->heap, capacity, sizeof *orphans->heap);
    orphans->capacity = capacity;
    for (size_t i = capacity; i-- > old;) {
        orphans->list[i] = (struct orphan){.next = orphans->free_list};
        orphans->free_list = (uint32_t)i;
    }
    if (capacity <= orphans->bucket_count)
        return;
    reset_buckets(orphans, capacity);
    for (size_t i = 0; i < old; i++)
        if (orphans->list[i].used)
            link_orphan(orphans, (uint32_t)i);
}

static size_t bytes_of(const struct orphan *orphan) {
    return sizeof *orphan + 2 * sizeof(uint32_t) + orphan->id_size;
}

void orphans_add(struct orphans *orphans, const struct orphan *orphan, struct slice id) {
    if (orphans->free_list == ORPHAN_NONE)
        grow(orphans);
    uint32_t number = orphans->free_list;
    struct orphan *kept = &orphans->list[number];
    orphans->free_list = kept->next;
    *kept = *orphan;
    kept->id = alloc_copy(id);
    kept->id_size = (uint32_t)id.size;
    kept->used = true;
    link_orphan(orphans, number);
    orphans->count++;
    sift_up(orphans, orphans->count - 1, number);
    orphans->bytes += bytes_of(kept);
}

static uint32_t match(const struct orphans *orphans, uint32_t number, uint32_t task,
                      const struct hash128 *key) {
    for (; number != ORPHAN_NONE; number = orphans->list[number].next)
        if (orphans->list[number].task == task &&
            memcmp(&orphans->list[number].key, key, sizeof *key) == 0)
            return number;
    return ORPHAN_NONE;
}

uint32_t orphans_first(const struct orphans *orphans, uint32_t task, const struct hash128 *key) {
    return orphans->count == 0 ? ORPHAN_NONE : match(orphans, *bucket_of(orphans, key), task, key);
}

uint32_t orphans_next(const struct orphans *orphans, uint32_t number) {
    const struct orphan *orphan = &orphans->list[number];
    return match(orphans, orphan->next, orphan->task, &orphan->key);
}

uint32_t orphans_earliest(const struct orphans *orphans) {
    return orphans->count ? orphans->heap[0] : ORPHAN_NONE;
}

static void unlink_orphan(struct orphans *orphans, uint32_t number) {
    uint32_t *link = bucket_of(orphans, &orphans->list[number].key);
    while (*link != number)
        link = &orphans->list[*link].next;
    *link = orphans->list[number].next;
}

static void heap_remove(struct orphans *orphans, size_t index) {
    uint32_t moved = orphans->heap[--orphans->count];
    if (index == orphans->count)
        return;
    if (index > 0 && earlier(orphans, moved, orphans->heap[(index - 1) / 2]))
        sift_up(orphans, index, moved);
    else
        sift_down(orphans, index, moved);
}

void orphans_remove(struct orphans *orphans, uint32_t number) {
    struct orphan *orphan = &orphans->list[number];
    if (orphan->stored) {
        char key[ORPHAN_KEY_BYTES];
        orphan_write_key(orphan, key);
        buffer_append(&orphans->removed, key, sizeof key);
    }
    unlink_orphan(orphans, number);
    heap_remove(orphans, orphan->heap_index);
    orphans->bytes -= bytes_of(orphan);
    free(orphan->id);
    *orphan = (struct orphan){.next = orphans->free_list};
    orphans->free_list = number;
}

/* ---- stored form ---- */

static void write_big_endian(char *out, uint64_t number, int bytes) {
    for (int i = 0; i < bytes; i++)
        out[i] = (char)(unsigned char)(number >> (8 * (bytes - 1 - i)));
}

static uint64_t read_big_endian(const char *in, int bytes) {
    uint64_t number = 0;
    for (int i = 0; i < bytes; i++)
        number = number << 8 | (unsigned char)in[i];
    return number;
}

struct slice orphan_id(const struct orphan *orphan) {
    return (struct slice){orphan->id, orphan->id_size};
}

void orphan_write_key(const struct orphan *orphan, char out_key[ORPHAN_KEY_BYTES]) {
    write_big_endian(out_key, orphan->task, 4);
    memcpy(out_key + 4, orphan->key.bytes, sizeof orphan->key.bytes);
    write_big_endian(out_key + 20, (uint64_t)orphan->offset, 8);
}

void orphan_write(const struct orphan *orphan, struct buffer *out) {
    write_long(out, orphan->label_ms);
    write_long(out, orphan->prediction_ms);
    write_long(out, orphan->deadline_ms);
    write_long(out, orphan->clock_before_ms);
    write_long(out, orphan->joins_before);
    write_double(out, orphan->label);
    write_bytes(out, orphan_id(orphan));
}

bool orphans_load(struct orphans *orphans, struct slice key, struct slice value) {
    if (key.size != ORPHAN_KEY_BYTES)
        return false;
    struct orphan orphan = {.task = (uint32_t)read_big_endian(key.data, 4),
                            .offset = (int64_t)read_big_endian(key.data + 20, 8),
                            .stored = true};
    memcpy(orphan.key.bytes, key.data + 4, sizeof orphan.key.bytes);
    struct reader reader = reader_from(value);
    orphan.label_ms = read_long(&reader);
    orphan.prediction_ms = read_long(&reader);
    orphan.deadline_ms = read_long(&reader);
    orphan.clock_before_ms = read_long(&reader);
    orphan.joins_before = read_long(&reader);
    orphan.label = read_double(&reader);
    struct slice id = read_bytes(&reader);
    if (!reader_done(&reader) || id.size > ID_BYTES_MAX)
        return false;
    orphans_add(orphans, &orphan, id);
    return true;
}
