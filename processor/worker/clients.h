/* clients.h -- inside this room: the Kafka clients of one worker and stage, and their names.
 *
 * Group APPLICATION-STAGE, transactional id APPLICATION-INSTANCE-INDEX-STAGE, static member
 * INSTANCE-INDEX.  SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_WORKER_CLIENTS_H
#define SLIPSTREAM_WORKER_CLIENTS_H

#include "kafka/transact.h"
#include "worker/stage.h"

struct clients_wanted {
    const char *stage, *topic;        /* what the group subscribes to */
    struct group_callbacks callbacks; /* of the group */
    struct wake *wake;
};

/* group, reader and visitor of the context, for its options, and the producer.  What was created
 * before an error is the caller's to destroy.  Errors: BROKER, CONFIG, FENCED. */
enum status clients_create(const struct clients_wanted *wanted, struct stage_context *context,
                           struct transaction_producer **out_producer,
                           struct error *err) MUST_CHECK;

#endif
