/* schema_tree.h -- an Avro schema, parsed from its JSON: what projections are compiled from.
 *
 * Own parser, because avro-c 1.11 drops logical types.  Named types are resolved, so a recursive
 * schema is a graph with cycles.  Defaults, aliases, docs and order are not read: a projection
 * takes what the writer wrote.
 *
 * Source   Apache Avro 1.11 specification, "Schema Declaration", "Names", "Logical Types"
 * Bounds   nesting at most 64; refused are records that contain themselves without a union, array
 *          or map between (they would be infinite), and unknown names or types.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_SCHEMAS_SCHEMA_TREE_H
#define SLIPSTREAM_SCHEMAS_SCHEMA_TREE_H

#include "base/arena.h"
#include "base/error.h"

enum schema_type {
    SCHEMA_NULL,
    SCHEMA_BOOLEAN,
    SCHEMA_INT,
    SCHEMA_LONG,
    SCHEMA_FLOAT,
    SCHEMA_DOUBLE,
    SCHEMA_BYTES,
    SCHEMA_STRING,
    SCHEMA_FIXED,
    SCHEMA_ENUM,
    SCHEMA_RECORD,
    SCHEMA_ARRAY,
    SCHEMA_MAP,
    SCHEMA_UNION
};

/* What an int or long counts since 1970, by its logical type. */
enum schema_time {
    SCHEMA_TIME_PLAIN, /* no logical type about time */
    SCHEMA_TIME_MILLIS,
    SCHEMA_TIME_MICROS,
    SCHEMA_TIME_NANOS,
    SCHEMA_TIME_DAYS,
    SCHEMA_TIME_OF_DAY /* time-millis, time-micros: no instant */
};

enum { SCHEMA_WIDTH_VARIES = -1 };

struct schema_node {
    enum schema_type type;
    enum schema_time time;
    const char *name; /* full name of a named type, else NULL */
    int64_t width;    /* bytes of every value, or SCHEMA_WIDTH_VARIES */
    size_t count;     /* fields, branches, symbols; 1 for the items of arrays and maps */
    struct schema_node **children; /* fields, branches, or the items */
    struct slice *labels;          /* names of fields, symbols of an enum */
    int open_at;      /* of a record that is being parsed: how many unions, arrays and maps
are around it; else -1 */
    bool is_inlined;  /* notes of the compiler: see projection_compile.c */
    uint32_t routine; /* idem: number of its routine, from 1 */
};

struct schema_tree {
    struct arena arena; /* holds all nodes and names */
    struct schema_node *root;
};

/* Errors: CONFIG (not JSON, not a schema); nothing to release then. */
enum status schema_tree_init(struct schema_tree *tree, struct slice json,
                             struct error *err) MUST_CHECK;
void schema_tree_release(struct schema_tree *tree);

#endif
