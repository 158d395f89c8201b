/* check_kafka.h -- does the cluster fit the configuration?
 *
 * Every finding is one line with its remedy.  SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_COMMANDS_CHECK_KAFKA_H
#define SLIPSTREAM_COMMANDS_CHECK_KAFKA_H

#include "base/error.h"
#include "base/slice.h"
#include "config/definition.h"

enum finding_level { FINDING_OK, FINDING_WARNING, FINDING_ERROR };

struct check_report {
    struct buffer text; /* "ok|warning|error: ..." a line */
    size_t warning_count, error_count;
};

void check_report_init(struct check_report *report);
void check_report_release(struct check_report *report);
void check_report_add(struct check_report *report, enum finding_level level, const char *format,
                      ...) PRINTF_LIKE(3, 4);

/* Asks the cluster: topics and their partition counts, cleanup.policy, retention against the
 * horizon, timestamps' rules, whether both inputs are keyed alike (a sample of their last records),
 * whether transactions work.  create_topics: makes those that are missing first.
 * Errors: CONFIG, BROKER when nothing could be asked; findings are no errors. */
enum status check_kafka(const struct config *config, bool create_topics,
                        struct check_report *report, struct error *err) MUST_CHECK;

#endif
