/* SPDX-License-Identifier: Apache-2.0 */
#include "partition/locator.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

enum { CODE_MASK = (1 << LOCATOR_SEGMENT_BITS) - 1, MARK_BIT = 1 << LOCATOR_SEGMENT_BITS };
enum { FINGER_SHIFT = LOCATOR_SEGMENT_BITS + 1, SLOT_BYTES = 3, SLOT_BITS = 24 };
enum { SLOTS_MIN = 1 << 5, SLOTS_FIRST = 1 << 14, SLOTS_MAX = 1 << 22, GENERATIONS = 4 };

struct locator_table {
    struct locator_table *older;
    size_t slot_count, used, limit;
    int64_t last_segment; /* the greatest that was added */
    struct locator_codes codes;
    unsigned char slots[]; /* SLOT_BYTES each */
};

void locator_init(struct locator *locator, size_t bytes_max) {
    *locator = (struct locator){.bytes_max = bytes_max};
}

static size_t bytes_of(size_t slot_count) {
    return sizeof(struct locator_table) + slot_count * SLOT_BYTES;
}

static void table_free(struct locator *locator, struct locator_table *table) {
    locator->bytes -= bytes_of(table->slot_count);
    free(table);
}

void locator_release(struct locator *locator) {
    while (locator->newest) {
        struct locator_table *table = locator->newest;
        locator->newest = table->older;
        table_free(locator, table);
    }
}

uint32_t locator_code(int64_t segment) {
    return (uint32_t)segment & CODE_MASK;
}

/* The most slots of a generation: so that dropping one leaves most of what is known. */
static size_t most_slots(const struct locator *locator) {
    size_t slot_count = SLOTS_MAX;
    while (slot_count > SLOTS_MIN && slot_count * SLOT_BYTES > locator->bytes_max / GENERATIONS)
        slot_count /= 2;
    return slot_count;
}

static size_t slots_for(size_t slot_count, size_t rows) {
    while (slot_count * 3 / 4 < rows)
        slot_count *= 2;
    return slot_count;
}

/* A new generation holds what is asked for, and twice as much as the one before while there is room
 * for that. */
static bool grow(struct locator *locator, size_t count) {
    size_t slot_count = locator->newest ? locator->newest->slot_count * 2 : SLOTS_FIRST;
    size_t most = most_slots(locator);
    slot_count = slots_for(slot_count > most ? most : slot_count, count);
    while (locator->bytes + bytes_of(slot_count) > locator->bytes_max && slot_count > SLOTS_MIN &&
           slot_count > most / 8 && slot_count / 2 * 3 / 4 >= count)
        slot_count /= 2;
    if (locator->bytes + bytes_of(slot_count) > locator->bytes_max)
        return false;
    struct locator_table *table = alloc_zero(1, bytes_of(slot_count));
    table->older = locator->newest;
    table->slot_count = slot_count;
    table->limit = slot_count * 3 / 4;
    table->last_segment = INT64_MIN;
    locator->newest = table;
    locator->bytes += bytes_of(slot_count);
    return true;
}

bool locator_reserve(struct locator *locator, size_t count) {
    const struct locator_table *table = locator->newest;
    return (table && table->limit - table->used >= count) || grow(locator, count);
}

static uint32_t slot_at(const struct locator_table *table, size_t i) {
    const unsigned char *at = &table->slots[i * SLOT_BYTES];
    return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16;
}

static void slot_set(struct locator_table *table, size_t i, uint32_t slot) {
    unsigned char *at = &table->slots[i * SLOT_BYTES];
    for (int k = 0; k < SLOT_BYTES; k++)
        at[k] = (unsigned char)(slot >> (8 * k));
}

/* The key is a keyed hash: its words place it and print its finger. */
static size_t place_of(const struct locator_table *table, const struct hash128 *key) {
    uint64_t word;
    memcpy(&word, key->bytes, sizeof word);
    return (size_t)(word >> 20) & (table->slot_count - 1);
}

static uint32_t finger_of(const struct hash128 *key) {
    uint32_t word;
    memcpy(&word, key->bytes + 8, sizeof word);
    word >>= 32 - SLOT_BITS + FINGER_SHIFT;
    return (word ? word : 1) << FINGER_SHIFT; /* never an empty slot */
}

void locator_add(struct locator *locator, const struct hash128 *key, int64_t segment,
                 bool may_have_mark) {
    struct locator_table *table = locator->newest;
    ASSERT(table && table->used < table->limit);
    size_t i = place_of(table, key);
    while (slot_at(table, i) != 0)
        i = (i + 1) & (table->slot_count - 1);
    slot_set(table, i, finger_of(key) | locator_code(segment) | (may_have_mark ? MARK_BIT : 0U));
    table->used++;
    table->codes.words[locator_code(segment) / 64] |= UINT64_C(1) << (locator_code(segment) % 64);
    if (segment > table->last_segment)
        table->last_segment = segment;
}

bool locator_codes_have(const struct locator_codes *codes, int64_t segment) {
    uint32_t code = locator_code(segment);
    return codes->words[code / 64] >> (code % 64) & 1;
}

void locator_prefetch(const struct locator *locator, const struct hash128 *key) {
    for (const struct locator_table *table = locator->newest; table; table = table->older)
        PREFETCH(&table->slots[place_of(table, key) * SLOT_BYTES]);
}

void locator_prefetch_in(const struct locator *locator, const struct hash128 *key,
                         int64_t segment) {
    for (const struct locator_table *table = locator->newest; table; table = table->older)
        if (locator_codes_have(&table->codes, segment))
            PREFETCH(&table->slots[place_of(table, key) * SLOT_BYTES]);
}

/* A slot of this key and segment with all of these bits. */
static bool has_slot(const struct locator *locator, const struct hash128 *key, int64_t segment,
                     uint32_t bits) {
    uint32_t wanted = finger_of(key) | locator_code(segment) | bits;
    uint32_t mask = ~(uint32_t)MARK_BIT | bits;
    for (const struct locator_table *table = locator->newest; table; table = table->older) {
        if (!locator_codes_have(&table->codes, segment))
            continue;
        for (size_t i = place_of(table, key); slot_at(table, i) != 0;
             i = (i + 1) & (table->slot_count - 1))
            if ((slot_at(table, i) & mask) == wanted)
                return true;
    }
    return false;
}

bool locator_has(const struct locator *locator, const struct hash128 *key, int64_t segment) {
    return has_slot(locator, key, segment, 0);
}

bool locator_has_mark(const struct locator *locator, const struct hash128 *key, int64_t segment) {
    return has_slot(locator, key, segment, MARK_BIT);
}

void locator_mark(struct locator *locator, const struct hash128 *key, int64_t segment) {
    uint32_t wanted = finger_of(key) | locator_code(segment);
    for (struct locator_table *table = locator->newest; table; table = table->older) {
        if (!locator_codes_have(&table->codes, segment))
            continue;
        for (size_t i = place_of(table, key); slot_at(table, i) != 0;
             i = (i + 1) & (table->slot_count - 1))
            if ((slot_at(table, i) & ~(uint32_t)MARK_BIT) == wanted)
                slot_set(table, i, slot_at(table, i) | MARK_BIT);
    }
}

size_t locator_find(const struct locator *locator, const struct hash128 *key,
                    uint32_t out_codes[LOCATOR_FOUND_MAX]) {
    uint32_t finger = finger_of(key);
    size_t count = 0;
    for (const struct locator_table *table = locator->newest; table; table = table->older)
        for (size_t i = place_of(table, key); slot_at(table, i) != 0 && count < LOCATOR_FOUND_MAX;
             i = (i + 1) & (table->slot_count - 1))
            if (slot_at(table, i) >> FINGER_SHIFT == finger >> FINGER_SHIFT)
                out_codes[count++] = slot_at(table, i) & CODE_MASK;
    return count;
}

static struct locator_table **oldest(struct locator *locator) {
    struct locator_table **found = &locator->newest;
    for (struct locator_table **link = found; *link; link = &(*link)->older)
        if ((*link)->last_segment <= (*found)->last_segment)
            found = link;
    return found;
}

void locator_drop_oldest(struct locator *locator, size_t count, struct locator_codes *dropped) {
    size_t wanted = bytes_of(slots_for(most_slots(locator), count));
    while (locator->newest && locator->bytes + wanted > locator->bytes_max) {
        struct locator_table **link = oldest(locator), *table = *link;
        for (size_t i = 0; i < sizeof dropped->words / sizeof dropped->words[0]; i++)
            dropped->words[i] |= table->codes.words[i];
        *link = table->older;
        table_free(locator, table);
    }
}

bool locator_expire(struct locator *locator, int64_t first_segment) {
    size_t bytes = locator->bytes;
    for (struct locator_table **link = &locator->newest; *link;) {
        struct locator_table *table = *link;
        if (table->last_segment >= first_segment) {
            link = &table->older;
            continue;
        }
        *link = table->older;
        table_free(locator, table);
    }
    return locator->bytes < bytes;
}
