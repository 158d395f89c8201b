/* SPDX-License-Identifier: Apache-2.0 */
#include "schemas/text_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_BYTES = 64 * 1024 };

enum status text_file_open(struct text_file *text, const char *path, struct error *err) {
    *text = (struct text_file){.line = 1, .capacity = FIRST_BYTES};
    text->file = fopen(path, "rb");
    if (!text->file)
        return error_set(err, STATUS_IO, "%s", strerror(errno));
    text->data = alloc_resize(NULL, text->capacity, 1);
    enum status status = text_file_more(text, err);
    if (status != STATUS_OK)
        text_file_release(text);
    else if (text->end >= 3 && memcmp(text->data, "\xef\xbb\xbf", 3) == 0)
        text->start = 3;
    return status;
}

void text_file_release(struct text_file *text) {
    if (text->file)
        (void)fclose(text->file);
    free(text->data);
    *text = (struct text_file){0};
}

struct slice text_file_window(const struct text_file *text) {
    return (struct slice){text->data + text->start, text->end - text->start};
}

/* The window doubles, so that a caller who looks again from its start stays linear. */
enum status text_file_more(struct text_file *text, struct error *err) {
    size_t held = text->end - text->start;
    if (held > TEXT_RECORD_BYTES_MAX)
        return error_set(err, STATUS_IO, "line %zu: a record of more than 64 MB", text->line);
    if (text->start > 0) {
        memmove(text->data, text->data + text->start, held);
        text->start = 0;
        text->end = held;
    }
    if (text->capacity < 2 * held) {
        text->capacity = 2 * held;
        text->data = alloc_resize(text->data, text->capacity, 1);
    }
    size_t wanted = text->capacity - held;
    size_t count = fread(text->data + held, 1, wanted, text->file);
    text->end += count;
    text->is_last = count < wanted;
    if (ferror(text->file))
        return error_set(err, STATUS_IO, "%s", strerror(errno));
    return STATUS_OK;
}

void text_file_skip(struct text_file *text, size_t count) {
    const char *at = text->data + text->start, *end = at + count;
    while (at < end && (at = memchr(at, '\n', (size_t)(end - at))) != NULL) {
        text->line++;
        at++;
    }
    text->start += count;
}
