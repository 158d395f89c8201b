/* world_config.c -- the seeded configuration of a world: topics, limits, tasks, epochs.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "metrics/metric.h"
#include "tests/sim/world.h"

enum { SECOND = 1000, MINUTE = 60 * SECOND };

static void make_columns(struct world *world) {
    static const char *const predictions[] = {"$.id",   "$.event_time", "$.score",
                                              "$.zone", "$.vendor",     "$.kind"};
    static const char *const feedback[] = {"$.id", "$.label_time", "$.label", "$.prediction_time",
                                           "$.kind"};
    for (size_t i = 0; i < COUNT_OF(predictions); i++)
        world->prediction_columns[i] = (struct column_definition){predictions[i], i == COLUMN_TIME};
    for (size_t i = 0; i < COUNT_OF(feedback); i++)
        world->feedback_columns[i] = (struct column_definition){
            feedback[i], i == COLUMN_TIME || i == COLUMN_PREDICTION_TIME};
}

static void make_windows(struct random *random, struct task_definition *task) {
    static const int64_t sizes[] = {1, 2, 5};
    int64_t tumbling = RANDOM_OF(random, sizes) * MINUTE;
    int64_t slide = random_between(random, 1, 3) * MINUTE;
    const struct window_definition windows[] = {
        {"tumbling", WINDOW_TUMBLING, tumbling, tumbling, 0},
        {"hopping", WINDOW_HOPPING, slide * random_between(random, 2, 3), slide, MINUTE},
        {"cumulative", WINDOW_CUMULATIVE, slide * random_between(random, 2, 4), slide, 0},
    };
    task->window_count = 1;
    task->windows[0] = windows[0];
    for (size_t i = 1; i < COUNT_OF(windows); i++)
        if (random_chance(random, .4))
            task->windows[task->window_count++] = windows[i];
}

static void make_groupings(struct random *random, struct task_definition *task) {
    const struct grouping_definition groupings[] = {
        {"zone", {COLUMN_ZONE}, 1},
        {"vendor", {COLUMN_VENDOR}, 1},
        {"zone,vendor", {COLUMN_ZONE, COLUMN_VENDOR}, 2},
    };
    for (size_t i = 0; i < COUNT_OF(groupings); i++)
        if (random_chance(random, .4))
            task->groupings[task->grouping_count++] = groupings[i];
    task->groups_max = (uint32_t)random_between(random, 1, 9);
}

static void make_metrics(struct task_definition *task) {
    static const char *const names[] = {"accuracy", "precision", "recall", "brier", "log_loss"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        const struct metric *metric = metric_find(slice_from(names[i]));
        if (metric)
            task->metrics[task->metric_count++] =
                (struct metric_use){metric, names[i], metric->parameter};
    }
}

static void make_task(struct world *world, struct task_definition *task, const char *name) {
    static const int64_t horizons[] = {10, 20, 30}, segments[] = {1, 2, 5};
    static const double thresholds[] = {.5, .3};
    struct random *random = &world->random;
    *task = (struct task_definition){
        .name = name,
        .kind = TASK_BINARY,
        .horizon_ms = RANDOM_OF(random, horizons) * MINUTE,
        .pane_ms = MINUTE,
        .segment_ms = RANDOM_OF(random, segments) * MINUTE,
        .threshold = RANDOM_OF(random, thresholds),
        .level = .95,
        .cell_count = 256,
        .score_column = COLUMN_SCORE,
        .output_column = -1,
        .label_column = COLUMN_LABEL,
        .where_column = -1,
        .feedback_where_column = -1,
        .fingerprint = random_bits(random),
        .canonical = name,
        .epoch = 1,
    };
    make_windows(random, task);
    make_groupings(random, task);
    make_metrics(task);
}

static void make_tasks(struct world *world) {
    struct random *random = &world->random;
    make_task(world, &world->tasks[0], "fraud");
    world->config.tasks = world->tasks;
    world->config.task_count = 1;
    if (random_chance(random, .1))
        world->tasks[0].effective_from_ms =
            world->start_ms + random_between(random, 1, 20) * MINUTE;
    if (random_chance(random, .5))
        return;
    struct task_definition *task = &world->tasks[world->config.task_count++];
    make_task(world, task, "churn");
    if (random_chance(random, .5)) {
        task->where_column = COLUMN_KIND;
        task->where_value = SLICE("a");
    }
    if (random_chance(random, .3)) {
        task->feedback_where_column = COLUMN_FEEDBACK_KIND;
        task->feedback_where_value = SLICE("a");
    }
}

/* A later definition of the first task: another horizon, threshold and segment. */
static void make_epoch(struct world *world) {
    struct random *random = &world->random;
    struct task_definition *newest = &world->tasks[0];
    memcpy(world->first_tasks, world->tasks, sizeof world->tasks);
    world->first_config = world->config;
    world->first_config.tasks = world->first_tasks;
    world->tasks[world->config.task_count++] = *newest;
    struct task_definition other;
    make_task(world, &other, newest->name);
    newest->horizon_ms = other.horizon_ms;
    newest->threshold = other.threshold;
    newest->segment_ms = other.segment_ms;
    newest->groups_max = other.groups_max;
    newest->fingerprint = other.fingerprint;
    newest->epoch = 2;
    newest->effective_from_ms += random_between(random, 0, 60 * MINUTE);
    if (newest->effective_from_ms < world->start_ms)
        newest->effective_from_ms += world->start_ms;
}

static void make_topics(struct world *world) {
    static const int64_t disorders[] = {2, 5, 10}, feedback_disorders[] = {1, 5, 20};
    struct config *config = &world->config;
    struct random *random = &world->random;
    int64_t span = world->end_ms - world->start_ms;
    int64_t disorder = RANDOM_OF(random, disorders) * MINUTE;
    int64_t feedback_disorder = RANDOM_OF(random, feedback_disorders) * MINUTE;
    config->predictions = (struct topic_definition){
        .topic = "predictions",
        .columns = world->prediction_columns,
        .column_count = PREDICTION_COLUMNS,
        .id_column = COLUMN_ID,
        .time_column = COLUMN_TIME,
        .prediction_time_column = -1,
        .disorder_max_ms = world->is_shuffled ? span : disorder,
    };
    config->feedback = (struct topic_definition){
        .topic = "feedback",
        .columns = world->feedback_columns,
        .column_count = FEEDBACK_COLUMNS,
        .id_column = COLUMN_ID,
        .time_column = COLUMN_TIME,
        .prediction_time_column = COLUMN_PREDICTION_TIME,
        .disorder_max_ms = world->is_shuffled ? 2 * span : feedback_disorder,
    };
}

static void make_limits(struct world *world) {
    static const int64_t skews[] = {0, 5 * SECOND, MINUTE}, rows[] = {1, 8, 32, 100000},
                         bytes[] = {1, 600, 1 << 20}, idle[] = {0, 3, 10};
    struct config *config = &world->config;
    struct random *random = &world->random;
    config->application = "sim";
    config->skew_ms = RANDOM_OF(random, skews);
    config->disorder_ms = RANDOM_OF(random, skews);
    config->idle_timeout_ms = RANDOM_OF(random, idle) * MINUTE;
    if (world->gap_ms)
        config->idle_timeout_ms = 3 * MINUTE;
    config->idle_advance = config->idle_timeout_ms ? IDLE_BY_WALL : IDLE_NONE;
    config->commit_interval_ms = 500;
    config->revision_interval_ms = 10 * SECOND;
    config->commit_bytes = (size_t)RANDOM_OF(random, bytes);
    config->orphans_max = world->has_orphan_limit ? 3 : 100000;
    config->delta_rows_max = (size_t)RANDOM_OF(random, rows);
    config->flush_interval_ms = 5 * MINUTE;
    static const int64_t delta_bytes[] = {1, 2000, 10000, 12 << 20},
                         locator_bytes[] = {0, 1000, 2000, 1 << 20};
    config->delta_bytes_max = (size_t)RANDOM_OF(random, delta_bytes);
    config->locator_bytes_max = (size_t)RANDOM_OF(random, locator_bytes);
    static const int64_t pane_bytes[] = {1, 2000, 10000, 64 << 20};
    config->pane_bytes_max = (size_t)RANDOM_OF(random, pane_bytes);
    config->task_bytes_max =
        random_chance(random, .5) ? (size_t)random_between(random, 1, 3000) : 0;
    config->record_bytes_max = 1 << 20;
    config->dead_letter_bytes_max = 900000;
    config->memory_bytes_max = 64 << 20;
    config->workers = 2;
    config->partials_partitions = world->queues;
    config->slis_topic = "slis";
    config->dead_letters_topic = "dead-letters";
    config->partials_topic = "partials";
    config->checkpoints_topic = "checkpoints";
    config->state_topic = "state";
    config->tasks_topic = "tasks";
}

void world_configure(struct world *world) {
    make_columns(world);
    make_topics(world);
    make_limits(world);
    make_tasks(world);
    if (random_chance(&world->random, .2))
        make_epoch(world);
}
