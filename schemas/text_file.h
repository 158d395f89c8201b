/* text_file.h -- a text file as a window of bytes that grows until it holds a whole record.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_SCHEMAS_TEXT_FILE_H
#define SLIPSTREAM_SCHEMAS_TEXT_FILE_H

#include <stdio.h>

#include "base/error.h"
#include "base/slice.h"

enum { TEXT_RECORD_BYTES_MAX = 64 * 1024 * 1024 };

struct text_file {
    FILE *file;
    char *data;
    size_t start, end, capacity; /* the window is data[start, end) */
    size_t line;                 /* of the window's first byte, from 1 */
    bool is_last;                /* nothing follows the window */
};

/* Passes over a UTF-8 byte order mark.  Errors: IO (without the file's name); nothing to release
 * then. */
enum status text_file_open(struct text_file *text, const char *path, struct error *err) MUST_CHECK;
void text_file_release(struct text_file *text);

struct slice text_file_window(const struct text_file *text);
/* Makes the window longer, or sets is_last.  Errors: IO (reading failed, a record is too long). */
enum status text_file_more(struct text_file *text, struct error *err) MUST_CHECK;
/* Moves the window's start over count bytes and counts their lines. */
void text_file_skip(struct text_file *text, size_t count);

#endif
