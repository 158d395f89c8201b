/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include "stats/cells.h"
#include "stats/fixed.h"
#include "stats/histogram.h"
#include "stats/interval.h"

TEST(fixed_point_is_exact_where_doubles_are_not) {
    static const double values[] = {0.1, 1e15, -3.25, 0x1p60, -0x1p60, 1e-9, 123456.789};
    int128 sum = 0;
    for (size_t i = 0; i < COUNT_OF(values); i++)
        sum += fixed_from(values[i]);
    for (size_t i = COUNT_OF(values); i > 0; i--)
        sum -= fixed_from(values[i - 1]);
    assert_true(sum == 0);
    assert_true(fixed_from(1.5) == (int128)3 << 31);
    assert_true(fixed_from(0x1p60) == (int128)1 << 92);
    assert_close(fixed_to(fixed_from(-0.7)), -0.7, 0x1p-33);
}

TEST(fixed_point_never_wraps) {
    assert_true(fixed_from(INFINITY) == (int128)1 << 92);
    assert_true(fixed_from(-1e300) == -((int128)1 << 92));
    assert_true(fixed_from(NAN) == 0);
    assert_true(fixed_fits(-0x1p60) && !fixed_fits(0x1.0000001p60));
    assert_false(fixed_fits(NAN));
    assert_false(fixed_fits(INFINITY));
}

/* Published digits (Abramowitz and Stegun, table 26.5; NIST). */
TEST(normal_quantiles_are_those_of_the_tables) {
    assert_close(normal_quantile(0.975), 1.959963984540054, 1e-14);
    assert_close(normal_quantile(0.995), 2.575829303548901, 1e-14);
    assert_close(normal_quantile(0.5), 0, 1e-15);
    assert_close(normal_quantile(1e-10), -6.361340902404056, 1e-12);
    assert_close(normal_deviate(0.95), 1.959963984540054, 1e-14);
    for (int i = 1; i < 1000; i++)
        assert_close(0.5 * erfc(-normal_quantile(i / 1000.0) / sqrt(2)), i / 1000.0, 1e-15);
}

TEST(wilson_with_an_effective_size_has_its_golden_values) {
    struct interval interval = interval_wilson(0.8, 0.8 * 0.2 / 4e-4, 0.95);
    assert_close(interval.low, 0.758029683, 1e-9);
    assert_close(interval.high, 0.836262941, 1e-9);
}

TEST(wilson_is_sane_without_any_variation) {
    struct interval none = interval_wilson(0, 10, 0.95), all = interval_wilson(1, 10, 0.95);
    assert_close(none.low, 0, 0);
    assert_close(none.high, 0.2775327998628892, 1e-12); /* z^2 / (10 + z^2) */
    assert_close(all.low, 1 - none.high, 1e-12);
    assert_close(all.high, 1, 0);
}

TEST(a_proportion_is_certain_only_at_the_end) {
    double last = 1;
    for (int64_t n = 100; n < 1000; n += 100) {
        struct interval interval = interval_proportion(n / 10, n, 1000, 0.95);
        assert_true(interval.low < 0.1 && interval.high > 0.1);
        assert_true(interval.high - interval.low < last);
        last = interval.high - interval.low;
    }
    struct interval full = interval_proportion(100, 1000, 1000, 0.95);
    assert_close(full.low, 0.1, 0);
    assert_close(full.high, 0.1, 0);
}

/* One label is missing: both values that it can give lie inside, nothing beyond. */
TEST(the_last_label_is_not_ruled_out) {
    struct interval interval = interval_proportion(20, 99, 100, 0.95);
    assert_close(interval.low, 0.20, 1e-15);
    assert_close(interval.high, 0.21, 1e-15);
    interval = interval_proportion(0, 99, 100, 0.95);
    assert_close(interval.low, 0, 0);
    assert_close(interval.high, 0.01, 1e-15);
}

TEST(the_infinite_population_is_the_limit) {
    struct interval finite = interval_proportion(30, 100, INT64_C(1) << 40, 0.95);
    struct interval infinite = interval_wilson(0.3, 100, 0.95);
    assert_close(finite.low, infinite.low, 1e-9);
    assert_close(finite.high, infinite.high, 1e-9);
}

TEST(ranking_knows_the_easy_cases) {
    struct ranking perfect = {0}, blind = {0}, empty = {0};
    double value, bound, variance;
    ranking_add(&perfect, 0, 5);
    ranking_add(&perfect, 7, 0);
    assert_true(ranking_auc(&perfect, &value, &bound));
    assert_close(value, 1, 0);
    assert_close(bound, 0, 0);
    assert_true(ranking_variance(&perfect, &variance));
    assert_close(variance, 0, 0);
    ranking_add(&blind, 4, 6);
    assert_true(ranking_auc(&blind, &value, &bound));
    assert_close(value, 0.5, 0);
    assert_close(bound, 0.5, 0);
    assert_false(ranking_auc(&empty, &value, &bound));
    ranking_add(&empty, 3, 0);
    assert_false(ranking_auc(&empty, &value, &bound));
    ranking_add(&empty, 0, 1);
    assert_true(ranking_auc(&empty, &value, &bound));
    assert_false(ranking_variance(&empty, &variance));
}

TEST(average_precision_knows_the_easy_cases) {
    struct precision_recall perfect = {0}, worst = {0}, empty = {0};
    double value, bound;
    precision_recall_add(&perfect, 3, 0);
    precision_recall_add(&perfect, 0, 9);
    assert_true(precision_recall_average(&perfect, &value, &bound));
    assert_close(value, 1, 0);
    assert_close(bound, 0, 0);
    precision_recall_add(&worst, 0, 9); /* (1/10 + 2/11) / 2, if scores differ */
    precision_recall_add(&worst, 1, 0);
    precision_recall_add(&worst, 1, 0);
    assert_true(precision_recall_average(&worst, &value, &bound));
    assert_close(value, (1 / 10.0 + 2 / 11.0) / 2, 1e-3);
    assert_true(fabs(value - (1 / 10.0 + 2 / 11.0) / 2) <= bound);
    precision_recall_add(&empty, 0, 9);
    assert_false(precision_recall_average(&empty, &value, &bound));
}

TEST(quantiles_interpolate_within_their_bin) {
    static const int64_t upper[] = {0, 10, 20, INT64_MAX};
    static const int64_t counts[] = {2, 4, 4, 0}, none[] = {0, 0, 0, 0};
    double value, bound;
    assert_true(histogram_quantile(counts, upper, 4, 0.4, &value, &bound));
    assert_close(value, 5, 1e-12);
    assert_close(bound, 10, 0);
    assert_true(histogram_quantile(counts, upper, 4, 0.8, &value, &bound));
    assert_close(value, 15, 1e-12);
    assert_false(histogram_quantile(none, upper, 4, 0.5, &value, &bound));
}

TEST(a_quantile_in_a_bin_without_an_end_is_not_known) {
    static const int64_t upper[] = {0, 10, 20, INT64_MAX}, open[] = {5, 0, 0, 5};
    double value, bound;
    assert_false(histogram_quantile(open, upper, 4, 0.1, &value, &bound));
    assert_false(histogram_quantile(open, upper, 4, 0.9, &value, &bound));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(fixed_point_is_exact_where_doubles_are_not),
        CASE(fixed_point_never_wraps),
        CASE(normal_quantiles_are_those_of_the_tables),
        CASE(wilson_with_an_effective_size_has_its_golden_values),
        CASE(wilson_is_sane_without_any_variation),
        CASE(a_proportion_is_certain_only_at_the_end),
        CASE(the_last_label_is_not_ruled_out),
        CASE(the_infinite_population_is_the_limit),
        CASE(ranking_knows_the_easy_cases),
        CASE(average_precision_knows_the_easy_cases),
        CASE(quantiles_interpolate_within_their_bin),
        CASE(a_quantile_in_a_bin_without_an_end_is_not_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
