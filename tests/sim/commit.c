/* commit.c -- one transaction of one worker and stage, with everything that can go wrong in it.
 *
 *     gather -> produce -> add offsets -> end -> committed (flush)
 *           crash      crash         stall  crash, abort, unknown (either truth)     crash at a
 * write
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "tests/sim/worker.h"

enum ending { ENDING_COMMITTED, ENDING_ABORTED, ENDING_FENCED };

static int producer_of(const struct worker *worker, enum stage stage) {
    return worker->number * STAGES + (int)stage;
}

static bool trouble(struct cluster *cluster, double probability) {
    return cluster->has_faults && random_chance(&cluster->random, probability);
}

/* The process dies here. */
static bool dies(struct cluster *cluster) {
    return trouble(cluster, .01);
}

void worker_close(struct worker *worker, enum stage stage) {
    for (int i = 0; i < PARTITIONS_MAX; i++)
        slot_close(&worker->slots[stage][i]);
    outbox_reset(&worker->outboxes[stage]);
    worker->is_stalled[stage] = false;
}

/* ---- gather ---- */

static bool gather_slot(struct cluster *cluster, struct worker *worker, enum stage stage,
                        struct slot *slot, bool drain) {
    struct error err = {0};
    struct outbox *outbox = &worker->outboxes[stage];
    size_t before = outbox->count;
    if (stage == STAGE_PARTITION)
        partition_set_behind(slot->partition, cluster->now_ms / 1000 % 3 == 0);
    enum status status =
        stage == STAGE_PARTITION
            ? partition_commit(slot->partition, cluster->now_ms, drain, outbox, &err)
            : task_commit(slot->task, cluster->now_ms, drain, outbox, &err);
    if (!slot_survives(cluster, slot, status, &err, "commit"))
        return false;
    slot->is_clean = drain && outbox->count == before;
    if (stage == STAGE_PARTITION && slot->has_stepped && outbox->count == before)
        cluster_fail(cluster, "records were stepped, and the commit carries no checkpoint");
    slot->has_stepped = slot->has_stepped || outbox->count > before;
    return true;
}

static bool gather(struct cluster *cluster, struct worker *worker, enum stage stage, bool drain) {
    for (int i = 0; i < cluster_partitions(cluster, stage); i++) {
        struct slot *slot = &worker->slots[stage][i];
        if (slot->is_open && slot_is_live(slot, stage) &&
            !gather_slot(cluster, worker, stage, slot, drain))
            return false;
    }
    return true;
}

static void count_messages(struct cluster *cluster, const struct outbox *outbox) {
    for (size_t i = 0; i < outbox->count; i++) {
        cluster->counts->slis += outbox->messages[i].topic == TOPIC_SLIS;
        cluster->counts->partials += outbox->messages[i].topic == TOPIC_PARTIALS;
    }
}

/* ---- offsets ---- */

static bool add_slot(struct cluster *cluster, struct worker *worker, enum stage stage, int number) {
    struct slot *slot = &worker->slots[stage][number];
    struct offsets offsets = {stage, number, {0, 0}};
    for (int log = 0; log < LOG_COUNT; log++)
        offsets.positions[log] = slot_position(slot, stage, (enum log_side)log);
    int producer = producer_of(worker, stage);
    if (!broker_add_offsets(&cluster->broker, producer, worker->epochs[stage],
                            worker->generations[stage], &offsets))
        return false;
    for (size_t i = 0; i < slot->decision_count; i++)
        broker_add_decision(&cluster->broker, producer, &slot->decisions[i]);
    return true;
}

static bool add_offsets(struct cluster *cluster, struct worker *worker, enum stage stage) {
    for (int i = 0; i < cluster_partitions(cluster, stage); i++) {
        struct slot *slot = &worker->slots[stage][i];
        if (slot->is_open && slot->has_stepped && slot_is_live(slot, stage) &&
            !add_slot(cluster, worker, stage, i))
            return false;
    }
    return true;
}

/* ---- end ---- */

/* What the broker makes of it; what the worker learns may be less. */
static enum ending end(struct cluster *cluster, struct worker *worker, enum stage stage,
                       bool *out_is_known) {
    *out_is_known = !trouble(cluster, .04);
    bool aborts = trouble(cluster, *out_is_known ? .03 : .5);
    if (!broker_end(&cluster->broker, producer_of(worker, stage), worker->epochs[stage], !aborts))
        return ENDING_FENCED;
    return aborts ? ENDING_ABORTED : ENDING_COMMITTED;
}

static bool committed_slot(struct cluster *cluster, enum stage stage, struct slot *slot) {
    struct error err = {0};
    bool force = trouble(cluster, .1);
    if (slot->faults.crash_at < 0 && trouble(cluster, .05))
        slot->faults.crash_at = slot->faults.writes + random_between(&cluster->random, 0, 14);
    enum status status = stage == STAGE_PARTITION
                             ? partition_committed(slot->partition, cluster->now_ms, force, &err)
                             : task_committed(slot->task, cluster->now_ms, force, &err);
    bool survived = slot_survives(cluster, slot, status, &err, "committed");
    cluster->counts->crashes_in_flush += !survived;
    slot->has_stepped = false;
    slot->decision_count = 0;
    return survived;
}

static bool committed(struct cluster *cluster, struct worker *worker, enum stage stage) {
    outbox_reset(&worker->outboxes[stage]);
    for (int i = 0; i < cluster_partitions(cluster, stage); i++) {
        struct slot *slot = &worker->slots[stage][i];
        if (slot->is_open && slot_is_live(slot, stage) && !committed_slot(cluster, stage, slot))
            return false;
    }
    return true;
}

static void fenced(struct cluster *cluster, struct worker *worker, enum stage stage) {
    cluster->counts->zombies_fenced++;
    worker_close(worker, stage);
    worker->epochs[stage] = broker_producer_create(&cluster->broker, producer_of(worker, stage));
    worker->is_zombie[stage] = false;
    worker->generations[stage] = cluster->broker.generations[stage];
    for (int i = 0; i < PARTITIONS_MAX; i++)
        worker->slots[stage][i].is_owned = cluster->owners[stage][i] == worker->number;
}

bool worker_resume(struct cluster *cluster, struct worker *worker, enum stage stage) {
    bool is_known = true;
    worker->is_stalled[stage] = false;
    enum ending ending = end(cluster, worker, stage, &is_known);
    if (dies(cluster))
        return false;
    if (ending == ENDING_FENCED) {
        fenced(cluster, worker, stage);
        return true;
    }
    cluster->counts->commits += ending == ENDING_COMMITTED;
    if (!is_known) {
        *(ending == ENDING_COMMITTED ? &cluster->counts->unknown_committed
                                     : &cluster->counts->unknown_aborted) += 1;
        worker_close(worker, stage);
        worker->epochs[stage] =
            broker_producer_create(&cluster->broker, producer_of(worker, stage));
        return true;
    }
    cluster->counts->aborts += ending == ENDING_ABORTED;
    if (ending == ENDING_COMMITTED || cluster->skips_aborts)
        return committed(cluster, worker, stage);
    worker_close(worker, stage);
    return true;
}

bool worker_commit(struct cluster *cluster, struct worker *worker, enum stage stage, bool drain) {
    struct outbox *outbox = &worker->outboxes[stage];
    if (!gather(cluster, worker, stage, drain) || dies(cluster))
        return false;
    if (outbox->count == 0) {
        cluster->counts->empty_commits++;
        return true;
    }
    count_messages(cluster, outbox);
    bool is_mine =
        broker_produce(&cluster->broker, producer_of(worker, stage), worker->epochs[stage], outbox);
    if (dies(cluster))
        return false;
    if (!is_mine || !add_offsets(cluster, worker, stage)) {
        fenced(cluster, worker, stage);
        return true;
    }
    if (dies(cluster))
        return false;
    if (trouble(cluster, .02)) {
        cluster->counts->stalls++;
        worker->is_stalled[stage] = true;
        return true;
    }
    return worker_resume(cluster, worker, stage);
}
