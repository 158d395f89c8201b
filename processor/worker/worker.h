/* worker.h -- one thread: poll, step, commit, flush, for the partitions of one stage.
 *
 * A worker has its own consumers, its own transactional producer and its own partitions; nothing of
 * a partition is ever seen by two threads.  What threads share: the configuration and schemas
 * (constant), the stop flag, and one board of figures that each worker rewrites about once a
 * second. SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_WORKER_WORKER_H
#define SLIPSTREAM_WORKER_WORKER_H

#include <stdatomic.h>

#include "base/error.h"
#include "config/definition.h"
#include "schemas/schema_set.h"
#include "state/store.h"
#include "worker/board.h"
#include "worker/control.h"

enum stage { STAGE_PARTITION, STAGE_TASK };

struct worker_options {
    const struct config *config;
    const struct schema_set *schemas;
    struct store_cache *cache;
    struct board *board;
    struct control *control;
    atomic_bool *stopping;
    enum stage stage;
    int index;                 /* 0 .. workers - 1 */
    const char *instance;      /* unique in the group: group.instance.id, transactional.id */
    int32_t source_partitions; /* of the predictions topic */
};

struct worker;

/* Starts the thread.  Errors: CONFIG, BROKER, IO. */
enum status worker_start(const struct worker_options *options, struct worker **out_worker,
                         struct error *err) MUST_CHECK;
/* After *stopping is set: wakes it, waits until it has committed, flushed and left.  False: it
 * ended with trouble, said in the log. */
bool worker_join(struct worker *worker);
/* Its thread is about to return: by *stopping, or by trouble. */
bool worker_has_ended(const struct worker *worker);
void worker_wake(struct worker *worker); /* from any thread or signal handler */

#endif
