/* schema_set.h -- Avro schemas by id.  Today from a directory; a registry client will fill the same
 * set.
 *
 * Directory   files NAME.ID.avsc, ID in decimal: prediction.1.avsc.  Our own contract in schemas/
 * is such a directory.  SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_SCHEMAS_SCHEMA_SET_H
#define SLIPSTREAM_SCHEMAS_SCHEMA_SET_H

#include "base/error.h"
#include "base/slice.h"

struct schema_set;

/* Loads every *.ID.avsc of the directory.  Errors: CONFIG (names the file and what is wrong in it).
 */
enum status schema_set_load(const char *directory, struct schema_set **out_set,
                            struct error *err) MUST_CHECK;
void schema_set_destroy(struct schema_set *set);

/* The schema's JSON text, or an empty slice if the id is unknown; lives as long as the set. */
struct slice schema_set_json(const struct schema_set *set, int32_t id);
/* The id of NAME.ID.avsc with the greatest ID, or -1. */
int32_t schema_set_find(const struct schema_set *set, const char *name);

#endif
