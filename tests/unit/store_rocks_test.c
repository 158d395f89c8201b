/* RocksDB under the flush protocol: processes that die at every write.  Each piece of work runs in
 * a child of its own, since RocksDB's threads do not outlive a fork; this process never opens one.
 * SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/store_model.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>

#include "state/flush.h"
#include "state/mutation.h"

enum { LIVED = 0, BEFORE = 10, AFTER = 11, BROKEN = 12, DIED = 13 };

static struct {
    char root[512], database[512], rows[512], kept[512]; /* kept: second names of row files */
    char snapshot[512];
    struct model before, after;
    struct model_batch batch;
    int64_t writes, crash_at;
} scene;

/* Folders */

static void each_file(const char *from, const char *to,
                      void (*visit)(const char *source, const char *target)) {
    DIR *folder = opendir(from);
    if (!folder)
        abort();
    for (const struct dirent *entry; (entry = readdir(folder));) {
        char source[512], target[512];
        path_join(source, from, entry->d_name);
        path_join(target, to, entry->d_name);
        if (entry->d_name[0] != '.')
            visit(source, target);
    }
    (void)closedir(folder);
}

static void copy_file(const char *source, const char *target) {
    static char bytes[1 << 16];
    int from = open(source, O_RDONLY), to = open(target, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    for (ssize_t size; (size = read(from, bytes, sizeof bytes)) > 0;)
        if (write(to, bytes, (size_t)size) != size)
            abort();
    (void)close(from);
    (void)close(to);
}

static void copy_entry(const char *source, const char *target) {
    struct stat facts;
    if (stat(source, &facts) == 0 && S_ISDIR(facts.st_mode)) {
        (void)mkdir(target, 0755);
        each_file(source, target, copy_entry);
    } else {
        copy_file(source, target);
    }
}

static void link_file(const char *source, const char *target) {
    if (link(source, target) != 0 && errno != EEXIST)
        abort();
}

static size_t file_total;

static void count_file(const char *source UNUSED, const char *target UNUSED) {
    file_total++;
}

static size_t count_files(const char *folder) {
    file_total = 0;
    each_file(folder, folder, count_file);
    return file_total;
}

/* Children */

static int run_child(int (*work)(void)) {
    (void)fflush(NULL);
    pid_t child = fork();
    if (child == 0)
        _exit(work());
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status))
        return BROKEN;
    return WEXITSTATUS(status);
}

static struct store *open_rocks(const char *directory) {
    struct store *store = NULL;
    struct error err = {0};
    if (store_rocks_open(directory, store_cache_create(1 << 20), &store, &err) != STATUS_OK)
        print_message("%s\n", err.text);
    return store;
}

/* Of the models only what the parent has matters: children start from its copy. */
static int make_history(void) {
    struct store *store = open_rocks(scene.database);
    struct random random = {8};
    struct model model = {0};
    for (int i = 0; i < 3; i++) {
        batch_fill(&scene.batch, &model, &random);
        if (!store || batch_flush(store, &scene.batch, NULL) != STATUS_OK)
            return BROKEN;
    }
    store->ops->close(store);
    return LIVED;
}

static void scene_create(void) {
    memset(&scene, 0, sizeof scene);
    make_temporary(scene.root);
    path_join(scene.database, scene.root, "database");
    path_join(scene.rows, scene.database, "rows");
    path_join(scene.kept, scene.root, "kept");
    path_join(scene.snapshot, scene.root, "snapshot");
    assert_int_equal(mkdir(scene.kept, 0755), 0);
    assert_int_equal(run_child(make_history), LIVED);
    struct random random = {8};
    for (int i = 0; i < 3; i++)
        batch_fill(&scene.batch, &scene.before, &random);
    scene.after = scene.before;
    batch_fill(&scene.batch, &scene.after, &random);
    assert_true(scene.batch.row_count > 8 && scene.batch.put_count > 2 &&
                scene.before.exists[FIRST_ROWS]);
}

static void scene_release(void) {
    remove_tree(scene.root);
}

static void die_at_write(const char *write UNUSED) {
    if (++scene.writes == scene.crash_at)
        _exit(DIED);
}

static int flush_batch(void) {
    struct store *store = open_rocks(scene.database);
    if (!store)
        return BROKEN;
    flush_hook = die_at_write;
    int outcome = batch_flush(store, &scene.batch, NULL) == STATUS_OK ? LIVED : BROKEN;
    store->ops->close(store);
    return outcome;
}

static int recover(void) {
    flush_hook = die_at_write;
    struct store *store = open_rocks(scene.database);
    if (!store)
        return BROKEN;
    store->ops->close(store);
    return LIVED;
}

static int holds(struct store *store, const struct model *must) {
    return store && store_equals(store, must) && list_lies_between(store, must, &scene.after);
}

/* BEFORE or AFTER as it is found; then the flush is done again, and again after one more opening
 * the database must be right and its folder of row files empty. */
static int judge(void) {
    struct store *store = open_rocks(scene.database);
    int found = holds(store, &scene.after) ? AFTER : holds(store, &scene.before) ? BEFORE : BROKEN;
    if (found == BROKEN || count_files(scene.rows) > 0 ||
        batch_flush(store, &scene.batch, NULL) != STATUS_OK || !holds(store, &scene.after))
        return BROKEN;
    store->ops->close(store);
    store = open_rocks(scene.database);
    if (!holds(store, &scene.after) || count_files(scene.rows) > 0)
        return BROKEN;
    store->ops->close(store);
    return found;
}

/* The template of history is kept, since making it costs more than copying it. */
static void restore(const char *template) {
    remove_tree(scene.database);
    copy_entry(template, scene.database);
}

TEST(a_process_that_dies_at_any_write_of_a_flush_leaves_all_of_it_or_nothing) {
    scene_create();
    copy_entry(scene.database, scene.snapshot);
    int outcome = DIED, last = BEFORE, afters = 0;
    for (scene.crash_at = 1; outcome == DIED; scene.crash_at++) {
        restore(scene.snapshot);
        outcome = run_child(flush_batch);
        int found = run_child(judge);
        assert_true(found == AFTER || (found == BEFORE && last == BEFORE));
        last = found;
        afters += found == AFTER;
    }
    assert_int_equal(outcome, LIVED);
    assert_in_range(scene.crash_at, 10, 100);
    assert_in_range(afters, 4, 100);
    scene_release();
}

static void die_at_ingestion(const char *write) {
    if (strcmp(write, "ingest") == 0)
        _exit(DIED);
}

static int flush_to_commit_point(void) {
    struct store *store = open_rocks(scene.database);
    flush_hook = die_at_ingestion;
    return store && batch_flush(store, &scene.batch, NULL) == STATUS_OK ? LIVED : BROKEN;
}

TEST(recovery_that_dies_at_every_write_in_turn_ends_well) {
    scene_create();
    assert_int_equal(run_child(flush_to_commit_point), DIED);
    int outcome = DIED;
    for (scene.crash_at = 1; outcome == DIED; scene.crash_at++)
        outcome = run_child(recover);
    assert_int_equal(outcome, LIVED);
    assert_in_range(scene.crash_at, 4, 100);
    assert_int_equal(run_child(judge), AFTER);
    scene_release();
}

static void rot_first_block(const char *source, const char *target UNUSED) {
    static const char rot[24] = "no row was ever like it";
    int file = open(source, O_WRONLY);
    if (pwrite(file, rot, sizeof rot, 2) != (ssize_t)sizeof rot)
        abort();
    (void)close(file);
}

/* RocksDB takes such a file, with no keys for its bounds: its rows would be missing, unnoticed. */
TEST(a_file_that_is_damaged_before_its_ingestion_makes_the_store_corrupt) {
    scene_create();
    assert_int_equal(run_child(flush_to_commit_point), DIED);
    assert_in_range(count_files(scene.rows), 2, 64);
    each_file(scene.rows, scene.rows, rot_first_block);
    struct store_cache *cache = store_cache_create(1 << 20);
    struct store *store = NULL;
    struct error err = {0};
    enum status status = store_rocks_open(scene.database, cache, &store, &err);
    if (status == STATUS_OK)
        store->ops->close(store);
    store_cache_destroy(cache);
    assert_int_equal(status, STATUS_CORRUPT);
    scene_release();
}

/* Keeps second names of the row files, and dies when all are ingested. */
static void keep_files(const char *write) {
    if (strcmp(write, "ingest") == 0)
        each_file(scene.rows, scene.kept, link_file);
    if (strcmp(write, "write_batch") == 0 && ++scene.writes == 2)
        _exit(DIED);
}

static int flush_keeping_files(void) {
    struct store *store = open_rocks(scene.database);
    flush_hook = keep_files;
    return store && batch_flush(store, &scene.batch, NULL) == STATUS_OK ? LIVED : BROKEN;
}

/* RocksDB moves a file by a second link; one that dies before it has taken away the first leaves
 * listed files that are ingested and share their inodes with the database's. */
static void leave_links(void) {
    scene_create();
    assert_int_equal(run_child(flush_keeping_files), DIED);
    each_file(scene.kept, scene.rows, link_file);
    assert_in_range(count_files(scene.rows), 2, 64);
}

TEST(files_that_are_ingested_but_still_there_are_not_ingested_again) {
    leave_links();
    assert_int_equal(run_child(judge), AFTER);
    scene_release();
}

TEST(a_file_ingested_again_is_noticed) {
    leave_links();
    mutation = MUTATION_REINGEST;
    int found = run_child(judge);
    mutation = MUTATION_NONE;
    assert_int_equal(found, BROKEN);
    scene_release();
}

TEST(rows_ingested_before_the_batch_are_noticed) {
    scene_create();
    copy_entry(scene.database, scene.snapshot);
    bool is_noticed = false;
    mutation = MUTATION_ROWS_BEFORE_COUNTS;
    int outcome = DIED;
    for (scene.crash_at = 1; outcome == DIED && !is_noticed; scene.crash_at++) {
        restore(scene.snapshot);
        outcome = run_child(flush_batch);
        is_noticed = run_child(judge) == BROKEN;
    }
    mutation = MUTATION_NONE;
    assert_true(is_noticed);
    scene_release();
}

/* Copies the database as it is before the first ingestion. */
static void copy_database(const char *write) {
    if (strcmp(write, "ingest") == 0 && scene.writes++ == 0) {
        each_file(scene.rows, scene.kept, link_file);
        copy_entry(scene.database, scene.snapshot);
    }
}

static int flush_copying_database(void) {
    struct store *store = open_rocks(scene.database);
    flush_hook = copy_database;
    if (!store || batch_flush(store, &scene.batch, NULL) != STATUS_OK)
        return BROKEN;
    store->ops->close(store);
    return LIVED;
}

/* An ingestion that has something to order writes a sequence number into the file, then the
 * manifest; in between, a process that dies would leave a file that no ingestion takes. */
TEST(a_file_that_an_ingestion_has_touched_and_not_made_known_is_ingested_by_recovery) {
    scene_create();
    assert_int_equal(run_child(flush_copying_database), LIVED);
    path_join(scene.rows, scene.snapshot, "rows");
    assert_in_range(count_files(scene.rows), 2, 64);
    each_file(scene.kept, scene.rows, copy_file);
    memcpy(scene.database, scene.snapshot, sizeof scene.database);
    assert_int_equal(run_child(judge), AFTER);
    scene_release();
}

/* As many runs in one family as there may be before they are merged: the next flush merges. */
enum { MERGE_RUNS = 15 };

static void fill_run(struct model *model, size_t run) {
    scene.batch.row_count = scene.batch.put_count = 0;
    batch_row(&scene.batch, model, FIRST_ROWS, 0);
    batch_row(&scene.batch, model, FIRST_ROWS, 1 + run % (MODEL_KEYS - 2));
    batch_row(&scene.batch, model, FIRST_ROWS, MODEL_KEYS - 1);
}

static int make_runs(void) {
    struct store *store = open_rocks(scene.database);
    struct model model = scene.before;
    for (size_t run = 0; run < MERGE_RUNS; run++) {
        fill_run(&model, run);
        if (!store || batch_flush(store, &scene.batch, NULL) != STATUS_OK)
            return BROKEN;
    }
    store->ops->close(store);
    return LIVED;
}

static void make_mergeable(void) {
    scene_create();
    remove_tree(scene.database);
    memset(&scene.before, 0, sizeof scene.before);
    assert_int_equal(run_child(make_runs), LIVED);
    for (size_t run = 0; run < MERGE_RUNS; run++)
        fill_run(&scene.before, run);
    scene.after = scene.before;
    fill_run(&scene.after, MERGE_RUNS);
    copy_entry(scene.database, scene.snapshot);
}

static int merges;

static void die_at_write_of_merge(const char *write) {
    merges += strcmp(write, "ingest_merged") == 0;
    die_at_write(write);
}

static int flush_merging(void) {
    struct store *store = open_rocks(scene.database);
    flush_hook = die_at_write_of_merge;
    if (!store || batch_flush(store, &scene.batch, NULL) != STATUS_OK || merges != 1)
        return BROKEN;
    store->ops->close(store);
    return LIVED;
}

TEST(a_process_that_dies_at_any_write_of_a_merge_loses_no_row) {
    make_mergeable();
    int outcome = DIED;
    for (scene.crash_at = 1; outcome == DIED; scene.crash_at++) {
        restore(scene.snapshot);
        outcome = run_child(flush_merging);
        int found = run_child(judge);
        assert_true(found == AFTER || (found == BEFORE && scene.crash_at <= 3));
    }
    assert_int_equal(outcome, LIVED);
    assert_in_range(scene.crash_at, 10, 100);
    scene_release();
}

static int die_in_merge(void) {
    flush_hook = die_at_write;
    struct store *store = open_rocks(scene.database);
    return store && batch_flush(store, &scene.batch, NULL) == STATUS_OK ? LIVED : BROKEN;
}

/* Dies before each write of the merge, then before every write of its recovery in turn. */
TEST(recovery_of_a_merge_that_dies_at_every_write_in_turn_ends_well) {
    make_mergeable();
    for (int64_t first = 7; first <= 9; first++) {
        restore(scene.snapshot);
        scene.crash_at = first;
        assert_int_equal(run_child(die_in_merge), DIED);
        int outcome = DIED;
        for (scene.crash_at = 1; outcome == DIED; scene.crash_at++)
            outcome = run_child(recover);
        assert_int_equal(outcome, LIVED);
        assert_int_equal(run_child(judge), AFTER);
    }
    scene_release();
}

static int64_t drop_at;

static int drop_first_rows(void) {
    struct store *store = open_rocks(scene.database);
    flush_hook = die_at_write;
    if (!store || store->ops->drop(store, model_families[FIRST_ROWS], NULL) != STATUS_OK)
        return BROKEN;
    return DIED; /* without closing */
}

static int judge_drop(void) {
    struct store *store = open_rocks(scene.database);
    return store && store_equals(store, &scene.before) &&
                   list_lies_between(store, &scene.before, &scene.before)
               ? LIVED
               : BROKEN;
}

TEST(a_process_that_dies_before_or_after_a_drop_leaves_the_family_whole_or_gone) {
    scene_create();
    assert_true(scene.before.exists[FIRST_ROWS]);
    copy_entry(scene.database, scene.snapshot);
    for (drop_at = 1; drop_at <= 2; drop_at++) {
        restore(scene.snapshot);
        scene.crash_at = drop_at;
        assert_int_equal(run_child(drop_first_rows), DIED);
        if (drop_at == 2)
            model_drop(&scene.before, FIRST_ROWS);
        assert_int_equal(run_child(judge_drop), LIVED);
    }
    scene_release();
}

static size_t table_total;

static void count_table(const char *source, const char *target UNUSED) {
    size_t size = strlen(source);
    table_total += size > 4 && strcmp(source + size - 4, ".sst") == 0;
}

static size_t count_tables(void) {
    table_total = 0;
    each_file(scene.database, scene.database, count_table);
    return table_total;
}

static int drop_and_count(void) {
    struct store *store = open_rocks(scene.database);
    size_t tables = count_tables();
    if (!store || store->ops->drop(store, model_families[FIRST_ROWS], NULL) != STATUS_OK)
        return BROKEN;
    return count_tables() < tables ? LIVED : BROKEN;
}

TEST(a_dropped_family_gives_back_its_files_at_once) {
    scene_create();
    assert_true(scene.before.exists[FIRST_ROWS]);
    assert_int_equal(run_child(drop_and_count), LIVED);
    scene_release();
}

static void write_garbage(const char *folder, const char *name) {
    char path[512];
    path_join(path, folder, name);
    FILE *file = fopen(path, "w");
    if (!file)
        abort();
    (void)fputs("half a file", file);
    (void)fclose(file);
}

TEST(partial_files_are_removed_at_the_next_opening) {
    scene_create();
    write_garbage(scene.rows, "4.sst");
    write_garbage(scene.rows, "77.sst");
    assert_int_equal(run_child(judge), BEFORE);
    scene_release();
}

static void spoil(const char *source, const char *target UNUSED) {
    size_t size = strlen(source);
    if (strstr(source, "CURRENT") || (size > 4 && strcmp(source + size - 4, ".log") == 0))
        return;
    FILE *file = fopen(source, "r+");
    if (file && fseek(file, 20, SEEK_SET) == 0)
        (void)fputs("not what was written here, by any means", file);
    if (file)
        (void)fclose(file);
}

static int open_spoilt(void) {
    struct store *store = NULL;
    struct error err = {0};
    enum status status =
        store_rocks_open(scene.database, store_cache_create(1 << 20), &store, &err);
    return status == STATUS_CORRUPT && strstr(err.text, scene.database) ? LIVED : BROKEN;
}

TEST(a_spoilt_database_is_corrupt) {
    scene_create();
    remove_tree(scene.rows);
    each_file(scene.database, scene.database, spoil);
    assert_int_equal(run_child(open_spoilt), LIVED);
    scene_release();
}

static int open_twice(void) {
    struct store *first = open_rocks(scene.database), *second = NULL;
    enum status status = store_rocks_open(scene.database, store_cache_create(1), &second, NULL);
    return first && status == STATUS_IO ? LIVED : BROKEN;
}

TEST(a_database_in_use_and_a_folder_that_cannot_be_made_are_io) {
    scene_create();
    assert_int_equal(run_child(open_twice), LIVED);
    (void)snprintf(scene.database, sizeof scene.database, "/proc/nowhere/at/all");
    struct store *store = NULL;
    struct error err = {0};
    struct store_cache *cache = store_cache_create(1 << 20);
    assert_int_equal(store_rocks_open(scene.database, cache, &store, &err), STATUS_IO);
    assert_non_null(strstr(err.text, "/proc/nowhere"));
    store_cache_destroy(cache);
    scene_release();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(a_process_that_dies_at_any_write_of_a_flush_leaves_all_of_it_or_nothing),
        CASE(recovery_that_dies_at_every_write_in_turn_ends_well),
        CASE(a_file_that_is_damaged_before_its_ingestion_makes_the_store_corrupt),
        CASE(files_that_are_ingested_but_still_there_are_not_ingested_again),
        CASE(a_file_ingested_again_is_noticed),
        CASE(rows_ingested_before_the_batch_are_noticed),
        CASE(a_file_that_an_ingestion_has_touched_and_not_made_known_is_ingested_by_recovery),
        CASE(a_process_that_dies_at_any_write_of_a_merge_loses_no_row),
        CASE(recovery_of_a_merge_that_dies_at_every_write_in_turn_ends_well),
        CASE(a_process_that_dies_before_or_after_a_drop_leaves_the_family_whole_or_gone),
        CASE(a_dropped_family_gives_back_its_files_at_once),
        CASE(partial_files_are_removed_at_the_next_opening),
        CASE(a_spoilt_database_is_corrupt),
        CASE(a_database_in_use_and_a_folder_that_cannot_be_made_are_io),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
