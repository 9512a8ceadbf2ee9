/* Traits: what is told of a member is kept as far as the programme asks, in bytes that are always the same. */
#include "support/cmocka_all.h"

#include "ctl/audit_state.h"
#include "engine/traits.h"

#include <stdio.h>

static char block[1 << 20];
static struct loy_arena arena;
static struct loy_account account;
static struct loy_audit_state read_state;

static const struct loy_str shoe_size = {"shoe_size", 9};
static const struct loy_str phone = {"phone", 5};
static const struct loy_segment segments[] = {
    {.id = {"silent", 6}, .when = (const void *)&shoe_size}, {.id = {"staff", 5}}, {.id = {"press", 5}}};
static const struct loy_level levels[] = {{.number = 4, .id = {"gold", 4}}};
static const struct loy_programme programme = {
    .segments = segments,
    .segment_count = 3,
    .levels = levels,
    .level_count = 1,
    .attributes = {&shoe_size, 1},
    .fact_categories = {&phone, 1},
    .fact_skus = {&phone, 1},
    .traits = 1u << LOY_TRAIT_CITY | 1u << LOY_TRAIT_CONSENT,
};

static int set_up(void **state)
{
    (void)state;
    loy_arena_init(&arena, block, sizeof block);
    loy_account_init(&account, LOY_STR("anna"), 3);
    return 0;
}

static enum loy_err change(const struct loy_member_change *change_, struct loy_error *error)
{
    return loy_traits_change(&account, &programme, change_, &arena, error);
}

static void in_city(const char *city)
{
    const struct loy_member_change told = {.what = LOY_CHANGE_PROFILE, .city = loy_str(city), .gender = LOY_STR("f")};
    assert_int_equal(change(&told, NULL), LOY_OK);
}

static void assert_text(enum loy_trait_kind kind, const char *text)
{
    struct loy_str found = loy_traits_text(account.traits, kind);
    assert_true(loy_str_equal(found, loy_str(text)));
}

static void only_what_the_programme_asks_for_is_kept(void **state)
{
    (void)state;
    in_city("Kazan");
    assert_text(LOY_TRAIT_CITY, "Kazan");
    assert_text(LOY_TRAIT_GENDER, "");
    const struct loy_str enter[] = {LOY_STR("staff"), LOY_STR("unheard_of"), LOY_STR("silent")};
    const struct loy_attribute attributes[] = {{LOY_STR("shoe_size"), LOY_STR("41")}, {LOY_STR("hat"), LOY_STR("m")}};
    const struct loy_member_change told = {
        .what = LOY_CHANGE_SEGMENTS, .enter = enter, .enter_count = 3, .attributes = attributes, .attribute_count = 2};
    assert_int_equal(change(&told, NULL), LOY_OK);
    assert_true(loy_traits_have(account.traits, LOY_TRAIT_SEGMENT, LOY_STR("staff")));
    assert_false(loy_traits_have(account.traits, LOY_TRAIT_SEGMENT, LOY_STR("unheard_of")));
    assert_false(loy_traits_have(account.traits, LOY_TRAIT_SEGMENT, LOY_STR("silent"))); /* has a condition */
    assert_true(loy_traits_have(account.traits, LOY_TRAIT_ATTRIBUTE, LOY_STR("shoe_size")));
    assert_false(loy_traits_have(account.traits, LOY_TRAIT_ATTRIBUTE, LOY_STR("hat")));
}

static void what_is_told_again_replaces_and_what_is_not_spoken_of_stays(void **state)
{
    (void)state;
    in_city("Kazan");
    in_city("Tver");
    assert_text(LOY_TRAIT_CITY, "Tver");
    const struct loy_str consents[] = {LOY_STR("sms"), LOY_STR("email"), LOY_STR("sms")};
    const struct loy_member_change told = {.what = LOY_CHANGE_PROFILE, .consents = consents, .consent_count = 3};
    assert_int_equal(change(&told, NULL), LOY_OK);
    assert_text(LOY_TRAIT_CITY, "Tver");
    assert_text(LOY_TRAIT_CONSENT, "email"); /* the first of them, in order */
    in_city("");
    assert_text(LOY_TRAIT_CITY, "");
    assert_true(loy_traits_have(account.traits, LOY_TRAIT_CONSENT, LOY_STR("sms")));
    const struct loy_member_change erase = {.what = LOY_CHANGE_ERASE};
    assert_int_equal(change(&erase, NULL), LOY_OK);
    assert_int_equal(account.traits.len, 0);
}

static void a_level_is_set_and_taken_and_one_that_is_none_is_refused(void **state)
{
    (void)state;
    struct loy_error error;
    struct loy_member_change told = {.what = LOY_CHANGE_LEVEL, .level = LOY_STR("gold")};
    assert_int_equal(change(&told, NULL), LOY_OK);
    assert_int_equal(account.level, 4);
    told.level = LOY_STR("glod");
    assert_int_equal(change(&told, &error), LOY_ERR_INVALID_VALUE);
    assert_non_null(strstr(error.detail, "there is no level 'glod'"));
    told.level = LOY_STR("");
    assert_int_equal(change(&told, NULL), LOY_OK);
    assert_int_equal(account.level, 0);
}

static void more_than_a_state_may_hold_is_refused(void **state)
{
    (void)state;
    static char texts[64][80];
    struct loy_str consents[64];
    struct loy_error error;
    for (int i = 0; i < 64; i++) {
        (void)snprintf(texts[i], sizeof texts[i], "consent-%02d-%050d", i, i);
        consents[i] = loy_str(texts[i]);
    }
    struct loy_member_change told = {.what = LOY_CHANGE_PROFILE, .consents = consents, .consent_count = 16};
    assert_int_equal(change(&told, NULL), LOY_OK);
    told.consent_count = 64;
    assert_int_equal(change(&told, &error), LOY_ERR_STATE_TOO_LARGE);
    assert_non_null(strstr(error.detail, "at most 1024"));
}

/* Whatever comes in whatever order: the bytes are read back by both readers, and say what was told last. */
static void any_changes_give_bytes_that_both_readers_take(void **state)
{
    (void)state;
    static const struct loy_str names[] = {{"staff", 5}, {"press", 5}, {"silent", 6}, {"email", 5}, {"", 0}};
    uint64_t random = 1;
    for (int round = 0; round < 5000; round++) {
        random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
        if (round % 50 == 0) {
            set_up(NULL);
        }
        const struct loy_attribute attribute = {shoe_size, names[random >> 40 & 3]};
        const struct loy_member_change told = {
            .what = random >> 33 & 1 ? LOY_CHANGE_SEGMENTS : LOY_CHANGE_PROFILE,
            .city = random >> 34 & 1 ? names[random >> 50 & 3] : (struct loy_str){0},
            .consents = &names[random >> 35 & 3],
            .consent_count = random >> 55 & 1,
            .enter = &names[random >> 37 & 1],
            .enter_count = random >> 56 & 3,
            .leave = &names[random >> 39 & 1],
            .leave_count = random >> 58 & 1,
            .attributes = &attribute,
            .attribute_count = random >> 59 & 1,
        };
        assert_int_equal(change(&told, NULL), LOY_OK);
        struct loy_str bytes, again;
        struct loy_account back;
        loy_account_init(&back, account.member_id, account.k);
        assert_int_equal(loy_account_encode(&account, &arena, &bytes), LOY_OK);
        assert_int_equal(loy_account_decode(bytes, &arena, &back, NULL), LOY_OK);
        assert_true(loy_str_equal(back.traits, account.traits));
        assert_int_equal(loy_account_encode(&back, &arena, &again), LOY_OK);
        assert_true(loy_str_equal(bytes, again));
        assert_int_equal(loy_audit_state_read(bytes, &read_state, NULL), LOY_OK);
        for (size_t cut = 1; round % 100 == 99 && cut < bytes.len; cut++) {
            struct loy_str part = {bytes.at, cut};
            assert_int_not_equal(loy_account_decode(part, &arena, &back, NULL), LOY_OK);
            assert_int_not_equal(loy_audit_state_read(part, &read_state, NULL), LOY_OK);
        }
        if (told.what == LOY_CHANGE_PROFILE && told.city.at) {
            assert_true(loy_str_equal(loy_traits_text(account.traits, LOY_TRAIT_CITY), told.city));
        }
    }
}

static void traits_that_are_not_as_they_are_written_are_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "\x03\x00",             /* empty */
        "\x03\x02Ka\x03\x02Ka", /* twice */
        "\x03\x02Ka\x01\x01x",  /* in another order */
        "\x0b\x01x",            /* of no kind */
        "\x08\x01x\x01",        /* cut off */
        "\x0a\x01x\x00",        /* bought at no time */
    };
    static const size_t lengths[] = {2, 8, 7, 3, 4, 4};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_false(loy_traits_are_valid((struct loy_str){wrong[i], lengths[i]}));
    }
    assert_true(loy_traits_are_valid(LOY_STR("\x03\x02Ka\x08\x01x\x01y")));
    assert_false(loy_traits_are_valid((struct loy_str){0}));
}

static int64_t bought_at(enum loy_trait_kind kind)
{
    struct loy_trait trait;
    for (size_t at = 0; loy_traits_next(account.traits, &at, &trait);) {
        if (trait.kind == kind) {
            return loy_trait_moment_us(&trait);
        }
    }
    return INT64_MIN;
}

static void buy(struct loy_str category, struct loy_str sku, int64_t at_us)
{
    const struct loy_line lines[] = {{.category = LOY_STR("bread"), .sku = LOY_STR("phones")},
                                     {.category = category, .sku = sku}};
    const struct loy_purchase purchase = {.lines = lines, .line_count = 2};
    assert_int_equal(loy_traits_purchase(&account, &programme, &purchase, at_us, &arena), LOY_OK);
}

static void the_latest_purchase_of_what_is_declared_is_kept(void **state)
{
    (void)state;
    buy(LOY_STR("case"), LOY_STR("phones"), 5000000);
    assert_int_equal(account.traits.len, 0);
    buy(phone, LOY_STR("A-1"), 7000001);
    in_city("Kazan"); /* a member change leaves it */
    assert_int_equal(bought_at(LOY_TRAIT_CATEGORY), 7000000);
    assert_int_equal(bought_at(LOY_TRAIT_SKU), INT64_MIN);
    buy(LOY_STR("case"), phone, -9000000);
    assert_int_equal(bought_at(LOY_TRAIT_SKU), -9000000);
    buy(phone, phone, 6000000); /* came late */
    assert_int_equal(bought_at(LOY_TRAIT_CATEGORY), 7000000);
    assert_int_equal(bought_at(LOY_TRAIT_SKU), 6000000);
    assert_text(LOY_TRAIT_CITY, "Kazan");
    assert_true(loy_traits_are_valid(account.traits));
}

static void a_purchase_is_never_refused_for_what_a_state_may_hold(void **state)
{
    (void)state;
    char city[LOY_TRAITS_BYTES_MAX];
    memset(city, 'x', sizeof city);
    city[sizeof city - 4] = '\0';
    in_city(city);
    buy(phone, phone, 7000000);
    assert_int_equal(bought_at(LOY_TRAIT_CATEGORY), INT64_MIN);
    assert_text(LOY_TRAIT_CITY, city);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(only_what_the_programme_asks_for_is_kept, set_up),
        cmocka_unit_test_setup(what_is_told_again_replaces_and_what_is_not_spoken_of_stays, set_up),
        cmocka_unit_test_setup(a_level_is_set_and_taken_and_one_that_is_none_is_refused, set_up),
        cmocka_unit_test_setup(more_than_a_state_may_hold_is_refused, set_up),
        cmocka_unit_test_setup(the_latest_purchase_of_what_is_declared_is_kept, set_up),
        cmocka_unit_test_setup(a_purchase_is_never_refused_for_what_a_state_may_hold, set_up),
        cmocka_unit_test_setup(any_changes_give_bytes_that_both_readers_take, set_up),
        cmocka_unit_test_setup(traits_that_are_not_as_they_are_written_are_refused, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
