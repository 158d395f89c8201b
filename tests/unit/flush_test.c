/* The flush protocol on the memory disk: the process dies at every write of a flush, of a drop and
 * of the recovery from that.  SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/store_model.h"

#include "state/flush.h"
#include "state/mutation.h"

enum { SEEDS = 300, WRITES_MAX = 200 };

/* A disk with some history, and one more batch that has not been flushed. */
struct scene {
    struct memory_disk *disk;
    struct model before, after;
    struct model_batch batch;
};

static struct store *try_memory(struct memory_disk *disk, struct memory_faults *faults) {
    struct store *store = NULL;
    return store_memory_open(disk, faults, &store, NULL) == STATUS_OK ? store : NULL;
}

static struct store *open_memory(struct memory_disk *disk, struct memory_faults *faults) {
    struct store *store = try_memory(disk, faults);
    if (!store)
        abort();
    return store;
}

static void scene_create(struct scene *scene, uint64_t seed) {
    struct random random = {seed};
    memset(scene, 0, sizeof *scene);
    scene->disk = memory_disk_create();
    struct store *store = open_memory(scene->disk, NULL);
    for (size_t flushes = random_below(&random, 4); flushes > 0; flushes--) {
        batch_fill(&scene->batch, &scene->before, &random);
        assert_ok(batch_flush(store, &scene->batch, NULL));
        size_t family = FIRST_ROWS + random_below(&random, MODEL_FAMILIES - FIRST_ROWS);
        model_drop(&scene->before, family);
        assert_ok(store->ops->drop(store, model_families[family], NULL));
    }
    store->ops->close(store);
    scene->after = scene->before;
    do
        batch_fill(&scene->batch, &scene->after, &random);
    while (scene->batch.row_count + scene->batch.put_count == 0);
}

/* Flushes the batch of a scene and dies at write crash_at; -1: lives.  Gives the writes made. */
static int64_t flush_until(struct scene *scene, int64_t crash_at) {
    struct memory_faults faults = {.crash_at = crash_at};
    struct store *store = open_memory(scene->disk, &faults);
    enum status status = batch_flush(store, &scene->batch, NULL);
    assert_int_equal(status, crash_at < 0 ? STATUS_OK : STATUS_IO);
    store->ops->close(store);
    return faults.writes;
}

/* Opens again and again, dying at the first write, then at the second, ... until it lives. */
static struct store *recover_slowly(struct memory_disk *disk) {
    for (int64_t crash_at = 1; crash_at < WRITES_MAX; crash_at++) {
        struct memory_faults faults = {.crash_at = crash_at};
        struct store *store = try_memory(disk, &faults);
        if (store) {
            store->ops->close(store);
            return try_memory(disk, NULL);
        }
    }
    return NULL;
}

struct outcome {
    bool is_before, is_after; /* what the disk holds after the crash */
    bool is_recovered;        /* and the flush done again does its work */
};

static struct outcome judge(struct scene *scene, struct store *store) {
    struct outcome outcome = {0};
    if (!store)
        return outcome;
    outcome.is_before = store_equals(store, &scene->before);
    outcome.is_after = store_equals(store, &scene->after);
    outcome.is_recovered = list_lies_between(store, &scene->before, &scene->after) &&
                           batch_flush(store, &scene->batch, NULL) == STATUS_OK &&
                           store_equals(store, &scene->after) &&
                           list_lies_between(store, &scene->after, &scene->after);
    store->ops->close(store);
    struct memory_faults idle = {.crash_at = 1};
    store = try_memory(scene->disk, &idle);
    outcome.is_recovered &= store && idle.writes == 0 && store_equals(store, &scene->after);
    if (store)
        store->ops->close(store);
    return outcome;
}

static struct outcome crash(uint64_t seed, int64_t crash_at, bool slowly) {
    struct scene scene;
    scene_create(&scene, seed);
    flush_until(&scene, crash_at);
    struct store *store = slowly ? recover_slowly(scene.disk) : try_memory(scene.disk, NULL);
    struct outcome outcome = judge(&scene, store);
    memory_disk_destroy(scene.disk);
    return outcome;
}

static int64_t count_writes(uint64_t seed) {
    struct scene scene;
    scene_create(&scene, seed);
    int64_t writes = flush_until(&scene, -1);
    memory_disk_destroy(scene.disk);
    return writes;
}

/* All or nothing, nothing first; whatever the write. */
static bool every_crash_holds(uint64_t seed, bool slowly) {
    int64_t writes = count_writes(seed);
    bool was_after = false;
    for (int64_t crash_at = 1; crash_at <= writes; crash_at++) {
        struct outcome outcome = crash(seed, crash_at, slowly);
        if (!outcome.is_recovered ||
            (was_after ? !outcome.is_after : !outcome.is_before && !outcome.is_after))
            return false;
        was_after |= !outcome.is_before;
    }
    return true;
}

static void assert_every_crash_holds(bool slowly) {
    uint64_t seed = test_seed(1);
    for (uint64_t i = 0; i < SEEDS; i++)
        if (!every_crash_holds(seed + i, slowly))
            fail_msg("seed %llu", (unsigned long long)(seed + i));
}

TEST(a_flush_that_dies_at_any_write_is_there_wholly_or_not_at_all) {
    assert_every_crash_holds(false);
}

TEST(recovery_that_dies_at_every_write_in_turn_ends_in_the_same_state) {
    assert_every_crash_holds(true);
}

/* A scene with rows and marks, so that there is something to break. */
static void one_row_and_mark(struct scene *scene) {
    memset(scene, 0, sizeof *scene);
    scene->disk = memory_disk_create();
    batch_row(&scene->batch, &scene->after, FIRST_ROWS, 1);
    batch_row(&scene->batch, &scene->after, FIRST_MARKS, 1);
    batch_put(&scene->batch, &scene->after, 0, 1, false);
}

TEST(the_commit_point_is_the_batch) {
    static const bool committed[] = {false, false, false, false, /* 2 files, sync, batch */
                                     true,  true,  true,  true}; /* ingest, 2 removals, clear */
    for (size_t i = 0; i < COUNT_OF(committed); i++) {
        struct scene scene;
        one_row_and_mark(&scene);
        flush_until(&scene, (int64_t)i + 1);
        struct outcome outcome = judge(&scene, try_memory(scene.disk, NULL));
        assert_int_equal(outcome.is_after, committed[i]);
        assert_int_equal(outcome.is_before, !committed[i]);
        assert_true(outcome.is_recovered);
        memory_disk_destroy(scene.disk);
    }
}

TEST(after_a_failed_write_the_store_refuses_all_work) {
    struct scene scene;
    one_row_and_mark(&scene);
    struct memory_faults faults = {.crash_at = 5};
    struct store *store = open_memory(scene.disk, &faults);
    struct error err = {0};
    assert_int_equal(batch_flush(store, &scene.batch, &err), STATUS_IO);
    assert_true(err.text[0] != '\0');
    faults.crash_at = -1;
    assert_int_equal(batch_flush(store, &scene.batch, NULL), STATUS_IO);
    assert_int_equal(store->ops->drop(store, model_families[FIRST_ROWS], NULL), STATUS_IO);
    assert_int_equal(store->ops->scan(store, model_families[0], NULL, NULL, NULL), STATUS_IO);
    struct slice key = SLICE("k"), value;
    assert_int_equal(store->ops->get(store, model_families[0], &key, 1, &value, NULL, NULL),
                     STATUS_IO);
    store->ops->close(store);
    memory_disk_destroy(scene.disk);
}

TEST(a_drop_that_dies_leaves_the_family_whole_and_one_that_lives_takes_it_away) {
    for (int64_t crash_at = 1; crash_at <= 2; crash_at++) {
        struct scene scene;
        one_row_and_mark(&scene);
        flush_until(&scene, -1);
        struct memory_faults faults = {.crash_at = crash_at};
        struct store *store = open_memory(scene.disk, &faults);
        enum status status = store->ops->drop(store, model_families[FIRST_ROWS], NULL);
        assert_int_equal(status, crash_at == 1 ? STATUS_IO : STATUS_OK);
        store->ops->close(store);
        if (status == STATUS_OK)
            model_drop(&scene.after, FIRST_ROWS);
        store = open_memory(scene.disk, NULL);
        assert_true(store_equals(store, &scene.after));
        assert_true(list_lies_between(store, &scene.after, &scene.after));
        store->ops->close(store);
        memory_disk_destroy(scene.disk);
    }
}

/* A label revised and revised back: what the family holds says nothing about the file. */
TEST(a_mark_that_was_there_already_does_not_pass_for_an_ingested_file) {
    for (int64_t crash_at = 1; crash_at <= 6; crash_at++) {
        struct scene scene;
        one_row_and_mark(&scene);
        flush_until(&scene, -1);
        scene.before = scene.after;
        scene.batch.put_count = 0;
        batch_row(&scene.batch, &scene.after, FIRST_MARKS, 2);
        flush_until(&scene, crash_at);
        struct outcome outcome = judge(&scene, try_memory(scene.disk, NULL));
        assert_int_equal(outcome.is_after, crash_at > 4);
        assert_true(outcome.is_before || outcome.is_after);
        assert_true(outcome.is_recovered);
        memory_disk_destroy(scene.disk);
    }
}

static bool some_crash_is_noticed(bool slowly) {
    for (uint64_t seed = 1; seed <= 20; seed++)
        if (!every_crash_holds(seed, slowly))
            return true;
    return false;
}

TEST(a_file_ingested_again_is_noticed) {
    mutation = MUTATION_REINGEST;
    bool is_noticed = some_crash_is_noticed(false);
    mutation = MUTATION_NONE;
    assert_true(is_noticed);
}

TEST(rows_ingested_before_the_batch_are_noticed) {
    mutation = MUTATION_ROWS_BEFORE_COUNTS;
    bool is_noticed = some_crash_is_noticed(false);
    mutation = MUTATION_NONE;
    assert_true(is_noticed);
}

TEST(a_lost_mark_is_noticed) {
    struct scene scene;
    one_row_and_mark(&scene);
    mutation = MUTATION_DROP_MARK;
    flush_until(&scene, -1);
    struct store *store = open_memory(scene.disk, NULL);
    bool is_equal = store_equals(store, &scene.after);
    mutation = MUTATION_NONE;
    store->ops->close(store);
    memory_disk_destroy(scene.disk);
    assert_false(is_equal);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(a_flush_that_dies_at_any_write_is_there_wholly_or_not_at_all),
        CASE(recovery_that_dies_at_every_write_in_turn_ends_in_the_same_state),
        CASE(the_commit_point_is_the_batch),
        CASE(after_a_failed_write_the_store_refuses_all_work),
        CASE(a_drop_that_dies_leaves_the_family_whole_and_one_that_lives_takes_it_away),
        CASE(a_mark_that_was_there_already_does_not_pass_for_an_ingested_file),
        CASE(a_file_ingested_again_is_noticed),
        CASE(rows_ingested_before_the_batch_are_noticed),
        CASE(a_lost_mark_is_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
