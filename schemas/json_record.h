/* json_record.h -- reads the configured columns out of one JSON text.
 *
 * Whole numbers are VALUE_LONG, others VALUE_DOUBLE, booleans VALUE_LONG 0 or 1, strings
 * VALUE_STRING (they may hold NUL), null VALUE_MISSING.  Refused as UNDECODABLE: what RFC 8259 does
 * not allow, a key twice in an object, nesting beyond jansson's 2048, whole numbers beyond 64 bits,
 * text that is not UTF-8, a root that is no object or array.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_SCHEMAS_JSON_RECORD_H
#define SLIPSTREAM_SCHEMAS_JSON_RECORD_H

#include "schemas/path_tree.h"
#include "schemas/refusal.h"
#include "schemas/value.h"

struct json_t;

/* Holds the last text's tree, from which the values borrow.  Starts as {0}. */
struct json_record {
    struct json_t *root;
};

void json_record_release(struct json_record *record);

/* Fills one value a column, valid until the next call.  REFUSAL_UNDECODABLE; REFUSAL_BAD_TYPE: an
 * object or array where a column wants one value, or no time where it wants a time.  After a
 * refusal the values are undefined. */
enum refusal json_record_read(struct json_record *record, const struct path_tree *paths,
                              struct slice text, struct value *out_values);

#endif
