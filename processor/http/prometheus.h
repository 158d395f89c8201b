/* prometheus.h -- the text format of metrics, version 0.0.4.
 *
 *     prometheus_family(&page, "slipstream_records_total", "counter", "Records read.");
 *     prometheus_sample(&page, 12, (const struct prometheus_label[]){{"topic", "p"}}, 1);
 *
 * Samples follow their family; a family is declared once a page, which is asserted.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_HTTP_PROMETHEUS_H
#define SLIPSTREAM_HTTP_PROMETHEUS_H

#include "base/slice.h"

enum { PROMETHEUS_FAMILIES_MAX = 256 };

struct metrics_page {
    struct buffer *text; /* borrowed */
    const char *family;  /* the present one */
    const char *declared[PROMETHEUS_FAMILIES_MAX];
    size_t declared_count;
};

struct prometheus_label {
    const char *name, *value; /* the value is escaped */
};

void prometheus_begin(struct metrics_page *page, struct buffer *text);
/* name: slipstream_... or process_..., static text; counters end in _total.  type: "counter" or
 * "gauge". */
void prometheus_family(struct metrics_page *page, const char *name, const char *type,
                       const char *help);
/* NaN and infinities are written as the format wants them. */
void prometheus_sample(struct metrics_page *page, double value,
                       const struct prometheus_label *labels, size_t label_count);
/* A family of one sample without labels; nothing when the value is NaN: not known. */
void prometheus_single(struct metrics_page *page, const char *name, const char *type,
                       const char *help, double value);

#endif
