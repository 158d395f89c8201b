/* refusal.h -- reasons for which a record becomes a dead letter (refusal.def is the only list).
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_SCHEMAS_REFUSAL_H
#define SLIPSTREAM_SCHEMAS_REFUSAL_H

enum refusal {
    REFUSAL_NONE,
#define REFUSAL(code, remedy) REFUSAL_##code,
#include "schemas/refusal.def"
#undef REFUSAL
    REFUSAL_COUNT
};

const char *refusal_code(enum refusal refusal);   /* "LATE"; "NONE" for REFUSAL_NONE */
const char *refusal_remedy(enum refusal refusal); /* one sentence */

#endif
