#include "ctl/spoil.h"

/* The channel of a record whose text is to become invalid: found again in the bytes by these letters. */
#define MARK "zzUTF8zz"

void loy_spoil_message(enum loy_record_sort sort, Loyalty__V1__Event *event, struct loy_rng *rng,
                       struct loy_arena *arena)
{
    switch (sort) {
    case LOY_RECORD_WRONG_TOTAL:
        event->purchase->total_minor += loy_rng_between(rng, 1, 100);
        break;
    case LOY_RECORD_UNKNOWN_KIND:
        /* The kind itself is added to the bytes. */
        event->kind_case = LOYALTY__V1__EVENT__KIND__NOT_SET;
        event->purchase = NULL;
        break;
    case LOY_RECORD_INVALID_UTF8:
        event->channel = loy_str_dup_z(arena, LOY_STR(MARK));
        break;
    case LOY_RECORD_BAD_MEMBER:
        event->member_id = loy_rng_chance(rng, 500000)
                               ? loy_str_dup_z(arena, LOY_STR("~card:4276"))
                               : loy_str_dup_z(arena, LOY_STR("m-0123456789012345678901234567890123456789"
                                                              "0123456789012345678901234567890123456789"));
        break;
    default:
        break;
    }
}

/* At least the last byte goes, and never more than the end of the last field: protobuf that is cut between two fields
 * would be a good message with less in it. */
static struct loy_str cut_off(struct loy_str encoded, struct loy_rng *rng)
{
    encoded.len -= 1 + loy_rng_below(rng, encoded.len > 40 ? 20 : 1);
    return encoded;
}

static struct loy_str with_unknown_kind(struct loy_str encoded, bool json, struct loy_arena *arena)
{
    struct loy_buf buf;
    loy_buf_init(&buf, arena, encoded.len + 64);
    if (json) {
        encoded.len -= encoded.len > 0; /* the closing brace */
        loy_buf_append(&buf, encoded);
        loy_buf_append(&buf, LOY_STR(",\"teleportation\":{\"to\":\"Mars\"}}"));
    } else {
        loy_buf_append(&buf, encoded);
        /* Field 45, bytes: "Mars". */
        loy_buf_append(&buf, LOY_STR("\xea\x02\x04Mars"));
    }
    return loy_buf_str(&buf);
}

static struct loy_str with_invalid_text(struct loy_str encoded, struct loy_arena *arena)
{
    char *copy = loy_arena_copy(arena, encoded.at, encoded.len);
    char *mark = copy ? memmem(copy, encoded.len, MARK, sizeof MARK - 1) : NULL;
    if (!mark) {
        return (struct loy_str){NULL, 0};
    }
    mark[2] = (char)0xc3; /* begins a sequence that does not go on */
    return (struct loy_str){copy, encoded.len};
}

struct loy_str loy_spoil_bytes(enum loy_record_sort sort, struct loy_str encoded, bool json, struct loy_rng *rng,
                               struct loy_arena *arena)
{
    switch (sort) {
    case LOY_RECORD_CUT_OFF:
        return cut_off(encoded, rng);
    case LOY_RECORD_UNKNOWN_KIND:
        return with_unknown_kind(encoded, json, arena);
    case LOY_RECORD_INVALID_UTF8:
        return with_invalid_text(encoded, arena);
    default:
        return encoded;
    }
}
