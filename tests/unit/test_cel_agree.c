/* The compiled program and the reference evaluator on random expressions; tests/fuzz/fuzz_cel_agree.c goes further.
 * ROUNDS=10000000 in the environment takes longer. */
#include "support/cel_agree.h"
#include "support/cmocka_all.h"

#include <stdlib.h>

static void compiled_programs_agree_with_the_reference(void **state)
{
    struct cel_agree *agree = *state;
    uint64_t seed = 2463534242;
    uint8_t bytes[120];
    const char *wanted = getenv("ROUNDS");
    long rounds = wanted ? strtol(wanted, NULL, 10) : 20000;
    for (long round = 0; round < rounds; round++) {
        for (size_t i = 0; i < sizeof bytes; i++) {
            seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
            bytes[i] = (uint8_t)(seed >> 56);
        }
        const char *why = cel_agree_try(agree, bytes, 20 + (size_t)(seed >> 20) % 100);
        if (why) {
            fail_msg("%s", why);
        }
    }
    /* expressions that all fail, or all succeed, would prove little */
    print_message("%llu values, %llu errors, %llu out of memory\n", (unsigned long long)agree->values,
                  (unsigned long long)agree->errors, (unsigned long long)agree->unlimited);
    assert_true(agree->values > (uint64_t)rounds / 5);
    assert_true(agree->errors > (uint64_t)rounds / 20);
}

static int set_up(void **state)
{
    static struct cel_agree agree;
    cel_agree_init(&agree);
    *state = &agree;
    return 0;
}

static int tear_down(void **state)
{
    cel_agree_fini(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(compiled_programs_agree_with_the_reference)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
