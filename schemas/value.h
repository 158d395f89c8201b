/* value.h -- one decoded field of a record.  SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_SCHEMAS_VALUE_H
#define SLIPSTREAM_SCHEMAS_VALUE_H

#include "base/slice.h"

enum value_kind { VALUE_MISSING, VALUE_LONG, VALUE_DOUBLE, VALUE_STRING };

struct value {
    enum value_kind kind;
    union {
        int64_t integer;     /* int, long, boolean (0 or 1), enum as VALUE_STRING; times in ms, see
                                decoder.h */
        double real;         /* float, double; may be NaN or infinite: the caller judges */
        struct slice string; /* string, bytes, fixed, enum symbol: a borrow of the payload or of the
                                decoder's scratch, valid until the decoder's next record */
    } as;
};

#endif
