/* container.h -- reads an Avro object container file, record by record, by avro-c (codecs null,
 * deflate, and those avro-c was built with).  For files of the user's own, not for what strangers
 * send.
 *
 * Source   Apache Avro 1.11 specification, "Object Container Files"
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_SCHEMAS_CONTAINER_H
#define SLIPSTREAM_SCHEMAS_CONTAINER_H

#include "base/error.h"
#include "schemas/path_tree.h"
#include "schemas/refusal.h"
#include "schemas/value.h"

struct container;

/* paths is borrowed for this call.  Errors, without the file's name: CONFIG (no container, its
 * schema does not parse, no column is in it), IO. */
enum status container_open(const char *path, const struct path_tree *paths,
                           struct container **out_container, struct error *err) MUST_CHECK;
void container_close(struct container *container);

/* The next record: values and raw, its binary in the file's schema, are valid until the next call.
 * Errors: CORRUPT (what follows cannot be read: after it comes the end; or a column of this record
 * has a bad type: after it comes the next record). */
enum status container_next(struct container *container, struct value *out_values,
                           struct slice *out_raw, bool *out_end, struct error *err) MUST_CHECK;

struct slice container_schema(const struct container *container); /* JSON text */

#endif
