/* murmur2.h -- where Java clients send a key.
 *
 * Source   MurmurHash2 as in org.apache.kafka.common.utils.Utils.murmur2 (seed 0x9747b28c).
 *          SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_KAFKA_MURMUR2_H
#define SLIPSTREAM_KAFKA_MURMUR2_H

#include "base/slice.h"

int32_t murmur2(struct slice key);
/* partition_count >= 1 */
int32_t murmur2_partition(struct slice key, int32_t partition_count);

#endif
