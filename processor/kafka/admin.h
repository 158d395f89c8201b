/* admin.h -- topics: do they exist, how are they made, what do they hold.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_KAFKA_ADMIN_H
#define SLIPSTREAM_KAFKA_ADMIN_H

#include "base/error.h"
#include "base/slice.h"
#include "config/config.h"

struct admin;

/* Waits at most 5 s until a broker answers.  Errors: BROKER (none did: where, why and the remedy
 * are in err), CONFIG. */
enum status admin_create(const struct config *config, struct admin **out_admin,
                         struct error *err) MUST_CHECK;
void admin_destroy(struct admin *admin); /* accepts NULL */

/* 0: the topic does not exist.  Errors: BROKER. */
enum status admin_partition_count(struct admin *admin, const char *topic, int32_t *out_count,
                                  struct error *err) MUST_CHECK;
/* Creates plan->topic with that many partitions and waits until it can be used; a topic that exists
 * is left as it is and *out_existed set.  Errors: BROKER, CONFIG (refused by a policy, access
 * denied). */
enum status admin_create_topic(struct admin *admin, const struct topic_plan *plan,
                               int32_t partitions, bool *out_existed, struct error *err) MUST_CHECK;
/* Value in force of a topic's setting, appended to out_value; nothing when the broker does not know
 * it.  Errors: BROKER, CONFIG (no such topic, access denied). */
enum status admin_topic_setting(struct admin *admin, const char *topic, const char *setting,
                                struct buffer *out_value, struct error *err) MUST_CHECK;
/* Removes a topic (tests, discarded replays).  Errors: BROKER. */
enum status admin_delete_topic(struct admin *admin, const char *topic,
                               struct error *err) MUST_CHECK;

#endif
