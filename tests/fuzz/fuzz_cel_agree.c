/* Type-correct expressions, run by the compiled program and by the reference evaluator: they agree, or both fail. */
#include "support/cel_agree.h"

#include <stdio.h>
#include <stdlib.h>

static struct cel_agree agree;

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    cel_agree_init(&agree);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    const char *why = cel_agree_try(&agree, bytes, len);
    if (why) {
        fprintf(stderr, "%s\n", why);
        abort();
    }
    return 0;
}
