/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCK_BYTES = 64 * 1024, ALIGNMENT = 16 };

struct arena_block {
    struct arena_block *next;
    size_t capacity;
};

static char *block_data(struct arena_block *block) {
    return (char *)block + ALIGNMENT;
}

static struct arena_block *block_create(size_t capacity) {
    struct arena_block *block = alloc_resize(NULL, capacity + ALIGNMENT, 1);
    *block = (struct arena_block){.capacity = capacity};
    return block;
}

void arena_init(struct arena *arena) {
    *arena = (struct arena){0};
}

void arena_release(struct arena *arena) {
    for (struct arena_block *block = arena->first, *next; block; block = next) {
        next = block->next;
        free(block);
    }
    *arena = (struct arena){0};
}

void arena_reset(struct arena *arena) {
    arena->current = arena->first;
    arena->used = 0;
    arena->total = 0;
}

size_t arena_memory(const struct arena *arena) {
    size_t bytes = 0;
    for (const struct arena_block *block = arena->first; block; block = block->next)
        bytes += block->capacity + ALIGNMENT;
    return bytes;
}

/* Moves to a block with room: the next kept one that is large enough, else a new one in its place.
 */
static void next_block(struct arena *arena, size_t size) {
    struct arena_block **link = arena->current ? &arena->current->next : &arena->first;
    while (*link && (*link)->capacity < size) {
        struct arena_block *small = *link;
        *link = small->next;
        free(small);
    }
    if (!*link)
        *link = block_create(size > BLOCK_BYTES ? size : BLOCK_BYTES);
    arena->current = *link;
    arena->used = 0;
}

void *arena_take(struct arena *arena, size_t size) {
    size_t rounded = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (!arena->current || arena->current->capacity - arena->used < rounded)
        next_block(arena, rounded);
    void *memory = block_data(arena->current) + arena->used;
    arena->used += rounded;
    arena->total += rounded;
    return memory;
}

struct slice arena_copy(struct arena *arena, struct slice bytes) {
    char *copy = arena_take(arena, bytes.size ? bytes.size : 1);
    if (bytes.size)
        memcpy(copy, bytes.data, bytes.size);
    return (struct slice){copy, bytes.size};
}
