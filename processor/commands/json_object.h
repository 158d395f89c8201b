/* json_object.h -- columns back into the object that their paths describe.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_COMMANDS_JSON_OBJECT_H
#define SLIPSTREAM_COMMANDS_JSON_OBJECT_H

#include "schemas/decoder.h"
#include "schemas/value.h"

/* Appends {"id":"a","groups":{"zone":"3"}} for $.id and $.groups.zone.  Missing values are left
 * out, numbers that are not finite too; items of arrays ($.a[0]) have no object and are left out.
 */
void json_object_write(const struct column_path *columns, const struct value *values, size_t count,
                       struct buffer *out);

#endif
