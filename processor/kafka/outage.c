/* SPDX-License-Identifier: Apache-2.0 */
#include "kafka/outage.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"

static const int64_t repeat_us = 60 * INT64_C(1000000);

static struct {
    pthread_mutex_t lock;
    bool has_judge, is_suspected;
    int64_t suspected_us, began_us; /* 0: not */
    int64_t seen_us, said_us;
    uint64_t hidden; /* lines since the last one */
    char reason[300];
} state = {.lock = PTHREAD_MUTEX_INITIALIZER};

static bool is_due(int64_t now_us) {
    return state.said_us == 0 || now_us - state.said_us >= repeat_us;
}

/* At most one a minute, whichever broker it is. */
static void say_trouble(int64_t now_us) {
    char quoted[600];
    bool is_said = state.reason[0] && is_due(now_us);
    state.hidden += !is_said;
    if (!is_said)
        return;
    log_line(LOG_LEVEL_WARN, "broker_trouble", "suppressed=%" PRIu64 " reason=%s", state.hidden,
             log_quote(quoted, state.reason));
    state.said_us = now_us;
    state.hidden = 0;
}

static void say_away(int64_t now_us, const char *brokers) {
    char scratch[2][600];
    int64_t seconds = (now_us - state.began_us) / 1000000;
    if (state.said_us < state.began_us)
        log_line(LOG_LEVEL_WARN, "brokers_away",
                 "brokers=%s reason=%s meanwhile=\"nothing is read or published, nothing is lost; "
                 "it goes on by itself\"",
                 log_quote(scratch[0], brokers), log_quote(scratch[1], state.reason));
    else if (is_due(now_us))
        log_line(LOG_LEVEL_WARN, "brokers_away",
                 "brokers=%s seconds=%" PRId64 " suppressed=%" PRIu64 " reason=%s",
                 log_quote(scratch[0], brokers), seconds, state.hidden,
                 log_quote(scratch[1], state.reason));
    else
        return;
    state.said_us = now_us;
    state.hidden = 0;
}

void outage_set_judge(bool has_judge) {
    (void)pthread_mutex_lock(&state.lock);
    state.has_judge = has_judge;
    (void)pthread_mutex_unlock(&state.lock);
}

/* Without its end, "(after 0ms in state CONNECT, 16 identical error(s) suppressed)". */
static void keep_reason(const char *reason) {
    const char *end = strstr(reason, " (after ");
    int size = end ? (int)(end - reason) : (int)strlen(reason);
    (void)snprintf(state.reason, sizeof state.reason, "%.*s", size, reason);
}

void outage_suspect(const char *reason) {
    (void)pthread_mutex_lock(&state.lock);
    int64_t now_us = clock_monotonic_us();
    if (reason)
        keep_reason(reason);
    if (!state.is_suspected)
        state.suspected_us = now_us;
    state.is_suspected = state.has_judge;
    if (!state.has_judge && reason)
        say_trouble(now_us);
    else if (state.began_us != 0)
        state.hidden++;
    (void)pthread_mutex_unlock(&state.lock);
}

bool outage_is_suspected(void) {
    (void)pthread_mutex_lock(&state.lock);
    bool is_suspected = state.is_suspected;
    (void)pthread_mutex_unlock(&state.lock);
    return is_suspected;
}

static void judge_silence(int64_t now_us, const char *brokers) {
    if (state.began_us == 0) {
        state.began_us = state.suspected_us;
        state.said_us = 0;
    }
    state.seen_us = now_us;
    say_away(now_us, brokers);
}

static void judge_answer(int64_t now_us, const char *brokers) {
    char quoted[600];
    state.is_suspected = false;
    if (state.began_us == 0) {
        say_trouble(now_us);
        state.reason[0] = '\0'; /* a handle that is polled late brings no reason of its own */
        return;
    }
    log_line(LOG_LEVEL_INFO, "brokers_back", "brokers=%s seconds=%" PRId64 " suppressed=%" PRIu64,
             log_quote(quoted, brokers), (now_us - state.began_us) / 1000000, state.hidden);
    state.began_us = 0;
    state.reason[0] = '\0';
    state.seen_us = state.said_us = now_us; /* what other handles say late is of this outage */
    state.hidden = 0;
}

void outage_judge(bool answers, const char *brokers) {
    (void)pthread_mutex_lock(&state.lock);
    if (answers)
        judge_answer(clock_monotonic_us(), brokers);
    else
        judge_silence(clock_monotonic_us(), brokers);
    (void)pthread_mutex_unlock(&state.lock);
}

int64_t outage_seen_us(void) {
    (void)pthread_mutex_lock(&state.lock);
    int64_t seen_us = state.began_us != 0 ? clock_monotonic_us() : state.seen_us;
    (void)pthread_mutex_unlock(&state.lock);
    return seen_us;
}

bool outage_hides(void) {
    (void)pthread_mutex_lock(&state.lock);
    bool lasts = state.began_us != 0;
    state.hidden += lasts;
    (void)pthread_mutex_unlock(&state.lock);
    return lasts;
}
