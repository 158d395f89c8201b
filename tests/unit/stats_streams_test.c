/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include "stats/streams.h"

TEST(the_generator_gives_the_published_numbers) {
    assert_true(stream_mix(0) == UINT64_C(0xe220a8397b1dcdaf));
    assert_true(stream_mix(1) == UINT64_C(0x910a2dec89025cc1));
    assert_true(stream_bits(1, 0, 0) == UINT64_C(0xb18a02f46d8d86c3));
    assert_true(stream_bits(1, 1, 0) == UINT64_C(0x5775264a9a7e1b09));
    assert_true(stream_bits(1, 2, 0) == UINT64_C(0xe68e6fc01df08360));
    assert_close(stream_hash(1, 0), 0.564907849561859, 1e-14);
    assert_close(stream_hash(1, 1), 0.602261069819985, 1e-14);
    assert_close(stream_hash(1, 2), 0.041621831200606, 1e-14);
}

TEST(tips_has_its_golden_sums) {
    struct trip_parameters parameters;
    int zone = 0, hour = 0, payment = 0, vendor = 0, passengers = 0, decision = 0, label = 0;
    double distance = 0, fare = 0, score = 0;
    trip_parameters_default(&parameters);
    for (uint64_t i = 0; i < 1000; i++) {
        struct trip trip;
        trip_item(&parameters, 1, i, &trip);
        zone += trip.zone;
        hour += trip.hour;
        payment += trip.payment;
        vendor += trip.vendor;
        passengers += trip.passengers;
        decision += trip.decision;
        label += trip.label;
        distance += trip.distance;
        fare += trip.fare;
        score += trip.score;
    }
    assert_int_equal(zone, 4528);
    assert_int_equal(hour, 11366);
    assert_int_equal(payment, 373);
    assert_int_equal(vendor, 687);
    assert_int_equal(passengers, 1526);
    assert_int_equal(decision, 600);
    assert_int_equal(label, 530);
    assert_close(distance, 3107.843548371, 1e-9 * 3108);
    assert_close(fare, 10778.409536141, 1e-9 * 10779);
    assert_close(score, 534.247703195, 1e-9 * 535);
}

TEST(an_item_depends_on_seed_and_index_alone) {
    struct trip_parameters parameters;
    struct trip first, again, other;
    memset(&first, 0, sizeof first);
    memset(&again, 0, sizeof again);
    trip_parameters_default(&parameters);
    trip_item(&parameters, 5, 77, &first);
    trip_item(&parameters, 6, 77, &other);
    trip_item(&parameters, 5, 78, &other);
    trip_item(&parameters, 5, 77, &again);
    assert_memory_equal(&first, &again, sizeof first);
    assert_true(other.score != first.score);
}

/* Rates of the stream's description, within what 100 000 items can tell. */
TEST(fraud_has_its_rates) {
    int labels = 0, decisions = 0;
    for (uint64_t i = 0; i < 100000; i++) {
        struct transaction transaction;
        fraud_item(3, i, &transaction);
        labels += transaction.label;
        decisions += transaction.decision;
        assert_true(transaction.score > 0 && transaction.score < 1);
    }
    assert_close(labels / 1e5, 0.0132, 0.0015);
    assert_close(decisions / 1e5, 0.0143, 0.0015);
}

TEST(regression_errors_grow_at_night_only_when_asked) {
    struct trip_parameters parameters;
    trip_parameters_default(&parameters);
    int nights = 0;
    for (uint64_t i = 0; i < 200; i++) {
        struct fare_prediction plain, noisy;
        regression_item(&parameters, false, 8, i, &plain);
        regression_item(&parameters, true, 8, i, &noisy);
        double centre = plain.predicted * (1 + 0.03 * sin(plain.trip.zone));
        double factor = plain.trip.hour < 5 ? exp(0.6) : 1;
        assert_close(noisy.actual - centre, factor * (plain.actual - centre), 1e-9);
        nights += plain.trip.hour < 5;
    }
    assert_in_range(nights, 20, 60);
}

TEST(lags_stretch_by_zone_and_class) {
    struct trip_parameters parameters;
    struct lag_parameters plain, slow;
    trip_parameters_default(&parameters);
    lag_parameters_default(&plain);
    lag_parameters_default(&slow);
    slow.zone_factor[0] = 30;
    slow.class_factor[1] = 3;
    double below = 0;
    for (uint64_t i = 0; i < 2000; i++) {
        struct lagged_trip one, other;
        lag_item(&parameters, &plain, 9, i, &one);
        lag_item(&parameters, &slow, 9, i, &other);
        double factor = (one.trip.zone == 0 ? 30 : 1) * (one.trip.label ? 3 : 1);
        assert_close(other.lag_minutes, factor * one.lag_minutes, 1e-9 * other.lag_minutes);
        assert_true(one.minute >= 0 && one.minute < 120);
        below += one.lag_minutes < 30;
    }
    assert_close(below / 2000, 0.5, 0.04);
}

struct sums {
    double zone, hour, payment, vendor, passengers, label, fare, speed, nulls;
};

static void sum_late(const char *name, struct sums *out_sums) {
    struct kind_stream *stream = kind_stream_create(name, 901, 4000);
    *out_sums = (struct sums){0};
    assert_non_null(stream);
    assert_int_equal(kind_stream_count(stream), 4000);
    for (uint64_t i = 0; i < 4000; i++) {
        struct trip trip;
        kind_item(stream, i, &trip);
        assert_int_equal(trip.index, i);
        out_sums->zone += trip.zone;
        out_sums->hour += trip.hour;
        out_sums->payment += trip.payment;
        out_sums->vendor += trip.vendor;
        out_sums->passengers += trip.passengers;
        out_sums->label += trip.label;
        out_sums->fare += trip.fare;
        out_sums->speed += trip.speed;
        out_sums->nulls += isnan(trip.distance) != 0;
    }
    kind_stream_destroy(stream);
}

TEST(every_kind_but_none_moves_what_it_says) {
    struct sums none, moved;
    sum_late("none", &none);
    sum_late("e_null", &moved);
    assert_close(moved.nulls, 0.3 * 3200, 90);
    sum_late("e_const", &moved);
    assert_true(fabs(moved.speed - none.speed) > 1);
    sum_late("e_recode", &moved);
    assert_close(moved.vendor, none.vendor + 10 * 3200, 0);
    sum_late("d_zone", &moved);
    assert_true(moved.zone > none.zone * 1.1);
    sum_late("c_card", &moved);
    assert_true(moved.label < none.label && moved.zone == none.zone);
    sum_late("l_label", &moved);
    assert_true(moved.label > none.label * 1.1);
    sum_late("both", &moved);
    assert_true(moved.zone > none.zone * 1.1 && moved.label < none.label);
}

TEST(shifts_of_association_keep_the_margins) {
    struct sums none, moved;
    sum_late("none", &none);
    sum_late("p_pair", &moved);
    assert_close(moved.payment, none.payment, 0);
    assert_close(moved.zone, none.zone, 0);
    assert_true(moved.label != none.label);
    sum_late("e_misjoin", &moved);
    assert_true(moved.fare != none.fare);
    sum_late("p_triple", &moved);
    assert_true(moved.passengers != none.passengers);
    assert_close(moved.payment, none.payment, 0);
}

TEST(every_kind_has_a_stream_and_no_other_name_has) {
    int count = 0;
    for (; kind_names[count]; count++) {
        struct kind_stream *stream = kind_stream_create(kind_names[count], 1, 100);
        struct trip trip;
        assert_non_null(stream);
        kind_item(stream, 99, &trip);
        assert_int_equal(kind_stream_pane(stream, 99), KIND_PANES - 1);
        kind_stream_destroy(stream);
    }
    assert_int_equal(count, 21);
    assert_null(kind_stream_create("e_nothing", 1, 100));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(the_generator_gives_the_published_numbers),
        CASE(tips_has_its_golden_sums),
        CASE(an_item_depends_on_seed_and_index_alone),
        CASE(fraud_has_its_rates),
        CASE(regression_errors_grow_at_night_only_when_asked),
        CASE(lags_stretch_by_zone_and_class),
        CASE(every_kind_but_none_moves_what_it_says),
        CASE(shifts_of_association_keep_the_margins),
        CASE(every_kind_has_a_stream_and_no_other_name_has),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
