/* open.c -- from the store, or from the checkpoint's floor, to the committed position: then live.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "partition/internal.h"
#include "state/mutation.h"

/* ---- becoming live ---- */

static size_t count_final(const struct partition *partition, const struct instance *instance) {
    int64_t final_ms = final_before(partition, instance, partition->clocks);
    if (final_ms == INT64_MIN)
        return 0;
    return panes_lower_bound(&instance->panes, final_ms - instance->definition->pane_ms + 1);
}

/* No accepted prediction is at or beyond it, nor does a judged label name a time there: labels may
 * be ahead of their predictions. */
static int64_t first_unjudged(const struct partition *partition, int64_t none_ms) {
    int64_t predictions = partition->clocks[LOG_PREDICTIONS];
    int64_t feedback = partition->clocks[LOG_FEEDBACK];
    if (predictions != TIME_NONE && predictions + 1 > none_ms)
        none_ms = predictions + 1;
    if (feedback != TIME_NONE && feedback + partition->config->skew_ms + 1 > none_ms)
        none_ms = feedback + partition->config->skew_ms + 1;
    return none_ms;
}

/* A new epoch begins at the first pane that is later than every pane opened here. */
static void decide_epochs(struct partition *partition) {
    for (size_t i = 0; i < partition->instance_count; i++) {
        struct instance *instance = &partition->instances[i];
        if (instance->from_ms != INT64_MAX)
            continue;
        struct instance *older = i > 0 && instance[-1].task == instance->task ? instance - 1 : NULL;
        int64_t from_ms = instance->definition->effective_from_ms;
        if (older) {
            int64_t next_ms = first_unjudged(partition, older->from_ms);
            from_ms = from_ms > next_ms ? from_ms : next_ms;
            from_ms = pane_floor(instance, from_ms + instance->definition->pane_ms - 1);
            older->until_ms = from_ms;
        }
        instance->from_ms = from_ms;
    }
}

static bool may_have_rows(const struct partition *partition, const struct instance *instance) {
    return instance->from_ms < instance->until_ms
               ? instance->until_ms > final_before(partition, instance, partition->clocks)
               : instance->from_ms == INT64_MAX; /* an epoch that is not decided yet */
}

/* Definitions that were replaced long ago take no part of it. */
static void share_locators(struct partition *partition) {
    size_t count = 0, bytes = partition->config->locator_bytes_max;
    for (size_t i = 0; i < partition->instance_count; i++)
        count += may_have_rows(partition, &partition->instances[i]);
    for (size_t i = 0; i < partition->instance_count && count > 0; i++)
        if (may_have_rows(partition, &partition->instances[i]))
            partition->instances[i].locator.bytes_max = bytes / count;
}

static void drop_replayed_orphans(struct partition *partition) {
    for (size_t i = 0; i < partition->orphans.capacity; i++)
        if (partition->orphans.list[i].used && partition->orphans.list[i].joins_before != INT64_MAX)
            orphans_remove(&partition->orphans, (uint32_t)i);
}

static bool reached(const struct partition *partition) {
    return partition->positions[LOG_PREDICTIONS] >= partition->until[LOG_PREDICTIONS] &&
           partition->positions[LOG_FEEDBACK] >= partition->until[LOG_FEEDBACK];
}

/* All that was committed is in: from here on output counts.  Panes that were final at the committed
 * position were published with it; counters are the checkpoint's, for a rebuild has not seen every
 * record. */
void open_become_live_if_reached(struct partition *partition) {
    if (partition->live || !reached(partition))
        return;
    for (int log = 0; log < LOG_COUNT; log++) {
        clock_apply_decisions(partition, (enum log_side)log, partition->positions[log]);
        clock_move(partition, (enum log_side)log, partition->committed_clocks[log]);
        partition->until[log] = INT64_MAX;
    }
    join_expire_orphans(partition);
    drop_replayed_orphans(partition);
    for (size_t i = 0; i < partition->instance_count; i++) {
        struct instance *instance = &partition->instances[i];
        window_remove(partition, instance, count_final(partition, instance));
        instance->skip_before_ms = INT64_MIN;
    }
    decide_epochs(partition);
    share_locators(partition);
    partition->counters = partition->committed_counters;
    partition->live = true;
}

/* ---- open ---- */

static void instance_init(struct instance *instance, struct task *task,
                          const struct task_definition *definition) {
    char name[512];
    int size =
        snprintf(name, sizeof name, "%s/%lld", definition->name, (long long)definition->epoch);
    *instance = (struct instance){
        .definition = definition,
        .task = task,
        .id = (uint32_t)hash64((struct slice){name, (size_t)size}),
        .layout = {definition->kind, definition->segment_ms, definition->grouping_count},
        .from_ms = INT64_MAX,
        .until_ms = INT64_MAX,
        .skip_before_ms = INT64_MIN,
        .sealed_before_ms = INT64_MIN,
        .sent_sealed_ms = INT64_MIN};
    shape_init(&instance->shape, definition);
    panes_init(&instance->panes, &instance->shape, instance->id);
    locator_init(&instance->locator, 0);
    groups_init(&instance->groups, definition, GROUPS_TEXT_BYTES_MAX);
}

/* Of application, name and secret: the same on every member. */
static void derive_key(struct partition *partition, const char *name, struct hash_key *out_key) {
    const struct config *config = partition->config;
    struct buffer *seed = &partition->scratch;
    buffer_reset(seed);
    buffer_append(seed, config->application, strlen(config->application));
    buffer_append(seed, "/", 1);
    buffer_append(seed, name, strlen(name));
    if (config->state_key.size > 0) {
        buffer_append(seed, "/", 1);
        buffer_append(seed, config->state_key.data, config->state_key.size);
    }
    hash_key_derive(out_key, buffer_slice(seed));
}

static void task_init(struct partition *partition, struct task *task, const char *name) {
    const struct config *config = partition->config;
    *task = (struct task){.name = name,
                          .id = (uint32_t)hash64(slice_from(name)),
                          .first_instance = (uint16_t)partition->instance_count};
    derive_key(partition, name, &task->key);
    for (int64_t after = INT64_MIN;;) {
        const struct task_definition *next = NULL;
        for (int i = 0; i < config->task_count; i++)
            if (strcmp(config->tasks[i].name, name) == 0 && config->tasks[i].epoch > after &&
                (!next || config->tasks[i].epoch < next->epoch))
                next = &config->tasks[i];
        if (!next)
            break;
        after = next->epoch;
        instance_init(&partition->instances[partition->instance_count++], task, next);
        task->instance_count++;
    }
}

static void set_key_check(struct partition *partition) {
    struct hash_key key;
    derive_key(partition, "", &key);
    partition->key_check = hash128_keyed(&key, SLICE("key of 12 bytes"));
}

static void build_tasks(struct partition *partition) {
    const struct config *config = partition->config;
    size_t count = (size_t)config->task_count;
    partition->tasks = alloc_zero(count, sizeof *partition->tasks);
    partition->instances = alloc_zero(count, sizeof *partition->instances);
    for (size_t i = 0; i < count; i++) {
        bool known = false;
        for (size_t j = 0; j < partition->task_count; j++)
            known |= strcmp(partition->tasks[j].name, config->tasks[i].name) == 0;
        if (!known)
            task_init(partition, &partition->tasks[partition->task_count++], config->tasks[i].name);
    }
}

static struct task *task_named(struct partition *partition, struct slice name) {
    for (size_t i = 0; i < partition->task_count; i++)
        if (slice_equal(slice_from(partition->tasks[i].name), name))
            return &partition->tasks[i];
    return NULL;
}

static struct instance *instance_of_epoch(struct partition *partition, const struct task *task,
                                          int64_t epoch) {
    for (size_t i = 0; i < task->instance_count; i++) {
        struct instance *instance = &partition->instances[task->first_instance + i];
        if (instance->definition->epoch == epoch)
            return instance;
    }
    return NULL;
}

/* Which epoch covers which event times is the checkpoint's word.  Epochs older than all that it
 * lists are retired. */
static enum status adopt_epochs(struct partition *partition, const struct checkpoint *checkpoint,
                                struct error *err) {
    for (size_t i = 0; i < checkpoint->instance_count; i++) {
        const struct checkpoint_instance *saved = &checkpoint->instances[i];
        struct task *task = task_named(partition, saved->task);
        if (!task)
            continue; /* the task was taken out of the configuration */
        struct instance *instance = instance_of_epoch(partition, task, saved->epoch);
        if (!instance)
            return error_set(err, STATUS_CONFIG,
                             "task %s: the checkpoint holds epoch %lld, which this configuration "
                             "does not know; start with the newest configuration",
                             task->name, (long long)saved->epoch);
        instance->from_ms = saved->from_ms;
        instance->until_ms = saved->until_ms;
    }
    for (size_t i = partition->instance_count; i-- > 1;) {
        struct instance *newer = &partition->instances[i], *older = newer - 1;
        if (older->task == newer->task && older->from_ms == INT64_MAX &&
            newer->from_ms != INT64_MAX)
            older->from_ms = older->until_ms = INT64_MIN;
    }
    return STATUS_OK;
}

static void keep_decisions(struct partition *partition, const struct checkpoint *checkpoint) {
    partition->decisions = alloc_resize(partition->decisions, checkpoint->decision_count,
                                        sizeof *partition->decisions);
    for (size_t i = 0; i < checkpoint->decision_count; i++) {
        const struct decision *decision = &checkpoint->decisions[i];
        if (decision->kind == DECISION_FUTURE)
            futures_add(&partition->futures[decision->log], decision);
        else
            partition->decisions[partition->decision_count++] = *decision;
    }
}

static bool store_is_usable(const struct checkpoint *store, const struct checkpoint *committed) {
    for (int log = 0; log < LOG_COUNT; log++)
        if (store->positions[log] > committed->positions[log] ||
            store->positions[log] < committed->floors[log])
            return false;
    return true;
}

static void start_at(struct partition *partition, const int64_t positions[LOG_COUNT],
                     const int64_t clocks[LOG_COUNT]) {
    memcpy(partition->positions, positions, sizeof partition->positions);
    memcpy(partition->clocks, clocks, sizeof partition->clocks);
}

/* Panes that were final at the committed position were published with it: while replaying nothing
 * counts in them any more. */
static void skip_final(struct partition *partition, const struct checkpoint *committed) {
    for (size_t i = 0; i < partition->instance_count; i++)
        partition->instances[i].skip_before_ms =
            final_before(partition, &partition->instances[i], committed->clocks);
}

/* From the floor: with the clocks at the floor, or lateness would be judged differently. */
static enum status rebuild(struct partition *partition, const struct checkpoint *committed,
                           struct slice groups, struct error *err) {
    static const int64_t no_clocks[LOG_COUNT] = {TIME_NONE, TIME_NONE};
    TRY(persist_wipe(partition, err));
    if (!committed)
        return STATUS_OK;
    start_at(partition, committed->floors,
             mutation == MUTATION_FLOOR_CLOCKS ? no_clocks : committed->floor_clocks);
    if (groups.size > 0 && !checkpoint_read_groups(partition, groups))
        return error_set(err, STATUS_CORRUPT, "the groups record of partition %d does not parse",
                         partition->number);
    skip_final(partition, committed);
    if (partition->clocks[LOG_PREDICTIONS] != TIME_NONE)
        window_seal(partition);
    return STATUS_OK;
}

static enum status load_state(struct partition *partition, const struct partition_options *options,
                              struct arena *arena, struct error *err) {
    struct checkpoint committed, stored;
    bool has_checkpoint = options->checkpoint.size > 0, found;
    if (has_checkpoint) {
        if (!checkpoint_read(options->checkpoint, arena, &committed))
            return error_set(err, STATUS_CORRUPT, "the checkpoint of partition %d does not parse",
                             partition->number);
        TRY(adopt_epochs(partition, &committed, err));
        memcpy(partition->until, committed.positions, sizeof partition->until);
        memcpy(partition->committed_clocks, committed.clocks, sizeof committed.clocks);
        partition->committed_counters = committed.counters;
        partition->control_offset = committed.control_offset;
        keep_decisions(partition, &committed);
    }
    struct slice meta;
    TRY(persist_load_meta(partition, &meta, &found, err));
    bool is_same_key = true;
    if (found)
        TRY(persist_check_key(partition, &is_same_key, err));
    if (!is_same_key)
        return error_set(err, STATUS_CORRUPT, "the state was stored under another state.key.file");
    if (found && !checkpoint_read(meta, arena, &stored))
        return error_set(err, STATUS_CORRUPT, "the stored state does not parse");
    if (!found || !has_checkpoint || !store_is_usable(&stored, &committed))
        return rebuild(partition, has_checkpoint ? &committed : NULL, options->groups, err);
    start_at(partition, stored.positions, stored.clocks);
    skip_final(partition, &committed);
    partition->counters = stored.counters;
    return persist_load(partition, options->groups, err);
}

enum status partition_open(const struct partition_options *options,
                           struct partition **out_partition, struct error *err) {
    struct partition *partition = alloc_zero(1, sizeof *partition);
    *partition = (struct partition){.config = options->config,
                                    .store = options->store,
                                    .number = options->partition,
                                    .clocks = {TIME_NONE, TIME_NONE},
                                    .committed_clocks = {TIME_NONE, TIME_NONE},
                                    .control_offset = -1};
    delta_init(&partition->delta);
    orphans_init(&partition->orphans);
    arena_init(&partition->batch);
    buffer_init(&partition->scratch, SIZE_MAX / 2);
    buffer_init(&partition->scratch2, SIZE_MAX / 2);
    buffer_init(&partition->probes, SIZE_MAX / 2);
    buffer_init(&partition->removed_panes, SIZE_MAX / 2);
    build_tasks(partition);
    set_key_check(partition);
    struct arena arena;
    arena_init(&arena);
    enum status status = load_state(partition, options, &arena, err);
    arena_release(&arena);
    if (status != STATUS_OK) {
        partition_close(partition);
        return status;
    }
    for (int log = 0; log < LOG_COUNT; log++)
        clock_apply_decisions(partition, (enum log_side)log, partition->positions[log]);
    share_locators(partition);
    open_become_live_if_reached(partition);
    *out_partition = partition;
    return STATUS_OK;
}
