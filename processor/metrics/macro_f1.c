/* SPDX-License-Identifier: Apache-2.0 */
#include "metrics/estimates.h"

struct class_scores {
    double size[CLASSES_MAX]; /* labelled so + predicted so = 2 TP + FP + FN */
    double f1[CLASSES_MAX];   /* 0 for an absent class */
    int present;
};

static void score_classes(const struct tables *tables, uint32_t classes,
                          struct class_scores *scores) {
    for (uint32_t label = 0; label < classes; label++) {
        for (uint32_t said = 0; said < classes; said++) {
            double count = (double)tables_confusion(tables, label, said);
            scores->size[label] += count;
            scores->size[said] += count;
        }
    }
    for (uint32_t class = 0; class < classes; class ++) {
        if (!(scores->size[class] > 0))
            continue;
        scores->present++;
        scores->f1[class] =
            2 * (double)tables_confusion(tables, class, class) / scores->size[class];
    }
}

/* Derivative of the mean by the count of this cell (delta method). */
static double influence_of(const struct class_scores *scores, uint32_t label, uint32_t said) {
    if (!(scores->size[label] > 0 && scores->size[said] > 0))
        return 0;
    double by_label = -scores->f1[label] / scores->size[label];
    double by_said = -scores->f1[said] / scores->size[said];
    double hit = label == said ? 2 / scores->size[label] : 0;
    return (by_label + by_said + hit) / scores->present;
}

static void estimate(const struct tables *tables, const struct shape *shape, uint32_t first_sum,
                     double parameter, double level, struct estimate *out_estimate) {
    (void)first_sum;
    (void)parameter;
    struct class_scores scores = {0};
    uint32_t classes = shape->class_count;
    double mean = 0, variance = 0;
    estimate_none(out_estimate);
    score_classes(tables, classes, &scores);
    if (scores.present == 0)
        return;
    for (uint32_t class = 0; class < classes; class ++)
        mean += scores.f1[class] / scores.present;
    for (uint32_t label = 0; label < classes; label++) {
        for (uint32_t said = 0; said < classes; said++) {
            double influence = influence_of(&scores, label, said);
            variance += (double)tables_confusion(tables, label, said) * influence * influence;
        }
    }
    struct spread spread = {.variance = variance, .most = 1, .method = INTERVAL_NORMAL};
    estimate_spread(tables, mean, tables_labelled(tables), &spread, level, out_estimate);
}

const struct metric metric_macro_f1 = {
    .name = "macro_f1",
    .summary = "mean of 2 TP / (2 TP + FP + FN) over the classes that occur as label or as "
               "prediction of a labelled record",
    .version = 1,
    .kinds = 1U << TASK_MULTICLASS,
    .sum_count = 0,
    .parameter = 0,
    .add = metric_adds_nothing,
    .estimate = estimate,
};
