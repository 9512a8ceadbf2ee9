#include "programme/examples.h"

#include "base/num.h"
#include "engine/account.h"
#include "programme/compile.h"
#include "programme/examples_keys.h"
#include "programme/validate.h"
#include "programme/values.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

struct run {
    struct loy_compile compile; /* for the readers of values: arena, zone */
    const struct loy_programme *programme;
    struct loy_budget_view *views;
    struct loy_account account;
    struct loy_buf detail;
    bool passed;
};

struct loy_budget_view *loy_example_budgets(const struct loy_programme *programme, struct loy_arena *arena)
{
    struct loy_budget_view *views = LOY_NEW_ARRAY(arena, struct loy_budget_view, programme->budget_count + 1);
    for (uint32_t i = 0; views && i < programme->budget_count; i++) {
        views[i].counter = programme->budgets[i].counter;
    }
    return views;
}

enum loy_err loy_example_decide(const struct loy_programme *programme, struct loy_account *account,
                                const struct loy_event *event, struct loy_budget_view *views, struct loy_arena *arena,
                                struct loy_effects *ret_effects, struct loy_error *error)
{
    const struct loy_budget_views budgets = {views, programme->budget_count};
    enum loy_err err =
        loy_engine_decide(programme, account, event, event->occurred_at_us, &budgets, arena, ret_effects, error);
    for (uint32_t i = 0; !err && i < ret_effects->charge_count; i++) {
        for (uint32_t j = 0; j < programme->budget_count; j++) {
            bool same = views[j].counter == ret_effects->charges[i].counter;
            views[j].used += same ? ret_effects->charges[i].points : 0;
        }
    }
    return err;
}

int64_t loy_example_earned(const struct loy_effects *effects, uint16_t wallet)
{
    int64_t points = 0;
    for (uint32_t i = effects->advanced; i < effects->entry_count; i++) {
        const struct loy_entry *entry = &effects->entries[i];
        bool counts = entry->kind == LOY_ENTRY_EARN || entry->kind == LOY_ENTRY_EARN_PENDING;
        points += counts && entry->wallet == wallet ? entry->amount : 0;
    }
    return points;
}

void loy_example_basket(struct loy_event *event, struct loy_line *line, int64_t amount_minor, int64_t at_us)
{
    *line = (struct loy_line){
        .line_id = LOY_STR("1"), .kind = LOY_LINE_GOODS, .quantity_milli = 1000, .amount_minor = amount_minor};
    *event = (struct loy_event){.kind = LOY_EVENT_PURCHASE,
                                .event_id = LOY_STR("example"),
                                .source = LOY_STR("example"),
                                .member_id = LOY_STR("example"),
                                .occurred_at_us = at_us,
                                .order_id = LOY_STR("example"),
                                .purchase = {.order_id = LOY_STR("example"),
                                             .order_version = 1,
                                             .lines = line,
                                             .line_count = 1,
                                             .total_minor = amount_minor}};
}

/* Decimals of the purchase's own currency. */
static int32_t digits_of(const struct run *run, const struct loy_yaml *purchase)
{
    int32_t digits = loy_currency_digits(loy_compile_text(purchase, "currency"));
    return digits < 0 ? run->programme->currency_digits : digits;
}

static void fill_line(struct run *run, const struct loy_yaml *node, int32_t digits, struct loy_line *line)
{
    int kind = loy_compile_choice(node, "kind", "goods delivery gift_card deposit");
    struct loy_text_set labels = loy_compile_texts(&run->compile, node, "label");
    *line = (struct loy_line){
        .line_id = LOY_STR("1"),
        .sku = loy_compile_text(node, "sku"),
        .category = loy_compile_text(node, "category"),
        .brand = loy_compile_text(node, "brand"),
        .labels = labels.texts,
        .label_count = labels.count,
        .kind = kind < 0 ? LOY_LINE_GOODS : (enum loy_line_kind)(kind + 1),
        .quantity_milli = loy_compile_decimal(node, "quantity", 3, 1000),
        .amount_minor = loy_compile_decimal(node, "amount", digits, 0),
        .discount_minor = loy_compile_decimal(node, "discount", digits, 0),
        .tax_minor = loy_compile_decimal(node, "tax", digits, 0),
    };
}

/* The event of an example contradicts itself: it fails, whatever is decided about it. */
LOY_PRINTF(3, 4)
static void complain(struct run *run, const struct loy_yaml *node, const char *format, ...)
{
    char text[256];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    run->passed = false;
    loy_buf_printf(&run->detail, "  line %" PRIu32 ": %s\n", node->line, text);
}

static void fill_purchase(struct run *run, const struct loy_yaml *node, struct loy_event *event)
{
    const struct loy_yaml *lines = loy_yaml_get(node, "lines"), *tenders = loy_yaml_get(node, "tenders");
    uint32_t count = lines ? lines->count : 1;
    struct loy_line *rows = loy_compile_room(&run->compile, count, sizeof *rows);
    struct loy_tender *paid = loy_compile_room(&run->compile, tenders ? tenders->count : 1, sizeof *paid);
    struct loy_purchase *purchase = &event->purchase;
    if (!rows || !paid) {
        return;
    }
    int32_t digits = digits_of(run, node);
    int64_t total = loy_compile_decimal(node, "total", digits, 0);
    loy_example_basket(event, rows, total, event->occurred_at_us);
    purchase->currency = loy_compile_text(node, "currency");
    purchase->line_count = count;
    purchase->total_minor = lines ? 0 : total;
    const struct loy_yaml *line = lines ? lines->first : NULL;
    for (uint32_t i = 0; line; line = line->next, i++) {
        fill_line(run, line, digits, &rows[i]);
        purchase->total_minor += rows[i].amount_minor;
    }
    if (lines && loy_yaml_get(node, "total") && total != purchase->total_minor) {
        char stated[LOY_DECIMAL_TEXT_MAX], sum[LOY_DECIMAL_TEXT_MAX];
        (void)loy_decimal_format(total, digits, stated);
        (void)loy_decimal_format(purchase->total_minor, digits, sum);
        complain(run, node, "total is %s, and the lines add up to %s", stated, sum);
    }
    purchase->tenders = paid;
    for (const struct loy_yaml *tender = tenders ? tenders->first : NULL; tender; tender = tender->next) {
        paid[purchase->tender_count++] =
            (struct loy_tender){.kind = loy_compile_text(tender, "kind"),
                                .amount_minor = loy_compile_decimal(tender, "amount", digits, 0),
                                .points = loy_compile_decimal(tender, "points", 0, 0)};
    }
}

static void fill_feedback(struct run *run, const struct loy_yaml *node, struct loy_event *event)
{
    struct loy_feedback *feedback = loy_compile_room(&run->compile, 1, sizeof *feedback);
    event->kind = LOY_EVENT_FEEDBACK;
    event->order_id = loy_compile_text(node, "order");
    if (!feedback) {
        return;
    }
    *feedback = (struct loy_feedback){
        .kind = loy_compile_text(node, "kind"),
        .moderation = loy_compile_text(node, "moderation"),
        .sku = loy_compile_text(node, "sku"),
        .store_id = loy_compile_text(node, "store"),
        .has_score = loy_yaml_get(node, "score"),
        .score = (int32_t)loy_compile_decimal(node, "score", 0, 0),
        .has_verified_buyer = loy_yaml_get(node, "verified_buyer"),
        .verified_buyer = loy_compile_bool(node, "verified_buyer", false),
        .has_photo = loy_yaml_get(node, "photo"),
        .photo = loy_compile_bool(node, "photo", false),
        .has_video = loy_yaml_get(node, "video"),
        .video = loy_compile_bool(node, "video", false),
        .has_text_length = loy_yaml_get(node, "text_length"),
        .text_length = (uint32_t)loy_compile_decimal(node, "text_length", 0, 0),
    };
    event->feedback = feedback;
}

/* NULL: the example does not speak of it. */
static struct loy_str spoken(const struct loy_yaml *node, const char *key)
{
    return loy_yaml_get(node, key) ? loy_compile_text(node, key) : (struct loy_str){0};
}

static void fill_told(struct run *run, const struct loy_yaml *node, struct loy_member_change *change)
{
    struct loy_text_set consents = loy_compile_texts(&run->compile, node, "consents");
    struct loy_text_set enter = loy_compile_texts(&run->compile, node, "enter");
    struct loy_text_set leave = loy_compile_texts(&run->compile, node, "leave");
    const struct loy_yaml *map = loy_yaml_get(node, "attributes");
    struct loy_attribute *attributes = loy_compile_room(&run->compile, map ? map->count : 1, sizeof *attributes);
    *change = (struct loy_member_change){
        .what = LOY_CHANGE_PROFILE,
        .birth_date = spoken(node, "birth_date"),
        .gender = spoken(node, "gender"),
        .city = spoken(node, "city"),
        .language = spoken(node, "language"),
        .preferred_contact = spoken(node, "preferred_contact"),
        .consents = consents.texts,
        .consent_count = consents.count,
        .enter = enter.texts,
        .enter_count = enter.count,
        .leave = leave.texts,
        .leave_count = leave.count,
        .attributes = attributes,
        .level = loy_compile_text(node, "level"),
    };
    for (const struct loy_yaml *row = map ? map->first : NULL; row && attributes; row = row->next) {
        attributes[change->attribute_count++] = (struct loy_attribute){row->key, row->text};
    }
}

/* What is told to be known no longer: empty texts. */
static void fill_forgotten(const struct loy_yaml *node, struct loy_member_change *change)
{
    static const struct loy_str empty = {"", 0};
    uint32_t bits = loy_compile_bits(node, "forget", "gender city language preferred_contact consents level");
    struct loy_str *const texts[] = {&change->gender, &change->city, &change->language, &change->preferred_contact};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        *texts[i] = bits & 1u << i ? empty : *texts[i];
    }
    if (bits & 1u << 4) {
        change->consents = &empty;
        change->consent_count = 1;
    }
    change->what = bits & 1u << 5 ? LOY_CHANGE_LEVEL : change->what;
}

static void fill_change(struct run *run, const struct loy_yaml *node, struct loy_event *event)
{
    struct loy_member_change *change = loy_compile_room(&run->compile, 1, sizeof *change);
    event->kind = LOY_EVENT_MEMBER_CHANGE;
    if (!change) {
        return;
    }
    fill_told(run, node, change);
    fill_forgotten(node, change);
    if (loy_compile_bool(node, "joined", false)) {
        change->what = LOY_CHANGE_JOINED;
    } else if (loy_compile_bool(node, "erased", false)) {
        change->what = LOY_CHANGE_ERASE;
    } else if (loy_yaml_get(node, "level")) {
        change->what = LOY_CHANGE_LEVEL;
    } else if (change->enter_count || change->leave_count || change->attribute_count) {
        change->what = LOY_CHANGE_SEGMENTS;
    }
    event->change = change;
    event->activity_name = loy_str(loy_change_name(change->what));
}

static void fill_event(struct run *run, const struct loy_yaml *node, struct loy_event *event)
{
    const struct loy_yaml *purchase = loy_yaml_get(node, "purchase");
    *event = (struct loy_event){.kind = LOY_EVENT_ACTIVITY,
                                .event_id = LOY_STR("example"),
                                .source = LOY_STR("example"),
                                .member_id = LOY_STR("example")};
    event->occurred_at_us = loy_compile_moment(&run->compile, node, "at", 0);
    const struct loy_yaml *feedback = loy_yaml_get(node, "feedback"), *member = loy_yaml_get(node, "member");
    event->activity_name = loy_compile_text(node, "activity");
    if ((purchase != NULL) + (feedback != NULL) + (member != NULL) + (event->activity_name.len > 0) > 1) {
        complain(run, node, "an event is one of purchase, feedback, member and activity");
    }
    if (purchase) {
        fill_purchase(run, purchase, event);
    } else if (feedback) {
        fill_feedback(run, feedback, event);
    } else if (member) {
        fill_change(run, member, event);
    }
    event->channel = loy_compile_text(node, "channel");
    event->store_id = loy_compile_text(node, "store");
    event->store_kind = loy_compile_text(node, "store_kind");
    event->partner = loy_compile_text(node, "partner");
}

static void differ(struct run *run, const struct loy_yaml *node, int64_t found)
{
    run->passed = false;
    loy_buf_printf(&run->detail, "  line %" PRIu32 ": %.*s: expected %.*s, was %" PRId64 "\n", node->line,
                   LOY_STR_ARG(node->key), LOY_STR_ARG(node->text), found);
}

static bool wallet_found(const struct run *run, const struct loy_effects *effects, struct loy_str id, int64_t *ret)
{
    for (uint16_t i = 0; i < run->programme->wallet_count; i++) {
        if (loy_str_equal(run->programme->wallets[i].id, id)) {
            *ret = loy_example_earned(effects, i);
            return true;
        }
    }
    return false;
}

/* What the member can spend of a wallet after the event. */
static bool balance_found(const struct run *run, const struct loy_effects *effects, struct loy_str id, int64_t *ret)
{
    (void)effects;
    for (uint16_t i = 0; i < run->programme->wallet_count; i++) {
        if (loy_str_equal(run->programme->wallets[i].id, id)) {
            *ret = run->account.balances[i].available;
            return true;
        }
    }
    return false;
}

/* A rule that the event does not concern granted 0. */
static bool rule_found(const struct run *run, const struct loy_effects *effects, struct loy_str id, int64_t *ret)
{
    for (uint32_t i = 0; i < run->programme->rule_count; i++) {
        if (!loy_str_equal(run->programme->rules[i].id, id)) {
            continue;
        }
        *ret = 0;
        for (uint32_t j = 0; j < effects->rule_count; j++) {
            *ret += effects->rules[j].rule == run->programme->rules[i].number ? effects->rules[j].granted : 0;
        }
        return true;
    }
    return false;
}

static void compare(struct run *run, const struct loy_yaml *map, const struct loy_effects *effects,
                    bool (*find)(const struct run *, const struct loy_effects *, struct loy_str, int64_t *))
{
    for (const struct loy_yaml *node = map ? map->first : NULL; node; node = node->next) {
        int64_t expected = 0, found = 0;
        if (!find(run, effects, node->key, &found)) {
            run->passed = false;
            loy_buf_printf(&run->detail, "  line %" PRIu32 ": the programme has no '%.*s'\n", node->line,
                           LOY_STR_ARG(node->key));
        } else if (!loy_str_to_i64(node->text, &expected) || expected != found) {
            differ(run, node, found);
        }
    }
}

static enum loy_err run_example(struct run *run, const struct loy_yaml *node)
{
    struct loy_account *account = &run->account;
    loy_account_init(account, LOY_STR("example"), 0);
    struct loy_str level = loy_compile_text(node, "level");
    for (uint32_t i = 0; i < run->programme->level_count; i++) {
        account->level =
            loy_str_equal(run->programme->levels[i].id, level) ? run->programme->levels[i].number : account->level;
    }
    if (level.len && !account->level) {
        complain(run, loy_yaml_get(node, "level"), "the programme has no level '%.*s'", LOY_STR_ARG(level));
    }
    for (const struct loy_yaml *child = loy_yaml_get(node, "events")->first; child; child = child->next) {
        struct loy_event event;
        struct loy_effects effects = {0};
        struct loy_error error = {0};
        fill_event(run, child, &event);
        if (run->compile.full) {
            return LOY_ERR_NO_MEMORY;
        }
        enum loy_err err =
            loy_example_decide(run->programme, account, &event, run->views, run->compile.arena, &effects, &error);
        if (err == LOY_ERR_NO_MEMORY) {
            return err;
        }
        if (err) {
            run->passed = false;
            loy_buf_printf(&run->detail, "  line %" PRIu32 ": rejected: %s: %s\n", child->line, loy_err_name(err),
                           error.detail);
            continue;
        }
        compare(run, loy_yaml_get(child, "expect"), &effects, wallet_found);
        compare(run, loy_yaml_get(child, "rules"), &effects, rule_found);
        compare(run, loy_yaml_get(child, "balances"), &effects, balance_found);
    }
    return LOY_OK;
}

static enum loy_err run_all(const struct loy_programme *programme, const struct loy_yaml *list, struct loy_arena *arena,
                            struct loy_programme_issues *issues, struct loy_examples *ret_examples)
{
    ret_examples->results = LOY_NEW_ARRAY(arena, struct loy_example_result, list->count + 1);
    if (!ret_examples->results) {
        return LOY_ERR_NO_MEMORY;
    }
    for (const struct loy_yaml *node = list->first; node; node = node->next) {
        struct run run = {.programme = programme, .passed = true};
        struct loy_programme zone = *programme;
        run.compile = (struct loy_compile){.arena = arena, .issues = issues, .programme = &zone};
        run.views = loy_example_budgets(programme, arena);
        loy_buf_init(&run.detail, arena, 256);
        enum loy_err err = run.views ? run_example(&run, node) : LOY_ERR_NO_MEMORY;
        if (err) {
            return err;
        }
        ret_examples->failed += !run.passed;
        ret_examples->results[ret_examples->count++] = (struct loy_example_result){
            loy_compile_text(node, "name"), node->line, run.passed, loy_buf_str(&run.detail)};
    }
    return LOY_OK;
}

enum loy_err loy_examples_run(const struct loy_programme *programme, struct loy_str text, struct loy_arena *arena,
                              struct loy_examples *ret_examples, struct loy_programme_issues *ret_issues)
{
    struct loy_yaml *root = NULL;
    *ret_examples = (struct loy_examples){0};
    loy_issues_init(ret_issues, arena);
    enum loy_err err = loy_yaml_read(text, arena, &root, ret_issues);
    if (!err && root) {
        loy_programme_validate(root, loy_shape_examples(), programme->currency_digits, ret_issues);
    }
    loy_issues_sort(ret_issues);
    if (err || ret_issues->errors) {
        return err ? err : LOY_ERR_INVALID_VALUE;
    }
    return run_all(programme, loy_yaml_get(root, "examples"), arena, ret_issues, ret_examples);
}
