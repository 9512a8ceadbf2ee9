#include "engine/traits.h"

#include "base/varint.h"
#include "engine/match.h"

/* --- reading ----------------------------------------------------------------------------------------------------- */

static bool has_value(enum loy_trait_kind kind)
{
    return kind >= LOY_TRAIT_ATTRIBUTE;
}

static bool read_one(struct loy_varint_reader *in, struct loy_trait *ret_trait)
{
    uint64_t kind = loy_varint_get(in);
    struct loy_str text = loy_varint_get_bytes(in, loy_varint_get(in));
    struct loy_str value = {0};
    if (kind >= LOY_TRAIT_ATTRIBUTE) {
        value = loy_varint_get_bytes(in, loy_varint_get(in));
    }
    if (in->failed || kind < 1 || kind > LOY_TRAIT_SKU) {
        return false;
    }
    *ret_trait = (struct loy_trait){(enum loy_trait_kind)kind, text, value};
    return true;
}

bool loy_traits_next(struct loy_str traits, size_t *at, struct loy_trait *ret_trait)
{
    struct loy_varint_reader in = {.bytes = traits, .at = *at};
    if (*at >= traits.len || !read_one(&in, ret_trait)) {
        return false;
    }
    *at = in.at;
    return true;
}

struct loy_str loy_traits_text(struct loy_str traits, enum loy_trait_kind kind)
{
    struct loy_trait trait;
    for (size_t at = 0; loy_traits_next(traits, &at, &trait);) {
        if (trait.kind == kind) {
            return trait.text;
        }
    }
    return (struct loy_str){0};
}

bool loy_traits_have(struct loy_str traits, enum loy_trait_kind kind, struct loy_str text)
{
    struct loy_trait trait;
    for (size_t at = 0; loy_traits_next(traits, &at, &trait);) {
        if (trait.kind == kind && loy_str_equal(trait.text, text)) {
            return true;
        }
    }
    return false;
}

static int order(const struct loy_trait *a, const struct loy_trait *b)
{
    return a->kind != b->kind ? (int)a->kind - (int)b->kind : loy_str_compare(a->text, b->text);
}

bool loy_traits_are_valid(struct loy_str traits)
{
    struct loy_varint_reader in = {.bytes = traits};
    struct loy_trait before = {0}, trait;
    bool first = true;
    if (traits.len == 0 || traits.len > LOY_TRAITS_BYTES_MAX) {
        return false;
    }
    for (; in.at < traits.len; before = trait, first = false) {
        if (!read_one(&in, &trait) || (!first && order(&before, &trait) >= 0) || trait.text.len == 0 ||
            (has_value(trait.kind) && trait.value.len == 0)) {
            return false;
        }
    }
    return true;
}

/* --- changing ---------------------------------------------------------------------------------------------------- */

struct editing {
    const struct loy_programme *programme;
    struct loy_trait *traits; /* in order */
    uint32_t count;
};

/* Whether the programme asks for it. */
static bool is_kept(const struct loy_programme *programme, const struct loy_trait *trait)
{
    if (trait->kind == LOY_TRAIT_ATTRIBUTE) {
        return loy_text_set_has(programme->attributes, trait->text);
    }
    if (trait->kind == LOY_TRAIT_CATEGORY || trait->kind == LOY_TRAIT_SKU) {
        return loy_text_set_has(trait->kind == LOY_TRAIT_SKU ? programme->fact_skus : programme->fact_categories,
                                trait->text);
    }
    if (trait->kind != LOY_TRAIT_SEGMENT) {
        return (programme->traits & 1u << trait->kind) != 0;
    }
    for (uint32_t i = 0; i < programme->segment_count; i++) {
        if (!programme->segments[i].when && loy_str_equal(programme->segments[i].id, trait->text)) {
            return true;
        }
    }
    return false;
}

static void take_out(struct editing *edit, enum loy_trait_kind kind, struct loy_str text, bool all)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < edit->count; i++) {
        const struct loy_trait *trait = &edit->traits[i];
        if (trait->kind != kind || (!all && !loy_str_equal(trait->text, text))) {
            edit->traits[kept++] = *trait;
        }
    }
    edit->count = kept;
}

/* In its place; what the programme does not ask for, and what is empty, is left out. */
static void put_in(struct editing *edit, struct loy_trait trait)
{
    bool empty = trait.text.len == 0 || (has_value(trait.kind) && trait.value.len == 0);
    if (empty || !is_kept(edit->programme, &trait)) {
        return;
    }
    uint32_t at = edit->count++;
    for (; at > 0 && order(&edit->traits[at - 1], &trait) > 0; at--) {
        edit->traits[at] = edit->traits[at - 1];
    }
    edit->traits[at] = trait;
}

static void replace(struct editing *edit, enum loy_trait_kind kind, struct loy_str text)
{
    if (text.at) {
        take_out(edit, kind, text, true);
        put_in(edit, (struct loy_trait){kind, text, {0}});
    }
}

static void add(struct editing *edit, enum loy_trait_kind kind, struct loy_str text)
{
    take_out(edit, kind, text, false);
    put_in(edit, (struct loy_trait){kind, text, {0}});
}

static void edit_profile(struct editing *edit, const struct loy_member_change *change)
{
    replace(edit, LOY_TRAIT_BIRTH_DATE, change->birth_date);
    replace(edit, LOY_TRAIT_GENDER, change->gender);
    replace(edit, LOY_TRAIT_CITY, change->city);
    replace(edit, LOY_TRAIT_LANGUAGE, change->language);
    replace(edit, LOY_TRAIT_CONTACT, change->preferred_contact);
    if (change->consent_count > 0) {
        take_out(edit, LOY_TRAIT_CONSENT, (struct loy_str){0}, true);
    }
    for (uint32_t i = 0; i < change->consent_count; i++) {
        add(edit, LOY_TRAIT_CONSENT, change->consents[i]);
    }
}

static void edit_segments(struct editing *edit, const struct loy_member_change *change)
{
    for (uint32_t i = 0; i < change->enter_count; i++) {
        add(edit, LOY_TRAIT_SEGMENT, change->enter[i]);
    }
    for (uint32_t i = 0; i < change->leave_count; i++) {
        take_out(edit, LOY_TRAIT_SEGMENT, change->leave[i], false);
    }
    for (uint32_t i = 0; i < change->attribute_count; i++) {
        const struct loy_attribute *row = &change->attributes[i];
        take_out(edit, LOY_TRAIT_ATTRIBUTE, row->key, false);
        put_in(edit, (struct loy_trait){LOY_TRAIT_ATTRIBUTE, row->key, row->value});
    }
}

/* What is known already, as far as this programme asks for it. */
static enum loy_err begin(struct editing *edit, struct loy_str traits, uint32_t more, struct loy_arena *arena)
{
    struct loy_trait trait;
    uint32_t count = more;
    for (size_t at = 0; loy_traits_next(traits, &at, &trait);) {
        count++;
    }
    edit->traits = LOY_NEW_ARRAY(arena, struct loy_trait, count);
    if (!edit->traits) {
        return LOY_ERR_NO_MEMORY;
    }
    for (size_t at = 0; loy_traits_next(traits, &at, &trait);) {
        if (is_kept(edit->programme, &trait)) {
            edit->traits[edit->count++] = trait;
        }
    }
    return LOY_OK;
}

static enum loy_err write(const struct editing *edit, struct loy_arena *arena, struct loy_str *ret_traits,
                          struct loy_error *error)
{
    struct loy_buf buf;
    loy_buf_init(&buf, arena, 64);
    for (uint32_t i = 0; i < edit->count; i++) {
        const struct loy_trait *trait = &edit->traits[i];
        loy_varint_put(&buf, trait->kind);
        loy_varint_put(&buf, trait->text.len);
        loy_buf_append(&buf, trait->text);
        if (has_value(trait->kind)) {
            loy_varint_put(&buf, trait->value.len);
            loy_buf_append(&buf, trait->value);
        }
    }
    if (buf.failed) {
        return loy_error_set(error, LOY_ERR_NO_MEMORY, "no room for what is known of a member");
    }
    if (buf.len > LOY_TRAITS_BYTES_MAX) {
        return loy_error_set(error, LOY_ERR_STATE_TOO_LARGE,
                             "what the programme keeps of the member's profile, segments and attributes would take %zu "
                             "bytes: at most %d",
                             buf.len, LOY_TRAITS_BYTES_MAX);
    }
    *ret_traits = loy_buf_str(&buf);
    return LOY_OK;
}

static enum loy_err set_level(struct loy_account *account, const struct loy_programme *programme, struct loy_str level,
                              struct loy_error *error)
{
    int32_t number = 0;
    for (uint32_t i = 0; i < programme->level_count; i++) {
        number = loy_str_equal(programme->levels[i].id, level) ? programme->levels[i].number : number;
    }
    if (number == 0 && level.len && programme->level_count) {
        return loy_error_set(error, LOY_ERR_INVALID_VALUE, "member_change.level_change.level: there is no level '%.*s'",
                             LOY_STR_ARG(level));
    }
    account->level = number;
    return LOY_OK;
}

enum loy_err loy_traits_change(struct loy_account *account, const struct loy_programme *programme,
                               const struct loy_member_change *change, struct loy_arena *arena, struct loy_error *error)
{
    struct editing edit = {.programme = programme};
    struct loy_str traits = change->what == LOY_CHANGE_ERASE ? (struct loy_str){0} : account->traits;
    uint32_t more = 5 + change->consent_count + change->enter_count + change->attribute_count;
    enum loy_err err = begin(&edit, traits, more, arena);
    if (err) {
        return loy_error_set(error, err, "no room for what is known of a member");
    }
    if (change->what == LOY_CHANGE_LEVEL) {
        err = set_level(account, programme, change->level, error);
    } else if (change->what == LOY_CHANGE_PROFILE) {
        edit_profile(&edit, change);
    } else if (change->what == LOY_CHANGE_SEGMENTS) {
        edit_segments(&edit, change);
    }
    return err ? err : write(&edit, arena, &account->traits, error);
}

/* --- what was bought --------------------------------------------------------------------------------------------- */

int64_t loy_trait_moment_us(const struct loy_trait *trait)
{
    struct loy_varint_reader in = {.bytes = trait->value};
    return loy_varint_get_signed(&in) * LOY_US_PER_SECOND; /* of years up to 9999: fits */
}

static void remember(struct editing *edit, enum loy_trait_kind kind, struct loy_str text, int64_t at_us,
                     struct loy_arena *arena)
{
    struct loy_buf buf;
    for (uint32_t i = 0; i < edit->count; i++) {
        const struct loy_trait *trait = &edit->traits[i];
        if (trait->kind == kind && loy_str_equal(trait->text, text) && loy_trait_moment_us(trait) >= at_us) {
            return;
        }
    }
    loy_buf_init(&buf, arena, LOY_VARINT_MAX);
    loy_varint_put_signed(&buf, at_us / LOY_US_PER_SECOND);
    take_out(edit, kind, text, false);
    put_in(edit, (struct loy_trait){kind, text, loy_buf_str(&buf)});
}

enum loy_err loy_traits_purchase(struct loy_account *account, const struct loy_programme *programme,
                                 const struct loy_purchase *purchase, int64_t at_us, struct loy_arena *arena)
{
    struct editing edit = {.programme = programme};
    enum loy_err err = begin(&edit, account->traits, purchase->line_count * 2, arena);
    for (uint32_t i = 0; !err && i < purchase->line_count; i++) {
        const struct loy_line *line = &purchase->lines[i];
        if (loy_text_set_has(programme->fact_categories, line->category)) {
            remember(&edit, LOY_TRAIT_CATEGORY, line->category, at_us, arena);
        }
        if (loy_text_set_has(programme->fact_skus, line->sku)) {
            remember(&edit, LOY_TRAIT_SKU, line->sku, at_us, arena);
        }
    }
    err = err ? err : write(&edit, arena, &account->traits, NULL);
    return err == LOY_ERR_STATE_TOO_LARGE ? LOY_OK : err;
}
