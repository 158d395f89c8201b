/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "tests/sim/worker.h"

enum { SECOND = 1000, MINUTE = 60 * SECOND, TURNS_MAX = 60000, CALM_TURNS = 400 };

static int producer_of(int worker, enum stage stage) {
    return worker * STAGES + (int)stage;
}

void cluster_create(struct cluster *cluster, const struct world *world, uint64_t seed,
                    bool has_faults, struct sim_counts *counts) {
    *cluster = (struct cluster){
        .world = world,
        .config = world->switch_ms ? &world->first_config : &world->config,
        .random = {seed ^ UINT64_C(0x5bd1e995)},
        .worker_count = has_faults ? WORKERS : 1,
        .now_ms =
            world->is_backlog ? world->last_append_ms + 10 * (int64_t)MINUTE : world->start_ms,
        .has_faults = has_faults,
        .counts = counts,
    };
    broker_init(&cluster->broker, world->partitions, world->queues);
    for (int w = 0; w < cluster->worker_count; w++) {
        struct worker *worker = &cluster->workers[w];
        worker->number = w;
        for (int stage = 0; stage < STAGES; stage++) {
            outbox_init(&worker->outboxes[stage]);
            worker->epochs[stage] =
                broker_producer_create(&cluster->broker, producer_of(w, (enum stage)stage));
            for (int i = 0; i < PARTITIONS_MAX; i++) {
                cluster->owners[stage][i] = i % cluster->worker_count;
                worker->slots[stage][i].is_owned = i % cluster->worker_count == w;
                slot_close(&worker->slots[stage][i]);
            }
        }
    }
}

void cluster_destroy(struct cluster *cluster) {
    for (int w = 0; w < cluster->worker_count; w++) {
        struct worker *worker = &cluster->workers[w];
        for (int stage = 0; stage < STAGES; stage++) {
            worker_close(worker, (enum stage)stage);
            outbox_release(&worker->outboxes[stage]);
            for (int i = 0; i < PARTITIONS_MAX; i++)
                if (worker->slots[stage][i].disk)
                    memory_disk_destroy(worker->slots[stage][i].disk);
        }
    }
    broker_release(&cluster->broker);
}

/* ---- what goes wrong from outside ---- */

/* Just after the logs were idle for long a rebuild begins in the middle of the backfill: when most
 * can be got wrong. */
static bool is_storm(const struct cluster *cluster) {
    int64_t since_ms = cluster->now_ms - cluster->world->backfill_ms;
    return cluster->world->gap_ms && since_ms >= 0 && since_ms < 12 * (int64_t)MINUTE;
}

/* The group's assignment.  Whoever has missed one may have lost partitions in between and got them
 * back: all that it holds is stale.  What is not committed is given up. */
static void learn(struct cluster *cluster, struct worker *worker, enum stage stage) {
    bool has_missed = cluster->broker.generations[stage] > worker->generations[stage] + 1;
    if (has_missed || worker->outboxes[stage].count > 0)
        worker_close(worker, stage);
    worker->is_zombie[stage] = false;
    worker->generations[stage] = cluster->broker.generations[stage];
    for (int i = 0; i < PARTITIONS_MAX; i++) {
        struct slot *slot = &worker->slots[stage][i];
        slot->is_owned = cluster->owners[stage][i] == worker->number;
        if (!slot->is_owned)
            slot_close(slot);
    }
}

/* The process is gone: memory, open transactions, sometimes its disks.  It starts again at once. */
static void crash(struct cluster *cluster, struct worker *worker) {
    cluster->counts->crashes++;
    bool loses_disks = random_chance(&cluster->random, is_storm(cluster) ? .6 : .2);
    for (int stage = 0; stage < STAGES; stage++) {
        worker_close(worker, (enum stage)stage);
        worker->epochs[stage] = broker_producer_create(
            &cluster->broker, producer_of(worker->number, (enum stage)stage));
        learn(cluster, worker, (enum stage)stage);
        for (int i = 0; i < PARTITIONS_MAX && loses_disks; i++) {
            struct slot *slot = &worker->slots[stage][i];
            if (!slot->disk)
                continue;
            memory_disk_destroy(slot->disk);
            slot->disk = NULL;
            cluster->counts->disks_lost++;
        }
    }
}

/* A new definition: every worker starts again with it. */
static void switch_config(struct cluster *cluster) {
    cluster->config = &cluster->world->config;
    cluster->counts->epochs++;
    for (int w = 0; w < cluster->worker_count; w++) {
        struct worker *worker = &cluster->workers[w];
        for (int stage = 0; stage < STAGES; stage++) {
            worker_close(worker, (enum stage)stage);
            worker->epochs[stage] =
                broker_producer_create(&cluster->broker, producer_of(w, (enum stage)stage));
            learn(cluster, worker, (enum stage)stage);
        }
    }
}

/* A revoke commits or aborts before it returns; a zombie does not hear of it. */
static bool hears(struct cluster *cluster, struct worker *worker, enum stage stage) {
    worker->is_zombie[stage] = true;
    if (worker->is_stalled[stage] || random_chance(&cluster->random, .3))
        return true;
    learn(cluster, worker, stage);
    return true;
}

/* Before the generation changes, a worker that is told to give up partitions may commit them. */
static bool revoke(struct cluster *cluster, struct worker *worker, enum stage stage) {
    if (worker->is_stalled[stage] || worker->is_zombie[stage])
        return true;
    if (random_chance(&cluster->random, .5))
        return worker_commit(cluster, worker, stage, random_chance(&cluster->random, .5));
    worker_close(worker, stage);
    return true;
}

static void rebalance(struct cluster *cluster) {
    enum stage stage = (enum stage)random_below(&cluster->random, STAGES);
    for (int w = 0; w < cluster->worker_count; w++)
        if (random_chance(&cluster->random, .6) && !revoke(cluster, &cluster->workers[w], stage))
            crash(cluster, &cluster->workers[w]);
    for (int i = 0; i < cluster_partitions(cluster, stage); i++) {
        int owner = (int)random_below(&cluster->random, WORKERS);
        cluster->counts->moves += owner != cluster->owners[stage][i];
        cluster->owners[stage][i] = owner;
    }
    cluster->broker.generations[stage]++;
    for (int w = 0; w < cluster->worker_count; w++)
        hears(cluster, &cluster->workers[w], stage);
}

/* A reader that restores stage 2 reads to the end that it saw at its opening faster than compaction
 * (min.compaction.lag.ms) takes away for what came behind that end. */
static void compact(struct cluster *cluster) {
    int64_t young_from[QUEUES_MAX] = {INT64_MAX, INT64_MAX, INT64_MAX};
    for (int w = 0; w < cluster->worker_count; w++)
        for (int i = 0; i < QUEUES_MAX; i++) {
            const struct slot *slot = &cluster->workers[w].slots[STAGE_TASK][i];
            if (slot->is_open && !slot_is_live(slot, STAGE_TASK) && slot->ready_at < young_from[i])
                young_from[i] = slot->ready_at;
        }
    broker_compact(&cluster->broker, young_from, &cluster->random);
}

/* ---- turns ---- */

/* A transaction that stands still goes on, or is ended by the broker's timeout. */
static bool turn_stalled(struct cluster *cluster, struct worker *worker, enum stage stage) {
    if (random_chance(&cluster->random, .6))
        return true;
    if (random_chance(&cluster->random, .3))
        broker_producer_create(&cluster->broker, producer_of(worker->number, stage));
    return worker_resume(cluster, worker, stage);
}

static bool turn(struct cluster *cluster, struct worker *worker, enum stage stage) {
    if (worker->is_stalled[stage])
        return turn_stalled(cluster, worker, stage);
    if (worker->is_zombie[stage] && random_chance(&cluster->random, .1))
        learn(cluster, worker, stage);
    for (int i = 0; i < cluster_partitions(cluster, stage); i++)
        if (worker->slots[stage][i].is_owned && random_chance(&cluster->random, .7) &&
            !slot_turn(cluster, worker, stage, i))
            return false;
    if (!random_chance(&cluster->random, .35))
        return true;
    bool drain = random_chance(&cluster->random, cluster->is_closing ? .6 : .1);
    return worker_commit(cluster, worker, stage, drain);
}

/* Wall time; logs that wait are worth a longer step than logs that are there already. */
static void pass_time(struct cluster *cluster) {
    bool is_live = cluster->now_ms < cluster->world->last_append_ms + 4 * (int64_t)MINUTE;
    cluster->now_ms +=
        random_between(&cluster->random, 0, is_live && !is_storm(cluster) ? MINUTE : 10 * SECOND);
}

static bool is_read(const struct cluster *cluster) {
    if (cluster->now_ms < cluster->world->last_append_ms + 4 * (int64_t)MINUTE)
        return false;
    for (int i = 0; i < cluster->world->partitions; i++)
        for (int log = 0; log < LOG_COUNT; log++) {
            const struct input_log *input = &cluster->world->logs[i][log];
            int64_t last = input->count ? input->records[input->count - 1].offset : -1;
            if (cluster->broker.committed[STAGE_PARTITION][i].positions[log] <= last)
                return false;
        }
    return true;
}

static bool is_slot_done(const struct cluster *cluster, enum stage stage, int number) {
    const struct worker *worker = &cluster->workers[cluster->owners[stage][number]];
    const struct slot *slot = &worker->slots[stage][number];
    if (worker->is_zombie[stage] || worker->is_stalled[stage] || !slot->is_open ||
        !slot_is_live(slot, stage) || !slot->is_clean)
        return false;
    if (stage == STAGE_PARTITION)
        return partition_control_offset(slot->partition) == CONTROL_OFFSET;
    return task_position(slot->task) == cluster->broker.logs[TOPIC_PARTIALS][number].end;
}

static bool is_done(const struct cluster *cluster) {
    for (int stage = 0; stage < STAGES; stage++)
        for (int i = 0; i < cluster_partitions(cluster, (enum stage)stage); i++)
            if (!is_slot_done(cluster, (enum stage)stage, i))
                return false;
    return cluster->is_closing && cluster->config == &cluster->world->config;
}

bool cluster_run(struct cluster *cluster) {
    int64_t closing = 0;
    for (int64_t i = 0; i < TURNS_MAX && !cluster->failure[0]; i++) {
        struct worker *worker =
            &cluster->workers[random_below(&cluster->random, (size_t)cluster->worker_count)];
        enum stage stage = (enum stage)random_below(&cluster->random, STAGES);
        if (!turn(cluster, worker, stage) && !cluster->failure[0])
            crash(cluster, worker);
        double worse = is_storm(cluster) ? 8 : 1;
        if (cluster->has_faults && random_chance(&cluster->random, .005 * worse))
            crash(cluster, worker);
        if (cluster->has_faults && random_chance(&cluster->random, .02 * worse))
            rebalance(cluster);
        if (cluster->has_faults && random_chance(&cluster->random, .02))
            compact(cluster);
        pass_time(cluster);
        if (cluster->config != &cluster->world->config &&
            cluster->now_ms >= cluster->world->switch_ms)
            switch_config(cluster);
        cluster->is_closing = cluster->is_closing || is_read(cluster);
        if (cluster->is_closing && ++closing == CALM_TURNS)
            cluster->has_faults = false; /* let it come to its end */
        if (is_done(cluster)) {
            cluster->counts->compacted += cluster->broker.compacted;
            return true;
        }
    }
    cluster_fail(cluster, "it did not come to its end in %d turns", TURNS_MAX);
    return false;
}
