/* setting_check.h -- does librdkafka know a setting of the section kafka, and take its value?  No
 * broker is asked.  SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_KAFKA_SETTING_CHECK_H
#define SLIPSTREAM_KAFKA_SETTING_CHECK_H

#include "base/error.h"
#include "config/definition.h"

/* Errors: CONFIG, with "kafka.NAME: what is wrong; the remedy".  A secret's value is not shown. */
enum status setting_check(const struct setting *setting, struct error *err) MUST_CHECK;

#endif
