/* outage.h -- the brokers do not answer: said once at its beginning, once a minute, once at its
 * end.
 *
 * There is one cluster, hence one outage for the whole process, behind a lock.  Whoever hears of
 * trouble says so (outage_suspect); one thread, the judge, then asks the brokers, twice a second
 * while they are silent, and says what came of it.  Without a judge, or when others answer, the
 * trouble itself is said, at most once a minute.  SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_KAFKA_OUTAGE_H
#define SLIPSTREAM_KAFKA_OUTAGE_H

#include <stdbool.h>
#include <stdint.h>

/* From now on some thread calls outage_judge; false: no longer. */
void outage_set_judge(bool has_judge);
/* reason: librdkafka's words, address included; NULL: it gave none. */
void outage_suspect(const char *reason);
/* True until the judge has found that they answer: it should ask. */
bool outage_is_suspected(void);
/* brokers: bootstrap.servers, for the log. */
void outage_judge(bool answers, const char *brokers);
/* When the brokers were last known to be away, clock_monotonic_us; now while they are; 0: never. */
int64_t outage_seen_us(void);
/* True while an outage lasts, for a line that only says so again: it is counted instead. */
bool outage_hides(void);

#endif
