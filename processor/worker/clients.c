/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/clients.h"

#include <stdio.h>

enum { NAME_BYTES = 300 };

enum status clients_create(const struct clients_wanted *wanted, struct stage_context *context,
                           struct transaction_producer **out_producer, struct error *err) {
    const struct worker_options *options = context->options;
    const struct config *config = options->config;
    char group_id[NAME_BYTES], reader[NAME_BYTES], transactional_id[NAME_BYTES],
        instance[NAME_BYTES];
    (void)snprintf(group_id, sizeof group_id, "%s-%s", config->application, wanted->stage);
    (void)snprintf(reader, sizeof reader, "%s-%s-reader", config->application, wanted->stage);
    (void)snprintf(transactional_id, sizeof transactional_id, "%s-%s-%d-%s", config->application,
                   options->instance, options->index, wanted->stage);
    (void)snprintf(instance, sizeof instance, "%s-%d", options->instance, options->index);
    TRY(transaction_producer_create(config, transactional_id, out_producer, err));
    TRY(assign_consumer_create(config, reader, wanted->wake, &context->reader, err));
    TRY(visitor_create(config, reader, wanted->wake, &context->visitor, err));
    const struct group_options group = {.config = config,
                                        .group = group_id,
                                        .instance = instance,
                                        .topic = wanted->topic,
                                        .callbacks = wanted->callbacks,
                                        .wake = wanted->wake};
    return group_consumer_create(&group, &context->group, err);
}
