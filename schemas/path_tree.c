/* SPDX-License-Identifier: Apache-2.0 */
#include "schemas/path_tree.h"

#include <string.h>

struct step {
    struct slice name; /* data NULL: an element */
    uint32_t index;
};

static bool parse_index(const char **at, struct step *out_step) {
    uint32_t index = 0;
    const char *digit = *at;
    for (; *digit >= '0' && *digit <= '9'; digit++) {
        index = index * 10 + (uint32_t)(*digit - '0');
        if (index > PATH_INDEX_MAX)
            return false;
    }
    bool has_digits = digit > *at;
    *at = digit + 1;
    *out_step = (struct step){.index = index};
    return has_digits && *digit == ']';
}

static bool parse_quoted(const char **at, struct step *out_step) {
    const char *end = strchr(*at, '\'');
    if (!end || end[1] != ']')
        return false;
    *out_step = (struct step){.name = {*at, (size_t)(end - *at)}};
    *at = end + 2;
    return true;
}

static bool parse_step(const char **at, struct step *out_step) {
    if (**at == '.') {
        size_t size = strcspn(*at + 1, ".[");
        *out_step = (struct step){.name = {*at + 1, size}};
        *at += 1 + size;
        return size > 0;
    }
    if ((*at)[0] == '[' && (*at)[1] == '\'') {
        *at += 2;
        return parse_quoted(at, out_step);
    }
    *at += 1;
    return parse_index(at, out_step);
}

static bool leads_to(const struct path_node *node, const struct step *step) {
    if (!step->name.data || !node->name)
        return !step->name.data && !node->name && node->index == step->index;
    return slice_equal((struct slice){node->name, node->name_size}, step->name);
}

static struct path_node *descend(struct path_tree *tree, struct path_node *node,
                                 const struct step *step) {
    struct path_node **link = &node->child;
    for (; *link; link = &(*link)->next)
        if (leads_to(*link, step))
            return *link;
    *link = arena_take(&tree->arena, sizeof **link);
    **link = (struct path_node){.index = step->index, .slot = PATH_NO_SLOT};
    if (step->name.data) {
        char *name = arena_take(&tree->arena, step->name.size + 1);
        memcpy(name, step->name.data, step->name.size);
        name[step->name.size] = '\0';
        (*link)->name = name;
        (*link)->name_size = step->name.size;
    }
    return *link;
}

static bool insert(struct path_tree *tree, const char *path, uint32_t slot) {
    if (!path || path[0] != '$')
        return false;
    struct path_node *node = &tree->root;
    const char *at = path + 1;
    for (int steps = 0; *at; steps++) {
        struct step step;
        if (steps == PATH_STEPS_MAX || (*at != '.' && *at != '[') || !parse_step(&at, &step))
            return false;
        node = descend(tree, node, &step);
    }
    tree->next_slot[slot] = node->slot;
    node->slot = slot;
    return true;
}

enum status path_tree_init(struct path_tree *tree, const struct column_path *columns, size_t count,
                           struct error *err) {
    *tree = (struct path_tree){.root = {.slot = PATH_NO_SLOT}, .slot_count = count};
    arena_init(&tree->arena);
    tree->is_time = arena_take(&tree->arena, count * sizeof *tree->is_time + 1);
    tree->next_slot = arena_take(&tree->arena, count * sizeof *tree->next_slot + 1);
    for (size_t i = 0; i < count; i++) {
        tree->is_time[i] = columns[i].is_time;
        if (!insert(tree, columns[i].path, (uint32_t)i)) {
            path_tree_release(tree);
            return error_set(err, STATUS_CONFIG,
                             "path \"%s\" is not of the form $.name, $.name[2] or $['any name']",
                             columns[i].path ? columns[i].path : "");
        }
    }
    return STATUS_OK;
}

void path_tree_release(struct path_tree *tree) {
    arena_release(&tree->arena);
    *tree = (struct path_tree){.root = {.slot = PATH_NO_SLOT}};
}

const struct path_node *path_child(const struct path_node *node, struct slice name) {
    for (const struct path_node *child = node->child; child; child = child->next)
        if (child->name && slice_equal((struct slice){child->name, child->name_size}, name))
            return child;
    return NULL;
}
