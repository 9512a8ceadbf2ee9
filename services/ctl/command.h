/* Command: what loyalctl can be asked, and how it is asked.
 *
 * One table (command_table.h) of commands and their options: the parser, --help and docs/loyalctl.md come from its
 * rows. One cmd_<name>.c a command. One thread. Test: tests/unit/test_ctl_command.c. */
#ifndef LOY_CTL_COMMAND_H
#define LOY_CTL_COMMAND_H

#include "base/err.h"
#include "runtime/config.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* What the process answers to its shell. */
enum loy_exit {
    LOY_EXIT_OK = 0,
    LOY_EXIT_FAILED = 1, /* it failed, or it found what it looks for: audit */
    LOY_EXIT_USAGE = 2,  /* asked wrongly: nothing was done */
};

enum {
    LOY_OPTIONS_MAX = 16, /* of one command */
    LOY_WORDS_MAX = 8,    /* that are no options */
};

struct loy_option {
    const char *name;     /* without --; NULL ends the list */
    const char *value;    /* what stands for its value in the help; NULL: a flag */
    const char *fallback; /* when it is not given; NULL: none */
    const char *help;
};

struct loy_call;

struct loy_command {
    const char *name;
    const char *arguments; /* as in the help: "FILE|-" */
    const char *summary;   /* one line */
    const char *details;   /* more, for its own help; NULL: none */
    uint32_t words_min, words_max;
    const struct loy_option *options;
    enum loy_exit (*run)(const struct loy_call *call);
};

/* One question, taken apart. Everything is borrowed from main. */
struct loy_call {
    const struct loy_command *command;
    const struct loy_config *config;
    const char *words[LOY_WORDS_MAX]; /* after the command's name */
    uint32_t word_count;
    const char *values[LOY_OPTIONS_MAX]; /* in the order of command->options; a flag that was given: "" */
};

/* NULL when there is none of that name; the i-th, NULL past the last. */
const struct loy_command *loy_command_find(const char *name);
const struct loy_command *loy_command_at(uint32_t i);

/* Takes argv apart. Options that are not the command's are the configuration's: they go, with their values, to
 * config_argv (room for argc + 1), which loy_config_load reads. call->command stays NULL where none is named; *ret_help
 * is set when the command's help is asked for. LOY_ERR_CONFIG with a sentence for anything else. */
LOY_MUST_USE enum loy_err loy_call_parse(int argc, char **argv, struct loy_call *call, char **config_argv,
                                         int *ret_config_argc, bool *ret_help, struct loy_error *error);

/* Value of one of the command's own options; NULL when it has none. Asking for another option is a bug. */
const char *loy_call_option(const struct loy_call *call, const char *name);
bool loy_call_flag(const struct loy_call *call, const char *name);
/* The same as a number; LOY_ERR_CONFIG names the option and what is allowed. */
LOY_MUST_USE enum loy_err loy_call_number(const struct loy_call *call, const char *name, int64_t min, int64_t max,
                                          int64_t *ret_number, struct loy_error *error);
/* "2.5" percent as millionths: 25,000. At most 100. */
LOY_MUST_USE enum loy_err loy_call_percent(const struct loy_call *call, const char *name, uint32_t *ret_millionths,
                                           struct loy_error *error);

/* Says on standard error what went wrong, with the command's name; returns LOY_EXIT_FAILED, LOY_EXIT_USAGE for
 * LOY_ERR_CONFIG. */
enum loy_exit loy_call_failed(const struct loy_call *call, const struct loy_error *error);

void loy_command_write_help(FILE *out, const struct loy_command *command);
void loy_command_write_list(FILE *out);
/* docs/loyalctl.md's list of commands. */
void loy_command_write_markdown(FILE *out);

#endif
