#include "ctl/commands.h"
#include "ctl/json_out.h"
#include "ctl/programme_commands.h"
#include "ctl/programme_file.h"
#include "engine/traits.h"
#include "programme/schema.h"

#include <inttypes.h>

/* What is kept of profiles, segments and attributes: of each text as much as an event may bring, at most what a state
 * may have of them in all. */
static int64_t trait_bytes(const struct loy_programme *programme)
{
    enum { TEXT_BYTES = LOY_NAME_MAX + 2, CONSENTS = 64, BOUGHT_BYTES = 8 };
    int64_t bytes = programme->attributes.count * (int64_t)(LOY_NAME_MAX + LOY_ATTRIBUTE_VALUE_MAX + 4);
    for (int kind = LOY_TRAIT_BIRTH_DATE; kind <= LOY_TRAIT_CONSENT; kind++) {
        int64_t texts = kind == LOY_TRAIT_CONSENT ? CONSENTS : 1;
        bytes += programme->traits & 1u << kind ? texts * TEXT_BYTES : 0;
    }
    for (uint32_t i = 0; i < programme->segment_count; i++) {
        bytes += programme->segments[i].when ? 0 : (int64_t)programme->segments[i].id.len + 2;
    }
    const struct loy_text_set bought[] = {programme->fact_categories, programme->fact_skus};
    for (uint32_t i = 0; i < bought[0].count + bought[1].count; i++) {
        const struct loy_text_set *set = &bought[i >= bought[0].count];
        bytes += (int64_t)set->texts[i - (set == bought ? 0 : bought[0].count)].len + BOUGHT_BYTES;
    }
    return bytes < LOY_TRAITS_BYTES_MAX ? bytes : LOY_TRAITS_BYTES_MAX;
}

/* Most bytes that the programme can add to a member's state: counters of limits and caps, days of windows, history. */
static int64_t member_bytes(const struct loy_programme *programme)
{
    enum { COUNTER_BYTES = 9, DAY_BYTES = 6, HISTORY_BYTES = 24, EMPTY_BYTES = 8 };
    int64_t counters = 0;
    for (uint32_t i = 0; i < programme->rule_count; i++) {
        const struct loy_rule *rule = &programme->rules[i];
        counters +=
            rule->limit_count + rule->cap_count + (rule->cooldown.us || rule->cooldown.months) + rule->reward.carry;
    }
    for (uint16_t i = 0; i < programme->wallet_count; i++) {
        counters += programme->wallets[i].cap_count;
    }
    int64_t days = programme->fact_window_count ? programme->fact_days[programme->fact_window_count - 1] : 0;
    return EMPTY_BYTES + counters * COUNTER_BYTES + days * DAY_BYTES + (programme->history ? HISTORY_BYTES : 0) +
           trait_bytes(programme);
}

static void print_count(uint32_t count, const char *one, const char *more)
{
    (void)printf("%" PRIu32 " %s", count, count == 1 ? one : more);
}

static void print_check(struct loy_ctl_programme *file, bool json)
{
    const struct loy_programme_issues *issues = &file->issues;
    if (json) {
        (void)printf("{\"ok\": %s, \"errors\": %" PRIu32 ", \"warnings\": %" PRIu32 ", \"not_in_force\": %" PRIu32,
                     issues->errors ? "false" : "true", issues->errors, issues->warnings, issues->inactive);
        if (!issues->errors) {
            (void)printf(", \"rules\": %" PRIu32 ", \"member_bytes\": %" PRId64, file->programme->rule_count,
                         member_bytes(file->programme));
        }
        (void)fputs(", \"issues\": ", stdout);
        loy_ctl_programme_json_issues(file, stdout);
        (void)fputs("}\n", stdout);
        return;
    }
    loy_ctl_programme_print_issues(file, stdout);
    (void)printf("%s: ", file->name);
    if (issues->errors) {
        print_count(issues->errors, "error", "errors");
    } else {
        (void)printf("programme '%.*s' is in order: ", LOY_STR_ARG(file->programme->id));
        print_count(file->programme->rule_count, "rule", "rules");
    }
    (void)fputs(", ", stdout);
    print_count(issues->warnings, "warning", "warnings");
    (void)printf(", %" PRIu32 " not in force", issues->inactive);
    if (!issues->errors) {
        (void)printf("; at most %" PRId64 " bytes a member besides lots", member_bytes(file->programme));
    }
    (void)fputs("\n", stdout);
}

enum loy_exit loy_programme_check(const struct loy_call *call)
{
    struct loy_ctl_programme file = {0};
    struct loy_error error = {0};
    enum loy_err err = loy_ctl_programme_init(&file, &error);
    err = err ? err : loy_ctl_programme_read(&file, call->words[1], &error);
    if (!err) {
        err = loy_ctl_programme_compile(&file, 1, INT64_MIN, loy_ctl_now_us());
        if (err && err != LOY_ERR_INVALID_VALUE) {
            (void)loy_error_set(&error, err, "the programme does not fit into memory");
        } else {
            print_check(&file, loy_call_flag(call, "json"));
        }
    }
    loy_ctl_programme_fini(&file);
    return err && err != LOY_ERR_INVALID_VALUE ? loy_call_failed(call, &error) : err ? LOY_EXIT_FAILED : LOY_EXIT_OK;
}

static enum loy_exit print_generated(const struct loy_call *call, void (*make)(struct loy_buf *))
{
    struct loy_region region = {0};
    struct loy_arena arena;
    struct loy_buf buf;
    struct loy_error error = {0};
    if (loy_region_map(16 << 20, &region, &error)) {
        return loy_call_failed(call, &error);
    }
    loy_region_arena(&region, &arena);
    loy_buf_init(&buf, &arena, 65536);
    make(&buf);
    struct loy_str text = loy_buf_str(&buf);
    (void)fwrite(text.at, 1, text.len, stdout);
    loy_region_unmap(&region);
    return text.len ? LOY_EXIT_OK : LOY_EXIT_FAILED;
}

static enum loy_exit print_schema(const struct loy_call *call)
{
    return print_generated(call, loy_programme_schema);
}

static enum loy_exit print_reference(const struct loy_call *call)
{
    return print_generated(call, loy_programme_reference);
}

static const struct {
    const char *name;
    uint32_t words_min, words_max; /* after the verb */
    enum loy_exit (*run)(const struct loy_call *call);
} verbs[] = {
    {"check", 1, 1, loy_programme_check}, {"publish", 1, 1, loy_programme_publish},
    {"diff", 2, 2, loy_programme_diff},   {"list", 0, 0, loy_programme_list},
    {"show", 1, 1, loy_programme_show},   {"rollback", 1, 1, loy_programme_rollback},
    {"test", 1, 2, loy_programme_test},   {"schema", 0, 0, print_schema},
    {"reference", 0, 0, print_reference},
};

enum loy_exit loy_cmd_programme(const struct loy_call *call)
{
    struct loy_error error = {0};
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
        if (strcmp(verbs[i].name, call->words[0]) != 0) {
            continue;
        }
        uint32_t words = call->word_count - 1;
        if (words >= verbs[i].words_min && words <= verbs[i].words_max) {
            return verbs[i].run(call);
        }
        (void)loy_error_set(&error, LOY_ERR_CONFIG, "too few or too many words after '%s': loyalctl programme %s",
                            verbs[i].name, call->command->arguments);
        return loy_call_failed(call, &error);
    }
    (void)loy_error_set(&error, LOY_ERR_CONFIG, "'%s' is none of: loyalctl programme %s", call->words[0],
                        call->command->arguments);
    return loy_call_failed(call, &error);
}
