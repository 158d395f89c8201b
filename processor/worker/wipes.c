/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/wipes.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "worker/directory.h"

enum { DOUBLINGS_MAX = 6 };

static const int64_t second_us = 1000000, row_us = 3600 * INT64_C(1000000);

void wipes_count(struct wipes *wipes, int64_t now_us) {
    bool is_row = wipes->in_a_row > 0 && now_us - wipes->last_us < row_us;
    wipes->in_a_row = is_row ? wipes->in_a_row + 1 : 1;
    wipes->last_us = now_us;
}

int64_t wipes_next_us(const struct wipes *wipes) {
    int doublings = wipes->in_a_row < DOUBLINGS_MAX ? wipes->in_a_row : DOUBLINGS_MAX;
    return doublings == 0 ? 0 : wipes->last_us + (second_us << doublings);
}

enum status wipes_make(struct wipes *wipes, const char *state_directory, const char *topic,
                       int32_t partition, struct error *err) {
    char path[1024];
    TRY(directory_make(path, sizeof path, state_directory, topic, partition, err));
    TRY(directory_empty(path, err));
    wipes_count(wipes, clock_monotonic_us());
    wipes->is_due = false;
    LOG_WARN("state_discarded", "topic=%s partition=%d in_a_row=%d", topic, partition,
             wipes->in_a_row);
    return STATUS_OK;
}

void wipes_say_in_vain(const struct wipes *wipes, const char *stage,
                       const struct log_position *positions, size_t count,
                       const struct error *err) {
    char places[400] = "", quoted[600];
    size_t used = 0;
    for (size_t i = 0; i < count && used < sizeof places; i++)
        used += (size_t)snprintf(places + used, sizeof places - used,
                                 "%s%s[%d] before offset %" PRId64, i > 0 ? ", " : "",
                                 positions[i].topic, positions[i].partition, positions[i].offset);
    LOG_ERROR(
        "wiped_in_vain",
        "stage=%s times=%d reason=%s at=\"%s\" remedy=\"a new store failed like the last: if the "
        "disk is good, then by one of these records; keep both and report it\"",
        stage, wipes->in_a_row, log_quote(quoted, err->text), places);
}
