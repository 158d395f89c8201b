/* delivery.h -- inside this room: an outbox and the positions that it goes with, as one
 * transaction.
 *
 * A transaction that is known to be aborted has left nothing behind, and the cores wait for its
 * commit as before: outbox and positions stand, and go into the next one.  That is how a rebalance
 * costs no partition its state: brokers refuse the offsets of a generation that ended between the
 * taking of the metadata and its arrival, and nothing tells beforehand.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_WORKER_DELIVERY_H
#define SLIPSTREAM_WORKER_DELIVERY_H

#include "kafka/transact.h"
#include "worker/stage.h"

enum { DELIVERY_ATTEMPTS_MAX = 6 }; /* within about a second */

/* Sends context->outbox and commits it with the positions; each outcome is counted in
 * context->figures.  COMMIT_ABORTED: also the last attempt was, or the assignment is lost, so that
 * the positions are another's to commit. */
enum commit_outcome deliver(const struct stage_context *context,
                            struct transaction_producer *producer,
                            const struct log_position *positions, size_t count, struct error *err);

#endif
