/* batch.h -- the metrics of one window, from its rows.  SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_TESTS_DATA_BATCH_H
#define SLIPSTREAM_TESTS_DATA_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum kind { KIND_BINARY, KIND_MULTICLASS, KIND_REGRESSION };

struct row {
    const char *id;
    char *group;               /* owned */
    int64_t time_ms, start_ms; /* start of the window that is being computed */
    double output, label;      /* binary: score, 0 or 1; regression: values */
    const char *class, *label_class;
    int64_t lag_ms;
    bool is_labelled;
};

enum { VALUES_MAX = 32 };

struct value {
    const char *metric, *rule;
    double value;
    bool has; /* false: cannot tell */
};

struct values {
    struct value list[VALUES_MAX];
    size_t count, labelled;
};

/* out_values starts empty. */
void values_of(enum kind kind, const struct row *rows, size_t count, struct values *out_values);

#endif
