#include "support/cmocka_all.h"

#include "ctl/command.h"
#include "ctl/docs.h"

#include <stdlib.h>

enum { ARGUMENTS = 16 };

struct parsed {
    struct loy_call call;
    char *config[ARGUMENTS + 1];
    int config_count;
    bool help;
    enum loy_err err;
    struct loy_error error;
};

static struct parsed parse(const char *const *words)
{
    struct parsed parsed = {0};
    static char *argv[ARGUMENTS + 1];
    int argc = 0;
    argv[argc++] = (char *)(uintptr_t) "loyalctl";
    for (; *words; words++) {
        argv[argc++] = (char *)(uintptr_t)*words;
    }
    parsed.err =
        loy_call_parse(argc, argv, &parsed.call, parsed.config, &parsed.config_count, &parsed.help, &parsed.error);
    return parsed;
}
#define PARSE(...) parse((const char *const[]){__VA_ARGS__, NULL})

static void a_command_takes_its_words_and_options_in_any_order(void **state)
{
    (void)state;
    struct parsed parsed = PARSE("load", "--rate", "5", "file", "--repeat=3");
    assert_int_equal(parsed.err, LOY_OK);
    assert_string_equal(parsed.call.command->name, "load");
    assert_int_equal(parsed.call.word_count, 1);
    assert_string_equal(parsed.call.words[0], "file");
    assert_string_equal(loy_call_option(&parsed.call, "rate"), "5");
    assert_string_equal(loy_call_option(&parsed.call, "repeat"), "3");
    assert_string_equal(loy_call_option(&parsed.call, "format"), "auto"); /* its fallback */
    assert_null(loy_call_option(&parsed.call, "topic"));
    assert_int_equal(parsed.config_count, 1);
}

static void what_is_not_the_commands_goes_to_the_configuration_with_its_value(void **state)
{
    (void)state;
    struct parsed parsed = PARSE("--config", "f", "--log-level=warn", "audit", "--postgres", "host=x", "--topics");
    assert_int_equal(parsed.err, LOY_OK);
    assert_string_equal(parsed.call.command->name, "audit");
    assert_true(loy_call_flag(&parsed.call, "topics"));
    assert_false(loy_call_flag(&parsed.call, "json"));
    static const char *const expected[] = {"loyalctl", "--config", "f", "--log-level=warn", "--postgres", "host=x"};
    assert_int_equal(parsed.config_count, 6);
    for (int i = 0; i < 6; i++) {
        assert_string_equal(parsed.config[i], expected[i]);
    }
    assert_null(parsed.config[6]);
}

static void help_is_the_commands_after_it_and_everybodys_before_it(void **state)
{
    (void)state;
    struct parsed parsed = PARSE("load", "--help");
    assert_true(parsed.err == LOY_OK && parsed.help);
    parsed = PARSE("--help", "load", "file");
    assert_true(parsed.err == LOY_OK && !parsed.help);
    assert_string_equal(parsed.config[1], "--help");
}

static void wrong_questions_are_answered_in_a_sentence(void **state)
{
    (void)state;
    const struct {
        struct parsed parsed;
        const char *said;
    } cases[] = {
        {PARSE("dance"), "there is no command 'dance'"},
        {PARSE("load"), "something is missing: loyalctl load FILE|-"},
        {PARSE("load", "a", "b"), "'b' is one word too many"},
        {PARSE("load", "a", "--rate"), "--rate wants a value: N"},
        {PARSE("audit", "--json=yes"), "--json takes no value"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(cases[i].parsed.err, LOY_ERR_CONFIG);
        if (!strstr(cases[i].parsed.error.detail, cases[i].said)) {
            fail_msg("'%s' was expected in '%s'", cases[i].said, cases[i].parsed.error.detail);
        }
    }
}

static void numbers_and_percentages_have_their_range(void **state)
{
    (void)state;
    struct loy_error error;
    int64_t number = 0;
    uint32_t millionths = 0;
    struct parsed parsed = PARSE("generate", "--events", "12", "--members", "x", "--broken", "2.5", "--duplicates",
                                 "100.0001", "--no-member", "-1");
    assert_int_equal(parsed.err, LOY_OK);
    assert_int_equal(loy_call_number(&parsed.call, "events", 0, 12, &number, &error), LOY_OK);
    assert_int_equal(number, 12);
    assert_int_equal(loy_call_number(&parsed.call, "events", 0, 11, &number, &error), LOY_ERR_CONFIG);
    assert_string_equal(error.detail, "--events is '12': a whole number from 0 to 11 is wanted");
    assert_int_equal(loy_call_number(&parsed.call, "members", 0, 11, &number, &error), LOY_ERR_CONFIG);
    assert_int_equal(loy_call_percent(&parsed.call, "broken", &millionths, &error), LOY_OK);
    assert_int_equal(millionths, 25000);
    assert_int_equal(loy_call_percent(&parsed.call, "duplicates", &millionths, &error), LOY_ERR_CONFIG);
    assert_int_equal(loy_call_percent(&parsed.call, "no-member", &millionths, &error), LOY_ERR_CONFIG);
}

/* What a function writes, as text; the caller frees it. */
static char *written(void (*write)(FILE *out))
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    write(out);
    assert_int_equal(fclose(out), 0);
    return text;
}

static void every_command_and_option_stands_in_the_pages(void **state)
{
    (void)state;
    char *list = written(loy_command_write_list), *page = written(loy_command_write_markdown);
    const struct loy_command *command = NULL;
    for (uint32_t i = 0; (command = loy_command_at(i)) != NULL; i++) {
        char heading[128];
        uint32_t options = 0;
        (void)snprintf(heading, sizeof heading, "\n## loyalctl %s", command->name);
        assert_non_null(strstr(list, command->name));
        assert_non_null(strstr(page, heading));
        assert_true(command->words_max <= LOY_WORDS_MAX && command->words_min <= command->words_max);
        for (const struct loy_option *option = command->options; option->name; option++, options++) {
            (void)snprintf(heading, sizeof heading, "| `--%s", option->name);
            assert_non_null(strstr(page, heading));
        }
        assert_true(options <= LOY_OPTIONS_MAX);
        assert_ptr_equal(loy_command_find(command->name), command);
    }
    assert_null(loy_command_find("nothing"));
    free(list);
    free(page);
}

static void generated_pages_have_their_rows(void **state)
{
    (void)state;
    char *errors = written(loy_docs_write_errors), *metrics = written(loy_docs_write_metrics),
         *audit = written(loy_docs_write_audit);
    assert_non_null(strstr(errors, "| `total_differs` | reject |"));
    assert_non_null(strstr(errors, "| `unavailable` | retry |"));
    assert_null(strstr(errors, "| `ok` |"));
    assert_non_null(strstr(metrics, "`loyald_events_applied_total`"));
    assert_non_null(strstr(audit, "| `lot_entries` | I2 |"));
    free(errors);
    free(metrics);
    free(audit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_command_takes_its_words_and_options_in_any_order),
        cmocka_unit_test(what_is_not_the_commands_goes_to_the_configuration_with_its_value),
        cmocka_unit_test(help_is_the_commands_after_it_and_everybodys_before_it),
        cmocka_unit_test(wrong_questions_are_answered_in_a_sentence),
        cmocka_unit_test(numbers_and_percentages_have_their_range),
        cmocka_unit_test(every_command_and_option_stands_in_the_pages),
        cmocka_unit_test(generated_pages_have_their_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
