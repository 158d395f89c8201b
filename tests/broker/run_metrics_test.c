/* /metrics of `slipstream run`: who holds the memory.  SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "run_job.h"

enum { PAGE_BYTES = 1 << 20 };

static uint16_t port_of(struct job *job) {
    await(job, " port=");
    return (uint16_t)strtoul(strstr(job->text, " port=") + strlen(" port="), NULL, 10);
}

static void get_metrics(uint16_t port, char page[PAGE_BYTES]) {
    static const char request[] = "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int connection = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(connection, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(write(connection, request, sizeof request - 1), sizeof request - 1);
    size_t used = 0;
    ssize_t got;
    while (used + 1 < PAGE_BYTES &&
           (got = read(connection, page + used, PAGE_BYTES - 1 - used)) > 0)
        used += (size_t)got;
    page[used] = '\0';
    (void)close(connection);
}

/* The sum of a family's samples; NAN when there is none. */
static double sum_of(const char *page, const char *family) {
    double sum = NAN;
    size_t size = strlen(family);
    for (const char *line = page; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, family, size) != 0 || (line[size] != '{' && line[size] != ' '))
            continue;
        const char *value = line[size] == '{' ? strstr(line, "} ") + 1 : line + size;
        sum = (isnan(sum) ? 0 : sum) + strtod(value, NULL);
    }
    return sum;
}

/* A row takes 52 bytes, an empty memtable some kilobytes, the first block of an outbox 64 of them.
 */
static const struct {
    const char *family;
    double least;
} owners[] = {
    {"slipstream_partition_delta_bytes", RECORDS * 52.0},
    {"slipstream_partition_pane_bytes", 0},
    {"slipstream_partition_orphan_bytes", 0},
    {"slipstream_partition_locator_bytes", 0},
    {"slipstream_partition_fetched_bytes", 0},
    {"slipstream_partition_memtable_bytes", 1000},
    {"slipstream_partition_table_reader_bytes", 0},
    {"slipstream_task_bytes", 1},
    {"slipstream_task_fetched_bytes", 0},
    {"slipstream_task_memtable_bytes", 1000},
    {"slipstream_task_table_reader_bytes", 0},
    {"slipstream_worker_outbox_bytes", 2 * 65536.0},
    {"slipstream_worker_queued_bytes", 0},
    {"slipstream_store_cache_bytes", 0},
};

static void await_value(struct job *job, char page[PAGE_BYTES], const char *family, double least) {
    int64_t deadline_us = clock_monotonic_us() + INT64_C(2000) * ANSWER_MS;
    uint16_t port = port_of(job);
    do {
        wake_wait(&job->c.wake, 50);
        get_metrics(port, page);
    } while (!(sum_of(page, family) >= least) && clock_monotonic_us() < deadline_us);
}

static bool is_at_least(const char *page, const char *family, double least) {
    double sum = sum_of(page, family);
    if (sum >= least)
        return true;
    print_error("%s is %g, not %g\n", family, sum, least);
    return false;
}

TEST(each_owner_of_memory_is_told_and_together_they_are_within_what_the_process_has) {
    static struct job job;
    static char page[PAGE_BYTES];
    job_open(&job);
    send_predictions(&job);
    job_start(&job);
    await_commit(&job);
    await_value(&job, page, "slipstream_task_partials_total", 1);
    for (size_t i = 0; i < COUNT_OF(owners); i++) /* they are told once a second */
        await_value(&job, page, owners[i].family, owners[i].least);
    assert_int_equal(job_end(&job, SIGTERM), 0);
    double sum = 0, resident = sum_of(page, "process_resident_memory_bytes");
    for (size_t i = 0; i < COUNT_OF(owners); i++) {
        assert_true(is_at_least(page, owners[i].family, owners[i].least));
        sum += sum_of(page, owners[i].family);
    }
    assert_true(is_at_least(page, "slipstream_store_cache_max_bytes", 1 << 20));
    assert_true(sum < resident);
    assert_true(resident < 1e9);
    job_close(&job);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(each_owner_of_memory_is_told_and_together_they_are_within_what_the_process_has),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
