/* epochs.h -- which epoch is a definition?  Pure: control records in, numbered definitions out.
 *
 * Records of one task, ascending epochs 1, 2, ...  The newest with our fingerprint is ours; none
 * with it: ours is the next one.  A fingerprint that only an older epoch has means that this member
 * runs an old configuration: refused.  Definitions of older epochs are taken from the records, so
 * that their panes can be finished.  SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_WORKER_EPOCHS_H
#define SLIPSTREAM_WORKER_EPOCHS_H

#include <jansson.h>

#include "base/error.h"
#include "config/definition.h"

struct epoch_record {
    char *task, *configuration;
    int64_t epoch;
    uint64_t fingerprint;
};

struct epoch_message {
    char *key, *value;
};

struct epochs {
    struct epoch_record *records;
    size_t record_count;
    struct epoch_message *publish; /* what is new and must be published */
    size_t publish_count;
    struct config **older; /* configurations that older definitions were read from */
    size_t older_count;
};

void epochs_take(struct epochs *epochs, const json_t *value);
/* Numbers config->tasks and appends the older epochs' definitions to them (they stay owned by the
 * config; what they borrow lives as long as the process).  Errors: CONFIG. */
enum status epochs_assign(struct epochs *epochs, struct config *config,
                          struct error *err) MUST_CHECK;
void epochs_release(struct epochs *epochs);

#endif
