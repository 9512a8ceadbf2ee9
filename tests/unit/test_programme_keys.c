/* The table of keys, and what is made from it. */
#include "programme/keys.h"
#include "programme/schema.h"

#include "support/cmocka_all.h"

#include <stdlib.h>

/* Every row can be shown to a reader; returns how many there are. */
static uint32_t check_shape(const struct loy_shape *shape, uint32_t depth)
{
    uint32_t rows = 0;
    assert_true(depth < 8); /* shapes never contain themselves */
    for (uint32_t i = 0; i < shape->count; i++) {
        const struct loy_key *key = &shape->keys[i];
        if (!key->help || !key->example || key->help[strlen(key->help) - 1] == '.') {
            fail_msg("%s.%s has no help or example, or a final stop", shape->name, key->name);
        }
        bool is_map = key->type == LOY_KEY_OBJECT || key->type == LOY_KEY_OBJECTS || key->type == LOY_KEY_LIST ||
                      key->type == LOY_KEY_MAP;
        assert_int_equal(is_map, key->shape != NULL);
        assert_int_equal(key->type == LOY_KEY_CHOICE || key->type == LOY_KEY_CHOICES, key->choices != NULL);
        assert_int_equal(key->later, key->since == NULL);
        rows += 1 + (key->shape ? check_shape(key->shape, depth + 1) : 0);
        assert_ptr_equal(loy_shape_key(shape, loy_str(key->name)), key); /* no name twice */
    }
    assert_true(!shape->shorthand || loy_shape_key(shape, loy_str(shape->shorthand)));
    return rows;
}

static void test_every_key_has_help_and_an_example(void **state)
{
    (void)state;
    assert_true(check_shape(loy_shape_root(), 0) > 300);
}

static void test_words_that_are_near(void **state)
{
    (void)state;
    assert_int_equal(loy_word_distance(LOY_STR("triger"), LOY_STR("trigger"), 3), 1);
    assert_int_equal(loy_word_distance(LOY_STR("ab"), LOY_STR("ba"), 3), 1);
    assert_int_equal(loy_word_distance(LOY_STR(""), LOY_STR("abc"), 3), 3);
    assert_int_equal(loy_word_distance(LOY_STR("points"), LOY_STR("wallet"), 2), 3);
    assert_string_equal(loy_shape_nearest(loy_shape_root(), LOY_STR("campagns"))->name, "campaigns");
    assert_null(loy_shape_nearest(loy_shape_root(), LOY_STR("zebra")));
}

static void test_choices_one_after_the_other(void **state)
{
    (void)state;
    const char *at = "one !two";
    bool later = true;
    assert_true(loy_str_equal(loy_choice_next(&at, &later), LOY_STR("one")) && !later);
    assert_true(loy_str_equal(loy_choice_next(&at, &later), LOY_STR("two")) && later);
    assert_null(at);
}

static void test_schema_and_reference_name_every_top_key(void **state)
{
    (void)state;
    struct loy_arena arena;
    struct loy_buf schema, reference;
    void *block = malloc(8 << 20);
    loy_arena_init(&arena, block, 8 << 20);
    loy_buf_init(&schema, &arena, 65536);
    loy_programme_schema(&schema);
    loy_buf_init(&reference, &arena, 65536);
    loy_programme_reference(&reference);
    assert_false(schema.failed || reference.failed);
    for (uint32_t i = 0; i < loy_shape_root()->count; i++) {
        const char *name = loy_shape_root()->keys[i].name;
        assert_non_null(memmem(schema.at, schema.len, name, strlen(name)));
        assert_non_null(memmem(reference.at, reference.len, name, strlen(name)));
    }
    free(block);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_key_has_help_and_an_example),
        cmocka_unit_test(test_words_that_are_near),
        cmocka_unit_test(test_choices_one_after_the_other),
        cmocka_unit_test(test_schema_and_reference_name_every_top_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
