/* logistic.h -- logistic regression by batch gradient descent: the plain model of the examples.
 *
 * Input    count rows of `features` numbers each, made alike by logistic_fit itself (mean 0,
 *          deviation 1); targets 0 or 1
 * Cost     rows x features x STEPS
 * Deterministic.  SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_TESTS_DATA_LOGISTIC_H
#define SLIPSTREAM_TESTS_DATA_LOGISTIC_H

#include <stddef.h>

enum { FEATURES_MAX = 32 };

struct logistic {
    size_t features;
    double mean[FEATURES_MAX], scale[FEATURES_MAX];
    double weight[FEATURES_MAX + 1]; /* the last stands alone */
};

void logistic_fit(const double (*rows)[FEATURES_MAX], const double *targets, size_t count,
                  size_t features, struct logistic *out_model);
double logistic_score(const struct logistic *model, const double row[FEATURES_MAX]);

#endif
