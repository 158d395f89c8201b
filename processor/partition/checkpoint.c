/* checkpoint.c -- the small state of a partition as bytes: on the checkpoints topic with every
 * commit, and in the store with every flush (schemas/checkpoint.5.avsc).
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "base/varint.h"
#include "partial.h"
#include "partition/internal.h"

enum { INSTANCES_MAX = 1024, DECISIONS_READ_MAX = 1 << 20 };

struct slice checkpoint_key(int32_t partition, char scratch[32]) {
    (void)snprintf(scratch, 32, "%d", partition);
    return slice_from(scratch);
}

struct slice groups_key(int32_t partition, char scratch[32]) {
    (void)snprintf(scratch, 32, "%d/groups", partition);
    return slice_from(scratch);
}

static void floor_at(int64_t offset, int64_t clock_ms, int64_t *out_offset, int64_t *out_clock_ms) {
    if (offset >= *out_offset)
        return;
    *out_offset = offset;
    *out_clock_ms = clock_ms;
}

/* The lowest offsets that cover every unexpired segment and every waiting orphan. */
void floor_of(const struct partition *partition, int64_t out_offsets[LOG_COUNT],
              int64_t out_clocks[LOG_COUNT]) {
    for (int log = 0; log < LOG_COUNT; log++) {
        out_offsets[log] = partition->positions[log];
        out_clocks[log] = partition->clocks[log];
        for (size_t i = 0; i < partition->instance_count; i++) {
            const struct instance *instance = &partition->instances[i];
            for (size_t j = 0; j < instance->segments.count; j++) {
                const struct segment *segment = &instance->segments.sorted[j];
                if (!segment_expired(partition, instance, segment->number))
                    floor_at(segment->first_offset[log], segment->first_clock[log],
                             &out_offsets[log], &out_clocks[log]);
            }
        }
    }
    for (size_t i = 0; i < partition->orphans.capacity; i++) {
        const struct orphan *orphan = &partition->orphans.list[i];
        if (orphan->used)
            floor_at(orphan->offset, orphan->clock_before_ms, &out_offsets[LOG_FEEDBACK],
                     &out_clocks[LOG_FEEDBACK]);
    }
}

/* ---- decisions ---- */

static bool below_floor(const struct decision *decision, const int64_t floors[LOG_COUNT]) {
    if (decision->kind == DECISION_ORPHAN_LIMIT)
        return decision->last < floors[LOG_FEEDBACK];
    return decision->offset < floors[decision->log];
}

void checkpoint_prune_decisions(struct partition *partition) {
    int64_t floors[LOG_COUNT], clocks[LOG_COUNT];
    floor_of(partition, floors, clocks);
    size_t kept = 0, applied[LOG_COUNT] = {0, 0};
    for (size_t i = 0; i < partition->decision_count; i++) {
        if (below_floor(&partition->decisions[i], floors))
            continue;
        for (int log = 0; log < LOG_COUNT; log++)
            if (i < partition->applied[log])
                applied[log] = kept + 1;
        partition->decisions[kept++] = partition->decisions[i];
    }
    partition->decision_count = kept;
    memcpy(partition->applied, applied, sizeof applied);
    for (int log = 0; log < LOG_COUNT; log++)
        futures_prune(&partition->futures[log], floors[log]);
}

/* ---- writing ---- */

static void write_counters(const struct counters *counters, struct buffer *out) {
    const int64_t fields[] = {counters->predicted, counters->duplicates, counters->filtered,
                              counters->labelled,  counters->superseded, counters->final_panes};
    for (size_t i = 0; i < COUNT_OF(fields); i++)
        write_long(out, fields[i]);
    write_long(out, REFUSAL_COUNT);
    for (size_t i = 0; i < REFUSAL_COUNT; i++)
        write_long(out, counters->refused[i]);
    write_long(out, 0);
}

static void write_instances(const struct partition *partition, struct buffer *out) {
    write_long(out, (int64_t)partition->instance_count);
    for (size_t i = 0; i < partition->instance_count; i++) {
        const struct instance *instance = &partition->instances[i];
        write_bytes(out, slice_from(instance->definition->name));
        write_long(out, instance->definition->epoch);
        write_long(out, instance->from_ms);
        write_long(out, instance->until_ms);
    }
    if (partition->instance_count > 0)
        write_long(out, 0);
}

static void write_list(const struct decision *decisions, size_t count, struct buffer *out) {
    for (size_t i = 0; i < count; i++) {
        const struct decision *decision = &decisions[i];
        write_long(out, decision->kind);
        write_long(out, decision->log);
        write_long(out, decision->offset);
        write_long(out, decision->time_ms);
        write_long(out, decision->last);
        write_long(out, decision->limit);
        write_long(out, decision->task);
    }
}

static void write_decisions(const struct partition *partition, struct buffer *out) {
    size_t count = partition->decision_count;
    for (int log = 0; log < LOG_COUNT; log++)
        count += partition->futures[log].count;
    write_long(out, (int64_t)count);
    write_list(partition->decisions, partition->decision_count, out);
    for (int log = 0; log < LOG_COUNT; log++)
        write_list(partition->futures[log].list, partition->futures[log].count, out);
    if (count > 0)
        write_long(out, 0);
}

void checkpoint_write(const struct partition *partition, struct buffer *out) {
    int64_t floors[LOG_COUNT], floor_clocks[LOG_COUNT];
    floor_of(partition, floors, floor_clocks);
    write_frame(out, SCHEMA_CHECKPOINT);
    for (int log = 0; log < LOG_COUNT; log++) {
        write_long(out, partition->positions[log]);
        write_long(out, partition->clocks[log]);
        write_long(out, floors[log]);
        write_long(out, floor_clocks[log]);
    }
    write_long(out, partition->control_offset);
    write_counters(&partition->counters, out);
    write_instances(partition, out);
    write_decisions(partition, out);
}

void checkpoint_write_groups(const struct partition *partition, struct buffer *out) {
    write_long(out, (int64_t)partition->instance_count);
    for (size_t i = 0; i < partition->instance_count; i++) {
        write_long(out, partition->instances[i].id);
        groups_write(&partition->instances[i].groups, out);
    }
}

/* ---- reading ---- */

static bool read_counters(struct reader *reader, struct counters *out) {
    *out = (struct counters){0};
    int64_t *const fields[] = {&out->predicted, &out->duplicates, &out->filtered,
                               &out->labelled,  &out->superseded, &out->final_panes};
    for (size_t i = 0; i < COUNT_OF(fields); i++)
        *fields[i] = read_long(reader);
    int64_t count = read_long(reader);
    for (int64_t i = 0; i < count && !reader->failed; i++) {
        int64_t refused = read_long(reader);
        if (i < REFUSAL_COUNT)
            out->refused[i] = refused;
    }
    return count > 0 && read_long(reader) == 0 && !reader->failed;
}

static bool read_count(struct reader *reader, int64_t most, size_t *out_count) {
    int64_t count = read_long(reader);
    *out_count = (size_t)count;
    return !reader->failed && count >= 0 && count <= most;
}

static bool read_instances(struct reader *reader, struct arena *arena, struct checkpoint *out) {
    if (!read_count(reader, INSTANCES_MAX, &out->instance_count))
        return false;
    out->instances = arena_take(arena, (out->instance_count + 1) * sizeof *out->instances);
    for (size_t i = 0; i < out->instance_count; i++) {
        struct checkpoint_instance *instance = &out->instances[i];
        instance->task = read_bytes(reader);
        instance->epoch = read_long(reader);
        instance->from_ms = read_long(reader);
        instance->until_ms = read_long(reader);
    }
    return out->instance_count == 0 || read_long(reader) == 0;
}

static bool read_decisions(struct reader *reader, struct arena *arena, struct checkpoint *out) {
    if (!read_count(reader, DECISIONS_READ_MAX, &out->decision_count))
        return false;
    out->decisions = arena_take(arena, (out->decision_count + 1) * sizeof *out->decisions);
    for (size_t i = 0; i < out->decision_count; i++) {
        struct decision *decision = &out->decisions[i];
        int64_t kind = read_long(reader), log = read_long(reader);
        if (kind < 0 || kind > DECISION_FUTURE || log < 0 || log >= LOG_COUNT)
            return false;
        decision->kind = (enum decision_kind)kind;
        decision->log = (enum log_side)log;
        decision->offset = read_long(reader);
        decision->time_ms = read_long(reader);
        decision->last = read_long(reader);
        decision->limit = read_long(reader);
        decision->task = (uint32_t)read_long(reader);
    }
    return out->decision_count == 0 || read_long(reader) == 0;
}

static void read_positions(struct reader *reader, struct checkpoint *out) {
    for (int log = 0; log < LOG_COUNT; log++) {
        out->positions[log] = read_long(reader);
        out->clocks[log] = read_long(reader);
        out->floors[log] = read_long(reader);
        out->floor_clocks[log] = read_long(reader);
    }
    out->control_offset = read_long(reader);
}

bool checkpoint_read(struct slice bytes, struct arena *arena, struct checkpoint *out) {
    struct slice body;
    if (!read_frame(bytes, SCHEMA_CHECKPOINT, &body))
        return false;
    struct reader reader = reader_from(body);
    *out = (struct checkpoint){0};
    read_positions(&reader, out);
    return read_counters(&reader, &out->counters) && read_instances(&reader, arena, out) &&
           read_decisions(&reader, arena, out) && reader_done(&reader);
}

bool checkpoint_positions(struct slice checkpoint, int64_t out_positions[LOG_COUNT]) {
    struct arena arena;
    arena_init(&arena);
    struct checkpoint read;
    bool ok = checkpoint_read(checkpoint, &arena, &read);
    if (ok)
        memcpy(out_positions, read.positions, sizeof read.positions);
    arena_release(&arena);
    return ok;
}

static bool skip_groups(struct reader *reader) {
    int64_t count = read_long(reader);
    for (int64_t i = 0; i < count && !reader->failed; i++) {
        (void)read_long(reader);
        (void)read_long(reader);
        (void)read_bytes(reader);
    }
    return !reader->failed;
}

bool checkpoint_read_groups(struct partition *partition, struct slice bytes) {
    struct reader reader = reader_from(bytes);
    int64_t count = read_long(&reader);
    for (int64_t i = 0; i < count && !reader.failed; i++) {
        int64_t id = read_long(&reader);
        struct groups *groups = NULL;
        for (size_t j = 0; j < partition->instance_count; j++)
            if (partition->instances[j].id == (uint64_t)id)
                groups = &partition->instances[j].groups;
        if (groups ? !groups_read(groups, &reader) : !skip_groups(&reader))
            return false;
    }
    return reader_done(&reader);
}
