/* crash_point.h -- named places at which a test kills its own process as kill -9 does.
 *
 * Only in builds with the CMake option CRASH_POINTS; in others the macros are nothing.  A point is
 * passed as STAGE.NAME, STAGE being what the thread said last: "partition.commit.sent".
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_BASE_CRASH_POINT_H
#define SLIPSTREAM_BASE_CRASH_POINT_H

#ifdef CRASH_POINTS

#include <stdbool.h>
#include <stdio.h>

#define CRASH_STAGE(name) crash_stage(name)
#define CRASH_POINT(name) crash_point(name)

/* The stage of this thread from now on; borrowed. */
void crash_stage(const char *name);
/* Kills the process when this is the passing that was armed. */
void crash_point(const char *name);
/* The same for a write of state/flush.h's flush_hook: point "flush.WRITE". */
void crash_write(const char *write);
/* order: "STAGE.NAME:N", to die at the N-th passing, N >= 1.  Before the threads start.  False:
 * there is no such point. */
bool crash_arm(const char *order);
void crash_list(FILE *out);

#else

#define CRASH_STAGE(name) ((void)0)
#define CRASH_POINT(name) ((void)0)

#endif
#endif
