/* family_rows.h -- rows in an array, of several families, as a store's flush asks for them.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_TESTS_FAMILY_ROWS_H
#define SLIPSTREAM_TESTS_FAMILY_ROWS_H

#include <stdlib.h>

#include "state/key.h"
#include "state/store.h"

struct family_row {
    struct family family;
    struct slice key, value;
};

static inline struct store_row family_row_at(void *context, size_t i) {
    const struct family_row *row = (const struct family_row *)context + i;
    return (struct store_row){row->key, row->value};
}

/* rows: ascending by family and key. */
static inline enum status flush_rows_of(struct store *store, struct family_row *rows, size_t count,
                                        const struct store_put *puts, size_t put_count,
                                        struct error *err) {
    struct store_rows *families = alloc_zero(count + 1, sizeof *families);
    size_t family_count = 0;
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || family_compare(rows[i - 1].family, rows[i].family) != 0)
            families[family_count++] = (struct store_rows){
                .family = rows[i].family, .row = family_row_at, .context = &rows[i]};
        families[family_count - 1].count++;
    }
    enum status status = store->ops->flush(store, families, family_count, puts, put_count, err);
    free(families);
    return status;
}

#endif
