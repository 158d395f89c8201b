/* event.h -- one record of an input log, decoded; what stage 1 steps over.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_PARTITION_EVENT_H
#define SLIPSTREAM_PARTITION_EVENT_H

#include "base/slice.h"
#include "schemas/refusal.h"
#include "schemas/value.h"

enum log_side { LOG_PREDICTIONS, LOG_FEEDBACK, LOG_COUNT };

#define TIME_NONE INT64_MIN

struct event {
    enum log_side log;
    enum refusal refusal; /* decoding failed: only offset, record_ms, raw are set */
    int64_t offset;
    int64_t record_ms;           /* Kafka's record timestamp; TIME_NONE when the record has none */
    int64_t wall_ms;             /* wall time of this reading; 0: none is known, FUTURE by it is not
                                    decided.  Looked at while live only */
    struct slice id;             /* 1..1024 bytes */
    int64_t time_ms;             /* prediction: event time; feedback: label time */
    int64_t prediction_ms;       /* feedback: the prediction's time, or TIME_NONE */
    const struct value *columns; /* the topic's columns, borrowed until the step ends */
    struct slice raw_key, raw_value; /* for dead letters; borrowed until the step ends */
};

#endif
