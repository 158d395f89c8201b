/* batch.c -- what every window must come to in the end, computed from whole files.
 *
 *   batch PREDICTIONS FEEDBACK TASK KIND OUTPUT LABEL GROUP HORIZON_MS WINDOW:SIZE_MS:OFFSET_MS...
 *
 * KIND is binary, multiclass or regression; OUTPUT and LABEL are columns; GROUP is NAME:COLUMN, or
 * NAME,NAME:COLUMN,COLUMN for a cross.  Writes CSV: task, metric, group, window, window_start,
 * value, predicted, labelled, rule; the rule is how near the value must come: exact (all printed
 * digits), near (the last printed digit may differ: the formula rounds more than once) or bound
 * (the published error bound).
 *
 * The rules are those of the documentation, told anew: a label joins when its lag is from -1 minute
 * to the horizon, the latest by label time counts; sums of losses are whole numbers of 2^-32.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/batch.h"
#include "data/table.h"

enum { SKEW_MS = 60000, ARGUMENTS = 9, NAME_BYTES_MAX = 200 };

struct batch {
    struct row *rows;
    size_t count;
    const char *task;
    enum kind kind;
    int64_t horizon_ms;
};

struct window {
    char name[NAME_BYTES_MAX];
    int64_t size_ms, offset_ms;
};

static int by_id(const void *left, const void *right) {
    const struct row *a = left, *b = right;
    return strcmp(a->id, b->id);
}

static int by_group(const void *left, const void *right) {
    const struct row *a = left, *b = right;
    int order = strcmp(a->group, b->group);
    return order ? order : (a->start_ms > b->start_ms) - (a->start_ms < b->start_ms);
}

static int by_start(const void *left, const void *right) {
    const struct row *a = left, *b = right;
    return (a->start_ms > b->start_ms) - (a->start_ms < b->start_ms);
}

/* To be freed: "borough=Queens"; of a cross "hotel,segment=City Hotel,Direct". */
static char *group_of(const struct table *table, size_t row, const char *group) {
    char *text = take(NAME_BYTES_MAX * 2, 1), columns[NAME_BYTES_MAX];
    const char *colon = strchr(group, ':');
    if (!colon)
        fail("GROUP is NAME:COLUMN", group);
    int size = snprintf(text, NAME_BYTES_MAX, "%.*s=", (int)(colon - group), group);
    (void)snprintf(columns, sizeof columns, "%s", colon + 1);
    for (char *name = columns, *end; *name != '\0'; name = end) {
        end = name + strcspn(name, ",");
        if (*end == ',')
            *end++ = '\0';
        size +=
            snprintf(text + size, (size_t)(NAME_BYTES_MAX * 2 - size), "%s%s",
                     table_field(table, row, table_column(table, name)), *end == '\0' ? "" : ",");
    }
    return text;
}

static void read_predictions(struct batch *batch, const struct table *table, char **arguments) {
    size_t id = table_column(table, "id"), time = table_column(table, "event_time");
    size_t output = table_column(table, arguments[5]);
    batch->rows = take(table->rows, sizeof *batch->rows);
    for (size_t i = 0; i < table->rows; i++) {
        struct row *row = &batch->rows[batch->count++];
        *row = (struct row){.id = table_field(table, i, id),
                            .time_ms = time_from(table_field(table, i, time)),
                            .class = table_field(table, i, output),
                            .output = table_number(table, i, output),
                            .group = group_of(table, i, arguments[7])};
    }
    qsort(batch->rows, batch->count, sizeof *batch->rows, by_id);
    for (size_t i = 1; i < batch->count; i++)
        if (by_id(&batch->rows[i - 1], &batch->rows[i]) == 0)
            fail("occurs twice; ids must be unique", batch->rows[i].id);
}

static void read_feedback(struct batch *batch, const struct table *table, const char *label) {
    size_t id = table_column(table, "id"), time = table_column(table, "label_time");
    size_t column = table_column(table, label);
    for (size_t i = 0; i < table->rows; i++) {
        const struct row wanted = {.id = table_field(table, i, id)};
        struct row *row = bsearch(&wanted, batch->rows, batch->count, sizeof *batch->rows, by_id);
        int64_t label_ms = time_from(table_field(table, i, time));
        if (!row || label_ms - row->time_ms < -SKEW_MS ||
            label_ms - row->time_ms > batch->horizon_ms ||
            (row->is_labelled && label_ms < row->time_ms + row->lag_ms))
            continue;
        row->is_labelled = true;
        row->lag_ms = label_ms - row->time_ms;
        row->label = table_number(table, i, column);
        row->label_class = table_field(table, i, column);
    }
}

static void write_values(const struct batch *batch, const struct row *rows, size_t count,
                         const char *group, const char *window) {
    struct values values = {.count = 0};
    char start[TIME_BYTES];
    values_of(batch->kind, rows, count, &values);
    time_to(rows[0].start_ms, start);
    for (size_t i = 0; i < values.count; i++) {
        const struct value *value = &values.list[i];
        (void)printf("%s,%s,\"%s\",%s,%s,", batch->task, value->metric, group, window, start);
        if (value->has)
            (void)printf("%.10g", value->value);
        (void)printf(",%zu,%zu,%s\n", count, values.labelled, value->rule);
    }
}

/* The rows are in order; a stretch of one start, and of one group if asked, is one window. */
static void write_windows(const struct batch *batch, const struct window *window, bool is_grouped) {
    for (size_t i = 0, next; i < batch->count; i = next) {
        const struct row *first = &batch->rows[i];
        for (next = i + 1; next < batch->count; next++)
            if ((is_grouped ? by_group : by_start)(first, &batch->rows[next]) != 0)
                break;
        write_values(batch, first, next - i, is_grouped ? first->group : "all", window->name);
    }
}

static void read_window(const char *text, struct window *window) {
    const char *size = strchr(text, ':'), *offset = size ? strchr(size + 1, ':') : NULL;
    if (!offset)
        fail("WINDOW is NAME:SIZE_MS:OFFSET_MS", text);
    (void)snprintf(window->name, sizeof window->name, "%.*s", (int)(size - text), text);
    window->size_ms = strtoll(size + 1, NULL, 10);
    window->offset_ms = strtoll(offset + 1, NULL, 10);
    if (window->size_ms <= 0)
        fail("a window's size is above 0", text);
}

static void write_window(struct batch *batch, const char *text) {
    struct window window;
    read_window(text, &window);
    for (size_t i = 0; i < batch->count; i++) {
        struct row *row = &batch->rows[i];
        int64_t within = (row->time_ms - window.offset_ms) % window.size_ms;
        row->start_ms = row->time_ms - within - (within < 0 ? window.size_ms : 0);
    }
    qsort(batch->rows, batch->count, sizeof *batch->rows, by_start);
    write_windows(batch, &window, false);
    qsort(batch->rows, batch->count, sizeof *batch->rows, by_group);
    write_windows(batch, &window, true);
}

static enum kind kind_of(const char *text) {
    static const char *const names[] = {"binary", "multiclass", "regression"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(text, names[i]) == 0)
            return (enum kind)i;
    fail("KIND is binary, multiclass or regression", text);
}

int main(int argc, char **argv) {
    struct table predictions, feedback;
    if (argc <= ARGUMENTS)
        fail("PREDICTIONS FEEDBACK TASK KIND OUTPUT LABEL GROUP HORIZON_MS WINDOW...", argv[0]);
    struct batch batch = {
        .task = argv[3], .kind = kind_of(argv[4]), .horizon_ms = strtoll(argv[8], NULL, 10)};
    table_read(argv[1], &predictions);
    table_read(argv[2], &feedback);
    read_predictions(&batch, &predictions, argv);
    read_feedback(&batch, &feedback, argv[6]);
    for (int i = ARGUMENTS; i < argc; i++)
        write_window(&batch, argv[i]);
    for (size_t i = 0; i < batch.count; i++)
        free(batch.rows[i].group);
    free(batch.rows);
    table_release(&predictions);
    table_release(&feedback);
    return fflush(stdout) != 0;
}
