/* load_topic.h -- whether a topic keeps what `load` writes: records have old timestamps, and all of
 * them come at once.  SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_COMMANDS_LOAD_TOPIC_H
#define SLIPSTREAM_COMMANDS_LOAD_TOPIC_H

#include "commands/load_source.h"
#include "kafka/admin.h"

/* Errors: CONFIG, with the remedy; BROKER. */
enum status load_check_topic(struct admin *admin, const char *topic, const struct load_span *span,
                             struct error *err) MUST_CHECK;

#endif
