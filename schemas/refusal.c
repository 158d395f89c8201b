/* SPDX-License-Identifier: Apache-2.0 */
#include "schemas/refusal.h"

#include "base/error.h"

static const struct {
    const char *code, *remedy;
} table[] = {
    {"NONE", ""},
#define REFUSAL(code, remedy) {#code, remedy},
#include "schemas/refusal.def"
#undef REFUSAL
};

const char *refusal_code(enum refusal refusal) {
    ASSERT((unsigned)refusal < REFUSAL_COUNT);
    return table[refusal].code;
}

const char *refusal_remedy(enum refusal refusal) {
    ASSERT((unsigned)refusal < REFUSAL_COUNT);
    return table[refusal].remedy;
}
