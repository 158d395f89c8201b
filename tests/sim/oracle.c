/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/oracle.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct row {
    const struct input_record *prediction, *label; /* label: the one that counts */
    int task;
    int64_t segment, joined;
    char groups[GROUPINGS_MAX + 1][TEXT_MAX];
};

struct pass { /* over one partition */
    const struct world *world;
    const struct outcome *given;
    struct oracle *out;
    int partition;
    int64_t clock;
    int64_t newest_from_ms; /* of the first task's newest epoch, here */
    struct row *rows;
    size_t row_count;
    char admitted[TASKS_MAX][GROUPINGS_MAX][64][TEXT_MAX];
    uint32_t admitted_count[TASKS_MAX][GROUPINGS_MAX];
};

static int64_t floor_to(int64_t time_ms, int64_t step_ms) {
    int64_t rest = time_ms % step_ms;
    return time_ms - (rest < 0 ? rest + step_ms : rest);
}

static void letter(struct pass *pass, const struct input_record *record, enum log_side log,
                   int task, const char *code) {
    struct oracle *out = pass->out;
    if (out->letter_count == out->letter_capacity) {
        out->letter_capacity = out->letter_capacity * 2 + 16;
        out->letters = realloc(out->letters, out->letter_capacity * sizeof *out->letters);
    }
    bool is_tainted = log == LOG_FEEDBACK && world_is_breach(pass->world, record->id);
    out->letters[out->letter_count++] =
        (struct oracle_letter){pass->partition, log, record->offset, task, code, is_tainted};
}

static const char *undecodable_code(enum refusal refusal) {
    return refusal == REFUSAL_UNDECODABLE ? "UNDECODABLE" : "MISSING_FIELD";
}

/* By the wall clock of the first reading, which was not before the record was there. */
static bool is_refused_by_wall(const struct pass *pass, const struct input_record *record,
                               enum log_side log) {
    const struct place place = {pass->partition, log, record->offset};
    if (record->time_ms <= pass->clock || record->time_ms <= record->append_ms)
        return false;
    return world_is_far(pass->world, record) ||
           place_is_among(pass->given->futures, pass->given->future_count, &place);
}

/* The rules of a log, before any task sees the record. */
static bool accept(struct pass *pass, const struct input_record *record, enum log_side log,
                   int64_t disorder_ms) {
    const char *code = NULL;
    if (record->refusal != REFUSAL_NONE)
        code = undecodable_code(record->refusal);
    else if (record->time_ms > record->record_ms + pass->world->config.skew_ms ||
             is_refused_by_wall(pass, record, log))
        code = "FUTURE";
    else if (pass->clock != TIME_NONE && record->time_ms < pass->clock - disorder_ms)
        code = "LATE";
    if (code) {
        letter(pass, record, log, -1, code);
        return false;
    }
    if (record->time_ms > pass->clock)
        pass->clock = record->time_ms;
    return true;
}

static void decide(struct pass *pass, enum log_side log, int64_t offset) {
    for (size_t i = 0; i < pass->given->decision_count; i++) {
        const struct decision *at = &pass->given->decisions[i];
        if (at->partition == pass->partition && at->log == log && at->offset <= offset &&
            at->time_ms > pass->clock)
            pass->clock = at->time_ms;
    }
}

/* The definition of this name that covers this event time; -1: none. */
static int definition_at(const struct pass *pass, int name, int64_t time_ms) {
    const struct world *world = pass->world;
    bool has_epochs = name == 0 && world->switch_ms;
    if (has_epochs && time_ms >= pass->newest_from_ms)
        return name;
    int oldest = has_epochs ? world->config.task_count - 1 : name;
    return time_ms >= world->tasks[oldest].effective_from_ms ? oldest : -1;
}

/* ---- predictions ---- */

static bool is_admitted(struct pass *pass, int task, int grouping, const char *text) {
    uint32_t *count = &pass->admitted_count[task][grouping];
    for (uint32_t i = 0; i < *count; i++)
        if (strcmp(pass->admitted[task][grouping][i], text) == 0)
            return true;
    if (*count >= pass->world->tasks[task].groups_max)
        return false;
    memcpy(pass->admitted[task][grouping][(*count)++], text, TEXT_MAX);
    return true;
}

static void name_groups(struct pass *pass, struct row *row) {
    const struct task_definition *task = &pass->world->tasks[row->task];
    snprintf(row->groups[0], TEXT_MAX, "all");
    for (int i = 0; i < task->grouping_count; i++) {
        const struct grouping_definition *grouping = &task->groupings[i];
        char text[TEXT_MAX] = "";
        bool is_missing = false;
        for (int k = 0; k < grouping->column_count; k++) {
            const char *part = grouping->columns[k] == COLUMN_ZONE ? row->prediction->zone
                                                                   : row->prediction->vendor;
            is_missing = is_missing || !part[0];
            size_t used = strlen(text);
            snprintf(text + used, sizeof text - used, "%s%s", k ? "," : "", part);
        }
        bool is_known = is_missing || is_admitted(pass, row->task, i, text);
        snprintf(row->groups[i + 1], TEXT_MAX, "%.20s%s%.30s", grouping->name,
                 is_missing ? "~missing"
                 : is_known ? "="
                            : "~other",
                 is_missing || !is_known ? "" : text);
    }
}

static void predict(struct pass *pass, const struct input_record *record, int name) {
    struct oracle_counts *counts = &pass->out->counts[pass->partition];
    int number = definition_at(pass, name, record->time_ms);
    if (number < 0) {
        letter(pass, record, LOG_PREDICTIONS, name, "BEFORE_EPOCH");
        return;
    }
    const struct task_definition *task = &pass->world->tasks[number];
    if (task->where_column >= 0 && record->kind != task->where_value.data[0]) {
        counts->filtered++;
        return;
    }
    if (record->score > 1) {
        letter(pass, record, LOG_PREDICTIONS, name, "SCORE_RANGE");
        return;
    }
    int64_t segment = floor_to(record->time_ms, task->segment_ms);
    for (size_t i = 0; i < pass->row_count; i++) {
        const struct row *row = &pass->rows[i];
        if (row->task == number && row->segment == segment &&
            strcmp(row->prediction->id, record->id) == 0) {
            counts->duplicates++;
            return;
        }
    }
    counts->predicted++;
    struct row *row = &pass->rows[pass->row_count++];
    *row = (struct row){.prediction = record, .task = number, .segment = segment};
    name_groups(pass, row);
}

/* ---- labels ---- */

/* Is the row in a segment that the label names? */
static bool is_named(const struct pass *pass, const struct input_record *record,
                     const struct row *row, int name) {
    const struct task_definition *task = &pass->world->tasks[row->task];
    int64_t u = record->time_ms, skew_ms = pass->world->config.skew_ms;
    if (world_name_of(pass->world, row->task) != name ||
        strcmp(row->prediction->id, record->id) != 0)
        return false;
    if (record->prediction_ms != TIME_NONE)
        return definition_at(pass, name, record->prediction_ms) == row->task &&
               row->segment == floor_to(record->prediction_ms, task->segment_ms);
    return row->segment >= floor_to(u - task->horizon_ms, task->segment_ms) &&
           row->segment <= floor_to(u + skew_ms, task->segment_ms);
}

/* Of the rows that are named the newest whose lag is not below -skew. */
static struct row *newest(struct pass *pass, const struct input_record *record, int name) {
    struct row *best = NULL;
    for (size_t i = 0; i < pass->row_count; i++) {
        struct row *row = &pass->rows[i];
        if (!is_named(pass, record, row, name) ||
            record->time_ms - row->prediction->time_ms < -pass->world->config.skew_ms)
            continue;
        if (!best || row->segment > best->segment)
            best = row;
    }
    return best;
}

static bool is_overflow(const struct pass *pass, int task, int64_t offset) {
    const struct overflow *overflows = pass->given->overflows;
    for (size_t i = 0; i < pass->given->overflow_count; i++)
        if (overflows[i].partition == pass->partition && overflows[i].task == task &&
            overflows[i].offset == offset)
            return true;
    return false;
}

/* The definition that covers the last prediction that it could join. */
static int definition_of(const struct pass *pass, const struct input_record *record, int name) {
    int64_t latest_ms = record->prediction_ms != TIME_NONE
                            ? record->prediction_ms
                            : record->time_ms + pass->world->config.skew_ms;
    return definition_at(pass, name, latest_ms);
}

/* Joins the row, or says why not. */
static const char *label(struct pass *pass, const struct input_record *record, int name) {
    int64_t u = record->time_ms;
    int number = definition_of(pass, record, name);
    if (number < 0)
        return "BEFORE_EPOCH";
    if (record->label > 1)
        return "BAD_LABEL";
    if (record->prediction_ms != TIME_NONE) {
        if (u - record->prediction_ms > pass->world->tasks[number].horizon_ms)
            return "BEYOND_HORIZON";
        if (record->prediction_ms - u > pass->world->config.skew_ms)
            return "BEFORE_PREDICTION";
    }
    struct row *row = newest(pass, record, name);
    if (!row)
        return "UNMATCHED";
    if (u - row->prediction->time_ms > pass->world->tasks[row->task].horizon_ms)
        return "BEYOND_HORIZON";
    if (row->joined++ > 0)
        pass->out->counts[pass->partition].superseded++;
    if (!row->label || u >= row->label->time_ms)
        row->label = record;
    return NULL;
}

/* ---- cells ---- */

static struct oracle_cell *cell_of(struct oracle *out, const struct row *row, int partition,
                                   const char *group, int64_t pane_ms) {
    for (size_t i = 0; i < out->cell_count; i++) {
        struct oracle_cell *cell = &out->cells[i];
        if (cell->task == row->task && cell->partition == partition && cell->pane_ms == pane_ms &&
            strcmp(cell->group, group) == 0)
            return cell;
    }
    if (out->cell_count == out->cell_capacity) {
        out->cell_capacity = out->cell_capacity * 2 + 64;
        out->cells = realloc(out->cells, out->cell_capacity * sizeof *out->cells);
    }
    struct oracle_cell *cell = &out->cells[out->cell_count++];
    *cell = (struct oracle_cell){.task = row->task, .partition = partition, .pane_ms = pane_ms};
    memcpy(cell->group, group, TEXT_MAX);
    return cell;
}

static int128 fixed(double x) {
    return (int128)nearbyint(x * 4294967296.0);
}

static void add_label(struct oracle_cell *cell, double score, int truth, double threshold) {
    bool is_positive = score >= threshold;
    double p = score < 1e-15 ? 1e-15 : score > 1 - 1e-15 ? 1 - 1e-15 : score;
    cell->labelled++;
    cell->tp += truth && is_positive;
    cell->fp += !truth && is_positive;
    cell->tn += !truth && !is_positive;
    cell->fn += truth && !is_positive;
    cell->brier += fixed((score - truth) * (score - truth));
    cell->log_loss += fixed(truth ? -log(p) : -log1p(-p));
}

static void count_row(struct pass *pass, const struct row *row) {
    const struct task_definition *task = &pass->world->tasks[row->task];
    int64_t pane_ms = floor_to(row->prediction->time_ms, task->pane_ms);
    for (int i = 0; i <= task->grouping_count; i++) {
        struct oracle_cell *cell =
            cell_of(pass->out, row, pass->partition, row->groups[i], pane_ms);
        cell->predicted++;
        if (world_is_breach(pass->world, row->prediction->id))
            cell->is_tainted = true;
        if (row->label)
            add_label(cell, row->prediction->score, row->label->label, task->threshold);
    }
    pass->out->counts[pass->partition].labelled += row->label != NULL;
}

/* ---- passes ---- */

/* Older definitions stand behind the newest of every name. */
static int name_count(const struct world *world) {
    return world->config.task_count - (world->switch_ms ? 1 : 0);
}

static void pass_predictions(struct pass *pass) {
    const struct input_log *log = &pass->world->logs[pass->partition][LOG_PREDICTIONS];
    pass->clock = TIME_NONE;
    for (size_t i = 0; i < log->count; i++) {
        decide(pass, LOG_PREDICTIONS, log->records[i].offset);
        if (accept(pass, &log->records[i], LOG_PREDICTIONS,
                   pass->world->config.predictions.disorder_max_ms))
            for (int task = 0; task < name_count(pass->world); task++)
                predict(pass, &log->records[i], task);
    }
}

static void pass_feedback(struct pass *pass) {
    const struct input_log *log = &pass->world->logs[pass->partition][LOG_FEEDBACK];
    pass->clock = TIME_NONE;
    for (size_t i = 0; i < log->count; i++) {
        const struct input_record *record = &log->records[i];
        decide(pass, LOG_FEEDBACK, record->offset);
        if (!accept(pass, record, LOG_FEEDBACK, pass->world->config.feedback.disorder_max_ms))
            continue;
        for (int task = 0; task < name_count(pass->world); task++) {
            const struct task_definition *definition = &pass->world->tasks[task];
            if (definition_of(pass, record, task) >= 0 && definition->feedback_where_column >= 0 &&
                record->kind != definition->feedback_where_value.data[0]) {
                pass->out->counts[pass->partition].filtered++;
                continue;
            }
            bool is_over = is_overflow(pass, task, record->offset);
            const char *code = is_over ? "ORPHAN_LIMIT" : label(pass, record, task);
            if (code)
                letter(pass, record, LOG_FEEDBACK, task, code);
        }
    }
}

void oracle_run(const struct world *world, const struct outcome *outcome,
                struct oracle *out_oracle) {
    *out_oracle = (struct oracle){0};
    struct pass *pass = malloc(sizeof *pass);
    for (int i = 0; i < world->partitions; i++) {
        memset(pass, 0, sizeof *pass);
        pass->world = world;
        pass->given = outcome;
        pass->out = out_oracle;
        pass->partition = i;
        pass->newest_from_ms = outcome->starts.from_ms[i];
        size_t rows = (world->logs[i][LOG_PREDICTIONS].count + 1) * TASKS_MAX;
        pass->rows = malloc(rows * sizeof *pass->rows);
        pass_predictions(pass);
        pass_feedback(pass);
        for (size_t k = 0; k < pass->row_count; k++)
            count_row(pass, &pass->rows[k]);
        free(pass->rows);
    }
    free(pass);
}

void oracle_release(struct oracle *oracle) {
    free(oracle->cells);
    free(oracle->letters);
}
