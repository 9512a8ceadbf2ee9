#include "adapters/pg/query.h"
#include "base/calendar.h"
#include "ctl/audit_state.h"
#include "ctl/commands.h"
#include "ctl/json_out.h"

#include <inttypes.h>
#include <stdlib.h>

/* Columns of the three results. */
enum {
    M_K,
    M_N,
    M_SEQ,
    M_VERSION,
    M_STATE,
    B_WALLET = 0,
    B_AVAILABLE,
    B_PENDING,
    B_RESERVED,
    H_SEQ = 0,
    H_VERSION,
    H_ENTRY,
    H_WALLET,
    H_AMOUNT,
    H_LOT,
    H_RULE,
    H_SUBJECT,
    H_OCCURRED_US,
};

static const char member_select[] = "SELECT k, n, seq, version, state FROM member WHERE member_id = $1";
static const char balance_select[] =
    "SELECT wallet, available, pending, reserved FROM balance WHERE member_id = $1 ORDER BY wallet";
static const char history_select[] =
    "SELECT seq, version, entry, wallet, amount, lot, rule, subject, (extract(epoch FROM occurred_at) * "
    "1000000)::bigint FROM ledger WHERE member_id = $1 ORDER BY seq DESC, ordinal DESC LIMIT nullif($2::bigint, 0)";

struct member {
    const char *id;
    struct loy_rows row, balances, history;
    struct loy_audit_state *state;
};

struct moment {
    char text[LOY_MOMENT_TEXT_MAX];
};

static struct moment moment_of(int64_t us)
{
    struct moment moment;
    (void)loy_moment_format(us, moment.text);
    return moment;
}

static struct loy_str text_at(const struct loy_rows *rows, int32_t row, int32_t column)
{
    return loy_rows_is_null(rows, row, column) ? (struct loy_str){"", 0} : loy_rows_bytes(rows, row, column);
}

/* The id of a wallet by its number: the balances come in the order of their ids, so the dictionary is asked. */
static struct loy_str wallet_name(const struct loy_rows *names, uint32_t wallet)
{
    for (int32_t i = 0; i < names->count; i++) {
        if (loy_rows_integer(names, i, 0) == wallet) {
            return loy_rows_bytes(names, i, 1);
        }
    }
    return LOY_STR("?");
}

static void print_lots(const struct member *member, const struct loy_rows *names)
{
    (void)fputs("\nlots\n", stdout);
    for (uint32_t i = 0; i < member->state->lot_count; i++) {
        const struct loy_audit_lot *lot = &member->state->lots[i];
        (void)printf("  %" PRId64, lot->first);
        if (lot->last > lot->first) {
            (void)printf("-%" PRId64, lot->last);
        }
        (void)printf("  %.*s %" PRId64, LOY_STR_ARG(wallet_name(names, lot->wallet)), lot->points);
        (void)printf(lot->pending ? "  pending until %s" : "  available",
                     moment_of(lot->available_from_s * LOY_US_PER_SECOND).text);
        (void)printf(lot->expires ? "  expires %s\n" : "\n", moment_of(lot->expires_at_s * LOY_US_PER_SECOND).text);
    }
}

static void print_text(const struct member *member, const struct loy_rows *names)
{
    (void)printf("member %s (partition %" PRId64 ", number %" PRId64 "): %" PRId64 " events, version %" PRId64
                 ", clock %s\n\n%-12s %12s %12s %12s\n",
                 member->id, loy_rows_integer(&member->row, 0, M_K), loy_rows_integer(&member->row, 0, M_N),
                 loy_rows_integer(&member->row, 0, M_SEQ), loy_rows_integer(&member->row, 0, M_VERSION),
                 moment_of(member->state->clock_us).text, "wallet", "available", "pending", "reserved");
    for (int32_t i = 0; i < member->balances.count; i++) {
        (void)printf(
            "%-12.*s %12" PRId64 " %12" PRId64 " %12" PRId64 "\n", LOY_STR_ARG(text_at(&member->balances, i, B_WALLET)),
            loy_rows_integer(&member->balances, i, B_AVAILABLE), loy_rows_integer(&member->balances, i, B_PENDING),
            loy_rows_integer(&member->balances, i, B_RESERVED));
    }
    print_lots(member, names);
    (void)fputs("\nhistory, latest first\n", stdout);
    for (int32_t i = 0; i < member->history.count; i++) {
        const struct loy_rows *rows = &member->history;
        struct loy_str subject = text_at(rows, i, H_SUBJECT), rule = text_at(rows, i, H_RULE);
        (void)printf("  %-24s %-12.*s %.*s %+" PRId64 "  lot %" PRId64,
                     moment_of(loy_rows_integer(rows, i, H_OCCURRED_US)).text, LOY_STR_ARG(text_at(rows, i, H_ENTRY)),
                     LOY_STR_ARG(text_at(rows, i, H_WALLET)), loy_rows_integer(rows, i, H_AMOUNT),
                     loy_rows_integer(rows, i, H_LOT));
        (void)printf(rule.len ? "  rule %.*s" : "%.*s", LOY_STR_ARG(rule));
        (void)printf(subject.len ? "  %.*s\n" : "%.*s\n", LOY_STR_ARG(subject));
    }
}

static void print_json_lots(const struct member *member, const struct loy_rows *names)
{
    for (uint32_t i = 0; i < member->state->lot_count; i++) {
        const struct loy_audit_lot *lot = &member->state->lots[i];
        (void)printf("%s\n  {\"first\": %" PRId64 ", \"last\": %" PRId64 ", ", i ? "," : "", lot->first, lot->last);
        loy_json_member(stdout, "wallet", wallet_name(names, lot->wallet));
        (void)printf(", \"points\": %" PRId64 ", \"state\": \"%s\"", lot->points,
                     lot->pending ? "pending" : "available");
        if (lot->pending) {
            (void)fputs(", ", stdout);
            loy_json_member(stdout, "available_from",
                            loy_str(moment_of(lot->available_from_s * LOY_US_PER_SECOND).text));
        }
        if (lot->expires) {
            (void)fputs(", ", stdout);
            loy_json_member(stdout, "expires_at", loy_str(moment_of(lot->expires_at_s * LOY_US_PER_SECOND).text));
        }
        (void)fputs("}", stdout);
    }
}

static void print_json_history(const struct loy_rows *rows)
{
    for (int32_t i = 0; i < rows->count; i++) {
        (void)printf("%s\n  {\"seq\": %" PRId64 ", \"version\": %" PRId64 ", ", i ? "," : "",
                     loy_rows_integer(rows, i, H_SEQ), loy_rows_integer(rows, i, H_VERSION));
        loy_json_member(stdout, "entry", text_at(rows, i, H_ENTRY));
        (void)fputs(", ", stdout);
        loy_json_member(stdout, "wallet", text_at(rows, i, H_WALLET));
        (void)printf(", \"amount\": %" PRId64 ", \"lot\": %" PRId64, loy_rows_integer(rows, i, H_AMOUNT),
                     loy_rows_integer(rows, i, H_LOT));
        if (!loy_rows_is_null(rows, i, H_RULE)) {
            (void)fputs(", ", stdout);
            loy_json_member(stdout, "rule", text_at(rows, i, H_RULE));
        }
        if (!loy_rows_is_null(rows, i, H_SUBJECT)) {
            (void)fputs(", ", stdout);
            loy_json_member(stdout, "subject", text_at(rows, i, H_SUBJECT));
        }
        (void)fputs(", ", stdout);
        loy_json_member(stdout, "occurred_at", loy_str(moment_of(loy_rows_integer(rows, i, H_OCCURRED_US)).text));
        (void)fputs("}", stdout);
    }
}

static void print_json(const struct member *member, const struct loy_rows *names)
{
    (void)fputs("{", stdout);
    loy_json_member(stdout, "member_id", loy_str(member->id));
    (void)printf(", \"partition\": %" PRId64 ", \"number\": %" PRId64 ", \"seq\": %" PRId64 ", \"version\": %" PRId64
                 ", ",
                 loy_rows_integer(&member->row, 0, M_K), loy_rows_integer(&member->row, 0, M_N),
                 loy_rows_integer(&member->row, 0, M_SEQ), loy_rows_integer(&member->row, 0, M_VERSION));
    loy_json_member(stdout, "clock", loy_str(moment_of(member->state->clock_us).text));
    (void)fputs(",\n \"balances\": [", stdout);
    for (int32_t i = 0; i < member->balances.count; i++) {
        (void)fputs(i ? ",\n  {" : "\n  {", stdout);
        loy_json_member(stdout, "wallet", text_at(&member->balances, i, B_WALLET));
        (void)printf(", \"available\": %" PRId64 ", \"pending\": %" PRId64 ", \"reserved\": %" PRId64 "}",
                     loy_rows_integer(&member->balances, i, B_AVAILABLE),
                     loy_rows_integer(&member->balances, i, B_PENDING),
                     loy_rows_integer(&member->balances, i, B_RESERVED));
    }
    (void)fputs("],\n \"lots\": [", stdout);
    print_json_lots(member, names);
    (void)fputs("],\n \"history\": [", stdout);
    print_json_history(&member->history);
    (void)fputs("]}\n", stdout);
}

static enum loy_err read_member(struct loy_query *query, const struct loy_call *call, struct member *member,
                                struct loy_error *error)
{
    const char *parameters[2] = {member->id, loy_call_option(call, "history")};
    enum loy_err err = loy_query_do(query, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", error);
    err = err ? err : loy_query_rows(query, member_select, parameters, 1, &member->row, error);
    if (!err && member->row.count == 0) {
        return loy_error_set(error, LOY_ERR_NOT_FOUND, "there is no member '%s'", member->id);
    }
    err = err ? err : loy_query_rows(query, balance_select, parameters, 1, &member->balances, error);
    err = err ? err : loy_query_rows(query, history_select, parameters, 2, &member->history, error);
    if (err) {
        return err;
    }
    struct loy_error wrong;
    if (loy_audit_state_read(loy_rows_bytes(&member->row, 0, M_STATE), member->state, &wrong)) {
        return loy_error_set(error, LOY_ERR_CORRUPT, "the state of member '%s' cannot be read: %s", member->id,
                             wrong.detail);
    }
    return LOY_OK;
}

enum loy_exit loy_cmd_member(const struct loy_call *call)
{
    struct member member = {.id = call->words[0], .state = malloc(sizeof *member.state)};
    struct loy_rows names = {0};
    struct loy_query *query = NULL;
    struct loy_error error = {0};
    int64_t history = 0;
    enum loy_err err = member.state ? LOY_OK : loy_error_set(&error, LOY_ERR_NO_MEMORY, "no memory for a member");
    err = err ? err : loy_call_number(call, "history", 0, INT64_MAX, &history, &error);
    err = err ? err : loy_query_open(call->config->postgres, "loyalctl member", &query, &error);
    err = err ? err : read_member(query, call, &member, &error);
    err =
        err ? err
            : loy_query_rows(query, "SELECT number, id FROM dictionary WHERE kind = 'wallet'", NULL, 0, &names, &error);
    if (!err) {
        (loy_call_flag(call, "json") ? print_json : print_text)(&member, &names);
    }
    loy_rows_free(&member.row);
    loy_rows_free(&member.balances);
    loy_rows_free(&member.history);
    loy_rows_free(&names);
    loy_query_close(query);
    free(member.state);
    return err ? loy_call_failed(call, &error) : LOY_EXIT_OK;
}
