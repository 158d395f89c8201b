/* words.h -- inside this room: what librdkafka says, in our log.
 *
 * Trouble with connections goes to outage.h.  Of all else each kind (librdkafka's facility, or the
 * name of an error) is written once a minute, with the count of those left out since; none is
 * written while an outage lasts, but what is fatal.  SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_KAFKA_WORDS_H
#define SLIPSTREAM_KAFKA_WORDS_H

#include <librdkafka/rdkafka.h>

/* Callbacks of a configuration. */
void words_log(const rd_kafka_t *client, int level, const char *facility, const char *text);
void words_error(rd_kafka_t *client, int code, const char *reason, void *opaque);

#endif
