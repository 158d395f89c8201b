/* stage.h -- inside this room: what the loop of worker.c does with one owned partition, for either
 * stage. SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_WORKER_STAGE_H
#define SLIPSTREAM_WORKER_STAGE_H

#include "kafka/consume.h"
#include "message.h"
#include "worker/worker.h"

struct item; /* one owned partition: core, store, readers */

struct stage_context {
    const struct worker_options *options;
    struct group_consumer *group;
    struct assign_consumer *reader;  /* of the inputs */
    struct assign_consumer *visitor; /* for what an opening asks and reads */
    struct outbox *outbox;
    struct worker_figures *figures;
    bool commit_now; /* set by a stage whose memory is full: only a commit lets it flush */
};

struct stage_ops {
    const char *name; /* "partition", "task": in group and transactional ids */
    /* Errors: BROKER, IO (try again), CONFIG (in vain), CORRUPT after a rebuild was tried. */
    enum status (*open)(struct stage_context *context, int32_t number, struct item **out_item,
                        struct error *err);
    void (*close)(struct stage_context *context, struct item *item);
    /* Reads and steps what is there; *out_busy: there may be more at once. */
    enum status (*turn)(struct stage_context *context, struct item *item, bool *out_busy,
                        struct error *err);
    /* Puts what the transaction must carry into the outbox; drain: nothing waits. */
    enum status (*commit)(struct stage_context *context, struct item *item, int64_t now_ms,
                          bool drain, struct error *err);
    /* Offsets that go into the transaction; at most LOG_COUNT. */
    size_t (*positions)(const struct stage_context *context, const struct item *item,
                        struct log_position *out_positions);
    enum status (*committed)(struct stage_context *context, struct item *item, int64_t now_ms,
                             bool flush, struct error *err);
    bool (*is_live)(const struct item *item);
    void (*report)(struct stage_context *context, struct item *item);
    void (*forget)(struct stage_context *context, int32_t number); /* takes it off the board */
};

extern const struct stage_ops partition_stage, task_stage_ops;

#endif
