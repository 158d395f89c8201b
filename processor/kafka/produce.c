/* SPDX-License-Identifier: Apache-2.0 */
#include "kafka/produce.h"

#include <stdlib.h>

#include "base/clock.h"
#include "kafka/settings.h"

enum { PATIENCE_MS = 60000 };

struct producer {
    rd_kafka_t *client;
    size_t failed;                   /* records */
    rd_kafka_resp_err_t first_error; /* of those */
};

/* Only failures are reported (delivery.report.only.error). */
static void on_delivery(rd_kafka_t *client UNUSED, const rd_kafka_message_t *message,
                        void *opaque) {
    struct producer *producer = opaque;
    if (message->err && producer->failed++ == 0)
        producer->first_error = message->err;
}

enum status producer_create(const struct config *config, struct producer **out_producer,
                            struct error *err) {
    struct kafka_identity nobody = {0};
    rd_kafka_conf_t *conf = NULL;
    TRY(conf_create(config, ROLE_PRODUCER, &nobody, &conf, err));
    struct producer *producer = alloc_zero(1, sizeof *producer);
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
    rd_kafka_conf_set_opaque(conf, producer);
    enum status status = client_create(ROLE_PRODUCER, conf, &producer->client, err);
    if (status == STATUS_OK)
        *out_producer = producer;
    else
        free(producer);
    return status;
}

static enum status check_deliveries(const struct producer *producer, struct error *err) {
    if (producer->failed == 0)
        return STATUS_OK;
    return error_set(err, STATUS_BROKER, "%zu records did not arrive: %s", producer->failed,
                     rd_kafka_err2str(producer->first_error));
}

static rd_kafka_vu_t bytes_argument(rd_kafka_vtype_t type, struct slice bytes) {
    return (rd_kafka_vu_t){.vtype = type, .u.mem = {kafka_writable(bytes.data), bytes.size}};
}

enum status producer_send(struct producer *producer, const char *topic, struct slice key,
                          struct slice value, int64_t timestamp_ms, struct error *err) {
    TRY(check_deliveries(producer, err));
    const rd_kafka_vu_t arguments[] = {
        {.vtype = RD_KAFKA_VTYPE_TOPIC, .u.cstr = topic},
        {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
        bytes_argument(RD_KAFKA_VTYPE_KEY, key),
        bytes_argument(RD_KAFKA_VTYPE_VALUE, value),
        {.vtype = RD_KAFKA_VTYPE_TIMESTAMP, .u.i64 = timestamp_ms},
    };
    int64_t deadline_us = clock_monotonic_us() + INT64_C(1000) * PATIENCE_MS;
    rd_kafka_error_t *error = rd_kafka_produceva(producer->client, arguments, COUNT_OF(arguments));
    while (error && rd_kafka_error_code(error) == RD_KAFKA_RESP_ERR__QUEUE_FULL &&
           clock_monotonic_us() < deadline_us) {
        rd_kafka_error_destroy(error);
        (void)rd_kafka_poll(producer->client, 10);
        error = rd_kafka_produceva(producer->client, arguments, COUNT_OF(arguments));
    }
    enum status status = kafka_check(error, topic, err);
    (void)rd_kafka_poll(producer->client, 0);
    return status;
}

enum status producer_finish(struct producer *producer, struct error *err) {
    rd_kafka_resp_err_t code = rd_kafka_flush(producer->client, PATIENCE_MS);
    TRY(check_deliveries(producer, err));
    return kafka_check_code(code, "flush", err);
}

void producer_destroy(struct producer *producer) {
    if (!producer)
        return;
    (void)rd_kafka_purge(producer->client, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    rd_kafka_destroy(producer->client);
    free(producer);
}
