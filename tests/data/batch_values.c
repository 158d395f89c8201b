/* batch_values.c -- the textbook's formulas.  SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/batch.h"
#include "data/table.h"

enum { CLASSES_MAX = 50, BINS = 16 };

/* Sums of losses, which squares of a mistyped distance may carry beyond 64 bits. */
__extension__ typedef __int128 wide;

static const double least_probability = 1e-15;

struct confusion {
    double tp, fp, tn, fn;
};

static void put(struct values *values, const char *metric, const char *rule, double value) {
    values->list[values->count++] = (struct value){metric, rule, value, !isnan(value)};
}

/* NAN for no denominator. */
static double ratio(double numerator, double denominator) {
    return denominator > 0 ? numerator / denominator : NAN;
}

static wide fixed(double x) {
    return (wide)nearbyint(x * 4294967296.0);
}

static double mean(wide sum, size_t count) {
    return ratio((double)sum / 4294967296.0, (double)count);
}

static int by_score(const void *left, const void *right) {
    const struct row *a = *(const struct row *const *)left, *b = *(const struct row *const *)right;
    return (a->output > b->output) - (a->output < b->output);
}

static int by_lag(const void *left, const void *right) {
    const struct row *a = *(const struct row *const *)left, *b = *(const struct row *const *)right;
    return (a->lag_ms > b->lag_ms) - (a->lag_ms < b->lag_ms);
}

/* How far a label came before its prediction is not kept: a median there is none. */
static double lag_of(const struct row *row) {
    return row->lag_ms > 0 ? (double)row->lag_ms : NAN;
}

static void confuse(const struct row *const *rows, size_t count, struct confusion *out_counts) {
    *out_counts = (struct confusion){0};
    for (size_t i = 0; i < count; i++) {
        bool said = rows[i]->output >= 0.5, is = rows[i]->label > 0.5;
        out_counts->tp += said && is;
        out_counts->fp += said && !is;
        out_counts->fn += !said && is;
        out_counts->tn += !said && !is;
    }
}

static void put_counts(const struct confusion *counts, struct values *values) {
    double tp = counts->tp, fp = counts->fp, tn = counts->tn, fn = counts->fn;
    double recall = ratio(tp, tp + fn), specificity = ratio(tn, tn + fp);
    put(values, "accuracy", "exact", ratio(tp + tn, tp + tn + fp + fn));
    put(values, "precision", "exact", ratio(tp, tp + fp));
    put(values, "recall", "exact", recall);
    put(values, "specificity", "exact", specificity);
    put(values, "base_rate", "exact", ratio(tp + fn, tp + tn + fp + fn));
    put(values, "f1", "exact", ratio(2 * tp, 2 * tp + fp + fn));
    put(values, "balanced_accuracy", "near", (recall + specificity) / 2);
    put(values, "mcc", "near",
        ratio(tp * tn - fp * fn, sqrt(tp + fp) * sqrt(tp + fn) * sqrt(tn + fp) * sqrt(tn + fn)));
}

static void put_losses(const struct row *const *rows, size_t count, struct values *values) {
    wide squares = 0, logs = 0;
    for (size_t i = 0; i < count; i++) {
        double score = rows[i]->output, error = score - rows[i]->label;
        double inside = fmin(fmax(score, least_probability), 1 - least_probability);
        squares += fixed(error * error);
        logs += fixed(rows[i]->label > 0.5 ? -log(inside) : -log1p(-inside));
    }
    put(values, "brier", "exact", mean(squares, count));
    put(values, "log_loss", "exact", mean(logs, count));
}

/* Root of the debiased squared calibration error over 16 equal bins, as REFERENCE.md has it. */
static void put_calibration(const struct row *const *rows, size_t count, struct values *values) {
    double total = 0, support = 0;
    for (int bin = 0; bin < BINS; bin++) {
        double size = 0, labels = 0;
        wide scores = 0;
        for (size_t i = 0; i < count; i++) {
            if ((int)fmin(rows[i]->output * BINS, BINS - 1) != bin)
                continue;
            size += 1;
            labels += rows[i]->label;
            scores += fixed(rows[i]->output);
        }
        if (size < 2)
            continue;
        double rate = labels / size, gap = rate - (double)scores / 4294967296.0 / size;
        total += size * (gap * gap - rate * (1 - rate) / (size - 1));
        support += size;
    }
    put(values, "ece", "near", support > 0 ? sqrt(fmax(total / support, 0)) : NAN);
}

/* Rows by rising score.  Pairs won, ties half; and precision at each distinct score. */
static void put_ranking(const struct row *const *rows, size_t count, struct values *values) {
    double negatives = 0, positives = 0, wins = 0, all = 0, precisions = 0;
    for (size_t i = 0; i < count; i++)
        all += rows[i]->label;
    for (size_t i = 0, next; i < count; i = next) {
        double tied = 0, above = all - positives, ahead = (double)(count - i);
        for (next = i; next < count && by_score(&rows[next], &rows[i]) == 0; next++)
            tied += rows[next]->label;
        double others = (double)(next - i) - tied;
        wins += tied * (negatives + others / 2);
        precisions += tied * above / ahead;
        positives += tied;
        negatives += others;
    }
    put(values, "auc", "bound", ratio(wins, positives * negatives));
    put(values, "average_precision", "bound", ratio(precisions, positives));
}

static void put_errors(const struct row *const *rows, size_t count, struct values *values) {
    wide sizes = 0, squares = 0;
    for (size_t i = 0; i < count; i++) {
        double error = fabs(rows[i]->output - rows[i]->label);
        sizes += fixed(error);
        squares += fixed(error * error);
    }
    put(values, "mae", "exact", mean(sizes, count));
    put(values, "rmse", "exact", sqrt(mean(squares, count)));
}

static double f1_of(const struct row *const *rows, size_t count, const char *class) {
    struct confusion counts = {0};
    for (size_t i = 0; i < count; i++) {
        bool said = strcmp(rows[i]->class, class) == 0;
        bool is = strcmp(rows[i]->label_class, class) == 0;
        counts.tp += said && is;
        counts.fp += said && !is;
        counts.fn += !said && is;
    }
    return ratio(2 * counts.tp, 2 * counts.tp + counts.fp + counts.fn);
}

static void put_classes(const struct row *const *rows, size_t count, struct values *values) {
    const char *classes[CLASSES_MAX];
    size_t class_count = 0;
    double hits = 0, sum = 0;
    for (size_t i = 0; i < 2 * count; i++) {
        const char *class = i % 2 ? rows[i / 2]->class : rows[i / 2]->label_class;
        size_t known = 0;
        while (known < class_count && strcmp(classes[known], class) != 0)
            known++;
        if (known == CLASSES_MAX)
            fail("too many classes", class);
        if (known == class_count)
            classes[class_count++] = class;
    }
    for (size_t i = 0; i < count; i++)
        hits += strcmp(rows[i]->class, rows[i]->label_class) == 0;
    for (size_t i = 0; i < class_count; i++)
        sum += f1_of(rows, count, classes[i]);
    put(values, "accuracy", "exact", ratio(hits, (double)count));
    put(values, "macro_f1", "near", ratio(sum, (double)class_count));
}

void values_of(enum kind kind, const struct row *rows, size_t count, struct values *out_values) {
    const struct row **labelled = take(count, sizeof *labelled);
    size_t known = 0;
    for (size_t i = 0; i < count; i++)
        if (rows[i].is_labelled)
            labelled[known++] = &rows[i];
    out_values->labelled = known;
    put(out_values, "volume", "exact", (double)count);
    put(out_values, "label_coverage", "exact", ratio((double)known, (double)count));
    qsort(labelled, known, sizeof *labelled, by_lag);
    put(out_values, "lag", "bound", known ? lag_of(labelled[(known - 1) / 2]) : NAN);
    if (kind == KIND_BINARY) {
        struct confusion counts;
        confuse(labelled, known, &counts);
        put_counts(&counts, out_values);
        put_losses(labelled, known, out_values);
        put_calibration(labelled, known, out_values);
        qsort(labelled, known, sizeof *labelled, by_score);
        put_ranking(labelled, known, out_values);
    } else if (kind == KIND_MULTICLASS) {
        put_classes(labelled, known, out_values);
    } else {
        put_errors(labelled, known, out_values);
    }
    free(labelled);
}
