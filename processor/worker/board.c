/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/board.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"

static const int64_t turn_us_max = 60 * 1000000;

void board_init(struct board *board, const struct config *config, int worker_count) {
    *board = (struct board){.config = config, .worker_count = worker_count};
    ASSERT(worker_count <= BOARD_WORKERS_MAX);
    ASSERT(pthread_mutex_init(&board->lock, NULL) == 0);
    board->partitions = alloc_zero(BOARD_PARTITIONS_MAX, sizeof *board->partitions);
    board->tasks = alloc_zero(BOARD_PARTITIONS_MAX, sizeof *board->tasks);
    for (int i = 0; i < BOARD_PARTITIONS_MAX; i++)
        board->partitions[i].partition = board->tasks[i].partition = -1;
}

void board_release(struct board *board) {
    free(board->partitions);
    free(board->tasks);
    (void)pthread_mutex_destroy(&board->lock);
}

void board_set_partition(struct board *board, const struct partition_figures *figures) {
    if (figures->partition >= BOARD_PARTITIONS_MAX)
        return;
    (void)pthread_mutex_lock(&board->lock);
    board->partitions[figures->partition] = *figures;
    (void)pthread_mutex_unlock(&board->lock);
}

void board_set_task(struct board *board, const struct task_figures *figures) {
    if (figures->partition >= BOARD_PARTITIONS_MAX)
        return;
    (void)pthread_mutex_lock(&board->lock);
    board->tasks[figures->partition] = *figures;
    (void)pthread_mutex_unlock(&board->lock);
}

void board_remove_partition(struct board *board, int32_t partition) {
    (void)pthread_mutex_lock(&board->lock);
    if (partition < BOARD_PARTITIONS_MAX)
        board->partitions[partition].partition = -1;
    (void)pthread_mutex_unlock(&board->lock);
}

void board_remove_task(struct board *board, int32_t partition) {
    (void)pthread_mutex_lock(&board->lock);
    if (partition < BOARD_PARTITIONS_MAX)
        board->tasks[partition].partition = -1;
    (void)pthread_mutex_unlock(&board->lock);
}

void board_set_worker(struct board *board, int index, const struct worker_figures *figures) {
    (void)pthread_mutex_lock(&board->lock);
    board->workers[index] = *figures;
    (void)pthread_mutex_unlock(&board->lock);
}

static int64_t later(int64_t a, int64_t b) {
    return a > b ? a : b;
}

bool board_is_healthy(struct board *board, int64_t now_us, int64_t excused_us) {
    bool healthy = true;
    (void)pthread_mutex_lock(&board->lock);
    for (int i = 0; i < board->worker_count; i++)
        if (board->workers[i].turned_at_us != 0)
            healthy &= now_us - later(board->workers[i].turned_at_us, excused_us) < turn_us_max;
    (void)pthread_mutex_unlock(&board->lock);
    return healthy;
}

bool board_is_ready(struct board *board) {
    bool ready = true;
    (void)pthread_mutex_lock(&board->lock);
    for (int i = 0; i < board->worker_count; i++)
        ready &= board->workers[i].is_ready;
    (void)pthread_mutex_unlock(&board->lock);
    return ready;
}

/* ---- the page ----
 * What is not known yet is left out (NAN below): a sum over partitions must not see it. */

static double lag_of(int64_t lag) {
    return lag < 0 ? NAN : (double)lag;
}

static double seconds_of(int64_t time_ms) {
    return time_ms == INT64_MIN || time_ms == INT64_MAX ? NAN : (double)time_ms / 1000;
}

static void write_known(struct metrics_page *page, double value,
                        const struct prometheus_label *label) {
    if (!isnan(value))
        prometheus_sample(page, value, label, 1);
}

/* How long what is read now has been on the log. */
static double lag_seconds_of(const struct partition_figures *figures, enum log_side log) {
    int64_t read_ms = figures->read_ms[log];
    if (figures->lag[log] <= 0)
        return lag_of(figures->lag[log]);
    if (read_ms == INT64_MIN)
        return NAN;
    return figures->wall_ms > read_ms ? (double)(figures->wall_ms - read_ms) / 1000 : 0;
}

typedef double partition_value(const struct partition_figures *figures);

static void write_partitions(struct board *board, struct metrics_page *page, const char *name,
                             const char *type, const char *help, partition_value *value) {
    prometheus_family(page, name, type, help);
    for (int i = 0; i < BOARD_PARTITIONS_MAX; i++) {
        char number[16];
        if (board->partitions[i].partition < 0)
            continue;
        (void)snprintf(number, sizeof number, "%d", i);
        const struct prometheus_label label = {"partition", number};
        write_known(page, value(&board->partitions[i]), &label);
    }
}

#define PARTITION_METRICS(METRIC)                                                                  \
    METRIC(live, "gauge", "1 when restored and processing.", figures->live)                        \
    METRIC(predictions_lag, "gauge", "Records until the end of predictions.",                      \
           lag_of(figures->lag[LOG_PREDICTIONS]))                                                  \
    METRIC(feedback_lag, "gauge", "Records until the end of feedback.",                            \
           lag_of(figures->lag[LOG_FEEDBACK]))                                                     \
    METRIC(predictions_lag_seconds, "gauge", "Age of the prediction read last; 0 at the end.",     \
           lag_seconds_of(figures, LOG_PREDICTIONS))                                               \
    METRIC(feedback_lag_seconds, "gauge", "Age of the label read last; 0 at the end.",             \
           lag_seconds_of(figures, LOG_FEEDBACK))                                                  \
    METRIC(prediction_clock_seconds, "gauge", "Greatest event time of predictions.",               \
           seconds_of(figures->stats.clock_ms[LOG_PREDICTIONS]))                                   \
    METRIC(feedback_clock_seconds, "gauge", "Greatest label time of feedback.",                    \
           seconds_of(figures->stats.clock_ms[LOG_FEEDBACK]))                                      \
    METRIC(predicted_total, "counter", "Predictions counted.", (double)figures->stats.predicted)   \
    METRIC(labelled_total, "counter", "Labels joined.", (double)figures->stats.labelled)           \
    METRIC(duplicates_total, "counter", "Predictions with an identity seen before.",               \
           (double)figures->stats.duplicates)                                                      \
    METRIC(superseded_total, "counter", "Labels replaced by a later one.",                         \
           (double)figures->stats.superseded)                                                      \
    METRIC(ambiguous_total, "counter",                                                             \
           "Labels that fit several rows: ids used twice (since the opening).",                    \
           (double)figures->stats.ambiguous)                                                       \
    METRIC(filtered_total, "counter", "Records that a task's filter left out.",                    \
           (double)figures->stats.filtered)                                                        \
    METRIC(orphans, "gauge", "Labels waiting for their prediction.",                               \
           (double)figures->stats.orphans)                                                         \
    METRIC(look_ups_total, "counter", "Keys looked up in the store.",                              \
           (double)figures->stats.look_ups)                                                        \
    METRIC(flushes_total, "counter", "Flushes to the store.", (double)figures->stats.flushes)      \
    METRIC(flushed_rows_total, "counter", "Rows written to the store.",                            \
           (double)figures->stats.rows_flushed)                                                    \
    METRIC(final_panes_total, "counter", "Panes that became final.",                               \
           (double)figures->stats.final_panes)                                                     \
    METRIC(delta_bytes, "gauge", "Rows and marks in memory.", (double)figures->stats.delta_bytes)  \
    METRIC(pane_bytes, "gauge", "Panes in memory.", (double)figures->stats.pane_bytes)             \
    METRIC(orphan_bytes, "gauge", "Orphans in memory.", (double)figures->stats.orphan_bytes)       \
    METRIC(locator_bytes, "gauge", "Hints where stored rows are.",                                 \
           (double)figures->stats.locator_bytes)                                                   \
    METRIC(fetched_bytes, "gauge", "Records in librdkafka, fetched and not yet processed.",        \
           (double)figures->fetched_bytes)                                                         \
    METRIC(memtable_bytes, "gauge", "RocksDB's memtables.", (double)figures->store.memtable_bytes) \
    METRIC(table_reader_bytes, "gauge", "RocksDB's readers of open files, beside the cache.",      \
           (double)figures->store.table_reader_bytes)                                              \
    METRIC(disk_bytes, "gauge", "Store on disk.", (double)figures->store.disk_bytes)               \
    METRIC(disk_files, "gauge", "Files of the store.", (double)figures->store.disk_files)          \
    METRIC(replay_left, "gauge", "Records until live.", (double)figures->stats.replay_left)        \
    METRIC(futures_forgotten_total, "counter",                                                     \
           "Records ahead of the wall clock that were taken, for want of room for the decision.",  \
           (double)figures->stats.futures_forgotten)                                               \
    METRIC(overflows_forgotten_total, "counter",                                                   \
           "Ranges of labels refused for the orphan limit that a rebuild does not know any more.", \
           (double)figures->stats.overflows_forgotten)                                             \
    METRIC(gap_records_total, "counter", "Input deleted before it was read.",                      \
           (double)figures->stats.gap_records)

#define METRIC(name, type, help, expression)                                                       \
    static double value_##name(const struct partition_figures *figures) {                          \
        return expression;                                                                         \
    }
PARTITION_METRICS(METRIC)
#undef METRIC

static void write_refusals(struct board *board, struct metrics_page *page) {
    prometheus_family(page, "slipstream_dead_letters_total", "counter", "Dead letters by reason.");
    for (int i = 0; i < BOARD_PARTITIONS_MAX; i++) {
        for (int j = 1; j < REFUSAL_COUNT && board->partitions[i].partition >= 0; j++) {
            char number[16];
            (void)snprintf(number, sizeof number, "%d", i);
            const struct prometheus_label labels[] = {{"partition", number},
                                                      {"code", refusal_code((enum refusal)j)}};
            if (board->partitions[i].stats.refused[j] > 0)
                prometheus_sample(page, (double)board->partitions[i].stats.refused[j], labels, 2);
        }
    }
}

typedef double worker_value(const struct worker_figures *figures);

static void write_workers(struct board *board, struct metrics_page *page, const char *name,
                          const char *type, const char *help, worker_value *value) {
    prometheus_family(page, name, type, help);
    for (int i = 0; i < board->worker_count; i++) {
        char number[16];
        (void)snprintf(number, sizeof number, "%d", i / 2);
        const struct prometheus_label labels[] = {{"worker", number},
                                                  {"stage", i % 2 ? "task" : "partition"}};
        prometheus_sample(page, value(&board->workers[i]), labels, 2);
    }
}

#define WORKER_METRICS(METRIC)                                                                     \
    METRIC(records_total, "counter", "Records read.", (double)figures->records)                    \
    METRIC(bytes_total, "counter", "Bytes read.", (double)figures->bytes)                          \
    METRIC(commits_total, "counter", "Transactions committed.", (double)figures->commits)          \
    METRIC(aborts_total, "counter", "Transactions aborted.", (double)figures->aborts)              \
    METRIC(unknown_total, "counter", "Commits without an answer.", (double)figures->unknown)       \
    METRIC(fenced_total, "counter", "Producers fenced or beyond repair.", (double)figures->fenced) \
    METRIC(rebalances_total, "counter", "Partitions assigned or revoked.",                         \
           (double)figures->rebalances)                                                            \
    METRIC(partitions_assigned, "gauge", "Partitions that the group gave it.",                     \
           (double)figures->assigned)                                                              \
    METRIC(partitions_live, "gauge", "Of these restored and processing.", (double)figures->live)   \
    METRIC(outbox_bytes, "gauge", "Room for the results of a transaction.",                        \
           (double)figures->outbox_bytes)                                                          \
    METRIC(queued_bytes, "gauge",                                                                  \
           "Results in librdkafka, produced and not yet sent: the most of a second.",              \
           (double)figures->queued_bytes)                                                          \
    METRIC(ready, "gauge", "1 when all that it is assigned is live.", figures->is_ready)

#define METRIC(name, type, help, expression)                                                       \
    static double worker_##name(const struct worker_figures *figures) {                            \
        return expression;                                                                         \
    }
WORKER_METRICS(METRIC)
#undef METRIC

typedef double task_value(const struct task_figures *figures);

static void write_tasks(struct board *board, struct metrics_page *page, const char *name,
                        const char *type, const char *help, task_value *value) {
    prometheus_family(page, name, type, help);
    for (int i = 0; i < BOARD_PARTITIONS_MAX; i++) {
        char number[16];
        if (board->tasks[i].partition < 0)
            continue;
        (void)snprintf(number, sizeof number, "%d", i);
        const struct prometheus_label label = {"partition", number};
        write_known(page, value(&board->tasks[i]), &label);
    }
}

#define TASK_METRICS(METRIC)                                                                       \
    METRIC(live, "gauge", "1 when restored and publishing.", figures->live)                        \
    METRIC(lag, "gauge", "Records until the end of partials.", lag_of(figures->lag))               \
    METRIC(partials_total, "counter", "Partials read.", (double)figures->stats.partials)           \
    METRIC(malformed_total, "counter", "Partials that do not parse.",                              \
           (double)figures->stats.malformed)                                                       \
    METRIC(conflicts_total, "counter", "Partials of one version with other bytes.",                \
           (double)figures->stats.conflicts)                                                       \
    METRIC(published_total, "counter", "SLI records published.", (double)figures->stats.published) \
    METRIC(finals_total, "counter", "FINAL SLI records published.", (double)figures->stats.finals) \
    METRIC(windows_waiting, "gauge", "Windows changed and not yet published.",                     \
           (double)figures->stats.windows_waiting)                                                 \
    METRIC(bytes, "gauge", "Partials, panes and windows in memory.", (double)figures->stats.bytes) \
    METRIC(sum_bytes, "gauge", "Of them sums of windows, kept between publications.",              \
           (double)figures->stats.sum_bytes)                                                       \
    METRIC(fetched_bytes, "gauge", "Partials in librdkafka, fetched and not yet processed.",       \
           (double)figures->fetched_bytes)                                                         \
    METRIC(memtable_bytes, "gauge", "RocksDB's memtables.", (double)figures->store.memtable_bytes) \
    METRIC(table_reader_bytes, "gauge", "RocksDB's readers of open files, beside the cache.",      \
           (double)figures->store.table_reader_bytes)                                              \
    METRIC(disk_bytes, "gauge", "Store on disk.", (double)figures->store.disk_bytes)               \
    METRIC(disk_files, "gauge", "Files of the store.", (double)figures->store.disk_files)          \
    METRIC(panes, "gauge", "Panes that an open window covers.", (double)figures->stats.panes)      \
    METRIC(evicted_panes, "gauge", "Of them those whose partials are on disk only.",               \
           (double)figures->stats.evicted)                                                         \
    METRIC(fetched_panes_total, "counter", "Evicted panes that were read again.",                  \
           (double)figures->stats.fetched)                                                         \
    METRIC(watermark_seconds, "gauge", "Panes before it are sealed everywhere.",                   \
           seconds_of(figures->stats.sealed_before_ms))                                            \
    METRIC(final_seconds, "gauge", "Panes before it are final everywhere.",                        \
           seconds_of(figures->stats.final_before_ms))

#define METRIC(name, type, help, expression)                                                       \
    static double task_##name(const struct task_figures *figures) {                                \
        return expression;                                                                         \
    }
TASK_METRICS(METRIC)
#undef METRIC

static void write_cache(const struct store_cache *cache, struct metrics_page *page) {
    uint64_t bytes, bytes_max;
    store_cache_usage(cache, &bytes, &bytes_max);
    prometheus_single(page, "slipstream_store_cache_bytes", "gauge",
                      "RocksDB's cache of all stores: blocks, indices, filters.", (double)bytes);
    prometheus_single(page, "slipstream_store_cache_max_bytes", "gauge",
                      "What this cache may hold.", (double)bytes_max);
}

void board_write(struct board *board, const struct store_cache *cache, struct metrics_page *page) {
    if (cache)
        write_cache(cache, page);
    (void)pthread_mutex_lock(&board->lock);
#define METRIC(name, type, help, expression)                                                       \
    write_partitions(board, page, "slipstream_partition_" #name, type, help, value_##name);
    PARTITION_METRICS(METRIC)
#undef METRIC
    write_refusals(board, page);
#define METRIC(name, type, help, expression)                                                       \
    write_workers(board, page, "slipstream_worker_" #name, type, help, worker_##name);
    WORKER_METRICS(METRIC)
#undef METRIC
#define METRIC(name, type, help, expression)                                                       \
    write_tasks(board, page, "slipstream_task_" #name, type, help, task_##name);
    TASK_METRICS(METRIC)
#undef METRIC
    (void)pthread_mutex_unlock(&board->lock);
}
