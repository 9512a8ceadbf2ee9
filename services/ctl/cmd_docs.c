#include "ctl/commands.h"
#include "ctl/docs.h"
#include "runtime/config.h"

#include <string.h>

static const struct {
    const char *name;
    void (*write)(FILE *out);
} pages[] = {
    {"commands", loy_command_write_markdown}, {"configuration", loy_config_write_markdown},
    {"errors", loy_docs_write_errors},        {"metrics", loy_docs_write_metrics},
    {"audit", loy_docs_write_audit},
};

enum loy_exit loy_cmd_docs(const struct loy_call *call)
{
    for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++) {
        if (strcmp(call->words[0], pages[i].name) == 0) {
            pages[i].write(stdout);
            return LOY_EXIT_OK;
        }
    }
    struct loy_error error;
    (void)loy_error_set(&error, LOY_ERR_CONFIG, "there is no page '%s': %s are wanted", call->words[0],
                        call->command->arguments);
    return loy_call_failed(call, &error);
}
