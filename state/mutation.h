/* mutation.h -- faults that the tests plant to prove that they would notice them.  The product
 * never sets it: MUTATION_NONE.  SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_STATE_MUTATION_H
#define SLIPSTREAM_STATE_MUTATION_H

enum mutation {
    MUTATION_NONE,
    MUTATION_REINGEST,             /* recovery ingests a listed file that is already ingested */
    MUTATION_ROWS_BEFORE_COUNTS,   /* a flush ingests before its commit point */
    MUTATION_DROP_MARK,            /* a flush loses its first mark */
    MUTATION_CLOCK_BEFORE_PARTIAL, /* a clock travels although partials it vouches for are held back
                                    */
    MUTATION_FLOOR_CLOCKS,         /* a rebuild begins without the clocks at its floor */
    MUTATION_EARLY_DROP,           /* families are dropped before the store's offsets have passed */
    MUTATION_FORGET_FUTURE,        /* a replay takes what was refused by the wall clock */
    MUTATION_ADD_TWICE,            /* a partial stays in the sum of a window when it gives way */
    MUTATION_TRUST_DROPPED,        /* segments whose rows left the locator are not asked */
    MUTATION_UNMARKED,             /* the locator is not told of marks */
};

extern enum mutation mutation;

#endif
