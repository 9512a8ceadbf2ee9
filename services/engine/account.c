#include "engine/account.h"

#include "base/num.h"
#include "base/varint.h"
#include "engine/traits.h"

#include <assert.h>

enum {
    FORMAT_PLAIN = 1,
    FORMAT_HISTORY = 2,
    FORMAT_AROUND = 2, /* added to either when lots lie around others */
    FORMAT_TRAITS = 4, /* added to any of these when there are traits */
    FLAG_PENDING = 1,
    FLAG_EXPIRES = 2,
    LOTS_MAX = LOY_STATE_BYTES_MAX / 4,     /* a lot takes at least four bytes */
    DAYS_MAX = LOY_STATE_BYTES_MAX / 3,     /* a day three */
    COUNTERS_MAX = LOY_STATE_BYTES_MAX / 3, /* a counter three */
};

void loy_account_init(struct loy_account *account, struct loy_str member_id, int32_t k)
{
    *account = (struct loy_account){.member_id = member_id, .k = k, .n = -1, .clock_us = INT64_MIN, .next_lot = 1};
}

/* Whether a lot begins before the one before it ends. */
static bool lots_lie_around(const struct loy_account *account)
{
    for (uint32_t i = 1; i < account->lot_count; i++) {
        if (account->lots[i].first <= account->lots[i - 1].last) {
            return true;
        }
    }
    return false;
}

static void encode_lot(struct loy_buf *buf, const struct loy_lot *lot, int32_t before)
{
    bool pending = lot->available_from_us != INT64_MIN;
    bool expires = lot->expires_at_us != LOY_NEVER;
    assert(lot->first > before && lot->last >= lot->first && lot->points > 0);
    loy_varint_put(buf, (uint64_t)(lot->first - before));
    loy_varint_put(buf, (uint64_t)(lot->last - lot->first));
    loy_varint_put(buf, (uint64_t)lot->wallet * 4 + (expires ? FLAG_EXPIRES : 0) + (pending ? FLAG_PENDING : 0));
    loy_varint_put(buf, (uint64_t)lot->points);
    if (pending) {
        loy_varint_put_signed(buf, lot->available_from_us / LOY_US_PER_SECOND);
    }
    if (expires) {
        loy_varint_put_signed(buf, lot->expires_at_us / LOY_US_PER_SECOND);
    }
}

static bool has_history(const struct loy_account *account)
{
    return account->level || account->purchases || account->day_count || account->counter_count;
}

static void encode_history(struct loy_buf *buf, const struct loy_account *account)
{
    loy_varint_put(buf, (uint64_t)account->level);
    loy_varint_put(buf, (uint64_t)account->purchases);
    if (account->purchases) {
        loy_varint_put_signed(buf, account->spend_minor);
        loy_varint_put_signed(buf, account->first_purchase_us);
        loy_varint_put_signed(buf, account->last_purchase_us);
    }
    loy_varint_put(buf, account->day_count);
    if (account->day_count) {
        loy_varint_put(buf, (uint64_t)account->days_revision);
    }
    for (uint32_t i = 0; i < account->day_count; i++) {
        const struct loy_day *day = &account->days[i];
        if (i == 0) {
            loy_varint_put_signed(buf, day->day);
        } else {
            assert(day->day > account->days[i - 1].day);
            loy_varint_put(buf, (uint64_t)((int64_t)day->day - account->days[i - 1].day));
        }
        loy_varint_put(buf, (uint64_t)day->purchases);
        loy_varint_put_signed(buf, day->spend_minor);
    }
    loy_varint_put(buf, account->counter_count);
    for (uint32_t i = 0; i < account->counter_count; i++) {
        const struct loy_counter *counter = &account->counters[i];
        uint32_t before = i == 0 ? 0 : account->counters[i - 1].key;
        assert(counter->key > before && counter->used != 0);
        loy_varint_put(buf, counter->key - before);
        loy_varint_put_signed(buf, counter->window);
        loy_varint_put_signed(buf, counter->used);
    }
}

bool loy_account_is_large(const struct loy_account *account)
{
    /* at most 40 bytes a lot, 25 a day or counter, 250 before them */
    return account->traits.len + (uint64_t)account->lot_count * 40 +
               ((uint64_t)account->day_count + account->counter_count) * 25 + 250 >
           LOY_STATE_BYTES_MAX;
}

enum loy_err loy_account_encode(const struct loy_account *account, struct loy_arena *arena, struct loy_str *ret_state)
{
    struct loy_buf buf;
    loy_buf_init(&buf, arena,
                 64 + account->traits.len + (size_t)account->lot_count * 24 +
                     ((size_t)account->day_count + account->counter_count) * 12);
    bool history = has_history(account), around = lots_lie_around(account);
    loy_buf_append_byte(&buf, (uint8_t)((history ? FORMAT_HISTORY : FORMAT_PLAIN) + (around ? FORMAT_AROUND : 0) +
                                        (account->traits.len ? FORMAT_TRAITS : 0)));
    loy_varint_put_signed(&buf, account->clock_us);
    loy_varint_put(&buf, (uint64_t)account->next_lot);
    loy_varint_put(&buf, account->wallet_count);
    for (uint16_t i = 0; i < account->wallet_count; i++) {
        loy_varint_put_signed(&buf, account->balances[i].available);
        loy_varint_put_signed(&buf, account->balances[i].pending);
        loy_varint_put_signed(&buf, account->balances[i].reserved);
    }
    loy_varint_put(&buf, account->lot_count);
    for (uint32_t i = 0; i < account->lot_count; i++) {
        const struct loy_lot *before = i == 0 ? NULL : &account->lots[i - 1];
        encode_lot(&buf, &account->lots[i], !before ? 0 : around ? before->first : before->last);
    }
    if (history) {
        encode_history(&buf, account);
    }
    if (account->traits.len) {
        loy_varint_put(&buf, account->traits.len);
        loy_buf_append(&buf, account->traits);
    }
    if (buf.failed) {
        return LOY_ERR_NO_MEMORY;
    }
    if (buf.len > LOY_STATE_BYTES_MAX) {
        return LOY_ERR_STATE_TOO_LARGE;
    }
    *ret_state = loy_buf_str(&buf);
    return LOY_OK;
}

static bool decode_lot(struct loy_varint_reader *in, struct loy_lot *lot, int64_t before)
{
    uint64_t gap = loy_varint_get(in);
    uint64_t span = loy_varint_get(in);
    uint64_t kind = loy_varint_get(in);
    uint64_t points = loy_varint_get(in);
    int64_t available_from_s = kind & FLAG_PENDING ? loy_varint_get_signed(in) : 0;
    int64_t expires_at_s = kind & FLAG_EXPIRES ? loy_varint_get_signed(in) : 0;
    const int64_t moment_max_s = INT64_MAX / LOY_US_PER_SECOND;
    if (in->failed || gap < 1 || gap > INT32_MAX || span > INT32_MAX || kind / 4 >= LOY_WALLETS_MAX || points < 1 ||
        points > INT64_MAX || before + (int64_t)gap + (int64_t)span > INT32_MAX || available_from_s > moment_max_s ||
        available_from_s < -moment_max_s || expires_at_s > moment_max_s || expires_at_s < -moment_max_s) {
        return false;
    }
    *lot = (struct loy_lot){
        .first = (int32_t)(before + (int64_t)gap),
        .last = (int32_t)(before + (int64_t)gap + (int64_t)span),
        .wallet = (uint16_t)(kind / 4),
        .points = (int64_t)points,
        .available_from_us = kind & FLAG_PENDING ? available_from_s * LOY_US_PER_SECOND : INT64_MIN,
        .expires_at_us = kind & FLAG_EXPIRES ? expires_at_s * LOY_US_PER_SECOND : LOY_NEVER,
    };
    return true;
}

static bool decode_days(struct loy_varint_reader *in, struct loy_arena *arena, struct loy_account *account)
{
    uint64_t count = loy_varint_get(in);
    account->days = in->failed || count > DAYS_MAX ? NULL : LOY_NEW_ARRAY(arena, struct loy_day, count);
    if (!account->days) {
        return false;
    }
    uint64_t revision = count ? loy_varint_get(in) : 0;
    int64_t before = 0;
    if (revision > INT32_MAX || (count && !revision)) {
        return false;
    }
    account->days_revision = (int32_t)revision;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t gap = i == 0 ? 1 : loy_varint_get(in);
        int64_t day = i == 0 ? loy_varint_get_signed(in) : gap > INT32_MAX ? INT64_MAX : before + (int64_t)gap;
        uint64_t purchases = loy_varint_get(in);
        int64_t spend_minor = loy_varint_get_signed(in);
        if (in->failed || gap < 1 || day > INT32_MAX || day < INT32_MIN || purchases < 1 || purchases > INT64_MAX) {
            return false;
        }
        account->days[i] = (struct loy_day){(int32_t)day, (int64_t)purchases, spend_minor};
        before = day;
    }
    account->day_count = (uint32_t)count;
    return true;
}

static bool decode_counters(struct loy_varint_reader *in, struct loy_arena *arena, struct loy_account *account)
{
    uint64_t count = loy_varint_get(in);
    account->counters = in->failed || count > COUNTERS_MAX ? NULL : LOY_NEW_ARRAY(arena, struct loy_counter, count);
    if (!account->counters) {
        return false;
    }
    uint64_t key = 0;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t gap = loy_varint_get(in);
        int64_t window = loy_varint_get_signed(in);
        int64_t used = loy_varint_get_signed(in);
        if (in->failed || gap < 1 || gap > UINT32_MAX || key + gap > UINT32_MAX || used == 0) {
            return false;
        }
        key += gap;
        account->counters[i] = (struct loy_counter){(uint32_t)key, window, used};
    }
    account->counter_count = (uint32_t)count;
    return true;
}

static bool decode_history(struct loy_varint_reader *in, struct loy_arena *arena, struct loy_account *account)
{
    uint64_t level = loy_varint_get(in);
    uint64_t purchases = loy_varint_get(in);
    if (in->failed || level > INT32_MAX || purchases > INT64_MAX) {
        return false;
    }
    account->level = (int32_t)level;
    account->purchases = (int64_t)purchases;
    if (purchases) {
        account->spend_minor = loy_varint_get_signed(in);
        account->first_purchase_us = loy_varint_get_signed(in);
        account->last_purchase_us = loy_varint_get_signed(in);
    }
    return decode_days(in, arena, account) && decode_counters(in, arena, account) && has_history(account);
}

/* In the arena: the account outlives the bytes that it was read from. */
static bool decode_traits(struct loy_varint_reader *in, struct loy_arena *arena, struct loy_account *account)
{
    struct loy_str traits = loy_varint_get_bytes(in, loy_varint_get(in));
    if (in->failed || !loy_traits_are_valid(traits)) {
        return false;
    }
    account->traits = loy_str_copy(arena, traits);
    return account->traits.at != NULL;
}

static enum loy_err decode_lots(struct loy_varint_reader *in, bool around, struct loy_arena *arena,
                                struct loy_account *account, struct loy_error *error)
{
    uint64_t lot_count = loy_varint_get(in);
    if (in->failed || lot_count > LOTS_MAX) {
        return loy_error_set(error, LOY_ERR_CORRUPT, "member state is damaged in its balances");
    }
    struct loy_lot *lots = LOY_NEW_ARRAY(arena, struct loy_lot, lot_count);
    if (!lots) {
        return loy_error_set(error, LOY_ERR_NO_MEMORY, "no room for %u lots", (unsigned)lot_count);
    }
    int64_t points = 0, first = 0, last = 0;
    int32_t ends[LOY_WALLETS_MAX] = {0};
    for (uint64_t i = 0; i < lot_count; i++) {
        struct loy_lot *lot = &lots[i];
        if (!decode_lot(in, lot, around ? first : last) || lot->last >= account->next_lot ||
            lot->first <= ends[lot->wallet] || !loy_i64_add(points, lot->points, &points)) {
            return loy_error_set(error, LOY_ERR_CORRUPT, "member state is damaged in lot %u", (unsigned)i);
        }
        first = lot->first;
        last = ends[lot->wallet] = lot->last;
    }
    account->lots = lots;
    account->lot_count = account->lot_capacity = (uint32_t)lot_count;
    if (lots_lie_around(account) != around) {
        return loy_error_set(error, LOY_ERR_CORRUPT, "member state has lots of another format");
    }
    return LOY_OK;
}

enum loy_err loy_account_decode(struct loy_str state, struct loy_arena *arena, struct loy_account *account,
                                struct loy_error *error)
{
    struct loy_varint_reader in = {.bytes = state, .at = 1};
    struct loy_account read = {.member_id = account->member_id,
                               .k = account->k,
                               .n = account->n,
                               .seq = account->seq,
                               .version = account->version};
    uint8_t format = state.len ? (uint8_t)state.at[0] : 0;
    bool traits = format > FORMAT_HISTORY + FORMAT_AROUND;
    format = (uint8_t)(format - (traits ? FORMAT_TRAITS : 0));
    bool around = format > FORMAT_HISTORY;
    format = (uint8_t)(format - (around ? FORMAT_AROUND : 0));
    if (format != FORMAT_PLAIN && format != FORMAT_HISTORY) {
        return loy_error_set(error, LOY_ERR_CORRUPT, "member state of unknown format");
    }
    read.clock_us = loy_varint_get_signed(&in);
    uint64_t next_lot = loy_varint_get(&in);
    uint64_t wallet_count = loy_varint_get(&in);
    if (in.failed || next_lot < 1 || next_lot > INT32_MAX || wallet_count > LOY_WALLETS_MAX) {
        return loy_error_set(error, LOY_ERR_CORRUPT, "member state is damaged in its head");
    }
    read.next_lot = (int32_t)next_lot;
    read.wallet_count = (uint16_t)wallet_count;
    for (uint64_t i = 0; i < wallet_count; i++) {
        read.balances[i].available = loy_varint_get_signed(&in);
        read.balances[i].pending = loy_varint_get_signed(&in);
        read.balances[i].reserved = loy_varint_get_signed(&in);
    }
    enum loy_err err = decode_lots(&in, around, arena, &read, error);
    if (err) {
        return err;
    }
    if (format == FORMAT_HISTORY && !decode_history(&in, arena, &read)) {
        return loy_error_set(error, LOY_ERR_CORRUPT, "member state is damaged in its history");
    }
    if (traits && !decode_traits(&in, arena, &read)) {
        return loy_error_set(error, LOY_ERR_CORRUPT, "member state is damaged in its traits");
    }
    if (in.at != state.len) {
        return loy_error_set(error, LOY_ERR_CORRUPT, "member state has %zu bytes too many", state.len - in.at);
    }
    *account = read;
    return LOY_OK;
}

int64_t loy_account_due_us(const struct loy_account *account)
{
    int64_t due_us = LOY_NEVER;
    for (uint32_t i = 0; i < account->lot_count; i++) {
        const struct loy_lot *lot = &account->lots[i];
        int64_t next_us = lot->available_from_us != INT64_MIN ? lot->available_from_us : lot->expires_at_us;
        due_us = next_us < due_us ? next_us : due_us;
    }
    return due_us;
}

static size_t put_le(uint8_t *at, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        at[i] = (uint8_t)(value >> (8 * i));
    }
    return size;
}

struct loy_digest loy_account_digest(const struct loy_account *account, struct loy_str state)
{
    uint8_t numbers[24];
    uint8_t sha256[32];
    struct loy_digest digest;
    size_t at = put_le(numbers, (uint32_t)account->k, 4);
    at += put_le(numbers + at, (uint32_t)account->n, 4);
    at += put_le(numbers + at, (uint64_t)account->seq, 8);
    at += put_le(numbers + at, (uint64_t)account->version, 8);
    struct loy_str parts[] = {account->member_id, {(const char *)numbers, at}, state};
    loy_sha256_parts(parts, 3, sha256);
    memcpy(digest.bytes, sha256, sizeof digest.bytes);
    return digest;
}
