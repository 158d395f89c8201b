/* hotel.c -- hotel bookings as a stream: will the guest cancel?
 *
 *   hotel BOOKINGS PREDICTIONS FEEDBACK
 *
 * A booking is made lead_time days before arrival; whether it was cancelled is known at the date of
 * its last status, 0 to 737 days later.  The model is fitted on what was known at the end of 2015,
 * and scores all bookings.  SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/logistic.h"
#include "data/table.h"

enum { SEGMENTS = 4 };

static const char *const segments[SEGMENTS] = {"Online TA", "Offline TA/TO", "Groups", "Direct"};
static const char *const months[] = {"January",   "February", "March",    "April",
                                     "May",       "June",     "July",     "August",
                                     "September", "October",  "November", "December"};
static const int64_t day_ms = 86400000;

struct bookings {
    size_t count;
    double (*features)[FEATURES_MAX];
    double *is_canceled;
    int64_t *booked_ms, *known_ms;
    const char **hotel, **segment;
};

static int64_t arrival_of(const struct table *table, size_t row, const size_t columns[3]) {
    const char *name = table_field(table, row, columns[1]);
    int64_t month = 0;
    while (month < 12 && strcmp(months[month], name) != 0)
        month++;
    if (month == 12)
        fail("is no month", name);
    return time_of_day((int64_t)table_number(table, row, columns[0]), month + 1,
                       (int64_t)table_number(table, row, columns[2]));
}

/* 7/31/2015 */
static int64_t date_from(const char *text) {
    char *at;
    int64_t month = strtoll(text, &at, 10), day = strtoll(at + (*at == '/'), &at, 10);
    int64_t year = strtoll(at + (*at == '/'), &at, 10);
    if (year < 1970 || month < 1 || month > 12)
        fail("is no date", text);
    return time_of_day(year, month, day);
}

static size_t set_features(const struct table *table, size_t row, struct bookings *bookings) {
    static const char *const numbers[] = {"previous_cancellations",
                                          "previous_bookings_not_canceled", "is_repeated_guest",
                                          "total_of_special_requests", "adults"};
    double *features = bookings->features[row];
    size_t count = 0;
    features[count++] = log1p(table_number(table, row, table_column(table, "lead_time")));
    features[count++] = strcmp(bookings->hotel[row], "City Hotel") == 0;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        features[count++] = table_number(table, row, table_column(table, numbers[i]));
    for (size_t i = 0; i < SEGMENTS; i++)
        features[count++] = strcmp(bookings->segment[row], segments[i]) == 0;
    return count;
}

static size_t read_bookings(const struct table *table, struct bookings *out_bookings) {
    struct bookings *bookings = out_bookings;
    size_t rows = table->rows, features = 0;
    size_t lead = table_column(table, "lead_time"), canceled = table_column(table, "is_canceled");
    size_t status = table_column(table, "reservation_status_date");
    size_t hotel = table_column(table, "hotel"), segment = table_column(table, "market_segment");
    const size_t arrival[3] = {table_column(table, "arrival_date_year"),
                               table_column(table, "arrival_date_month"),
                               table_column(table, "arrival_date_day_of_month")};
    *bookings = (struct bookings){.count = rows,
                                  .features = take(rows, sizeof *bookings->features),
                                  .is_canceled = take(rows, sizeof(double)),
                                  .booked_ms = take(rows, sizeof(int64_t)),
                                  .known_ms = take(rows, sizeof(int64_t)),
                                  .hotel = take(rows, sizeof(char *)),
                                  .segment = take(rows, sizeof(char *))};
    for (size_t i = 0; i < rows; i++) {
        bookings->booked_ms[i] =
            arrival_of(table, i, arrival) - (int64_t)table_number(table, i, lead) * day_ms;
        bookings->known_ms[i] = date_from(table_field(table, i, status));
        bookings->is_canceled[i] = table_number(table, i, canceled);
        bookings->hotel[i] = table_field(table, i, hotel);
        bookings->segment[i] = table_field(table, i, segment);
        features = set_features(table, i, bookings);
    }
    return features;
}

static void release_bookings(struct bookings *bookings) {
    free(bookings->features);
    free(bookings->is_canceled);
    free(bookings->booked_ms);
    free(bookings->known_ms);
    free(bookings->hotel);
    free(bookings->segment);
}

static void fit(const struct bookings *bookings, size_t features, struct logistic *model) {
    double(*rows)[FEATURES_MAX] = take(bookings->count, sizeof *rows);
    double *targets = take(bookings->count, sizeof *targets);
    size_t count = 0;
    for (size_t i = 0; i < bookings->count; i++) {
        if (bookings->known_ms[i] >= time_of_day(2016, 1, 1))
            continue;
        memcpy(rows[count], bookings->features[i], sizeof rows[count]);
        targets[count++] = bookings->is_canceled[i];
    }
    logistic_fit((const double(*)[FEATURES_MAX])rows, targets, count, features, model);
    free(rows);
    free(targets);
}

static void write_files(const struct bookings *bookings, const struct logistic *model,
                        const char *const paths[2]) {
    FILE *predictions = fopen(paths[0], "w"), *feedback = fopen(paths[1], "w");
    if (!predictions || !feedback)
        fail("cannot be written", paths[predictions ? 1 : 0]);
    (void)fputs("id,event_time,model,model_version,output.score,groups.hotel,groups.segment\n",
                predictions);
    (void)fputs("id,label_time,prediction_time,label\n", feedback);
    for (size_t i = 0; i < bookings->count; i++) {
        char booked[TIME_BYTES], known[TIME_BYTES];
        time_to(bookings->booked_ms[i], booked);
        time_to(bookings->known_ms[i], known);
        (void)fprintf(predictions, "booking-%06zu,%s,cancellations,2015,%.6f,%s,%s\n", i, booked,
                      logistic_score(model, bookings->features[i]), bookings->hotel[i],
                      bookings->segment[i]);
        (void)fprintf(feedback, "booking-%06zu,%s,%s,%d\n", i, known, booked,
                      bookings->is_canceled[i] > 0);
    }
    if (fclose(predictions) != 0 || fclose(feedback) != 0)
        fail("cannot be written", paths[0]);
}

int main(int argc, char **argv) {
    struct table table;
    struct bookings bookings;
    struct logistic model;
    if (argc != 4)
        fail("BOOKINGS PREDICTIONS FEEDBACK", argv[0]);
    table_read(argv[1], &table);
    size_t features = read_bookings(&table, &bookings);
    fit(&bookings, features, &model);
    write_files(&bookings, &model, (const char *const[2]){argv[2], argv[3]});
    release_bookings(&bookings);
    table_release(&table);
    return 0;
}
