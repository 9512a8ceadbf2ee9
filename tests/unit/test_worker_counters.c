/* What a thread knows of budgets, from batch to batch: what it asks for, charges, and under which condition. */
#include "support/cmocka_all.h"

#include "worker/counters.h"

static const struct loy_budget budgets[] = {
    {7, {"spring", 6}, 100, false}, {3, {"autumn", 6}, 100, false}, {5, {"winter", 6}, 100, false}};
static const struct loy_programme programme = {.budgets = budgets, .budget_count = 3};
static const struct loy_programme without = {0};

static struct loy_counters *counters;

static int set_up(void **state)
{
    (void)state;
    counters = loy_counters_new();
    return counters ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    loy_counters_destroy(counters);
    return 0;
}

static void must_want(const int32_t *ids, uint32_t count)
{
    const int32_t *wanted;
    assert_int_equal(loy_counters_wanted(counters, &wanted), count);
    assert_memory_equal(wanted, ids, count * sizeof *ids);
}

/* A batch begins, and what it wants is read: used is that of every row. */
static void begin(int64_t used)
{
    struct loy_counter_row rows[8];
    const int32_t *wanted;
    int32_t missing;
    loy_counters_begin(counters);
    (void)loy_counters_know(counters, &programme);
    uint32_t count = loy_counters_wanted(counters, &wanted);
    for (uint32_t i = 0; i < count; i++) {
        rows[i] = (struct loy_counter_row){wanted[i], used};
    }
    assert_true(loy_counters_read(counters, rows, count, &missing));
}

static int64_t view(int32_t counter)
{
    const struct loy_budget_views *views = loy_counters_views(counters, &programme);
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(views->rows[i].counter, budgets[i].counter); /* in the programme's order */
    }
    return views->rows[counter == 7 ? 0 : counter == 3 ? 1 : 2].used;
}

static void take(int32_t counter, int64_t points, int64_t at_most, bool is_short)
{
    const struct loy_charge charge = {counter, points, at_most, is_short};
    const struct loy_effects effects = {.charges = &charge, .charge_count = 1};
    (void)view(counter);
    loy_counters_take(counters, &effects);
}

static void must_charge(const struct loy_counter_charge *expected, uint32_t count)
{
    struct loy_counter_charge charges[8];
    assert_int_equal(loy_counters_charges(counters, NULL), count);
    assert_int_equal(loy_counters_charges(counters, charges), count);
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(charges[i].id, expected[i].id);
        assert_int_equal(charges[i].points, expected[i].points);
        assert_int_equal(charges[i].at_most, expected[i].at_most);
    }
}

static void what_is_not_known_is_asked_for_once(void **state)
{
    (void)state;
    loy_counters_begin(counters);
    assert_true(loy_counters_know(counters, &without));
    must_want(NULL, 0);
    assert_null(loy_counters_views(counters, &without));
    assert_false(loy_counters_know(counters, &programme));
    must_want((const int32_t[]){3, 5, 7}, 3);
    begin(40);
    assert_true(loy_counters_know(counters, &programme));
    must_want(NULL, 0);
    assert_int_equal(view(5), 40);
    loy_counters_begin(counters);
    assert_true(loy_counters_know(counters, &programme));
    must_want(NULL, 0);
    loy_counters_forget(counters);
    assert_false(loy_counters_know(counters, &programme));
}

static void a_counter_that_does_not_exist_is_named(void **state)
{
    (void)state;
    const struct loy_counter_row rows[] = {{7, 1}, {3, 1}, {9, 1}};
    int32_t missing = 0;
    loy_counters_begin(counters);
    (void)loy_counters_know(counters, &programme);
    assert_false(loy_counters_read(counters, rows, 3, &missing));
    assert_int_equal(missing, 5);
}

/* The second event was decided with 10 + 30 used, and stays the same up to 70: of which 30 are the first one's. */
static void a_batch_charges_once_under_its_tightest_condition(void **state)
{
    (void)state;
    begin(10);
    loy_counters_restart(counters);
    take(7, 30, 70, false);
    assert_int_equal(view(7), 40);
    take(7, 30, 70, false);
    take(3, 5, 95, false);
    take(5, 0, INT64_MAX, false); /* looked at, and nothing could change it */
    assert_true(loy_counters_hold(counters));
    must_charge((const struct loy_counter_charge[]){{3, 5, 95}, {7, 60, 40}}, 2);
    loy_counters_committed(counters);
    begin(-1); /* asks for nothing */
    assert_int_equal(view(7), 70);
    assert_int_equal(view(3), 15);
    must_charge(NULL, 0);
}

static void a_decision_from_the_start_charges_nothing_of_the_one_before(void **state)
{
    (void)state;
    begin(10);
    take(7, 30, 70, false);
    loy_counters_restart(counters);
    must_charge(NULL, 0);
    assert_int_equal(view(7), 10);
}

static void a_budget_is_cut_only_as_it_was_read_for_the_batch(void **state)
{
    (void)state;
    begin(10);
    take(7, 30, 70, false);
    loy_counters_committed(counters);
    begin(-1);
    take(7, 60, 40, true);
    assert_false(loy_counters_hold(counters));
    must_want((const int32_t[]){7}, 1);
    const struct loy_counter_row row = {7, 90};
    int32_t missing;
    assert_true(loy_counters_read(counters, &row, 1, &missing));
    loy_counters_restart(counters);
    assert_int_equal(view(7), 90);
    take(7, 10, 90, true);
    assert_true(loy_counters_hold(counters));
    must_charge((const struct loy_counter_charge[]){{7, 10, 90}}, 1);
    loy_counters_committed(counters);
}

static void what_was_short_is_read_with_the_next_batch(void **state)
{
    (void)state;
    begin(100);
    take(7, 0, INT64_MAX, true);
    assert_true(loy_counters_hold(counters));
    must_charge(NULL, 0);
    loy_counters_committed(counters);
    loy_counters_begin(counters);
    must_want((const int32_t[]){7}, 1);
    begin(100);
    loy_counters_committed(counters); /* nobody looked at it */
    loy_counters_begin(counters);
    must_want(NULL, 0);
}

static void after_a_collision_everything_charged_is_read_again(void **state)
{
    (void)state;
    begin(0);
    take(7, 30, 70, false);
    take(3, 0, 50, false);
    take(5, 0, INT64_MAX, true);
    assert_true(loy_counters_hold(counters));
    loy_counters_collided(counters);
    must_want((const int32_t[]){3, 7}, 2);
}

/* Old events are decided by old revisions: what one takes, the next one sees. */
static void two_programmes_share_a_counter(void **state)
{
    (void)state;
    static const struct loy_budget old_budgets[] = {{5, {"winter", 6}, 10, false}, {7, {"spring", 6}, 50, false}};
    static const struct loy_programme old = {.budgets = old_budgets, .budget_count = 2};
    begin(0);
    assert_true(loy_counters_know(counters, &old));
    take(7, 30, 70, false);
    assert_int_equal(loy_counters_views(counters, &old)->rows[1].used, 30);
    const struct loy_charge charge = {7, 20, 30, false};
    const struct loy_effects effects = {.charges = &charge, .charge_count = 1};
    loy_counters_take(counters, &effects);
    assert_int_equal(view(7), 50);
    must_charge((const struct loy_counter_charge[]){{7, 50, 0}}, 1);
}

static void more_than_can_be_known_is_forgotten(void **state)
{
    (void)state;
    static struct loy_budget many[5][LOY_BUDGETS_MAX];
    static struct loy_programme programmes[5];
    for (int i = 0; i < 5; i++) {
        for (int32_t j = 0; j < LOY_BUDGETS_MAX; j++) {
            many[i][j].counter = i * LOY_BUDGETS_MAX + j + 1;
        }
        programmes[i] = (struct loy_programme){.budgets = many[i], .budget_count = LOY_BUDGETS_MAX};
        loy_counters_begin(counters);
        assert_false(loy_counters_know(counters, &programmes[i]));
    }
    const int32_t *ids;
    assert_int_equal(loy_counters_wanted(counters, &ids), LOY_BUDGETS_MAX);
    assert_int_equal(ids[0], 4 * LOY_BUDGETS_MAX + 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(what_is_not_known_is_asked_for_once),
        TEST(a_counter_that_does_not_exist_is_named),
        TEST(a_batch_charges_once_under_its_tightest_condition),
        TEST(a_decision_from_the_start_charges_nothing_of_the_one_before),
        TEST(a_budget_is_cut_only_as_it_was_read_for_the_batch),
        TEST(what_was_short_is_read_with_the_next_batch),
        TEST(after_a_collision_everything_charged_is_read_again),
        TEST(two_programmes_share_a_counter),
        TEST(more_than_can_be_known_is_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
