/* sli.h -- one service level indicator, and its record on the slis topic.
 *
 * Key      the slis topic is compacted: the last record of (task, metric, group, window,
 *          window_start, window_end, run_id) is the present word.  Avro binary of these fields in
 *          this order, without a frame.
 * Value    0x00, schema id big-endian, Avro binary: schemas/sli.3.avsc.
 * Revision (epoch, incarnation, offset), compared in this order, grows with every record of a key.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_TASK_SLI_H
#define SLIPSTREAM_TASK_SLI_H

#include "base/varint.h"
#include "config/definition.h"
#include "metrics/metric.h"

/* The orders are those of the schema's enums. */
enum sli_status {
    SLI_PROVISIONAL, /* some source partition may still bring predictions of it on time */
    SLI_ON_TIME,     /* sealed by every source partition, and as it was then */
    SLI_REVISED,     /* changed after the seal */
    SLI_FINAL,       /* never changes again */
    SLI_STATUS_COUNT
};
enum sli_trust { TRUST_TRUSTED, TRUST_PROVISIONAL, TRUST_UNTRUSTED, TRUST_NO_LABELS, TRUST_COUNT };

#define WATERMARK_NONE INT64_MIN

struct sli_revision {
    int64_t epoch, incarnation, offset;
};

/* Slices are borrowed: by sli_read from the value it was given. */
struct sli {
    struct slice task, metric, group, window; /* window: its name in the definition, "1h" */
    int64_t window_start_ms, window_end_ms;   /* event time, half-open */
    struct slice run_id;                      /* empty when live */

    enum sli_status status;
    enum sli_trust trust;
    enum interval_method interval;
    enum task_kind kind;
    enum window_kind window_kind;
    bool has_value, has_interval, mixed_epochs; /* mixed: its panes come from several epochs */
    double value;                               /* set when has_value */
    double low, high;                           /* set when has_interval */
    double level;                               /* of the interval: .95 */
    double error_bound;                         /* of the value itself, by score cells; 0: exact */
    int64_t predicted, labelled;
    double coverage; /* labelled / predicted; 0 when nothing is predicted */
    int64_t late;    /* predictions that came after the seal of their pane */
    int64_t support; /* records in the denominator */

    double parameter;     /* beta of fbeta, the quantile of lag; else 0 */
    int64_t epoch;        /* the greatest among its panes */
    struct slice method;  /* "full" */
    struct slice formula; /* metric and version of its meaning: "precision/1" */
    int64_t watermark_ms; /* all source partitions have sealed up to here, of FINAL: window_end_ms;
                             or WATERMARK_NONE */
    struct sli_revision revision;
    int64_t computed_at_ms; /* wall time */
};

void sli_write_key(const struct sli *sli, struct buffer *out);
void sli_write(const struct sli *sli, struct buffer *out);
/* False when the bytes are not such a record; out_sli is then undefined. */
bool sli_read(struct slice value, struct sli *out_sli);

const char *sli_status_name(enum sli_status status); /* "PROVISIONAL", ... */
const char *sli_trust_name(enum sli_trust trust);    /* "TRUSTED", ... */

#endif
