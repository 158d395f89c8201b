/* sli_table.h -- SLIs for people and scripts: the newest record of each key, in order, printed.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_COMMANDS_SLI_TABLE_H
#define SLIPSTREAM_COMMANDS_SLI_TABLE_H

#include <stdio.h>

#include "task/sli.h"

struct sli_row;

struct sli_table {
    struct sli_row *rows;
    size_t count, capacity;
    uint32_t *slots;
    size_t slot_count;
};

enum sli_format { SLI_FORMAT_TABLE, SLI_FORMAT_CSV, SLI_FORMAT_JSONL };

/* NULL: everything of it. */
struct sli_choice {
    const char *task, *metric, *group, *window;
};

void sli_table_init(struct sli_table *table);
void sli_table_release(struct sli_table *table);
/* Keeps a copy unless a record of the key with a greater revision is there.  false: not an SLI
 * record. */
bool sli_table_put(struct sli_table *table, struct slice key, struct slice value);
/* By task, window, window start, group, metric; says on standard error when none is chosen. */
void sli_table_print(struct sli_table *table, enum sli_format format,
                     const struct sli_choice *choice, FILE *out);
/* One screen: the last windows of each chosen task, each metric with its interval and a sparkline
 * of the past windows; at most lines lines. */
void sli_table_watch(struct sli_table *table, const struct sli_choice *choice, size_t lines,
                     FILE *out);
bool sli_format_parse(const char *text, enum sli_format *out_format);

#endif
