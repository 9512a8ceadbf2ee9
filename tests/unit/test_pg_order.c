#include "adapters/pg/order.h"

#include "support/cmocka_all.h"

#include <string.h>

enum { MOST = 700 };

struct fixture {
    uint64_t memory[2 * MOST * 3 + 64];
    struct loy_pg_place places[MOST];
    struct loy_arena arena;
};

static void order(struct fixture *fixture, uint32_t count)
{
    loy_arena_init(&fixture->arena, fixture->memory, sizeof fixture->memory);
    assert_true(loy_pg_order(fixture->places, count, &fixture->arena));
}

static const char rows[MOST];

/* Neighbours in order, equal ones as they came, and every row there once. */
static void check(const struct fixture *fixture, uint32_t count)
{
    bool seen[MOST] = {false};
    for (uint32_t i = 0; i < count; i++) {
        const struct loy_pg_place *place = &fixture->places[i];
        size_t came = (size_t)((const char *)place->row - rows);
        assert_true(came < count && !seen[came]);
        seen[came] = true;
        if (i > 0) {
            const struct loy_pg_place *last = place - 1;
            bool same_key = last->key == place->key;
            bool same = same_key && last->tie == place->tie;
            assert_true(last->key <= place->key);
            assert_true(!same_key || last->tie <= place->tie);
            assert_true(!same || (const char *)last->row < (const char *)place->row);
        }
    }
}

static void any_number_of_rows_is_put_in_order(void **state)
{
    (void)state;
    static struct fixture fixture;
    uint64_t random = 1;
    for (uint32_t count = 0; count <= MOST; count += count < 40 ? 1 : 33) {
        for (uint32_t i = 0; i < count; i++) {
            random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
            uint64_t key = loy_pg_place_key((int32_t)(random >> 60), (int32_t)(random >> 40 & 7));
            fixture.places[i] = (struct loy_pg_place){key, random >> 33 & 3, rows + i};
        }
        order(&fixture, count);
        check(&fixture, count);
        order(&fixture, count);
        check(&fixture, count); /* what is in order stays so */
    }
}

static void a_full_arena_is_said(void **state)
{
    (void)state;
    struct loy_pg_place places[2] = {{2, 0, NULL}, {1, 0, NULL}};
    uint64_t memory[1];
    struct loy_arena arena;
    loy_arena_init(&arena, memory, sizeof memory);
    assert_false(loy_pg_order(places, 2, &arena));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_number_of_rows_is_put_in_order),
        cmocka_unit_test(a_full_arena_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
