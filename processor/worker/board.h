/* board.h -- figures of all workers, for /metrics, /readyz and the log.
 *
 * A partition is on the board as long as it is open here: one that moved away, or is being opened
 * again, shows no old values.
 *
 * Rewritten by each worker about once a second under a lock that the hot path never takes.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_WORKER_BOARD_H
#define SLIPSTREAM_WORKER_BOARD_H

#include <pthread.h>

#include "http/prometheus.h"
#include "partition/partition.h"
#include "state/store.h"
#include "task/task.h"

struct partition_figures {
    int32_t partition;
    bool live;
    struct partition_stats stats;
    int64_t lag[LOG_COUNT];     /* records until the high watermark, -1 unknown */
    int64_t read_ms[LOG_COUNT]; /* timestamp of the record read last, INT64_MIN: none yet */
    int64_t wall_ms;            /* when these figures were taken */
    size_t fetched_bytes;       /* librdkafka's, about */
    struct store_usage store;
};

struct task_figures {
    int32_t partition;
    bool live;
    struct task_stats stats;
    int64_t lag;
    size_t fetched_bytes;
    struct store_usage store;
};

struct worker_figures {
    int64_t commits, aborts, unknown, fenced, rebalances, records, bytes;
    int64_t turned_at_us;  /* monotonic: when its loop last went round */
    size_t assigned, live; /* partitions; live: restored and processing */
    size_t outbox_bytes;   /* kept for the next transaction, as large as the largest so far */
    size_t queued_bytes;   /* in librdkafka, before a commit since the last report; about */
    bool is_ready;         /* all that the group has assigned, perhaps nothing, is live */
};

enum { BOARD_PARTITIONS_MAX = 4096, BOARD_WORKERS_MAX = 512 }; /* 256 workers, two stages each */

struct board {
    pthread_mutex_t lock;
    struct partition_figures *partitions; /* [BOARD_PARTITIONS_MAX], by partition; -1: not here */
    struct task_figures *tasks;
    struct worker_figures workers[BOARD_WORKERS_MAX];
    int worker_count;
    const struct config *config;
};

void board_init(struct board *board, const struct config *config, int worker_count);
void board_release(struct board *board);
void board_set_partition(struct board *board, const struct partition_figures *figures);
void board_set_task(struct board *board, const struct task_figures *figures);
void board_remove_partition(struct board *board, int32_t partition);
void board_remove_task(struct board *board, int32_t partition);
void board_set_worker(struct board *board, int index, const struct worker_figures *figures);
/* Each loop went round within the last 60 s, or since excused_us (0: nothing is excused): a call to
 * brokers that are away blocks for longer, and a new process would fare no better. */
bool board_is_healthy(struct board *board, int64_t now_us, int64_t excused_us);
/* Each worker has said so. */
bool board_is_ready(struct board *board);
/* cache: of all stores; NULL: none. */
void board_write(struct board *board, const struct store_cache *cache, struct metrics_page *page);

#endif
