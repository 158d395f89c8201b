/* membership.h -- inside this room: the group metadata that a commit is sent with, and what was
 * committed.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_KAFKA_MEMBERSHIP_H
#define SLIPSTREAM_KAFKA_MEMBERSHIP_H

#include "kafka/consume.h"

#include <librdkafka/rdkafka.h>

/* Metadata of this moment, owned by the caller.  NULL, with err set, when the handle is in no
 * generation, its assignment is lost, or a position's partition is not the group's: brokers accept
 * offsets from all of these. */
rd_kafka_consumer_group_metadata_t *membership_metadata(struct group_consumer *group,
                                                        const struct log_position *positions,
                                                        size_t count, struct error *err);

/* group_committed of the group that the client's group.id names. */
enum status committed_offsets(rd_kafka_t *client, struct log_position *positions, size_t count,
                              int timeout_ms, struct error *err) MUST_CHECK;

#endif
