/* SPDX-License-Identifier: Apache-2.0 */
#include "state/store_rocks_families.h"

#include <stdlib.h>
#include <string.h>

void known_families_release(struct known_families *families) {
    free(families->entries);
    *families = (struct known_families){0};
}

/* Where family is, or belongs. */
static size_t position(const struct known_families *families, struct family family) {
    size_t low = 0, high = families->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (family_compare(families->entries[middle].family, family) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct known_family *known_families_find(const struct known_families *families,
                                         struct family family) {
    size_t at = position(families, family);
    bool is_found =
        at < families->count && family_compare(families->entries[at].family, family) == 0;
    return is_found ? &families->entries[at] : NULL;
}

struct known_family *known_families_insert(struct known_families *families, struct family family) {
    size_t at = position(families, family), behind = families->count - at;
    families->entries =
        alloc_resize(families->entries, families->count + 1, sizeof *families->entries);
    struct known_family *entry = &families->entries[at];
    memmove(entry + 1, entry, behind * sizeof *entry);
    *entry = (struct known_family){.family = family};
    families->count++;
    return entry;
}

void known_families_remove(struct known_families *families, struct family family) {
    struct known_family *entry = known_families_find(families, family);
    ASSERT(entry);
    families->count--;
    memmove(entry, entry + 1,
            (families->count - (size_t)(entry - families->entries)) * sizeof *entry);
}

struct slice family_record(struct family family, char scratch[FAMILY_RECORD_BYTES]) {
    struct slice head = FAMILY_RECORDS;
    memcpy(scratch, head.data, head.size);
    scratch[head.size] = (char)family.kind;
    (void)family_prefix(family, scratch + head.size + 1);
    return (struct slice){scratch, FAMILY_RECORD_BYTES};
}

bool family_record_parse(struct slice key, struct family *out_family) {
    struct slice head = FAMILY_RECORDS;
    if (key.size != FAMILY_RECORD_BYTES || memcmp(key.data, head.data, head.size) != 0)
        return false;
    const char *bytes = (const char *)key.data + head.size;
    if (*bytes != FAMILY_ROWS && *bytes != FAMILY_MARKS)
        return false;
    return family_parse((enum family_kind) * bytes, (struct slice){bytes + 1, PREFIX_BYTES},
                        out_family);
}
