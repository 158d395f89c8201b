/* The server over raw sockets, and the text of the metrics.
 * SPDX-License-Identifier: Apache-2.0 */
#include "http/http.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/clock.h"
#include "http/address.h"
#include "http/process.h"
#include "tests/lib/test.h"

struct state {
    bool is_healthy, is_ready;
};

static bool healthy(void *owner) {
    return ((struct state *)owner)->is_healthy;
}

static bool ready(void *owner) {
    return ((struct state *)owner)->is_ready;
}

static void write_metrics(void *owner UNUSED, struct metrics_page *page) {
    prometheus_family(page, "slipstream_records_total", "counter", "Records read.");
    prometheus_sample(page, 12, &(struct prometheus_label){"topic", "p"}, 1);
}

static struct http_server *start(const char *bind, struct state *served) {
    struct http_callbacks callbacks = {served, healthy, ready, write_metrics};
    struct http_server *server = NULL;
    struct error err = {0};
    assert_ok(http_start(bind, &callbacks, &server, &err));
    return server;
}

/* Sends the text and reads until the server closes. */
static void exchange(uint16_t port, const char *request, char *out_answer, size_t room) {
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int connection = socket(AF_INET, SOCK_STREAM, 0);
    struct timeval patience = {.tv_sec = 5};
    assert_int_equal(setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience),
                     0);
    assert_int_equal(connect(connection, (struct sockaddr *)&address, sizeof address), 0);
    size_t size = strlen(request), used = 0;
    assert_int_equal(write(connection, request, size), size);
    ssize_t got = 0;
    while (used + 1 < room && (got = read(connection, out_answer + used, room - 1 - used)) > 0)
        used += (size_t)got;
    out_answer[used] = '\0';
    (void)close(connection);
}

static void expect(uint16_t port, const char *method, const char *path, const char *status,
                   const char *body) {
    char request[200], answer[4000];
    (void)snprintf(request, sizeof request,
                   "%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", method, path);
    exchange(port, request, answer, sizeof answer);
    assert_non_null(strstr(answer, status));
    const char *end = strstr(answer, "\r\n\r\n");
    assert_non_null(end);
    assert_string_equal(end + 4, body);
}

TEST(health_and_readiness_are_what_the_callbacks_say) {
    struct state served = {.is_healthy = true};
    struct http_server *server = start("127.0.0.1:0", &served);
    expect(http_port(server), "GET", "/healthz", "HTTP/1.1 200", "ok\n");
    expect(http_port(server), "GET", "/readyz", "HTTP/1.1 503", "no\n");
    http_stop(server);
}

TEST(metrics_are_served_and_each_request_writes_them_anew) {
    struct state served = {0};
    struct http_server *server = start("0", &served);
    for (int i = 0; i < 3; i++)
        expect(http_port(server), "GET", "/metrics", "HTTP/1.1 200",
               "# HELP slipstream_records_total Records read.\n"
               "# TYPE slipstream_records_total counter\n"
               "slipstream_records_total{topic=\"p\"} 12\n");
    expect(http_port(server), "HEAD", "/metrics", "HTTP/1.1 200", "");
    http_stop(server);
}

TEST(other_paths_and_methods_are_refused) {
    struct state served = {0};
    struct http_server *server = start("127.0.0.1:0", &served);
    expect(http_port(server), "GET", "/", "HTTP/1.1 404", "/healthz /readyz /metrics\n");
    expect(http_port(server), "DELETE", "/metrics", "HTTP/1.1 405", "GET only\n");
    http_stop(server);
}

TEST(a_request_with_a_body_is_refused_and_the_server_lives_on) {
    struct state served = {.is_healthy = true};
    struct http_server *server = start("127.0.0.1:0", &served);
    char answer[2000];
    exchange(
        http_port(server),
        "POST /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 4\r\n\r\nabcd",
        answer, sizeof answer);
    assert_non_null(strstr(answer, "HTTP/1.1 405"));
    exchange(http_port(server), "nonsense\r\n\r\n", answer, sizeof answer);
    expect(http_port(server), "GET", "/healthz", "HTTP/1.1 200", "ok\n");
    http_stop(server);
}

TEST(a_port_in_use_is_said) {
    struct state served = {0};
    struct http_server *server = start("127.0.0.1:0", &served), *second = NULL;
    char bind[32];
    (void)snprintf(bind, sizeof bind, "127.0.0.1:%u", (unsigned)http_port(server));
    struct http_callbacks callbacks = {&served, healthy, ready, write_metrics};
    struct error err = {0};
    assert_int_equal(http_start(bind, &callbacks, &second, &err), STATUS_IO);
    assert_non_null(strstr(err.text, bind));
    http_stop(server);
}

TEST(addresses_are_numbers_and_loopback_unless_said_otherwise) {
    static const struct {
        const char *bind;
        int family;
        uint32_t host;
        uint16_t port;
    } good[] = {
        {"9464", AF_INET, 0x7f000001, 9464},
        {":9464", AF_INET, 0x7f000001, 9464},
        {"0.0.0.0:80", AF_INET, 0, 80},
        {"[::1]:9464", AF_INET6, 0, 9464},
    };
    static const char *const bad[] = {"",       "localhost:9464", "127.0.0.1", "127.0.0.1:", ":-1",
                                      ":65536", "::1:9464",       "[::1]",     "1.2.3.4:9x"};
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        struct sockaddr_storage address;
        assert_ok(address_parse(good[i].bind, &address, NULL));
        struct sockaddr_in four;
        memcpy(&four, &address, sizeof four);
        assert_int_equal(address.ss_family, good[i].family);
        assert_int_equal(ntohs(four.sin_port), good[i].port); /* at the same place in both */
        if (good[i].family == AF_INET)
            assert_int_equal(ntohl(four.sin_addr.s_addr), good[i].host);
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct sockaddr_storage address;
        assert_int_equal(address_parse(bad[i], &address, NULL), STATUS_CONFIG);
    }
}

TEST(labels_and_help_are_escaped_and_odd_numbers_have_names) {
    struct buffer text;
    struct metrics_page page;
    buffer_init(&text, 4096);
    prometheus_begin(&page, &text);
    prometheus_family(&page, "slipstream_x", "gauge", "a\\b\n\"c\"");
    struct prometheus_label labels[] = {{"a", "q\"\\\n"}, {"b", ""}};
    prometheus_sample(&page, NAN, labels, 2);
    prometheus_sample(&page, -HUGE_VAL, NULL, 0);
    prometheus_sample(&page, 9007199254740993.0, NULL, 0);
    buffer_append(&text, "", 1);
    assert_string_equal(text.data, "# HELP slipstream_x a\\\\b\\n\"c\"\n"
                                   "# TYPE slipstream_x gauge\n"
                                   "slipstream_x{a=\"q\\\"\\\\\\n\",b=\"\"} NaN\n"
                                   "slipstream_x -Inf\n"
                                   "slipstream_x 9007199254740992\n");
    buffer_release(&text);
}

TEST(a_single_value_is_left_out_while_it_is_not_known) {
    struct buffer text;
    struct metrics_page page;
    buffer_init(&text, 4096);
    prometheus_begin(&page, &text);
    prometheus_single(&page, "slipstream_x", "gauge", "X.", NAN);
    assert_int_equal(text.size, 0);
    prometheus_single(&page, "slipstream_x", "gauge", "X.", 2);
    buffer_append(&text, "", 1);
    assert_string_equal(text.data,
                        "# HELP slipstream_x X.\n# TYPE slipstream_x gauge\nslipstream_x 2\n");
    buffer_release(&text);
}

static double process_value(const char *name) {
    struct buffer text;
    struct metrics_page page;
    char line[64];
    buffer_init(&text, 1 << 16);
    prometheus_begin(&page, &text);
    process_write(&page, 1500);
    buffer_append(&text, "", 1);
    (void)snprintf(line, sizeof line, "\nprocess_%s ", name);
    const char *found = strstr(text.data, line);
    assert_non_null(found);
    double value = strtod(found + strlen(line), NULL);
    buffer_release(&text);
    return value;
}

TEST(what_the_process_takes_of_the_system_is_told) {
    enum { BYTES = 64 << 20, SPIN_US = 50000 };
    assert_close(process_value("start_time_seconds"), 1.5, 0);
    double resident = process_value("resident_memory_bytes");
    assert_true(resident <= process_value("virtual_memory_bytes"));
    char *bytes = alloc_zero(BYTES, 1);
    volatile char *touched = bytes;
    for (size_t i = 0; i < BYTES; i += 1024)
        touched[i] = 1;
    assert_close(process_value("resident_memory_bytes") - resident, BYTES, BYTES / 8.0);
    free(bytes);
    double open_files = process_value("open_fds");
    int one = dup(0), two = dup(0);
    assert_close(process_value("open_fds"), open_files + 2, 0);
    (void)close(one);
    (void)close(two);
    assert_true(open_files + 2 <= process_value("max_fds"));
    double cpu = process_value("cpu_seconds_total");
    int64_t until_us = clock_monotonic_us() + SPIN_US;
    while (clock_monotonic_us() < until_us)
        continue;
    double spent = process_value("cpu_seconds_total") - cpu;
    assert_true(spent > 0 && spent < 10);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(health_and_readiness_are_what_the_callbacks_say),
        CASE(metrics_are_served_and_each_request_writes_them_anew),
        CASE(other_paths_and_methods_are_refused),
        CASE(a_request_with_a_body_is_refused_and_the_server_lives_on),
        CASE(a_port_in_use_is_said),
        CASE(addresses_are_numbers_and_loopback_unless_said_otherwise),
        CASE(a_single_value_is_left_out_while_it_is_not_known),
        CASE(what_the_process_takes_of_the_system_is_told),
        CASE(labels_and_help_are_escaped_and_odd_numbers_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
