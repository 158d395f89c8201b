/* trip_judge.h -- label and score of a trip from its columns, for streams that change columns after
 * the draw.  Private to the streams.  SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_STATS_TRIP_JUDGE_H
#define SLIPSTREAM_STATS_TRIP_JUDGE_H

#include "stats/streams.h"

/* Sets truth, label, score and decision.  shift: added to the true log-odds, or NULL. */
void trip_judge(uint64_t seed, double (*shift)(const struct trip *trip), struct trip *trip);

#endif
