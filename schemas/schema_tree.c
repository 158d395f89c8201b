/* SPDX-License-Identifier: Apache-2.0 */
#include "schemas/schema_tree.h"

#include <jansson.h>
#include <string.h>

enum { NESTING_MAX = 64, FIXED_BYTES_MAX = 1 << 30 };

struct named {
    struct schema_node *node;
    struct named *next;
};

struct parser {
    struct arena *arena;
    struct named *named;
    struct error *err;
    int depth;
    int optional; /* unions, arrays and maps around here: what is in them may be absent */
};

static const struct {
    const char *name;
    enum schema_type type;
    int64_t width;
} primitives[] = {
    {"null", SCHEMA_NULL, 0},
    {"boolean", SCHEMA_BOOLEAN, 1},
    {"int", SCHEMA_INT, SCHEMA_WIDTH_VARIES},
    {"long", SCHEMA_LONG, SCHEMA_WIDTH_VARIES},
    {"float", SCHEMA_FLOAT, 4},
    {"double", SCHEMA_DOUBLE, 8},
    {"bytes", SCHEMA_BYTES, SCHEMA_WIDTH_VARIES},
    {"string", SCHEMA_STRING, SCHEMA_WIDTH_VARIES},
};

static const struct {
    const char *name;
    enum schema_type type;
    enum schema_time time;
} logical_types[] = {
    {"timestamp-millis", SCHEMA_LONG, SCHEMA_TIME_MILLIS},
    {"timestamp-micros", SCHEMA_LONG, SCHEMA_TIME_MICROS},
    {"timestamp-nanos", SCHEMA_LONG, SCHEMA_TIME_NANOS},
    {"local-timestamp-millis", SCHEMA_LONG, SCHEMA_TIME_MILLIS},
    {"local-timestamp-micros", SCHEMA_LONG, SCHEMA_TIME_MICROS},
    {"local-timestamp-nanos", SCHEMA_LONG, SCHEMA_TIME_NANOS},
    {"date", SCHEMA_INT, SCHEMA_TIME_DAYS},
    {"time-millis", SCHEMA_INT, SCHEMA_TIME_OF_DAY},
    {"time-micros", SCHEMA_LONG, SCHEMA_TIME_OF_DAY},
};

static struct schema_node *parse(struct parser *parser, const json_t *json, const char *space);

static struct schema_node *refuse(struct parser *parser, const char *what, const char *name) {
    (void)error_set(parser->err, STATUS_CONFIG, "%s%s%s%s", what, name ? " \"" : "",
                    name ? name : "", name ? "\"" : "");
    return NULL;
}

static struct schema_node *node_create(struct parser *parser, enum schema_type type,
                                       int64_t width) {
    struct schema_node *node = arena_take(parser->arena, sizeof *node);
    *node = (struct schema_node){.type = type, .width = width, .open_at = -1};
    return node;
}

static char *copy_joined(struct parser *parser, const char *space, const char *name) {
    size_t space_size = strlen(space), name_size = strlen(name), dot = space_size > 0;
    char *text = arena_take(parser->arena, space_size + dot + name_size + 1);
    memcpy(text, space, space_size);
    if (dot)
        text[space_size] = '.';
    memcpy(text + space_size + dot, name, name_size);
    text[space_size + dot + name_size] = '\0';
    return text;
}

/* "a.b.Name" -> "a.b". */
static const char *space_of(struct parser *parser, const char *full_name) {
    const char *dot = strrchr(full_name, '.');
    size_t size = dot ? (size_t)(dot - full_name) : 0;
    char *space = arena_take(parser->arena, size + 1);
    memcpy(space, full_name, size);
    space[size] = '\0';
    return space;
}

static struct schema_node *find_exactly(const struct parser *parser, const char *full_name) {
    for (const struct named *named = parser->named; named; named = named->next)
        if (strcmp(named->node->name, full_name) == 0)
            return named->node;
    return NULL;
}

static struct schema_node *parse_name(struct parser *parser, const char *name, const char *space) {
    for (size_t i = 0; i < COUNT_OF(primitives); i++)
        if (strcmp(primitives[i].name, name) == 0)
            return node_create(parser, primitives[i].type, primitives[i].width);
    struct schema_node *node = NULL;
    if (!strchr(name, '.'))
        node = find_exactly(parser, copy_joined(parser, space, name));
    if (!node)
        node = find_exactly(parser, name);
    return node ? node : refuse(parser, "unknown type", name);
}

static struct schema_node *parse_optional(struct parser *parser, const json_t *json,
                                          const char *space) {
    parser->optional++;
    struct schema_node *node = parse(parser, json, space);
    parser->optional--;
    return node;
}

static struct schema_node *parse_union(struct parser *parser, const json_t *json,
                                       const char *space) {
    struct schema_node *node = node_create(parser, SCHEMA_UNION, SCHEMA_WIDTH_VARIES);
    node->count = json_array_size(json);
    if (node->count == 0)
        return refuse(parser, "a union has no branches", NULL);
    node->children = arena_take(parser->arena, node->count * sizeof(struct schema_node *));
    for (size_t i = 0; i < node->count; i++) {
        node->children[i] = parse_optional(parser, json_array_get(json, i), space);
        if (!node->children[i])
            return NULL;
        if (node->children[i]->type == SCHEMA_UNION)
            return refuse(parser, "a union directly in a union", NULL);
    }
    return node;
}

static struct schema_node *parse_items(struct parser *parser, const json_t *json,
                                       enum schema_type type, const char *space) {
    struct schema_node *node = node_create(parser, type, SCHEMA_WIDTH_VARIES);
    const json_t *items = json_object_get(json, type == SCHEMA_ARRAY ? "items" : "values");
    node->count = 1;
    node->children = arena_take(parser->arena, sizeof(struct schema_node *));
    node->children[0] = parse_optional(parser, items, space);
    return node->children[0] ? node : NULL;
}

/* Makes a named type known under its full name; NULL when it has none or it is taken. */
static struct schema_node *declare(struct parser *parser, const json_t *json, enum schema_type type,
                                   const char *space) {
    const char *name = json_string_value(json_object_get(json, "name"));
    const char *own_space = json_string_value(json_object_get(json, "namespace"));
    if (!name || !*name)
        return refuse(parser, "a record, enum or fixed has no name", NULL);
    struct schema_node *node = node_create(parser, type, SCHEMA_WIDTH_VARIES);
    node->name = copy_joined(parser, strchr(name, '.') ? "" : own_space ? own_space : space, name);
    if (find_exactly(parser, node->name))
        return refuse(parser, "a type is defined twice:", node->name);
    struct named *named = arena_take(parser->arena, sizeof *named);
    *named = (struct named){node, parser->named};
    parser->named = named;
    return node;
}

static struct schema_node *parse_fixed(struct parser *parser, const json_t *json,
                                       const char *space) {
    struct schema_node *node = declare(parser, json, SCHEMA_FIXED, space);
    const json_t *size = json_object_get(json, "size");
    if (!node)
        return NULL;
    if (!json_is_integer(size) || json_integer_value(size) < 0 ||
        json_integer_value(size) > FIXED_BYTES_MAX)
        return refuse(parser, "a fixed has no usable size:", node->name);
    node->width = json_integer_value(size);
    return node;
}

static struct slice copy_text(struct parser *parser, const json_t *text) {
    return arena_copy(parser->arena,
                      (struct slice){json_string_value(text), json_string_length(text)});
}

static struct schema_node *parse_enum(struct parser *parser, const json_t *json,
                                      const char *space) {
    struct schema_node *node = declare(parser, json, SCHEMA_ENUM, space);
    const json_t *symbols = json_object_get(json, "symbols");
    if (!node)
        return NULL;
    node->count = json_array_size(symbols);
    if (node->count == 0)
        return refuse(parser, "an enum has no symbols:", node->name);
    node->labels = arena_take(parser->arena, node->count * sizeof *node->labels);
    for (size_t i = 0; i < node->count; i++) {
        if (!json_is_string(json_array_get(symbols, i)))
            return refuse(parser, "a symbol is not a string in enum", node->name);
        node->labels[i] = copy_text(parser, json_array_get(symbols, i));
    }
    return node;
}

static bool parse_field(struct parser *parser, const json_t *json, const char *space,
                        struct schema_node *node, size_t i) {
    const json_t *name = json_object_get(json, "name");
    if (!json_is_string(name))
        return refuse(parser, "a field has no name in record", node->name);
    node->labels[i] = copy_text(parser, name);
    for (size_t k = 0; k < i; k++)
        if (slice_equal(node->labels[k], node->labels[i]))
            return refuse(parser, "a field is defined twice:", json_string_value(name));
    node->children[i] = parse(parser, json_object_get(json, "type"), space);
    if (!node->children[i])
        return false;
    if (node->children[i]->open_at == parser->optional)
        return refuse(parser, "a record contains itself:", node->children[i]->name);
    return true;
}

static struct schema_node *parse_record(struct parser *parser, const json_t *json,
                                        const char *space) {
    struct schema_node *node = declare(parser, json, SCHEMA_RECORD, space);
    const json_t *fields = json_object_get(json, "fields");
    if (!node)
        return NULL;
    if (!json_is_array(fields))
        return refuse(parser, "a record has no fields:", node->name);
    node->count = json_array_size(fields);
    node->children = arena_take(parser->arena, node->count * sizeof(struct schema_node *) + 1);
    node->labels = arena_take(parser->arena, node->count * sizeof *node->labels + 1);
    node->open_at = parser->optional;
    const char *inner_space = space_of(parser, node->name);
    int64_t width = 0;
    for (size_t i = 0; i < node->count; i++) {
        if (!parse_field(parser, json_array_get(fields, i), inner_space, node, i))
            return NULL;
        bool varies = width < 0 || node->children[i]->width < 0;
        width = varies ? SCHEMA_WIDTH_VARIES : width + node->children[i]->width;
        if (width > FIXED_BYTES_MAX)
            return refuse(parser, "a record is too large:", node->name);
    }
    node->width = width;
    node->open_at = -1;
    return node;
}

static void read_logical_type(const json_t *json, struct schema_node *node) {
    const char *name = json_string_value(json_object_get(json, "logicalType"));
    for (size_t i = 0; name && i < COUNT_OF(logical_types); i++)
        if (strcmp(logical_types[i].name, name) == 0 && logical_types[i].type == node->type)
            node->time = logical_types[i].time;
}

static struct schema_node *parse_object(struct parser *parser, const json_t *json,
                                        const char *space) {
    const json_t *type = json_object_get(json, "type");
    const char *name = json_string_value(type);
    if (!name)
        return parse(parser, type, space);
    if (strcmp(name, "record") == 0 || strcmp(name, "error") == 0)
        return parse_record(parser, json, space);
    if (strcmp(name, "enum") == 0)
        return parse_enum(parser, json, space);
    if (strcmp(name, "fixed") == 0)
        return parse_fixed(parser, json, space);
    if (strcmp(name, "array") == 0)
        return parse_items(parser, json, SCHEMA_ARRAY, space);
    if (strcmp(name, "map") == 0)
        return parse_items(parser, json, SCHEMA_MAP, space);
    struct schema_node *node = parse_name(parser, name, space);
    if (node && !node->name)
        read_logical_type(json, node);
    return node;
}

static struct schema_node *parse(struct parser *parser, const json_t *json, const char *space) {
    if (parser->depth == NESTING_MAX)
        return refuse(parser, "the schema is nested too deeply", NULL);
    parser->depth++;
    struct schema_node *node = NULL;
    if (json_is_string(json))
        node = parse_name(parser, json_string_value(json), space);
    else if (json_is_array(json))
        node = parse_union(parser, json, space);
    else if (json_is_object(json))
        node = parse_object(parser, json, space);
    else
        (void)refuse(parser, "a type is missing, or is no string, list or object", NULL);
    parser->depth--;
    return node;
}

enum status schema_tree_init(struct schema_tree *tree, struct slice json, struct error *err) {
    json_error_t trouble;
    json_t *root =
        json_loadb(json.data, json.size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &trouble);
    if (!root)
        return error_set(err, STATUS_CONFIG, "line %d: %s", trouble.line, trouble.text);
    arena_init(&tree->arena);
    struct parser parser = {.arena = &tree->arena, .err = err};
    tree->root = parse(&parser, root, "");
    json_decref(root);
    if (tree->root)
        return STATUS_OK;
    arena_release(&tree->arena);
    return STATUS_CONFIG;
}

void schema_tree_release(struct schema_tree *tree) {
    arena_release(&tree->arena);
    tree->root = NULL;
}
