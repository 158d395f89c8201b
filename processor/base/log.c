/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

static atomic_int level_shown = LOG_LEVEL_INFO;

void log_set_level(enum log_level level) {
    atomic_store(&level_shown, (int)level);
}

static size_t clamp(int printed, size_t room) {
    if (printed < 0 || room == 0)
        return 0;
    return (size_t)printed < room ? (size_t)printed : room - 1;
}

void log_line(enum log_level level, const char *event, const char *format, ...) {
    static const char *const names[] = {"error", "warn", "info", "debug"};
    if ((int)level > atomic_load(&level_shown))
        return;
    char line[2048];
    int64_t now_ms = clock_wall_ms();
    time_t seconds = (time_t)(now_ms / 1000);
    struct tm utc;
    (void)gmtime_r(&seconds, &utc);
    size_t used = strftime(line, sizeof line, "%Y-%m-%dT%H:%M:%S", &utc);
    used += clamp(snprintf(line + used, sizeof line - used, ".%03dZ %s event=%s ",
                           (int)(now_ms % 1000), names[level], event),
                  sizeof line - used);
    va_list args;
    va_start(args, format);
    used +=
        clamp(vsnprintf(line + used, sizeof line - used - 1, format, args), sizeof line - used - 1);
    va_end(args);
    line[used++] = '\n';
    if (write(STDERR_FILENO, line, used) < 0)
        return; /* nowhere left to say it */
}

const char *log_quote(char scratch[600], const char *text) {
    size_t used = 0;
    scratch[used++] = '"';
    for (; *text && used < 596; text++) {
        if (*text == '"' || *text == '\\')
            scratch[used++] = '\\';
        scratch[used++] = (unsigned char)*text < 0x20 ? ' ' : *text;
    }
    scratch[used++] = '"';
    scratch[used] = '\0';
    return scratch;
}
