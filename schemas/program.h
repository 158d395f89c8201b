/* program.h -- the instructions between projection_compile.c, which writes them, and projection.c,
 * which runs them.  Nobody else includes this.
 *
 * A routine is a run of instructions that ends with RETURN; the program starts at 0.  Positions
 * are indices into code.
 *
 *   operation     a                  b                   reads
 *   SKIP_FIXED    bytes              -                   that many bytes
 *   SKIP_VARINTS  how many           -                   ints, longs, enums
 *   SKIP_BYTES    how many           -                   length-prefixed strings, bytes
 *   SKIP_ITEMS    routine of items   1 for a map         array or map; items of variable width
 *   SKIP_ROWS     width of items     1 for a map         the same, fixed width (0 also)
 *   CALL          routine            -
 *   JUMP          position           -
 *   UNION         branches           first target        the branch
 *   ARRAY         routine to skip    first match         array; match_count elements are wanted;
 *                                                        slot: width of items + 1, 0: it varies
 *   MAP           routine to skip    first match         map; match_count slots of a hash table
 *   LONG INT DOUBLE FLOAT BOOLEAN BYTES                  one value into slot
 *   DOUBLES       how many           -                   doubles into slot, slot + 1, ...
 *   FIXED         bytes              -                   into slot
 *   ENUM          symbols            which enum          into slot
 *   CLEAR         -                  -                   nothing: slot becomes missing
 *   TIME_LONG     enum schema_time   1 for an int        into slot, as ms
 *   TIME_DOUBLE   1 for a float      -
 *   TIME_TEXT     -                  -
 *   BAD_TYPE      -                  -                   refuses
 *   MARK, AGAIN   -                  -                   AGAIN goes back to the last MARK
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_SCHEMAS_PROGRAM_H
#define SLIPSTREAM_SCHEMAS_PROGRAM_H

#include <string.h>

#include "schemas/schema_tree.h"

enum operation {
    OPERATION_RETURN,
    OPERATION_SKIP_FIXED,
    OPERATION_SKIP_VARINTS,
    OPERATION_SKIP_BYTES,
    OPERATION_SKIP_ITEMS,
    OPERATION_SKIP_ROWS,
    OPERATION_CALL,
    OPERATION_JUMP,
    OPERATION_UNION,
    OPERATION_ARRAY,
    OPERATION_MAP,
    OPERATION_LONG,
    OPERATION_INT,
    OPERATION_DOUBLE,
    OPERATION_DOUBLES,
    OPERATION_FLOAT,
    OPERATION_BOOLEAN,
    OPERATION_BYTES,
    OPERATION_FIXED,
    OPERATION_ENUM,
    OPERATION_CLEAR,
    OPERATION_TIME_LONG,
    OPERATION_TIME_DOUBLE,
    OPERATION_TIME_TEXT,
    OPERATION_BAD_TYPE,
    OPERATION_MARK,
    OPERATION_AGAIN
};

struct instruction {
    enum operation operation;
    uint32_t slot;
    uint32_t a, b;
    uint32_t match_count; /* ARRAY: how many; MAP: size of the table, a power of two */
};

/* A wanted element, or a slot of a map's open-addressing table (key.data NULL: free). */
struct match {
    struct slice key;
    uint32_t index; /* of an array element; the matches of one array ascend */
    uint32_t routine;
};

struct program {
    struct instruction *code;
    struct match *matches;
    uint32_t *targets;
    const struct slice **symbols; /* an enum's symbols, in the schema */
    size_t code_count, match_count, target_count, symbol_count;
    size_t slot_count, found_count; /* columns; those that the schema can yield */
};

/* All bytes, eight at a time; not keyed: only our own configuration fills the tables. */
static inline uint32_t match_hash(struct slice key) {
    uint64_t hash = key.size, word = 0;
    const char *at = key.data;
    size_t left = key.size;
    for (; left > sizeof word; at += sizeof word, left -= sizeof word) {
        memcpy(&word, at, sizeof word);
        hash = (hash ^ word) * 0x9e3779b97f4a7c15U;
        hash ^= hash >> 32;
    }
    for (word = 0; left > 0; left--)
        word = word << 8 | (unsigned char)at[left - 1];
    hash = (hash ^ word) * 0x9e3779b97f4a7c15U;
    return (uint32_t)(hash >> 32);
}

struct path_tree;

/* Texts live in the schema's arena, so the schema must outlive the program; it is marked while it
 * is compiled and serves one program only.  Errors: CONFIG (too large); nothing to release then. */
enum status program_compile(struct schema_tree *schema, const struct path_tree *paths,
                            struct program *out_program, struct error *err) MUST_CHECK;
void program_release(struct program *program);

#endif
