/* generated.h -- the named streams as predictions and feedback of our contract.
 *
 * A record holds what schemas/prediction.1.avsc and feedback.2.avsc want: output, features and
 * groups are its fields, in this order.  SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_COMMANDS_GENERATED_H
#define SLIPSTREAM_COMMANDS_GENERATED_H

#include <stdbool.h>
#include <stdint.h>

enum { GENERATED_FIELDS_MAX = 20 };

enum generated_section { SECTION_OUTPUT, SECTION_FEATURES, SECTION_GROUPS, SECTION_COUNT };

struct generated_field {
    enum generated_section section;
    const char *name;
    bool is_number;
    double number; /* NaN: missing */
    char text[24];
};

struct generated {
    uint64_t index;
    int64_t event_ms, label_ms;
    bool has_label;
    double label;
    struct generated_field fields[GENERATED_FIELDS_MAX];
    int field_count;
};

struct generation {
    const char *stream; /* "tips" */
    const char *kind;   /* of the stream KIND: a name of kind_names */
    uint64_t seed, count;
    int64_t start_ms;
    double rate;               /* items a second of event time */
    double labelled;           /* share of items with a label */
    double lag_median_minutes; /* of the labels; lognormal with sigma 1 */
    bool has_drift;
    uint64_t drift_at; /* the first item of the changed world */
    double drift_by;   /* added to the true log-odds; the model does not know */
};

struct generator;

/* NULL, and why on standard error, when there is no such stream or it cannot drift. */
struct generator *generator_create(const struct generation *generation);
void generator_destroy(struct generator *generator);
uint64_t generator_count(const struct generator *generator);
/* "tips-score" */
const char *generator_model(const struct generator *generator);
/* Pure: any order. */
void generator_item(const struct generator *generator, uint64_t index, struct generated *out_item);

#endif
