/* document.h -- a YAML file as a tree of our own, with line numbers (the only place of libyaml).
 *
 * Scalars are text whatever their YAML tag: the option that reads one knows its type.  Anchors and
 * aliases are expanded.  Limits: 1 MB of text, 16 levels, 20 000 nodes (aliases counted each time),
 * so that no document can bloat or hang the reader.  SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_CONFIG_DOCUMENT_H
#define SLIPSTREAM_CONFIG_DOCUMENT_H

#include "base/arena.h"
#include "base/error.h"

enum node_kind { NODE_SCALAR, NODE_SEQUENCE, NODE_MAPPING };

struct node {
    enum node_kind kind;
    int line;         /* from 1 */
    const char *text; /* NODE_SCALAR */
    struct node **items;
    const char **keys; /* NODE_MAPPING: items[i] belongs to keys[i]; else NULL */
    int *key_lines;
    int count;
};

/* The root of the document in text (an empty document is an empty mapping); all of it lives in
 * arena.  Errors: CONFIG ("line 3: did not find expected key"). */
enum status document_parse(struct slice text, struct arena *arena, struct node **out_root,
                           struct error *err) MUST_CHECK;
/* The same from a file.  Errors: CONFIG, also when the file cannot be read. */
enum status document_load(const char *path, struct arena *arena, struct node **out_root,
                          struct error *err) MUST_CHECK;
/* The whole file as text in arena, at most limit bytes; NULL data and err set when that fails. */
struct slice file_read(const char *path, size_t limit, struct arena *arena, struct error *err);

/* The item under key, or NULL (also when node is no mapping). */
const struct node *node_get(const struct node *node, const char *key);

#endif
