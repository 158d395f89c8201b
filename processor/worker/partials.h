/* partials.h -- is the partials topic still the one that was published from?
 *
 * Clients of librdkafka 2.0 are not told a topic's id, and brokers forget a group's offsets with
 * the topic.  So each transaction of stage 2 that publishes leaves its position on `state`; a
 * partials topic that ends before it was made anew.  Its panes are nowhere else, since stage 1 only
 * sends what changes, and revisions, which are offsets, would fall: nothing may be published.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_WORKER_PARTIALS_H
#define SLIPSTREAM_WORKER_PARTIALS_H

#include "config/definition.h"
#include "kafka/consume.h"
#include "message.h"

/* Adds the record of the position to what is published. */
void partials_note(int32_t partition, int64_t position, struct outbox *outbox);
bool partials_is_note(struct slice key); /* of a record of `state` */

/* One partition, whose group has committed that offset, or -1; *out_end is its end now.  Errors:
 * CONFIG (made anew; the remedy is in err), BROKER. */
enum status partials_check(struct assign_consumer *reader, const struct config *config,
                           int32_t partition, int64_t committed, int64_t *out_end,
                           struct error *err) MUST_CHECK;
/* All partitions, before any worker starts: stage 1 would fill up the new topic.  Waits for no
 * transaction that a death left open.  Errors: as above. */
enum status partials_check_all(const struct config *config, struct error *err) MUST_CHECK;

#endif
