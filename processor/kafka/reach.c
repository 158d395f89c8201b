/* SPDX-License-Identifier: Apache-2.0 */
#include "kafka/reach.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "config/config.h"
#include "kafka/words.h"

enum { TRY_MS = 250 };

static void on_log(const rd_kafka_t *client, int level, const char *facility, const char *text) {
    const struct reach *reach = client ? rd_kafka_opaque(client) : NULL;
    if (reach && atomic_load(&reach->is_over))
        words_log(client, level, facility, text);
}

/* Called in reach_await's poll.  A later reason may only be a repetition: the first is kept, but
 * for one that says more than that a connection was closed. */
static void on_error(rd_kafka_t *client, int code, const char *reason, void *opaque) {
    struct reach *reach = opaque;
    if (atomic_load(&reach->is_over)) {
        words_error(client, code, reason, NULL);
        return;
    }
    bool says_more = reach->code == RD_KAFKA_RESP_ERR__TRANSPORT &&
                     (code == RD_KAFKA_RESP_ERR__SSL || code == RD_KAFKA_RESP_ERR__AUTHENTICATION);
    if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN || (reach->reason[0] && !says_more))
        return;
    reach->code = (rd_kafka_resp_err_t)code;
    const char *end = strstr(reason, " (after "); /* "... (after 0ms in state CONNECT)" */
    int size = end ? (int)(end - reason) : (int)strlen(reason);
    (void)snprintf(reach->reason, sizeof reach->reason, "%.*s", size, reason);
}

void reach_prepare(struct reach *reach, rd_kafka_conf_t *conf) {
    atomic_init(&reach->is_over, false);
    rd_kafka_conf_set_opaque(conf, reach);
    rd_kafka_conf_set_log_cb(conf, on_log);
    rd_kafka_conf_set_error_cb(conf, on_error);
}

static const char *remedy(const struct reach *reach) {
    static const struct {
        rd_kafka_resp_err_t code;
        const char *words; /* in the reason */
        const char *remedy;
    } cases[] = {
        {RD_KAFKA_RESP_ERR__RESOLVE, "",
         "correct kafka.bootstrap.servers (or what the broker advertises), or DNS"},
        {RD_KAFKA_RESP_ERR__AUTHENTICATION, "",
         "correct kafka.sasl.mechanism, kafka.sasl.username and kafka.sasl.password, or "
         "kafka.security.protocol"},
        {RD_KAFKA_RESP_ERR__SSL, "",
         "correct kafka.ssl.ca.location, or kafka.security.protocol if no TLS is spoken there"},
        {RD_KAFKA_RESP_ERR__TRANSPORT, "refused",
         "start the broker, or correct kafka.bootstrap.servers"},
        {RD_KAFKA_RESP_ERR__BAD_MSG, "",
         "that port does not speak Kafka, or speaks TLS: correct kafka.bootstrap.servers or "
         "kafka.security.protocol"},
        {RD_KAFKA_RESP_ERR__TRANSPORT, "isconnected",
         "that port may speak TLS or SASL, or not Kafka: set kafka.security.protocol to what it "
         "speaks"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        if (reach->code == cases[i].code && strstr(reach->reason, cases[i].words))
            return cases[i].remedy;
    return "correct kafka.bootstrap.servers; does a firewall let it through?";
}

/* Asks for the brokers only. */
static rd_kafka_resp_err_t ask(rd_kafka_t *client) {
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_resp_err_t code = rd_kafka_metadata(client, 0, NULL, &metadata, TRY_MS);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        rd_kafka_metadata_destroy(metadata);
    (void)rd_kafka_poll(client, 0);
    return code;
}

enum status reach_await(struct reach *reach, rd_kafka_t *client, const struct config *config,
                        struct error *err) {
    int64_t deadline_us = clock_monotonic_us() + INT64_C(1000) * REACH_MS;
    rd_kafka_resp_err_t code = ask(client);
    while (code != RD_KAFKA_RESP_ERR_NO_ERROR && clock_monotonic_us() < deadline_us &&
           reach->code != RD_KAFKA_RESP_ERR__AUTHENTICATION)
        code = ask(client);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        atomic_store(&reach->is_over, true);
        return STATUS_OK;
    }
    bool is_refused = reach->code == RD_KAFKA_RESP_ERR__AUTHENTICATION;
    return error_set(err, is_refused ? STATUS_CONFIG : STATUS_BROKER,
                     "no answer from Kafka at %.100s: %s; %s", config_brokers(config),
                     reach->reason[0] ? reach->reason : "no connection came about", remedy(reach));
}
