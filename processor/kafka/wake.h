/* wake.h -- one descriptor that becomes readable when any of a worker's queues gets records.
 *
 * librdkafka writes a byte when a queue that was empty gets an element, and not again before the
 * queue was read: sleep only after every reader and consumer returned less than it was asked for.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_KAFKA_WAKE_H
#define SLIPSTREAM_KAFKA_WAKE_H

#include "base/error.h"

struct wake {
    int read_end, write_end; /* a pipe, neither end blocks */
};

/* Errors: IO (no descriptor left). */
enum status wake_init(struct wake *wake, struct error *err) MUST_CHECK;
/* After the consumers that were given it are destroyed. */
void wake_release(struct wake *wake);
/* Sleeps until something arrived, wake_now was called or timeout_ms has passed. */
void wake_wait(struct wake *wake, int timeout_ms);
/* From any thread or signal handler. */
void wake_now(struct wake *wake);

#endif
