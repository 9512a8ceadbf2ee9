/* Runs CEL's own conformance tests against services/cel and counts them by file.
 *
 *     cel_main FOLDER [canaries | markdown]
 *
 * FOLDER holds *.jsonl, one test a line (its README states the form). All tests of the tiers core, ext:strings,
 * ext:math and ext:bindings have to pass; there is no list of exceptions. With a number of canaries, that many expected
 * values are changed, chosen by seed, and exactly those must fail: a runner that cannot fail would prove nothing.
 * `markdown` prints the generated parts of docs/cel.md instead. */
#include "conformance/cel_docs.h"
#include "conformance/cel_values.h"

#include "adapters/regex/regex.h"
#include "adapters/zones/zones.h"
#include "cel/cel.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ARENA = 16 << 20, MAX_TESTS = 4096, MAX_FILES = 64, MAX_ZONES = 64 };

struct test {
    json_t *json;
    const char *file;
    bool is_canary;
};

struct suite {
    struct test tests[MAX_TESTS];
    size_t count;
    struct loy_arena arena;
    struct loy_regex *regex;
    struct loy_cel_zone zones[MAX_ZONES];
    size_t zone_count;
};

static bool is_ours(const char *tier)
{
    static const char *const tiers[] = {"core", "ext:strings", "ext:math", "ext:bindings"};
    for (size_t i = 0; i < sizeof tiers / sizeof tiers[0]; i++) {
        if (strcmp(tier, tiers[i]) == 0) {
            return true;
        }
    }
    return false;
}

static bool load_file(struct suite *suite, const char *folder, const char *name)
{
    char path[1024];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "r");
    if (!file) {
        return false;
    }
    char *line = NULL;
    size_t capacity = 0;
    bool ok = true;
    for (ssize_t len; ok && (len = getline(&line, &capacity, file)) > 0;) {
        json_t *json = json_loadb(line, (size_t)len, JSON_ALLOW_NUL, NULL);
        ok = json && suite->count < MAX_TESTS;
        if (ok && is_ours(json_string_value(json_object_get(json, "tier")))) {
            const char *file_name = json_string_value(json_object_get(json, "file"));
            suite->tests[suite->count++] = (struct test){json, file_name, false};
        } else {
            json_decref(json);
        }
    }
    free(line);
    (void)fclose(file);
    return ok;
}

static int is_jsonl(const struct dirent *entry)
{
    const char *dot = strrchr(entry->d_name, '.');
    return dot && strcmp(dot, ".jsonl") == 0;
}

static bool load(struct suite *suite, const char *folder)
{
    struct dirent **names;
    int count = scandir(folder, &names, is_jsonl, alphasort);
    bool ok = count > 0;
    for (int i = 0; i < count; i++) {
        ok = ok && load_file(suite, folder, names[i]->d_name);
        free(names[i]);
    }
    if (count >= 0) {
        free(names);
    }
    return ok;
}

/* --- one test ---------------------------------------------------------------------------------------------------- */

/* Any zone that an expression may name: the quoted words in it that the system knows. */
static void load_zones(struct suite *suite, const char *expression, struct loy_arena *arena)
{
    suite->zone_count = 0;
    for (const char *at = strchr(expression, '\''); at && suite->zone_count < MAX_ZONES;) {
        const char *end = strchr(at + 1, '\'');
        if (!end) {
            break;
        }
        struct loy_str name = {at + 1, (size_t)(end - at - 1)};
        struct loy_zone zone;
        if (memchr(name.at, '/', name.len) && loy_zones_read(NULL, name, arena, &zone, NULL) == LOY_OK) {
            suite->zones[suite->zone_count++] = (struct loy_cel_zone){loy_str_dup_z(arena, name), zone};
        }
        at = strchr(end + 1, '\'');
    }
}

static bool declare_functions(struct loy_cel_env *env, const char *name, const json_t *overloads,
                              struct loy_arena *arena, struct loy_error *error)
{
    size_t i, j;
    json_t *overload, *param;
    json_array_foreach(overloads, i, overload)
    {
        struct loy_buf buf;
        loy_buf_init(&buf, arena, 64);
        json_array_foreach(json_object_get(overload, "params"), j, param)
        {
            loy_buf_printf(&buf, "%s%s", j ? ", " : "", json_string_value(param));
        }
        loy_buf_printf(&buf, " -> %s", json_string_value(json_object_get(overload, "result")));
        loy_buf_append_byte(&buf, 0);
        struct loy_cel_function function = {.name = name,
                                            .signature = loy_buf_str(&buf).at,
                                            .is_method = json_is_true(json_object_get(overload, "instance"))};
        if (loy_cel_env_add_function(env, &function, error) != LOY_OK) {
            return false;
        }
    }
    return true;
}

static struct loy_cel_env *declare(const struct suite *suite, const json_t *json, struct loy_arena *arena,
                                   struct loy_cel_value *variables, struct loy_error *error)
{
    struct loy_cel_env *env = loy_cel_env_new(arena);
    loy_cel_env_set_matcher(env, loy_regex_matcher(suite->regex));
    loy_cel_env_set_zones(env, suite->zones, suite->zone_count);
    size_t i;
    json_t *decl;
    json_array_foreach(json_object_get(json, "type_env"), i, decl)
    {
        const char *name = json_string_value(json_object_get(decl, "name"));
        const char *type = json_string_value(json_object_get(decl, "type"));
        if (!type) {
            if (!declare_functions(env, name, json_object_get(decl, "overloads"), arena, error)) {
                return NULL;
            }
            continue;
        }
        uint32_t slot;
        if (loy_cel_env_add_variable(env, name, type, &slot, error) != LOY_OK) {
            return NULL;
        }
        json_t *binding = json_object_get(json_object_get(json, "bindings"), name);
        variables[slot] = binding ? conformance_value(binding, arena) : loy_cel_absent();
    }
    return env;
}

static void print_issues(const struct loy_cel_issues *issues, struct loy_str text, struct loy_buf *why)
{
    for (size_t i = 0; i < issues->count; i++) {
        loy_cel_issue_print(&issues->items[i], text, why);
    }
}

static bool evaluate(const json_t *json, const struct loy_cel_program *program, const struct loy_cel_value *variables,
                     struct loy_arena *arena, struct loy_buf *why)
{
    uint64_t fuel = 10000000;
    struct loy_cel_value value = loy_cel_eval(program, variables, arena, &fuel);
    const json_t *expected = json_object_get(json, "value");
    if (value.kind == LOY_CEL_ERROR) {
        loy_buf_append(why, LOY_STR("failed: "));
        loy_cel_error_print(program, value, why);
        return !expected;
    }
    loy_buf_append(why, LOY_STR("is "));
    loy_cel_value_print(value, why);
    return expected && conformance_equal(expected, value);
}

static bool run(struct suite *suite, const json_t *json, struct loy_buf *why)
{
    struct loy_arena *arena = &suite->arena;
    json_t *expr = json_object_get(json, "expr");
    struct loy_str text = {json_string_value(expr), json_string_length(expr)};
    struct loy_cel_value variables[64];
    struct loy_error error = {.detail = ""};
    load_zones(suite, text.at, arena);
    struct loy_cel_env *env = declare(suite, json, arena, variables, &error);
    if (!env) {
        loy_buf_printf(why, "declarations: %s", error.detail);
        return false;
    }
    struct loy_cel_options options = {.container = json_string_value(json_object_get(json, "container")),
                                      .skip_check = json_is_true(json_object_get(json, "disable_check")),
                                      .check_only = json_is_true(json_object_get(json, "check_only")),
                                      .no_macros = json_is_true(json_object_get(json, "disable_macros"))};
    struct loy_cel_issues issues;
    const struct loy_cel_program *program;
    if (loy_cel_compile(env, text, &options, arena, &program, &issues) != LOY_OK) {
        print_issues(&issues, text, why);
        return false;
    }
    const char *type = json_string_value(json_object_get(json, "deduced_type"));
    if (type && !loy_str_equal(loy_cel_program_type(program), loy_str(type))) {
        loy_buf_printf(why, "is of type %.*s, not %s", LOY_STR_ARG(loy_cel_program_type(program)), type);
        return false;
    }
    return options.check_only || evaluate(json, program, variables, arena, why);
}

/* --- the whole suite --------------------------------------------------------------------------------------------- */

struct tally {
    const char *file;
    size_t passed, all;
};

static struct tally *tally_of(struct tally *tallies, size_t *count, const char *file)
{
    for (size_t i = 0; i < *count; i++) {
        if (strcmp(tallies[i].file, file) == 0) {
            return &tallies[i];
        }
    }
    tallies[*count] = (struct tally){file, 0, 0};
    return &tallies[(*count)++];
}

/* Changes the expectations of `count` tests. */
static bool release_canaries(struct suite *suite, size_t count, unsigned seed)
{
    size_t released = 0;
    for (size_t tries = 0; released < count && tries < 100000; tries++) {
        seed = seed * 1103515245U + 12345U;
        struct test *test = &suite->tests[(seed >> 8) % suite->count];
        if (!test->is_canary && conformance_change_expectation(test->json)) {
            test->is_canary = true;
            released++;
        }
    }
    return released == count;
}

static size_t run_all(struct suite *suite, struct tally *tallies, size_t *ret_files, bool *ret_as_planned)
{
    size_t failed = 0;
    for (size_t i = 0; i < suite->count; i++) {
        const struct test *test = &suite->tests[i];
        struct loy_buf why;
        loy_arena_reset(&suite->arena);
        loy_buf_init(&why, &suite->arena, 1024);
        bool passed = run(suite, test->json, &why);
        struct tally *tally = tally_of(tallies, ret_files, test->file);
        tally->all++;
        tally->passed += passed;
        failed += !passed;
        *ret_as_planned &= passed != test->is_canary;
        if (!passed) {
            struct loy_str reason = loy_buf_str(&why);
            printf("FAILED %s %s %s: %s\n    %.*s\n", test->file,
                   json_string_value(json_object_get(test->json, "section")),
                   json_string_value(json_object_get(test->json, "name")),
                   json_string_value(json_object_get(test->json, "expr")), LOY_STR_ARG(reason));
        }
    }
    return failed;
}

static void print_counts(const struct suite *suite, const struct tally *tallies, size_t files, size_t failed)
{
    for (size_t i = 0; i < files; i++) {
        printf("%-16s %4zu of %4zu\n", tallies[i].file, tallies[i].passed, tallies[i].all);
    }
    printf("conformance: %zu passed, %zu failed\n", suite->count - failed, failed);
}

static void print_markdown(const struct suite *suite, const struct tally *tallies, size_t files, size_t failed)
{
    printf("@conformance\n| file of the suite | passed | of |\n|---|---:|---:|\n");
    for (size_t i = 0; i < files; i++) {
        printf("| %s | %zu | %zu |\n", tallies[i].file, tallies[i].passed, tallies[i].all);
    }
    printf("| **all** | **%zu** | **%zu** |\n@functions\n", suite->count - failed, suite->count);
    conformance_print_functions();
    printf("@limits\n");
    conformance_print_limits();
}

static void unload(struct suite *suite)
{
    for (size_t i = 0; i < suite->count; i++) {
        json_decref(suite->tests[i].json);
    }
    loy_regex_destroy(suite->regex);
    free(suite->arena.base);
}

int main(int argc, char **argv)
{
    static struct suite suite;
    static struct tally tallies[MAX_FILES];
    const char *folder = argc > 1 ? argv[1] : "../shared/cel/conformance", *seed = getenv("SEED");
    bool markdown = argc > 2 && strcmp(argv[2], "markdown") == 0, as_planned = true;
    size_t canaries = argc > 2 && !markdown ? (size_t)strtoul(argv[2], NULL, 10) : 0, files = 0;
    void *block = malloc(ARENA);
    suite.regex = loy_regex_new();
    if (!block || !suite.regex) {
        return 2;
    }
    loy_arena_init(&suite.arena, block, ARENA);
    if (!load(&suite, folder)) {
        printf("conformance: SKIPPED, no tests in %s\n", folder);
        return 0;
    }
    if (!release_canaries(&suite, canaries, seed ? (unsigned)strtoul(seed, NULL, 10) : 1)) {
        return 2;
    }
    size_t failed = run_all(&suite, tallies, &files, &as_planned);
    (markdown ? print_markdown : print_counts)(&suite, tallies, files, failed);
    if (canaries) {
        printf("conformance: %zu expectations changed, %s\n", canaries,
               as_planned ? "exactly those failed" : "OTHERS FAILED, or they did not");
    }
    unload(&suite);
    return as_planned && failed == canaries ? 0 : 1;
}
