/* SPDX-License-Identifier: Apache-2.0 */
#include "task/sli.h"

#include "partial.h"

static const char *const status_names[SLI_STATUS_COUNT] = {"PROVISIONAL", "ON_TIME", "REVISED",
                                                           "FINAL"};
static const char *const trust_names[TRUST_COUNT] = {"TRUSTED", "PROVISIONAL", "UNTRUSTED",
                                                     "NO_LABELS"};

const char *sli_status_name(enum sli_status status) {
    return status_names[status];
}

const char *sli_trust_name(enum sli_trust trust) {
    return trust_names[trust];
}

/* Unions in the schema are ["null", X]: the branch number, then the value. */
static void write_maybe_double(struct buffer *out, bool present, double value) {
    write_long(out, present);
    if (present)
        write_double(out, value);
}

static void write_boolean(struct buffer *out, bool value) {
    const char byte = value;
    buffer_append(out, &byte, 1);
}

void sli_write_key(const struct sli *sli, struct buffer *out) {
    write_bytes(out, sli->task);
    write_bytes(out, sli->metric);
    write_bytes(out, sli->group);
    write_bytes(out, sli->window);
    write_long(out, sli->window_start_ms);
    write_long(out, sli->window_end_ms);
    write_bytes(out, sli->run_id);
}

static void write_readings(const struct sli *sli, struct buffer *out) {
    write_long(out, (int64_t)sli->status);
    write_long(out, (int64_t)sli->trust);
    write_maybe_double(out, sli->has_value, sli->value);
    write_maybe_double(out, sli->has_interval, sli->low);
    write_maybe_double(out, sli->has_interval, sli->high);
    write_double(out, sli->level);
    write_long(out, (int64_t)sli->interval);
    write_double(out, sli->error_bound);
    write_long(out, sli->predicted);
    write_long(out, sli->labelled);
    write_double(out, sli->coverage);
    write_long(out, sli->late);
    write_long(out, sli->support);
}

static void write_origin(const struct sli *sli, struct buffer *out) {
    write_double(out, sli->parameter);
    write_long(out, (int64_t)sli->kind);
    write_long(out, (int64_t)sli->window_kind);
    write_long(out, sli->epoch);
    write_boolean(out, sli->mixed_epochs);
    write_bytes(out, sli->method);
    write_bytes(out, sli->formula);
    write_long(out, sli->watermark_ms != WATERMARK_NONE);
    if (sli->watermark_ms != WATERMARK_NONE)
        write_long(out, sli->watermark_ms);
    write_long(out, sli->revision.epoch);
    write_long(out, sli->revision.incarnation);
    write_long(out, sli->revision.offset);
    write_long(out, sli->computed_at_ms);
}

void sli_write(const struct sli *sli, struct buffer *out) {
    write_frame(out, SCHEMA_SLI);
    sli_write_key(sli, out);
    write_readings(sli, out);
    write_origin(sli, out);
}

static bool read_boolean(struct reader *reader) {
    if (reader->at == reader->end || *reader->at > 1)
        reader->failed = true;
    return !reader->failed && *reader->at++ == 1;
}

/* A number in [0, count): an enum's symbol, or the branch of a union. */
static unsigned read_choice(struct reader *reader, unsigned count) {
    int64_t choice = read_long(reader);
    if (choice >= 0 && choice < count)
        return (unsigned)choice;
    reader->failed = true;
    return 0;
}

static bool read_maybe_double(struct reader *reader, double *out_value) {
    bool present = read_choice(reader, 2) == 1;
    *out_value = present ? read_double(reader) : 0;
    return present;
}

static void read_key(struct reader *reader, struct sli *sli) {
    sli->task = read_bytes(reader);
    sli->metric = read_bytes(reader);
    sli->group = read_bytes(reader);
    sli->window = read_bytes(reader);
    sli->window_start_ms = read_long(reader);
    sli->window_end_ms = read_long(reader);
    sli->run_id = read_bytes(reader);
}

static void read_readings(struct reader *reader, struct sli *sli) {
    sli->status = (enum sli_status)read_choice(reader, SLI_STATUS_COUNT);
    sli->trust = (enum sli_trust)read_choice(reader, TRUST_COUNT);
    sli->has_value = read_maybe_double(reader, &sli->value);
    sli->has_interval = read_maybe_double(reader, &sli->low);
    if (read_maybe_double(reader, &sli->high) != sli->has_interval)
        reader->failed = true;
    sli->level = read_double(reader);
    sli->interval = (enum interval_method)read_choice(reader, INTERVAL_NORMAL + 1);
    sli->error_bound = read_double(reader);
    sli->predicted = read_long(reader);
    sli->labelled = read_long(reader);
    sli->coverage = read_double(reader);
    sli->late = read_long(reader);
    sli->support = read_long(reader);
}

static void read_origin(struct reader *reader, struct sli *sli) {
    sli->parameter = read_double(reader);
    sli->kind = (enum task_kind)read_choice(reader, TASK_REGRESSION + 1);
    sli->window_kind = (enum window_kind)read_choice(reader, WINDOW_CUMULATIVE + 1);
    sli->epoch = read_long(reader);
    sli->mixed_epochs = read_boolean(reader);
    sli->method = read_bytes(reader);
    sli->formula = read_bytes(reader);
    sli->watermark_ms = read_choice(reader, 2) == 1 ? read_long(reader) : WATERMARK_NONE;
    sli->revision.epoch = read_long(reader);
    sli->revision.incarnation = read_long(reader);
    sli->revision.offset = read_long(reader);
    sli->computed_at_ms = read_long(reader);
}

bool sli_read(struct slice value, struct sli *out_sli) {
    struct slice body;
    if (!read_frame(value, SCHEMA_SLI, &body))
        return false;
    struct reader reader = reader_from(body);
    read_key(&reader, out_sli);
    read_readings(&reader, out_sli);
    read_origin(&reader, out_sli);
    return reader_done(&reader);
}
