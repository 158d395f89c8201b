/* projection.h -- reads the configured columns out of Avro binary, by a small program compiled from
 * the writer schema.
 *
 * The program walks the bytes once, stores what the path tree asks for and skips the rest: runs of
 * values of fixed width in one step, blocks that carry their size in one jump.  The same bytes and
 * schema give the same values as a full decoder.  The walk is bounds-checked; values that are
 * stored are also checked (an int's range, a boolean's byte, an enum's symbol), those that are
 * skipped only as far as their extent needs it.  A map with a key twice yields the last one.
 *
 * Bounds   nesting of arrays, maps and recursive records in one payload: 32, beyond it the payload
 *          is UNDECODABLE; a program has at most 1,000,000 instructions
 * Cost     3 to 8 ns a field of a record; 25 ns a map entry that is skipped, 50 ns one that is
 * stored (where a mispredicted branch takes 20 ns); no allocation
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_SCHEMAS_PROJECTION_H
#define SLIPSTREAM_SCHEMAS_PROJECTION_H

#include "schemas/path_tree.h"
#include "schemas/refusal.h"
#include "schemas/value.h"

struct projection;

/* schema_json: the writer schema.  paths is borrowed for this call only.  A projection is constant
 * after it was made.  Errors: CONFIG (the schema does not parse or is too large). */
enum status projection_create(struct slice schema_json, const struct path_tree *paths,
                              struct projection **out_projection, struct error *err) MUST_CHECK;
void projection_destroy(struct projection *projection);

/* How many of the columns the writer schema can yield at all. */
size_t projection_found(const struct projection *projection);

/* Fills one value a column; strings borrow from payload or, enum symbols, from the projection.
 * REFUSAL_UNDECODABLE, also for bytes left over; REFUSAL_BAD_TYPE: a record, array or map where a
 * column wants one value, or no time where it wants a time.  After a refusal the values are
 * undefined. */
enum refusal projection_read(const struct projection *projection, struct slice payload,
                             struct value *out_values);

#endif
