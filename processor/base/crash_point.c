/* Part of builds with CRASH_POINTS only.  SPDX-License-Identifier: Apache-2.0 */
#include "base/crash_point.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"

static const char *const stages[] = {"partition", "task"};

/* In the order in which a life passes them. */
static const char *const points[] = {
    "opened",           /* a partition: recovered or rebuilt, not yet replayed */
    "commit.filled",    /* nothing sent */
    "commit.sent",      /* records sent, offsets not */
    "commit.offsets",   /* both sent, not committed */
    "commit.committed", /* by Kafka; not a partition knows */
    "commit.item",      /* one partition more knows, and has flushed if that was due */
    "revoke.committed", /* before the partition is given away */
    "flush.write_file", /* flush.*: before the write of that name */
    "flush.sync_files",
    "flush.write_batch", /* alternately the commit point, and the clearing of the list */
    "flush.ingest",
    "flush.remove_file",
    "flush.write_merged",
    "flush.ingest_merged",
    "flush.delete_merged",
    "flush.drop_family",
    "flush.done", /* a store has flushed */
};

static _Thread_local const char *stage = "";

/* Constant once the threads run; *left excepted. */
static char armed_stage[16], armed_point[32];
static atomic_long left;

void crash_stage(const char *name) {
    stage = name;
}

void crash_point(const char *name) {
    if (strcmp(name, armed_point) != 0 || strcmp(stage, armed_stage) != 0)
        return;
    if (atomic_fetch_sub(&left, 1) == 1)
        (void)kill(getpid(), SIGKILL);
}

void crash_write(const char *write) {
    char name[40];
    (void)snprintf(name, sizeof name, "flush.%s", write);
    crash_point(name);
}

static bool is_among(const char *const *names, size_t count, const char *name) {
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

bool crash_arm(const char *order) {
    const char *dot = strchr(order, '.'), *colon = strrchr(order, ':');
    if (!dot || !colon || colon < dot || (size_t)(dot - order) >= sizeof armed_stage ||
        (size_t)(colon - dot) > sizeof armed_point)
        return false;
    memcpy(armed_stage, order, (size_t)(dot - order));
    memcpy(armed_point, dot + 1, (size_t)(colon - dot - 1));
    char *end;
    long passing = strtol(colon + 1, &end, 10);
    atomic_store(&left, passing);
    return passing >= 1 && *end == '\0' && is_among(stages, COUNT_OF(stages), armed_stage) &&
           is_among(points, COUNT_OF(points), armed_point);
}

void crash_list(FILE *out) {
    for (size_t i = 0; i < COUNT_OF(stages); i++)
        for (size_t j = 0; j < COUNT_OF(points); j++)
            (void)fprintf(out, "%s.%s\n", stages[i], points[j]);
}
