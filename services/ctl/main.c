/* loyalctl: the operator's tool. */
#include "ctl/command.h"
#include "runtime/config.h"
#include "runtime/log.h"

#include <stdlib.h>

enum { ARGUMENTS_MAX = 256 };

extern char **environ;

static enum loy_exit run(struct loy_call *call, int config_argc, char **config_argv)
{
    struct loy_config config = {0};
    struct loy_error error = {0};
    const struct loy_config_args args = {LOY_CONFIG_CTL, config_argc, config_argv, environ};
    enum loy_exit status = LOY_EXIT_OK;
    call->config = &config;
    if (loy_config_load(&args, &config, &error)) {
        status = loy_call_failed(call, &error);
    } else if (config.action == LOY_CONFIG_HELP) {
        loy_command_write_list(stdout);
        loy_config_write_help(stdout, LOY_CONFIG_CTL);
    } else if (loy_config_answer(stdout, &config, LOY_CONFIG_CTL)) {
        status = LOY_EXIT_OK;
    } else if (!call->command) {
        loy_command_write_list(stderr);
        status = LOY_EXIT_USAGE;
    } else {
        loy_log_open((enum loy_log_level)config.log_level, (enum loy_log_format)config.log_format, 2);
        status = call->command->run(call);
    }
    call->config = NULL;
    loy_config_fini(&config);
    return status;
}

int main(int argc, char **argv)
{
    char *config_argv[ARGUMENTS_MAX + 1];
    struct loy_call call = {0};
    struct loy_error error = {0};
    int config_argc = 0;
    bool help = false;
    if (argc > ARGUMENTS_MAX) {
        (void)fputs("loyalctl: more words than anybody types\n", stderr);
        return LOY_EXIT_USAGE;
    }
    if (loy_call_parse(argc, argv, &call, config_argv, &config_argc, &help, &error)) {
        return (int)loy_call_failed(&call, &error);
    }
    if (help) {
        loy_command_write_help(stdout, call.command);
        return LOY_EXIT_OK;
    }
    enum loy_exit status = run(&call, config_argc, config_argv);
    bool failed = fflush(stdout) != 0 || ferror(stdout); /* now, or whenever the buffer was full before */
    if (failed && status == LOY_EXIT_OK) {
        (void)fputs("loyalctl: standard output cannot be written\n", stderr);
        return LOY_EXIT_FAILED;
    }
    return (int)status;
}
