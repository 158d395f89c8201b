/* SPDX-License-Identifier: Apache-2.0 */
#include "schemas/projection.h"

#include <stdlib.h>
#include <string.h>

#include "schemas/program.h"
#include "schemas/time_text.h"
#include "schemas/wire.h"

enum { NESTING_MAX = 32 };

struct projection {
    struct schema_tree schema;
    struct program program;
};

struct walk {
    const struct program *program;
    const unsigned char *end;
    struct value *values;
    enum refusal refusal; /* of a walk that failed */
    int depth;
};

/* Runs a routine once, or, with a loop (SKIP_ITEMS or MAP), once an item for count items. */
static place run(struct walk *walk, place at, uint32_t position, const struct instruction *loop,
                 uint64_t count);

static place run_nested(struct walk *walk, place at, uint32_t routine) {
    if (walk->depth == NESTING_MAX)
        return NULL;
    walk->depth++;
    at = run(walk, at, routine, NULL, 1);
    walk->depth--;
    return at;
}

static inline bool is_key(const struct match *match, struct slice key) {
    return match->key.size == key.size && memcmp(match->key.data, key.data, key.size) == 0;
}

static uint32_t routine_of(const struct program *program, const struct instruction *map,
                           struct slice key) {
    const struct match *table = program->matches + map->b;
    for (uint32_t at = match_hash(key);; at++) {
        const struct match *match = &table[at & (map->match_count - 1)];
        if (!match->key.data)
            return map->a;
        if (is_key(match, key))
            return match->routine;
    }
}

/* Reads an item's key, if it has one, and chooses its routine. */
static inline place begin_item(const struct walk *walk, place at, const struct instruction *loop,
                               uint32_t *out_position) {
    struct slice key;
    *out_position = loop->a;
    if (loop->operation == OPERATION_SKIP_ITEMS)
        return loop->b ? take_bytes(at, walk->end, &key) : at;
    at = take_bytes(at, walk->end, &key);
    if (at)
        *out_position = routine_of(walk->program, loop, key);
    return at;
}

/* Each item takes at least one byte, so a count that lies ends with the payload. */
static place run_block(struct walk *walk, place at, const struct instruction *loop,
                       uint64_t count) {
    uint32_t position;
    at = begin_item(walk, at, loop, &position);
    if (!at || walk->depth == NESTING_MAX)
        return NULL;
    walk->depth++;
    at = run(walk, at, position, loop, count);
    walk->depth--;
    return at;
}

/* Arrays and maps of which nothing is wanted jump over blocks that say their size; a wanted map
 * reads every key. */
static place run_blocks(struct walk *walk, place at, const struct instruction *loop) {
    for (;;) {
        uint64_t count;
        int64_t bytes;
        at = take_block(at, walk->end, &count, &bytes);
        if (!at || count == 0)
            return at;
        if (bytes >= 0 && loop->operation == OPERATION_SKIP_ITEMS)
            at += bytes;
        else
            at = run_block(walk, at, loop, count);
        if (!at)
            return NULL;
    }
}

static place skip_rows_of_fixed(place at, place end, uint64_t count, uint64_t width) {
    if (width == 0)
        return at;
    return count <= (uint64_t)(end - at) / width ? at + count * width : NULL;
}

static place skip_rows(place at, place end, const struct instruction *step) {
    for (;;) {
        uint64_t count;
        int64_t bytes;
        at = take_block(at, end, &count, &bytes);
        if (!at || count == 0)
            return at;
        if (bytes >= 0) {
            at += bytes;
        } else if (!step->b) {
            at = skip_rows_of_fixed(at, end, count, step->a);
        } else {
            for (; count > 0 && at; count--) {
                at = skip_bytes(at, end, 1);
                at = at ? skip_fixed(at, end, step->a) : NULL;
            }
        }
        if (!at)
            return NULL;
    }
}

/* Where an array is read: the number of the next item and the next wanted element. */
struct cursor {
    uint64_t index;
    const struct match *next, *end;
};

static place read_elements(struct walk *walk, place at, const struct instruction *step,
                           uint64_t count, struct cursor *cursor) {
    uint64_t block_end = cursor->index + count;
    while (cursor->index < block_end && at) {
        if (cursor->next < cursor->end && cursor->next->index == cursor->index) {
            at = run_nested(walk, at, cursor->next->routine);
            cursor->next++;
            cursor->index++;
            continue;
        }
        uint64_t stop = block_end;
        if (cursor->next < cursor->end && cursor->next->index < stop)
            stop = cursor->next->index;
        if (step->slot > 0) {
            at = skip_rows_of_fixed(at, walk->end, stop - cursor->index, step->slot - 1);
            cursor->index = stop;
        }
        for (; cursor->index < stop && at; cursor->index++)
            at = run_nested(walk, at, step->a);
    }
    return at;
}

static place read_array(struct walk *walk, place at, const struct instruction *step) {
    const struct match *first = walk->program->matches + step->b;
    struct cursor cursor = {0, first, first + step->match_count};
    for (;;) {
        uint64_t count;
        int64_t bytes;
        at = take_block(at, walk->end, &count, &bytes);
        if (!at || count == 0)
            return at;
        if (count > (uint64_t)(walk->end - at))
            return NULL; /* each item takes at least one byte */
        if (cursor.next == cursor.end && bytes >= 0)
            at += bytes;
        else
            at = read_elements(walk, at, step, count, &cursor);
        if (!at)
            return NULL;
    }
}

static inline place store_real(struct value *value, place at, place end) {
    if (end - at < 8)
        return NULL;
    value->kind = VALUE_DOUBLE;
    memcpy(&value->as.real, at, 8);
    return at + 8;
}

static inline place store_reals(struct value *value, place at, place end, uint32_t count) {
    const size_t width = sizeof value->as.real;
    if ((size_t)(end - at) / width < count)
        return NULL;
    for (uint32_t i = 0; i < count; i++, at += width) {
        value[i].kind = VALUE_DOUBLE;
        memcpy(&value[i].as.real, at, width);
    }
    return at;
}

static place store_float(struct value *value, place at, place end) {
    value->kind = VALUE_DOUBLE;
    return take_float(at, end, &value->as.real);
}

static inline place store_long(struct value *value, place at, place end) {
    value->kind = VALUE_LONG;
    return take_long(at, end, &value->as.integer);
}

static place store_int(struct value *value, place at, place end) {
    value->kind = VALUE_LONG;
    return take_int(at, end, &value->as.integer);
}

static place store_boolean(struct value *value, place at, place end) {
    if (at == end || *at > 1)
        return NULL;
    *value = (struct value){.kind = VALUE_LONG, .as.integer = *at};
    return at + 1;
}

static inline place store_bytes(struct value *value, place at, place end) {
    value->kind = VALUE_STRING;
    return take_bytes(at, end, &value->as.string);
}

static place store_fixed(struct value *value, place at, place end, uint32_t size) {
    value->kind = VALUE_STRING;
    value->as.string = (struct slice){(const char *)at, size};
    return skip_fixed(at, end, size);
}

static place store_enum(struct walk *walk, place at, const struct instruction *step) {
    int64_t symbol;
    at = take_long(at, walk->end, &symbol);
    if (!at || symbol < 0 || symbol >= (int64_t)step->a)
        return NULL;
    struct value *value = &walk->values[step->slot];
    value->kind = VALUE_STRING;
    value->as.string = walk->program->symbols[step->b][symbol];
    return at;
}

static place bad_type(struct walk *walk) {
    walk->refusal = REFUSAL_BAD_TYPE;
    return NULL;
}

static int64_t divided(int64_t number, int64_t by) {
    return number / by - (number % by < 0);
}

static place store_time_long(struct walk *walk, place at, const struct instruction *step) {
    int64_t number;
    at = step->b ? take_int(at, walk->end, &number) : take_long(at, walk->end, &number);
    if (!at)
        return NULL;
    if (step->a == SCHEMA_TIME_MICROS)
        number = divided(number, 1000);
    else if (step->a == SCHEMA_TIME_NANOS)
        number = divided(number, 1000000);
    else if (step->a == SCHEMA_TIME_DAYS)
        number *= 86400000;
    walk->values[step->slot] = (struct value){.kind = VALUE_LONG, .as.integer = number};
    return at;
}

static place store_time_double(struct walk *walk, place at, const struct instruction *step) {
    struct value number, *value = &walk->values[step->slot];
    at = step->a ? store_float(&number, at, walk->end) : store_real(&number, at, walk->end);
    if (!at)
        return NULL;
    value->kind = VALUE_LONG;
    return time_from_real(number.as.real, &value->as.integer) ? at : bad_type(walk);
}

static place store_time_text(struct walk *walk, place at, const struct instruction *step) {
    struct value *value = &walk->values[step->slot];
    struct slice text;
    at = take_bytes(at, walk->end, &text);
    if (!at)
        return NULL;
    value->kind = VALUE_LONG;
    return time_text_parse(text, &value->as.integer) ? at : bad_type(walk);
}

/* The operations that are rare or long enough for one more call. */
static place run_other(struct walk *walk, place at, const struct instruction *step) {
    struct value *value = &walk->values[step->slot];
    switch ((int)step->operation) {
    case OPERATION_SKIP_ITEMS:
    case OPERATION_MAP:
        return run_blocks(walk, at, step);
    case OPERATION_SKIP_ROWS:
        return skip_rows(at, walk->end, step);
    case OPERATION_CALL:
        return run_nested(walk, at, step->a);
    case OPERATION_ARRAY:
        return read_array(walk, at, step);
    case OPERATION_INT:
        return store_int(value, at, walk->end);
    case OPERATION_FLOAT:
        return store_float(value, at, walk->end);
    case OPERATION_BOOLEAN:
        return store_boolean(value, at, walk->end);
    case OPERATION_FIXED:
        return store_fixed(value, at, walk->end, step->a);
    case OPERATION_ENUM:
        return store_enum(walk, at, step);
    case OPERATION_CLEAR:
        value->kind = VALUE_MISSING;
        return at;
    case OPERATION_TIME_LONG:
        return store_time_long(walk, at, step);
    case OPERATION_TIME_DOUBLE:
        return store_time_double(walk, at, step);
    case OPERATION_TIME_TEXT:
        return store_time_text(walk, at, step);
    default:
        ASSERT(step->operation == OPERATION_BAD_TYPE);
        return bad_type(walk);
    }
}

static place run(struct walk *walk, place at, uint32_t position, const struct instruction *loop,
                 uint64_t count) {
    const struct program *program = walk->program;
    place end = walk->end, mark = at;
    int64_t branch;
    while (at) {
        const struct instruction *step = &program->code[position++];
        switch ((int)step->operation) {
        case OPERATION_RETURN:
            if (--count == 0)
                return at;
            at = begin_item(walk, at, loop, &position);
            break;
        case OPERATION_SKIP_FIXED:
            at = skip_fixed(at, end, step->a);
            break;
        case OPERATION_SKIP_VARINTS:
            at = skip_varints(at, end, step->a);
            break;
        case OPERATION_SKIP_BYTES:
            at = skip_bytes(at, end, step->a);
            break;
        case OPERATION_JUMP:
            position = step->a;
            break;
        case OPERATION_UNION:
            at = take_long(at, end, &branch);
            if (!at || branch < 0 || branch >= (int64_t)step->a)
                return NULL;
            position = program->targets[step->b + (uint32_t)branch];
            break;
        case OPERATION_LONG:
            at = store_long(&walk->values[step->slot], at, end);
            break;
        case OPERATION_DOUBLE:
            at = store_real(&walk->values[step->slot], at, end);
            break;
        case OPERATION_DOUBLES:
            at = store_reals(&walk->values[step->slot], at, end, step->a);
            break;
        case OPERATION_BYTES:
            at = store_bytes(&walk->values[step->slot], at, end);
            break;
        case OPERATION_MARK:
            mark = at;
            break;
        case OPERATION_AGAIN:
            at = mark;
            break;
        default:
            at = run_other(walk, at, step);
        }
    }
    return NULL;
}

enum status projection_create(struct slice schema_json, const struct path_tree *paths,
                              struct projection **out_projection, struct error *err) {
    struct schema_tree schema;
    TRY(schema_tree_init(&schema, schema_json, err));
    struct program program;
    if (program_compile(&schema, paths, &program, err) != STATUS_OK) {
        schema_tree_release(&schema);
        return STATUS_CONFIG;
    }
    *out_projection = alloc_zero(1, sizeof **out_projection);
    **out_projection = (struct projection){schema, program};
    return STATUS_OK;
}

void projection_destroy(struct projection *projection) {
    if (!projection)
        return;
    program_release(&projection->program);
    schema_tree_release(&projection->schema);
    free(projection);
}

size_t projection_found(const struct projection *projection) {
    return projection->program.found_count;
}

enum refusal projection_read(const struct projection *projection, struct slice payload,
                             struct value *out_values) {
    const struct program *program = &projection->program;
    place start = (place)(payload.data ? payload.data : "");
    struct walk walk = {.program = program,
                        .end = start + payload.size,
                        .values = out_values,
                        .refusal = REFUSAL_UNDECODABLE};
    for (size_t i = 0; i < program->slot_count; i++)
        out_values[i].kind = VALUE_MISSING;
    place at = run(&walk, start, 0, NULL, 1);
    return at == walk.end ? REFUSAL_NONE : at ? REFUSAL_UNDECODABLE : walk.refusal;
}
