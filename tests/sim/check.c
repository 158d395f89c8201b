/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "metrics/metric.h"
#include "partial.h"
#include "task/sli.h"
#include "tests/sim/latest.h"

/* ---- partials ---- */

static int find_metric(const struct task_definition *task, const char *name) {
    for (int i = 0; i < task->metric_count; i++)
        if (strcmp(task->metrics[i].name, name) == 0)
            return i;
    return -1;
}

static bool same_sum(const struct tables *tables, const struct shape *shape, const char *name,
                     int128 expected) {
    int at = find_metric(shape->definition, name);
    return at < 0 || tables_sum(tables, shape->sum_offset[at]) == expected;
}

static bool same_cell(const struct tables *tables, const struct shape *shape,
                      const struct oracle_cell *cell) {
    return tables_predicted(tables) == cell->predicted &&
           tables_labelled(tables) == cell->labelled &&
           tables_confusion(tables, 1, 1) == cell->tp &&
           tables_confusion(tables, 0, 1) == cell->fp &&
           tables_confusion(tables, 0, 0) == cell->tn &&
           tables_confusion(tables, 1, 0) == cell->fn &&
           same_sum(tables, shape, "brier", cell->brier) &&
           same_sum(tables, shape, "log_loss", cell->log_loss);
}

static struct latest_entry *find_cell(const struct latest *latest, const struct world *world,
                                      const struct oracle_cell *cell) {
    struct buffer key;
    buffer_init(&key, 4096);
    const struct partial_key fields = {
        .family = PARTIAL_COUNTS,
        .task = slice_from(world->tasks[cell->task].name),
        .epoch = world->tasks[cell->task].epoch,
        .group = slice_from(cell->group),
        .pane_ms = cell->pane_ms,
        .partition = cell->partition,
    };
    partial_write_key(&fields, &key);
    struct latest_entry *entry = latest_find(latest, buffer_slice(&key));
    buffer_release(&key);
    return entry;
}

static bool check_cell(const struct latest *latest, const struct world *world,
                       const struct oracle_cell *cell, char out_failure[FAILURE_MAX]) {
    struct latest_entry *entry = find_cell(latest, world, cell);
    struct partial partial;
    const char *what = "no partial";
    struct tables *tables = tables_create();
    struct shape shape;
    shape_init(&shape, &world->tasks[cell->task]);
    if (entry && partial_read(entry->value, &partial)) {
        entry->is_seen = true;
        what = !tables_read(tables, &shape, partial.tables) ? "malformed tables"
               : same_cell(tables, &shape, cell)            ? NULL
                                                            : "another value";
    }
    if (what)
        snprintf(out_failure, FAILURE_MAX,
                 "partial: task %d partition %d pane %+lld s group %s: %s: predicted %lld for "
                 "%lld, labelled %lld for %lld, tp %lld for %lld",
                 cell->task, cell->partition, (long long)(cell->pane_ms - world->start_ms) / 1000,
                 cell->group, what, (long long)tables_predicted(tables), (long long)cell->predicted,
                 (long long)tables_labelled(tables), (long long)cell->labelled,
                 (long long)tables_confusion(tables, 1, 1), (long long)cell->tp);
    tables_destroy(tables);
    return !what || cell->is_tainted;
}

bool check_partials(const struct cluster *cluster, const struct oracle *oracle,
                    char out_failure[FAILURE_MAX]) {
    struct latest latest;
    latest_init(&latest, &cluster->broker, TOPIC_PARTIALS);
    bool is_right = true;
    for (size_t i = 0; i < oracle->cell_count && is_right; i++)
        is_right = check_cell(&latest, cluster->world, &oracle->cells[i], out_failure);
    for (size_t i = 0; i < latest.count && is_right; i++) {
        struct partial_key key;
        if (!partial_read_key(latest.entries[i].key, &key) || key.family != PARTIAL_COUNTS ||
            latest.entries[i].is_seen)
            continue;
        is_right = false;
        snprintf(out_failure, FAILURE_MAX, "partial: pane %+lld s group %.*s is not the oracle's",
                 (long long)(key.pane_ms - cluster->world->start_ms) / 1000, (int)key.group.size,
                 key.group.data);
    }
    latest_release(&latest);
    return is_right;
}

void check_epochs(const struct cluster *cluster, struct epoch_starts *out_starts) {
    struct latest latest;
    latest_init(&latest, &cluster->broker, TOPIC_PARTIALS);
    for (int i = 0; i < PARTITIONS_MAX; i++)
        out_starts->from_ms[i] = INT64_MAX;
    for (size_t i = 0; i < latest.count; i++) {
        struct clock_partial clock;
        if (clock_partial_read(latest.entries[i].value, &clock) && clock.key.epoch == 2)
            out_starts->from_ms[clock.key.partition] = clock.from_ms;
    }
    latest_release(&latest);
}

/* ---- dead letters ---- */

struct letter {
    enum log_side log;
    int partition, task;
    int64_t offset;
    char code[24];
};

static struct slice header(const struct broker_record *record, const char *name) {
    for (size_t i = 0; i < record->header_count; i++)
        if (strcmp(record->headers[i].name, name) == 0)
            return record->headers[i].value;
    return (struct slice){0};
}

static int64_t number(struct slice text) {
    char digits[24] = "";
    snprintf(digits, sizeof digits, "%.*s", (int)text.size, text.data ? text.data : "");
    return strtoll(digits, NULL, 10);
}

static void read_letter(const struct world *world, const struct broker_record *record,
                        struct letter *out) {
    struct slice topic = header(record, "slipstream.errors.topic");
    struct slice task = header(record, "slipstream.errors.task");
    struct slice code = header(record, "slipstream.errors.code");
    *out = (struct letter){
        .log = slice_equal(topic, SLICE("predictions")) ? LOG_PREDICTIONS : LOG_FEEDBACK,
        .partition = (int)number(header(record, "slipstream.errors.partition")),
        .task = -1,
        .offset = number(header(record, "slipstream.errors.offset")),
    };
    for (int i = world->config.task_count; i-- > 0;)
        if (slice_equal(task, slice_from(world->tasks[i].name)))
            out->task = i;
    snprintf(out->code, sizeof out->code, "%.*s", (int)code.size, code.data ? code.data : "");
}

static bool is_letter(const struct letter *a, const struct oracle_letter *b) {
    return a->log == b->log && a->partition == b->partition && a->task == b->task &&
           a->offset == b->offset && (b->is_tainted || strcmp(a->code, b->code) == 0);
}

/* A breach's letter may be there or not, with any code. */
static bool may_be(const struct world *world, const struct letter *letter) {
    if (letter->log != LOG_FEEDBACK)
        return false;
    const struct input_record *record =
        world_next(world, letter->partition, LOG_FEEDBACK, letter->offset);
    return record && world_is_breach(world, record->id);
}

static bool take_letter(const struct oracle *oracle, bool *taken, const struct letter *letter) {
    for (size_t i = 0; i < oracle->letter_count; i++)
        if (!taken[i] && is_letter(letter, &oracle->letters[i])) {
            taken[i] = true;
            return true;
        }
    return false;
}

static void count_letter(struct sim_counts *counts, const struct letter *letter) {
    counts->dead_letters++;
    for (int i = 0; i < REFUSAL_COUNT; i++)
        counts->refusals[i] += strcmp(refusal_code((enum refusal)i), letter->code) == 0;
}

bool check_letters(const struct cluster *cluster, const struct oracle *oracle,
                   char out_failure[FAILURE_MAX]) {
    const struct broker_log *log = &cluster->broker.logs[TOPIC_DEAD_LETTERS][0];
    bool *taken = alloc_zero(oracle->letter_count + 1, sizeof *taken);
    bool is_right = true;
    for (size_t i = 0; i < log->count && is_right; i++) {
        struct letter letter;
        if (log->records[i].state != RECORD_COMMITTED)
            continue;
        read_letter(cluster->world, &log->records[i], &letter);
        is_right = take_letter(oracle, taken, &letter) || may_be(cluster->world, &letter);
        count_letter(cluster->counts, &letter);
        if (!is_right)
            snprintf(out_failure, FAILURE_MAX,
                     "dead letter: log %d partition %d offset %lld task %d %s is not the oracle's",
                     letter.log, letter.partition, (long long)letter.offset, letter.task,
                     letter.code);
    }
    for (size_t i = 0; i < oracle->letter_count && is_right; i++) {
        const struct oracle_letter *at = &oracle->letters[i];
        is_right = taken[i] || at->is_tainted;
        if (!is_right)
            snprintf(out_failure, FAILURE_MAX,
                     "dead letter: log %d partition %d offset %lld task %d %s is missing", at->log,
                     at->partition, (long long)at->offset, at->task, at->code);
    }
    free(taken);
    return is_right;
}

struct whole_letter {
    uint64_t hash; /* of key, value and headers */
    const struct broker_record *record;
};

static int by_hash(const void *a, const void *b) {
    const struct whole_letter *x = a, *y = b;
    return (x->hash > y->hash) - (x->hash < y->hash);
}

static void add_text(struct buffer *out, struct slice text) {
    const unsigned char has = text.data != NULL;
    buffer_append(out, &has, 1);
    buffer_append(out, &text.size, sizeof text.size);
    buffer_append(out, text.data, text.size);
}

/* But for those of breaches.  The caller frees them. */
static size_t whole_letters(const struct cluster *cluster, struct whole_letter **out_letters) {
    const struct broker_log *log = &cluster->broker.logs[TOPIC_DEAD_LETTERS][0];
    struct buffer bytes;
    size_t count = 0;
    buffer_init(&bytes, 1 << 20);
    *out_letters = alloc_zero(log->count + 1, sizeof **out_letters);
    for (size_t i = 0; i < log->count; i++) {
        const struct broker_record *record = &log->records[i];
        struct letter letter;
        read_letter(cluster->world, record, &letter);
        if (record->state != RECORD_COMMITTED || may_be(cluster->world, &letter))
            continue;
        buffer_reset(&bytes);
        add_text(&bytes, record->key);
        add_text(&bytes, record->value);
        for (size_t k = 0; k < record->header_count; k++) {
            add_text(&bytes, slice_from(record->headers[k].name));
            add_text(&bytes, record->headers[k].value);
        }
        (*out_letters)[count++] = (struct whole_letter){hash64(buffer_slice(&bytes)), record};
    }
    buffer_release(&bytes);
    qsort(*out_letters, count, sizeof **out_letters, by_hash);
    return count;
}

bool check_equal_letters(const struct cluster *a, const struct cluster *b,
                         char out_failure[FAILURE_MAX]) {
    struct whole_letter *ours, *theirs;
    size_t count = whole_letters(a, &ours), others = whole_letters(b, &theirs), at = 0;
    while (at < count && at < others && ours[at].hash == theirs[at].hash)
        at++;
    bool is_right = at == count && at == others;
    if (!is_right) {
        struct letter letter;
        read_letter(a->world, at < count ? ours[at].record : theirs[at].record, &letter);
        snprintf(out_failure, FAILURE_MAX,
                 "dead letter: log %d partition %d offset %lld task %d %s is another record in the "
                 "undisturbed run",
                 letter.log, letter.partition, (long long)letter.offset, letter.task, letter.code);
    }
    free(ours);
    free(theirs);
    return is_right;
}

size_t check_overflows(const struct cluster *cluster, struct overflow *out_overflows, size_t most) {
    const struct broker_log *log = &cluster->broker.logs[TOPIC_DEAD_LETTERS][0];
    size_t count = 0;
    for (size_t i = 0; i < log->count && count < most; i++) {
        struct letter letter;
        if (log->records[i].state != RECORD_COMMITTED)
            continue;
        read_letter(cluster->world, &log->records[i], &letter);
        if (strcmp(letter.code, "ORPHAN_LIMIT") == 0)
            out_overflows[count++] =
                (struct overflow){letter.partition, letter.task, letter.offset};
    }
    return count;
}

static bool is_by_wall(const struct world *world, const struct letter *letter) {
    const struct input_record *record =
        world_next(world, letter->partition, letter->log, letter->offset);
    return strcmp(letter->code, "FUTURE") == 0 && record &&
           record->time_ms <= record->record_ms + world->config.skew_ms;
}

size_t check_futures(const struct cluster *cluster, struct place *out_places, size_t most) {
    const struct broker_log *log = &cluster->broker.logs[TOPIC_DEAD_LETTERS][0];
    size_t count = 0;
    for (size_t i = 0; i < log->count && count < most; i++) {
        struct letter letter;
        if (log->records[i].state != RECORD_COMMITTED)
            continue;
        read_letter(cluster->world, &log->records[i], &letter);
        if (is_by_wall(cluster->world, &letter))
            out_places[count++] = (struct place){letter.partition, letter.log, letter.offset};
    }
    return count;
}

/* ---- counters ---- */

bool check_counts(const struct cluster *cluster, const struct oracle *oracle,
                  char out_failure[FAILURE_MAX]) {
    for (int i = 0; i < cluster->world->partitions; i++) {
        const struct oracle_counts *expected = &oracle->counts[i];
        struct partition_stats stats = {0};
        partition_stats(cluster->workers[0].slots[STAGE_PARTITION][i].partition, &stats);
        bool is_sure = cluster->world->breach_count == 0;
        if (stats.predicted == expected->predicted && stats.duplicates == expected->duplicates &&
            stats.filtered == expected->filtered &&
            (!is_sure || stats.superseded == expected->superseded))
            continue;
        snprintf(out_failure, FAILURE_MAX,
                 "counters of partition %d: predicted %lld for %lld, duplicates %lld for %lld, "
                 "filtered %lld for %lld, superseded %lld for %lld",
                 i, (long long)stats.predicted, (long long)expected->predicted,
                 (long long)stats.duplicates, (long long)expected->duplicates,
                 (long long)stats.filtered, (long long)expected->filtered,
                 (long long)stats.superseded, (long long)expected->superseded);
        return false;
    }
    return true;
}
