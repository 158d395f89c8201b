/* task_world.h -- a small world for stage 2: a log of partials made by hand, a machine that steps
 * through it, and a board with the last word of every SLI.  SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_TESTS_LIB_TASK_WORLD_H
#define SLIPSTREAM_TESTS_LIB_TASK_WORLD_H

#include "tests/lib/test.h"

#include "base/error.h"
#include "metrics/metric.h"
#include "partial.h"
#include "task/sli.h"
#include "task/task.h"

enum { MINUTE = 60000, WORLD_SOURCES = 3 };

/* --- a log --------------------------------------------------------------------------------- */

struct log_record {
    struct buffer key, value;
    bool is_tombstone;
    bool is_compacted; /* taken away: its offset is a gap */
};

struct log {
    struct log_record *items;
    size_t count, capacity;
};

static inline UNUSED void log_add(struct log *log, struct slice key, struct slice value) {
    if (log->count == log->capacity) {
        log->capacity = log->capacity ? log->capacity * 2 : 64;
        log->items = alloc_resize(log->items, log->capacity, sizeof *log->items);
    }
    struct log_record *record = &log->items[log->count++];
    *record = (struct log_record){.is_tombstone = value.data == NULL};
    buffer_init(&record->key, 1 << 20);
    buffer_init(&record->value, 1 << 20);
    buffer_append(&record->key, key.data, key.size);
    if (value.data)
        buffer_append(&record->value, value.data, value.size);
}

static inline UNUSED void log_release(struct log *log) {
    for (size_t i = 0; i < log->count; i++) {
        buffer_release(&log->items[i].key);
        buffer_release(&log->items[i].value);
    }
    free(log->items);
    *log = (struct log){0};
}

static inline UNUSED struct task_record log_read(const struct log *log, size_t at) {
    const struct log_record *record = &log->items[at];
    struct slice value = buffer_slice(&record->value);
    return (struct task_record){(int64_t)at, buffer_slice(&record->key),
                                record->is_tombstone ? (struct slice){NULL, 0} : value};
}

/* Keeps the last record of each key, as compaction may. */
static inline UNUSED void log_compact(struct log *log) {
    for (size_t i = 0; i < log->count; i++) {
        for (size_t later = i + 1; later < log->count; later++) {
            if (slice_equal(buffer_slice(&log->items[i].key), buffer_slice(&log->items[later].key)))
                log->items[i].is_compacted = true;
        }
    }
}

/* --- partials ------------------------------------------------------------------------------ */

/* Rows of score .9; of the labelled ones `correct` are 1, the others 0. */
struct counts {
    int64_t predicted, labelled, correct, late;
};

static inline UNUSED void write_counts(const struct shape *shape, const struct counts *counts,
                                       struct buffer *out) {
    struct tables *tables = tables_create();
    for (int64_t i = 0; i < counts->predicted; i++) {
        struct pair pair = {.output = {.score = .9}, .lag_ms = 5000};
        struct prediction_part prediction;
        prediction_part_of(shape, &pair.output, &prediction);
        tables_add_prediction(tables, &prediction);
        if (i >= counts->labelled)
            continue;
        pair.label.value = i < counts->correct ? 1 : 0;
        struct label_part label;
        label_part_of(shape, &pair, &label);
        tables_add_label(tables, &label, 1);
    }
    tables_write(tables, out);
    tables_destroy(tables);
}

static inline UNUSED void log_partial(struct log *log, const struct shape *shape, int64_t epoch,
                                      int64_t pane_ms, const char *group, int32_t partition,
                                      int64_t version, const struct counts *counts) {
    struct buffer tables, key, value;
    buffer_init(&tables, 1 << 20);
    buffer_init(&key, 1 << 20);
    buffer_init(&value, 1 << 20);
    write_counts(shape, counts, &tables);
    const struct partial partial = {.key = {.family = PARTIAL_COUNTS,
                                            .task = slice_from(shape->definition->name),
                                            .epoch = epoch,
                                            .group = slice_from(group),
                                            .pane_ms = pane_ms,
                                            .partition = partition},
                                    .pane_end_ms = pane_ms + MINUTE,
                                    .version_predictions = version,
                                    .version_labels = version,
                                    .late = counts->late,
                                    .tables = buffer_slice(&tables)};
    partial_write_key(&partial.key, &key);
    partial_write(&partial, &value);
    log_add(log, buffer_slice(&key), buffer_slice(&value));
    buffer_release(&tables);
    buffer_release(&key);
    buffer_release(&value);
}

static inline UNUSED void log_clock_of(struct log *log, const char *task, int64_t epoch,
                                       int32_t partition, int64_t from_ms, int64_t until_ms,
                                       int64_t sealed_ms, int64_t final_ms) {
    struct buffer key, value;
    buffer_init(&key, 1 << 20);
    buffer_init(&value, 1 << 20);
    const struct clock_partial clock = {.key = {.family = PARTIAL_CLOCK,
                                                .task = slice_from(task),
                                                .epoch = epoch,
                                                .group = SLICE(""),
                                                .partition = partition},
                                        .from_ms = from_ms,
                                        .until_ms = until_ms,
                                        .sealed_before_ms = sealed_ms,
                                        .final_before_ms = final_ms,
                                        .position_predictions = (int64_t)log->count,
                                        .position_feedback = (int64_t)log->count};
    partial_write_key(&clock.key, &key);
    clock_partial_write(&clock, &value);
    log_add(log, buffer_slice(&key), buffer_slice(&value));
    buffer_release(&key);
    buffer_release(&value);
}

/* Of epoch 1, which covers everything. */
static inline UNUSED void log_clock(struct log *log, const char *task, int32_t partition,
                                    int64_t sealed_ms, int64_t final_ms) {
    log_clock_of(log, task, 1, partition, 0, INT64_MAX, sealed_ms, final_ms);
}

static inline UNUSED void log_clocks(struct log *log, const char *task, int64_t sealed_ms,
                                     int64_t final_ms) {
    for (int32_t p = 0; p < WORLD_SOURCES; p++)
        log_clock(log, task, p, sealed_ms, final_ms);
}

/* --- a board ------------------------------------------------------------------------------- */

struct post {
    struct buffer key, value;
    int64_t times; /* it was published */
};

struct board {
    struct post *posts;
    size_t count, capacity;
    int64_t published;
};

static inline UNUSED struct sli read_post(const struct post *post) {
    struct sli sli;
    assert_true(sli_read(buffer_slice(&post->value), &sli));
    return sli;
}

static inline UNUSED struct post *board_find(const struct board *board, struct slice key) {
    for (size_t i = 0; i < board->count; i++) {
        if (slice_equal(buffer_slice(&board->posts[i].key), key))
            return &board->posts[i];
    }
    return NULL;
}

static inline UNUSED void board_release(struct board *board) {
    for (size_t i = 0; i < board->count; i++) {
        buffer_release(&board->posts[i].key);
        buffer_release(&board->posts[i].value);
    }
    free(board->posts);
    *board = (struct board){0};
}

/* An SLI without what may differ between two runs. */
static inline UNUSED void write_content(struct slice value, struct buffer *out) {
    struct sli sli;
    assert_true(sli_read(value, &sli));
    sli.revision = (struct sli_revision){0};
    sli.computed_at_ms = 0;
    sli.watermark_ms = WATERMARK_NONE;
    sli_write(&sli, out);
}

static inline UNUSED bool same_content(struct slice a, struct slice b) {
    struct buffer left, right;
    buffer_init(&left, 1 << 20);
    buffer_init(&right, 1 << 20);
    write_content(a, &left);
    write_content(b, &right);
    bool same = slice_equal(buffer_slice(&left), buffer_slice(&right));
    buffer_release(&left);
    buffer_release(&right);
    return same;
}

/* Checks what must hold of every record of a key: revisions do not fall, FINAL does not change. */
static inline UNUSED void board_take(struct board *board, struct slice key, struct slice value) {
    struct post *post = board_find(board, key);
    board->published++;
    if (post) {
        struct sli old = read_post(post), fresh;
        assert_true(sli_read(value, &fresh));
        assert_true(fresh.revision.epoch >= old.revision.epoch);
        assert_true(fresh.revision.offset >= old.revision.offset);
        if (old.status == SLI_FINAL)
            assert_true(same_content(buffer_slice(&post->value), value));
        buffer_reset(&post->value);
    } else {
        if (board->count == board->capacity) {
            board->capacity = board->capacity ? board->capacity * 2 : 64;
            board->posts = alloc_resize(board->posts, board->capacity, sizeof *board->posts);
        }
        ASSERT(board->posts);
        post = &board->posts[board->count++];
        *post = (struct post){0};
        buffer_init(&post->key, 1 << 20);
        buffer_init(&post->value, 1 << 20);
        buffer_append(&post->key, key.data, key.size);
    }
    buffer_append(&post->value, value.data, value.size);
    post->times++;
}

static inline UNUSED void assert_same_boards(const struct board *a, const struct board *b) {
    assert_int_equal(a->count, b->count);
    for (size_t i = 0; i < a->count; i++) {
        const struct post *other = board_find(b, buffer_slice(&a->posts[i].key));
        assert_non_null(other);
        if (same_content(buffer_slice(&a->posts[i].value), buffer_slice(&other->value)))
            continue;
        struct sli x = read_post(&a->posts[i]), y = read_post(other);
        print_error("%.*s %.*s %.*s [%lld, %lld): %s %lld/%lld, other %s %lld/%lld\n",
                    (int)x.metric.size, x.metric.data, (int)x.group.size, x.group.data,
                    (int)x.window.size, x.window.data, (long long)x.window_start_ms,
                    (long long)x.window_end_ms, sli_status_name(x.status), (long long)x.labelled,
                    (long long)x.predicted, sli_status_name(y.status), (long long)y.labelled,
                    (long long)y.predicted);
        fail();
    }
}

static inline UNUSED bool board_sli(const struct board *board, const char *metric,
                                    const char *group, const char *window, int64_t start_ms,
                                    int64_t end_ms, struct sli *out_sli) {
    for (size_t i = 0; i < board->count; i++) {
        *out_sli = read_post(&board->posts[i]);
        if (slice_equal(out_sli->metric, slice_from(metric)) &&
            slice_equal(out_sli->group, slice_from(group)) &&
            slice_equal(out_sli->window, slice_from(window)) &&
            out_sli->window_start_ms == start_ms && out_sli->window_end_ms == end_ms)
            return true;
    }
    return false;
}

/* --- a machine ----------------------------------------------------------------------------- */

struct machine {
    struct config config;
    struct task_definition definition;
    struct shape shape;
    struct memory_disk *disk;
    struct memory_faults *faults;
    struct store *store;
    struct task_stage *stage;
    struct log *log;  /* borrowed; tombstones are appended */
    struct log state; /* the state topic */
    struct board board;
    struct outbox outbox;
    int64_t committed, end; /* as in struct task_options */
    int64_t now_ms;
    int64_t tombstones, finals;
};

static inline UNUSED void define_metric(struct task_definition *definition, const char *name) {
    const struct metric *metric = metric_find(slice_from(name));
    assert_non_null(metric);
    definition->metrics[definition->metric_count++] =
        (struct metric_use){metric, metric->name, metric->parameter};
}

static inline UNUSED void define_window(struct task_definition *definition, const char *name,
                                        enum window_kind kind, int64_t size_ms, int64_t slide_ms,
                                        int64_t offset_ms) {
    definition->windows[definition->window_count++] =
        (struct window_definition){name, kind, size_ms, slide_ms, offset_ms};
}

/* A binary task "fraud" without windows. */
static inline UNUSED void machine_define(struct machine *machine, struct log *log) {
    *machine = (struct machine){.log = log};
    machine->definition = (struct task_definition){.name = "fraud",
                                                   .kind = TASK_BINARY,
                                                   .horizon_ms = 10 * MINUTE,
                                                   .pane_ms = MINUTE,
                                                   .threshold = .5,
                                                   .level = .95,
                                                   .cell_count = 256,
                                                   .fingerprint = 17};
    define_metric(&machine->definition, "volume");
    define_metric(&machine->definition, "precision");
    machine->config = (struct config){.application = "test",
                                      .tasks = &machine->definition,
                                      .task_count = 1,
                                      .revision_interval_ms = 10000,
                                      .flush_interval_ms = 1000000,
                                      .partials_partitions = 1};
    machine->disk = memory_disk_create();
    outbox_init(&machine->outbox);
    shape_init(&machine->shape, &machine->definition);
}

/* After a crash the store may be there still. */
static inline UNUSED enum status machine_open(struct machine *machine) {
    struct error err;
    shape_init(&machine->shape, &machine->definition);
    enum status status = store_memory_open(machine->disk, machine->faults, &machine->store, &err);
    if (status != STATUS_OK) {
        machine->store = NULL;
        return status;
    }
    const struct task_options options = {.config = &machine->config,
                                         .source_partitions = WORLD_SOURCES,
                                         .incarnation = 1,
                                         .store = machine->store,
                                         .committed = machine->committed,
                                         .end = machine->end};
    return task_open(&options, &machine->stage, &err);
}

static inline UNUSED void machine_close(struct machine *machine) {
    task_close(machine->stage);
    machine->stage = NULL;
    if (machine->store)
        machine->store->ops->close(machine->store);
    machine->store = NULL;
}

static inline UNUSED void machine_release(struct machine *machine) {
    machine_close(machine);
    memory_disk_destroy(machine->disk);
    log_release(&machine->state);
    board_release(&machine->board);
    outbox_release(&machine->outbox);
}

/* As the worker does after opening: all of the state topic when the store lags behind the commits.
 */
static inline UNUSED void machine_restore(struct machine *machine) {
    struct error err;
    if (task_position(machine->stage) >= machine->committed)
        return;
    for (size_t i = 0; i < machine->state.count; i++) {
        struct task_record record = log_read(&machine->state, i);
        assert_ok(task_restore(machine->stage, &record, &err));
    }
    struct task_stats stats;
    task_stats(machine->stage, &stats);
    assert_int_equal(stats.malformed, 0);
}

/* The stage comes back from the state topic and the partials that are left. */
static inline UNUSED void machine_lose_disk(struct machine *machine) {
    machine_close(machine);
    memory_disk_destroy(machine->disk);
    machine->disk = memory_disk_create();
    log_compact(machine->log);
    machine->end = (int64_t)machine->log->count;
    assert_ok(machine_open(machine));
    machine_restore(machine);
}

/* Steps over up to count records of the log. */
static inline UNUSED void machine_step(struct machine *machine, size_t count) {
    struct error err;
    for (size_t i = 0; i < count && task_position(machine->stage) < (int64_t)machine->log->count;
         i++) {
        int64_t at = task_position(machine->stage);
        struct task_record record = log_read(machine->log, (size_t)at);
        if (machine->log->items[at].is_compacted)
            assert_ok(task_skip_to(machine->stage, at + 1, &err));
        else
            assert_ok(task_step(machine->stage, &record, 1, &err));
    }
}

/* What the transaction publishes. */
static inline UNUSED void machine_publish(struct machine *machine) {
    for (size_t i = 0; i < machine->outbox.count; i++) {
        const struct message *message = &machine->outbox.messages[i];
        if (message->topic == TOPIC_SLIS) {
            board_take(&machine->board, message->key, message->value);
        } else if (message->topic == TOPIC_STATE) {
            log_add(&machine->state, message->key, message->value);
            struct slice body;
            machine->finals += read_frame(message->value, SCHEMA_HISTORY, &body);
        } else {
            assert_int_equal(message->topic, TOPIC_PARTIALS);
            assert_null(message->value.data);
            log_add(machine->log, message->key, message->value);
            machine->tombstones++;
        }
    }
}

static inline UNUSED void machine_commit(struct machine *machine, bool drain) {
    struct error err;
    outbox_reset(&machine->outbox);
    assert_ok(task_commit(machine->stage, machine->now_ms, drain, &machine->outbox, &err));
    machine->committed = task_position(machine->stage);
    machine_publish(machine);
    machine->now_ms += 100;
}

/* The whole log, a commit every `batch` records, and a last one that drains. */
static inline UNUSED void machine_run(struct machine *machine, size_t batch) {
    struct error err;
    while (task_position(machine->stage) < (int64_t)machine->log->count) {
        machine_step(machine, batch);
        machine_commit(machine, false);
        assert_ok(task_committed(machine->stage, machine->now_ms, true, &err));
    }
    machine_commit(machine, true);
}

#endif
