/* attributes.h -- the compiler extensions in use, behind names.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_BASE_ATTRIBUTES_H
#define SLIPSTREAM_BASE_ATTRIBUTES_H

#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(format_at, arguments_at)                                                       \
    __attribute__((format(printf, format_at, arguments_at)))
#define NORETURN __attribute__((noreturn))
#define UNUSED __attribute__((unused))
/* Calls release(&variable) when the variable leaves its scope. */
#define SCOPED(release) __attribute__((cleanup(release)))
/* A hint to the memory system, never a fault. */
#define PREFETCH(address) __builtin_prefetch(address)
#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* 128-bit integers hold the fixed-point sums; ISO C has no name for them. */
__extension__ typedef __int128 int128;
__extension__ typedef unsigned __int128 uint128;

#endif
