#include "ctl/command.h"

#include "base/num.h"
#include "base/str.h"

#include <assert.h>
#include <inttypes.h>

const struct loy_command *loy_command_find(const char *name)
{
    const struct loy_command *command = NULL;
    for (uint32_t i = 0; (command = loy_command_at(i)) != NULL; i++) {
        if (strcmp(command->name, name) == 0) {
            break;
        }
    }
    return command;
}

static int option_at(const struct loy_command *command, const char *name, size_t len)
{
    for (int i = 0; command && command->options[i].name; i++) {
        if (strlen(command->options[i].name) == len && memcmp(command->options[i].name, name, len) == 0) {
            return i;
        }
    }
    return -1;
}

/* Options of every program that take no value. */
static bool is_bare(const char *option)
{
    return strcmp(option, "--help") == 0 || strcmp(option, "--version") == 0 || strcmp(option, "--print-config") == 0;
}

static enum loy_err take_word(struct loy_call *call, const char *word, struct loy_error *error)
{
    if (!call->command) {
        call->command = loy_command_find(word);
        return call->command ? LOY_OK
                             : loy_error_set(error, LOY_ERR_CONFIG,
                                             "there is no command '%s': loyalctl --help lists the commands", word);
    }
    if (call->word_count >= call->command->words_max) {
        return loy_error_set(error, LOY_ERR_CONFIG, "'%s' is one word too many: loyalctl %s %s", word,
                             call->command->name, call->command->arguments);
    }
    call->words[call->word_count++] = word;
    return LOY_OK;
}

/* One of the command's own options at argv[*at]; moves *at over its value. */
static enum loy_err take_option(struct loy_call *call, int option, int argc, char **argv, int *at,
                                struct loy_error *error)
{
    assert(call->command);
    const struct loy_option *row = &call->command->options[option];
    const char *equals = strchr(argv[*at], '=');
    if (!row->value) {
        call->values[option] = "";
        return equals ? loy_error_set(error, LOY_ERR_CONFIG, "--%s takes no value", row->name) : LOY_OK;
    }
    if (equals) {
        call->values[option] = equals + 1;
        return LOY_OK;
    }
    if (*at + 1 >= argc) {
        return loy_error_set(error, LOY_ERR_CONFIG, "--%s wants a value: %s", row->name, row->value);
    }
    call->values[option] = argv[++*at];
    return LOY_OK;
}

static enum loy_err check_words(const struct loy_call *call, struct loy_error *error)
{
    if (call->command && call->word_count < call->command->words_min) {
        return loy_error_set(error, LOY_ERR_CONFIG, "something is missing: loyalctl %s %s", call->command->name,
                             call->command->arguments);
    }
    return LOY_OK;
}

enum loy_err loy_call_parse(int argc, char **argv, struct loy_call *call, char **config_argv, int *ret_config_argc,
                            bool *ret_help, struct loy_error *error)
{
    int config_argc = 0;
    enum loy_err err = LOY_OK;
    *ret_help = false;
    config_argv[config_argc++] = argv[0];
    for (int at = 1; at < argc && !err; at++) {
        const char *arg = argv[at];
        bool is_option = strncmp(arg, "--", 2) == 0 && arg[2] != 0;
        int option = is_option ? option_at(call->command, arg + 2, strcspn(arg + 2, "=")) : -1;
        if (!is_option) {
            err = take_word(call, arg, error);
        } else if (option >= 0) {
            err = take_option(call, option, argc, argv, &at, error);
        } else if (call->command && strcmp(arg, "--help") == 0) {
            *ret_help = true;
        } else {
            config_argv[config_argc++] = argv[at];
            if (!is_bare(arg) && !strchr(arg, '=') && at + 1 < argc) {
                config_argv[config_argc++] = argv[++at];
            }
        }
    }
    for (int i = 0; call->command && call->command->options[i].name; i++) {
        call->values[i] = call->values[i] ? call->values[i] : call->command->options[i].fallback;
    }
    config_argv[config_argc] = NULL;
    *ret_config_argc = config_argc;
    return err || *ret_help ? err : check_words(call, error);
}

const char *loy_call_option(const struct loy_call *call, const char *name)
{
    int option = option_at(call->command, name, strlen(name));
    assert(option >= 0);
    return call->values[option];
}

bool loy_call_flag(const struct loy_call *call, const char *name)
{
    return loy_call_option(call, name) != NULL;
}

enum loy_err loy_call_number(const struct loy_call *call, const char *name, int64_t min, int64_t max,
                             int64_t *ret_number, struct loy_error *error)
{
    const char *text = loy_call_option(call, name);
    int64_t number = 0;
    if (!text || !loy_str_to_i64(loy_str(text), &number) || number < min || number > max) {
        return loy_error_set(error, LOY_ERR_CONFIG,
                             "--%s is '%s': a whole number from %" PRId64 " to %" PRId64 " is wanted", name,
                             text ? text : "", min, max);
    }
    *ret_number = number;
    return LOY_OK;
}

enum loy_err loy_call_percent(const struct loy_call *call, const char *name, uint32_t *ret_millionths,
                              struct loy_error *error)
{
    const char *text = loy_call_option(call, name);
    int64_t units = 0; /* of a ten-thousandth of a percent */
    if (!text || !loy_decimal_parse(loy_str(text), 4, &units) || units < 0 || units > 1000000) {
        return loy_error_set(error, LOY_ERR_CONFIG,
                             "--%s is '%s': a percentage from 0 to 100 with at most 4 decimals is wanted", name,
                             text ? text : "");
    }
    *ret_millionths = (uint32_t)units;
    return LOY_OK;
}

enum loy_exit loy_call_failed(const struct loy_call *call, const struct loy_error *error)
{
    (void)fprintf(stderr, "loyalctl%s%s: %s\n", call->command ? " " : "", call->command ? call->command->name : "",
                  error->detail);
    return error->code == LOY_ERR_CONFIG ? LOY_EXIT_USAGE : LOY_EXIT_FAILED;
}
