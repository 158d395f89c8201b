/* process.h -- what the process takes of the system, by the names that Prometheus' own clients use.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_HTTP_PROCESS_H
#define SLIPSTREAM_HTTP_PROCESS_H

#include "http/prometheus.h"

/* process_cpu_seconds_total, _resident_memory_bytes, _virtual_memory_bytes, _open_fds, _max_fds,
 * _start_time_seconds; what the system does not tell (memory and open_fds without /proc) is left
 * out.  started_ms: Unix time.  From any thread. */
void process_write(struct metrics_page *page, int64_t started_ms);

#endif
