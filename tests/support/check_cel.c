#include "support/check_cel.h"

#include "support/cmocka_all.h"

int cel_group_set_up(void **state)
{
    static struct cel_fixture fixture;
    cel_fixture_init(&fixture);
    *state = &fixture;
    return 0;
}

int cel_group_tear_down(void **state)
{
    cel_fixture_fini(*state);
    return 0;
}

void check_value(void **state, const char *text, const char *expected)
{
    assert_string_equal(cel_fixture_eval(*state, text), expected);
}

void check_issues(void **state, const char *text, const char *expected)
{
    assert_string_equal(cel_fixture_issues(*state, text, NULL), expected);
}
