/* roles.h -- what a task makes of a record's columns: its output, its label, its filter.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_PARTITION_ROLES_H
#define SLIPSTREAM_PARTITION_ROLES_H

#include "config/definition.h"
#include "schemas/refusal.h"
#include "schemas/value.h"

/* A task without a filter (column -1) takes every record. */
bool role_filter(const struct value *columns, int column, struct slice wanted);
/* Binary: the score; multiclass: the class as a number; regression: the value. */
enum refusal role_output(const struct task_definition *definition, const struct value *columns,
                         double *out_output);
enum refusal role_label(const struct task_definition *definition, const struct value *columns,
                        double *out_label);

#endif
