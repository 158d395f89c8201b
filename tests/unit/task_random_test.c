/* Stage 2 over random worlds: windows against an oracle, and what must not matter: batches,
 * repetition, order of the sources, crashes, lost disks.  SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/task_world.h"
#include "tests/sim/random.h"

enum { GROUPS = 3, PANES = 24, WORLDS = 12 };

static const char *const groups[GROUPS] = {"all", "zone=a", "zone=b"};

/* What the log says in the end, by source partition, group and pane. */
struct truth {
    struct counts counts[WORLD_SOURCES][GROUPS][PANES];
    int64_t final_ms; /* of all */
};

static void define_windows(struct machine *machine) {
    struct task_definition *definition = &machine->definition;
    define_window(definition, "1m", WINDOW_TUMBLING, MINUTE, MINUTE, 0);
    define_window(definition, "5m", WINDOW_TUMBLING, 5 * MINUTE, 5 * MINUTE, 2 * MINUTE);
    define_window(definition, "hop", WINDOW_HOPPING, 6 * MINUTE, 2 * MINUTE, MINUTE);
    define_window(definition, "grow", WINDOW_CUMULATIVE, 8 * MINUTE, 2 * MINUTE, 0);
}

static void grow(struct random *random, struct counts *counts, bool is_late) {
    int64_t more = random_between(random, 0, 3);
    counts->predicted += more;
    counts->late += is_late ? more : 0;
    counts->labelled += random_between(random, 0, counts->predicted - counts->labelled);
    counts->correct = random_between(random, 0, counts->labelled);
}

/* Each source goes through time on its own; its panes change until they are final for it. */
static void make_world(struct random *random, const struct shape *shape, struct log *log,
                       struct truth *truth) {
    int64_t now[WORLD_SOURCES] = {0}, version = 0;
    *truth = (struct truth){.final_ms = INT64_MAX};
    for (int steps = 0; steps < 500; steps++) {
        int32_t p = (int32_t)random_below(random, WORLD_SOURCES);
        if (random_chance(random, .25)) {
            now[p] += random_between(random, 0, MINUTE);
            int64_t final_ms = now[p] > 5 * MINUTE ? now[p] - 5 * MINUTE : 0;
            log_clock(log, "fraud", p, now[p], final_ms);
            continue;
        }
        int64_t newest = now[p] / MINUTE + 1, oldest = newest > 5 ? newest - 5 : 0;
        int64_t pane = random_between(random, oldest, newest);
        size_t g = random_below(random, GROUPS);
        if (pane >= PANES || (pane + 1) * MINUTE <= now[p] - 5 * MINUTE)
            continue;
        struct counts *counts = &truth->counts[p][g][pane];
        grow(random, counts, (pane + 1) * MINUTE <= now[p]);
        log_partial(log, shape, 1, pane * MINUTE, groups[g], p, ++version, counts);
    }
    for (int p = 0; p < WORLD_SOURCES; p++) {
        int64_t final_ms = now[p] > 5 * MINUTE ? now[p] - 5 * MINUTE : 0;
        truth->final_ms = final_ms < truth->final_ms ? final_ms : truth->final_ms;
    }
}

/* --- the oracle: all windows of a definition, one after the other ---------------------------- */

struct seen {
    size_t windows;
    size_t finals;
};

static void check_window(const struct machine *machine, const struct truth *truth, const char *name,
                         int64_t start_ms, int64_t end_ms, struct seen *seen) {
    for (size_t g = 0; g < GROUPS; g++) {
        struct counts sum = {0};
        bool any = false;
        for (int64_t pane = 0; pane < PANES; pane++) {
            if (pane * MINUTE < start_ms || (pane + 1) * MINUTE > end_ms)
                continue;
            for (int p = 0; p < WORLD_SOURCES; p++) {
                const struct counts *counts = &truth->counts[p][g][pane];
                sum.predicted += counts->predicted;
                sum.labelled += counts->labelled;
                sum.correct += counts->correct;
                sum.late += counts->late;
                any |= counts->predicted > 0;
            }
        }
        struct sli sli = {0};
        if (!any)
            continue;
        assert_true(
            board_sli(&machine->board, "precision", groups[g], name, start_ms, end_ms, &sli));
        assert_int_equal(sli.predicted, sum.predicted);
        assert_int_equal(sli.labelled, sum.labelled);
        assert_int_equal(sli.late, sum.late);
        assert_int_equal(sli.has_value, sum.labelled > 0);
        if (sum.labelled > 0)
            assert_close(sli.value, (double)sum.correct / (double)sum.labelled, 1e-12);
        assert_int_equal(sli.status == SLI_FINAL, end_ms <= truth->final_ms);
        seen->windows++;
        seen->finals += sli.status == SLI_FINAL;
    }
}

static void check_all_windows(const struct machine *machine, const struct truth *truth,
                              struct seen *seen) {
    for (int64_t k = -10; k < PANES + 10; k++) {
        int64_t t = k * MINUTE;
        check_window(machine, truth, "1m", t, t + MINUTE, seen);
        check_window(machine, truth, "5m", 5 * t + 2 * MINUTE, 5 * t + 7 * MINUTE, seen);
        check_window(machine, truth, "hop", 2 * t + MINUTE, 2 * t + 7 * MINUTE, seen);
        for (int64_t j = 1; j <= 4; j++)
            check_window(machine, truth, "grow", 8 * t, 8 * t + j * 2 * MINUTE, seen);
    }
}

static void begin(struct machine *machine, struct log *log) {
    machine_define(machine, log);
    define_windows(machine);
    assert_ok(machine_open(machine));
}

TEST(every_window_of_every_kind_equals_a_sum_over_its_panes) {
    uint64_t seed = test_seed(1);
    struct seen seen = {0};
    for (uint64_t world = 0; world < WORLDS; world++) {
        struct random random = {seed + world};
        struct log log = {0};
        struct machine machine;
        struct truth truth;
        begin(&machine, &log);
        make_world(&random, &machine.shape, &log, &truth);
        machine_run(&machine, 1 + random_below(&random, 40));
        check_all_windows(&machine, &truth, &seen);
        machine_release(&machine);
        log_release(&log);
    }
    assert_true(seen.finals > 500 && seen.windows > seen.finals);
}

/* --- what must not matter -------------------------------------------------------------------- */

static void reference_run(uint64_t seed, struct machine *machine, struct log *log) {
    struct random random = {seed};
    struct truth truth;
    begin(machine, log);
    make_world(&random, &machine->shape, log, &truth);
    machine_run(machine, 1);
    assert_true(machine->finals > 0 && machine->tombstones >= machine->finals);
}

static void log_world(uint64_t seed, const struct shape *shape, struct log *log) {
    struct random random = {seed};
    struct truth truth;
    make_world(&random, shape, log, &truth);
}

TEST(batch_boundaries_do_not_matter) {
    uint64_t seed = test_seed(2);
    for (uint64_t world = 0; world < WORLDS; world++) {
        struct log log = {0}, other_log = {0};
        struct machine machine, other;
        reference_run(seed + world, &machine, &log);
        begin(&other, &other_log);
        log_world(seed + world, &other.shape, &other_log);
        struct random random = {seed + world};
        while (task_position(other.stage) < (int64_t)other_log.count) {
            machine_step(&other, random_below(&random, 60));
            machine_commit(&other, random_chance(&random, .1));
        }
        machine_commit(&other, true);
        assert_same_boards(&machine.board, &other.board);
        assert_int_equal(machine.finals, other.finals);
        machine_release(&machine);
        machine_release(&other);
        log_release(&log);
        log_release(&other_log);
    }
}

TEST(reading_every_record_twice_does_not_matter) {
    uint64_t seed = test_seed(3);
    for (uint64_t world = 0; world < WORLDS; world++) {
        struct log log = {0}, once = {0}, twice = {0};
        struct machine machine, other;
        reference_run(seed + world, &machine, &log);
        begin(&other, &twice);
        log_world(seed + world, &other.shape, &once);
        for (size_t i = 0; i < once.count; i++) {
            struct task_record record = log_read(&once, i);
            log_add(&twice, record.key, record.value);
            log_add(&twice, record.key, record.value);
        }
        machine_run(&other, 7);
        assert_same_boards(&machine.board, &other.board);
        machine_release(&machine);
        machine_release(&other);
        log_release(&log);
        log_release(&once);
        log_release(&twice);
    }
}

TEST(the_order_of_the_sources_does_not_matter) {
    uint64_t seed = test_seed(4);
    for (uint64_t world = 0; world < WORLDS; world++) {
        struct log mixed = {0}, sorted = {0}, all = {0};
        struct machine machine, other;
        begin(&machine, &mixed);
        begin(&other, &sorted);
        log_world(seed + world, &machine.shape, &all);
        for (int32_t p = -1; p < WORLD_SOURCES; p++) {
            for (size_t i = 0; i < all.count; i++) {
                struct task_record record = log_read(&all, i);
                struct partial_key key;
                assert_true(partial_read_key(record.key, &key));
                if (key.family == PARTIAL_COUNTS && (p < 0 || key.partition == p))
                    log_add(p < 0 ? &mixed : &sorted, record.key, record.value);
            }
        }
        assert_int_equal(mixed.count, sorted.count);
        machine_run(&machine, 10);
        machine_run(&other, 10);
        assert_same_boards(&machine.board, &other.board);
        machine_release(&machine);
        machine_release(&other);
        log_release(&mixed);
        log_release(&sorted);
        log_release(&all);
    }
}

/* --- crashes --------------------------------------------------------------------------------- */

/* The process is dead: what is in memory is gone, the disk stays. */
static void crash(struct machine *machine) {
    machine_close(machine);
    machine->faults = NULL;
    assert_ok(machine_open(machine));
    machine_restore(machine);
}

/* A run in which every commit ends in one of the ways that a commit can end. */
static void run_with_crashes(struct machine *machine, struct random *random) {
    struct error err;
    while (task_position(machine->stage) < (int64_t)machine->log->count) {
        machine_step(machine, 1 + random_below(random, 50));
        if (!task_is_live(machine->stage))
            continue;
        if (random_chance(random, .15)) { /* before the transaction, or it is aborted */
            outbox_reset(&machine->outbox);
            assert_ok(task_commit(machine->stage, machine->now_ms, false, &machine->outbox, &err));
            crash(machine);
            continue;
        }
        machine_commit(machine, false);
        if (random_chance(random, .15)) { /* after it, before the flush */
            crash(machine);
            continue;
        }
        assert_ok(task_committed(machine->stage, machine->now_ms, random_chance(random, .5), &err));
    }
    machine_commit(machine, true);
}

TEST(crashes_around_commits_do_not_matter) {
    uint64_t seed = test_seed(5);
    for (uint64_t world = 0; world < WORLDS; world++) {
        struct log log = {0}, other_log = {0};
        struct machine machine, other;
        reference_run(seed + world, &machine, &log);
        begin(&other, &other_log);
        log_world(seed + world, &other.shape, &other_log);
        struct random random = {seed + world};
        run_with_crashes(&other, &random);
        assert_same_boards(&machine.board, &other.board);
        assert_int_equal(machine.finals, other.finals);
        assert_int_equal(machine.tombstones, other.tombstones);
        machine_release(&machine);
        machine_release(&other);
        log_release(&log);
        log_release(&other_log);
    }
}

/* Runs with the process dying at the crash_at-th write of the store; false when it never came. */
static bool run_to_write(struct machine *machine, int64_t crash_at) {
    struct error err;
    struct memory_faults faults = {.crash_at = crash_at};
    machine_close(machine);
    machine->faults = &faults;
    bool has_crashed = machine_open(machine) != STATUS_OK;
    if (has_crashed)
        crash(machine);
    while (task_position(machine->stage) < (int64_t)machine->log->count) {
        machine_step(machine, 90);
        if (!task_is_live(machine->stage))
            continue;
        machine_commit(machine, false);
        if (task_committed(machine->stage, machine->now_ms, true, &err) != STATUS_OK) {
            has_crashed = true;
            crash(machine);
        }
    }
    machine_commit(machine, true);
    return has_crashed;
}

TEST(a_crash_at_any_write_of_the_store_does_not_matter) {
    uint64_t seed = test_seed(6);
    struct log log = {0};
    struct machine machine;
    reference_run(seed, &machine, &log);
    int64_t crash_at = 0;
    for (bool has_crashed = true; has_crashed; crash_at++) {
        struct log other_log = {0};
        struct machine other;
        begin(&other, &other_log);
        log_world(seed, &other.shape, &other_log);
        has_crashed = run_to_write(&other, crash_at);
        assert_same_boards(&machine.board, &other.board);
        machine_release(&other);
        log_release(&other_log);
    }
    assert_true(crash_at > 5);
    machine_release(&machine);
    log_release(&log);
}

/* ON_TIME or REVISED: what came before the seal after the last commit is not in a compacted topic.
 */
static bool equal_but_for_revised(const struct post *a, const struct post *b) {
    struct sli x = read_post(a), y = read_post(b);
    if (x.status == SLI_REVISED)
        x.status = SLI_ON_TIME;
    if (y.status == SLI_REVISED)
        y.status = SLI_ON_TIME;
    struct buffer left, right;
    buffer_init(&left, 1 << 20);
    buffer_init(&right, 1 << 20);
    sli_write(&x, &left);
    sli_write(&y, &right);
    bool same = same_content(buffer_slice(&left), buffer_slice(&right));
    buffer_release(&left);
    buffer_release(&right);
    return same;
}

/* To the end, with a look at every record: a status does not go back, and a revision says one
 * thing.
 */
static void run_forward(struct machine *machine) {
    struct error err;
    while (task_position(machine->stage) < (int64_t)machine->log->count) {
        machine_step(machine, 20);
        outbox_reset(&machine->outbox);
        assert_ok(task_commit(machine->stage, machine->now_ms, true, &machine->outbox, &err));
        for (size_t i = 0; i < machine->outbox.count; i++) {
            const struct message *message = &machine->outbox.messages[i];
            const struct post *post =
                message->topic == TOPIC_SLIS ? board_find(&machine->board, message->key) : NULL;
            struct sli before, now;
            if (!post)
                continue;
            before = read_post(post);
            assert_true(sli_read(message->value, &now));
            assert_true(now.status >= before.status);
            if (now.revision.offset == before.revision.offset)
                assert_true(same_content(buffer_slice(&post->value), message->value));
        }
        machine->committed = task_position(machine->stage);
        machine_publish(machine);
        assert_ok(task_committed(machine->stage, machine->now_ms, false, &err));
    }
}

TEST(a_lost_disk_does_not_matter) {
    uint64_t seed = test_seed(7);
    for (uint64_t world = 0; world < WORLDS; world++) {
        struct log log = {0}, other_log = {0};
        struct machine machine, other;
        reference_run(seed + world, &machine, &log);
        begin(&other, &other_log);
        log_world(seed + world, &other.shape, &other_log);
        struct random random = {seed + world};
        machine_step(&other, 150 + random_below(&random, 200));
        machine_commit(&other, random_chance(&random, .5));
        machine_lose_disk(&other);
        run_forward(&other);
        assert_int_equal(machine.board.count, other.board.count);
        for (size_t i = 0; i < machine.board.count; i++)
            assert_true(equal_but_for_revised(
                &machine.board.posts[i],
                board_find(&other.board, buffer_slice(&machine.board.posts[i].key))));
        assert_int_equal(machine.finals, other.finals);
        machine_release(&machine);
        machine_release(&other);
        log_release(&log);
        log_release(&other_log);
    }
}

TEST(what_is_flushed_is_not_published_again) {
    uint64_t seed = test_seed(8);
    struct error err;
    struct log log = {0};
    struct machine machine;
    begin(&machine, &log);
    log_world(seed, &machine.shape, &log);
    machine_run(&machine, 30);
    machine_step(&machine, SIZE_MAX);
    machine_commit(&machine, true);
    assert_ok(task_committed(machine.stage, machine.now_ms, true, &err));
    int64_t published = machine.board.published;
    crash(&machine);
    assert_true(task_is_live(machine.stage));
    machine_commit(&machine, true);
    assert_int_equal(machine.board.published, published);
    struct task_stats stats;
    task_stats(machine.stage, &stats);
    assert_true(stats.panes > 0);
    machine_release(&machine);
    log_release(&log);
}

TEST(random_bytes_change_nothing) {
    struct random random = {test_seed(9)};
    struct log log = {0}, other_log = {0}, noisy = {0};
    struct machine machine, other;
    reference_run(random.state, &machine, &log);
    begin(&other, &noisy);
    log_world(random.state, &other.shape, &other_log);
    for (size_t i = 0; i < other_log.count; i++) {
        struct task_record record = log_read(&other_log, i);
        if (!record.value.data)
            continue;
        char bytes[300];
        size_t size = record.value.size < sizeof bytes ? record.value.size : sizeof bytes;
        memcpy(bytes, record.value.data, size);
        for (int flips = 0; flips < 3; flips++)
            bytes[random_below(&random, FRAME_BYTES)] ^= (char)(1 + random_below(&random, 250));
        for (size_t at = FRAME_BYTES; at < size; at++)
            bytes[at] = (char)random_bits(&random);
        log_add(&noisy, record.key, (struct slice){bytes, size});
        log_add(&noisy, record.key, record.value);
    }
    machine_run(&other, 11);
    assert_same_boards(&machine.board, &other.board);
    struct task_stats stats;
    task_stats(other.stage, &stats);
    assert_true(stats.malformed > (int64_t)other_log.count * 9 / 10);
    machine_release(&machine);
    machine_release(&other);
    log_release(&log);
    log_release(&other_log);
    log_release(&noisy);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(every_window_of_every_kind_equals_a_sum_over_its_panes),
        CASE(batch_boundaries_do_not_matter),
        CASE(reading_every_record_twice_does_not_matter),
        CASE(the_order_of_the_sources_does_not_matter),
        CASE(crashes_around_commits_do_not_matter),
        CASE(a_crash_at_any_write_of_the_store_does_not_matter),
        CASE(a_lost_disk_does_not_matter),
        CASE(what_is_flushed_is_not_published_again),
        CASE(random_bytes_change_nothing),
    };
    return cmocka_run_group_tests_name("task over random worlds", tests, NULL, NULL);
}
