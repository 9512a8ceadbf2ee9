#include "ctl/audit_published.h"

#include "adapters/wire/json.h"
#include "adapters/wire/proto.h"
#include "loyalty/v1/update.pb-c.h"

#include <assert.h>

bool loy_published_init(struct loy_published *published, struct loy_arena *arena, uint32_t capacity, bool from_start)
{
    *published = (struct loy_published){.arena = arena, .capacity = capacity, .from_start = from_start};
    /* Not cleared as a whole: memory is touched where there are members. */
    published->members = loy_arena_alloc(arena, capacity * sizeof *published->members);
    return published->members && loy_table_init(&published->index, arena, capacity);
}

struct loy_published_member *loy_published_find(const struct loy_published *published, struct loy_str member_id)
{
    int32_t at = loy_table_find(&published->index, member_id);
    return at >= 0 ? &published->members[at] : NULL;
}

static struct loy_published_member *find_or_add(struct loy_published *published, struct loy_str member_id)
{
    struct loy_published_member *member = loy_published_find(published, member_id);
    if (member || published->count == published->capacity) {
        return member;
    }
    assert(published->members);
    struct loy_str copy = loy_str_copy(published->arena, member_id);
    if (!copy.at) {
        return NULL;
    }
    member = &published->members[published->count];
    *member = (struct loy_published_member){.member_id = copy};
    (void)loy_table_put(&published->index, copy, (int32_t)published->count++);
    return member;
}

static bool keep_balances(struct loy_published *published, struct loy_published_member *member,
                          const struct loy_published_record *record)
{
    /* Wallets are few and stay what they are: their names are copied once. */
    for (uint32_t i = 0; i < record->wallet_count; i++) {
        if (i >= member->wallet_count || !loy_str_equal(member->wallets[i], record->wallets[i])) {
            member->wallets[i] = loy_str_copy(published->arena, record->wallets[i]);
            if (!member->wallets[i].at) {
                return false;
            }
        }
        memcpy(member->balances[i], record->balances[i], sizeof member->balances[i]);
    }
    member->wallet_count = record->wallet_count;
    member->has_balances = true;
    return true;
}

enum loy_err loy_published_add(struct loy_published *published, const struct loy_published_record *record)
{
    uint32_t known = published->count;
    struct loy_published_member *member = find_or_add(published, record->member_id);
    if (!member) {
        return LOY_ERR_NO_MEMORY;
    }
    bool is_new = published->count > known;
    bool newer = is_new || record->incarnation > member->incarnation ||
                 (record->incarnation == member->incarnation && record->version > member->version);
    if (!newer) {
        return LOY_OK; /* published again, or by a worker that was late: a subscriber drops it */
    }
    /* A new incarnation goes on from its backup: only within one do versions follow each other. */
    bool follows = is_new ? !published->from_start || record->version == 1
                          : record->incarnation > member->incarnation || record->version == member->version + 1;
    if (!follows && member->gap_at == 0) {
        member->gap_after = member->version;
        member->gap_at = record->version;
    }
    member->incarnation = record->incarnation;
    member->version = record->version;
    return !record->has_balances || keep_balances(published, member, record) ? LOY_OK : LOY_ERR_NO_MEMORY;
}

enum loy_err loy_published_decode(struct loy_str bytes, struct loy_arena *arena,
                                  struct loy_published_record *ret_record, struct loy_error *error)
{
    ProtobufCMessage *message = NULL;
    const ProtobufCMessageDescriptor *descriptor = &loyalty__v1__update__descriptor;
    enum loy_err err = bytes.len > 0 && bytes.at[0] == '{'
                           ? loy_wire_json_read(descriptor, bytes, arena, &message, NULL, error)
                           : loy_wire_proto_read(descriptor, NULL, bytes, arena, arena, NULL, &message, error);
    if (err) {
        return err == LOY_ERR_NO_MEMORY ? err : LOY_ERR_CORRUPT;
    }
    const Loyalty__V1__Update *update = (const Loyalty__V1__Update *)message;
    if (!update->member_id || !update->has_version) {
        return loy_error_set(error, LOY_ERR_CORRUPT, "an update without member or version");
    }
    *ret_record = (struct loy_published_record){
        .member_id = loy_str(update->member_id), .incarnation = update->incarnation, .version = update->version};
    if (update->kind_case != LOYALTY__V1__UPDATE__KIND_BALANCE || update->balance->n_wallets > LOY_STORE_WALLETS_MAX) {
        return LOY_OK;
    }
    ret_record->has_balances = true;
    ret_record->wallet_count = (uint32_t)update->balance->n_wallets;
    for (uint32_t i = 0; i < ret_record->wallet_count; i++) {
        const Loyalty__V1__WalletBalance *wallet = update->balance->wallets[i];
        ret_record->wallets[i] = loy_str(wallet->wallet ? wallet->wallet : "");
        ret_record->balances[i][0] = wallet->available;
        ret_record->balances[i][1] = wallet->pending;
        ret_record->balances[i][2] = wallet->reserved;
    }
    return LOY_OK;
}
