/* Programs with changed instructions into the verifier; what it lets through is run. The first byte chooses the
 * program, then three bytes are a change: which instruction, which byte of it, its new value. */
#include "cel/program.h"
#include "support/cel_fixture.h"

#include <stdlib.h>

static struct cel_fixture fixture;
static struct loy_arena_mark start;

static const char *const texts[] = {
    "purchase.lines.map(l, l.amount > 5, [l.category, 'x'])[0] == ['a'] || flag ? {'a': 1} : {'b': 2}",
    "purchase.lines.all(a, purchase.tags.exists(t, t == a.category && a.amount in [1, 2, 3]))",
    "cel.bind(x, purchase.total + 1, x > 5 && has(attributes.score)) ? 'a'.shout() : string(1.5)",
    "purchase.tags.filter(t, t != 'x').map(t, t + purchase.channel).exists_one(t, t.contains('w')) && !flag",
};
enum { TEXTS = sizeof texts / sizeof texts[0] };
static const struct loy_cel_program *programs[TEXTS];

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    cel_fixture_init(&fixture);
    for (size_t i = 0; i < TEXTS; i++) {
        programs[i] = cel_fixture_compile(&fixture, texts[i], NULL);
        if (!programs[i]) {
            abort();
        }
    }
    start = loy_arena_mark(&fixture.programs);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    if (len == 0) {
        return 0;
    }
    loy_arena_reset_to(&fixture.programs, start);
    loy_arena_reset(&fixture.scratch);
    struct loy_cel_program program = *programs[bytes[0] % TEXTS];
    struct loy_cel_instruction *code =
        loy_arena_copy(&fixture.programs, program.code, program.code_count * sizeof *code);
    for (size_t at = 1; at + 3 <= len; at += 3) {
        ((uint8_t *)&code[bytes[at] % program.code_count])[bytes[at + 1] % sizeof *code] = bytes[at + 2];
    }
    program.code = code;
    if (loy_cel_verify(&program, &fixture.scratch, NULL) == LOY_OK) {
        static struct loy_cel_trace trace;
        uint64_t fuel = 10000;
        (void)loy_cel_eval_traced(&program, fixture.variables, &fixture.scratch, &fuel, &trace);
    }
    return 0;
}
