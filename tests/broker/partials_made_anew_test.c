/* A partials topic that was deleted and created again is noticed, whatever the brokers remember of
 * the group.  SPDX-License-Identifier: Apache-2.0 */
#include "kafka_cluster.h"
#include "worker/partials.h"

enum { PARTITIONS = 2, RECORDS = 5 };

struct world {
    struct cluster c;
    char *partials, *state, *application;
    struct transaction_producer *producer;
};

static void world_open(struct world *world) {
    cluster_open(&world->c);
    world->partials = cluster_topic(&world->c, "partials", PARTITIONS, true);
    world->state = cluster_topic(&world->c, "state", PARTITIONS, true);
    world->application = cluster_name(&world->c, "application");
    world->c.config.application = world->application;
    world->c.config.partials_topic = world->partials;
    world->c.config.state_topic = world->state;
    world->c.config.partials_partitions = PARTITIONS;
    world->producer = cluster_producer(&world->c, "p");
}

static void world_close(struct world *world) {
    transaction_producer_destroy(world->producer);
    free(world->partials);
    free(world->state);
    free(world->application);
    cluster_close(&world->c);
}

/* What a transaction of stage 2 leaves behind that has read the last partition to its end. */
static void publish(struct world *world) {
    struct outbox outbox;
    int64_t low, end, deadline_us = clock_monotonic_us() + INT64_C(1000) * ANSWER_MS;
    struct assign_consumer *reader = cluster_reader(&world->c);
    for (int i = 0; i < RECORDS; i++)
        cluster_send(&world->c, world->producer, world->partials, PARTITIONS - 1, "k", "v");
    cluster_commit(&world->c, world->producer);
    do { /* the marker comes some time after the commit was answered */
        wake_wait(&world->c.wake, 20);
        assert_cluster_ok(&world->c,
                          assign_consumer_watermarks(reader, world->partials, PARTITIONS - 1,
                                                     ANSWER_MS, &low, &end, &world->c.err));
    } while (end <= RECORDS && clock_monotonic_us() < deadline_us);
    assert_true(end > RECORDS);
    assign_consumer_destroy(reader);
    outbox_init(&outbox);
    partials_note(PARTITIONS - 1, end, &outbox);
    assert_true(partials_is_note(outbox.messages[0].key));
    assert_cluster_ok(&world->c, transaction_send(world->producer, world->state,
                                                  &outbox.messages[0], 0, &world->c.err));
    cluster_commit(&world->c, world->producer);
    outbox_release(&outbox);
}

/* Deletion is over some time after it was answered. */
static void make_anew(struct world *world) {
    struct cluster *c = &world->c;
    const struct topic_plan plan = {
        .topic = world->partials, .settings = {{"cleanup.policy", "compact"}}, .setting_count = 1};
    int64_t deadline_us = clock_monotonic_us() + INT64_C(1000) * ANSWER_MS;
    int32_t count = PARTITIONS;
    assert_cluster_ok(c, admin_delete_topic(c->admin, world->partials, &c->err));
    while (count > 0 && clock_monotonic_us() < deadline_us) {
        assert_cluster_ok(c, admin_partition_count(c->admin, world->partials, &count, &c->err));
        wake_wait(&c->wake, 50);
    }
    bool existed = true;
    assert_cluster_ok(c, admin_create_topic(c->admin, &plan, PARTITIONS, &existed, &c->err));
    assert_false(existed);
}

TEST(a_partials_topic_made_anew_stops_the_application) {
    struct world world;
    world_open(&world);
    struct cluster *c = &world.c;
    assert_cluster_ok(c, partials_check_all(&c->config, &c->err)); /* nothing yet */
    publish(&world);
    assert_cluster_ok(c, partials_check_all(&c->config, &c->err));
    make_anew(&world);
    enum status status = partials_check_all(&c->config, &c->err);
    if (status != STATUS_CONFIG)
        print_error("%s: %s\n", status_name(status), c->err.text);
    assert_int_equal(status, STATUS_CONFIG);
    assert_non_null(strstr(c->err.text, "made anew"));
    world_close(&world);
}

TEST(a_transaction_left_open_does_not_hold_up_the_check) {
    struct world world;
    world_open(&world);
    struct cluster *c = &world.c;
    publish(&world);
    for (int32_t i = 0; i < PARTITIONS; i++)
        cluster_send(c, world.producer, world.state, i, "k", "v");
    wake_wait(&c->wake, 200); /* sent, not committed */
    int64_t began_us = clock_monotonic_us();
    assert_cluster_ok(c, partials_check_all(&c->config, &c->err));
    assert_true(clock_monotonic_us() - began_us < INT64_C(5000000));
    assert_true(transaction_is_open(world.producer));
    world_close(&world);
}

TEST(an_offset_committed_beyond_the_end_is_enough) {
    struct world world;
    world_open(&world);
    struct cluster *c = &world.c;
    struct assign_consumer *reader = cluster_reader(c);
    int64_t end = -1;
    assert_int_equal(partials_check(reader, &c->config, 0, 1, &end, &c->err), STATUS_CONFIG);
    assert_cluster_ok(c, partials_check(reader, &c->config, 0, 0, &end, &c->err));
    assert_int_equal(end, 0);
    assign_consumer_destroy(reader);
    world_close(&world);
}

int main(void) {
    const struct CMUnitTest tests[] = {CASE(a_partials_topic_made_anew_stops_the_application),
                                       CASE(a_transaction_left_open_does_not_hold_up_the_check),
                                       CASE(an_offset_committed_beyond_the_end_is_enough)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
