/* YAML as programmes may use it: places, and what is refused. */
#include "programme/yaml.h"

#include "support/cmocka_all.h"

static uint8_t block[8 << 20];
static struct loy_arena arena;
static struct loy_programme_issues issues;

static struct loy_yaml *read_text(const char *text)
{
    struct loy_yaml *root = NULL;
    loy_arena_init(&arena, block, sizeof block);
    loy_issues_init(&issues, &arena);
    assert_int_equal(loy_yaml_read(loy_str(text), &arena, &root, &issues), LOY_OK);
    return root;
}

static void assert_refused(const char *text, uint32_t line, uint32_t column, const char *words)
{
    (void)read_text(text);
    if (issues.errors == 0) {
        fail_msg("accepted: %s", text);
    }
    if (!memmem(issues.items[0].message.at, issues.items[0].message.len, words, strlen(words))) {
        fail_msg("%s: said %.*s", text, LOY_STR_ARG(issues.items[0].message));
    }
    assert_int_equal(issues.items[0].line, line);
    assert_int_equal(issues.items[0].column, column);
}

static void test_every_key_and_value_knows_its_place(void **state)
{
    (void)state;
    const struct loy_yaml *root = read_text("a: 1\nbé:\n  - {c: \"x y\", d: [e]}\n");
    assert_int_equal(issues.count, 0);
    const struct loy_yaml *list = loy_yaml_get(root, "bé");
    const struct loy_yaml *c = loy_yaml_get(list->first, "c"), *d = loy_yaml_get(list->first, "d");
    assert_int_equal(list->key_line, 2);
    assert_int_equal(c->line, 3);
    assert_int_equal(c->key_column, 6);
    assert_int_equal(c->column, 9);
    assert_true(c->double_quoted);
    assert_false(loy_yaml_get(root, "a")->quoted);
    assert_int_equal(d->first->column, 20);
    assert_null(loy_yaml_get(root, "z"));
    assert_null(loy_yaml_get(NULL, "z"));
}

static void test_what_versions_read_differently_is_refused(void **state)
{
    (void)state;
    static const char *const values[] = {"on",      "off",   "yes",  "No",   "y",   "n",    "18:00",
                                         "1:30:00", "1_000", "0o17", "0x1F", "010", ".inf", "-.inf",
                                         ".NaN",    "~",     "null", "",     "1e3", "0b101"};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        if (!loy_yaml_bare_danger(loy_str(values[i]))) {
            fail_msg("'%s' is taken", values[i]);
        }
    }
    static const char *const fine[] = {"one",     "0",   "0.5", "10",   "true",    "2026-11-01",
                                       "14 days", "10%", "-3",  "only", "nothing", "a1_000"};
    for (size_t i = 0; i < sizeof fine / sizeof *fine; i++) {
        if (loy_yaml_bare_danger(loy_str(fine[i]))) {
            fail_msg("'%s' is refused", fine[i]);
        }
    }
    (void)read_text("a: \"on\"\nb: '18:00'\n");
    assert_int_equal(issues.count, 0);
}

static void test_what_is_refused_is_refused_at_its_place(void **state)
{
    (void)state;
    assert_refused("a: b\non: c\n", 2, 1, "bare key 'on'");
    assert_refused("a: yes\n", 1, 4, "in quotes");
    assert_refused("a: &x b\n", 1, 4, "anchors");
    assert_refused("a: b\nc: *x\n", 2, 4, "aliases");
    assert_refused("a: !!str b\n", 1, 4, "tags");
    assert_refused("a: {<<: b}\n", 1, 5, "merge");
    assert_refused("a: b\na: c\n", 2, 1, "twice");
    assert_refused("a: b\n---\nc: d\n", 2, 1, "second document");
    assert_refused("? [a, b]\n: c\n", 1, 3, "a key has to be a word");
    assert_refused("a: [b\n", 2, 1, "not YAML");
    assert_refused("", 1, 1, "empty");
    assert_refused("a: \xff\n", 1, 1, "UTF-8");
}

static void test_depth_and_size_have_limits(void **state)
{
    (void)state;
    char deep[2 * LOY_YAML_DEPTH_MAX + 8];
    memset(deep, '[', LOY_YAML_DEPTH_MAX);
    memset(deep + LOY_YAML_DEPTH_MAX, ']', LOY_YAML_DEPTH_MAX);
    deep[2 * LOY_YAML_DEPTH_MAX] = 0;
    assert_non_null(read_text(deep));
    memset(deep, '[', LOY_YAML_DEPTH_MAX + 1);
    assert_refused(deep, 1, LOY_YAML_DEPTH_MAX + 1, "24 deep");
    static char large[LOY_YAML_BYTES_MAX + 2];
    memset(large, 'a', LOY_YAML_BYTES_MAX + 1);
    assert_refused(large, 1, 1, "2 MiB");
}

static void assert_place(const char *text, const char *key, size_t offset, uint32_t line, uint32_t column)
{
    const struct loy_yaml *node = loy_yaml_get(read_text(text), key);
    uint32_t at_line = 0, at_column = 0;
    loy_yaml_place(loy_str(text), node, offset, &at_line, &at_column);
    assert_int_equal(at_line, line);
    assert_int_equal(at_column, column);
}

static void test_a_byte_of_a_value_has_its_place_in_the_file(void **state)
{
    (void)state;
    assert_place("a: \"x + y\"\n", "a", 4, 1, 9);
    assert_place("a: \"\\\"x\\\" + y\"\n", "a", 6, 1, 13);
    assert_place("a: \"é + y\"\n", "a", 5, 1, 9);
    assert_place("a: \"\\u00e9 + y\"\n", "a", 5, 1, 14);
    assert_place("a: \"x &&\n    y\"\n", "a", 5, 2, 5);
    assert_place("a: b\nc:   \"z\"\n", "c", 0, 2, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_key_and_value_knows_its_place),
        cmocka_unit_test(test_what_versions_read_differently_is_refused),
        cmocka_unit_test(test_what_is_refused_is_refused_at_its_place),
        cmocka_unit_test(test_depth_and_size_have_limits),
        cmocka_unit_test(test_a_byte_of_a_value_has_its_place_in_the_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
