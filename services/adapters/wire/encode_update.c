#include "adapters/wire/put.h"
#include "adapters/wire/wire.h"

enum { FIRST_CAPACITY = 1024 }; /* most updates are smaller; what is left over is given back */

/* An account that a newer revision touched may hold a wallet that the revision of this event does not know. */
static struct loy_str wallet_id(const struct loy_wire_update *update, uint16_t wallet)
{
    const struct loy_programme *programme =
        wallet < update->programme->wallet_count || !update->newest ? update->programme : update->newest;
    return wallet < programme->wallet_count ? programme->wallets[wallet].id : (struct loy_str){0};
}

static const struct loy_rule *find_rule(const struct loy_programme *programme, int32_t number)
{
    for (uint32_t i = 0; number && i < programme->rule_count; i++) {
        if (programme->rules[i].number == number) {
            return &programme->rules[i];
        }
    }
    return NULL;
}

LOY_WIRE_EACH_FORM void put_wallets(struct loy_wire_put *put, const struct loy_wire_update *update)
{
    struct loy_wire_name wallets = LOY_WIRE_NAME(1, "wallets");
    uint16_t known = update->programme->wallet_count, held = update->account->wallet_count;
    uint16_t count = held > known ? held : known;
    if (count == 0) {
        return;
    }
    loy_wire_put_list_begin(put, wallets);
    for (uint16_t i = 0; i < count; i++) {
        struct loy_balance amounts = {0};
        if (i < held) {
            amounts = update->account->balances[i];
        }
        struct loy_wire_nest wallet = loy_wire_put_open_element(put, wallets, i == 0);
        loy_wire_put_text(put, LOY_WIRE_NAME(1, "wallet"), wallet_id(update, i));
        loy_wire_put_i64(put, LOY_WIRE_NAME(2, "available"), amounts.available);
        loy_wire_put_i64(put, LOY_WIRE_NAME(3, "pending"), amounts.pending);
        loy_wire_put_i64(put, LOY_WIRE_NAME(4, "reserved"), amounts.reserved);
        loy_wire_put_close(put, wallet);
    }
    loy_wire_put_list_end(put);
}

LOY_WIRE_EACH_FORM void put_change(struct loy_wire_put *put, const struct loy_wire_update *update,
                                   const struct loy_entry *entry)
{
    const struct loy_rule *rule = find_rule(update->programme, entry->rule);
    bool earns = entry->kind == LOY_ENTRY_EARN || entry->kind == LOY_ENTRY_EARN_PENDING;
    loy_wire_put_text(put, LOY_WIRE_NAME(1, "entry"), loy_str(loy_entry_kind_name(entry->kind)));
    loy_wire_put_text(put, LOY_WIRE_NAME(2, "wallet"), wallet_id(update, entry->wallet));
    loy_wire_put_i64(put, LOY_WIRE_NAME(3, "amount"), entry->amount);
    if (rule) {
        loy_wire_put_text(put, LOY_WIRE_NAME(4, "rule"), rule->id);
        loy_wire_put_text(put, LOY_WIRE_NAME(5, "title"), rule->title);
    }
    if (entry->kind == LOY_ENTRY_EARN_PENDING) {
        loy_wire_put_moment(put, LOY_WIRE_NAME(7, "available_from"), entry->available_from_us);
    }
    if (earns && entry->expires_at_us != LOY_NEVER) {
        loy_wire_put_moment(put, LOY_WIRE_NAME(8, "expires_at"), entry->expires_at_us);
    }
}

/* Points that only moved from one lot to another are no change of a balance. */
static bool changes_a_balance(const struct loy_entry *entry)
{
    return entry->kind != LOY_ENTRY_JOIN && entry->kind != LOY_ENTRY_JOIN_PENDING;
}

LOY_WIRE_EACH_FORM void put_changes(struct loy_wire_put *put, const struct loy_wire_update *update, uint32_t from)
{
    struct loy_wire_name changes = LOY_WIRE_NAME(2, "changes");
    bool first = true;
    for (uint32_t i = from; i < update->effects->entry_count; i++) {
        const struct loy_entry *entry = &update->effects->entries[i];
        if (!changes_a_balance(entry)) {
            continue;
        }
        if (first) {
            loy_wire_put_list_begin(put, changes);
        }
        struct loy_wire_nest change = loy_wire_put_open_element(put, changes, first);
        put_change(put, update, entry);
        loy_wire_put_close(put, change);
        first = false;
    }
    if (!first) {
        loy_wire_put_list_end(put);
    }
}

/* The earliest expiry over all wallets, and what of the first such wallet then expires. */
LOY_WIRE_EACH_FORM void put_next_expiry(struct loy_wire_put *put, const struct loy_wire_update *update)
{
    const struct loy_account *account = update->account;
    const struct loy_lot *next = NULL;
    int64_t amount = 0;
    for (uint32_t i = 0; i < account->lot_count; i++) {
        const struct loy_lot *lot = &account->lots[i];
        if (lot->expires_at_us == LOY_NEVER) {
            continue;
        }
        bool sooner = !next || lot->expires_at_us < next->expires_at_us ||
                      (lot->expires_at_us == next->expires_at_us && lot->wallet < next->wallet);
        if (sooner) {
            next = lot;
            amount = lot->points;
        } else if (lot->expires_at_us == next->expires_at_us && lot->wallet == next->wallet) {
            amount += lot->points; /* parts of one balance, which fits */
        }
    }
    if (!next) {
        return;
    }
    struct loy_wire_nest expiry = loy_wire_put_open(put, LOY_WIRE_NAME(4, "next_expiry"));
    loy_wire_put_text(put, LOY_WIRE_NAME(1, "wallet"), wallet_id(update, next->wallet));
    loy_wire_put_i64(put, LOY_WIRE_NAME(2, "amount"), amount);
    loy_wire_put_moment(put, LOY_WIRE_NAME(3, "at"), next->expires_at_us);
    loy_wire_put_close(put, expiry);
}

LOY_WIRE_EACH_FORM void put_cause(struct loy_wire_put *put, const struct loy_event *event)
{
    struct loy_wire_nest cause = loy_wire_put_open(put, LOY_WIRE_NAME(5, "cause"));
    loy_wire_put_text(put, LOY_WIRE_NAME(1, "source"), event->source);
    loy_wire_put_text(put, LOY_WIRE_NAME(2, "event_id"), event->event_id);
    loy_wire_put_text(put, LOY_WIRE_NAME(3, "kind"), loy_str(loy_event_kind_name(event->kind)));
    loy_wire_put_text(put, LOY_WIRE_NAME(4, "order_id"), event->order_id);
    loy_wire_put_moment(put, LOY_WIRE_NAME(5, "occurred_at"), event->occurred_at_us);
    loy_wire_put_close(put, cause);
}

LOY_WIRE_EACH_FORM void put_update(struct loy_buf *buf, const struct loy_wire_update *update, bool json)
{
    struct loy_wire_put put = loy_wire_put_begin(buf, json);
    loy_wire_put_text(&put, LOY_WIRE_NAME(1, "member_id"), update->account->member_id);
    loy_wire_put_i32(&put, LOY_WIRE_NAME(2, "incarnation"), update->incarnation);
    loy_wire_put_i64(&put, LOY_WIRE_NAME(3, "version"), update->account->version);
    loy_wire_put_moment(&put, LOY_WIRE_NAME(4, "moment"), update->effects->moment_us);
    put_cause(&put, update->event);
    struct loy_wire_nest balance = loy_wire_put_open(&put, LOY_WIRE_NAME(10, "balance"));
    put_wallets(&put, update);
    put_changes(&put, update, 0);
    put_next_expiry(&put, update);
    loy_wire_put_close(&put, balance);
    loy_wire_put_end(&put);
}

enum loy_err loy_wire_encode_update(const struct loy_wire_update *update, bool json, struct loy_arena *arena,
                                    struct loy_str *ret_bytes)
{
    struct loy_buf buf;
    loy_buf_init(&buf, arena, FIRST_CAPACITY);
    if (json) {
        put_update(&buf, update, true);
    } else {
        put_update(&buf, update, false);
    }
    if (buf.failed) {
        return LOY_ERR_NO_MEMORY;
    }
    *ret_bytes = loy_buf_finish(&buf);
    return LOY_OK;
}

/* --- previews ----------------------------------------------------------------------------------------------------- */

static void put_nearest(struct loy_wire_put *put, const struct loy_wire_preview *preview)
{
    struct loy_wire_name misses = LOY_WIRE_NAME(3, "nearest_misses");
    if (preview->nearest_count == 0) {
        return;
    }
    loy_wire_put_list_begin(put, misses);
    for (uint32_t i = 0; i < preview->nearest_count; i++) {
        const struct loy_nearest *row = &preview->nearest[i];
        struct loy_wire_nest miss = loy_wire_put_open_element(put, misses, i == 0);
        loy_wire_put_text(put, LOY_WIRE_NAME(1, "rule"), row->rule->id);
        loy_wire_put_text(put, LOY_WIRE_NAME(2, "title"), row->rule->title);
        loy_wire_put_text(put, LOY_WIRE_NAME(3, "wallet"), wallet_id(&preview->decided, row->rule->reward.wallet));
        loy_wire_put_i64(put, LOY_WIRE_NAME(4, "points"), row->points);
        if (row->is_units) {
            loy_wire_put_i64(put, LOY_WIRE_NAME(6, "more_milli"), row->more);
        } else {
            loy_wire_put_i64(put, LOY_WIRE_NAME(5, "more_minor"), row->more);
        }
        loy_wire_put_close(put, miss);
    }
    loy_wire_put_list_end(put);
}

/* What time alone did on the way to the event's moment is nothing that the purchase earns. */
enum loy_err loy_wire_encode_preview(const struct loy_wire_preview *preview, bool json, struct loy_arena *arena,
                                     struct loy_str *ret_bytes)
{
    const struct loy_wire_update *decided = &preview->decided;
    struct loy_buf buf;
    loy_buf_init(&buf, arena, FIRST_CAPACITY);
    struct loy_wire_put put = loy_wire_put_begin(&buf, json);
    loy_wire_put_text(&put, LOY_WIRE_NAME(1, "member_id"), decided->account->member_id);
    loy_wire_put_i32(&put, LOY_WIRE_NAME(2, "incarnation"), decided->incarnation);
    loy_wire_put_moment(&put, LOY_WIRE_NAME(4, "moment"), decided->effects->moment_us);
    put_cause(&put, decided->event);
    struct loy_wire_nest nest = loy_wire_put_open(&put, LOY_WIRE_NAME(9, "preview"));
    loy_wire_put_text(&put, LOY_WIRE_NAME(1, "correlation_id"), decided->event->correlation_id);
    put_changes(&put, decided, decided->effects->advanced);
    put_nearest(&put, preview);
    loy_wire_put_close(&put, nest);
    loy_wire_put_end(&put);
    if (buf.failed) {
        return LOY_ERR_NO_MEMORY;
    }
    *ret_bytes = loy_buf_finish(&buf);
    return LOY_OK;
}
