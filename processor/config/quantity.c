/* SPDX-License-Identifier: Apache-2.0 */
#include "config/quantity.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attributes.h"

struct unit {
    const char *name;
    int64_t factor;
};

/* From the largest on, as the formatters try them. */
static const struct unit duration_units[] = {
    {"w", 604800000}, {"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1},
};
static const struct unit size_units[] = {
    {"GB", 1 << 30}, {"MB", 1 << 20},  {"kB", 1 << 10},  {"B", 1},
    {"KB", 1 << 10}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10},
};
enum { SIZE_UNITS_WRITTEN = 4, YEAR_MIN = 1900, YEAR_MAX = 9999 };

/* Digits at the start of text; returns what follows, NULL without a digit or on overflow. */
static const char *parse_digits(const char *text, int64_t *out_value) {
    int64_t value = 0;
    const char *at = text;
    for (; *at >= '0' && *at <= '9'; at++) {
        if (value > (INT64_MAX - 9) / 10)
            return NULL;
        value = value * 10 + (*at - '0');
    }
    *out_value = value;
    return at == text ? NULL : at;
}

static bool parse_with_units(const char *text, const struct unit *units, size_t count,
                             int64_t *out_value) {
    int64_t value = 0;
    const char *rest = parse_digits(text, &value);
    if (!rest)
        return false;
    if (value == 0 && *rest == '\0') {
        *out_value = 0;
        return true;
    }
    for (size_t i = 0; i < count; i++)
        if (strcmp(rest, units[i].name) == 0 && value <= INT64_MAX / units[i].factor) {
            *out_value = value * units[i].factor;
            return true;
        }
    return false;
}

bool parse_duration(const char *text, int64_t *out_ms) {
    return parse_with_units(text, duration_units, COUNT_OF(duration_units), out_ms);
}

bool parse_size(const char *text, int64_t *out_bytes) {
    return parse_with_units(text, size_units, COUNT_OF(size_units), out_bytes);
}

bool parse_count(const char *text, int64_t *out_count) {
    int64_t value = 0;
    const char *rest = parse_digits(text, &value);
    if (!rest || *rest)
        return false;
    *out_count = value;
    return true;
}

bool parse_number(const char *text, double *out_number) {
    if (!*text || strspn(text, "+-.0123456789eE") != strlen(text))
        return false;
    char *end = NULL;
    double number = strtod(text, &end);
    if (*end || !isfinite(number))
        return false;
    *out_number = number;
    return true;
}

/* Days from 1970-01-01 of a date of the Gregorian calendar (Howard Hinnant, "chrono-Compatible
 * Low-Level Date Algorithms", days_from_civil). */
static int64_t days_from_civil(int64_t year, int64_t month, int64_t day) {
    year -= month <= 2;
    int64_t era = year / 400, year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year -
           719468;
}

static bool two_digits(const char *text, int low, int high, int *out_value) {
    if (text[0] < '0' || text[0] > '9' || text[1] < '0' || text[1] > '9')
        return false;
    *out_value = (text[0] - '0') * 10 + text[1] - '0';
    return *out_value >= low && *out_value <= high;
}

bool parse_time(const char *text, int64_t *out_ms) {
    size_t size = strlen(text);
    if (parse_count(text, out_ms))
        return true;
    int century = 0, years = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
    if ((size != 10 && size != 19 && size != 20) ||
        !two_digits(text, YEAR_MIN / 100, YEAR_MAX / 100, &century) ||
        !two_digits(text + 2, 0, 99, &years) || text[4] != '-' ||
        !two_digits(text + 5, 1, 12, &month) || text[7] != '-' ||
        !two_digits(text + 8, 1, 31, &day))
        return false;
    if (size > 10 &&
        ((text[10] != 'T' && text[10] != ' ') || !two_digits(text + 11, 0, 23, &hour) ||
         text[13] != ':' || !two_digits(text + 14, 0, 59, &minute) || text[16] != ':' ||
         !two_digits(text + 17, 0, 59, &second) || (size == 20 && text[19] != 'Z')))
        return false;
    int64_t days = days_from_civil(century * 100 + years, month, day);
    int64_t ms = ((days * 24 + hour) * 60 + minute) * 60000 + second * 1000;
    char again[QUANTITY_BYTES];
    if (memcmp(format_time(again, ms), text, 10) != 0) /* 30 February */
        return false;
    *out_ms = ms;
    return true;
}

static const char *format_with_units(char scratch[QUANTITY_BYTES], const struct unit *units,
                                     size_t count, int64_t value) {
    size_t i = 0;
    while (i + 1 < count && (value == 0 || value % units[i].factor != 0))
        i++;
    (void)snprintf(scratch, QUANTITY_BYTES, "%" PRId64 "%s", value / units[i].factor,
                   units[i].name);
    return scratch;
}

const char *format_duration(char scratch[QUANTITY_BYTES], int64_t ms) {
    /* Without weeks: 7d says more plainly what 1w is. */
    return format_with_units(scratch, duration_units + 1, COUNT_OF(duration_units) - 1, ms);
}

const char *format_size(char scratch[QUANTITY_BYTES], int64_t bytes) {
    return format_with_units(scratch, size_units, SIZE_UNITS_WRITTEN, bytes);
}

const char *format_number(char scratch[QUANTITY_BYTES], double number) {
    for (int digits = 1; digits <= 17; digits++) {
        (void)snprintf(scratch, QUANTITY_BYTES, "%.*g", digits, number);
        if (strtod(scratch, NULL) == number)
            break;
    }
    return scratch;
}

static void put_digits(char *at, int count, int64_t value) {
    for (; count > 0; value /= 10)
        at[--count] = (char)('0' + value % 10);
}

/* The inverse of days_from_civil (ibid., civil_from_days). */
const char *format_time(char scratch[QUANTITY_BYTES], int64_t ms) {
    enum { DAY_S = 86400 };
    int64_t seconds = ms / 1000, rest = (seconds % DAY_S + DAY_S) % DAY_S;
    int64_t days = (seconds - rest) / DAY_S + 719468;
    int64_t era = days / 146097, day_of_era = days - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month_from_march = (5 * day_of_year + 2) / 153;
    int64_t month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
    int64_t year = year_of_era + era * 400 + (month <= 2);
    if (ms % 1000 != 0 || year < YEAR_MIN || year > YEAR_MAX) {
        (void)snprintf(scratch, QUANTITY_BYTES, "%" PRId64, ms);
        return scratch;
    }
    static const char blank[] = "0000-00-00T00:00:00Z";
    memcpy(scratch, blank, sizeof blank);
    put_digits(scratch, 4, year);
    put_digits(scratch + 5, 2, month);
    put_digits(scratch + 8, 2, day_of_year - (153 * month_from_march + 2) / 5 + 1);
    put_digits(scratch + 11, 2, rest / 3600);
    put_digits(scratch + 14, 2, rest / 60 % 60);
    put_digits(scratch + 17, 2, rest % 60);
    return scratch;
}
