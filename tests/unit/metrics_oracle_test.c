/* Every metric against the plain definition on the records themselves.
 * SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include "metrics/metric.h"

enum { RECORDS = 400, CLASSES = 6, CELLS = 64 };

static uint64_t random_state;

static double next_uniform(void) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (double)(random_state >> 11) * 0x1p-53;
}

struct world {
    struct task_definition definition;
    struct shape shape;
    struct pair pairs[RECORDS];
    struct label_part parts[RECORDS];
    struct tables *tables;
};

/* Scores in steps of 1/step; 0: continuous. */
static struct pair draw_pair(enum task_kind kind, double step) {
    struct pair pair = {.lag_ms = (int64_t)(1e7 * next_uniform() * next_uniform())};
    switch (kind) {
    case TASK_BINARY:
        pair.output.score = next_uniform();
        pair.label.value = next_uniform() < 0.2 + 0.5 * pair.output.score;
        if (step > 0)
            pair.output.score = (floor(pair.output.score * step) + 0.5) / step;
        break;
    case TASK_MULTICLASS:
        pair.label.class = (uint32_t)(CLASSES * next_uniform() * next_uniform());
        pair.output.class = pair.label.class;
        if (next_uniform() < 0.4)
            pair.output.class = (uint32_t)(CLASSES * next_uniform());
        break;
    case TASK_REGRESSION:
        pair.output.value = 50 * next_uniform();
        pair.label.value = pair.output.value + 20 * (next_uniform() - next_uniform());
        break;
    }
    return pair;
}

static void world_open(struct world *world, enum task_kind kind, double step) {
    struct task_definition *definition = &world->definition;
    *definition = (struct task_definition){
        .kind = kind, .threshold = 0.45, .level = 0.95, .cell_count = CELLS};
    definition->class_count = kind == TASK_MULTICLASS ? CLASSES + 1 : 0; /* one never occurs */
    for (size_t i = 0; i < metrics_count; i++) {
        if (metrics[i]->kinds & 1U << kind)
            definition->metrics[definition->metric_count++] =
                (struct metric_use){metrics[i], metrics[i]->name, metrics[i]->parameter};
    }
    shape_init(&world->shape, definition);
    world->tables = tables_create();
    for (int i = 0; i < RECORDS; i++) {
        world->pairs[i] = draw_pair(kind, step);
        label_part_of(&world->shape, &world->pairs[i], &world->parts[i]);
        tables_add_prediction(world->tables, &world->parts[i].prediction);
        tables_add_label(world->tables, &world->parts[i], 1);
    }
}

static struct estimate estimate_with(const struct world *world, const char *name,
                                     double parameter) {
    struct estimate estimate = {.has_value = false};
    for (int use = 0; use < world->definition.metric_count; use++) {
        const struct metric_use *metric_use = &world->definition.metrics[use];
        if (strcmp(metric_use->name, name) == 0)
            metric_use->metric->estimate(world->tables, &world->shape, world->shape.sum_offset[use],
                                         parameter, world->definition.level, &estimate);
    }
    return estimate;
}

static double value_of(const struct world *world, const char *name) {
    const struct metric *metric = metric_find(slice_from(name));
    assert_non_null(metric);
    struct estimate estimate = estimate_with(world, name, metric->parameter);
    assert_true(estimate.has_value);
    return estimate.value;
}

static bool is_true(const struct pair *pair) {
    return pair->label.value == 1;
}

static bool is_said(const struct pair *pair) {
    return pair->output.score >= 0.45;
}

/* Pair by pair: the share of (positive, negative) that are in order, ties one half. */
static double auc_by_pairs(const struct pair *pairs) {
    double wins = 0, all = 0;
    for (int i = 0; i < RECORDS; i++) {
        for (int j = 0; j < RECORDS; j++) {
            if (!is_true(&pairs[i]) || is_true(&pairs[j]))
                continue;
            double difference = pairs[i].output.score - pairs[j].output.score;
            wins += difference > 0 ? 1 : difference < 0 ? 0 : 0.5;
            all++;
        }
    }
    return wins / all;
}

/* Sum over thresholds, each at a score that occurs, from above. */
static double average_precision_by_thresholds(const struct pair *pairs) {
    double sum = 0, positives = 0, threshold = 2;
    for (int i = 0; i < RECORDS; i++)
        positives += is_true(&pairs[i]);
    for (double recalled = 0; threshold > 0;) {
        double next = -1, said = 0, hits = 0;
        for (int i = 0; i < RECORDS; i++) {
            if (pairs[i].output.score < threshold)
                next = fmax(next, pairs[i].output.score);
        }
        for (int i = 0; i < RECORDS; i++) {
            said += pairs[i].output.score >= next;
            hits += pairs[i].output.score >= next && is_true(&pairs[i]);
        }
        threshold = next;
        if (next >= 0)
            sum += (hits - recalled) / positives * hits / said;
        recalled = hits;
    }
    return sum;
}

TEST(ranking_metrics_stay_within_their_bounds) {
    random_state = test_seed(21) | 1;
    for (int round = 0; round < 30; round++) {
        struct world world;
        world_open(&world, TASK_BINARY, 0);
        struct estimate auc = estimate_with(&world, "auc", 0);
        struct estimate precision = estimate_with(&world, "average_precision", 0);
        assert_true(auc.error_bound > 0 && auc.error_bound < 0.02);
        assert_close(auc.value, auc_by_pairs(world.pairs), auc.error_bound);
        assert_true(precision.error_bound > 0 && precision.error_bound < 0.06);
        assert_close(precision.value, average_precision_by_thresholds(world.pairs),
                     precision.error_bound);
        tables_destroy(world.tables);
    }
}

/* One score a cell: ties are all there is within a cell. */
TEST(auc_is_exact_when_scores_are_cells) {
    random_state = test_seed(22) | 1;
    struct world world;
    world_open(&world, TASK_BINARY, CELLS);
    assert_close(value_of(&world, "auc"), auc_by_pairs(world.pairs), 1e-12);
    struct estimate precision = estimate_with(&world, "average_precision", 0);
    assert_close(precision.value, average_precision_by_thresholds(world.pairs),
                 precision.error_bound);
    tables_destroy(world.tables);
}

TEST(rates_are_counted_right) {
    random_state = test_seed(23) | 1;
    struct world world;
    world_open(&world, TASK_BINARY, 0);
    double hits = 0, said = 0, real = 0, right = 0, loss = 0, square = 0;
    for (int i = 0; i < RECORDS; i++) {
        const struct pair *pair = &world.pairs[i];
        double score = pair->output.score;
        hits += is_true(pair) && is_said(pair);
        said += is_said(pair);
        real += is_true(pair);
        right += is_true(pair) == is_said(pair);
        loss -= is_true(pair) ? log(score) : log(1 - score);
        square += pow(score - is_true(pair), 2);
    }
    double precision = hits / said, recall = hits / real;
    double specificity = (right - hits) / (RECORDS - real);
    assert_close(value_of(&world, "accuracy"), right / RECORDS, 1e-12);
    assert_close(value_of(&world, "precision"), precision, 1e-12);
    assert_close(value_of(&world, "recall"), recall, 1e-12);
    assert_close(value_of(&world, "specificity"), specificity, 1e-12);
    assert_close(value_of(&world, "base_rate"), real / RECORDS, 1e-12);
    assert_close(value_of(&world, "balanced_accuracy"), (recall + specificity) / 2, 1e-12);
    static const double betas[] = {0.5, 1, 2};
    for (size_t i = 0; i < COUNT_OF(betas); i++) {
        double beta = betas[i];
        assert_close(estimate_with(&world, "fbeta", beta).value,
                     (1 + beta * beta) * precision * recall / (beta * beta * precision + recall),
                     1e-12);
    }
    assert_close(value_of(&world, "log_loss"), loss / RECORDS, 0x1p-32);
    assert_close(value_of(&world, "brier"), square / RECORDS, 0x1p-32);
    tables_destroy(world.tables);
}

/* Matthews' coefficient is Pearson's correlation of the two 0/1 variables. */
TEST(mcc_is_a_correlation) {
    random_state = test_seed(24) | 1;
    struct world world;
    world_open(&world, TASK_BINARY, 0);
    double x = 0, y = 0, xy = 0;
    for (int i = 0; i < RECORDS; i++) {
        x += is_true(&world.pairs[i]);
        y += is_said(&world.pairs[i]);
        xy += is_true(&world.pairs[i]) && is_said(&world.pairs[i]);
    }
    x /= RECORDS;
    y /= RECORDS;
    xy /= RECORDS;
    double correlation = (xy - x * y) / sqrt(x * (1 - x) * y * (1 - y));
    assert_close(value_of(&world, "mcc"), correlation, 1e-12);
    tables_destroy(world.tables);
}

TEST(ece_is_the_debiased_gap_of_sixteen_bins) {
    random_state = test_seed(25) | 1;
    struct world world;
    world_open(&world, TASK_BINARY, 0);
    double sum = 0, used = 0;
    for (int bin = 0; bin < 16; bin++) {
        double count = 0, labels = 0, scores = 0;
        for (int i = 0; i < RECORDS; i++) {
            if ((int)(world.pairs[i].output.score * 16) != bin)
                continue;
            count++;
            labels += is_true(&world.pairs[i]);
            scores += world.pairs[i].output.score;
        }
        if (count < 2)
            continue;
        double rate = labels / count;
        sum += count * (pow(rate - scores / count, 2) - rate * (1 - rate) / (count - 1));
        used += count;
    }
    assert_true(sum > 0);
    assert_close(value_of(&world, "ece"), sqrt(sum / used), 1e-8);
    tables_destroy(world.tables);
}

TEST(multiclass_metrics_are_counted_right) {
    random_state = test_seed(26) | 1;
    struct world world;
    world_open(&world, TASK_MULTICLASS, 0);
    double right = 0, f1 = 0;
    for (uint32_t class = 0; class < CLASSES; class ++) {
        double hits = 0, said = 0, real = 0;
        for (int i = 0; i < RECORDS; i++) {
            hits += world.pairs[i].label.class == class && world.pairs[i].output.class == class;
            said += world.pairs[i].output.class == class;
            real += world.pairs[i].label.class == class;
        }
        right += hits;
        double precision = hits / said, recall = hits / real;
        f1 += 2 / (1 / precision + 1 / recall) / CLASSES;
    }
    assert_close(value_of(&world, "accuracy"), right / RECORDS, 1e-12);
    assert_close(value_of(&world, "macro_f1"), f1, 1e-12);
    tables_destroy(world.tables);
}

TEST(regression_errors_are_summed_right) {
    random_state = test_seed(27) | 1;
    struct world world;
    world_open(&world, TASK_REGRESSION, 0);
    double absolute = 0, square = 0;
    for (int i = 0; i < RECORDS; i++) {
        double error = world.pairs[i].output.value - world.pairs[i].label.value;
        absolute += fabs(error);
        square += error * error;
    }
    assert_close(value_of(&world, "mae"), absolute / RECORDS, 1e-9);
    assert_close(value_of(&world, "rmse"), sqrt(square / RECORDS), 1e-9);
    tables_destroy(world.tables);
}

static int compare_lags(const void *a, const void *b) {
    int64_t left = ((const struct pair *)a)->lag_ms, right = ((const struct pair *)b)->lag_ms;
    return (left > right) - (left < right);
}

TEST(lag_quantiles_stay_within_their_bins) {
    static const double orders[] = {0.1, 0.5, 0.9, 0.99};
    random_state = test_seed(28) | 1;
    struct world world;
    world_open(&world, TASK_REGRESSION, 0);
    qsort(world.pairs, RECORDS, sizeof world.pairs[0], compare_lags);
    for (size_t i = 0; i < COUNT_OF(orders); i++) {
        struct estimate lag = estimate_with(&world, "lag", orders[i]);
        double exact = (double)world.pairs[(int)ceil(orders[i] * RECORDS) - 1].lag_ms;
        assert_close(lag.value, exact, lag.error_bound);
        assert_true(lag.error_bound < 0.4 * lag.value);
    }
    tables_destroy(world.tables);
}

/* Labels from before their predictions, within the skew: how far is not kept. */
TEST(a_lag_of_nothing_or_less_is_not_called_zero) {
    random_state = test_seed(28) | 1;
    struct world world;
    world_open(&world, TASK_REGRESSION, 0);
    assert_true(estimate_with(&world, "lag", .5).has_value);
    for (int i = 0; i < RECORDS; i++)
        tables_add_label(world.tables, &world.parts[i], -1);
    for (int i = 0; i < RECORDS; i++) {
        world.pairs[i].lag_ms = -i;
        label_part_of(&world.shape, &world.pairs[i], &world.parts[i]);
        tables_add_label(world.tables, &world.parts[i], 1);
    }
    assert_false(estimate_with(&world, "lag", .5).has_value);
    tables_destroy(world.tables);
}

/* The jackknife (Quenouille 1949, Tukey 1958) knows nothing of derivatives: leave out each label in
 * turn. */
static double jackknife_variance(struct world *world, const char *name) {
    double sum = 0, squares = 0;
    for (int i = 0; i < RECORDS; i++) {
        tables_add_label(world->tables, &world->parts[i], -1);
        double value = value_of(world, name);
        tables_add_label(world->tables, &world->parts[i], 1);
        sum += value;
        squares += value * value;
    }
    return (squares - sum * sum / RECORDS) * (RECORDS - 1) / RECORDS;
}

TEST(standard_errors_are_those_of_the_jackknife) {
    random_state = test_seed(29) | 1;
    for (int kind = TASK_BINARY; kind <= TASK_REGRESSION; kind++) {
        struct world world;
        world_open(&world, (enum task_kind)kind, 0);
        for (int i = 0; i < 3 * RECORDS; i++) /* a quarter is labelled */
            tables_add_prediction(world.tables, &world.parts[i % RECORDS].prediction);
        for (int use = 0; use < world.definition.metric_count; use++) {
            const char *name = world.definition.metrics[use].name;
            struct estimate estimate =
                estimate_with(&world, name, world.definition.metrics[use].parameter);
            if (!estimate.has_interval || estimate.method == INTERVAL_WILSON)
                continue;
            double error = (estimate.high - estimate.low) / 2 / 1.959963984540054;
            double expected = sqrt(0.75 * jackknife_variance(&world, name));
            if (fabs(error / expected - 1) > 0.05)
                fail_msg("%s: %g, jackknife %g", name, error, expected);
        }
        tables_destroy(world.tables);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(ranking_metrics_stay_within_their_bounds),
        CASE(auc_is_exact_when_scores_are_cells),
        CASE(rates_are_counted_right),
        CASE(mcc_is_a_correlation),
        CASE(ece_is_the_debiased_gap_of_sixteen_bins),
        CASE(multiclass_metrics_are_counted_right),
        CASE(regression_errors_are_summed_right),
        CASE(lag_quantiles_stay_within_their_bins),
        CASE(a_lag_of_nothing_or_less_is_not_called_zero),
        CASE(standard_errors_are_those_of_the_jackknife),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
