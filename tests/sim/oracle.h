/* oracle.h -- what must come out, computed in one pass over each input log as batch statistics do.
 *
 * Shares no code with the product: from the records, the configuration as plain data, the durable
 * decisions (virtual records of idle and closed logs) and nothing else.
 *
 * Truth of a label does not depend on how the logs were interleaved, except for an untimed label of
 * an id that breaches uniqueness; cells that hold such a row are tainted.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_TESTS_SIM_ORACLE_H
#define SLIPSTREAM_TESTS_SIM_ORACLE_H

#include "tests/sim/broker.h"
#include "tests/sim/world.h"

struct oracle_cell {     /* one pane and group of a task in one partition */
    int task, partition; /* task: the definition */
    char group[TEXT_MAX];
    int64_t pane_ms;
    int64_t predicted, labelled, tp, fp, tn, fn;
    int128 brier, log_loss; /* units of 2^-32 */
    bool is_tainted;
};

struct oracle_letter {
    int partition;
    enum log_side log;
    int64_t offset;
    int task; /* the newest definition of its name; -1: refused before any task saw it */
    const char *code;
    bool is_tainted; /* of a breach: whether it is there at all is not sure */
};

struct oracle_counts {
    int64_t predicted, duplicates, filtered, labelled, superseded;
};

struct oracle {
    struct oracle_cell *cells;
    size_t cell_count, cell_capacity;
    struct oracle_letter *letters;
    size_t letter_count, letter_capacity;
    struct oracle_counts counts[PARTITIONS_MAX];
};

/* Event time from which the newest epoch of the first task applies, a partition: a decision of its
 * first opening, given; INT64_MAX: never. */
struct epoch_starts {
    int64_t from_ms[PARTITIONS_MAX];
};

struct overflow {
    int partition, task;
    int64_t offset;
};

/* What a run decided and no log says, given: labels refused as ORPHAN_LIMIT depend on the
 * interleaving, records refused as FUTURE by the wall clock on the time at which they were first
 * read (unless they are so far ahead that it does not matter: those are refused, given or not). */
struct outcome {
    const struct decision *decisions;
    size_t decision_count;
    const struct overflow *overflows;
    size_t overflow_count;
    const struct place *futures;
    size_t future_count;
    struct epoch_starts starts;
};

void oracle_run(const struct world *world, const struct outcome *outcome,
                struct oracle *out_oracle);
void oracle_release(struct oracle *oracle);

#endif
