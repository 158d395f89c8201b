/* store_rocks_families.h -- which ROWS and MARKS families a database has, in memory.  On disk each
 * is a record of the meta family, written with the batch that commits its first contents.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_STATE_STORE_ROCKS_FAMILIES_H
#define SLIPSTREAM_STATE_STORE_ROCKS_FAMILIES_H

#include "state/key.h"

struct known_family {
    struct family family;
    uint32_t runs;    /* ROWS: sorted files */
    bool is_recorded; /* its record is on disk */
};

struct known_families {
    struct known_family *entries; /* ascending, owned */
    size_t count;
};

void known_families_release(struct known_families *families);
/* NULL when unknown.  A borrow, valid until the next insert or remove. */
struct known_family *known_families_find(const struct known_families *families,
                                         struct family family);
/* Must be unknown.  As find. */
struct known_family *known_families_insert(struct known_families *families, struct family family);
void known_families_remove(struct known_families *families, struct family family);

/* The key of a family's record; all begin with FAMILY_RECORDS. */
#define FAMILY_RECORDS                                                                             \
    SLICE("\xff\xff"                                                                               \
          "family")
enum { FAMILY_RECORD_BYTES = 8 + 1 + PREFIX_BYTES };
struct slice family_record(struct family family, char scratch[FAMILY_RECORD_BYTES]);
/* False when key is no such record. */
bool family_record_parse(struct slice key, struct family *out_family);

#endif
