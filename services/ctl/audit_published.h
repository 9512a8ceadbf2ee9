/* Audit published: what one partition of an output topic says of its members, while it is read.
 *
 * Grows with the members of one partition, never with the topic's length. The caller's arena. Pure but for it. Test:
 * tests/unit/test_ctl_audit.c. */
#ifndef LOY_CTL_AUDIT_PUBLISHED_H
#define LOY_CTL_AUDIT_PUBLISHED_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "base/table.h"
#include "ports/store.h"

#include <stdbool.h>
#include <stdint.h>

/* What a record says, whichever its form. */
struct loy_published_record {
    struct loy_str member_id;
    int32_t incarnation;
    int64_t version;
    bool has_balances;
    uint32_t wallet_count;
    struct loy_str wallets[LOY_STORE_WALLETS_MAX];
    int64_t balances[LOY_STORE_WALLETS_MAX][3]; /* available, pending, reserved */
};

/* A member, as a subscriber who keeps the higher (incarnation, version) knows it. */
struct loy_published_member {
    struct loy_str member_id;
    int32_t incarnation;
    int64_t version;
    int64_t gap_after, gap_at; /* the first versions that did not follow each other; gap_at 0: none */
    bool has_balances;
    bool committed; /* a row of the database has been found for it */
    uint32_t wallet_count;
    struct loy_str wallets[LOY_STORE_WALLETS_MAX];
    int64_t balances[LOY_STORE_WALLETS_MAX][3];
};

struct loy_published {
    struct loy_arena *arena;
    struct loy_table index;
    struct loy_published_member *members;
    uint32_t count, capacity;
    bool from_start; /* nothing has been deleted from the partition: versions begin with 1 */
};

/* Room for so many members; false when the arena is full. */
LOY_MUST_USE bool loy_published_init(struct loy_published *published, struct loy_arena *arena, uint32_t capacity,
                                     bool from_start);
/* Takes in the next record. LOY_ERR_NO_MEMORY when there are more members than there is room for. */
LOY_MUST_USE enum loy_err loy_published_add(struct loy_published *published, const struct loy_published_record *record);
/* NULL: never published. */
struct loy_published_member *loy_published_find(const struct loy_published *published, struct loy_str member_id);

/* Reads an Update, as protobuf or JSON. LOY_ERR_CORRUPT for other bytes. Texts in the arena. */
LOY_MUST_USE enum loy_err loy_published_decode(struct loy_str bytes, struct loy_arena *arena,
                                               struct loy_published_record *ret_record, struct loy_error *error);

#endif
