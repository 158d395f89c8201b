/* SPDX-License-Identifier: Apache-2.0 */
#include "commands/sli_table.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "base/hash.h"

enum { SLOTS_MIN = 1024, SPARK_WINDOWS = 24, TIME_BYTES = 24 };

struct sli_row {
    char *key, *value;
    size_t key_size, value_size;
    uint64_t hash;
    struct sli sli; /* borrows from value */
};

void sli_table_init(struct sli_table *table) {
    *table = (struct sli_table){.slot_count = SLOTS_MIN};
    table->slots = alloc_zero(table->slot_count, sizeof *table->slots);
}

void sli_table_release(struct sli_table *table) {
    for (size_t i = 0; i < table->count; i++) {
        free(table->rows[i].key);
        free(table->rows[i].value);
    }
    free(table->rows);
    free(table->slots);
}

static uint32_t *slot_of(const struct sli_table *table, uint64_t hash, struct slice key) {
    size_t mask = table->slot_count - 1;
    for (size_t i = hash & mask;; i = (i + 1) & mask) {
        uint32_t number = table->slots[i];
        if (number == 0)
            return &table->slots[i];
        const struct sli_row *row = &table->rows[number - 1];
        if (row->hash == hash && slice_equal((struct slice){row->key, row->key_size}, key))
            return &table->slots[i];
    }
}

static void index_rows(struct sli_table *table, size_t slot_count) {
    free(table->slots);
    table->slot_count = slot_count;
    table->slots = alloc_zero(slot_count, sizeof *table->slots);
    for (size_t i = 0; i < table->count; i++)
        *slot_of(table, table->rows[i].hash,
                 (struct slice){table->rows[i].key, table->rows[i].key_size}) = (uint32_t)(i + 1);
}

static bool is_older(const struct sli_revision *a, const struct sli_revision *b) {
    if (a->epoch != b->epoch)
        return a->epoch < b->epoch;
    if (a->incarnation != b->incarnation)
        return a->incarnation < b->incarnation;
    return a->offset < b->offset;
}

static struct sli_row *row_at(struct sli_table *table, struct slice key) {
    uint64_t hash = hash64(key);
    uint32_t *slot = slot_of(table, hash, key);
    if (*slot != 0)
        return &table->rows[*slot - 1];
    if (table->count == table->capacity) {
        table->capacity = table->capacity ? table->capacity * 2 : 256;
        table->rows = alloc_resize(table->rows, table->capacity, sizeof *table->rows);
    }
    struct sli_row *row = &table->rows[table->count++];
    *row = (struct sli_row){.key = alloc_copy(key), .key_size = key.size, .hash = hash};
    *slot = (uint32_t)table->count;
    if (table->count * 2 > table->slot_count)
        index_rows(table, table->slot_count * 2);
    return &table->rows[table->count - 1];
}

bool sli_table_put(struct sli_table *table, struct slice key, struct slice value) {
    struct sli sli;
    if (!sli_read(value, &sli))
        return false;
    struct sli_row *row = row_at(table, key);
    if (row->value && is_older(&sli.revision, &row->sli.revision))
        return true;
    free(row->value);
    row->value = alloc_copy(value);
    row->value_size = value.size;
    return sli_read((struct slice){row->value, value.size}, &row->sli);
}

/* ---- order and choice ---- */

static int compare_rows(const void *left, const void *right) {
    const struct sli *a = &((const struct sli_row *)left)->sli;
    const struct sli *b = &((const struct sli_row *)right)->sli;
    int order = slice_compare(a->task, b->task);
    if (order == 0)
        order = slice_compare(a->window, b->window);
    if (order == 0)
        order =
            (a->window_start_ms > b->window_start_ms) - (a->window_start_ms < b->window_start_ms);
    if (order == 0)
        order = (a->window_end_ms > b->window_end_ms) - (a->window_end_ms < b->window_end_ms);
    if (order == 0)
        order = slice_compare(a->group, b->group);
    return order ? order : slice_compare(a->metric, b->metric);
}

static void sort(struct sli_table *table) {
    qsort(table->rows, table->count, sizeof *table->rows, compare_rows);
    index_rows(table, table->slot_count);
}

static bool matches(const char *wanted, struct slice text) {
    return !wanted || slice_equal(slice_from(wanted), text);
}

static bool is_chosen(const struct sli *sli, const struct sli_choice *choice) {
    return matches(choice->task, sli->task) && matches(choice->metric, sli->metric) &&
           matches(choice->group, sli->group) && matches(choice->window, sli->window);
}

static const char *time_text(int64_t time_ms, char out[TIME_BYTES]) {
    time_t seconds = (time_t)(time_ms / 1000);
    struct tm utc;
    (void)gmtime_r(&seconds, &utc);
    (void)strftime(out, TIME_BYTES, "%Y-%m-%dT%H:%M:%SZ", &utc);
    return out;
}

/* ---- formats ---- */

static void print_number(FILE *out, bool has, double number, const char *missing) {
    if (has)
        (void)fprintf(out, "%.10g", number);
    else
        (void)fputs(missing, out);
}

static void print_text(FILE *out, struct slice text) {
    (void)fwrite(text.data, 1, text.size, out);
}

static void print_quoted(FILE *out, struct slice text, char escape) {
    (void)fputc('"', out);
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        if (c == '"' || (c == '\\' && escape == '\\'))
            (void)fputc(escape, out);
        (void)fputc((unsigned char)c < 0x20 ? ' ' : c, out);
    }
    (void)fputc('"', out);
}

static void print_csv(FILE *out, const struct sli *sli) {
    char start[TIME_BYTES], end[TIME_BYTES];
    print_quoted(out, sli->task, '"');
    (void)fputc(',', out);
    print_quoted(out, sli->metric, '"');
    (void)fputc(',', out);
    print_quoted(out, sli->group, '"');
    (void)fputc(',', out);
    print_quoted(out, sli->window, '"');
    (void)fprintf(out, ",%s,%s,%s,", time_text(sli->window_start_ms, start),
                  time_text(sli->window_end_ms, end), sli_status_name(sli->status));
    print_number(out, sli->has_value, sli->value, "");
    (void)fputc(',', out);
    print_number(out, sli->has_interval, sli->low, "");
    (void)fputc(',', out);
    print_number(out, sli->has_interval, sli->high, "");
    (void)fprintf(out, ",%s,%.10g,%" PRId64 ",%" PRId64 ",%" PRId64 "\n",
                  interval_method_name(sli->interval), sli->error_bound, sli->predicted,
                  sli->labelled, sli->late);
}

static void print_json(FILE *out, const struct sli *sli) {
    char start[TIME_BYTES], end[TIME_BYTES];
    const struct {
        const char *name;
        struct slice text;
    } texts[] = {{"task", sli->task},
                 {"metric", sli->metric},
                 {"group", sli->group},
                 {"window", sli->window}};
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        (void)fprintf(out, "%s\"%s\":", i == 0 ? "{" : ",", texts[i].name);
        print_quoted(out, texts[i].text, '\\');
    }
    (void)fprintf(out,
                  ",\"window_start\":\"%s\",\"window_end\":\"%s\",\"status\":\"%s\",\"value\":",
                  time_text(sli->window_start_ms, start), time_text(sli->window_end_ms, end),
                  sli_status_name(sli->status));
    print_number(out, sli->has_value, sli->value, "null");
    (void)fputs(",\"low\":", out);
    print_number(out, sli->has_interval, sli->low, "null");
    (void)fputs(",\"high\":", out);
    print_number(out, sli->has_interval, sli->high, "null");
    (void)fprintf(out,
                  ",\"interval\":\"%s\",\"error_bound\":%.10g,\"predicted\":%" PRId64
                  ",\"labelled\":%" PRId64 ",\"late\":%" PRId64 ",\"trust\":\"%s\"}\n",
                  interval_method_name(sli->interval), sli->error_bound, sli->predicted,
                  sli->labelled, sli->late, sli_trust_name(sli->trust));
}

static void print_row(FILE *out, const struct sli *sli) {
    char start[TIME_BYTES], interval[48] = "";
    (void)fprintf(out, "%-20s %-6.*s %-18.*s %-18.*s ", time_text(sli->window_start_ms, start),
                  (int)sli->window.size, sli->window.data, (int)sli->group.size, sli->group.data,
                  (int)sli->metric.size, sli->metric.data);
    if (sli->has_value)
        (void)fprintf(out, "%12.6g", sli->value);
    else
        (void)fprintf(out, "%12s", "-");
    if (sli->has_interval)
        (void)snprintf(interval, sizeof interval, "[%.4g, %.4g]", sli->low, sli->high);
    (void)fprintf(out, "  %-20s %10" PRId64 " %10" PRId64 "  %s\n", interval, sli->predicted,
                  sli->labelled, sli_status_name(sli->status));
}

void sli_table_print(struct sli_table *table, enum sli_format format,
                     const struct sli_choice *choice, FILE *out) {
    sort(table);
    struct slice task = {"", 0};
    size_t chosen = 0;
    if (format == SLI_FORMAT_CSV)
        (void)fputs(
            "task,metric,group,window,window_start,window_end,status,value,low,high,interval,"
            "error_bound,predicted,labelled,late\n",
            out);
    for (size_t i = 0; i < table->count; i++) {
        const struct sli *sli = &table->rows[i].sli;
        if (!is_chosen(sli, choice))
            continue;
        chosen++;
        if (format == SLI_FORMAT_CSV) {
            print_csv(out, sli);
        } else if (format == SLI_FORMAT_JSONL) {
            print_json(out, sli);
        } else {
            if (!slice_equal(task, sli->task)) {
                (void)fputs("task ", out);
                print_text(out, sli->task);
                (void)fprintf(out, "\n%-20s %-6s %-18s %-18s %12s  %-20s %10s %10s  %s\n",
                              "window start", "size", "group", "metric", "value", "95 % interval",
                              "predicted", "labelled", "status");
            }
            task = sli->task;
            print_row(out, sli);
        }
    }
    if (chosen == 0 && table->count > 0)
        (void)fprintf(stderr,
                      "none of %zu SLIs is of this --task, --metric, --group and --window\n",
                      table->count);
}

bool sli_format_parse(const char *text, enum sli_format *out_format) {
    static const char *const names[] = {"table", "csv", "jsonl"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (strcmp(text, names[i]) == 0) {
            *out_format = (enum sli_format)i;
            return true;
        }
    }
    return false;
}

/* ---- watching ---- */

/* Past windows of the row's series, oldest first, ending with itself; rows are sorted. */
static void print_spark(FILE *out, const struct sli_table *table, size_t index) {
    static const char *const bars[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    const struct sli *last = &table->rows[index].sli;
    double values[SPARK_WINDOWS], low = 0, high = 0;
    size_t count = 0;
    for (size_t i = index + 1; i-- > 0 && count < SPARK_WINDOWS;) {
        const struct sli *sli = &table->rows[i].sli;
        if (!slice_equal(sli->task, last->task) || !slice_equal(sli->window, last->window))
            break;
        if (sli->has_value && slice_equal(sli->metric, last->metric) &&
            slice_equal(sli->group, last->group))
            values[count++] = sli->value;
    }
    for (size_t i = 0; i < count; i++) {
        low = i == 0 || values[i] < low ? values[i] : low;
        high = i == 0 || values[i] > high ? values[i] : high;
    }
    for (size_t i = count; i-- > 0;) {
        double share = high > low ? (values[i] - low) / (high - low) : 0.5;
        (void)fputs(bars[(int)(share * 7.0 + 0.5)], out);
    }
}

static bool is_last_of_series(const struct sli_table *table, size_t index) {
    const struct sli *row = &table->rows[index].sli;
    for (size_t i = index + 1; i < table->count; i++) {
        const struct sli *later = &table->rows[i].sli;
        if (!slice_equal(later->task, row->task) || !slice_equal(later->window, row->window))
            return true;
        if (later->has_value && slice_equal(later->metric, row->metric) &&
            slice_equal(later->group, row->group))
            return false;
    }
    return true;
}

/* Significant digits that nine columns take: counts and milliseconds as they are, not as 2e+04. */
static int digits_of(double value) {
    return value >= 1e4 && value < 1e9 ? (value < 1e7 ? 7 : 9) : 4;
}

void sli_table_watch(struct sli_table *table, const struct sli_choice *choice, size_t lines,
                     FILE *out) {
    sort(table);
    (void)fprintf(out, "%-20s %-6s %-14s %-18s %9s  %-17s %8s  %-11s %s\n", "window start", "size",
                  "group", "metric", "value", "95 % interval", "labelled", "status",
                  "past windows");
    for (size_t i = 0; i < table->count && lines > 0; i++) {
        const struct sli *sli = &table->rows[i].sli;
        if (!sli->has_value || !is_chosen(sli, choice) || !is_last_of_series(table, i))
            continue;
        char start[TIME_BYTES], interval[48] = "";
        if (sli->has_interval)
            (void)snprintf(interval, sizeof interval, "[%.3f, %.3f]", sli->low, sli->high);
        (void)fprintf(out, "%-20s %-6.*s %-14.*s %-18.*s %9.*g  %-17s %7.1f%%  %-11s ",
                      time_text(sli->window_start_ms, start), (int)sli->window.size,
                      sli->window.data, (int)sli->group.size, sli->group.data,
                      (int)sli->metric.size, sli->metric.data, digits_of(sli->value), sli->value,
                      interval, 100.0 * sli->coverage, sli_status_name(sli->status));
        print_spark(out, table, i);
        (void)fputc('\n', out);
        lines--;
    }
}
