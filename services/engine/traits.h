/* Traits: what other systems told of a member and the programme in force asks for: profile, consents, segments and
 * attributes of a CRM; and when the member last bought of the categories and SKUs that the programme declares.
 *
 * One canonical run of bytes in the member's state (account.h): by kind, then by text, each once: kind as a varint,
 * then the text's bytes behind their number; from ATTRIBUTE on a value too, in the same way. Only what the programme
 * names is kept: a fact that a later revision names first is known from the next event that tells it. Pure. Test:
 * tests/unit/test_traits.c. */
#ifndef LOY_ENGINE_TRAITS_H
#define LOY_ENGINE_TRAITS_H

#include "engine/account.h"
#include "engine/event.h"
#include "engine/programme.h"

enum { LOY_TRAITS_BYTES_MAX = 1024 }; /* of a member */

struct loy_trait {
    enum loy_trait_kind kind;
    struct loy_str text;  /* of an ATTRIBUTE its name; of a CATEGORY or SKU its code */
    struct loy_str value; /* of an ATTRIBUTE; of a CATEGORY or SKU the second, as a signed varint */
};

/* The next one of valid traits: false past the last. *at begins as 0. */
bool loy_traits_next(struct loy_str traits, size_t *at, struct loy_trait *ret_trait);
/* The first one of the kind; an empty text: none. */
struct loy_str loy_traits_text(struct loy_str traits, enum loy_trait_kind kind);
bool loy_traits_have(struct loy_str traits, enum loy_trait_kind kind, struct loy_str text);
/* Whether the bytes are traits as they are written here, and some. */
bool loy_traits_are_valid(struct loy_str traits);

/* Applies a change to account->traits and account->level. STATE_TOO_LARGE past LOY_TRAITS_BYTES_MAX; INVALID_VALUE for
 * a level that a programme with levels does not have. */
LOY_MUST_USE enum loy_err loy_traits_change(struct loy_account *account, const struct loy_programme *programme,
                                            const struct loy_member_change *change, struct loy_arena *arena,
                                            struct loy_error *error);

/* The moment of a CATEGORY or SKU. */
int64_t loy_trait_moment_us(const struct loy_trait *trait);

/* Remembers what was bought at at_us of the declared categories and SKUs, unless it was bought later already. What does
 * not fit LOY_TRAITS_BYTES_MAX beside the rest is not remembered: a purchase is never refused for it. NO_MEMORY. */
LOY_MUST_USE enum loy_err loy_traits_purchase(struct loy_account *account, const struct loy_programme *programme,
                                              const struct loy_purchase *purchase, int64_t at_us,
                                              struct loy_arena *arena);

#endif
