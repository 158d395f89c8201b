/* commit.c -- what a transaction must carry: partials, clocks, checkpoint.
 *
 * Dirty partials travel hottest first; past commit_bytes the coldest wait, at most
 * revision_interval; behind, all of them do.  The clock lets stage 2 finish panes, so that partials
 * of panes that became sealed or final never wait. SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "partial.h"
#include "partition/internal.h"
#include "state/mutation.h"

enum { WAITING_BYTES = 1024 }; /* of an entry that waits, packed: about */

struct budget {
    size_t left;
    int64_t now_ms;
    bool drain;
};

static void send_partial(struct partition *partition, const struct instance *instance,
                         const struct pane *pane, const struct pane_entry *entry,
                         struct outbox *outbox) {
    struct buffer *key = &partition->scratch, *value = &partition->scratch2;
    struct partial partial = {.key = {PARTIAL_COUNTS, slice_from(instance->task->name),
                                      instance->definition->epoch,
                                      slice_from(groups_name(&instance->groups, entry->group)),
                                      pane->start_ms, partition->number},
                              .pane_end_ms = pane->start_ms + instance->definition->pane_ms,
                              .version_predictions = entry->version[LOG_PREDICTIONS],
                              .version_labels = entry->version[LOG_FEEDBACK],
                              .late = pane_entry_late(pane, entry)};
    buffer_reset(key);
    buffer_reset(value);
    partial_write_key(&partial.key, key);
    partial_write(&partial, value);
    entry_write(entry, value);
    outbox_add(outbox,
               &(struct message){.topic = TOPIC_PARTIALS,
                                 .partition = partial_partition(
                                     partial.key.task, partition->config->partials_partitions),
                                 .key = buffer_slice(key),
                                 .value = buffer_slice(value)});
}

static size_t dirty_entries(const struct partition *partition) {
    size_t count = 0;
    for (size_t i = 0; i < partition->instance_count; i++)
        for (size_t j = 0; j < partition->instances[i].panes.count; j++)
            count += partition->instances[i].panes.sorted[j]->dirty_count;
    return count;
}

/* What waits cannot leave memory, but for its tables. */
static size_t budget_bytes(const struct partition *partition, size_t dirty) {
    size_t most = partition->config->pane_bytes_max / 2 / WAITING_BYTES;
    return partition->behind && dirty <= most ? 0 : partition->config->commit_bytes;
}

static bool waited_enough(const struct partition *partition, struct pane_entry *entry,
                          const struct budget *budget) {
    if (entry->dirty_since_ms == 0)
        entry->dirty_since_ms = budget->now_ms;
    return budget->now_ms - entry->dirty_since_ms >= partition->config->revision_interval_ms;
}

static enum status send_pane(struct partition *partition, struct instance *instance,
                             struct pane *pane, bool must, struct budget *budget,
                             struct outbox *outbox, struct error *err) {
    for (size_t i = 0; i < pane->count && pane->dirty_count > 0; i++) {
        struct pane_entry *entry = &pane->entries[i];
        if (!entry->dirty ||
            (!must && budget->left == 0 && !waited_enough(partition, entry, budget)))
            continue;
        TRY(panes_entry(&instance->panes, pane, entry->group, partition->store, &entry, err));
        if (pane->sealed) /* it is read no more than once a label */
            entry_pack_small(&instance->panes.pool, entry);
        size_t before = outbox->bytes;
        send_partial(partition, instance, pane, entry, outbox);
        size_t sent = outbox->bytes - before;
        budget->left -= sent < budget->left ? sent : budget->left;
        entry->dirty = false;
        entry->dirty_since_ms = 0;
        entry->unstored = true;
        pane->dirty_count--;
    }
    return STATUS_OK;
}

static bool must_travel(const struct instance *instance, const struct pane *pane, int64_t final_ms,
                        const struct budget *budget) {
    int64_t end_ms = pane->start_ms + instance->definition->pane_ms;
    if (mutation == MUTATION_CLOCK_BEFORE_PARTIAL)
        return budget->drain;
    return budget->drain || end_ms <= final_ms ||
           (end_ms <= instance->sealed_before_ms && end_ms > instance->sent_sealed_ms);
}

/* A clock speaks for all older epochs of its task: a reader may meet it before theirs, for
 * compaction keeps the last of each only. */
static int64_t final_for_all(const struct partition *partition, const struct instance *instance,
                             int64_t final_ms) {
    const struct instance *at = &partition->instances[instance->task->first_instance];
    for (; at < instance; at++) {
        int64_t older_ms = final_before(partition, at, partition->clocks);
        if (older_ms < at->until_ms && older_ms < final_ms)
            final_ms = older_ms;
    }
    return final_ms;
}

static void send_clock(struct partition *partition, struct instance *instance, int64_t final_ms,
                       struct outbox *outbox) {
    struct buffer *key = &partition->scratch, *value = &partition->scratch2;
    const struct clock_partial clock = {
        .key = {PARTIAL_CLOCK, slice_from(instance->task->name), instance->definition->epoch,
                SLICE(""), 0, partition->number},
        .from_ms = instance->from_ms,
        .until_ms = instance->until_ms,
        .sealed_before_ms = instance->sealed_before_ms,
        .final_before_ms = final_for_all(partition, instance, final_ms),
        .prediction_clock_ms = partition->clocks[LOG_PREDICTIONS],
        .feedback_clock_ms = partition->clocks[LOG_FEEDBACK],
        .position_predictions = partition->positions[LOG_PREDICTIONS],
        .position_feedback = partition->positions[LOG_FEEDBACK]};
    buffer_reset(key);
    buffer_reset(value);
    partial_write_key(&clock.key, key);
    clock_partial_write(&clock, value);
    outbox_add(outbox,
               &(struct message){.topic = TOPIC_PARTIALS,
                                 .partition = partial_partition(
                                     clock.key.task, partition->config->partials_partitions),
                                 .key = buffer_slice(key),
                                 .value = buffer_slice(value)});
    instance->sent_sealed_ms = instance->sealed_before_ms;
}

/* Final panes leave once they have been sent. */
static void retire(struct partition *partition, struct instance *instance, int64_t final_ms) {
    size_t count = 0;
    for (; count < instance->panes.count; count++) {
        const struct pane *pane = instance->panes.sorted[count];
        if (pane->start_ms + instance->definition->pane_ms > final_ms || pane->dirty_count > 0)
            break;
    }
    window_remove(partition, instance, count);
    partition->counters.final_panes += (int64_t)count;
}

static enum status send_instance(struct partition *partition, struct instance *instance,
                                 struct budget *budget, struct outbox *outbox, struct error *err) {
    if (instance->until_ms == INT64_MIN)
        return STATUS_OK; /* retired */
    int64_t final_ms = final_before(partition, instance, partition->clocks);
    for (size_t i = instance->panes.count; i-- > 0;) {
        struct pane *pane = instance->panes.sorted[i];
        if (pane->dirty_count > 0)
            TRY(send_pane(partition, instance, pane, must_travel(instance, pane, final_ms, budget),
                          budget, outbox, err));
    }
    send_clock(partition, instance, final_ms, outbox);
    retire(partition, instance, final_ms);
    return STATUS_OK;
}

static void send_checkpoint(struct partition *partition, struct outbox *outbox) {
    char key[32];
    outbox_add(outbox, &(struct message){.topic = TOPIC_CHECKPOINTS,
                                         .partition = partition->number,
                                         .key = checkpoint_key(partition->number, key),
                                         .value = buffer_slice(&partition->scratch)});
}

static void send_groups(struct partition *partition, struct outbox *outbox) {
    bool changed = !partition->groups_sent;
    for (size_t i = 0; i < partition->instance_count; i++) {
        changed |= partition->instances[i].groups.changed;
        partition->instances[i].groups.changed = false;
    }
    if (!changed)
        return;
    char key[32];
    buffer_reset(&partition->scratch);
    checkpoint_write_groups(partition, &partition->scratch);
    outbox_add(outbox, &(struct message){.topic = TOPIC_CHECKPOINTS,
                                         .partition = partition->number,
                                         .key = groups_key(partition->number, key),
                                         .value = buffer_slice(&partition->scratch)});
    partition->groups_sent = true;
}

enum status partition_commit(struct partition *partition, int64_t now_ms, bool drain,
                             struct outbox *outbox, struct error *err) {
    if (!partition->live)
        return STATUS_OK;
    if (mutation == MUTATION_EARLY_DROP)
        TRY(persist_drop_expired(partition, err));
    partition->outbox = outbox;
    join_expire_orphans(partition);
    partition->outbox = NULL;
    buffer_reset(&partition->scratch);
    checkpoint_write(partition, &partition->scratch);
    uint64_t hash = hash64(buffer_slice(&partition->scratch));
    size_t dirty = dirty_entries(partition);
    if (hash == partition->sent_checkpoint && dirty == 0)
        return STATUS_OK;
    struct budget budget = {budget_bytes(partition, dirty), now_ms, drain};
    for (size_t i = 0; i < partition->instance_count; i++)
        TRY(send_instance(partition, &partition->instances[i], &budget, outbox, err));
    checkpoint_prune_decisions(partition);
    send_groups(partition, outbox);
    buffer_reset(&partition->scratch);
    checkpoint_write(partition, &partition->scratch);
    partition->sent_checkpoint = hash64(buffer_slice(&partition->scratch));
    send_checkpoint(partition, outbox);
    return STATUS_OK;
}

void partition_stats(const struct partition *partition, struct partition_stats *out_stats) {
    const struct counters *counters = &partition->counters;
    struct partition_stats stats = {.predicted = counters->predicted,
                                    .duplicates = counters->duplicates,
                                    .filtered = counters->filtered,
                                    .labelled = counters->labelled,
                                    .superseded = counters->superseded,
                                    .ambiguous = partition->ambiguous,
                                    .final_panes = counters->final_panes,
                                    .flushes = partition->flushes,
                                    .rows_flushed = partition->rows_flushed,
                                    .look_ups = partition->look_ups,
                                    .orphans = partition->orphans.count,
                                    .delta_rows = partition->delta.count,
                                    .delta_bytes = delta_bytes(&partition->delta),
                                    .orphan_bytes = partition->orphans.bytes,
                                    .futures_forgotten = partition->futures_forgotten,
                                    .overflows_forgotten = partition->overflows_forgotten,
                                    .gap_records = partition->gap_records};
    for (int log = 0; log < LOG_COUNT; log++) {
        stats.clock_ms[log] = partition->clocks[log];
        if (!partition->live)
            stats.replay_left += partition->until[log] - partition->positions[log];
    }
    for (size_t i = 0; i < REFUSAL_COUNT; i++)
        stats.refused[i] = counters->refused[i];
    for (size_t i = 0; i < partition->instance_count; i++) {
        stats.panes += partition->instances[i].panes.entries;
        stats.pane_bytes += partition->instances[i].panes.bytes;
        stats.locator_bytes += partition->instances[i].locator.bytes;
    }
    *out_stats = stats;
}
