/* check_kafka.h -- does the cluster fit the configuration?
 *
 * Looks at topics and their partition counts, cleanup.policy, retention against the horizon, the
 * rules for timestamps, whether both inputs are keyed alike (a sample of their last records) and
 * whether transactions work.  SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_COMMANDS_CHECK_KAFKA_H
#define SLIPSTREAM_COMMANDS_CHECK_KAFKA_H

#include "base/error.h"
#include "config/definition.h"

/* Prints what it did and found, a line each with its remedy, to standard output:
 *     created: topic demo.slis, 4 partitions
 *     warning: ...                what may go wrong one day
 *     error: ...                  what `run` would stop at, or count wrongly
 * create_topics makes those that are missing first.  out_errors counts the errors.
 * Errors: CONFIG, BROKER when the cluster cannot be asked. */
enum status check_kafka(const struct config *config, bool create_topics, size_t *out_errors,
                        struct error *err) MUST_CHECK;

#endif
