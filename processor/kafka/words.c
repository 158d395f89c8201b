/* SPDX-License-Identifier: Apache-2.0 */
#include "kafka/words.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "kafka/outage.h"

/* syslog's levels. */
enum { SYSLOG_CRITICAL = 2, SYSLOG_WARNING = 4, SYSLOG_NOTICE = 5, KINDS_MAX = 32 };

static const int64_t repeat_us = 60 * INT64_C(1000000);

struct kind {
    char name[32];
    int64_t said_us; /* 0: never */
    uint64_t left_out;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct kind kinds[KINDS_MAX];

/* The last one is for all that find no place. */
static struct kind *kind_named(const char *name) {
    size_t i = 0;
    while (i + 1 < KINDS_MAX && kinds[i].name[0] && strcmp(kinds[i].name, name) != 0)
        i++;
    (void)snprintf(kinds[i].name, sizeof kinds[i].name, "%.31s", name);
    return &kinds[i];
}

/* False: it is to be left out.  *out_left_out: those that were since the last one. */
static bool may_say(const char *name, uint64_t *out_left_out) {
    int64_t now_us = clock_monotonic_us();
    (void)pthread_mutex_lock(&lock);
    struct kind *kind = kind_named(name);
    bool may = kind->said_us == 0 || now_us - kind->said_us >= repeat_us;
    *out_left_out = kind->left_out;
    kind->left_out = may ? 0 : kind->left_out + 1;
    if (may)
        kind->said_us = now_us;
    (void)pthread_mutex_unlock(&lock);
    return may;
}

static void say(enum log_level level, const rd_kafka_t *client, const char *kind,
                const char *text) {
    char quoted[600];
    uint64_t left_out = 0;
    if (may_say(kind, &left_out))
        log_line(level, "kafka", "lib=kafka client=%s facility=%s suppressed=%" PRIu64 " text=%s",
                 client ? rd_kafka_name(client) : "none", kind, left_out, log_quote(quoted, text));
}

/* "[thrd:...]: " names a thread of librdkafka's. */
static const char *without_thread(const char *text) {
    const char *end = strncmp(text, "[thrd:", 6) == 0 ? strstr(text, "]: ") : NULL;
    return end ? end + 3 : text;
}

/* "...: retrying": it does by itself, and who waits for it says when that took too long. */
static bool is_retrying(const char *text) {
    static const char end[] = ": retrying";
    size_t size = strlen(text);
    return size >= sizeof end - 1 && strcmp(text + size - (sizeof end - 1), end) == 0;
}

void words_log(const rd_kafka_t *client, int level, const char *facility, const char *text) {
    char quoted[600];
    if (level > SYSLOG_NOTICE || is_retrying(text))
        log_line(LOG_LEVEL_DEBUG, "kafka", "lib=kafka facility=%s text=%s", facility,
                 log_quote(quoted, text));
    else if (strcmp(facility, "FAIL") == 0)
        outage_suspect(without_thread(text));
    else if (level <= SYSLOG_CRITICAL || !outage_hides())
        say(level <= SYSLOG_CRITICAL  ? LOG_LEVEL_ERROR
            : level <= SYSLOG_WARNING ? LOG_LEVEL_WARN
                                      : LOG_LEVEL_INFO,
            client, facility, without_thread(text));
}

/* What a connection fails with was logged as FAIL, with more words. */
static bool is_of_connection(rd_kafka_resp_err_t code) {
    return code == RD_KAFKA_RESP_ERR__TRANSPORT || code == RD_KAFKA_RESP_ERR__RESOLVE ||
           code == RD_KAFKA_RESP_ERR__SSL || code == RD_KAFKA_RESP_ERR__AUTHENTICATION ||
           code == RD_KAFKA_RESP_ERR__TIMED_OUT;
}

void words_error(rd_kafka_t *client, int code, const char *reason, void *opaque) {
    (void)opaque;
    if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN)
        outage_suspect(NULL);
    else if (!is_of_connection((rd_kafka_resp_err_t)code) && !outage_hides())
        say(LOG_LEVEL_WARN, client, rd_kafka_err2name((rd_kafka_resp_err_t)code), reason);
}
