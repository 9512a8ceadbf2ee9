/* Any bytes into parse, check and compile; what compiles is run. The first byte chooses the options. */
#include "support/cel_fixture.h"

#include <stdlib.h>

static struct cel_fixture fixture;
static struct loy_arena_mark start;

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    cel_fixture_init(&fixture);
    start = loy_arena_mark(&fixture.programs);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    if (len == 0) {
        return 0;
    }
    struct loy_cel_options options = {.skip_check = bytes[0] & 1,
                                      .money = bytes[0] & 2,
                                      .no_macros = bytes[0] & 4,
                                      .container = bytes[0] & 8 ? "com.example" : NULL,
                                      .max_cost = bytes[0] & 16 ? 1000 : 0};
    struct loy_str text = {(const char *)bytes + 1, len - 1};
    const struct loy_cel_program *program;
    loy_arena_reset_to(&fixture.programs, start);
    loy_arena_reset(&fixture.scratch);
    struct loy_buf buf;
    loy_buf_init(&buf, &fixture.scratch, 256);
    if (loy_cel_compile(fixture.env, text, &options, &fixture.programs, &program, &fixture.issues) == LOY_OK) {
        static struct loy_cel_trace trace;
        uint64_t fuel = 100000;
        struct loy_cel_value value = loy_cel_eval_traced(program, fixture.variables, &fixture.scratch, &fuel, &trace);
        loy_cel_explain(program, value, &trace, &buf);
        loy_cel_value_print(value, &buf);
    }
    for (size_t i = 0; i < fixture.issues.count; i++) {
        if (fixture.issues.items[i].offset > text.len) {
            abort();
        }
        loy_cel_issue_print(&fixture.issues.items[i], text, &buf);
    }
    return 0;
}
