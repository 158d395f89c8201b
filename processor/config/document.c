/* SPDX-License-Identifier: Apache-2.0 */
#include "config/document.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <yaml.h>

enum { TEXT_BYTES_MAX = 1 << 20, DEPTH_MAX = 16, NODES_MAX = 20000 };

struct conversion {
    yaml_document_t *document;
    struct arena *arena;
    int nodes;
    struct error *err;
};

static enum status convert(struct conversion *conversion, int index, int depth,
                           struct node **out_node);

static const char *copy_text(struct arena *arena, const unsigned char *text, size_t size) {
    char *copy = arena_take(arena, size + 1);
    memcpy(copy, text, size);
    copy[size] = '\0';
    return copy;
}

static void *take_array(struct arena *arena, int count, size_t size) {
    return arena_take(arena, ((size_t)count + 1) * size);
}

static enum status convert_sequence(struct conversion *conversion, const yaml_node_t *from,
                                    int depth, struct node *node) {
    int count = (int)(from->data.sequence.items.top - from->data.sequence.items.start);
    node->items = take_array(conversion->arena, count, sizeof(struct node *));
    for (; node->count < count; node->count++)
        TRY(convert(conversion, from->data.sequence.items.start[node->count], depth + 1,
                    &node->items[node->count]));
    return STATUS_OK;
}

static enum status convert_key(struct conversion *conversion, int index, struct node *node) {
    const yaml_node_t *key = yaml_document_get_node(conversion->document, index);
    int line = key ? (int)key->start_mark.line + 1 : node->line;
    if (!key || key->type != YAML_SCALAR_NODE)
        return error_set(conversion->err, STATUS_CONFIG, "line %d: a key must be plain text", line);
    const char *text =
        copy_text(conversion->arena, key->data.scalar.value, key->data.scalar.length);
    for (int i = 0; i < node->count; i++)
        if (strcmp(node->keys[i], text) == 0)
            return error_set(conversion->err, STATUS_CONFIG,
                             "line %d: %.80s is set twice, first on line %d", line, text,
                             node->key_lines[i]);
    node->keys[node->count] = text;
    node->key_lines[node->count] = line;
    return STATUS_OK;
}

static enum status convert_mapping(struct conversion *conversion, const yaml_node_t *from,
                                   int depth, struct node *node) {
    int count = (int)(from->data.mapping.pairs.top - from->data.mapping.pairs.start);
    node->items = take_array(conversion->arena, count, sizeof(struct node *));
    node->keys = take_array(conversion->arena, count, sizeof(char *));
    node->key_lines = take_array(conversion->arena, count, sizeof(int));
    for (; node->count < count; node->count++) {
        const yaml_node_pair_t *pair = &from->data.mapping.pairs.start[node->count];
        TRY(convert_key(conversion, pair->key, node));
        TRY(convert(conversion, pair->value, depth + 1, &node->items[node->count]));
    }
    return STATUS_OK;
}

static enum status convert(struct conversion *conversion, int index, int depth,
                           struct node **out_node) {
    const yaml_node_t *from = yaml_document_get_node(conversion->document, index);
    if (!from || depth > DEPTH_MAX || ++conversion->nodes > NODES_MAX)
        return error_set(conversion->err, STATUS_CONFIG,
                         "too deep or too large (at most %d levels, %d values)", DEPTH_MAX,
                         NODES_MAX);
    struct node *node = arena_take(conversion->arena, sizeof *node);
    *node = (struct node){.kind = NODE_SCALAR, .line = (int)from->start_mark.line + 1};
    *out_node = node;
    if (from->type == YAML_SEQUENCE_NODE) {
        node->kind = NODE_SEQUENCE;
        return convert_sequence(conversion, from, depth, node);
    }
    if (from->type == YAML_MAPPING_NODE) {
        node->kind = NODE_MAPPING;
        return convert_mapping(conversion, from, depth, node);
    }
    node->text = copy_text(conversion->arena, from->data.scalar.value, from->data.scalar.length);
    return STATUS_OK;
}

static struct node *empty_mapping(struct arena *arena) {
    struct node *node = arena_take(arena, sizeof *node);
    *node = (struct node){.kind = NODE_MAPPING, .line = 1};
    return node;
}

enum status document_parse(struct slice text, struct arena *arena, struct node **out_root,
                           struct error *err) {
    if (text.size > TEXT_BYTES_MAX)
        return error_set(err, STATUS_CONFIG, "larger than %d bytes", (int)TEXT_BYTES_MAX);
    yaml_parser_t parser;
    yaml_document_t document;
    ASSERT(yaml_parser_initialize(&parser));
    yaml_parser_set_input_string(&parser, (const unsigned char *)text.data, text.size);
    if (!yaml_parser_load(&parser, &document)) {
        (void)error_set(err, STATUS_CONFIG, "line %zu: %s", parser.problem_mark.line + 1,
                        parser.problem ? parser.problem : "not YAML");
        yaml_parser_delete(&parser);
        return STATUS_CONFIG;
    }
    enum status status = STATUS_OK;
    struct node *root = NULL;
    if (yaml_document_get_root_node(&document)) {
        struct conversion conversion = {.document = &document, .arena = arena, .err = err};
        status = convert(&conversion, 1, 0, &root);
    } else {
        root = empty_mapping(arena);
    }
    yaml_document_delete(&document);
    yaml_parser_delete(&parser);
    if (status == STATUS_OK)
        *out_root = root;
    return status;
}

struct slice file_read(const char *path, size_t limit, struct arena *arena, struct error *err) {
    FILE *file = fopen(path, "rb");
    if (!file) {
        (void)error_set(err, STATUS_CONFIG, "cannot read %.300s: %s", path, strerror(errno));
        return (struct slice){NULL, 0};
    }
    char *text = arena_take(arena, limit + 1);
    size_t size = fread(text, 1, limit + 1, file);
    bool failed = ferror(file) != 0;
    (void)fclose(file);
    if (failed || size > limit) {
        (void)error_set(err, STATUS_CONFIG, "cannot read %.300s: %s", path,
                        failed ? "not a readable file" : "too large");
        return (struct slice){NULL, 0};
    }
    text[size] = '\0';
    return (struct slice){text, size};
}

enum status document_load(const char *path, struct arena *arena, struct node **out_root,
                          struct error *err) {
    struct slice text = file_read(path, TEXT_BYTES_MAX, arena, err);
    if (!text.data)
        return STATUS_CONFIG;
    return document_parse(text, arena, out_root, err);
}

const struct node *node_get(const struct node *node, const char *key) {
    for (int i = 0; node->kind == NODE_MAPPING && i < node->count; i++)
        if (strcmp(node->keys[i], key) == 0)
            return node->items[i];
    return NULL;
}
