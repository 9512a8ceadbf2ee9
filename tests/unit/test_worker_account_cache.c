/* The account cache against what was put: it may have lost a row, but never tells of another or of an older one. */
#include "support/cmocka_all.h"

#include "base/hash.h"
#include "worker/account_cache.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MEMBERS = 300, STATE_MAX = 900 };

struct told {
    bool present; /* was put, and not dropped since */
    int64_t seq;
    size_t len;
};

static uint32_t next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*state >> 33);
}

/* Each state tells whose it is and when it was put. */
static void fill_state(char *state, size_t len, uint32_t member, int64_t seq)
{
    for (size_t i = 0; i < len; i++) {
        state[i] = (char)(member * 31 + (uint32_t)seq * 7 + (uint32_t)i);
    }
}

static struct loy_str id_of(uint32_t member, char text[16])
{
    int len = snprintf(text, 16, "m-%u", member);
    return (struct loy_str){text, (size_t)len};
}

static struct loy_member_row row_of(uint32_t member, struct loy_str id, struct loy_str state, int64_t seq)
{
    struct loy_member_row row = {
        .k = 3, .n = (int32_t)member, .member_id = id, .seq = seq, .version = seq + 1, .state = state};
    row.digest.bytes[0] = (uint8_t)seq;
    return row;
}

static void put(struct loy_account_cache *cache, uint32_t member, size_t len, int64_t seq)
{
    char text[16], state[STATE_MAX + 1];
    struct loy_str id = id_of(member, text);
    fill_state(state, len, member, seq);
    struct loy_member_row row = row_of(member, id, (struct loy_str){state, len}, seq);
    loy_account_cache_put(cache, &row, loy_murmur2(id));
}

/* True when it is there: then it is what was put. */
static bool look(struct loy_account_cache *cache, uint32_t member, size_t len, int64_t seq)
{
    char text[16], state[STATE_MAX + 1];
    struct loy_str id = id_of(member, text);
    struct loy_member_row row;
    for (int step = 0; step < LOY_ACCOUNT_CACHE_STEPS; step++) {
        loy_account_cache_expect(cache, loy_murmur2(id), step);
    }
    if (!loy_account_cache_get(cache, id, loy_murmur2(id), &row)) {
        return false;
    }
    fill_state(state, len, member, seq);
    assert_true(loy_str_equal(row.member_id, id));
    assert_int_equal(row.k, 3);
    assert_int_equal(row.n, member);
    assert_int_equal(row.seq, seq);
    assert_int_equal(row.version, seq + 1);
    assert_int_equal(row.digest.bytes[0], (uint8_t)seq);
    assert_true(loy_str_equal(row.state, (struct loy_str){state, len}));
    return true;
}

static void drop(struct loy_account_cache *cache, uint32_t member)
{
    char text[16];
    struct loy_str id = id_of(member, text);
    loy_account_cache_drop(cache, id, loy_murmur2(id));
}

static void never_tells_of_an_older_row(void **state)
{
    (void)state;
    uint64_t random = 1;
    for (size_t kib = 1; kib <= 256; kib *= 4) {
        struct loy_account_cache *cache = loy_account_cache_new(kib << 10);
        struct told told[MEMBERS] = {0};
        uint32_t found = 0;
        assert_non_null(cache);
        for (int64_t seq = 1; seq <= 60000; seq++) {
            uint32_t member = next_random(&random) % MEMBERS, what = next_random(&random) % 100;
            struct told *t = &told[member];
            if (what < 50) {
                bool is_there = look(cache, member, t->len, t->seq);
                assert_true(t->present || !is_there);
                found += is_there;
            } else if (what < 95) {
                *t = (struct told){true, seq, next_random(&random) % (STATE_MAX + 1)};
                put(cache, member, t->len, seq);
            } else {
                drop(cache, member);
                t->present = false;
            }
        }
        assert_true(found > 0);
        loy_account_cache_drop_all(cache);
        for (uint32_t member = 0; member < MEMBERS; member++) {
            assert_false(look(cache, member, 0, 0));
        }
        loy_account_cache_destroy(cache);
    }
}

static void keeps_all_that_has_room(void **state)
{
    (void)state;
    struct loy_account_cache *cache = loy_account_cache_new(MEMBERS * 512);
    for (int64_t seq = 1; seq <= 10; seq++) {
        for (uint32_t member = 0; member < MEMBERS; member++) {
            put(cache, member, 300, seq);
        }
    }
    for (uint32_t member = 0; member < MEMBERS; member++) {
        assert_true(look(cache, member, 300, 10));
    }
    loy_account_cache_destroy(cache);
}

static void keeps_who_is_asked_for_and_drops_the_oldest(void **state)
{
    (void)state;
    struct loy_account_cache *cache = loy_account_cache_new(64 << 10);
    put(cache, 0, 200, 1);
    put(cache, 1, 200, 1);
    for (uint32_t member = 2; member < 10000; member++) {
        put(cache, member, 200, 1);
        assert_true(look(cache, 0, 200, 1));
    }
    assert_false(look(cache, 1, 200, 1));
    assert_true(look(cache, 9999, 200, 1));
    loy_account_cache_destroy(cache);
}

/* Ids that are equal in their hash, as far as the cache is told. */
static void tells_members_of_one_hash_apart(void **state)
{
    (void)state;
    enum { ALIKE = 40 };
    struct loy_account_cache *cache = loy_account_cache_new(64 << 10);
    char text[ALIKE][16];
    for (uint32_t i = 0; i < ALIKE; i++) {
        struct loy_str id = id_of(i, text[i]);
        struct loy_member_row row = row_of(i, id, id, i);
        loy_account_cache_put(cache, &row, 7);
    }
    for (uint32_t i = 0; i < ALIKE; i += 2) {
        loy_account_cache_drop(cache, id_of(i, text[i]), 7);
    }
    for (uint32_t i = 0; i < ALIKE; i++) {
        struct loy_member_row row;
        assert_int_equal(loy_account_cache_get(cache, id_of(i, text[i]), 7, &row), i % 2);
        assert_true(i % 2 == 0 || row.seq == i);
    }
    loy_account_cache_destroy(cache);
}

static void more_members_than_places(void **state)
{
    (void)state;
    struct loy_account_cache *cache = loy_account_cache_new(1 << 20);
    uint32_t kept = 0;
    for (uint32_t member = 0; member < 20000; member++) {
        put(cache, member, 0, 1);
    }
    for (uint32_t member = 0; member < 20000; member++) {
        kept += look(cache, member, 0, 1);
    }
    assert_in_range(kept, 4096, 20000 - 1);
    assert_true(look(cache, 19999, 0, 1));
    loy_account_cache_destroy(cache);
}

static void a_row_that_is_too_large_takes_the_older_one_with_it(void **state)
{
    (void)state;
    struct loy_account_cache *cache = loy_account_cache_new(512);
    put(cache, 1, 100, 1);
    assert_true(look(cache, 1, 100, 1));
    put(cache, 1, STATE_MAX, 2);
    assert_false(look(cache, 1, 0, 0));
    put(cache, 1, 100, 3);
    assert_true(look(cache, 1, 100, 3));
    loy_account_cache_destroy(cache);
    cache = loy_account_cache_new(0);
    put(cache, 1, 1, 1);
    assert_false(look(cache, 1, 1, 1));
    loy_account_cache_drop_all(cache);
    loy_account_cache_destroy(cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(never_tells_of_an_older_row),
        cmocka_unit_test(keeps_all_that_has_room),
        cmocka_unit_test(keeps_who_is_asked_for_and_drops_the_oldest),
        cmocka_unit_test(tells_members_of_one_hash_apart),
        cmocka_unit_test(more_members_than_places),
        cmocka_unit_test(a_row_that_is_too_large_takes_the_older_one_with_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
