/* SPDX-License-Identifier: Apache-2.0 */
#include "state/key.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const kind_names[] = {"default", "panes", "orphans", "rows", "marks"};

static bool is_sliced(enum family_kind kind) {
    return kind == FAMILY_ROWS || kind == FAMILY_MARKS;
}

int family_compare(struct family a, struct family b) {
    if (a.kind != b.kind)
        return a.kind < b.kind ? -1 : 1;
    if (a.instance != b.instance)
        return a.instance < b.instance ? -1 : 1;
    return (a.slice > b.slice) - (a.slice < b.slice);
}

int row_compare(const struct store_row *a, const struct store_row *b) {
    int order = family_compare(a->family, b->family);
    return order ? order : slice_compare(a->key, b->key);
}

const char *family_name(struct family family, char scratch[FAMILY_NAME_BYTES]) {
    ASSERT((size_t)family.kind < COUNT_OF(kind_names));
    ASSERT(is_sliced(family.kind) || (family.instance == 0 && family.slice == 0));
    if (is_sliced(family.kind))
        (void)snprintf(scratch, FAMILY_NAME_BYTES, "%s/%" PRIu32 "/%" PRId64,
                       kind_names[family.kind], family.instance, family.slice);
    else
        (void)snprintf(scratch, FAMILY_NAME_BYTES, "%s", kind_names[family.kind]);
    return scratch;
}

/* "/INSTANCE/SLICE"; lenient, since the caller compares with what we would have written. */
static void parse_numbers(const char *text, struct family *family) {
    char *end = NULL;
    if (*text != '/')
        return;
    family->instance = (uint32_t)strtoul(text + 1, &end, 10);
    if (*end == '/')
        family->slice = strtoll(end + 1, NULL, 10);
}

bool family_parse(const char *name, struct family *out_family) {
    for (size_t kind = 0; kind < COUNT_OF(kind_names); kind++) {
        size_t size = strlen(kind_names[kind]);
        if (strncmp(name, kind_names[kind], size) != 0)
            continue;
        struct family family = {.kind = (enum family_kind)kind};
        char scratch[FAMILY_NAME_BYTES];
        if (is_sliced(family.kind))
            parse_numbers(name + size, &family);
        if (strcmp(family_name(family, scratch), name) != 0)
            continue;
        *out_family = family;
        return true;
    }
    return false;
}
