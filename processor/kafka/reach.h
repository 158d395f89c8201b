/* reach.h -- inside this room: does anybody answer at bootstrap.servers, and if not, why?
 *
 * A client that tries for REACH_MS, and keeps librdkafka's words to itself meanwhile: they end in
 * one line with the address, the reason and the remedy.  SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_KAFKA_REACH_H
#define SLIPSTREAM_KAFKA_REACH_H

#include <stdatomic.h>

#include "base/error.h"
#include "config/definition.h"

#include <librdkafka/rdkafka.h>

enum { REACH_MS = 5000 };

/* The opaque of the client's configuration; it outlives the client. */
struct reach {
    atomic_bool is_over;
    rd_kafka_resp_err_t code; /* of the reason */
    char reason[300];         /* the first that a connection failed with; empty: none */
};

void reach_prepare(struct reach *reach, rd_kafka_conf_t *conf);
/* Errors: CONFIG (who we are is refused), BROKER. */
enum status reach_await(struct reach *reach, rd_kafka_t *client, const struct config *config,
                        struct error *err) MUST_CHECK;

#endif
