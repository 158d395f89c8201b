/* row_files.h -- the folder in which a database's row files wait for ingestion: NUMBER.sst.
 * Other names in it are left alone.  Errors of all: IO, with the path.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_STATE_ROW_FILES_H
#define SLIPSTREAM_STATE_ROW_FILES_H

#include "base/arena.h"
#include "base/error.h"

enum { ROW_FOLDER_BYTES = 960, ROW_PATH_BYTES = 1024 };

struct row_files {
    char folder[ROW_FOLDER_BYTES];
};

/* DIRECTORY/rows, made when absent; so is directory, though not what it lies in. */
enum status row_files_open(struct row_files *files, const char *directory,
                           struct error *err) MUST_CHECK;
/* Writes the path into scratch; returns scratch. */
const char *row_files_path(const struct row_files *files, uint64_t file,
                           char scratch[ROW_PATH_BYTES]);
/* Makes the names in the folder durable. */
enum status row_files_sync(const struct row_files *files, struct error *err) MUST_CHECK;
enum status row_files_size(const struct row_files *files, uint64_t file, uint64_t *out_bytes,
                           struct error *err) MUST_CHECK;
/* An absent file is fine. */
enum status row_files_remove(const struct row_files *files, uint64_t file,
                             struct error *err) MUST_CHECK;
/* Into an arena array, in no order. */
enum status row_files_list(const struct row_files *files, uint64_t **out_files, size_t *out_count,
                           struct arena *arena, struct error *err) MUST_CHECK;

#endif
