/* SPDX-License-Identifier: Apache-2.0 */
#include "schemas/time_text.h"

#include <stdio.h>

static const int64_t DAY_MS = 86400000;

static bool take_digits(struct slice *text, size_t count, int64_t *out_number) {
    int64_t number = 0;
    if (text->size < count)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (text->data[i] < '0' || text->data[i] > '9')
            return false;
        number = number * 10 + (text->data[i] - '0');
    }
    *text = (struct slice){text->data + count, text->size - count};
    *out_number = number;
    return true;
}

static bool take(struct slice *text, char wanted) {
    if (text->size == 0 || text->data[0] != wanted)
        return false;
    *text = (struct slice){text->data + 1, text->size - 1};
    return true;
}

static int64_t days_from_civil(int64_t year, int64_t month, int64_t day) {
    year -= month <= 2;
    int64_t era = year / 400, year_of_era = year % 400;
    int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

static int64_t days_of_month(int64_t year, int64_t month) {
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && is_leap);
}

static bool take_date(struct slice *text, int64_t *out_ms) {
    int64_t year, month, day;
    if (!take_digits(text, 4, &year) || !take(text, '-') || !take_digits(text, 2, &month) ||
        !take(text, '-') || !take_digits(text, 2, &day))
        return false;
    if (year < 1 || month < 1 || month > 12 || day < 1 || day > days_of_month(year, month))
        return false;
    *out_ms = days_from_civil(year, month, day) * DAY_MS;
    return true;
}

static bool take_fraction(struct slice *text, int64_t *out_ms) {
    int64_t digit, ms = 0, unit = 100;
    size_t count = 0;
    for (; count < 9 && take_digits(text, 1, &digit); count++, unit /= 10)
        ms += digit * unit;
    *out_ms = ms;
    return count > 0;
}

static bool take_clock(struct slice *text, int64_t *out_ms) {
    int64_t hour, minute, second = 0, ms = 0;
    if (!take_digits(text, 2, &hour) || !take(text, ':') || !take_digits(text, 2, &minute))
        return false;
    if (take(text, ':')) {
        if (!take_digits(text, 2, &second))
            return false;
        if ((take(text, '.') || take(text, ',')) && !take_fraction(text, &ms))
            return false;
    }
    *out_ms = ((hour * 60 + minute) * 60 + second) * 1000 + ms;
    return hour < 24 && minute < 60 && second <= 60;
}

static bool take_zone(struct slice *text, int64_t *out_ms) {
    int64_t hour, minute = 0;
    *out_ms = 0;
    if (text->size == 0 || take(text, 'Z') || take(text, 'z'))
        return true;
    bool is_west = take(text, '-');
    if ((!is_west && !take(text, '+')) || !take_digits(text, 2, &hour))
        return false;
    bool has_colon = take(text, ':');
    if ((has_colon || text->size > 0) && !take_digits(text, 2, &minute))
        return false;
    *out_ms = (is_west ? -1 : 1) * (hour * 60 + minute) * 60000;
    return hour < 24 && minute < 60;
}

bool time_text_parse(struct slice text, int64_t *out_ms) {
    int64_t date_ms, clock_ms = 0, zone_ms = 0;
    if (!take_date(&text, &date_ms))
        return false;
    if (text.size > 0) {
        bool has_clock = take(&text, 'T') || take(&text, 't') || take(&text, ' ');
        if (!has_clock || !take_clock(&text, &clock_ms) || !take_zone(&text, &zone_ms))
            return false;
    }
    if (text.size > 0)
        return false;
    *out_ms = date_ms + clock_ms - zone_ms;
    return true;
}

bool time_from_real(double ms, int64_t *out_ms) {
    if (!(ms >= -9.2e18 && ms <= 9.2e18))
        return false;
    int64_t whole = (int64_t)ms;
    *out_ms = whole - ((double)whole > ms);
    return true;
}

void time_text_format(int64_t ms, char out_text[TIME_TEXT_BYTES + 1]) {
    int64_t first_ms = days_from_civil(1, 1, 1) * DAY_MS;
    int64_t last_ms = days_from_civil(10000, 1, 1) * DAY_MS - 1;
    ms = ms < first_ms ? first_ms : ms > last_ms ? last_ms : ms;
    int64_t days = (ms - first_ms) / DAY_MS + days_from_civil(1, 1, 1) + 719468;
    int64_t rest = (ms - first_ms) % DAY_MS;
    int64_t era = days / 146097, day_of_era = days % 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t shifted = (5 * day_of_year + 2) / 153;
    int64_t month = shifted < 10 ? shifted + 3 : shifted - 9;
    int64_t year = era * 400 + year_of_era + (month <= 2);
    /* Reduced, so that the compiler sees that the text fits. */
    (void)snprintf(out_text, TIME_TEXT_BYTES + 1, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ",
                   (unsigned)year % 10000, (unsigned)month % 100,
                   (unsigned)(day_of_year - (153 * shifted + 2) / 5 + 1) % 100,
                   (unsigned)(rest / 3600000) % 100, (unsigned)(rest / 60000 % 60),
                   (unsigned)(rest / 1000 % 60), (unsigned)(rest % 1000));
}
