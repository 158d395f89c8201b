/* reference.c -- slipstream reference.  SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "commands/registry.h"

enum { REFERENCE_BYTES_MAX = 1 << 20 };

static int run(int argc, char **argv) {
    int code = EXIT_DONE;
    if (!arguments_parse(&command_reference, argc, argv, NULL, 0, NULL, 0, &code))
        return code;
    struct buffer out;
    buffer_init(&out, REFERENCE_BYTES_MAX);
    config_reference(&out);
    size_t written = fwrite(out.data, 1, out.size, stdout);
    code = written == out.size && fflush(stdout) == 0 ? EXIT_DONE : EXIT_FAILED;
    buffer_release(&out);
    return code;
}

const struct command command_reference = {
    .name = "reference",
    .summary = "print every option and metric as Markdown",
    .synopsis = "",
    .text =
        "Prints what can be configured: each option with its type, default, range and meaning,\n"
        "the properties of Kafka that are refused and why, and the metrics.\n\n"
        "Example:\n  slipstream reference > docs/REFERENCE.md",
    .run = run,
};
