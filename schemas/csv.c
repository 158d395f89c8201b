/* SPDX-License-Identifier: Apache-2.0 */
#include "schemas/csv.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "schemas/time_text.h"

enum { DECIMAL_BYTES_MAX = 64 };

void csv_record_release(struct csv_record *record) {
    free(record->fields);
    free(record->scratch);
    *record = (struct csv_record){0};
}

static void add_field(struct csv_record *record, struct slice field) {
    if (record->count == record->capacity) {
        record->capacity = record->capacity ? 2 * record->capacity : 16;
        record->fields = alloc_resize(record->fields, record->capacity, sizeof *record->fields);
    }
    record->fields[record->count++] = field;
}

/* Scratch for the whole text at once, so that fields which point into it stay where they are. */
static void reserve_scratch(struct csv_record *record, size_t size) {
    if (record->scratch_capacity >= size)
        return;
    record->scratch = alloc_resize(record->scratch, size, 1);
    record->scratch_capacity = size;
}

/* From the opening quote to behind the closing one; NULL when there is none. */
static const char *find_closing(const char *at, const char *end, bool *out_doubled) {
    for (*out_doubled = false; at < end; at += 2) {
        at = memchr(at, '"', (size_t)(end - at));
        if (!at || at + 1 == end || at[1] != '"')
            return at ? at + 1 : NULL;
        *out_doubled = true;
    }
    return NULL;
}

static struct slice without_doubles(struct csv_record *record, size_t *used, struct slice field) {
    char *start = record->scratch + *used, *to = start;
    for (size_t i = 0; i < field.size; i++) {
        *to++ = field.data[i];
        i += field.data[i] == '"';
    }
    *used += (size_t)(to - start);
    return (struct slice){start, (size_t)(to - start)};
}

static bool is_line_end(const char *at, const char *end, size_t *out_size) {
    *out_size = *at == '\n' ? 1 : 2;
    return *at == '\n' || (*at == '\r' && at + 1 < end && at[1] == '\n');
}

static const char *find_field_end(const char *at, const char *end) {
    size_t size;
    while (at < end && *at != ',' && *at != '"' && !is_line_end(at, end, &size))
        at++;
    return at;
}

static enum csv_cut bad_line(struct slice text, bool is_last, struct csv_record *record) {
    const char *end = text.size ? memchr(text.data, '\n', text.size) : NULL;
    if (!end && !is_last)
        return CSV_MORE;
    record->size = end ? (size_t)(end - text.data) + 1 : text.size;
    record->raw = (struct slice){text.data, record->size - (end != NULL)};
    return CSV_BAD;
}

/* One field at at; returns the place behind it, or NULL when its quote stays open. */
static const char *take_field(struct csv_record *record, const char *at, const char *end,
                              size_t *used, size_t text_size) {
    if (at == end || *at != '"') {
        const char *behind = find_field_end(at, end);
        add_field(record, (struct slice){at, (size_t)(behind - at)});
        return behind;
    }
    bool doubled;
    const char *behind = find_closing(at + 1, end, &doubled);
    if (!behind)
        return NULL;
    struct slice field = {at + 1, (size_t)(behind - at) - 2};
    if (doubled) {
        reserve_scratch(record, text_size);
        field = without_doubles(record, used, field);
    }
    add_field(record, field);
    return behind;
}

enum csv_cut csv_cut(struct slice text, bool is_last, struct csv_record *out_record) {
    const char *at = text.data, *end = at + text.size;
    size_t used = 0, line_end = 0;
    ASSERT(text.data != NULL);
    out_record->count = 0;
    for (;; at++) {
        at = take_field(out_record, at, end, &used, text.size);
        if (!at)
            return is_last ? bad_line(text, is_last, out_record) : CSV_MORE;
        if (at == end || is_line_end(at, end, &line_end))
            break;
        if (*at == '\r' && at + 1 == end && !is_last)
            return CSV_MORE;
        if (*at != ',')
            return bad_line(text, is_last, out_record);
    }
    /* A closing quote that ends the text may turn out to be the first of two. */
    if (at == end && !is_last)
        return CSV_MORE;
    out_record->raw = (struct slice){text.data, (size_t)(at - text.data)};
    out_record->size = out_record->raw.size + (at == end ? 0 : line_end);
    return CSV_RECORD;
}

static size_t count_digits(struct slice text, size_t at) {
    size_t from = at;
    while (at < text.size && text.data[at] >= '0' && text.data[at] <= '9')
        at++;
    return at - from;
}

/* The whole part in its usual form: how many bytes, 0 when it is of another form. */
static size_t whole_part(struct slice text) {
    size_t sign = text.size > 0 && text.data[0] == '-', digits = count_digits(text, sign);
    if (digits == 0 || (digits > 1 && text.data[sign] == '0'))
        return 0;
    return sign + digits;
}

static bool read_whole(struct slice digits, int64_t *out_number) {
    bool is_negative = digits.data[0] == '-';
    uint64_t number = 0, limit = (uint64_t)INT64_MAX + is_negative;
    for (size_t i = is_negative; i < digits.size; i++) {
        uint64_t digit = (uint64_t)(digits.data[i] - '0');
        if (number > (limit - digit) / 10)
            return false;
        number = number * 10 + digit;
    }
    *out_number = (int64_t)(is_negative ? 0 - number : number);
    return true;
}

static bool is_decimal(struct slice text, size_t at) {
    if (at < text.size && text.data[at] == '.') {
        size_t digits = count_digits(text, at + 1);
        if (digits == 0)
            return false;
        at += 1 + digits;
    }
    if (at < text.size && (text.data[at] == 'e' || text.data[at] == 'E')) {
        size_t sign = at + 1 < text.size && (text.data[at + 1] == '-' || text.data[at + 1] == '+');
        size_t digits = count_digits(text, at + 1 + sign);
        if (digits == 0)
            return false;
        at += 1 + sign + digits;
    }
    return at == text.size;
}

struct value csv_value(struct slice field) {
    struct value value = {VALUE_STRING, {.string = field}};
    size_t whole = whole_part(field);
    char text[DECIMAL_BYTES_MAX + 1];
    if (field.size == 0) {
        value.kind = VALUE_MISSING;
    } else if (whole == field.size) {
        int64_t number;
        if (read_whole(field, &number))
            value = (struct value){VALUE_LONG, {.integer = number}};
    } else if (whole > 0 && field.size <= DECIMAL_BYTES_MAX && is_decimal(field, whole)) {
        memcpy(text, field.data, field.size);
        text[field.size] = '\0';
        value = (struct value){VALUE_DOUBLE, {.real = strtod(text, NULL)}};
    }
    return value;
}

bool csv_time(struct slice field, struct value *out_value) {
    struct value value = csv_value(field);
    bool is_time = value.kind != VALUE_STRING;
    if (value.kind == VALUE_DOUBLE)
        is_time = time_from_real(value.as.real, &value.as.integer);
    else if (value.kind == VALUE_STRING)
        is_time = time_text_parse(field, &value.as.integer);
    if (value.kind != VALUE_MISSING)
        value.kind = VALUE_LONG;
    *out_value = value;
    return is_time;
}
