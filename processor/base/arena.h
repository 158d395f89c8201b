/* arena.h -- memory of one batch: taken piece by piece, given back all at once.
 *
 * Blocks are kept over a reset, so a warm arena calls malloc no more.  Everything that points into
 * an arena dies at its reset.  SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_BASE_ARENA_H
#define SLIPSTREAM_BASE_ARENA_H

#include <stddef.h>

#include "base/slice.h"

struct arena_block;

struct arena {
    struct arena_block *first, *current;
    size_t used;  /* bytes taken in the current block */
    size_t total; /* bytes taken since the last reset */
};

void arena_init(struct arena *arena);
void arena_release(struct arena *arena);
void arena_reset(struct arena *arena);
/* Bytes that it holds, also beyond a reset. */
size_t arena_memory(const struct arena *arena);
/* size bytes aligned for any type; not zeroed. */
void *arena_take(struct arena *arena, size_t size);
struct slice arena_copy(struct arena *arena, struct slice bytes);

#endif
