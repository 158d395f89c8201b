/* What the store holds of stage 2.  SPDX-License-Identifier: Apache-2.0
 *
 *   META   "p"                                        format, position, incarnation
 *          "c" task, partition, epoch                 a clock
 *          "w" task, window, end, start, group        a view: flags, what was published of it
 *   PANES  task, group, start, epoch                  a pane: its end, its sources as in table.h
 *
 * Texts are length-prefixed; numbers in keys are big-endian with the sign flipped, so that the
 * panes of a group come back in order. */
#include <stdlib.h>
#include <string.h>

#include "task/stage.h"

enum { FORMAT_VERSION = 2 };
enum { VIEW_REVISED = 1, VIEW_WAITING = 2 };

static const struct family meta = {FAMILY_META, 0, 0};
static const struct family panes = {FAMILY_PANES, 0, 0};

/* --- keys ---------------------------------------------------------------------------------- */

static void write_ordered(struct buffer *out, int64_t value) {
    uint64_t bits = (uint64_t)value ^ (UINT64_C(1) << 63);
    char bytes[8];
    for (int i = 0; i < 8; i++)
        bytes[i] = (char)(unsigned char)(bits >> (56 - 8 * i));
    buffer_append(out, bytes, sizeof bytes);
}

static int64_t read_ordered(struct reader *reader) {
    uint64_t bits = 0;
    if (reader->end - reader->at < 8)
        reader->failed = true;
    for (int i = 0; i < 8 && !reader->failed; i++)
        bits = bits << 8 | *reader->at++;
    return (int64_t)(bits ^ (UINT64_C(1) << 63));
}

void write_pane_key(struct buffer *out, const struct task_state *task, const struct pane *pane) {
    write_bytes(out, slice_from(task->definition->name));
    write_bytes(out, pane->group->text);
    write_ordered(out, pane->start_ms);
    write_ordered(out, pane->epoch);
}

static void write_clock_key(struct buffer *out, const struct task_state *task,
                            const struct source_clock *clock) {
    buffer_append(out, "c", 1);
    write_bytes(out, slice_from(task->definition->name));
    write_ordered(out, clock->partition);
    write_ordered(out, clock->epoch);
}

static void write_view_key(struct buffer *out, const struct task_state *task,
                           const struct view *view) {
    const struct frame *frame = view->frame;
    buffer_append(out, "w", 1);
    write_bytes(out, slice_from(task->definition->name));
    write_bytes(out, slice_from(task->definition->windows[frame->window].name));
    write_ordered(out, frame->end_ms);
    write_ordered(out, frame->start_ms);
    write_bytes(out, view->group->text);
}

/* --- writing ------------------------------------------------------------------------------- */

static void add_put(struct store_puts *puts, struct arena *arena, struct family family,
                    struct slice key, struct slice value, bool is_delete) {
    if (puts->count == puts->capacity) {
        puts->capacity = puts->capacity ? puts->capacity * 2 : 256;
        puts->items = alloc_resize(puts->items, puts->capacity, sizeof *puts->items);
    }
    puts->items[puts->count++] = (struct store_put){.family = family,
                                                    .key = arena_copy(arena, key),
                                                    .value = arena_copy(arena, value),
                                                    .is_delete = is_delete};
}

void forget_pane(struct task_stage *stage, const struct task_state *task, const struct pane *pane) {
    struct buffer key;
    buffer_init(&key, 1 << 20);
    write_pane_key(&key, task, pane);
    add_put(&stage->deletes, &stage->delete_arena, panes, buffer_slice(&key), SLICE(""), true);
    buffer_release(&key);
}

void forget_view(void *context, const struct view *view) {
    struct task_stage *stage = context;
    struct buffer key;
    buffer_init(&key, 1 << 20);
    write_view_key(&key, &stage->tasks[view->frame->task], view);
    add_put(&stage->deletes, &stage->delete_arena, meta, buffer_slice(&key), SLICE(""), true);
    buffer_release(&key);
}

/* Adds what stage->key and stage->value hold, and empties them. */
static void put(struct task_stage *stage, struct store_puts *puts, struct family family) {
    add_put(puts, &stage->commit_arena, family, buffer_slice(&stage->key),
            buffer_slice(&stage->value), false);
    buffer_reset(&stage->key);
    buffer_reset(&stage->value);
}

static void put_pane(struct task_stage *stage, const struct task_state *task,
                     const struct pane *pane, struct store_puts *puts) {
    struct slice sources = pane_sources(pane);
    if (sources.size == 0)
        return;
    write_pane_key(&stage->key, task, pane);
    write_long(&stage->value, pane->end_ms);
    buffer_append(&stage->value, sources.data, sources.size);
    put(stage, puts, panes);
}

static void put_view(struct task_stage *stage, const struct task_state *task,
                     const struct view *view, struct store_puts *puts) {
    write_view_key(&stage->key, task, view);
    write_long(&stage->value,
               (view->is_revised ? VIEW_REVISED : 0) | (view->is_waiting ? VIEW_WAITING : 0));
    write_long(&stage->value, (int64_t)task->definition->fingerprint);
    for (int m = 0; m < task->definition->metric_count; m++)
        write_long(&stage->value, (int64_t)view->published[m]);
    put(stage, puts, meta);
}

static void put_clock(struct task_stage *stage, const struct task_state *task,
                      const struct source_clock *clock, struct store_puts *puts) {
    write_clock_key(&stage->key, task, clock);
    const int64_t fields[] = {clock->from_ms,
                              clock->until_ms,
                              clock->before_ms[BOUNDARY_SEALED],
                              clock->before_ms[BOUNDARY_FINAL],
                              clock->prediction_clock_ms,
                              clock->feedback_clock_ms,
                              clock->position_predictions,
                              clock->position_feedback,
                              clock->is_unsaid};
    for (size_t i = 0; i < COUNT_OF(fields); i++)
        write_long(&stage->value, fields[i]);
    put(stage, puts, meta);
}

static void put_task(struct task_stage *stage, struct task_state *task, struct store_puts *puts) {
    for (size_t i = 0; i < task->table.changed.count; i++) {
        if (!task->table.changed.items[i]->is_removed)
            put_pane(stage, task, task->table.changed.items[i], puts);
    }
    for (size_t i = 0; i < task->windows.changed.count; i++) {
        if (!task->windows.changed.items[i]->is_removed)
            put_view(stage, task, task->windows.changed.items[i], puts);
    }
    for (size_t i = 0; i < task->clocks.count; i++) {
        if (task->clocks.items[i].is_changed)
            put_clock(stage, task, &task->clocks.items[i], puts);
        task->clocks.items[i].is_changed = false;
    }
}

static void put_position(struct task_stage *stage, struct store_puts *puts) {
    buffer_append(&stage->key, "p", 1);
    write_long(&stage->value, FORMAT_VERSION);
    write_long(&stage->value, stage->position);
    write_long(&stage->value, stage->options.incarnation);
    put(stage, puts, meta);
}

size_t stage_changed_count(const struct task_stage *stage) {
    size_t count = stage->deletes.count;
    for (int t = 0; t < stage->task_count; t++)
        count += stage->tasks[t].table.changed.count + stage->tasks[t].windows.changed.count;
    return count;
}

static void sweep(struct task_stage *stage) {
    for (int t = 0; t < stage->task_count; t++) {
        table_sweep(&stage->tasks[t].table);
        windows_sweep(&stage->tasks[t].windows);
    }
    stage->deletes.count = 0;
    arena_reset(&stage->delete_arena);
    stage->changed_bytes = 0;
    stage->flushed_position = stage->position;
}

enum status stage_flush(struct task_stage *stage, struct error *err) {
    struct store_puts puts = {0};
    arena_reset(&stage->commit_arena);
    buffer_reset(&stage->key);
    buffer_reset(&stage->value);
    for (size_t i = 0; i < stage->deletes.count; i++) {
        const struct store_put *gone = &stage->deletes.items[i];
        add_put(&puts, &stage->commit_arena, gone->family, gone->key, gone->value, true);
    }
    for (int t = 0; t < stage->task_count; t++)
        put_task(stage, &stage->tasks[t], &puts);
    put_position(stage, &puts);
    struct store *store = stage->options.store;
    enum status status = store->ops->flush(store, NULL, 0, puts.items, puts.count, err);
    free(puts.items);
    arena_reset(&stage->commit_arena);
    TRY(status);
    sweep(stage);
    return STATUS_OK;
}

/* --- reading ------------------------------------------------------------------------------- */

static bool load_position(struct task_stage *stage, struct slice value) {
    struct reader reader = reader_from(value);
    int64_t format = read_long(&reader), position = read_long(&reader);
    int64_t incarnation = read_long(&reader);
    if (!reader_done(&reader) || format != FORMAT_VERSION || position < 0 ||
        incarnation != stage->options.incarnation)
        return false;
    stage->position = position;
    return true;
}

static bool load_clock(struct task_stage *stage, struct reader *key, struct slice value) {
    struct task_state *task = stage_find_task(stage, read_bytes(key));
    struct source_clock clock = {.partition = (int32_t)read_ordered(key)};
    clock.epoch = read_ordered(key);
    int64_t is_unsaid;
    struct reader reader = reader_from(value);
    int64_t *const fields[] = {&clock.from_ms,
                               &clock.until_ms,
                               &clock.before_ms[BOUNDARY_SEALED],
                               &clock.before_ms[BOUNDARY_FINAL],
                               &clock.prediction_clock_ms,
                               &clock.feedback_clock_ms,
                               &clock.position_predictions,
                               &clock.position_feedback,
                               &is_unsaid};
    for (size_t i = 0; i < COUNT_OF(fields); i++)
        *fields[i] = read_long(&reader);
    clock.is_unsaid = is_unsaid != 0;
    if (!reader_done(key) || !reader_done(&reader))
        return false;
    return !task || clocks_put(&task->clocks, &clock);
}

/* Hashes of another definition's metrics say nothing about ours. */
static void load_published(const struct task_definition *definition, struct reader *reader,
                           struct view *view) {
    if (read_long(reader) != (int64_t)definition->fingerprint)
        return;
    for (int m = 0; m < definition->metric_count; m++)
        view->published[m] = (uint64_t)read_long(reader);
}

static bool load_view(struct task_stage *stage, struct reader *key, struct slice value) {
    struct task_state *task = stage_find_task(stage, read_bytes(key));
    struct slice name = read_bytes(key);
    int64_t end_ms = read_ordered(key), start_ms = read_ordered(key);
    struct slice group = read_bytes(key);
    struct reader reader = reader_from(value);
    int64_t flags = read_long(&reader);
    if (!reader_done(key) || reader.failed)
        return false;
    int window = task ? stage_find_window(task->definition, name) : -1;
    if (window < 0)
        return true;
    struct view *view = windows_view(&task->windows, &task->clocks, window, start_ms, end_ms,
                                     table_group(&task->table, group));
    view->is_stored = true;
    view->is_revised = (flags & VIEW_REVISED) != 0;
    load_published(task->definition, &reader, view);
    if (flags & VIEW_WAITING)
        windows_wait(&task->windows, view);
    return !reader.failed;
}

struct load {
    struct task_stage *stage;
    struct error *err;
};

enum status store_is_corrupt(struct error *err, const char *what) {
    return error_set(err, STATUS_CORRUPT,
                     "stage 2 store: %s: delete its directory, it is built again from the partials",
                     what);
}

static enum status load_meta(void *context, struct slice key, struct slice value) {
    struct load *load = context;
    if (key.size == 0)
        return store_is_corrupt(load->err, "an empty key");
    struct reader rest = reader_from((struct slice){key.data + 1, key.size - 1});
    if (key.data[0] == 'c' && load_clock(load->stage, &rest, value))
        return STATUS_OK;
    if (key.data[0] == 'p' && load_position(load->stage, value))
        return STATUS_OK;
    if (key.data[0] == 'w' && load_view(load->stage, &rest, value))
        return STATUS_OK;
    return store_is_corrupt(load->err,
                            key.data[0] == 'p' ? "of another topic or version" : "bad meta data");
}

bool read_stored_pane(struct slice value, int64_t *out_end_ms, struct slice *out_sources) {
    struct reader reader = reader_from(value);
    *out_end_ms = read_long(&reader);
    *out_sources = (struct slice){(const char *)reader.at, (size_t)(reader.end - reader.at)};
    return !reader.failed;
}

static enum status load_pane(void *context, struct slice key, struct slice value) {
    struct load *load = context;
    struct reader names = reader_from(key);
    struct task_state *task = stage_find_task(load->stage, read_bytes(&names));
    struct slice group = read_bytes(&names);
    int64_t start_ms = read_ordered(&names), epoch = read_ordered(&names);
    int64_t end_ms;
    struct slice sources;
    if (!read_stored_pane(value, &end_ms, &sources) || !reader_done(&names))
        return store_is_corrupt(load->err, "a bad pane");
    if (!task)
        return STATUS_OK;
    struct pane *pane = stage_pane(task, group, start_ms, end_ms, epoch);
    if (!pane || !table_load(&task->table, pane, sources))
        return store_is_corrupt(load->err, "a pane that is none");
    if (stage_is_full(load->stage))
        table_evict(&task->table, pane);
    return STATUS_OK;
}

enum status stage_load(struct task_stage *stage, struct error *err) {
    struct store *store = stage->options.store;
    struct load load = {stage, err};
    TRY(store->ops->scan(store, meta, load_meta, &load, err));
    TRY(store->ops->scan(store, panes, load_pane, &load, err));
    for (int t = 0; t < stage->task_count; t++) {
        table_sweep(&stage->tasks[t].table);
        windows_sweep(&stage->tasks[t].windows);
    }
    stage->flushed_position = stage->position;
    return STATUS_OK;
}
