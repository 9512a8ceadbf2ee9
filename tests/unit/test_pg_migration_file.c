#include "support/cmocka_all.h"

#include "adapters/pg/migration_file.h"

static enum loy_err parse(const char *text, struct loy_migration_file *file, struct loy_error *error)
{
    return loy_migration_parse(loy_str(text), "1_x.sql", file, error);
}

static void blocks_begin_behind_their_marks(void **state)
{
    (void)state;
    struct loy_migration_file file;
    assert_int_equal(parse("-- about\n-- migrate:up\nA;\nB;\n\n-- migrate:down transaction:false\nC;\n", &file, NULL),
                     0);
    assert_true(loy_str_equal(file.up.sql, LOY_STR("A;\nB;\n\n")));
    assert_int_equal(file.up.line, 3);
    assert_true(file.up.transaction);
    assert_true(loy_str_equal(file.down.sql, LOY_STR("C;\n")));
    assert_int_equal(file.down.line, 7);
    assert_false(file.down.transaction);
}

static void odd_spelling_is_understood(void **state)
{
    (void)state;
    struct loy_migration_file file;
    assert_int_equal(parse("  --migrate:up  transaction:true \r\nA\r\n--  migrate:down", &file, NULL), 0);
    assert_true(loy_str_equal(file.up.sql, LOY_STR("A\r\n")));
    assert_true(file.up.transaction);
    assert_int_equal(file.down.sql.len, 0);
    assert_int_equal(file.down.line, 4);
    assert_int_equal(parse("-- migrate:up\n-- a comment about migrate:down\nA", &file, NULL), 0);
    assert_int_equal(file.down.line, 0);
}

static void wrong_files_are_refused_at_their_line(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *detail;
    } cases[] = {
        {"SELECT 1;\n", "1_x.sql:1: there is no line `-- migrate:up`"},
        {"", "1_x.sql:1: there is no line `-- migrate:up`"},
        {"-- migrate:up\n-- migrate:up\n", "1_x.sql:2: migrate:up stands there already"},
        {"\n-- migrate:down\n-- migrate:up\n", "1_x.sql:2: migrate:down must stand behind migrate:up"},
        {"-- migrate:sideways\n", "1_x.sql:1: migrate:sideways is neither up nor down"},
        {"-- migrate:up now:yes\n", "1_x.sql:1: unknown option now:yes"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct loy_migration_file file;
        struct loy_error error;
        assert_int_equal(parse(cases[i].text, &file, &error), LOY_ERR_MALFORMED);
        assert_string_equal(error.detail, cases[i].detail);
    }
}

static void versions_are_the_digits_of_the_name(void **state)
{
    (void)state;
    char version[LOY_MIGRATION_VERSION_MAX];
    assert_true(loy_migration_version("20261122000001_ledger.sql", version));
    assert_string_equal(version, "20261122000001");
    static const char *const none[] = {"README.md", "_x.sql", "1.sql", "1_x.sql~", "x_1.sql", "1_x.SQL", "1_x", ""};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        assert_false(loy_migration_version(none[i], version));
    }
}

static void positions_count_characters(void **state)
{
    (void)state;
    struct loy_migration_file file;
    assert_int_equal(parse("-- migrate:up\nсчёт;\nB;\nC", &file, NULL), 0);
    assert_int_equal(loy_migration_line(&file.up, 1), 2);
    assert_int_equal(loy_migration_line(&file.up, 6), 2);  /* the end of the first line */
    assert_int_equal(loy_migration_line(&file.up, 7), 3);  /* B */
    assert_int_equal(loy_migration_line(&file.up, 10), 4); /* C */
    assert_int_equal(loy_migration_line(&file.up, 99), 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_begin_behind_their_marks),
        cmocka_unit_test(odd_spelling_is_understood),
        cmocka_unit_test(wrong_files_are_refused_at_their_line),
        cmocka_unit_test(versions_are_the_digits_of_the_name),
        cmocka_unit_test(positions_count_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
