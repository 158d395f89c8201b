/* The first thousand trips of TIPS, whose metrics are known from another implementation.
 * SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include "metrics/metric.h"
#include "stats/interval.h"
#include "stats/streams.h"

enum { TRIPS = 1000 };

static struct task_definition definition;
static struct shape shape;
static struct tables *tables;

/* labelled of the first TRIPS predictions have labels. */
static void fill(uint32_t cells, int labelled) {
    struct trip_parameters parameters;
    trip_parameters_default(&parameters);
    definition = (struct task_definition){
        .kind = TASK_BINARY, .threshold = 0.5, .level = 0.95, .cell_count = cells};
    for (size_t i = 0; i < metrics_count; i++) {
        if (metrics[i]->kinds & 1U << TASK_BINARY)
            definition.metrics[definition.metric_count++] =
                (struct metric_use){metrics[i], metrics[i]->name, metrics[i]->parameter};
    }
    shape_init(&shape, &definition);
    tables_destroy(tables);
    tables = tables_create();
    for (int i = 0; i < TRIPS; i++) {
        struct trip trip;
        struct label_part part;
        trip_item(&parameters, 1, (uint64_t)i, &trip);
        label_part_of(&shape,
                      &(struct pair){.output = {.score = trip.score},
                                     .label = {.value = trip.label},
                                     .lag_ms = 60000},
                      &part);
        tables_add_prediction(tables, &part.prediction);
        if (i < labelled)
            tables_add_label(tables, &part, 1);
    }
}

static struct estimate estimate_of(const char *name) {
    struct estimate estimate = {.has_value = false};
    for (int use = 0; use < definition.metric_count; use++) {
        if (strcmp(definition.metrics[use].name, name) == 0)
            definition.metrics[use].metric->estimate(tables, &shape, shape.sum_offset[use],
                                                     definition.metrics[use].parameter,
                                                     definition.level, &estimate);
    }
    assert_true(estimate.has_value);
    return estimate;
}

TEST(tips_has_its_golden_metrics) {
    fill(1024, TRIPS);
    assert_close(estimate_of("accuracy").value, 0.754, 1e-12);
    assert_close(estimate_of("precision").value, 0.736667, 5e-7);
    assert_close(estimate_of("recall").value, 0.833962, 5e-7);
    assert_close(estimate_of("log_loss").value, 0.519707145856, 1e-9);
    assert_close(estimate_of("brier").value, 0.170990645244, 1e-9);
    assert_close(estimate_of("base_rate").value, 0.53, 1e-12);
    assert_close(estimate_of("volume").value, 1000, 0);
    assert_close(estimate_of("label_coverage").value, 1, 0);
    assert_int_equal(estimate_of("precision").support, 600);
    assert_int_equal(estimate_of("recall").support, 530);
}

TEST(tips_has_its_golden_auc_from_cells) {
    fill(1024, TRIPS);
    struct estimate auc = estimate_of("auc");
    assert_close(auc.value, 0.814018466479, 1e-9);
    assert_close(auc.error_bound, 0.000417503011, 1e-9);
    assert_true(fabs(auc.value - 0.814026495383) <= auc.error_bound);
    assert_int_equal(auc.method, INTERVAL_DELONG);
}

/* With as many predictions again that have no label, the finite population leaves sqrt(1/2) of it.
 */
TEST(tips_has_its_golden_delong_error) {
    fill(1024, TRIPS);
    struct tables *full = tables;
    struct prediction_part part = {.cell = 0};
    for (int i = 0; i < TRIPS; i++)
        tables_add_prediction(full, &part);
    struct estimate auc = estimate_of("auc");
    double error = (auc.high - auc.low) / 2 / normal_deviate(0.95);
    assert_close(error, 0.013790520713 * sqrt(0.5), 1e-9);
}

TEST(tips_has_its_golden_average_precision_within_its_bound) {
    static const uint32_t cells[] = {16, 64, 256, 1024, 4096};
    double last = 1;
    for (size_t i = 0; i < COUNT_OF(cells); i++) {
        fill(cells[i], TRIPS);
        struct estimate precision = estimate_of("average_precision");
        assert_true(fabs(precision.value - 0.788886984893) <= precision.error_bound);
        assert_true(precision.error_bound < last);
        last = precision.error_bound;
    }
    assert_true(last < 0.002);
}

/* A quarter of the labels is enough for the interval to hold what all of them will say. */
TEST(intervals_of_a_part_hold_the_golden_values) {
    fill(1024, TRIPS / 4);
    static const struct {
        const char *name;
        double value;
    } cases[] = {{"accuracy", 0.754},        {"precision", 0.736667}, {"recall", 0.833962},
                 {"log_loss", 0.519707},     {"brier", 0.170991},     {"auc", 0.814026},
                 {"base_rate", 530 / 1000.0}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct estimate estimate = estimate_of(cases[i].name);
        assert_true(estimate.has_interval);
        assert_true(estimate.low <= cases[i].value && cases[i].value <= estimate.high);
        assert_true(estimate.high - estimate.low < 0.2);
    }
}

static int release(void **state UNUSED) {
    tables_destroy(tables);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(tips_has_its_golden_metrics),
        CASE(tips_has_its_golden_auc_from_cells),
        CASE(tips_has_its_golden_delong_error),
        CASE(tips_has_its_golden_average_precision_within_its_bound),
        CASE(intervals_of_a_part_hold_the_golden_values),
    };
    return cmocka_run_group_tests(tests, NULL, release);
}
