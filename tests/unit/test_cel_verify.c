#include "support/check_cel.h"
#include "support/cmocka_all.h"

#include "cel/functions.h"
#include "cel/program.h"

static enum loy_err verify(struct cel_fixture *fixture, const struct loy_cel_instruction *code, uint32_t count,
                           uint32_t locals, struct loy_error *error)
{
    static const struct loy_cel_value constants[] = {{.kind = LOY_CEL_INT, .as.i = 7},
                                                     {.kind = LOY_CEL_STRING, .len = 2, .as.text = "ab"}};
    struct loy_cel_program program = {.code = code,
                                      .code_count = count,
                                      .local_count = locals,
                                      .constants = constants,
                                      .constant_count = 2,
                                      .env = fixture->env};
    return loy_cel_verify(&program, &fixture->scratch, error);
}

#define OP(name, ...)                                                                                                  \
    {                                                                                                                  \
        LOY_CEL_OP_##name, __VA_ARGS__                                                                                 \
    }
#define REJECTED(state, locals, why, ...)                                                                              \
    do {                                                                                                               \
        static const struct loy_cel_instruction code[] = {__VA_ARGS__};                                                \
        struct loy_error error = {.code = LOY_OK};                                                                     \
        assert_int_equal(verify(*(state), code, sizeof code / sizeof code[0], locals, &error), LOY_ERR_CORRUPT);       \
        assert_string_equal(error.detail, why);                                                                        \
    } while (0)

static void programs_that_could_go_wrong_are_rejected(void **state)
{
    REJECTED(state, 0, "cel: instruction 0 takes more than there is", OP(RETURN, 0, 0, 0));
    REJECTED(state, 0, "cel: instruction 1 ends too early", OP(CONST, 0, 0, 0), OP(RETURN, 0, 0, 0),
             OP(RETURN, 0, 0, 0));
    REJECTED(state, 0, "cel: instruction 0 goes backwards or out of the program", OP(CONST, 0, 0, 0));
    REJECTED(state, 0, "cel: instruction 0 names what is not there", OP(CONST, 0, 0, 2), OP(RETURN, 0, 0, 0));
    REJECTED(state, 0, "cel: instruction 0 names what is not there", OP(LOCAL, 0, 0, 0), OP(RETURN, 0, 0, 0));
    REJECTED(state, 0, "cel: instruction 0 names what is not there", OP(VAR_FIELD, 0, 0, 99), OP(RETURN, 0, 0, 0));
    REJECTED(state, 0, "cel: instruction 0 takes more than there is", OP(ADD, 0, 0, 0), OP(RETURN, 0, 0, 0));
    REJECTED(state, 0, "cel: instruction 1 goes backwards or out of the program", OP(CONST, 0, 0, 0), OP(JUMP, 0, 0, 0),
             OP(RETURN, 0, 0, 0));
    REJECTED(state, 0, "cel: instruction 2 is reached with different stacks", OP(CONST, 0, 0, 0),
             OP(JUMP_IF_TRUE, 0, 0, 3), OP(CONST, 0, 0, 0), OP(RETURN, 0, 0, 0));
    REJECTED(state, 0, "cel: instruction 2 is never reached, or from outside of its loop", OP(CONST, 0, 0, 0),
             OP(JUMP, 0, 0, 3), OP(CONST, 0, 0, 0), OP(RETURN, 0, 0, 0));
    REJECTED(state, 0, "cel: instruction 0 names what is not there", {LOY_CEL_OP_COUNT, 0, 0, 0});
    REJECTED(state, 0, "cel: instruction 0 names what is not there", OP(RAISE, 0, 0, 1), OP(RETURN, 0, 0, 0));
}

static void loops_must_be_whole_and_keep_to_themselves(void **state)
{
    REJECTED(state, 4, "cel: instruction 1 has no end of its own", OP(CONST, 0, 0, 0), OP(LOOP, 0, 0, 4),
             OP(CONST, 0, 0, 0), OP(NEXT, 1, 0, 2), OP(RETURN, 0, 0, 0));
    REJECTED(state, 3, "cel: instruction 1 is no loop that may be", OP(CONST, 0, 0, 0), OP(LOOP, 0, 0, 4),
             OP(CONST, 0, 0, 0), OP(NEXT, 0, 0, 2), OP(RETURN, 0, 0, 0));
    /* an inner loop with the locals of the outer one would let it write behind its list */
    REJECTED(state, 4, "cel: instruction 3 uses the locals of the loop around it", OP(CONST, 0, 0, 0),
             OP(LOOP, 3, 0, 7), OP(CONST, 0, 0, 0), OP(LOOP, 3, 0, 6), OP(CONST, 0, 0, 0), OP(NEXT, 3, 0, 4),
             OP(NEXT, 3, 0, 2), OP(RETURN, 0, 0, 0));
    REJECTED(state, 4, "cel: instruction 3 names what is not there", OP(CONST, 0, 0, 0), OP(LOOP, 3, 0, 6),
             OP(CONST, 0, 0, 0), OP(STORE, 0, 0, 1), OP(CONST, 0, 0, 0), OP(NEXT, 3, 0, 2), OP(RETURN, 0, 0, 0));
    REJECTED(state, 4, "cel: instruction 1 ends no loop", OP(CONST, 0, 0, 0), OP(NEXT, 0, 0, 0), OP(RETURN, 0, 0, 0));
    /* a jump into a body, over the instruction that sets the loop up */
    REJECTED(state, 4, "cel: instruction 4 is never reached, or from outside of its loop", OP(CONST, 0, 0, 0),
             OP(JUMP_IF_TRUE, 0, 0, 4), OP(CONST, 0, 0, 0), OP(LOOP, 0, 0, 6), OP(CONST, 0, 0, 0), OP(NEXT, 0, 0, 4),
             OP(AND, 0, 0, 0), OP(RETURN, 0, 0, 0));
}

static void a_whole_program_passes_and_its_stack_is_known(void **state)
{
    struct cel_fixture *fixture = *state;
    const struct loy_cel_program *program =
        cel_fixture_compile(fixture, "purchase.lines.exists(l, l.amount + 1 > purchase.total)", NULL);
    assert_non_null(program);
    assert_true(program->stack_depth >= 3 && program->stack_depth <= 5);
    assert_int_equal(loy_cel_program_stack_size(program), (program->stack_depth + 4) * sizeof(struct loy_cel_value));
}

static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

/* What the verifier lets through runs to its end: under the sanitizers nothing else may happen. */
static void mutated_programs_are_rejected_or_harmless(void **state)
{
    static const char *const texts[] = {
        "purchase.lines.map(l, l.amount > 5, [l.category, 'x'])[0] == ['a'] || flag ? {'a': 1} : {'b': 2}",
        "purchase.lines.all(a, purchase.tags.exists(t, t == a.category && a.amount in [1, 2, 3]))",
        "cel.bind(x, purchase.total + 1, x > 5 && has(attributes.score)) ? 'a'.shout() : string(1.5)",
    };
    struct cel_fixture *fixture = *state;
    uint64_t seed = 42;
    unsigned accepted = 0, rejected = 0;
    for (int round = 0; round < 30000; round++) {
        if (round % 1000 == 0) {
            loy_arena_reset_to(&fixture->programs, (struct loy_arena_mark){65536});
        }
        struct loy_arena_mark mark = loy_arena_mark(&fixture->programs);
        const struct loy_cel_program *whole = cel_fixture_compile(fixture, texts[round % 3], NULL);
        struct loy_cel_program program = *whole;
        struct loy_cel_instruction *code =
            loy_arena_copy(&fixture->programs, program.code, program.code_count * sizeof *code);
        for (uint64_t changes = next_random(&seed) % 3 + 1; changes > 0; changes--) {
            uint8_t *bytes = (uint8_t *)&code[next_random(&seed) % program.code_count];
            static const uint8_t places[] = {0, 0, 1, 2, 4, 4, 4, 6};
            bytes[places[next_random(&seed) % 8]] = (uint8_t)(next_random(&seed) % 40);
        }
        program.code = code;
        loy_arena_reset(&fixture->scratch);
        if (loy_cel_verify(&program, &fixture->scratch, NULL) != LOY_OK) {
            rejected++;
        } else {
            uint64_t fuel = 100000;
            struct loy_cel_trace trace;
            (void)loy_cel_eval_traced(&program, fixture->variables, &fixture->scratch, &fuel, &trace);
            accepted++;
        }
        loy_arena_reset_to(&fixture->programs, mark);
    }
    assert_true(accepted > 1000);
    assert_true(rejected > 1000);
}

static int set_up(void **state)
{
    (void)cel_group_set_up(state);
    struct cel_fixture *fixture = *state;
    (void)loy_arena_alloc(&fixture->programs, 65536 - fixture->programs.used);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(programs_that_could_go_wrong_are_rejected),
        cmocka_unit_test(loops_must_be_whole_and_keep_to_themselves),
        cmocka_unit_test(a_whole_program_passes_and_its_stack_is_known),
        cmocka_unit_test(mutated_programs_are_rejected_or_harmless),
    };
    return cmocka_run_group_tests(tests, set_up, cel_group_tear_down);
}
