/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "schemas/path_tree.h"
#include "schemas/program.h"

enum { CODE_MAX = 1000000, NESTING_MAX = 256, FIXED_BYTES_MAX = 1 << 30 };

static const uint32_t NOWHERE = UINT32_MAX;

struct compiler {
    struct program *program;
    const struct path_tree *paths;
    struct arena *arena;
    size_t code_capacity;
    uint32_t barrier; /* a jump leads here: what follows must not melt into what is before */
    bool *is_found;   /* a slot */
    struct routine {
        struct schema_node *record;
        uint32_t position;
    } * routines; /* records that are skipped by CALL; until the end CALL.a is an index here */
    size_t routine_count;
    int depth;
    bool is_too_large;
};

static void compile(struct compiler *c, struct schema_node *node, const struct path_node *path);

static struct instruction *emit(struct compiler *c, enum operation operation, uint32_t a) {
    struct program *program = c->program;
    c->is_too_large = c->is_too_large || program->code_count >= CODE_MAX;
    /* A program that is too large is thrown away in the end; until then it overwrites its tail. */
    if (c->is_too_large && program->code_count > 0)
        program->code_count--;
    if (!program->code || program->code_count == c->code_capacity) {
        c->code_capacity = c->code_capacity ? 2 * c->code_capacity : 64;
        program->code = alloc_resize(program->code, c->code_capacity, sizeof *program->code);
    }
    struct instruction *made = &program->code[program->code_count++];
    *made = (struct instruction){.operation = operation, .a = a};
    return made;
}

/* The next instruction's position, as the target of a jump. */
static uint32_t here(struct compiler *c) {
    c->barrier = (uint32_t)c->program->code_count;
    return c->barrier;
}

static struct instruction *last(struct compiler *c) {
    size_t count = c->program->code_count;
    return count > c->barrier ? &c->program->code[count - 1] : NULL;
}

static void emit_skip(struct compiler *c, enum operation operation, uint32_t amount) {
    struct instruction *before = last(c);
    if (before && before->operation == operation && before->a <= FIXED_BYTES_MAX - amount)
        before->a += amount;
    else
        (void)emit(c, operation, amount);
}

/* A routine stands right behind the instruction that uses it, with a jump around it. */
static uint32_t routine_open(struct compiler *c, uint32_t *out_jump) {
    *out_jump = (uint32_t)c->program->code_count;
    (void)emit(c, OPERATION_JUMP, 0);
    return here(c);
}

static void routine_close(struct compiler *c, uint32_t jump) {
    (void)emit(c, OPERATION_RETURN, 0);
    c->program->code[jump].a = here(c);
}

static void skip_fields(struct compiler *c, struct schema_node *record) {
    for (size_t i = 0; i < record->count; i++)
        compile(c, record->children[i], NULL);
}

/* The first time in place; from the second on, which may be inside itself, by a call. */
static void skip_record(struct compiler *c, struct schema_node *record) {
    if (!record->is_inlined) {
        record->is_inlined = true;
        skip_fields(c, record);
        return;
    }
    if (record->routine == 0) {
        c->routines = alloc_resize(c->routines, c->routine_count + 1, sizeof *c->routines);
        c->routines[c->routine_count++] = (struct routine){.record = record};
        record->routine = (uint32_t)c->routine_count;
    }
    (void)emit(c, OPERATION_CALL, record->routine - 1);
}

static void skip_items(struct compiler *c, struct schema_node *node) {
    struct schema_node *items = node->children[0];
    uint32_t is_map = node->type == SCHEMA_MAP, at = (uint32_t)c->program->code_count, jump;
    if (items->width >= 0) {
        emit(c, OPERATION_SKIP_ROWS, (uint32_t)items->width)->b = is_map;
        return;
    }
    emit(c, OPERATION_SKIP_ITEMS, 0)->b = is_map;
    uint32_t routine = routine_open(c, &jump); /* may move the code */
    c->program->code[at].a = routine;
    compile(c, items, NULL);
    routine_close(c, jump);
}

static void compile_union(struct compiler *c, struct schema_node *node,
                          const struct path_node *path) {
    struct program *program = c->program;
    uint32_t first = (uint32_t)program->target_count, chain = NOWHERE;
    program->target_count += node->count;
    program->targets =
        alloc_resize(program->targets, program->target_count, sizeof *program->targets);
    emit(c, OPERATION_UNION, (uint32_t)node->count)->b = first;
    for (size_t i = 0; i < node->count; i++) {
        program->targets[first + i] = here(c);
        compile(c, node->children[i], path);
        if (program->targets[first + i] == program->code_count) {
            program->targets[first + i] = NOWHERE; /* nothing to do: straight to the end */
        } else if (i + 1 < node->count) {
            emit(c, OPERATION_JUMP, chain);
            chain = (uint32_t)program->code_count - 1;
        }
    }
    uint32_t end = here(c);
    while (chain != NOWHERE) {
        uint32_t before = program->code[chain].a;
        program->code[chain].a = end;
        chain = before;
    }
    for (size_t i = 0; i < node->count; i++)
        if (program->targets[first + i] == NOWHERE)
            program->targets[first + i] = end;
}

static void skip(struct compiler *c, struct schema_node *node) {
    if (node->width == 0)
        return;
    if (node->width > 0) {
        emit_skip(c, OPERATION_SKIP_FIXED, (uint32_t)node->width);
    } else if (node->type == SCHEMA_RECORD) {
        skip_record(c, node);
    } else if (node->type == SCHEMA_UNION) {
        compile_union(c, node, NULL);
    } else if (node->type == SCHEMA_ARRAY || node->type == SCHEMA_MAP) {
        skip_items(c, node);
    } else {
        bool is_text = node->type == SCHEMA_BYTES || node->type == SCHEMA_STRING;
        emit_skip(c, is_text ? OPERATION_SKIP_BYTES : OPERATION_SKIP_VARINTS, 1);
    }
}

static void store_time(struct compiler *c, const struct schema_node *node, uint32_t slot) {
    bool is_int = node->type == SCHEMA_INT, is_float = node->type == SCHEMA_FLOAT;
    if ((is_int || node->type == SCHEMA_LONG) && node->time != SCHEMA_TIME_OF_DAY) {
        struct instruction *made = emit(c, OPERATION_TIME_LONG, node->time);
        made->slot = slot;
        made->b = is_int;
    } else if (is_float || node->type == SCHEMA_DOUBLE) {
        emit(c, OPERATION_TIME_DOUBLE, is_float)->slot = slot;
    } else {
        bool is_text = node->type == SCHEMA_STRING;
        emit(c, is_text ? OPERATION_TIME_TEXT : OPERATION_BAD_TYPE, 0)->slot = slot;
    }
}

static void store_double(struct compiler *c, uint32_t slot) {
    struct instruction *before = last(c);
    if (before && before->operation == OPERATION_DOUBLES && before->slot + before->a == slot) {
        before->a++;
    } else if (before && before->operation == OPERATION_DOUBLE && before->slot + 1 == slot) {
        before->operation = OPERATION_DOUBLES;
        before->a = 2;
    } else {
        emit(c, OPERATION_DOUBLE, 0)->slot = slot;
    }
}

static void store_enum(struct compiler *c, const struct schema_node *node, uint32_t slot) {
    struct program *program = c->program;
    struct instruction *made = emit(c, OPERATION_ENUM, (uint32_t)node->count);
    made->slot = slot;
    made->b = (uint32_t)program->symbol_count++;
    program->symbols =
        alloc_resize(program->symbols, program->symbol_count, sizeof(const struct slice *));
    program->symbols[made->b] = node->labels;
}

static void store(struct compiler *c, const struct schema_node *node, uint32_t slot) {
    static const enum operation plain[] = {
        [SCHEMA_BOOLEAN] = OPERATION_BOOLEAN, [SCHEMA_INT] = OPERATION_INT,
        [SCHEMA_LONG] = OPERATION_LONG,       [SCHEMA_FLOAT] = OPERATION_FLOAT,
        [SCHEMA_BYTES] = OPERATION_BYTES,     [SCHEMA_STRING] = OPERATION_BYTES,
        [SCHEMA_FIXED] = OPERATION_FIXED,
    };
    c->is_found[slot] = true;
    if (node->type == SCHEMA_NULL)
        return;
    if (node->type >= SCHEMA_RECORD)
        (void)emit(c, OPERATION_BAD_TYPE, 0);
    else if (c->paths->is_time[slot])
        store_time(c, node, slot);
    else if (node->type == SCHEMA_DOUBLE)
        store_double(c, slot);
    else if (node->type == SCHEMA_ENUM)
        store_enum(c, node, slot);
    else
        emit(c, plain[node->type], (uint32_t)node->width)->slot = slot;
}

/* Several columns may want the same value: the bytes are then read once for each. */
static void store_all(struct compiler *c, const struct schema_node *node, uint32_t slot) {
    const uint32_t *next_slot = c->paths->next_slot;
    bool has_bytes = node->width != 0;
    if (has_bytes && next_slot[slot] != PATH_NO_SLOT)
        (void)emit(c, OPERATION_MARK, 0);
    for (;; slot = next_slot[slot]) {
        store(c, node, slot);
        if (next_slot[slot] == PATH_NO_SLOT)
            return;
        if (has_bytes)
            (void)emit(c, OPERATION_AGAIN, 0);
    }
}

static void clear(struct compiler *c, const struct path_node *path) {
    for (uint32_t slot = path->slot; slot != PATH_NO_SLOT; slot = c->paths->next_slot[slot])
        emit(c, OPERATION_CLEAR, 0)->slot = slot;
    for (const struct path_node *child = path->child; child; child = child->next)
        clear(c, child);
}

static uint32_t item_routine(struct compiler *c, struct schema_node *items,
                             const struct path_node *path, bool is_map) {
    uint32_t jump, routine = routine_open(c, &jump);
    if (is_map && path)
        clear(c, path); /* the key may come twice: nothing of the first may stay */
    compile(c, items, path);
    routine_close(c, jump);
    return routine;
}

static size_t count_children(const struct path_node *path, bool named) {
    size_t count = 0;
    for (const struct path_node *child = path->child; child; child = child->next)
        count += (child->name != NULL) == named;
    return count;
}

static void put_key(struct program *program, uint32_t first, size_t size, struct match match) {
    size_t at = match_hash(match.key) & (size - 1);
    while (program->matches[first + at].key.data)
        at = (at + 1) & (size - 1);
    program->matches[first + at] = match;
}

static void put_element(struct program *program, uint32_t first, size_t filled,
                        struct match match) {
    size_t at = first + filled;
    for (; at > first && program->matches[at - 1].index > match.index; at--)
        program->matches[at] = program->matches[at - 1];
    program->matches[at] = match;
}

static void compile_items(struct compiler *c, struct schema_node *node,
                          const struct path_node *path) {
    struct program *program = c->program;
    struct schema_node *items = node->children[0];
    bool is_map = node->type == SCHEMA_MAP;
    size_t wanted = count_children(path, is_map), size = is_map ? 2 : wanted, filled = 0;
    while (is_map && size < 2 * wanted)
        size *= 2;
    uint32_t first = (uint32_t)program->match_count, at = (uint32_t)program->code_count;
    program->match_count += size;
    program->matches =
        alloc_resize(program->matches, program->match_count, sizeof *program->matches);
    memset(program->matches + first, 0, size * sizeof *program->matches);
    struct instruction *made = emit(c, is_map ? OPERATION_MAP : OPERATION_ARRAY, 0);
    made->b = first;
    made->match_count = (uint32_t)size;
    made->slot = is_map ? 0 : (uint32_t)(items->width + 1);
    uint32_t routine = item_routine(c, items, NULL, is_map);
    program->code[at].a = routine;
    for (const struct path_node *child = path->child; child; child = child->next) {
        if ((child->name != NULL) != is_map)
            continue;
        struct match match = {.index = child->index,
                              .routine = item_routine(c, items, child, is_map)};
        if (is_map) {
            match.key = arena_copy(c->arena, (struct slice){child->name, child->name_size});
            put_key(program, first, size, match);
        } else {
            put_element(program, first, filled++, match);
        }
    }
}

static bool wants_inside(const struct schema_node *node, const struct path_node *path) {
    if (node->type == SCHEMA_ARRAY)
        return node->children[0]->width != 0 && count_children(path, false) > 0;
    return (node->type == SCHEMA_MAP || node->type == SCHEMA_RECORD) &&
           count_children(path, true) > 0;
}

static void compile_wanted(struct compiler *c, struct schema_node *node,
                           const struct path_node *path) {
    if (node->type == SCHEMA_UNION) {
        compile_union(c, node, path);
    } else if (path->slot != PATH_NO_SLOT) {
        store_all(c, node, path->slot);
    } else if (!wants_inside(node, path)) {
        skip(c, node);
    } else if (node->type == SCHEMA_RECORD) {
        for (size_t i = 0; i < node->count; i++)
            compile(c, node->children[i], path_child(path, node->labels[i]));
    } else {
        compile_items(c, node, path);
    }
}

static void compile(struct compiler *c, struct schema_node *node, const struct path_node *path) {
    if (c->depth == NESTING_MAX || c->is_too_large) {
        c->is_too_large = true;
        return;
    }
    c->depth++;
    if (path)
        compile_wanted(c, node, path);
    else
        skip(c, node);
    c->depth--;
}

/* Routines may need further ones, so the list grows while it is worked off. */
static void compile_routines(struct compiler *c) {
    for (size_t i = 0; i < c->routine_count; i++) {
        c->routines[i].position = here(c);
        skip_fields(c, c->routines[i].record);
        (void)emit(c, OPERATION_RETURN, 0);
    }
    for (size_t i = 0; i < c->program->code_count; i++)
        if (c->program->code[i].operation == OPERATION_CALL)
            c->program->code[i].a = c->routines[c->program->code[i].a].position;
}

enum status program_compile(struct schema_tree *schema, const struct path_tree *paths,
                            struct program *out_program, struct error *err) {
    struct program program = {.slot_count = paths->slot_count};
    struct compiler c = {.program = &program, .paths = paths, .arena = &schema->arena};
    c.is_found = alloc_zero(paths->slot_count, sizeof *c.is_found);
    compile(&c, schema->root, &paths->root);
    (void)emit(&c, OPERATION_RETURN, 0);
    compile_routines(&c);
    for (size_t i = 0; i < paths->slot_count; i++)
        program.found_count += c.is_found[i];
    free(c.is_found);
    free(c.routines);
    if (c.is_too_large) {
        program_release(&program);
        return error_set(err, STATUS_CONFIG, "the schema is too large to be projected");
    }
    *out_program = program;
    return STATUS_OK;
}

void program_release(struct program *program) {
    free(program->code);
    free(program->matches);
    free(program->targets);
    free(program->symbols);
    *program = (struct program){0};
}
