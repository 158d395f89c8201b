/* SPDX-License-Identifier: Apache-2.0 */
#include "data/table.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DAY_MS = 86400000 };

_Noreturn void fail(const char *what, const char *name) {
    (void)fprintf(stderr, "%s: %s\n", name, what);
    exit(1);
}

void *take(size_t count, size_t size) {
    void *memory = calloc(count > 0 ? count : 1, size);
    if (!memory)
        fail("no memory", "tests/data");
    return memory;
}

static char *read_all(const char *path) {
    FILE *file = fopen(path, "rb");
    size_t size = 0, capacity = 1 << 20;
    char *text = take(capacity, 1);
    if (!file)
        fail("cannot be read", path);
    for (size_t got; (got = fread(text + size, 1, capacity - size - 1, file)) > 0;) {
        size += got;
        if (size + 1 < capacity)
            continue;
        capacity *= 2;
        text = realloc(text, capacity);
        if (!text)
            fail("no memory", path);
    }
    (void)fclose(file);
    text[size] = '\0';
    return text;
}

static size_t count_of(const char *text, size_t size, char wanted) {
    size_t count = 0;
    for (size_t i = 0; i < size; i++)
        count += text[i] == wanted;
    return count;
}

/* Cuts the line in place. */
static void cut(char *line, const char **fields, size_t columns, const char *path) {
    size_t column = 0;
    char *to = line;
    fields[column++] = to;
    for (const char *from = line; *from != '\0'; from++) {
        if (*from == '"' || *from == '\r')
            continue;
        if (*from != ',') {
            *to++ = *from;
            continue;
        }
        *to++ = '\0';
        if (column == columns)
            fail("a line has more fields than the header", path);
        fields[column++] = to;
    }
    *to = '\0';
    if (column != columns)
        fail("a line has fewer fields than the header", path);
}

void table_read(const char *path, struct table *out_table) {
    char *text = read_all(path);
    size_t size = strlen(text), header = strcspn(text, "\n"), lines = 0;
    struct table *table = out_table;
    table->text = text;
    table->columns = count_of(text, header, ',') + 1;
    table->fields = take((count_of(text, size, '\n') + 1) * table->columns, sizeof *table->fields);
    char *first = take(header + 1, 1);
    memcpy(first, text, header);
    for (char *line = text; *line != '\0';) {
        char *end = line + strcspn(line, "\n"), *next = *end == '\0' ? end : end + 1;
        *end = '\0';
        if (lines == 0 || strcmp(line, first) != 0)
            cut(line, table->fields + table->columns * lines++, table->columns, path);
        line = next;
    }
    free(first);
    if (lines == 0)
        fail("is empty", path);
    table->rows = lines - 1;
}

void table_release(struct table *table) {
    free(table->text);
    free(table->fields);
}

size_t table_column(const struct table *table, const char *name) {
    for (size_t i = 0; i < table->columns; i++)
        if (strcmp(table->fields[i], name) == 0)
            return i;
    fail("no such column", name);
}

const char *table_field(const struct table *table, size_t row, size_t column) {
    return table->fields[(row + 1) * table->columns + column];
}

double table_number(const struct table *table, size_t row, size_t column) {
    return strtod(table_field(table, row, column), NULL);
}

/* Days before the first of a March, counted from a year 0 (400 years have 146097 days). */
int64_t time_of_day(int64_t year, int64_t month, int64_t day) {
    int64_t from_march = (month + 9) % 12, years = year - (month < 3);
    int64_t days = 365 * years + years / 4 - years / 100 + years / 400;
    days += (153 * from_march + 2) / 5 + day - 1;
    return (days - 719468) * DAY_MS;
}

int64_t time_from(const char *text) {
    int64_t parts[6] = {0};
    const char *at = text;
    for (size_t i = 0; i < 6; i++) {
        char *end;
        parts[i] = strtoll(at, &end, 10);
        if (end == at && i < 3)
            fail("is no time", text);
        at = *end == '-' || *end == ':' || *end == ' ' || *end == 'T' ? end + 1 : end;
    }
    return time_of_day(parts[0], parts[1], parts[2]) +
           ((parts[3] * 60 + parts[4]) * 60 + parts[5]) * 1000;
}

void time_to(int64_t time_ms, char out[TIME_BYTES]) {
    int64_t year = 1970, month = 12;
    while (time_of_day(year + 1, 1, 1) <= time_ms)
        year++;
    while (time_of_day(year, month, 1) > time_ms)
        month--;
    int64_t rest = time_ms - time_of_day(year, month, 1), seconds = rest % DAY_MS / 1000;
    (void)snprintf(out, TIME_BYTES,
                   "%04" PRId64 "-%02" PRId64 "-%02" PRId64 "T%02" PRId64 ":%02" PRId64
                   ":%02" PRId64 "Z",
                   year, month, rest / DAY_MS + 1, seconds / 3600, seconds / 60 % 60, seconds % 60);
}

/* SplitMix64. */
static uint64_t next(uint64_t *state) {
    uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

size_t *shuffled(size_t count, uint64_t seed) {
    size_t *order = take(count, sizeof *order);
    for (size_t i = 0; i < count; i++)
        order[i] = i;
    for (size_t i = count; seed != 0 && i > 1; i--) {
        size_t other = (size_t)(next(&seed) % i), kept = order[i - 1];
        order[i - 1] = order[other];
        order[other] = kept;
    }
    return order;
}
