#include "adapters/pg/query.h"
#include "adapters/wire/wire.h"
#include "base/calendar.h"
#include "ctl/commands.h"
#include "ctl/explain_rule.h"
#include "ctl/json_out.h"
#include "ctl/programme_file.h"
#include "programme/concern.h"

#include <inttypes.h>

enum { ARENA_BYTES = 64 << 20 };

/* Columns. */
enum {
    C_MEMBER,
    C_SEQ,
    C_REVISION,
    C_ENGINE,
    C_OCCURRED_US,
    C_ARRIVAL_US,
    C_TOPIC,
    C_PART,
    C_OFF,
    C_EVENT,
    C_TRACE,
    C_BOOKED
};

#define COLUMNS                                                                                                        \
    "SELECT m.member_id, j.seq, j.revision, j.engine, (extract(epoch FROM j.occurred_at) * 1000000)::bigint, "         \
    "(extract(epoch FROM j.arrival) * 1000000)::bigint, "                                                              \
    "coalesce((SELECT topics[j.topic + 1] FROM installation), '?'), j.part, j.off, j.event, j.trace, "                 \
    "coalesce((SELECT string_agg(b.line, ', ' ORDER BY b.wallet, b.kind) FROM (SELECT e.wallet, e.kind, "              \
    "coalesce(w.id, e.wallet::text) || ' ' || CASE WHEN sum(e.amount) > 0 THEN '+' ELSE '' END || sum(e.amount) || "   \
    "' (' || t.name || ')' AS line FROM unnest(j.entries) e JOIN entry_kind t ON t.number = e.kind LEFT JOIN "         \
    "dictionary w ON w.kind = 'wallet' AND w.number = e.wallet GROUP BY e.wallet, e.kind, w.id, t.name) b), '') "      \
    "FROM journal j JOIN member m USING (k, n) WHERE ($1 = '' OR m.member_id = $1) AND "

/* The event's id stands in its bytes: what is found is decoded and compared. */
static const char by_event[] = COLUMNS "position(convert_to($2, 'UTF8') IN j.event) > 0 ORDER BY j.k, j.n, j.seq";
static const char by_order[] = COLUMNS "j.subject = $2 ORDER BY j.k, j.n, j.seq";
static const char by_position[] =
    COLUMNS "j.topic = (SELECT array_position(topics, $2) - 1 FROM installation) AND j.part = $3::int AND "
            "j.off = $4::bigint";

struct explanation {
    struct loy_query *query;
    struct loy_rows rows, names;
    struct loy_region region;
    struct loy_arena arena;
    uint32_t shown;
    bool json, all;
    struct loy_ctl_programme file; /* of the revision that decided the last row, as far as it can be read */
    int64_t revision;
    const struct loy_programme *programme; /* NULL: its text is no programme file */
};

static enum loy_err find(struct explanation *e, const struct loy_call *call, struct loy_error *error)
{
    const char *order = loy_call_option(call, "order"), *position = loy_call_option(call, "position");
    if ((call->word_count == 1) + (order != NULL) + (position != NULL) != 1) {
        return loy_error_set(error, LOY_ERR_CONFIG, "one of EVENT_ID, --order and --position is wanted");
    }
    const char *member = loy_call_option(call, "member") ? loy_call_option(call, "member") : "";
    if (!position) {
        const char *parameters[] = {member, order ? order : call->words[0]};
        return loy_query_rows(e->query, order ? by_order : by_event, parameters, 2, &e->rows, error);
    }
    char topic[256], part[24], off[24];
    if (sscanf(position, "%255[^:]:%23[0-9]:%23[0-9]", topic, part, off) != 3) {
        return loy_error_set(error, LOY_ERR_CONFIG, "--position is '%s': TOPIC:PARTITION:OFFSET is wanted", position);
    }
    const char *parameters[] = {member, topic, part, off};
    return loy_query_rows(e->query, by_position, parameters, 4, &e->rows, error);
}

/* The revision that decided, from its own text, which never changes: for the names of things and the currency. */
static void read_revision(struct explanation *e, int64_t revision)
{
    struct loy_error ignored = {0};
    int32_t number = 0;
    if (e->revision == revision) {
        return;
    }
    loy_ctl_programme_fini(&e->file);
    enum loy_err err = loy_ctl_programme_init(&e->file, &ignored);
    err = err ? err : loy_ctl_programme_revision(&e->file, e->query, (int32_t)revision, &number, &ignored);
    err = err ? err : loy_ctl_programme_numbers(&e->file, e->query, &ignored);
    err = err ? err : loy_ctl_programme_compile(&e->file, number, INT64_MIN, INT64_MIN);
    e->programme = err ? NULL : e->file.programme;
    e->revision = revision;
}

static struct loy_str name_of(const struct explanation *e, int32_t rule)
{
    for (int32_t i = 0; i < e->names.count; i++) {
        if (loy_rows_integer(&e->names, i, 0) == rule) {
            return loy_rows_bytes(&e->names, i, 1);
        }
    }
    return LOY_STR("?");
}

static void print_head(const struct explanation *e, int32_t row, const struct loy_event *event,
                       const struct loy_wire_trace *trace)
{
    char occurred[LOY_MOMENT_TEXT_MAX], arrival[LOY_MOMENT_TEXT_MAX];
    (void)loy_moment_format(loy_rows_integer(&e->rows, row, C_OCCURRED_US), occurred);
    (void)loy_moment_format(loy_rows_integer(&e->rows, row, C_ARRIVAL_US), arrival);
    if (e->json) {
        (void)fputs(e->shown ? ",\n{" : "{", stdout);
        loy_json_member(stdout, "event_id", event->event_id);
        (void)fputs(", ", stdout);
        loy_json_member(stdout, "member_id", loy_rows_bytes(&e->rows, row, C_MEMBER));
        (void)printf(", \"kind\": \"%s\", \"occurred_at\": \"%s\", \"arrival\": \"%s\", \"revision\": %" PRId64
                     ", \"engine\": %" PRId64 ", \"late\": %s, ",
                     loy_event_kind_name(event->kind), occurred, arrival, loy_rows_integer(&e->rows, row, C_REVISION),
                     loy_rows_integer(&e->rows, row, C_ENGINE), trace->late ? "true" : "false");
        loy_json_member(stdout, "booked", loy_rows_bytes(&e->rows, row, C_BOOKED));
        (void)fputs(", \"rules\": [", stdout);
        return;
    }
    (void)printf("%s %.*s of member %.*s, their event number %" PRId64 "\n  occurred %s, arrived %s%s\n"
                 "  %.*s:%" PRId64 ":%" PRId64 ", decided by revision %" PRId64 ", engine %" PRId64 "\n",
                 loy_event_kind_name(event->kind), LOY_STR_ARG(event->event_id),
                 LOY_STR_ARG(loy_rows_bytes(&e->rows, row, C_MEMBER)), loy_rows_integer(&e->rows, row, C_SEQ), occurred,
                 arrival, trace->late ? ", late: judged as of its arrival" : "",
                 LOY_STR_ARG(loy_rows_bytes(&e->rows, row, C_TOPIC)), loy_rows_integer(&e->rows, row, C_PART),
                 loy_rows_integer(&e->rows, row, C_OFF), loy_rows_integer(&e->rows, row, C_REVISION),
                 loy_rows_integer(&e->rows, row, C_ENGINE));
    struct loy_str booked = loy_rows_bytes(&e->rows, row, C_BOOKED);
    (void)printf("  booked %.*s%s\n", LOY_STR_ARG(booked), booked.len ? "" : "nothing");
}

static bool in_trace(const struct loy_wire_trace *trace, int32_t rule)
{
    for (uint32_t i = 0; i < trace->rule_count; i++) {
        if (trace->rules[i].rule == rule) {
            return true;
        }
    }
    return false;
}

/* Rules of the revision that did not concern the event: their number, or each with why not. */
static enum loy_err print_others(struct explanation *e, int32_t row, const struct loy_event *event,
                                 const struct loy_wire_trace *trace)
{
    int64_t at_us = loy_rows_integer(&e->rows, row, trace->late ? C_ARRIVAL_US : C_OCCURRED_US);
    uint32_t others = 0;
    for (uint32_t i = 0; e->programme && i < e->programme->rule_count; i++) {
        const struct loy_rule *rule = &e->programme->rules[i];
        struct loy_buf words;
        if (in_trace(trace, rule->number) || (others++, !e->all)) {
            continue;
        }
        loy_buf_init(&words, &e->arena, 128);
        loy_concern_words(rule, event, at_us, &words);
        if (words.failed) {
            return LOY_ERR_NO_MEMORY;
        }
        if (e->json) {
            (void)fputs(others > 1 ? ",\n  {" : "\n  {", stdout);
            loy_json_member(stdout, "rule", rule->id);
            (void)fputs(", ", stdout);
            loy_json_member(stdout, "why", loy_buf_str(&words));
            (void)fputs("}", stdout);
        } else {
            (void)printf("  %-20.*s        -  %.*s\n", LOY_STR_ARG(rule->id), LOY_STR_ARG(loy_buf_str(&words)));
        }
    }
    if (!e->json && !e->all && others) {
        (void)printf("  %" PRIu32 " other rule%s did not concern it: --all says why\n", others, others > 1 ? "s" : "");
    }
    return LOY_OK;
}

static enum loy_err explain_row(struct explanation *e, int32_t row, const char *event_id, struct loy_error *error)
{
    struct loy_event event = {0};
    struct loy_wire_trace trace = {0};
    loy_arena_reset(&e->arena);
    enum loy_err err = loy_wire_event_decode(loy_rows_bytes(&e->rows, row, C_EVENT), &e->arena, &event, error);
    if (!err && event_id && !loy_str_equal(event.event_id, loy_str(event_id))) {
        return LOY_OK;
    }
    if (!err && !loy_rows_is_null(&e->rows, row, C_TRACE)) {
        err = loy_wire_trace_decode(loy_rows_bytes(&e->rows, row, C_TRACE), &e->arena, &trace, error);
    }
    if (err) {
        return err;
    }
    read_revision(e, loy_rows_integer(&e->rows, row, C_REVISION));
    print_head(e, row, &event, &trace);
    for (uint32_t i = 0; i < trace.rule_count; i++) {
        const struct loy_explain_row rule = {&trace.rules[i], e->programme, name_of(e, trace.rules[i].rule)};
        if (e->json) {
            (void)fputs(i ? ",\n  " : "\n  ", stdout);
            loy_explain_rule_json(stdout, &rule);
        } else {
            loy_explain_rule(stdout, &rule);
        }
    }
    (void)fputs(e->json            ? e->all ? "], \"not_concerned\": [" : "]}"
                : trace.rule_count ? ""
                                   : "  no rule looked at it\n",
                stdout);
    err = print_others(e, row, &event, &trace);
    (void)fputs(e->json && e->all ? "]}" : "", stdout);
    e->shown++;
    return err ? loy_error_set(error, err, "no room for the rules") : LOY_OK;
}

enum loy_exit loy_cmd_explain(const struct loy_call *call)
{
    struct explanation e = {.json = loy_call_flag(call, "json"), .all = loy_call_flag(call, "all")};
    struct loy_error error = {0};
    const char *event_id = call->word_count ? call->words[0] : NULL;
    enum loy_err err = loy_region_map(ARENA_BYTES, &e.region, &error);
    err = err ? err : loy_query_open(call->config->postgres, "loyalctl explain", &e.query, &error);
    err = err ? err : find(&e, call, &error);
    err = err ? err
              : loy_query_rows(e.query, "SELECT number, id FROM dictionary WHERE kind = 'rule'", NULL, 0, &e.names,
                               &error);
    if (!err) {
        loy_region_arena(&e.region, &e.arena);
        (void)fputs(e.json ? "[" : "", stdout);
    }
    for (int32_t i = 0; !err && i < e.rows.count; i++) {
        err = explain_row(&e, i, event_id, &error);
    }
    (void)fputs(!err && e.json ? "]\n" : "", stdout);
    if (!err && !e.shown) {
        err = loy_error_set(&error, LOY_ERR_NOT_FOUND,
                            "the journal has no such event: rejected and ignored ones are not in it (loyalctl "
                            "dead-letters list), nor those that no worker has come to yet");
    }
    loy_rows_free(&e.rows);
    loy_rows_free(&e.names);
    loy_ctl_programme_fini(&e.file);
    loy_query_close(e.query);
    loy_region_unmap(&e.region);
    return err ? loy_call_failed(call, &error) : LOY_EXIT_OK;
}
