#include "ctl/audit_state.h"

struct reader {
    struct loy_str bytes;
    size_t at;
    const char *wrong; /* the first thing; NULL: nothing */
};

static uint64_t read_unsigned(struct reader *in)
{
    uint64_t value = 0;
    for (int shift = 0; !in->wrong; shift += 7) {
        if (in->at >= in->bytes.len) {
            in->wrong = "it ends too early";
            break;
        }
        uint8_t byte = (uint8_t)in->bytes.at[in->at++];
        if (shift == 63 && byte > 1) {
            in->wrong = "a number has more than 64 bits";
            break;
        }
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            in->wrong = byte == 0 && shift > 0 ? "a number is longer than it has to be" : NULL;
            break;
        }
    }
    return in->wrong ? 0 : value;
}

static int64_t read_signed(struct reader *in)
{
    uint64_t value = read_unsigned(in);
    return (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
}

static int64_t read_up_to(struct reader *in, uint64_t max, const char *otherwise)
{
    uint64_t value = read_unsigned(in);
    if (!in->wrong && value > max) {
        in->wrong = otherwise;
    }
    return in->wrong ? 0 : (int64_t)value;
}

static void read_lot(struct reader *in, int64_t before, uint32_t wallets, struct loy_audit_lot *lot)
{
    int64_t gap = read_up_to(in, INT32_MAX, "a lot's number is too large");
    int64_t span = read_up_to(in, INT32_MAX, "a lot's number is too large");
    int64_t kind = read_up_to(in, INT32_MAX, "a lot's wallet is too large");
    *lot = (struct loy_audit_lot){
        .first = before + gap,
        .last = before + gap + span,
        .wallet = (uint32_t)(kind >> 2),
        .pending = (kind & 1) != 0,
        .expires = (kind & 2) != 0,
    };
    lot->points = read_up_to(in, INT64_MAX, "a lot's points are too many");
    lot->available_from_s = lot->pending ? read_signed(in) : 0;
    lot->expires_at_s = lot->expires ? read_signed(in) : 0;
    if (in->wrong) {
        return;
    }
    if (gap == 0) {
        in->wrong = "lots are not in ascending order";
    } else if (lot->points == 0) {
        in->wrong = "a lot has no points left";
    } else if (lot->wallet >= wallets) {
        in->wrong = "a lot is of a wallet that the member does not have";
    }
}

/* Days of purchases and counters: their shape is checked, and that format 2 was needed at all. */
static void read_history(struct reader *in)
{
    bool needed = read_up_to(in, INT32_MAX, "the level's number is too large") > 0;
    if (read_up_to(in, INT64_MAX, "the purchases are too many") > 0) {
        needed = true;
        (void)read_signed(in);
        int64_t first = read_signed(in), last = read_signed(in);
        in->wrong = !in->wrong && first > last ? "the first purchase is later than the last" : in->wrong;
    }
    int64_t days = read_up_to(in, LOY_AUDIT_LOTS_MAX * 4, "it has too many days");
    if (days > 0 && read_up_to(in, INT32_MAX, "the days' revision is too large") == 0 && !in->wrong) {
        in->wrong = "its days are of no revision";
    }
    for (int64_t i = 0; i < days && !in->wrong; i++) {
        bool later = i == 0 ? (read_signed(in), true) : read_unsigned(in) > 0;
        bool bought = read_up_to(in, INT64_MAX, "a day's purchases are too many") > 0;
        (void)read_signed(in);
        if (!in->wrong && (!later || !bought)) {
            in->wrong = later ? "a day has no purchase" : "days are not in ascending order";
        }
    }
    int64_t counters = read_up_to(in, LOY_AUDIT_LOTS_MAX * 4, "it has too many counters");
    int64_t key = 0;
    for (int64_t i = 0; i < counters && !in->wrong; i++) {
        int64_t gap = read_up_to(in, UINT32_MAX, "a counter's key is too large");
        (void)read_signed(in);
        bool used = read_signed(in) != 0;
        key += gap;
        if (!in->wrong && (gap == 0 || key > UINT32_MAX || !used)) {
            in->wrong = used ? "counters are not in ascending order" : "a counter counts nothing";
        }
    }
    if (!in->wrong && !needed && days == 0 && counters == 0) {
        in->wrong = "its format is 2, but there is nothing that format 1 has not";
    }
}

/* Texts of a profile, segments, attributes, and when categories and SKUs were bought: 1 to 10, then a text; from 8 on a
 * second one. In ascending order, none empty. */
static void read_traits(struct reader *in)
{
    size_t end = (size_t)read_up_to(in, 1024, "its traits are too long") + in->at;
    struct loy_str before = {0};
    int64_t kind_before = 0;
    if (!in->wrong && (end == in->at || end > in->bytes.len)) {
        in->wrong = end == in->at ? "its format says traits, and there are none" : "it ends too early";
    }
    while (!in->wrong && in->at < end) {
        int64_t kind = read_up_to(in, 10, "a trait is of no kind");
        struct loy_str text = {0};
        for (int i = 0; !in->wrong && i < (kind >= 8 ? 2 : 1); i++) {
            size_t len = (size_t)read_up_to(in, 1024, "a trait is too long");
            if (!in->wrong && (len == 0 || len > end - in->at)) {
                in->wrong = len == 0 ? "a trait is empty" : "a trait ends too late";
                break;
            }
            struct loy_str bytes = {in->bytes.at + in->at, len};
            text = i == 0 ? bytes : text;
            in->at += len;
        }
        if (!in->wrong && (kind < kind_before || (kind == kind_before && loy_str_compare(text, before) <= 0))) {
            in->wrong = "traits are not in ascending order";
        }
        kind_before = kind;
        before = text;
    }
}

static bool follows(const struct loy_audit_lot *a, const struct loy_audit_lot *b)
{
    return a->wallet > b->wallet || (a->wallet == b->wallet && a->first > b->first);
}

/* Reads the lots, and puts those of a wallet together. */
static void read_lots(struct reader *in, bool around, struct loy_audit_state *state)
{
    bool found_around = false;
    const struct loy_audit_lot none = {0};
    struct loy_audit_lot before = none;
    state->lot_count = (uint32_t)read_up_to(in, LOY_AUDIT_LOTS_MAX, "it has too many lots");
    for (uint32_t i = 0; i < state->lot_count && !in->wrong; i++) {
        struct loy_audit_lot lot;
        read_lot(in, around ? before.first : before.last, state->wallet_count, &lot);
        found_around = found_around || (i > 0 && lot.first <= before.last);
        before = lot;
        uint32_t at = i;
        for (; at > 0 && follows(&state->lots[at - 1], &lot); at--) {
            state->lots[at] = state->lots[at - 1];
        }
        state->lots[at] = lot;
        if (at > 0 && state->lots[at - 1].wallet == lot.wallet && state->lots[at - 1].last >= lot.first) {
            in->wrong = "lots of a wallet overlap";
        }
    }
    if (!in->wrong && around && !found_around) {
        in->wrong = "its format is 3 or 4, but no lot lies around another";
    }
}

enum loy_err loy_audit_state_read(struct loy_str bytes, struct loy_audit_state *ret_state, struct loy_error *error)
{
    struct reader in = {.bytes = bytes};
    uint64_t format = read_unsigned(&in);
    bool traits = format > 4;
    if ((format < 1 || format > 8) && !in.wrong) {
        in.wrong = "its format is none of 1 to 8";
    }
    format -= traits ? 4 : 0;
    bool around = format == 3 || format == 4;
    ret_state->clock_us = read_signed(&in);
    ret_state->next_lot = read_up_to(&in, INT32_MAX, "the next lot's number is too large");
    ret_state->wallet_count = (uint32_t)read_up_to(&in, LOY_AUDIT_WALLETS_MAX, "it has too many wallets");
    for (uint32_t i = 0; i < ret_state->wallet_count; i++) {
        ret_state->available[i] = read_signed(&in);
        ret_state->pending[i] = read_signed(&in);
        ret_state->reserved[i] = read_signed(&in);
    }
    read_lots(&in, around, ret_state);
    if ((format == 2 || format == 4) && !in.wrong) {
        read_history(&in);
    }
    if (traits && !in.wrong) {
        read_traits(&in);
    }
    if (!in.wrong && in.at != bytes.len) {
        in.wrong = "bytes follow its end";
    }
    return in.wrong ? loy_error_set(error, LOY_ERR_CORRUPT, "%s (byte %zu of %zu)", in.wrong, in.at, bytes.len)
                    : LOY_OK;
}

int64_t loy_audit_state_due_s(const struct loy_audit_state *state)
{
    int64_t earliest = INT64_MAX;
    for (uint32_t i = 0; i < state->lot_count; i++) {
        const struct loy_audit_lot *lot = &state->lots[i];
        if (lot->pending && lot->available_from_s < earliest) {
            earliest = lot->available_from_s;
        } else if (!lot->pending && lot->expires && lot->expires_at_s < earliest) {
            earliest = lot->expires_at_s;
        }
    }
    return earliest;
}

struct loy_audit_lot *loy_audit_state_lot(struct loy_audit_state *state, uint32_t wallet, int64_t number,
                                          uint32_t *ret_before)
{
    /* Lots before `from` are of wallets before this one, or end before the number; those from `until` are not. */
    uint32_t from = 0, until = state->lot_count;
    while (from < until) {
        uint32_t middle = from + (until - from) / 2;
        const struct loy_audit_lot *lot = &state->lots[middle];
        if (lot->wallet < wallet || (lot->wallet == wallet && lot->last < number)) {
            from = middle + 1;
        } else {
            until = middle;
        }
    }
    *ret_before = from;
    struct loy_audit_lot *lot = from < state->lot_count ? &state->lots[from] : NULL;
    return lot && lot->first <= number && lot->wallet == wallet ? lot : NULL;
}
