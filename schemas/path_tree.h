/* path_tree.h -- the configured column paths, parsed into one tree that both formats walk.
 *
 * Syntax   "$" then any number of  .name  |  ['any text']  |  [index]
 *          A name runs to the next '.' or '['; between quotes every character but ' counts.
 * Bounds   at most 16 steps a path; indices up to 1,000,000.
 * Two columns may have the same path; a slot is the number of a column.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_SCHEMAS_PATH_TREE_H
#define SLIPSTREAM_SCHEMAS_PATH_TREE_H

#include "base/arena.h"
#include "base/error.h"
#include "schemas/decoder.h"

enum { PATH_STEPS_MAX = 16, PATH_INDEX_MAX = 1000000 };

static const uint32_t PATH_NO_SLOT = UINT32_MAX;

struct path_node {
    const char *name; /* NUL-terminated; NULL: an element of an array */
    size_t name_size;
    uint32_t index; /* of the element */
    uint32_t slot;  /* the first column with this path, or PATH_NO_SLOT */
    struct path_node *child, *next;
};

struct path_tree {
    struct arena arena;
    struct path_node root;
    size_t slot_count;
    bool *is_time;       /* a slot */
    uint32_t *next_slot; /* a slot: the next column with the same path, or PATH_NO_SLOT */
};

/* Copies what it needs.  Errors: CONFIG (a path does not parse); nothing to release then. */
enum status path_tree_init(struct path_tree *tree, const struct column_path *columns, size_t count,
                           struct error *err) MUST_CHECK;
void path_tree_release(struct path_tree *tree);

/* The child that this field or key leads to, or NULL. */
const struct path_node *path_child(const struct path_node *node, struct slice name);

#endif
