/* What the log says while brokers are away.  SPDX-License-Identifier: Apache-2.0 */
#include "kafka/outage.h"
#include "kafka/words.h"
#include "tests/lib/test.h"

#include <fcntl.h>
#include <unistd.h>

static char words[1 << 14];

/* Standard error of act ends in words. */
static void hear(void (*act)(void)) {
    char path[] = "/tmp/slipstream-outage-XXXXXX";
    int file = mkstemp(path), kept = dup(STDERR_FILENO);
    assert_true(file >= 0 && kept >= 0);
    (void)unlink(path);
    (void)dup2(file, STDERR_FILENO);
    act();
    (void)dup2(kept, STDERR_FILENO);
    (void)close(kept);
    ssize_t size = pread(file, words, sizeof words - 1, 0);
    assert_true(size >= 0);
    words[size] = '\0';
    (void)close(file);
}

static size_t lines_with(const char *text) {
    size_t count = 0;
    for (const char *at = words; (at = strstr(at, text)) != NULL; at++)
        count++;
    return count;
}

static void fail_once(void) {
    words_log(NULL, 3, "FAIL", "[thrd:x]: b:1/1: Connect failed (after 0ms in state CONNECT)");
}

static void an_outage(void) {
    outage_set_judge(true);
    fail_once();
    for (int i = 0; i < 5; i++) {
        outage_judge(false, "b:1");
        fail_once();
        words_log(NULL, 4, "REQTMOUT", "timed out");
        words_error(NULL, RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, "all are down", NULL);
    }
    assert_true(outage_hides());
}

static void its_end(void) {
    assert_true(outage_is_suspected());
    outage_judge(true, "b:1");
    assert_false(outage_is_suspected());
    words_error(NULL, RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, "another handle hears late", NULL);
    outage_judge(true, "b:1");
}

TEST(an_outage_is_one_line_at_its_beginning_and_one_at_its_end) {
    assert_int_equal(outage_seen_us(), 0);
    hear(an_outage);
    assert_int_equal(lines_with("\n"), 1);
    assert_int_equal(lines_with("event=brokers_away brokers=\"b:1\" "
                                "reason=\"b:1/1: Connect failed\" meanwhile="),
                     1);
    hear(its_end);
    assert_int_equal(lines_with("\n"), 1);
    assert_int_equal(lines_with("event=brokers_back brokers=\"b:1\" seconds=0 suppressed="), 1);
    assert_false(outage_hides());
    assert_true(outage_seen_us() > 0);
}

static void repeat(void) {
    for (int i = 0; i < 50; i++) {
        words_log(NULL, 4, "GETPID", "[thrd:main]: coordinator load in progress");
        words_log(NULL, 4, "ADDOFFSETS", "no luck");
        words_log(NULL, 7, "GETPID", "not for people");
        words_log(NULL, 4, "TXNCOORD", "Coordinator load in progress: retrying");
    }
}

TEST(each_kind_of_librdkafkas_lines_is_said_once_a_minute) {
    hear(repeat);
    assert_int_equal(lines_with("\n"), 2);
    assert_int_equal(lines_with("facility=GETPID suppressed=0 text=\"coordinator load"), 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(an_outage_is_one_line_at_its_beginning_and_one_at_its_end),
        CASE(each_kind_of_librdkafkas_lines_is_said_once_a_minute),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
