/* Laws over the whole registry, per kind of task.  SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include "metrics/metric.h"

enum { RECORDS = 600 };

struct record {
    struct pair pair;
    bool is_labelled;
};

static uint64_t random_state;

static uint64_t next_random(void) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static double next_uniform(void) {
    return (double)(next_random() >> 11) * 0x1p-53;
}

static size_t next_below(size_t limit) {
    return (size_t)(next_random() % limit);
}

/* A definition that uses every metric of the kind. */
static void define(enum task_kind kind, struct task_definition *out_definition,
                   struct shape *out_shape) {
    *out_definition = (struct task_definition){
        .name = "laws", .kind = kind, .threshold = 0.4, .level = 0.95, .cell_count = 256};
    out_definition->class_count = kind == TASK_MULTICLASS ? 7 : 0;
    for (size_t i = 0; i < metrics_count; i++) {
        if (metrics[i]->kinds & 1U << kind)
            out_definition->metrics[out_definition->metric_count++] =
                (struct metric_use){metrics[i], metrics[i]->name, metrics[i]->parameter};
    }
    shape_init(out_shape, out_definition);
}

static void draw_record(enum task_kind kind, struct record *out_record) {
    struct pair *pair = &out_record->pair;
    *out_record = (struct record){.is_labelled = next_uniform() < 0.6};
    pair->lag_ms = (int64_t)(next_uniform() * next_uniform() * 1e9) - 1000;
    switch (kind) {
    case TASK_BINARY:
        pair->output.score = next_uniform();
        pair->label.value = next_uniform() < 0.2 + 0.6 * pair->output.score;
        break;
    case TASK_MULTICLASS:
        pair->output.class = (uint32_t)next_below(7);
        pair->label.class = next_uniform() < 0.6 ? pair->output.class : (uint32_t)next_below(7);
        break;
    case TASK_REGRESSION:
        pair->output.value = 1e5 * next_uniform();
        pair->label.value = pair->output.value + 2e4 * (next_uniform() - 0.5);
        break;
    }
}

static void add_prediction(struct tables *tables, const struct shape *shape,
                           const struct record *record) {
    struct prediction_part part;
    prediction_part_of(shape, &record->pair.output, &part);
    tables_add_prediction(tables, &part);
}

static void add_label(struct tables *tables, const struct shape *shape, const struct record *record,
                      int sign) {
    struct label_part part;
    label_part_of(shape, &record->pair, &part);
    tables_add_label(tables, &part, sign);
}

static void add_all(struct tables *tables, const struct shape *shape, const struct record *records,
                    size_t count) {
    for (size_t i = 0; i < count; i++) {
        add_prediction(tables, shape, &records[i]);
        if (records[i].is_labelled)
            add_label(tables, shape, &records[i], 1);
    }
}

static void shuffle(struct record *records, size_t count) {
    for (size_t i = count; i > 1; i--) {
        size_t other = next_below(i);
        struct record record = records[i - 1];
        records[i - 1] = records[other];
        records[other] = record;
    }
}

static bool same_estimates(const struct estimate *a, const struct estimate *b) {
    return a->has_value == b->has_value && a->has_interval == b->has_interval &&
           a->method == b->method && a->support == b->support && a->value == b->value &&
           a->low == b->low && a->high == b->high && a->error_bound == b->error_bound;
}

static void estimate_use(const struct tables *tables, const struct shape *shape, int use,
                         struct estimate *out_estimate) {
    const struct metric_use *metric_use = &shape->definition->metrics[use];
    metric_use->metric->estimate(tables, shape, shape->sum_offset[use], metric_use->parameter,
                                 shape->definition->level, out_estimate);
}

/* Equal bytes, and equal estimates. */
static void assert_same(const struct tables *a, const struct tables *b, const struct shape *shape) {
    struct buffer left, right;
    buffer_init(&left, 1 << 20);
    buffer_init(&right, 1 << 20);
    tables_write(a, &left);
    tables_write(b, &right);
    assert_int_equal(left.size, right.size);
    assert_memory_equal(left.data, right.data, left.size);
    for (int use = 0; use < shape->definition->metric_count; use++) {
        struct estimate one, other;
        estimate_use(a, shape, use, &one);
        estimate_use(b, shape, use, &other);
        if (!same_estimates(&one, &other))
            fail_msg("%s: %.17g and %.17g", shape->definition->metrics[use].name, one.value,
                     other.value);
    }
    buffer_release(&left);
    buffer_release(&right);
}

struct world {
    struct task_definition definition;
    struct shape shape;
    struct record records[RECORDS];
    struct tables *whole, *other;
};

static void world_open(struct world *world, enum task_kind kind) {
    define(kind, &world->definition, &world->shape);
    for (size_t i = 0; i < RECORDS; i++)
        draw_record(kind, &world->records[i]);
    world->whole = tables_create();
    world->other = tables_create();
    add_all(world->whole, &world->shape, world->records, RECORDS);
}

static void world_close(struct world *world) {
    tables_destroy(world->whole);
    tables_destroy(world->other);
}

/* Runs law once for each kind, on random records and on few of them. */
static void for_each_kind(void (*law)(struct world *world)) {
    random_state = test_seed(11) | 1;
    for (int kind = TASK_BINARY; kind <= TASK_REGRESSION; kind++) {
        for (int round = 0; round < 20; round++) {
            struct world world;
            world_open(&world, (enum task_kind)kind);
            law(&world);
            world_close(&world);
        }
    }
}

static void law_identity(struct world *world) {
    struct tables *empty = tables_create();
    tables_merge(world->other, world->whole, 1);
    tables_merge(world->other, empty, 1);
    assert_same(world->whole, world->other, &world->shape);
    tables_destroy(empty);
}

TEST(merging_with_nothing_changes_nothing) {
    for_each_kind(law_identity);
}

static void law_split(struct world *world) {
    size_t from = 0;
    while (from < RECORDS) {
        size_t count = 1 + next_below(RECORDS - from);
        struct tables *part = tables_create();
        add_all(part, &world->shape, world->records + from, count);
        tables_merge(world->other, part, 1);
        tables_destroy(part);
        from += count;
    }
    assert_same(world->whole, world->other, &world->shape);
}

TEST(merging_any_split_equals_adding_in_one_go) {
    for_each_kind(law_split);
}

static void law_commutative(struct world *world) {
    struct tables *a = tables_create(), *b = tables_create(), *reversed = tables_create();
    size_t middle = next_below(RECORDS);
    add_all(a, &world->shape, world->records, middle);
    add_all(b, &world->shape, world->records + middle, RECORDS - middle);
    tables_merge(world->other, a, 1);
    tables_merge(world->other, b, 1);
    tables_merge(reversed, b, 1);
    tables_merge(reversed, a, 1);
    assert_same(world->other, reversed, &world->shape);
    tables_destroy(a);
    tables_destroy(b);
    tables_destroy(reversed);
}

TEST(merging_is_commutative) {
    for_each_kind(law_commutative);
}

static void law_associative(struct world *world) {
    struct tables *part[3], *left = tables_create(), *right = tables_create();
    for (size_t i = 0; i < 3; i++) {
        part[i] = tables_create();
        add_all(part[i], &world->shape, world->records + i * RECORDS / 3, RECORDS / 3);
    }
    tables_merge(left, part[0], 1); /* (0 + 1) + 2 */
    tables_merge(left, part[1], 1);
    tables_merge(left, part[2], 1);
    tables_merge(part[1], part[2], 1); /* 0 + (1 + 2) */
    tables_merge(right, part[0], 1);
    tables_merge(right, part[1], 1);
    assert_same(left, right, &world->shape);
    for (size_t i = 0; i < 3; i++)
        tables_destroy(part[i]);
    tables_destroy(left);
    tables_destroy(right);
}

TEST(merging_is_associative) {
    for_each_kind(law_associative);
}

/* Labels of records that have none are added and taken away again, between the others. */
static void law_retract(struct world *world) {
    for (size_t i = 0; i < RECORDS; i++) {
        const struct record *record = &world->records[i];
        add_prediction(world->other, &world->shape, record);
        add_label(world->other, &world->shape, record, 1);
    }
    shuffle(world->records, RECORDS);
    for (size_t i = 0; i < RECORDS; i++) {
        if (!world->records[i].is_labelled)
            add_label(world->other, &world->shape, &world->records[i], -1);
    }
    assert_same(world->whole, world->other, &world->shape);
}

TEST(a_retracted_label_was_never_added) {
    for_each_kind(law_retract);
}

static void law_unmerge(struct world *world) {
    struct tables *extra = tables_create();
    struct record record;
    for (int i = 0; i < 50; i++) {
        draw_record(world->definition.kind, &record);
        add_all(extra, &world->shape, &record, 1);
    }
    tables_merge(world->other, extra, 1);
    tables_merge(world->other, world->whole, 1);
    tables_merge(world->other, extra, -1);
    assert_same(world->whole, world->other, &world->shape);
    tables_merge(world->other, world->whole, -1);
    tables_clear(extra);
    assert_same(extra, world->other, &world->shape);
    tables_destroy(extra);
}

TEST(what_was_merged_can_be_taken_away) {
    for_each_kind(law_unmerge);
}

static void law_order(struct world *world) {
    shuffle(world->records, RECORDS);
    for (size_t i = 0; i < RECORDS; i++)
        add_prediction(world->other, &world->shape, &world->records[i]);
    shuffle(world->records, RECORDS);
    for (size_t i = 0; i < RECORDS; i++) {
        if (world->records[i].is_labelled)
            add_label(world->other, &world->shape, &world->records[i], 1);
    }
    assert_same(world->whole, world->other, &world->shape);
}

TEST(order_does_not_matter) {
    for_each_kind(law_order);
}

static void law_save(struct world *world) {
    struct buffer saved;
    buffer_init(&saved, 1 << 20);
    tables_write(world->whole, &saved);
    assert_true(tables_read(world->other, &world->shape, buffer_slice(&saved)));
    assert_same(world->whole, world->other, &world->shape);
    /* Reading adds: once more is twice. */
    assert_true(tables_read(world->other, &world->shape, buffer_slice(&saved)));
    struct tables *twice = tables_create();
    tables_merge(twice, world->whole, 1);
    tables_merge(twice, world->whole, 1);
    assert_same(twice, world->other, &world->shape);
    tables_destroy(twice);
    buffer_release(&saved);
}

TEST(saving_and_loading_changes_nothing) {
    for_each_kind(law_save);
}

static void law_clear(struct world *world) {
    add_all(world->other, &world->shape, world->records, RECORDS / 2);
    tables_clear(world->other);
    add_all(world->other, &world->shape, world->records, RECORDS);
    assert_same(world->whole, world->other, &world->shape);
}

TEST(cleared_tables_are_as_new) {
    for_each_kind(law_clear);
}

/* Volume and coverage speak of predictions; all others wait for labels. */
static bool needs_labels(const char *name) {
    return strcmp(name, "volume") != 0 && strcmp(name, "label_coverage") != 0;
}

static void law_no_labels(struct world *world) {
    struct estimate estimate;
    for (size_t i = 0; i < RECORDS; i++)
        add_prediction(world->other, &world->shape, &world->records[i]);
    for (int use = 0; use < world->definition.metric_count; use++) {
        estimate_use(world->other, &world->shape, use, &estimate);
        assert_int_equal(estimate.has_value, !needs_labels(world->definition.metrics[use].name));
        assert_false(estimate.has_interval);
    }
}

TEST(without_labels_there_is_no_value) {
    for_each_kind(law_no_labels);
}

TEST(empty_tables_have_no_value_but_their_volume) {
    for (int kind = TASK_BINARY; kind <= TASK_REGRESSION; kind++) {
        struct task_definition definition;
        struct shape shape;
        struct estimate estimate;
        struct tables *tables = tables_create();
        define((enum task_kind)kind, &definition, &shape);
        for (int use = 0; use < definition.metric_count; use++) {
            estimate_use(tables, &shape, use, &estimate);
            assert_int_equal(estimate.has_value,
                             strcmp(definition.metrics[use].name, "volume") == 0);
        }
        tables_destroy(tables);
    }
}

static void law_interval(struct world *world) {
    double half_width[METRICS_MAX] = {0};
    struct estimate estimate;
    for (int use = 0; use < world->definition.metric_count; use++) {
        estimate_use(world->whole, &world->shape, use, &estimate);
        assert_true(estimate.has_value);
        assert_int_equal(estimate.has_interval, estimate.method != INTERVAL_NONE);
        if (!estimate.has_interval)
            continue;
        assert_true(estimate.low <= estimate.value && estimate.value <= estimate.high);
        half_width[use] = estimate.high - estimate.low;
        assert_true(half_width[use] > 0);
    }
    for (size_t i = 0; i < RECORDS; i++) {
        if (!world->records[i].is_labelled)
            add_label(world->whole, &world->shape, &world->records[i], 1);
    }
    for (int use = 0; use < world->definition.metric_count; use++) {
        estimate_use(world->whole, &world->shape, use, &estimate);
        assert_int_equal(estimate.has_interval, half_width[use] > 0);
        if (estimate.has_interval) {
            assert_close(estimate.low, estimate.value, 0);
            assert_close(estimate.high, estimate.value, 0);
        }
    }
}

TEST(intervals_hold_the_value_and_close_when_all_labels_are_in) {
    for_each_kind(law_interval);
}

/* One record at a time: the corners where denominators are 0 or 1. */
static void law_few_records(struct world *world) {
    struct estimate estimate;
    for (size_t count = 0; count < 6; count++) {
        for (int use = 0; use < world->definition.metric_count; use++) {
            estimate_use(world->other, &world->shape, use, &estimate);
            assert_true(isfinite(estimate.value) && isfinite(estimate.low) &&
                        isfinite(estimate.high) && isfinite(estimate.error_bound));
            assert_true(!estimate.has_interval ||
                        (estimate.has_value && estimate.low <= estimate.value &&
                         estimate.value <= estimate.high));
        }
        add_all(world->other, &world->shape, &world->records[count], 1);
    }
}

TEST(few_records_give_finite_numbers) {
    for_each_kind(law_few_records);
}

TEST(the_registry_is_complete_and_names_are_unique) {
    for (size_t i = 0; i < metrics_count; i++) {
        const struct metric *metric = metrics[i];
        assert_true(metric->name && metric->summary && metric->add && metric->estimate);
        assert_true(metric->version >= 1 && metric->kinds != 0);
        assert_ptr_equal(metric_find(slice_from(metric->name)), metric);
    }
    assert_null(metric_find(SLICE("no such metric")));
    assert_null(metric_find(SLICE("")));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(merging_with_nothing_changes_nothing),
        CASE(merging_any_split_equals_adding_in_one_go),
        CASE(merging_is_commutative),
        CASE(merging_is_associative),
        CASE(a_retracted_label_was_never_added),
        CASE(what_was_merged_can_be_taken_away),
        CASE(order_does_not_matter),
        CASE(saving_and_loading_changes_nothing),
        CASE(cleared_tables_are_as_new),
        CASE(without_labels_there_is_no_value),
        CASE(empty_tables_have_no_value_but_their_volume),
        CASE(intervals_hold_the_value_and_close_when_all_labels_are_in),
        CASE(few_records_give_finite_numbers),
        CASE(the_registry_is_complete_and_names_are_unique),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
