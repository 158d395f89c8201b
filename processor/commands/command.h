/* command.h -- a subcommand: one file and one line in commands.def.
 *
 * Exit codes   0 done; 1 something failed; 2 wrong usage or configuration.
 * Output       results to standard output, everything else to standard error.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_COMMANDS_COMMAND_H
#define SLIPSTREAM_COMMANDS_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "config/config.h"

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

struct command {
    const char *name, *summary;
    const char *synopsis;              /* what follows the name: "CONFIG [--rate N]" */
    const char *text;                  /* paragraphs for --help, with an example at the end */
    int (*run)(int argc, char **argv); /* argv[0] is the command's name */
};

/* An option of a command, --name or --name VALUE. */
struct argument {
    const char *name;
    const char *value; /* what it takes, for --help: "N"; NULL: a flag */
    const char *text;
    const char **out; /* set to the value, or to "" for a flag; untouched when not given */
};

enum { OPERANDS_MAX = 4 };

/* Reads argv: options anywhere, then exactly operand_count others into out_operands.  false: the
 * command ends with *out_exit, having shown its help or what is wrong. */
bool arguments_parse(const struct command *command, int argc, char **argv,
                     const struct argument *arguments, size_t argument_count,
                     const char **out_operands, int operand_count, int *out_exit);
/* Reads the text of an option into a number in [least, most]; text NULL leaves it.  false: says so
 * on standard error. */
bool argument_number(const char *option, const char *text, double least, double most,
                     double *out_number);
bool argument_count(const char *option, const char *text, int64_t least, int64_t most,
                    int64_t *out_count);
bool argument_duration(const char *option, const char *text, int64_t *out_ms);
bool argument_time(const char *option, const char *text, int64_t *out_ms);

/* The configuration, or NULL after all its problems were written to standard error: then end with
 * EXIT_USAGE. */
struct config *command_config(const char *path);
/* Writes "slipstream NAME: text" and returns the exit code for the status. */
int command_failed(const struct command *command, enum status status, const struct error *err);

extern const struct command *const commands[];
extern const size_t commands_count;

#endif
