/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include <avro.h>

#include "metrics/metric.h"
#include "partial.h"

enum { CELLS = 256 };

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

static void define(enum task_kind kind, struct task_definition *out_definition,
                   struct shape *out_shape) {
    *out_definition = (struct task_definition){
        .kind = kind, .threshold = 0.5, .level = 0.95, .cell_count = CELLS};
    out_definition->class_count = kind == TASK_MULTICLASS ? CLASSES_MAX : 0;
    for (size_t i = 0; i < metrics_count; i++) {
        if (metrics[i]->kinds & 1U << kind)
            out_definition->metrics[out_definition->metric_count++] =
                (struct metric_use){metrics[i], metrics[i]->name, metrics[i]->parameter};
    }
    shape_init(out_shape, out_definition);
}

/* Scores and lags about as wide as those of real tasks. */
static struct pair draw_pair(enum task_kind kind) {
    struct pair pair = {.lag_ms = (int64_t)(1.8e6 * exp(3 * (next_uniform() - 0.5)))};
    if (kind == TASK_BINARY) {
        pair.output.score = (next_uniform() + next_uniform()) / 2;
        pair.label.value = next_uniform() < pair.output.score;
    } else if (kind == TASK_MULTICLASS) {
        pair.output.class = (uint32_t)(next_random() % CLASSES_MAX);
        pair.label.class = (uint32_t)(next_random() % CLASSES_MAX);
    } else {
        pair.output.value = 1e6 * next_uniform();
        pair.label.value = 1e6 * next_uniform();
    }
    return pair;
}

static void fill(struct tables *tables, const struct shape *shape, int predictions, int labels) {
    for (int i = 0; i < predictions; i++) {
        struct pair pair = draw_pair(shape->kind);
        struct label_part part;
        label_part_of(shape, &pair, &part);
        tables_add_prediction(tables, &part.prediction);
        if (i < labels)
            tables_add_label(tables, &part, 1);
    }
}

TEST(small_panes_are_small_in_memory) {
    struct task_definition definition;
    struct shape shape;
    define(TASK_BINARY, &definition, &shape);
    random_state = test_seed(3) | 1;
    struct tables *one = tables_create(), *many = tables_create();
    fill(one, &shape, 1, 0);
    assert_true(tables_bytes(one) < 200);
    fill(many, &shape, 200000, 200000);
    const struct cell *cells;
    assert_int_equal(tables_cells(many, &cells), CELLS);
    assert_true(tables_bytes(many) < 12000);
    tables_destroy(one);
    tables_destroy(many);
}

TEST(no_memory_is_taken_once_all_cells_exist) {
    struct task_definition definition;
    struct shape shape;
    define(TASK_BINARY, &definition, &shape);
    random_state = test_seed(4) | 1;
    struct tables *tables = tables_create();
    fill(tables, &shape, 100000, 100000);
    size_t bytes = tables_bytes(tables);
    fill(tables, &shape, 100000, 100000);
    assert_int_equal(tables_bytes(tables), bytes);
    tables_clear(tables);
    fill(tables, &shape, 100000, 100000);
    assert_int_equal(tables_bytes(tables), bytes);
    tables_destroy(tables);
}

static size_t encoded_size(int predictions, int labels) {
    struct task_definition definition;
    struct shape shape;
    struct buffer bytes;
    define(TASK_BINARY, &definition, &shape);
    buffer_init(&bytes, 1 << 20);
    struct tables *tables = tables_create();
    fill(tables, &shape, predictions, labels);
    tables_write(tables, &bytes);
    size_t size = bytes.size;
    tables_destroy(tables);
    buffer_release(&bytes);
    return size;
}

TEST(partials_are_small) {
    random_state = test_seed(5) | 1;
    assert_true(encoded_size(0, 0) < 12);
    for (int i = 0; i < 20; i++)
        assert_true(encoded_size(100, 100) <= 600);
    assert_true(encoded_size(10000, 10000) <= 1500);
    assert_true(encoded_size(10000, 5000) <= 1500);
    assert_true(encoded_size(1000000, 1000000) <= 1500);
    assert_true(encoded_size(1000000, 600000) <= 1500);
}

TEST(cells_come_in_ascending_order) {
    struct tables *tables = tables_create();
    static const uint32_t order[] = {9, 3, 4095, 0, 7, 8, 100, 5, 1, 2, 4000, 6, 99};
    for (size_t i = 0; i < COUNT_OF(order); i++)
        tables_add_prediction(tables, &(struct prediction_part){.cell = order[i]});
    const struct cell *cells;
    size_t count = tables_cells(tables, &cells);
    assert_int_equal(count, COUNT_OF(order));
    for (size_t i = 1; i < count; i++)
        assert_true(cells[i - 1].cell < cells[i].cell && cells[i].predicted == 1);
    tables_destroy(tables);
}

/* --- the Avro record ------------------------------------------------------------------------- */

static avro_schema_t partial_schema(void) {
    static char json[1 << 16];
    FILE *file = fopen("schemas/partial.4.avsc", "r");
    assert_non_null(file);
    size_t size = fread(json, 1, sizeof json - 1, file);
    assert_int_equal(fclose(file), 0);
    avro_schema_t schema;
    assert_int_equal(avro_schema_from_json_length(json, size, &schema), 0);
    return schema;
}

static int64_t long_field(const avro_value_t *record, const char *name) {
    avro_value_t field;
    int64_t value = -1;
    assert_int_equal(avro_value_get_by_name(record, name, &field, NULL), 0);
    assert_int_equal(avro_value_get_long(&field, &value), 0);
    return value;
}

static int64_t sum_of_array(const avro_value_t *record, const char *name, size_t from,
                            size_t step) {
    avro_value_t array, item;
    size_t size = 0;
    int64_t total = 0;
    assert_int_equal(avro_value_get_by_name(record, name, &array, NULL), 0);
    assert_int_equal(avro_value_get_size(&array, &size), 0);
    for (size_t i = from; i < size; i += step) {
        int64_t value = 0;
        assert_int_equal(avro_value_get_by_index(&array, i, &item, NULL), 0);
        assert_int_equal(avro_value_get_long(&item, &value), 0);
        total += value;
    }
    return total;
}

static void check_record(const struct tables *tables, struct slice body) {
    avro_schema_t schema = partial_schema();
    avro_value_iface_t *iface = avro_generic_class_from_schema(schema);
    avro_value_t record, text;
    const char *group;
    size_t group_size;
    avro_reader_t reader = avro_reader_memory(body.data, (int64_t)body.size);
    assert_int_equal(avro_generic_value_new(iface, &record), 0);
    assert_int_equal(avro_value_read(reader, &record), 0);
    char rest;
    assert_int_not_equal(avro_read(reader, &rest, 1), 0); /* nothing is left */
    assert_int_equal(avro_value_get_by_name(&record, "group", &text, NULL), 0);
    assert_int_equal(avro_value_get_string(&text, &group, &group_size), 0);
    assert_string_equal(group, "zone=JFK");
    assert_int_equal(long_field(&record, "version_labels"), 77);
    assert_int_equal(long_field(&record, "predicted"), tables_predicted(tables));
    assert_int_equal(long_field(&record, "predicted_positive"), tables_predicted_positive(tables));
    assert_int_equal(long_field(&record, "labelled"), tables_labelled(tables));
    assert_int_equal(sum_of_array(&record, "lag", 1, 1), tables_labelled(tables));
    avro_value_decref(&record);
    avro_value_iface_decref(iface);
    avro_schema_decref(schema);
    avro_reader_free(reader);
}

TEST(a_partial_is_an_avro_record_of_its_schema) {
    random_state = test_seed(6) | 1;
    for (int kind = TASK_BINARY; kind <= TASK_REGRESSION; kind++) {
        struct task_definition definition;
        struct shape shape;
        struct buffer bytes, value;
        struct slice body;
        define((enum task_kind)kind, &definition, &shape);
        buffer_init(&bytes, 1 << 20);
        buffer_init(&value, 1 << 20);
        struct tables *tables = tables_create();
        fill(tables, &shape, 500, 300);
        tables_write(tables, &bytes);
        struct partial partial = {.key = {.family = PARTIAL_COUNTS,
                                          .task = SLICE("tips"),
                                          .epoch = 3,
                                          .group = SLICE("zone=JFK"),
                                          .pane_ms = 3600000,
                                          .partition = 2},
                                  .pane_end_ms = 7200000,
                                  .version_predictions = 123456,
                                  .version_labels = 77,
                                  .tables = buffer_slice(&bytes)};
        partial_write(&partial, &value);
        assert_true(read_frame(buffer_slice(&value), SCHEMA_PARTIAL, &body));
        check_record(tables, body);
        tables_destroy(tables);
        buffer_release(&bytes);
        buffer_release(&value);
    }
}

/* --- hostile bytes --------------------------------------------------------------------------- */

struct saved {
    struct task_definition definition;
    struct shape shape;
    struct buffer bytes;
};

static void save(struct saved *saved, enum task_kind kind, int rows) {
    define(kind, &saved->definition, &saved->shape);
    buffer_init(&saved->bytes, 1 << 20);
    struct tables *tables = tables_create();
    fill(tables, &saved->shape, rows, rows / 2);
    tables_write(tables, &saved->bytes);
    tables_destroy(tables);
}

static bool reads(const struct saved *saved, const char *data, size_t size) {
    struct tables *into = tables_create();
    char *copy = malloc(size ? size : 1); /* so that a read beyond the end is seen */
    assert_non_null(copy);
    if (size)
        memcpy(copy, data, size);
    bool is_read = tables_read(into, &saved->shape, (struct slice){copy, size});
    free(copy);
    tables_destroy(into);
    return is_read;
}

TEST(every_truncation_and_every_extension_is_refused) {
    random_state = test_seed(7) | 1;
    for (int kind = TASK_BINARY; kind <= TASK_REGRESSION; kind++) {
        struct saved saved;
        save(&saved, (enum task_kind)kind, 200);
        assert_true(reads(&saved, saved.bytes.data, saved.bytes.size));
        for (size_t size = 0; size < saved.bytes.size; size++)
            assert_false(reads(&saved, saved.bytes.data, size));
        write_long(&saved.bytes, 0);
        assert_false(reads(&saved, saved.bytes.data, saved.bytes.size));
        buffer_release(&saved.bytes);
    }
}

/* Counts are written twice, as totals and in cells: a changed byte of them is noticed. */
TEST(a_changed_total_is_refused) {
    struct saved saved;
    random_state = test_seed(8) | 1;
    save(&saved, TASK_BINARY, 40);
    for (size_t at = 0; at < 3; at++) {
        saved.bytes.data[at] ^= 2;
        assert_int_equal(reads(&saved, saved.bytes.data, saved.bytes.size), at == 1);
        saved.bytes.data[at] ^= 2;
    }
    buffer_release(&saved.bytes);
}

/* Random damage: any answer, but no crash (the sanitizers watch), and cells within their limits. */
TEST(damaged_bytes_do_no_harm) {
    random_state = test_seed(9) | 1;
    for (int kind = TASK_BINARY; kind <= TASK_REGRESSION; kind++) {
        struct saved saved;
        save(&saved, (enum task_kind)kind, 100);
        struct tables *into = tables_create();
        for (int i = 0; i < 20000; i++) {
            size_t at = next_random() % saved.bytes.size;
            char before = saved.bytes.data[at];
            saved.bytes.data[at] = (char)next_random();
            const struct cell *cells;
            (void)tables_read(into, &saved.shape, buffer_slice(&saved.bytes));
            size_t count = tables_cells(into, &cells);
            assert_true(count == 0 || cells[count - 1].cell < CELLS);
            if (i % 3)
                saved.bytes.data[at] = before;
            if (i % 100 == 0)
                tables_clear(into);
        }
        tables_destroy(into);
        buffer_release(&saved.bytes);
    }
}

static void write_longs(struct buffer *out, const int64_t *values, size_t count) {
    buffer_reset(out);
    for (size_t i = 0; i < count; i++)
        write_long(out, values[i]);
}

TEST(numbers_out_of_their_limits_are_refused) {
    struct saved saved;
    define(TASK_BINARY, &saved.definition, &saved.shape);
    buffer_init(&saved.bytes, 1 << 20);
    static const struct {
        bool is_good;
        int64_t values[20];
        size_t count;
    } cases[] = {
        {true, {1, 0, 0, 5, 255, 1, 0, 0, 1, 0, 0, 0, 0, 0}, 14}, /* one prediction in cell 255 */
        {false, {1, 0, 0, 5, 256, 1, 0, 0, 1, 0, 0, 0, 0, 0}, 14},
        {false, {1, 0, 0, 5, -1, 1, 0, 0, 1, 0, 0, 0, 0, 0}, 14},
        {false, {1, 0, 0, 5, 0, INT64_MAX, 0, 0, 1, 0, 0, 0, 0, 0}, 14},
        {false, {0, 0, 0, 5, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0}, 14},         /* an empty cell */
        {false, {-1, 0, 0, 5, 0, 1, 0, 0, -1, 0, 0, 0, 0, 0}, 14},       /* a negative count */
        {false, {1, 0, 0, 5, 0, 1, INT64_MIN, 0, 1, 0, 0, 0, 0, 0}, 14}, /* its difference */
        {false, {0, 0, 0, INT64_MAX, 0, 0, 0, 0}, 8},                    /* a size that lies */
        {true, {1, 0, 1, 5, 3, 1, 1, 0, 0, 0, 2, 50, 1, 0, 0, 2, 63, 1, 0, 0}, 20},
        {false, {1, 0, 1, 5, 3, 1, 1, 0, 0, 0, 2, 2, 1, 0, 0, 2, 63, 1, 0, 0}, 20},   /* class 2 */
        {false, {1, 0, 1, 5, 3, 1, 1, 0, 0, 0, 2, 100, 1, 0, 0, 2, 63, 1, 0, 0}, 20}, /* label 2 */
        {false, {1, 0, 1, 5, 3, 1, 1, 0, 0, 0, 2, 50, 1, 0, 0, 2, 64, 1, 0, 0}, 20},  /* lag bin */
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        write_longs(&saved.bytes, cases[i].values, cases[i].count);
        if (reads(&saved, saved.bytes.data, saved.bytes.size) != cases[i].is_good)
            fail_msg("case %zu", i);
    }
    buffer_release(&saved.bytes);
}

TEST(sums_keep_all_of_their_bits) {
    struct saved saved;
    define(TASK_REGRESSION, &saved.definition, &saved.shape);
    buffer_init(&saved.bytes, 1 << 20);
    static const int64_t errors[] = {1, -7, INT64_C(1) << 29, -(INT64_C(1) << 40)};
    struct tables *tables = tables_create(), *loaded = tables_create();
    for (size_t i = 0; i < COUNT_OF(errors); i++) {
        struct label_part part;
        label_part_of(&saved.shape, &(struct pair){.output = {.value = (double)errors[i]}}, &part);
        tables_add_prediction(tables, &part.prediction);
        tables_add_label(tables, &part, 1);
        buffer_reset(&saved.bytes);
        tables_write(tables, &saved.bytes);
        tables_clear(loaded);
        assert_true(tables_read(loaded, &saved.shape, buffer_slice(&saved.bytes)));
        for (uint32_t sum = 0; sum < saved.shape.sum_count; sum++)
            assert_true(tables_sum(loaded, sum) == tables_sum(tables, sum));
    }
    assert_true(tables_sum(tables, 1) > (int128)1 << 90);
    tables_destroy(tables);
    tables_destroy(loaded);
    buffer_release(&saved.bytes);
}

/* --- bins ------------------------------------------------------------------------------------ */

TEST(lags_fall_between_the_edges_of_their_bin) {
    struct task_definition definition;
    struct shape shape;
    define(TASK_BINARY, &definition, &shape);
    random_state = test_seed(10) | 1;
    assert_int_equal(lag_bin_edge_ms(0), 0);
    assert_int_equal(lag_bin_edge_ms(1), 1000);
    assert_true(lag_bin_edge_ms(LAG_BINS - 2) == INT64_C(800) * 86400000);
    assert_true(lag_bin_edge_ms(LAG_BINS - 1) == INT64_MAX);
    for (int i = 0; i < 10000; i++) {
        struct label_part part;
        int64_t lag = (int64_t)(exp(30 * next_uniform()) - 5);
        if (i < 200)
            lag = lag_bin_edge_ms((uint32_t)(i % (LAG_BINS - 1))) + i / 100;
        label_part_of(&shape, &(struct pair){.lag_ms = lag}, &part);
        assert_true(lag <= lag_bin_edge_ms(part.lag_bin));
        assert_true(part.lag_bin == 0 || lag > lag_bin_edge_ms(part.lag_bin - 1));
    }
}

TEST(scores_at_the_ends_have_cells) {
    struct task_definition definition;
    struct shape shape;
    struct prediction_part part;
    define(TASK_BINARY, &definition, &shape);
    static const struct {
        double score;
        uint32_t cell;
        bool is_positive;
    } cases[] = {{0, 0, false},          {1, CELLS - 1, true},
                 {0.5, CELLS / 2, true}, {0x1.fffffffffffffp-2, CELLS / 2 - 1, false},
                 {-1, 0, false},         {2, CELLS - 1, true},
                 {NAN, 0, false}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        prediction_part_of(&shape, &(struct output){.score = cases[i].score}, &part);
        assert_int_equal(part.cell, cases[i].cell);
        assert_int_equal(part.is_positive, cases[i].is_positive);
    }
}

TEST(a_metric_used_twice_keeps_its_sums_once) {
    struct task_definition definition = {.kind = TASK_BINARY, .cell_count = CELLS};
    struct shape shape;
    const struct metric *brier = metric_find(SLICE("brier")),
                        *loss = metric_find(SLICE("log_loss"));
    const struct metric *uses[] = {brier, loss, brier};
    for (size_t i = 0; i < COUNT_OF(uses); i++)
        definition.metrics[definition.metric_count++] = (struct metric_use){uses[i], "name", 0};
    shape_init(&shape, &definition);
    assert_int_equal(shape.sum_count, brier->sum_count + loss->sum_count);
    assert_int_equal(shape.sum_offset[2], shape.sum_offset[0]);
    struct label_part part;
    label_part_of(&shape, &(struct pair){.output = {.score = 0.5}}, &part);
    assert_true(part.sums[shape.sum_offset[0]] == (int128)1 << 30);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(small_panes_are_small_in_memory),
        CASE(no_memory_is_taken_once_all_cells_exist),
        CASE(partials_are_small),
        CASE(cells_come_in_ascending_order),
        CASE(a_partial_is_an_avro_record_of_its_schema),
        CASE(every_truncation_and_every_extension_is_refused),
        CASE(a_changed_total_is_refused),
        CASE(damaged_bytes_do_no_harm),
        CASE(numbers_out_of_their_limits_are_refused),
        CASE(sums_keep_all_of_their_bits),
        CASE(lags_fall_between_the_edges_of_their_bin),
        CASE(scores_at_the_ends_have_cells),
        CASE(a_metric_used_twice_keeps_its_sums_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
