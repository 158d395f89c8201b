/* Stage 2 back from lost and older disks.  SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/task_world.h"

#include <avro.h>

static void start(struct machine *machine, struct log *log) {
    machine_define(machine, log);
    define_window(&machine->definition, "1m", WINDOW_TUMBLING, MINUTE, MINUTE, 0);
    define_window(&machine->definition, "2m", WINDOW_TUMBLING, 2 * MINUTE, 2 * MINUTE, 0);
    assert_ok(machine_open(machine));
}

static void advance(struct machine *machine) {
    machine_step(machine, SIZE_MAX);
    machine_commit(machine, true);
}

static void flush(struct machine *machine) {
    struct error err;
    assert_ok(task_committed(machine->stage, machine->now_ms, true, &err));
}

static struct sli look(const struct machine *machine, const char *group, const char *window,
                       int64_t end_ms) {
    struct sli sli;
    assert_true(board_sli(&machine->board, "volume", group, window, 0, end_ms, &sli));
    return sli;
}

/* The first minute of "all" is revised, that of "zone=a" is not; the clocks that sealed them are
 * compacted away. */
static void revise(struct machine *machine) {
    struct log *log = machine->log;
    log_partial(log, &machine->shape, 1, 0, "all", 0, 10, &(struct counts){4, 0, 0, 0});
    log_partial(log, &machine->shape, 1, 0, "zone=a", 0, 10, &(struct counts){2, 0, 0, 0});
    log_clocks(log, "fraud", MINUTE, 0);
    advance(machine);
    assert_int_equal(look(machine, "all", "1m", MINUTE).status, SLI_ON_TIME);
    log_partial(log, &machine->shape, 1, 0, "all", 0, 12, &(struct counts){4, 1, 1, 0});
    advance(machine);
    log_clocks(log, "fraud", MINUTE + 1, 0);
    advance(machine);
    assert_int_equal(look(machine, "all", "1m", MINUTE).status, SLI_REVISED);
    assert_int_equal(look(machine, "zone=a", "1m", MINUTE).status, SLI_ON_TIME);
}

TEST(a_lost_disk_changes_no_status) {
    struct log log = {0};
    struct machine machine;
    start(&machine, &log);
    revise(&machine);
    for (int times = 0; times < 2; times++) {
        int64_t published = machine.board.published;
        machine_lose_disk(&machine);
        advance(&machine);
        assert_true(machine.board.published > published); /* said again */
        assert_int_equal(look(&machine, "all", "1m", MINUTE).status, SLI_REVISED);
        assert_int_equal(look(&machine, "zone=a", "1m", MINUTE).status, SLI_ON_TIME);
        assert_int_equal(look(&machine, "all", "2m", 2 * MINUTE).status, SLI_PROVISIONAL);
    }
    machine_release(&machine);
    log_release(&log);
}

TEST(what_the_state_topic_says_of_a_window_reaches_the_store) {
    struct log log = {0};
    struct machine machine;
    start(&machine, &log);
    revise(&machine);
    machine_lose_disk(&machine);
    advance(&machine);
    flush(&machine);
    machine_close(&machine);
    assert_ok(machine_open(&machine));
    assert_int_equal(task_position(machine.stage), machine.committed);
    log_partial(&log, &machine.shape, 1, MINUTE, "all", 0, 13, &(struct counts){1, 0, 0, 0});
    log_clocks(&log, "fraud", 2 * MINUTE, 0);
    advance(&machine);
    assert_int_equal(look(&machine, "all", "1m", MINUTE).status, SLI_REVISED);
    assert_int_equal(look(&machine, "zone=a", "1m", MINUTE).status, SLI_ON_TIME);
    assert_int_equal(look(&machine, "all", "2m", 2 * MINUTE).status, SLI_ON_TIME);
    machine_release(&machine);
    log_release(&log);
}

/* How many windows the state topic says are revised, in the end. */
static size_t count_remembered(const struct machine *machine) {
    size_t count = 0;
    for (size_t i = 0; i < machine->state.count; i++) {
        struct task_record record = log_read(&machine->state, i);
        struct slice body;
        bool is_last = true;
        for (size_t later = i + 1; later < machine->state.count; later++)
            is_last &= !slice_equal(record.key, log_read(&machine->state, later).key);
        count += is_last && record.value.data && read_frame(record.value, SCHEMA_WINDOW, &body);
    }
    return count;
}

TEST(a_final_window_is_remembered_no_more) {
    struct log log = {0};
    struct machine machine;
    start(&machine, &log);
    revise(&machine);
    assert_int_equal(count_remembered(&machine), 1);
    log_clocks(&log, "fraud", 2 * MINUTE, MINUTE);
    advance(&machine);
    assert_int_equal(look(&machine, "all", "1m", MINUTE).status, SLI_FINAL);
    assert_int_equal(count_remembered(&machine), 0);
    int64_t finals = machine.finals;
    machine_lose_disk(&machine);
    advance(&machine);
    assert_int_equal(machine.finals, finals);
    assert_int_equal(look(&machine, "all", "1m", MINUTE).status, SLI_FINAL);
    assert_int_equal(look(&machine, "all", "2m", 2 * MINUTE).status, SLI_ON_TIME);
    machine_release(&machine);
    log_release(&log);
}

TEST(an_older_disk_gives_its_sources_up_for_history) {
    struct log log = {0};
    struct machine machine;
    start(&machine, &log);
    for (int32_t p = 0; p < 2; p++)
        log_partial(&log, &machine.shape, 1, 0, "all", p, 10, &(struct counts){4, 2, 1, 0});
    advance(&machine);
    flush(&machine);
    log_partial(&log, &machine.shape, 1, 0, "all", 0, 12, &(struct counts){5, 2, 1, 0});
    log_clocks(&log, "fraud", MINUTE, MINUTE);
    advance(&machine);
    assert_int_equal(machine.finals, 1);
    log_compact(&log);
    for (int times = 0; times < 2; times++) {
        machine_close(&machine);
        assert_ok(machine_open(&machine));
        machine_restore(&machine);
        advance(&machine);
        flush(&machine);
    }
    log_clocks(&log, "fraud", 2 * MINUTE, 2 * MINUTE);
    advance(&machine);
    struct sli sli = look(&machine, "all", "2m", 2 * MINUTE);
    assert_int_equal(sli.status, SLI_FINAL);
    assert_int_equal(sli.predicted, 9);
    assert_int_equal(machine.finals, 1);
    machine_release(&machine);
    log_release(&log);
}

static char *decode(const char *path, struct slice bytes) {
    static char text[1 << 14];
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t size = fread(text, 1, sizeof text, file);
    (void)fclose(file);
    avro_schema_t schema;
    assert_int_equal(avro_schema_from_json_length(text, size, &schema), 0);
    avro_value_iface_t *class = avro_generic_class_from_schema(schema);
    avro_value_t value;
    assert_int_equal(avro_generic_value_new(class, &value), 0);
    avro_reader_t reader = avro_reader_memory(bytes.data, (int64_t)bytes.size);
    assert_int_equal(avro_value_read(reader, &value), 0);
    char rest, *json;
    assert_int_not_equal(avro_read(reader, &rest, 1), 0); /* nothing is left over */
    assert_int_equal(avro_value_to_json(&value, 1, &json), 0);
    avro_reader_free(reader);
    avro_value_decref(&value);
    avro_value_iface_decref(class);
    avro_schema_decref(schema);
    return json;
}

TEST(avro_reads_a_remembered_window_by_its_schema) {
    struct log log = {0};
    struct machine machine;
    start(&machine, &log);
    revise(&machine);
    size_t seen = 0;
    for (size_t i = 0; i < machine.state.count; i++) {
        struct slice body;
        if (!read_frame(log_read(&machine.state, i).value, SCHEMA_WINDOW, &body))
            continue;
        char *json = decode("schemas/window.9.avsc", body);
        assert_string_equal(json, "{\"task\": \"fraud\", \"group\": \"all\", "
                                  "\"window\": \"1m\", \"window_start\": 0, "
                                  "\"window_end\": 60000, \"status\": \"REVISED\"}");
        free(json);
        seen++;
    }
    assert_int_equal(seen, 1);
    machine_release(&machine);
    log_release(&log);
}

TEST(malformed_records_of_the_state_topic_are_counted) {
    struct error err;
    struct log log = {0};
    struct machine machine;
    start(&machine, &log);
    revise(&machine);
    int64_t malformed = 0;
    for (size_t i = 0; i < machine.state.count; i++) {
        struct task_record record = log_read(&machine.state, i);
        struct slice body;
        if (!read_frame(record.value, SCHEMA_WINDOW, &body))
            continue;
        for (size_t size = record.value.size - 1; size > 0; size--, malformed++) {
            struct task_record part = {record.offset, record.key, {record.value.data, size}};
            assert_ok(task_restore(machine.stage, &part, &err));
        }
    }
    struct task_stats stats;
    task_stats(machine.stage, &stats);
    assert_true(malformed > 20);
    assert_int_equal(stats.malformed, malformed);
    machine_release(&machine);
    log_release(&log);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(a_lost_disk_changes_no_status),
        CASE(what_the_state_topic_says_of_a_window_reaches_the_store),
        CASE(a_final_window_is_remembered_no_more),
        CASE(an_older_disk_gives_its_sources_up_for_history),
        CASE(avro_reads_a_remembered_window_by_its_schema),
        CASE(malformed_records_of_the_state_topic_are_counted),
    };
    return cmocka_run_group_tests_name("task rebuilds", tests, NULL, NULL);
}
