/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum status error_set(struct error *err, enum status status, const char *format, ...) {
    if (!err)
        return status;
    va_list args;
    va_start(args, format);
    (void)vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    return status;
}

enum status error_wrap(struct error *err, enum status status, const char *format, ...) {
    if (!err)
        return status;
    char inner[sizeof err->text];
    memcpy(inner, err->text, sizeof inner);
    va_list args;
    va_start(args, format);
    int used = vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    if (used < 0 || (size_t)used + 3 >= sizeof err->text)
        return status;
    size_t room = sizeof err->text - 1 - (size_t)used - 2, size = strlen(inner);
    memcpy(err->text + used, ": ", 2);
    memcpy(err->text + used + 2, inner, size < room ? size : room);
    err->text[(size_t)used + 2 + (size < room ? size : room)] = '\0';
    return status;
}

const char *status_name(enum status status) {
    static const char *const names[] = {"OK", "CONFIG", "CORRUPT", "IO", "BROKER", "FENCED"};
    ASSERT((size_t)status < COUNT_OF(names));
    return names[status];
}

void assert_failed(const char *expression, const char *file, int line) {
    (void)fprintf(stderr, "slipstream: bug: %s:%d: %s does not hold\n", file, line, expression);
    abort();
}
