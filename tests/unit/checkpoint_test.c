/* The checkpoint is a valid record of schemas/checkpoint.5.avsc, by avro-c.
 * SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include <avro.h>

#include "base/varint.h"
#include "partial.h"
#include "partition/partition.h"

static avro_schema_t schema_of(const char *path) {
    char text[16384];
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t size = fread(text, 1, sizeof text - 1, file);
    (void)fclose(file);
    text[size] = '\0';
    avro_schema_t schema;
    assert_int_equal(avro_schema_from_json_length(text, size, &schema), 0);
    return schema;
}

static int64_t long_of(const avro_value_t *record, const char *name) {
    avro_value_t field;
    int64_t number = -1;
    assert_int_equal(avro_value_get_by_name(record, name, &field, NULL), 0);
    assert_int_equal(avro_value_get_long(&field, &number), 0);
    return number;
}

static size_t count_of(const avro_value_t *record, const char *name) {
    avro_value_t field;
    size_t count = 0;
    assert_int_equal(avro_value_get_by_name(record, name, &field, NULL), 0);
    assert_int_equal(avro_value_get_size(&field, &count), 0);
    return count;
}

/* A partition that has seen one prediction and a decision on an idle feedback log. */
static struct slice a_checkpoint(struct outbox *outbox) {
    static struct column_definition columns[] = {{"$.id", false}, {"$.score", false}};
    struct task_definition task = {.name = "t",
                                   .kind = TASK_BINARY,
                                   .horizon_ms = 3600000,
                                   .pane_ms = 60000,
                                   .segment_ms = 225000,
                                   .threshold = .5,
                                   .level = .95,
                                   .cell_count = 256,
                                   .score_column = 1,
                                   .output_column = -1,
                                   .label_column = 1,
                                   .where_column = -1,
                                   .feedback_where_column = -1,
                                   .groups_max = 10,
                                   .epoch = 1};
    struct config config = {.application = "a",
                            .tasks = &task,
                            .task_count = 1,
                            .predictions = {.topic = "p", .columns = columns, .column_count = 2},
                            .feedback = {.topic = "f", .columns = columns, .column_count = 2},
                            .partials_partitions = 1,
                            .commit_bytes = 1 << 20,
                            .orphans_max = 10,
                            .delta_rows_max = 1000,
                            .delta_bytes_max = 1 << 20};
    struct memory_disk *disk = memory_disk_create();
    struct store *store;
    struct partition *partition;
    assert_ok(store_memory_open(disk, NULL, &store, NULL));
    const struct partition_options options = {.config = &config, .partition = 3, .store = store};
    assert_ok(partition_open(&options, &partition, NULL));
    const struct value values[] = {{.kind = VALUE_STRING, .as.string = SLICE("x")},
                                   {.kind = VALUE_DOUBLE, .as.real = .7}};
    const struct event event = {.log = LOG_PREDICTIONS,
                                .offset = 41,
                                .record_ms = TIME_NONE,
                                .id = SLICE("x"),
                                .time_ms = 1000000,
                                .prediction_ms = TIME_NONE,
                                .columns = values};
    assert_ok(partition_step(partition, &event, 1, outbox, NULL));
    partition_decide_clock(partition, LOG_FEEDBACK, 5000, -1);
    assert_ok(partition_commit(partition, 1, false, outbox, NULL));
    struct slice found = {NULL, 0};
    char key[32];
    for (size_t i = 0; i < outbox->count; i++)
        if (outbox->messages[i].topic == TOPIC_CHECKPOINTS &&
            slice_equal(outbox->messages[i].key, checkpoint_key(3, key)))
            found = outbox->messages[i].value;
    partition_close(partition);
    store->ops->close(store);
    memory_disk_destroy(disk);
    return found;
}

TEST(a_checkpoint_is_a_record_of_its_schema) {
    struct outbox outbox;
    outbox_init(&outbox);
    struct slice body, checkpoint = a_checkpoint(&outbox);
    assert_non_null(checkpoint.data);
    assert_true(read_frame(checkpoint, SCHEMA_CHECKPOINT, &body));
    avro_schema_t schema = schema_of("schemas/checkpoint.5.avsc");
    avro_value_iface_t *class = avro_generic_class_from_schema(schema);
    avro_value_t record;
    assert_int_equal(avro_generic_value_new(class, &record), 0);
    avro_reader_t reader = avro_reader_memory(body.data, (int64_t)body.size);
    assert_int_equal(avro_value_read(reader, &record), 0);
    char rest;
    assert_int_not_equal(avro_read(reader, &rest, 1), 0); /* nothing is left */
    assert_int_equal(long_of(&record, "position_predictions"), 42);
    assert_int_equal(long_of(&record, "clock_predictions"), 1000000);
    assert_int_equal(long_of(&record, "floor_predictions"), 41);
    assert_int_equal(long_of(&record, "clock_feedback"), 5000);
    assert_int_equal(long_of(&record, "predicted"), 1);
    assert_int_equal(count_of(&record, "tasks"), 1);
    assert_int_equal(count_of(&record, "decisions"), 1);
    avro_reader_free(reader);
    avro_value_decref(&record);
    avro_value_iface_decref(class);
    avro_schema_decref(schema);
    outbox_release(&outbox);
}

TEST(its_positions_can_be_read_back_and_nothing_shorter) {
    struct outbox outbox;
    outbox_init(&outbox);
    struct slice checkpoint = a_checkpoint(&outbox);
    int64_t positions[LOG_COUNT];
    assert_true(checkpoint_positions(checkpoint, positions));
    assert_int_equal(positions[LOG_PREDICTIONS], 42);
    for (size_t size = 0; size < checkpoint.size; size++)
        assert_false(checkpoint_positions((struct slice){checkpoint.data, size}, positions));
    outbox_release(&outbox);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(a_checkpoint_is_a_record_of_its_schema),
        CASE(its_positions_can_be_read_back_and_nothing_shorter),
    };
    return cmocka_run_group_tests_name("checkpoint", tests, NULL, NULL);
}
