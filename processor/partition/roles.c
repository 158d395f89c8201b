/* SPDX-License-Identifier: Apache-2.0 */
#include "partition/roles.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

bool role_filter(const struct value *columns, int column, struct slice wanted) {
    if (column < 0)
        return true;
    const struct value *value = &columns[column];
    char number[32];
    switch (value->kind) {
    case VALUE_MISSING:
        return false;
    case VALUE_STRING:
        return slice_equal(value->as.string, wanted);
    case VALUE_LONG:
        (void)snprintf(number, sizeof number, "%" PRId64, value->as.integer);
        return slice_equal(slice_from(number), wanted);
    case VALUE_DOUBLE:
        (void)snprintf(number, sizeof number, "%.15g", value->as.real);
        return slice_equal(slice_from(number), wanted);
    }
    return false;
}

static enum refusal number_of(const struct value *value, double *out_number) {
    switch (value->kind) {
    case VALUE_MISSING:
        return REFUSAL_MISSING_FIELD;
    case VALUE_LONG:
        *out_number = (double)value->as.integer;
        return REFUSAL_NONE;
    case VALUE_DOUBLE:
        *out_number = value->as.real;
        return isfinite(value->as.real) ? REFUSAL_NONE : REFUSAL_NOT_FINITE;
    case VALUE_STRING:
        break;
    }
    return REFUSAL_BAD_TYPE;
}

/* Beyond 2^60 a square or a sum no longer fits the fixed point: a dead letter, never a wrap. */
static enum refusal regression_of(const struct value *value, double *out_number) {
    double number = 0;
    enum refusal refusal = number_of(value, &number);
    if (refusal != REFUSAL_NONE)
        return refusal;
    if (fabs(number) > 0x1p29)
        return REFUSAL_VALUE_RANGE;
    *out_number = number;
    return REFUSAL_NONE;
}

static enum refusal class_of(const struct task_definition *definition, const struct value *value,
                             double *out_class) {
    char number[32];
    struct slice text = value->as.string;
    if (value->kind == VALUE_MISSING)
        return REFUSAL_MISSING_FIELD;
    if (value->kind == VALUE_LONG) {
        (void)snprintf(number, sizeof number, "%" PRId64, value->as.integer);
        text = slice_from(number);
    } else if (value->kind != VALUE_STRING) {
        return REFUSAL_BAD_TYPE;
    }
    for (int i = 0; i < definition->class_count; i++) {
        if (slice_equal(text, slice_from(definition->classes[i]))) {
            *out_class = i;
            return REFUSAL_NONE;
        }
    }
    return REFUSAL_UNKNOWN_CLASS;
}

static enum refusal binary_label_of(const struct task_definition *definition,
                                    const struct value *value, double *out_label) {
    if (value->kind == VALUE_STRING) {
        if (!definition->positive_label)
            return REFUSAL_BAD_LABEL;
        *out_label = slice_equal(value->as.string, slice_from(definition->positive_label));
        return REFUSAL_NONE;
    }
    double number = 0;
    enum refusal refusal = number_of(value, &number);
    if (refusal != REFUSAL_NONE)
        return refusal;
    if (number != 0.0 && number != 1.0)
        return REFUSAL_BAD_LABEL;
    *out_label = number;
    return REFUSAL_NONE;
}

enum refusal role_output(const struct task_definition *definition, const struct value *columns,
                         double *out_output) {
    double score = 0;
    switch (definition->kind) {
    case TASK_MULTICLASS:
        return class_of(definition, &columns[definition->output_column], out_output);
    case TASK_REGRESSION:
        return regression_of(&columns[definition->output_column], out_output);
    case TASK_BINARY:
        break;
    }
    enum refusal refusal = number_of(&columns[definition->score_column], &score);
    if (refusal != REFUSAL_NONE)
        return refusal;
    if (score < 0.0 || score > 1.0)
        return REFUSAL_SCORE_RANGE;
    *out_output = score;
    return REFUSAL_NONE;
}

enum refusal role_label(const struct task_definition *definition, const struct value *columns,
                        double *out_label) {
    const struct value *value = &columns[definition->label_column];
    switch (definition->kind) {
    case TASK_MULTICLASS:
        return class_of(definition, value, out_label);
    case TASK_REGRESSION:
        return regression_of(value, out_label);
    case TASK_BINARY:
        break;
    }
    return binary_label_of(definition, value, out_label);
}
