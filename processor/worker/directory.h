/* directory.h -- where a partition's state lies: STATE/TOPIC-PARTITION/.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_WORKER_DIRECTORY_H
#define SLIPSTREAM_WORKER_DIRECTORY_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* Makes the folder, and those above it, when absent.  Errors: IO. */
enum status directory_make(char *out_path, size_t size, const char *state, const char *topic,
                           int32_t partition, struct error *err) MUST_CHECK;
/* Removes all files in it (a store has no folders).  Errors: IO. */
enum status directory_empty(const char *path, struct error *err) MUST_CHECK;

#endif
