/* SPDX-License-Identifier: Apache-2.0 */
#include "data/logistic.h"

#include <math.h>

enum { STEPS = 400 };

static void make_alike(const double (*rows)[FEATURES_MAX], size_t count, struct logistic *model) {
    for (size_t j = 0; j < model->features; j++) {
        double sum = 0, squares = 0;
        for (size_t i = 0; i < count; i++)
            sum += rows[i][j];
        model->mean[j] = sum / (double)count;
        for (size_t i = 0; i < count; i++)
            squares += pow(rows[i][j] - model->mean[j], 2);
        model->scale[j] = squares > 0 ? 1 / sqrt(squares / (double)count) : 0;
    }
}

double logistic_score(const struct logistic *model, const double row[FEATURES_MAX]) {
    double sum = model->weight[model->features];
    for (size_t j = 0; j < model->features; j++)
        sum += model->weight[j] * (row[j] - model->mean[j]) * model->scale[j];
    return 1 / (1 + exp(-sum));
}

void logistic_fit(const double (*rows)[FEATURES_MAX], const double *targets, size_t count,
                  size_t features, struct logistic *out_model) {
    const double rate = 0.5, decay = 1e-4;
    struct logistic *model = out_model;
    *model = (struct logistic){.features = features};
    make_alike(rows, count, model);
    for (int step = 0; step < STEPS; step++) {
        double gradient[FEATURES_MAX + 1] = {0};
        for (size_t i = 0; i < count; i++) {
            double error = logistic_score(model, rows[i]) - targets[i];
            for (size_t j = 0; j < features; j++)
                gradient[j] += error * (rows[i][j] - model->mean[j]) * model->scale[j];
            gradient[features] += error;
        }
        for (size_t j = 0; j <= features; j++)
            model->weight[j] -= rate * (gradient[j] / (double)count + decay * model->weight[j]);
    }
}
