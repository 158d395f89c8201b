/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/trim.h"

#include <malloc.h>

#include "base/attributes.h"
#include "base/clock.h"

enum { TRIM_US = 10000000 };

void trim_memory(int64_t *trimmed_at_us) {
#ifdef __GLIBC__
    int64_t now_us = clock_monotonic_us();
    if (now_us - *trimmed_at_us < TRIM_US)
        return;
    *trimmed_at_us = now_us;
    (void)malloc_trim(0);
#else
    (void)trimmed_at_us;
#endif
}
