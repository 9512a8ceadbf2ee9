#include "support/cmocka_all.h"

#include "adapters/pg/schema.h"

#include <glob.h>
#include <stdio.h>

/* A migration that nobody told the program about would pass its check at the start. */
static void the_program_knows_every_migration_of_the_folder(void **state)
{
    (void)state;
    glob_t files;
    assert_int_equal(glob("migrations/*.sql", 0, NULL, &files), 0);
    for (unsigned i = 0; i < files.gl_pathc; i++) {
        char version[16];
        assert_int_equal(sscanf(files.gl_pathv[i], "migrations/%15[0-9]_", version), 1);
        assert_non_null(loy_pg_schema_version(i));
        assert_string_equal(loy_pg_schema_version(i), version);
    }
    assert_null(loy_pg_schema_version((unsigned)files.gl_pathc));
    globfree(&files);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_program_knows_every_migration_of_the_folder)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
