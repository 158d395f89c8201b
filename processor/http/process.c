/* SPDX-License-Identifier: Apache-2.0 */
#include "http/process.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

static double seconds_of(struct timeval time) {
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

static double cpu_seconds(void) {
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage) == 0
               ? seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime)
               : NAN;
}

/* statm: pages of address space, then those that are resident. */
static void read_memory(double *out_virtual, double *out_resident) {
    char line[128] = "";
    *out_virtual = *out_resident = NAN;
    FILE *file = fopen("/proc/self/statm", "r");
    if (!file)
        return;
    bool is_read = fgets(line, sizeof line, file) != NULL;
    (void)fclose(file);
    char *rest = line, *end = line;
    unsigned long long pages = strtoull(line, &rest, 10), resident = strtoull(rest, &end, 10);
    if (!is_read || end == rest)
        return;
    double page_bytes = (double)sysconf(_SC_PAGESIZE);
    *out_virtual = (double)pages * page_bytes;
    *out_resident = (double)resident * page_bytes;
}

static double open_files(void) {
    DIR *folder = opendir("/proc/self/fd");
    if (!folder)
        return NAN;
    double count = -1; /* the folder itself */
    for (const struct dirent *entry; (entry = readdir(folder));)
        count += entry->d_name[0] != '.';
    (void)closedir(folder);
    return count;
}

static double open_files_max(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return NAN;
    return limit.rlim_cur == RLIM_INFINITY ? HUGE_VAL : (double)limit.rlim_cur;
}

void process_write(struct metrics_page *page, int64_t started_ms) {
    double virtual_bytes, resident_bytes;
    read_memory(&virtual_bytes, &resident_bytes);
    prometheus_single(page, "process_cpu_seconds_total", "counter",
                      "Total user and system CPU time spent in seconds.", cpu_seconds());
    prometheus_single(page, "process_resident_memory_bytes", "gauge",
                      "Resident memory size in bytes.", resident_bytes);
    prometheus_single(page, "process_virtual_memory_bytes", "gauge",
                      "Virtual memory size in bytes.", virtual_bytes);
    prometheus_single(page, "process_open_fds", "gauge", "Number of open file descriptors.",
                      open_files());
    prometheus_single(page, "process_max_fds", "gauge", "Maximum number of open file descriptors.",
                      open_files_max());
    prometheus_single(page, "process_start_time_seconds", "gauge",
                      "Start time of the process since unix epoch in seconds.",
                      (double)started_ms / 1000);
}
