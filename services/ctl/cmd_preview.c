#include "adapters/wire/wire.h"
#include "ctl/commands.h"
#include "ctl/explain_rule.h"
#include "ctl/json_out.h"
#include "ctl/programme_file.h"
#include "engine/nearest.h"
#include "programme/examples.h"

#include <inttypes.h>

struct preview {
    struct loy_ctl_programme file, basket;
    struct loy_query *query; /* NULL: by a file alone, for a new member */
    struct loy_event event;
    struct loy_account account, before;
    struct loy_budget_view *views;
    struct loy_effects effects;
    bool known; /* the member is in the database */
    struct loy_nearest nearest[LOY_NEAREST_MAX];
    uint32_t nearest_count;
};

static enum loy_err read_basket(struct preview *preview, const char *path, struct loy_error *error)
{
    enum loy_err err = loy_ctl_programme_read(&preview->basket, path, error);
    if (err) {
        return err;
    }
    const struct loy_record record = {.has_value = true, .value = preview->basket.text};
    return loy_wire_decode(&record, false, &preview->basket.arena, &preview->event, error);
}

static enum loy_err read_programme(struct preview *preview, const char *path, struct loy_error *error)
{
    int32_t number = 1;
    enum loy_err err = path ? loy_ctl_programme_read(&preview->file, path, error)
                            : loy_ctl_programme_revision(&preview->file, preview->query, 0, &number, error);
    err = err || !preview->query ? err : loy_ctl_programme_numbers(&preview->file, preview->query, error);
    if (err) {
        return err;
    }
    err = loy_ctl_programme_compile(&preview->file, number, INT64_MIN, INT64_MIN);
    if (err == LOY_ERR_INVALID_VALUE) {
        loy_ctl_programme_print_issues(&preview->file, stderr);
    }
    return err ? loy_error_set(error, err, "the programme has errors") : LOY_OK;
}

/* The member's state; one that is not there is new. */
static enum loy_err read_member(struct preview *preview, struct loy_error *error)
{
    struct loy_rows rows = {0};
    const char *parameters[] = {loy_str_dup_z(&preview->basket.arena, preview->event.member_id)};
    loy_account_init(&preview->account, preview->event.member_id, 0);
    if (!preview->query) {
        return LOY_OK;
    }
    enum loy_err err =
        loy_query_rows(preview->query, "SELECT state FROM member WHERE member_id = $1", parameters, 1, &rows, error);
    preview->known = !err && rows.count == 1;
    if (preview->known) {
        struct loy_str state = loy_str_copy(&preview->basket.arena, loy_rows_bytes(&rows, 0, 0));
        err = loy_account_decode(state, &preview->basket.arena, &preview->account, error);
    }
    loy_rows_free(&rows);
    return err;
}

static enum loy_err read_budgets(struct preview *preview, struct loy_error *error)
{
    const struct loy_programme *programme = preview->file.programme;
    struct loy_rows rows = {0};
    preview->views = loy_example_budgets(programme, &preview->basket.arena);
    if (!preview->views) {
        return loy_error_set(error, LOY_ERR_NO_MEMORY, "no room for the budgets");
    }
    enum loy_err err = preview->query && programme->budget_count
                           ? loy_query_rows(preview->query, "SELECT id, used FROM counter", NULL, 0, &rows, error)
                           : LOY_OK;
    for (int32_t i = 0; !err && i < rows.count; i++) {
        for (uint32_t j = 0; j < programme->budget_count; j++) {
            if (preview->views[j].counter == loy_rows_integer(&rows, i, 0)) {
                preview->views[j].used = loy_rows_integer(&rows, i, 1);
            }
        }
    }
    loy_rows_free(&rows);
    return err;
}

/* Decides, and finds what a larger basket would earn besides. */
static enum loy_err decide(struct preview *preview, struct loy_error *error)
{
    const struct loy_programme *programme = preview->file.programme;
    struct loy_arena *arena = &preview->basket.arena;
    size_t size = (programme->budget_count + 1) * sizeof *preview->views;
    struct loy_budget_view *views = loy_arena_copy(arena, preview->views, size);
    if (!views) {
        return loy_error_set(error, LOY_ERR_NO_MEMORY, "no room for the budgets");
    }
    preview->before = preview->account;
    enum loy_err err =
        loy_example_decide(programme, &preview->account, &preview->event, views, arena, &preview->effects, error);
    const struct loy_nearest_query query = {.programme = programme,
                                            .account = &preview->before,
                                            .event = &preview->event,
                                            .arrival_us = preview->event.occurred_at_us,
                                            .budgets = {preview->views, programme->budget_count},
                                            .effects = &preview->effects};
    if (!err && loy_nearest_find(&query, arena, preview->nearest, &preview->nearest_count)) {
        err = loy_error_set(error, LOY_ERR_NO_MEMORY, "no room for larger baskets");
    }
    return err;
}

static struct loy_explain_row row_of(const struct preview *preview, uint32_t i)
{
    const struct loy_programme *programme = preview->file.programme;
    const struct loy_rule_trace *trace = &preview->effects.rules[i];
    const struct loy_rule *rule = loy_explain_find(programme, trace->rule);
    return (struct loy_explain_row){trace, programme, rule ? rule->id : LOY_STR("?")};
}

static void print_nearest(const struct preview *preview)
{
    const struct loy_programme *programme = preview->file.programme;
    (void)fputs(preview->nearest_count ? "nearest\n" : "", stdout);
    for (uint32_t i = 0; i < preview->nearest_count; i++) {
        const struct loy_nearest *row = &preview->nearest[i];
        (void)printf("  %s%s more and %.*s gives %" PRId64 " %.*s\n",
                     row->is_units ? loy_explain_quantity(row->more).text
                                   : loy_explain_money(programme, row->more).text,
                     row->is_units ? " units" : "", LOY_STR_ARG(row->rule->id), row->points,
                     LOY_STR_ARG(programme->wallets[row->rule->reward.wallet].id));
    }
}

static void print_json_nearest(const struct preview *preview)
{
    (void)fputs("], \"nearest\": [", stdout);
    for (uint32_t i = 0; i < preview->nearest_count; i++) {
        const struct loy_nearest *row = &preview->nearest[i];
        (void)printf("%s{\"%s\": %" PRId64 ", \"points\": %" PRId64 ", ", i ? ",\n  " : "\n  ",
                     row->is_units ? "more_milli" : "more_minor", row->more, row->points);
        loy_json_member(stdout, "rule", row->rule->id);
        (void)fputs(", ", stdout);
        loy_json_member(stdout, "wallet", preview->file.programme->wallets[row->rule->reward.wallet].id);
        (void)fputs("}", stdout);
    }
    (void)fputs("]}\n", stdout);
}

static void print_json(const struct preview *preview)
{
    const struct loy_programme *programme = preview->file.programme;
    (void)fputs("{", stdout);
    loy_json_member(stdout, "member_id", preview->event.member_id);
    (void)fputs(", \"wallets\": {", stdout);
    for (uint16_t i = 0; i < programme->wallet_count; i++) {
        (void)fputs(i ? ", " : "", stdout);
        loy_json_text(stdout, programme->wallets[i].id);
        (void)printf(": %" PRId64, loy_example_earned(&preview->effects, i));
    }
    (void)fputs("}, \"rules\": [", stdout);
    for (uint32_t i = 0; i < preview->effects.rule_count; i++) {
        const struct loy_explain_row row = row_of(preview, i);
        (void)fputs(i ? ",\n  " : "\n  ", stdout);
        loy_explain_rule_json(stdout, &row);
    }
    print_json_nearest(preview);
}

static void print_text(const struct preview *preview)
{
    const struct loy_programme *programme = preview->file.programme;
    (void)printf("%s member%s%.*s would earn:\n", preview->known ? "known" : "new",
                 preview->event.member_id.len ? " " : "", LOY_STR_ARG(preview->event.member_id));
    for (uint16_t i = 0; i < programme->wallet_count; i++) {
        (void)printf("  %-20.*s %8" PRId64 "\n", LOY_STR_ARG(programme->wallets[i].id),
                     loy_example_earned(&preview->effects, i));
    }
    if (preview->effects.rule_count == 0) {
        (void)fputs("no rule concerns it\n", stdout);
    }
    for (int missed = 0; missed < 2; missed++) {
        bool any = false;
        for (uint32_t i = 0; i < preview->effects.rule_count; i++) {
            const struct loy_explain_row row = row_of(preview, i);
            if ((row.trace->granted == 0) == (missed == 1)) {
                (void)fputs(any ? "" : missed ? "missed\n" : "granted\n", stdout);
                loy_explain_rule(stdout, &row);
                any = true;
            }
        }
    }
    print_nearest(preview);
}

enum loy_exit loy_cmd_preview(const struct loy_call *call)
{
    struct preview preview = {0};
    struct loy_error error = {0};
    const char *path = loy_call_option(call, "programme");
    enum loy_err err = loy_ctl_programme_init(&preview.file, &error);
    err = err ? err : loy_ctl_programme_init(&preview.basket, &error);
    err = err ? err : read_basket(&preview, call->words[0], &error);
    err = err || path ? err : loy_query_open(call->config->postgres, "loyalctl preview", &preview.query, &error);
    if (err && !path && !preview.query && error.code == LOY_ERR_UNAVAILABLE) {
        (void)loy_error_set(&error, err,
                            "without --programme FILE the newest published revision is read, but PostgreSQL "
                            "cannot be reached (LOYALD_POSTGRES or --postgres says where)");
    }
    err = err ? err : read_programme(&preview, path, &error);
    err = err ? err : read_member(&preview, &error);
    err = err ? err : read_budgets(&preview, &error);
    err = err ? err : decide(&preview, &error);
    if (!err) {
        (loy_call_flag(call, "json") ? print_json : print_text)(&preview);
    }
    loy_query_close(preview.query);
    loy_ctl_programme_fini(&preview.basket);
    loy_ctl_programme_fini(&preview.file);
    return err ? loy_call_failed(call, &error) : LOY_EXIT_OK;
}
