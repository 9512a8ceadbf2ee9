/* The audit's part on budgets: each counter against the entries of the rules that had its budget when they granted.
 *
 * Which rules those are stands in the published programmes, compiled one after the other. */
#include "ctl/audit.h"
#include "ctl/programme_file.h"

#include <inttypes.h>
#include <stdlib.h>

/* A counter, and what stands behind it. */
struct counter {
    int32_t id;
    struct loy_str name;
    int64_t used;
    int64_t granted; /* by rules with its budget */
    int64_t limit;   /* the highest that any revision says */
};

struct budgets {
    struct loy_audit *audit;
    struct loy_rows counter_rows, grant_rows, revision_rows;
    struct counter *counters; /* ascending by id */
    struct loy_ctl_programme file;
};

enum { G_REVISION, G_RULE, G_POINTS };

/* Sums are clamped to what a bigint holds: a damaged amount must not end the audit. */
static const char grants_select[] =
    "SELECT j.revision, e.rule, greatest(least(sum(e.amount::numeric), 4611686018427387903), "
    "-4611686018427387903)::bigint "
    "FROM journal j CROSS JOIN LATERAL unnest(j.entries) AS e JOIN entry_kind ek ON ek.number = e.kind "
    "WHERE ek.name IN ('earn', 'earn_pending') GROUP BY j.revision, e.rule";

static enum loy_err read_all(struct budgets *budgets, struct loy_error *error)
{
    struct loy_query *query = budgets->audit->query;
    const char *counters = "SELECT id, name, used FROM counter ORDER BY id";
    enum loy_err err = loy_query_rows(query, counters, NULL, 0, &budgets->counter_rows, error);
    if (err || budgets->counter_rows.count == 0) {
        return err;
    }
    size_t count = (size_t)budgets->counter_rows.count;
    budgets->counters = calloc(count, sizeof *budgets->counters);
    if (!budgets->counters) {
        return loy_error_set(error, LOY_ERR_NO_MEMORY, "no memory for %zu counters", count);
    }
    for (size_t i = 0; i < count; i++) {
        budgets->counters[i] = (struct counter){.id = (int32_t)loy_rows_integer(&budgets->counter_rows, (int32_t)i, 0),
                                                .name = loy_rows_bytes(&budgets->counter_rows, (int32_t)i, 1),
                                                .used = loy_rows_integer(&budgets->counter_rows, (int32_t)i, 2)};
    }
    err = loy_query_rows(query, grants_select, NULL, 0, &budgets->grant_rows, error);
    err = err ? err : loy_published_after(query, 0, &budgets->revision_rows, error);
    err = err ? err : loy_ctl_programme_init(&budgets->file, error);
    return err ? err : loy_ctl_programme_numbers(&budgets->file, query, error);
}

static struct counter *counter_of(const struct budgets *budgets, int32_t id)
{
    for (int32_t i = 0; i < budgets->counter_rows.count; i++) {
        if (budgets->counters[i].id == id) {
            return &budgets->counters[i];
        }
    }
    return NULL;
}

static const struct loy_rule *rule_of(const struct loy_programme *programme, int64_t number)
{
    for (uint32_t i = 0; programme && i < programme->rule_count; i++) {
        if (programme->rules[i].number == number) {
            return &programme->rules[i];
        }
    }
    return NULL;
}

/* What the revision granted, added to the counters of its rules' budgets. programme NULL: it cannot be read. */
static void add_grants(struct budgets *budgets, int32_t revision, const struct loy_programme *programme)
{
    bool granted = false;
    for (int32_t i = 0; i < budgets->grant_rows.count; i++) {
        if (loy_rows_integer(&budgets->grant_rows, i, G_REVISION) != revision) {
            continue;
        }
        const struct loy_rule *rule = rule_of(programme, loy_rows_integer(&budgets->grant_rows, i, G_RULE));
        struct counter *counter = rule && rule->budget ? counter_of(budgets, rule->budget->counter) : NULL;
        int64_t points = loy_rows_integer(&budgets->grant_rows, i, G_POINTS);
        granted = true;
        if (counter && !loy_i64_add(counter->granted, points, &counter->granted)) {
            counter->granted = points > 0 ? INT64_MAX : INT64_MIN;
        }
    }
    budgets->audit->revisions_unread += granted && !programme;
}

static void add_revision(struct budgets *budgets, const struct loy_published_row *row)
{
    struct loy_ctl_programme *file = &budgets->file;
    struct loy_arena_mark mark = loy_arena_mark(&file->arena);
    uint32_t numbers = file->numbers.count;
    file->text = row->text;
    file->zones = row->zones;
    bool good = loy_ctl_programme_compile(file, row->number, row->from_us, INT64_MIN) == LOY_OK;
    add_grants(budgets, row->number, good ? file->programme : NULL);
    for (uint32_t i = 0; good && i < file->programme->budget_count; i++) {
        const struct loy_budget *budget = &file->programme->budgets[i];
        struct counter *counter = counter_of(budgets, budget->counter);
        if (counter && budget->limit > counter->limit) {
            counter->limit = budget->limit;
        }
    }
    file->numbers.count = numbers; /* those that were added lie behind the mark */
    loy_arena_reset_to(&file->arena, mark);
}

static void check_counter(struct budgets *budgets, const struct counter *counter)
{
    bool all_read = budgets->audit->revisions_unread == 0;
    struct loy_phrase where = loy_phrase("budget %.*s (counter %d)", LOY_STR_ARG(counter->name), counter->id);
    struct loy_phrase used = loy_phrase("%" PRId64 " used", counter->used);
    if (counter->used < counter->granted || (all_read && counter->used != counter->granted)) {
        struct loy_phrase expected =
            loy_phrase("%s%" PRId64 " granted by its rules", all_read ? "" : "at least ", counter->granted);
        loy_audit_found(budgets->audit, LOY_AUDIT_COUNTER, &where, &expected, &used);
    }
    if (counter->used < 0 || (all_read && counter->used > counter->limit)) {
        struct loy_phrase expected = loy_phrase("from 0 to its limit of %" PRId64, counter->limit);
        loy_audit_found(budgets->audit, LOY_AUDIT_BUDGET, &where, &expected, &used);
    }
}

enum loy_err loy_audit_budgets(struct loy_audit *audit, struct loy_error *error)
{
    struct budgets budgets = {.audit = audit};
    enum loy_err err = read_all(&budgets, error);
    for (int32_t i = 0; !err && i < budgets.revision_rows.count; i++) {
        const struct loy_published_row row = loy_published_row(&budgets.revision_rows, i);
        add_revision(&budgets, &row);
    }
    audit->counters = err ? 0 : budgets.counter_rows.count;
    for (int64_t i = 0; i < audit->counters; i++) {
        check_counter(&budgets, &budgets.counters[i]);
    }
    loy_ctl_programme_fini(&budgets.file);
    loy_rows_free(&budgets.revision_rows);
    loy_rows_free(&budgets.grant_rows);
    loy_rows_free(&budgets.counter_rows);
    free(budgets.counters);
    return err;
}
