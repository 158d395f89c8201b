/* SPDX-License-Identifier: Apache-2.0 */
#include "config/problem.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"

enum { PROBLEMS_MAX = 200, LINE_BYTES_MAX = 1024 };

void problems_init(struct problems *problems, const char *file) {
    *problems = (struct problems){.file = file};
    buffer_init(&problems->text, (size_t)PROBLEMS_MAX * LINE_BYTES_MAX);
}

void problems_release(struct problems *problems) {
    buffer_release(&problems->text);
}

static size_t clipped(int written, size_t room) {
    if (written < 0)
        return 0;
    return (size_t)written < room ? (size_t)written : room - 1;
}

void problem_add(struct problems *problems, int line, const char *where, const char *format, ...) {
    if (problems->count++ >= PROBLEMS_MAX)
        return;
    char text[LINE_BYTES_MAX];
    size_t used = clipped(snprintf(text, 400, "%s", problems->file), 400);
    if (line > 0)
        used += clipped(snprintf(text + used, 20, ":%d", line), 20);
    used +=
        clipped(snprintf(text + used, 200, ": %s%s", where ? where : "", where ? ": " : ""), 200);
    va_list args;
    va_start(args, format);
    used += clipped(vsnprintf(text + used, sizeof text - 1 - used, format, args),
                    sizeof text - 1 - used);
    va_end(args);
    for (size_t i = 0; i < used; i++)
        if ((unsigned char)text[i] < ' ')
            text[i] = ' ';
    text[used] = '\n';
    buffer_append(&problems->text, text, used + 1);
}

struct slice problems_first(const struct problems *problems) {
    struct slice all = buffer_slice(&problems->text);
    const char *end = all.size ? memchr(all.data, '\n', all.size) : NULL;
    return (struct slice){all.data, end ? (size_t)(end - all.data) : 0};
}

void text_add(struct buffer *buffer, const char *format, ...) {
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int size = vsnprintf(NULL, 0, format, args);
    va_end(args);
    ASSERT(size >= 0);
    char *to = buffer_reserve(buffer, (size_t)size + 1);
    (void)vsnprintf(to, (size_t)size + 1, format, again);
    va_end(again);
    buffer->size += (size_t)size;
}
