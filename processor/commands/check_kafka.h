/* check_kafka.h -- the part of `check` that asks the cluster.  SPDX-License-Identifier: Apache-2.0
 */
#ifndef SLIPSTREAM_COMMANDS_CHECK_KAFKA_H
#define SLIPSTREAM_COMMANDS_CHECK_KAFKA_H

#include "config/config.h"

/* Compares the topics of config_topics with the cluster's, samples the inputs' keys for
 * co-partitioning, and with create_topics makes the missing topics first.  Writes one line a
 * finding to standard output, each with its remedy; adds to *out_findings how many must be put
 * right.  Errors: BROKER, CONFIG. */
enum status check_kafka(const struct config *config, bool create_topics, size_t *out_findings,
                        struct error *err) MUST_CHECK;

#endif
