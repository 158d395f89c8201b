/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/control.h"

#include <inttypes.h>
#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "config/config.h"
#include "kafka/latest.h"
#include "kafka/outage.h"
#include "kafka/produce.h"
#include "worker/epochs.h"

enum { BROKER_TIMEOUT_MS = 15000, WAIT_MS = 500, PROBE_MS = 2000 };

struct control {
    const struct config *config;
    struct wake wake;
    struct assign_consumer *consumer;
    pthread_t thread;
    bool running;
    atomic_bool stopping;
    atomic_llong close_offset, close_at_ms;
};

struct start {
    struct control *control;
    struct epochs epochs;
};

static void take_close(struct control *control, const struct kafka_record *record,
                       const json_t *value) {
    const json_t *time = json_object_get(value, "close_at_ms");
    if (!json_is_integer(time))
        return;
    atomic_store(&control->close_at_ms, json_integer_value(time));
    atomic_store(&control->close_offset, record->offset);
}

/* What does not parse is another application's, or a mistake: it must not stop anybody. */
static void take_record(struct control *control, struct epochs *epochs,
                        const struct kafka_record *record) {
    json_t *value =
        record->value.data ? json_loadb(record->value.data, record->value.size, 0, NULL) : NULL;
    if (json_is_object(value)) {
        if (slice_equal(record->key, SLICE("close")))
            take_close(control, record, value);
        else if (epochs)
            epochs_take(epochs, value);
    }
    json_decref(value);
}

static enum status visit(void *owner, const struct kafka_record *record, struct error *err UNUSED) {
    struct start *start = owner;
    take_record(start->control, &start->epochs, record);
    return STATUS_OK;
}

/* This thread is never inside a transaction, so that it can ask at any time. */
static void judge_brokers(struct control *control) {
    if (outage_is_suspected())
        outage_judge(assign_consumer_answers(control->consumer, PROBE_MS),
                     config_brokers(control->config));
}

static void *follow(void *argument) {
    struct control *control = argument;
    struct log_reader *reader = NULL;
    struct error err = {0};
    if (assign_consumer_add(control->consumer, control->config->tasks_topic, 0,
                            atomic_load(&control->close_offset) + 1, &reader, &err) != STATUS_OK) {
        LOG_WARN("control_not_followed", "reason=\"%s\"", err.text);
        return NULL;
    }
    outage_set_judge(true);
    while (!atomic_load(&control->stopping)) {
        judge_brokers(control);
        struct kafka_record records[16];
        size_t count = 0;
        if (assign_consumer_poll(control->consumer, &err) != STATUS_OK ||
            log_reader_poll(reader, records, COUNT_OF(records), &count, &err) != STATUS_OK)
            count = 0; /* the brokers will be back */
        for (size_t i = 0; i < count; i++)
            take_record(control, NULL, &records[i]);
        records_release(records, count);
        if (count == 0)
            wake_wait(&control->wake, WAIT_MS);
    }
    outage_set_judge(false);
    assign_consumer_remove(control->consumer, reader);
    return NULL;
}

static enum status publish(const struct config *config, struct epochs *epochs, struct error *err) {
    struct producer *producer;
    TRY(producer_create(config, &producer, err));
    enum status status = STATUS_OK;
    for (size_t i = 0; i < epochs->publish_count && status == STATUS_OK; i++)
        status = producer_send(producer, config->tasks_topic, slice_from(epochs->publish[i].key),
                               slice_from(epochs->publish[i].value), 0, err);
    if (status == STATUS_OK)
        status = producer_finish(producer, err);
    producer_destroy(producer);
    return status;
}

static enum status begin(struct control *control, struct config *config, struct start *start,
                         struct error *err) {
    TRY(wake_init(&control->wake, err));
    TRY(assign_consumer_create(config, "control", &control->wake, &control->consumer, err));
    TRY(read_whole(control->consumer, config->tasks_topic, 0, 0, BROKER_TIMEOUT_MS, visit, start,
                   NULL, err));
    TRY(epochs_assign(&start->epochs, config, err));
    if (start->epochs.publish_count > 0)
        TRY(publish(config, &start->epochs, err));
    if (pthread_create(&control->thread, NULL, follow, control) != 0)
        return error_set(err, STATUS_IO, "cannot start a thread");
    control->running = true;
    return STATUS_OK;
}

enum status control_start(struct config *config, struct control **out_control, struct error *err) {
    struct control *control = alloc_zero(1, sizeof *control);
    control->config = config;
    atomic_init(&control->close_offset, -1);
    struct start start = {.control = control};
    enum status status = begin(control, config, &start, err);
    epochs_release(&start.epochs);
    if (status != STATUS_OK) {
        control_stop(control);
        return status;
    }
    *out_control = control;
    return STATUS_OK;
}

void control_stop(struct control *control) {
    if (!control)
        return;
    atomic_store(&control->stopping, true);
    if (control->running) {
        wake_now(&control->wake);
        (void)pthread_join(control->thread, NULL);
    }
    assign_consumer_destroy(control->consumer);
    wake_release(&control->wake);
    free(control);
}

int64_t control_close(struct control *control, int64_t *out_time_ms) {
    int64_t offset = atomic_load(&control->close_offset);
    *out_time_ms = atomic_load(&control->close_at_ms);
    return offset;
}

enum status control_send_close(const struct config *config, int64_t time_ms, struct error *err) {
    char value[64];
    (void)snprintf(value, sizeof value, "{\"close_at_ms\": %" PRId64 "}", time_ms);
    struct producer *producer;
    TRY(producer_create(config, &producer, err));
    enum status status =
        producer_send(producer, config->tasks_topic, SLICE("close"), slice_from(value), 0, err);
    if (status == STATUS_OK)
        status = producer_finish(producer, err);
    producer_destroy(producer);
    return status;
}
