/* produce.h -- a plain producer for loads of files: idempotent, keys placed as by Java clients.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_KAFKA_PRODUCE_H
#define SLIPSTREAM_KAFKA_PRODUCE_H

#include "base/error.h"
#include "base/slice.h"
#include "config/definition.h"

struct producer;

/* Errors: CONFIG. */
enum status producer_create(const struct config *config, struct producer **out_producer,
                            struct error *err) MUST_CHECK;
/* Bytes are copied.  key.data NULL: any partition; value.data NULL: tombstone; timestamp_ms 0: now.
 * Waits when the local queue is full.  Errors: BROKER (also of earlier records that did not
 * arrive). */
enum status producer_send(struct producer *producer, const char *topic, struct slice key,
                          struct slice value, int64_t timestamp_ms, struct error *err) MUST_CHECK;
/* Waits until all has arrived.  Errors: BROKER. */
enum status producer_finish(struct producer *producer, struct error *err) MUST_CHECK;
void producer_destroy(struct producer *producer); /* accepts NULL; drops what has not arrived */

#endif
