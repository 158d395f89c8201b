/* c11_threads.c -- C11's threads by POSIX ones, in builds for ThreadSanitizer only: it knows
 * nothing of the former, which librdkafka uses, and its threads would run without a state and
 * crash.  The program's definitions go before the C library's.  What librdkafka orders by atomic
 * operations stays unseen.  SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <threads.h>

_Static_assert(sizeof(mtx_t) == sizeof(pthread_mutex_t), "one is stored in the other");
_Static_assert(sizeof(cnd_t) == sizeof(pthread_cond_t), "one is stored in the other");
_Static_assert(sizeof(once_flag) == sizeof(pthread_once_t), "one is stored in the other");

static int result(int code) {
    if (code == 0)
        return thrd_success;
    return code == ETIMEDOUT ? thrd_timedout : code == EBUSY ? thrd_busy : thrd_error;
}

struct start {
    thrd_start_t function;
    void *argument;
};

static void *begin(void *opaque) {
    struct start start = *(struct start *)opaque;
    free(opaque);
    return (void *)(intptr_t)start.function(start.argument);
}

int thrd_create(thrd_t *thread, thrd_start_t function, void *argument) {
    struct start *start = malloc(sizeof *start);
    if (!start)
        return thrd_nomem;
    *start = (struct start){function, argument};
    int code = pthread_create(thread, NULL, begin, start);
    if (code != 0)
        free(start);
    return result(code);
}

int thrd_join(thrd_t thread, int *out_result) {
    void *value = NULL;
    int code = pthread_join(thread, &value);
    if (code == 0 && out_result)
        *out_result = (int)(intptr_t)value;
    return result(code);
}

int mtx_init(mtx_t *mutex, int type) {
    pthread_mutexattr_t attributes;
    (void)pthread_mutexattr_init(&attributes);
    (void)pthread_mutexattr_settype(&attributes, type & mtx_recursive ? PTHREAD_MUTEX_RECURSIVE
                                                                      : PTHREAD_MUTEX_NORMAL);
    int code = pthread_mutex_init((void *)mutex, &attributes);
    (void)pthread_mutexattr_destroy(&attributes);
    return result(code);
}

int mtx_lock(mtx_t *mutex) {
    return result(pthread_mutex_lock((void *)mutex));
}

int mtx_trylock(mtx_t *mutex) {
    return result(pthread_mutex_trylock((void *)mutex));
}

int mtx_unlock(mtx_t *mutex) {
    return result(pthread_mutex_unlock((void *)mutex));
}

void mtx_destroy(mtx_t *mutex) {
    (void)pthread_mutex_destroy((void *)mutex);
}

int cnd_init(cnd_t *condition) {
    return result(pthread_cond_init((void *)condition, NULL));
}

int cnd_signal(cnd_t *condition) {
    return result(pthread_cond_signal((void *)condition));
}

int cnd_broadcast(cnd_t *condition) {
    return result(pthread_cond_broadcast((void *)condition));
}

int cnd_wait(cnd_t *condition, mtx_t *mutex) {
    return result(pthread_cond_wait((void *)condition, (void *)mutex));
}

int cnd_timedwait(cnd_t *condition, mtx_t *mutex, const struct timespec *until) {
    return result(pthread_cond_timedwait((void *)condition, (void *)mutex, until));
}

void cnd_destroy(cnd_t *condition) {
    (void)pthread_cond_destroy((void *)condition);
}

void call_once(once_flag *flag, void (*function)(void)) {
    (void)pthread_once((void *)flag, function);
}
