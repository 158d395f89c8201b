/* close.c -- `slipstream close`: ends a load of old data.  SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "commands/registry.h"
#include "config/quantity.h"
#include "kafka/admin.h"
#include "worker/control.h"

/* A producer would wait a minute for brokers or a topic that are not there. */
static enum status check_topic(const struct config *config, struct error *err) {
    struct admin *admin = NULL;
    int32_t count = 0;
    TRY(admin_create(config, &admin, err));
    enum status status = admin_partition_count(admin, config->tasks_topic, &count, err);
    admin_destroy(admin);
    if (status == STATUS_OK && count == 0)
        return error_set(err, STATUS_CONFIG,
                         "topic %s does not exist: slipstream check CONFIG --create-topics",
                         config->tasks_topic);
    return status;
}

static int run(int argc, char **argv) {
    const char *operands[1], *at = NULL;
    const struct argument arguments[] = {
        {"at", "TIME", "event time that both logs are said to have reached", &at}};
    int code;
    if (!arguments_parse(&command_close, argc, argv, arguments, COUNT_OF(arguments), operands, 1,
                         &code))
        return code;
    int64_t time_ms = 0;
    if (!at) {
        (void)fprintf(stderr, "slipstream close: --at TIME is needed, for example 2020-06-01\n");
        return EXIT_USAGE;
    }
    if (!argument_time("at", at, &time_ms))
        return EXIT_USAGE;
    struct config *config = command_config(operands[0]);
    if (!config)
        return EXIT_USAGE;
    char scratch[QUANTITY_BYTES];
    struct error err = {0};
    enum status status = check_topic(config, &err);
    if (status == STATUS_OK)
        status = control_send_close(config, time_ms, &err);
    if (status == STATUS_OK)
        (void)printf("closed at %s: panes whose horizon it has passed become FINAL once "
                     "both logs are read to their ends\n",
                     format_time(scratch, time_ms));
    code = status == STATUS_OK ? EXIT_DONE : command_failed(&command_close, status, &err);
    config_destroy(config);
    return code;
}

const struct command command_close = {
    .name = "close",
    .summary = "say that the logs have reached a time, where no record says so",
    .synopsis = "CONFIG --at TIME",
    .text = "With idle.advance: none (loads of old data, replays) no wall time moves the clocks, "
            "so that\n"
            "the last windows would stay open. This publishes a control record; each partition "
            "applies\n"
            "it once, when both its logs are read to their ends.\n\n"
            "Example:\n  slipstream close taxi.yaml --at 2020-07-01T00:00:00Z\n",
    .run = run,
};
