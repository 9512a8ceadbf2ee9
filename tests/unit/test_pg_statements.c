#include "support/cmocka_all.h"

#include "adapters/pg/statements.h"

static void must_judge(enum loy_pg_statement statement, const char *sqlstate, enum loy_store_status status,
                       enum loy_guard guard)
{
    enum loy_guard found;
    assert_int_equal(loy_pg_judge(statement, sqlstate, &found), status);
    assert_int_equal(found, guard);
}

static void the_statement_decides_the_guard(void **state)
{
    (void)state;
    must_judge(LOY_PG_PARTITION, "22012", LOY_STORE_GUARD, LOY_GUARD_PARTITION);
    must_judge(LOY_PG_REVISION, "22012", LOY_STORE_GUARD, LOY_GUARD_REVISION);
    must_judge(LOY_PG_JOURNAL, "23505", LOY_STORE_GUARD, LOY_GUARD_JOURNAL);
    must_judge(LOY_PG_MEMBER_UPDATE, "22012", LOY_STORE_GUARD, LOY_GUARD_MEMBER);
    must_judge(LOY_PG_MEMBER_INSERT, "23505", LOY_STORE_GUARD, LOY_GUARD_MEMBER);
    must_judge(LOY_PG_READS, "22012", LOY_STORE_GUARD, LOY_GUARD_MEMBER);
    must_judge(LOY_PG_COUNTER, "22012", LOY_STORE_GUARD, LOY_GUARD_COUNTER);
}

static void the_same_error_elsewhere_is_no_guard(void **state)
{
    (void)state;
    must_judge(LOY_PG_JOURNAL, "22012", LOY_STORE_POISON, LOY_GUARD_NONE);
    must_judge(LOY_PG_JOURNAL, "23502", LOY_STORE_POISON, LOY_GUARD_NONE);
    must_judge(LOY_PG_OUTBOX_PUT, "23505", LOY_STORE_POISON, LOY_GUARD_NONE);
    must_judge(LOY_PG_MEMBER_UPDATE, "22003", LOY_STORE_POISON, LOY_GUARD_NONE);
    must_judge(LOY_PG_LOAD_COUNTERS, "22012", LOY_STORE_POISON, LOY_GUARD_NONE);
}

static void outages_are_never_anything_else(void **state)
{
    (void)state;
    static const char *const states[] = {"",      "08006", "08P01", "40001", "40P01", "53100", "53200", "53300",
                                         "57014", "57P01", "57P02", "57P03", "25006", "55P03", "26000"};
    for (int statement = 0; statement < LOY_PG_STATEMENT_COUNT; statement++) {
        for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
            must_judge((enum loy_pg_statement)statement, states[i], LOY_STORE_OUTAGE, LOY_GUARD_NONE);
        }
    }
}

static void what_nobody_thought_of_is_fatal(void **state)
{
    (void)state;
    static const char *const states[] = {"42P01", "42501", "42804", "XX000", "25P02", "55000", "P0002", "0A000"};
    for (int statement = 0; statement < LOY_PG_STATEMENT_COUNT; statement++) {
        for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
            must_judge((enum loy_pg_statement)statement, states[i], LOY_STORE_FATAL, LOY_GUARD_NONE);
        }
    }
}

static void what_is_kept_has_a_label_of_its_own(void **state)
{
    (void)state;
    char labels[LOY_PG_STATEMENT_COUNT][LOY_PG_LABEL_SIZE];
    for (int i = 0; i < LOY_PG_STATEMENT_COUNT; i++) {
        loy_pg_statement_label((enum loy_pg_statement)i, labels[i]);
        assert_int_equal(strlen(labels[i]), LOY_PG_LABEL_SIZE - 1);
        for (int j = 0; j < i; j++) {
            assert_string_not_equal(labels[i], labels[j]);
        }
        bool is_call = strncmp(loy_pg_statement_sql((enum loy_pg_statement)i), "SELECT ", 7) == 0;
        assert_true(is_call || !loy_pg_statement_is_kept((enum loy_pg_statement)i));
    }
    assert_true(loy_pg_statement_is_kept(LOY_PG_SETTINGS) && loy_pg_statement_is_kept(LOY_PG_COUNTER));
    assert_false(loy_pg_statement_is_kept(LOY_PG_BEGIN) || loy_pg_statement_is_kept(LOY_PG_ACQUIRE));
}

static void a_pooler_shows_in_two_ways(void **state)
{
    (void)state;
    assert_true(loy_pg_is_of_a_pooler("26000") && loy_pg_is_of_a_pooler("42P05"));
    assert_false(loy_pg_is_of_a_pooler("42P01") || loy_pg_is_of_a_pooler("") || loy_pg_is_of_a_pooler("57P01"));
}

static void only_endings_end_the_connection(void **state)
{
    (void)state;
    assert_true(loy_pg_ends_connection("08006"));
    assert_true(loy_pg_ends_connection("57P01"));
    assert_true(loy_pg_ends_connection("25006"));
    assert_false(loy_pg_ends_connection("57014"));
    assert_false(loy_pg_ends_connection("40P01"));
    assert_false(loy_pg_ends_connection("53100"));
    assert_false(loy_pg_ends_connection("22012"));
    assert_false(loy_pg_ends_connection(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_statement_decides_the_guard),     cmocka_unit_test(the_same_error_elsewhere_is_no_guard),
        cmocka_unit_test(outages_are_never_anything_else),     cmocka_unit_test(what_nobody_thought_of_is_fatal),
        cmocka_unit_test(what_is_kept_has_a_label_of_its_own), cmocka_unit_test(a_pooler_shows_in_two_ways),
        cmocka_unit_test(only_endings_end_the_connection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
