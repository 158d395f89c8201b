/* latest.h -- what a compacted topic says now: the last record of some keys, or all records.
 *
 * Both read committed records up to the uncommitted high watermark found at the start, and wait
 * there while an open transaction hides the end: the answer is never older than the call.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_KAFKA_LATEST_H
#define SLIPSTREAM_KAFKA_LATEST_H

#include "base/arena.h"
#include "kafka/consume.h"

/* The last value of each key, copied to arena; data NULL: no record, or a tombstone.  Reads the
 * last 2 000 offsets first and twice as many as long as a key is missing. Errors: BROKER (also when
 * timeout_ms passes).  out_offsets (may be NULL): where each was; -1: nowhere. */
enum status read_latest(struct assign_consumer *consumer, const char *topic, int32_t partition,
                        const struct slice *keys, size_t key_count, int timeout_ms,
                        struct arena *arena, struct slice *out_values, int64_t *out_offsets,
                        struct error *err) MUST_CHECK;

/* Calls visit for each record from offset on (or from the first kept, if that is later); a status
 * other than OK ends the reading and is returned.  out_end (may be NULL): the position reached.
 * timeout_ms is the longest wait without any record.  Errors: BROKER, those of visit. */
enum status read_whole(struct assign_consumer *consumer, const char *topic, int32_t partition,
                       int64_t offset, int timeout_ms,
                       enum status (*visit)(void *owner, const struct kafka_record *record,
                                            struct error *err),
                       void *owner, int64_t *out_end, struct error *err) MUST_CHECK;

#endif
