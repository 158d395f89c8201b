/* check.h -- is what a cluster published right?
 *
 *   partials      the last word of each (task, pane, group, partition) equals the oracle's cell
 *   dead letters  the same multiset of (partition, log, offset, code, task) as the oracle's
 *   SLIs          revisions grow, a status never goes back, FINAL never changes; at the end all are
 *                 FINAL, and their counts and values are those of the oracle's cells
 *   two runs      their FINAL records are the same bytes, but for revision, time and watermark;
 *                 their dead letters are the same, whole
 *
 * Each returns true, or false with one line in out_failure.  SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_TESTS_SIM_CHECK_H
#define SLIPSTREAM_TESTS_SIM_CHECK_H

#include "tests/sim/oracle.h"
#include "tests/sim/worker.h"

enum { FAILURE_MAX = 512 };

bool check_partials(const struct cluster *cluster, const struct oracle *oracle,
                    char out_failure[FAILURE_MAX]);
bool check_letters(const struct cluster *cluster, const struct oracle *oracle,
                   char out_failure[FAILURE_MAX]);
bool check_history(const struct cluster *cluster, char out_failure[FAILURE_MAX]);
bool check_slis(const struct cluster *cluster, const struct oracle *oracle,
                char out_failure[FAILURE_MAX]);
bool check_equal(const struct cluster *a, const struct cluster *b, const struct oracle *oracle,
                 char out_failure[FAILURE_MAX]);
bool check_equal_letters(const struct cluster *a, const struct cluster *b,
                         char out_failure[FAILURE_MAX]);
/* Of one uninterrupted run: its counters. */
bool check_counts(const struct cluster *cluster, const struct oracle *oracle,
                  char out_failure[FAILURE_MAX]);
/* From when the newest epoch applies, from the clocks. */
void check_epochs(const struct cluster *cluster, struct epoch_starts *out_starts);
/* Labels that overflowed, from the dead letters; returns how many. */
size_t check_overflows(const struct cluster *cluster, struct overflow *out_overflows, size_t most);
/* Records that are FUTURE although their own timestamp allows them, likewise. */
size_t check_futures(const struct cluster *cluster, struct place *out_places, size_t most);

#endif
