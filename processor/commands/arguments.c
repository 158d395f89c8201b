/* arguments.c -- options of commands, by getopt_long, and their help.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "commands/command.h"
#include "config/quantity.h"

enum { ARGUMENTS_MAX = 24 };

static void print_help(const struct command *command, const struct argument *arguments,
                       size_t count) {
    (void)printf("Usage: slipstream %s %s\n\n%s\n", command->name, command->synopsis,
                 command->text);
    if (count > 0)
        (void)printf("\nOptions:\n");
    for (size_t i = 0; i < count; i++) {
        char name[40];
        (void)snprintf(name, sizeof name, "--%s %s", arguments[i].name,
                       arguments[i].value ? arguments[i].value : "");
        (void)printf("  %-22s %s\n", name, arguments[i].text);
    }
}

static bool wrong_usage(const struct command *command, const char *what, int *out_exit) {
    (void)fprintf(stderr, "slipstream %s: %s\nUsage: slipstream %s %s\nSee slipstream %s --help\n",
                  command->name, what, command->name, command->synopsis, command->name);
    *out_exit = EXIT_USAGE;
    return false;
}

static void set_option(const struct argument *argument) {
    *argument->out = argument->value ? optarg : "";
}

bool arguments_parse(const struct command *command, int argc, char **argv,
                     const struct argument *arguments, size_t argument_count,
                     const char **out_operands, int operand_count, int *out_exit) {
    ASSERT(argument_count < ARGUMENTS_MAX);
    struct option table[ARGUMENTS_MAX + 1] = {{NULL, 0, NULL, 0}};
    for (size_t i = 0; i < argument_count; i++)
        table[i] =
            (struct option){arguments[i].name, arguments[i].value ? required_argument : no_argument,
                            NULL, (int)i + 256};
    table[argument_count] = (struct option){"help", no_argument, NULL, 'h'};
    opterr = 0;
    optind = 1;
    /* ":h": a missing value is told from an unknown option. */
    for (int found; (found = getopt_long(argc, argv, ":h", table, NULL)) != -1;) {
        if (found == 'h') {
            print_help(command, arguments, argument_count);
            *out_exit = EXIT_DONE;
            return false;
        }
        char what[120];
        (void)snprintf(what, sizeof what, "%.80s %s", argv[optind - 1],
                       found == ':' ? "needs a value" : "is not an option");
        if (found < 256)
            return wrong_usage(command, what, out_exit);
        set_option(&arguments[found - 256]);
    }
    if (argc - optind != operand_count)
        return wrong_usage(
            command, argc - optind < operand_count ? "something is missing" : "too many arguments",
            out_exit);
    for (int i = 0; i < operand_count; i++)
        out_operands[i] = argv[optind + i];
    return true;
}

static bool bad_value(const char *option, const char *text, const char *wanted) {
    (void)fprintf(stderr, "slipstream: --%s: %s is not %s\n", option, text, wanted);
    return false;
}

bool argument_number(const char *option, const char *text, double least, double most,
                     double *out_number) {
    double value = 0;
    char wanted[80];
    if (!text)
        return true;
    (void)snprintf(wanted, sizeof wanted, "a number from %g to %g", least, most);
    if (!parse_number(text, &value) || value < least || value > most)
        return bad_value(option, text, wanted);
    *out_number = value;
    return true;
}

bool argument_count(const char *option, const char *text, int64_t least, int64_t most,
                    int64_t *out_count) {
    int64_t value = 0;
    char wanted[80];
    if (!text)
        return true;
    (void)snprintf(wanted, sizeof wanted, "a whole number from %" PRId64 " to %" PRId64, least,
                   most);
    if (!parse_count(text, &value) || value < least || value > most)
        return bad_value(option, text, wanted);
    *out_count = value;
    return true;
}

bool argument_duration(const char *option, const char *text, int64_t *out_ms) {
    if (!text || parse_duration(text, out_ms))
        return true;
    return bad_value(option, text, "a duration (write 250ms, 10s, 5m, 24h or 7d)");
}

bool argument_time(const char *option, const char *text, int64_t *out_ms) {
    if (!text || parse_time(text, out_ms))
        return true;
    return bad_value(option, text, "a time (write 2020-01-31 or 2020-01-31T10:00:00Z)");
}
