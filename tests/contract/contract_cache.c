#include "contract/contract_cache.h"

#include "support/cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>

enum { MANY = 4000, PATIENCE = 20000 };

/* One history: a maker and the first client. */
struct history {
    const struct contract_cache_maker *maker;
    void *cache;
    struct loy_cache port;
};

static struct history begin(void **state)
{
    struct history history = {.maker = *state};
    history.cache = history.maker->open(history.maker->context);
    if (!history.cache) {
        skip();
    }
    history.port = history.maker->port(history.cache);
    return history;
}

static void end(struct history *history)
{
    history->maker->close(history->maker->context, history->cache);
}

static struct loy_member_row row_of(const char *member_id, int64_t seq, const char *state)
{
    struct loy_member_row row = {
        .k = 3, .n = 70000, .member_id = loy_str(member_id), .seq = seq, .version = seq / 2, .state = loy_str(state)};
    row.digest = loy_digest_of(row.state);
    return row;
}

static void store(struct history *history, const struct loy_member_row *rows, uint32_t count)
{
    struct loy_cache_write *writes = calloc(count, sizeof *writes);
    assert_non_null(writes);
    for (uint32_t i = 0; i < count; i++) {
        writes[i] = (struct loy_cache_write){rows[i], LOY_STR("{\"version\":1}")};
    }
    history->port.store(history->port.self, writes, count);
    free(writes);
    history->maker->settle(history->maker->context, history->cache);
}

/* Asks and waits; *ret_rows until the next one. */
static uint32_t load(struct history *history, const struct loy_account_key *keys, uint32_t count,
                     const struct loy_member_row **ret_rows)
{
    uint32_t found = 0;
    *ret_rows = NULL;
    enum loy_err err = history->port.load(history->port.self, keys, count);
    if (err == LOY_ERR_UNAVAILABLE) {
        assert_false(history->maker->is_honest);
        return 0;
    }
    assert_int_equal(err, LOY_OK);
    for (int i = 0; !history->port.poll(history->port.self, ret_rows, &found); i++) {
        assert_true(i < PATIENCE);
        history->maker->settle(history->maker->context, history->cache);
    }
    assert_true(found <= count);
    return found;
}

static const struct loy_member_row *load_one(struct history *history, const char *member_id)
{
    const struct loy_member_row *rows;
    struct loy_account_key key = {3, loy_str(member_id)};
    uint32_t found = load(history, &key, 1, &rows);
    assert_true(found > 0 || !history->maker->is_honest || !member_id);
    return found ? rows : NULL;
}

static void assert_same(const struct loy_member_row *row, const struct loy_member_row *expected)
{
    assert_int_equal(row->k, expected->k);
    assert_int_equal(row->n, expected->n);
    assert_int_equal(row->seq, expected->seq);
    assert_int_equal(row->version, expected->version);
    assert_true(loy_str_equal(row->member_id, expected->member_id));
    assert_true(loy_str_equal(row->state, expected->state));
    assert_memory_equal(&row->digest, &expected->digest, sizeof row->digest);
}

/* --- histories -----------------------------------------------------------------------------------------------------
 */

static void an_empty_cache_has_nothing(void **state)
{
    struct history history = begin(state);
    const struct loy_member_row *rows;
    struct loy_account_key keys[] = {{3, LOY_STR("a")}, {4, LOY_STR("b")}};
    assert_int_equal(load(&history, keys, 2, &rows), 0);
    assert_int_equal(load(&history, keys, 2, &rows), 0);
    end(&history);
}

static void a_row_comes_back_as_it_was(void **state)
{
    struct history history = begin(state);
    struct loy_member_row row = row_of("m1", 7, "state of m1");
    store(&history, &row, 1);
    const struct loy_member_row *found = load_one(&history, "m1");
    if (found) {
        assert_same(found, &row);
    }
    end(&history);
}

static void only_what_was_asked_for_comes_back(void **state)
{
    struct history history = begin(state);
    struct loy_member_row rows[] = {row_of("m1", 1, "one"), row_of("m2", 2, "two"), row_of("m3", 3, "three")};
    store(&history, rows, 3);
    struct loy_account_key keys[] = {{3, LOY_STR("m3")}, {3, LOY_STR("unknown")}, {3, LOY_STR("m1")}};
    const struct loy_member_row *found;
    uint32_t count = load(&history, keys, 3, &found);
    assert_true(count == 2 || !history.maker->is_honest);
    for (uint32_t i = 0; i < count; i++) {
        bool is_first = loy_str_equal(found[i].member_id, LOY_STR("m1"));
        assert_same(&found[i], is_first ? &rows[0] : &rows[2]);
    }
    end(&history);
}

static void what_was_stored_last_stands(void **state)
{
    struct history history = begin(state);
    struct loy_member_row rows[] = {row_of("m1", 9, "nine"), row_of("m1", 10, "ten"), row_of("m1", 100, "hundred")};
    for (int i = 0; i < 2; i++) {
        store(&history, &rows[i], 1);
        const struct loy_member_row *found = load_one(&history, "m1");
        assert_true(!found || found->seq == rows[i].seq);
    }
    store(&history, rows, 3); /* at once: in their order */
    const struct loy_member_row *found = load_one(&history, "m1");
    assert_true(!found || found->seq == 100);
    end(&history);
}

static void what_one_client_wrote_another_one_reads(void **state)
{
    struct history history = begin(state);
    struct history other = history;
    struct loy_member_row row = row_of("m1", 7, "state");
    store(&history, &row, 1);
    other.cache = other.maker->open_another(other.maker->context);
    other.port = other.maker->port(other.cache);
    const struct loy_member_row *found = load_one(&other, "m1");
    if (found) {
        assert_same(found, &row);
    }
    struct loy_member_row newer = row_of("m1", 8, "newer");
    store(&other, &newer, 1);
    found = load_one(&history, "m1");
    assert_true(!found || found->seq == 8);
    end(&other);
    end(&history);
}

static void a_second_load_has_to_wait_for_the_first(void **state)
{
    struct history history = begin(state);
    struct loy_account_key key = {3, LOY_STR("m1")};
    const struct loy_member_row *rows;
    uint32_t count;
    if (history.port.load(history.port.self, &key, 1) == LOY_OK) {
        assert_int_equal(history.port.load(history.port.self, &key, 1), LOY_ERR_AGAIN);
        for (int i = 0; !history.port.poll(history.port.self, &rows, &count); i++) {
            assert_true(i < PATIENCE);
            history.maker->settle(history.maker->context, history.cache);
        }
        assert_false(history.port.poll(history.port.self, &rows, &count));
    }
    end(&history);
}

static void keys_and_rows_are_copied(void **state)
{
    struct history history = begin(state);
    char id[] = "member";
    char text[] = "state";
    struct loy_member_row row = row_of(id, 7, text);
    struct loy_cache_write write = {row, LOY_STR("{\"version\":1}")};
    history.port.store(history.port.self, &write, 1);
    memset(id, 'x', sizeof id - 1);
    memset(text, 'x', sizeof text - 1);
    history.maker->settle(history.maker->context, history.cache);

    char asked[] = "member";
    struct loy_account_key key = {3, loy_str(asked)};
    const struct loy_member_row *rows = NULL;
    uint32_t count = 0;
    if (history.port.load(history.port.self, &key, 1) == LOY_OK) {
        memset(asked, 'y', sizeof asked - 1);
        for (int i = 0; !history.port.poll(history.port.self, &rows, &count); i++) {
            assert_true(i < PATIENCE);
            history.maker->settle(history.maker->context, history.cache);
        }
    }
    assert_true(count == 1 || !history.maker->is_honest);
    if (count) {
        struct loy_member_row expected = row_of("member", 7, "state");
        assert_same(rows, &expected);
    }
    end(&history);
}

static void any_bytes_come_back(void **state)
{
    struct history history = begin(state);
    static char every[4096];
    for (size_t i = 0; i < sizeof every; i++) {
        every[i] = (char)(i * 7 + i / 256);
    }
    static const char *const ids[] = {"\r\n$5\r\n", "мужчина",
                                      " ",          "%s%n",
                                      "a:b:c{d}",   "0123456789012345678901234567890123456789012345678901234567890123"};
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        struct loy_member_row row = row_of(ids[i], INT64_C(1) << (i * 8), "");
        row.n = i ? INT32_MAX : 0;
        row.version = INT64_MAX >> i;
        row.state = (struct loy_str){every, i * 800};
        row.digest = loy_digest_of(row.state);
        store(&history, &row, 1);
        const struct loy_member_row *found = load_one(&history, ids[i]);
        if (found) {
            assert_same(found, &row);
        }
    }
    end(&history);
}

static void thousands_at_once(void **state)
{
    struct history history = begin(state);
    struct loy_member_row *rows = calloc(MANY, sizeof *rows);
    struct loy_account_key *keys = calloc(MANY, sizeof *keys);
    char(*ids)[16] = calloc(MANY, sizeof *ids);
    assert_true(rows && keys && ids);
    static char text[300];
    memset(text, 's', sizeof text - 1);
    for (int i = 0; i < MANY; i++) {
        (void)snprintf(ids[i], sizeof *ids, "member-%d", i);
        rows[i] = row_of(ids[i], i + 1, text);
        rows[i].n = i;
        keys[i] = (struct loy_account_key){3, rows[i].member_id};
    }
    store(&history, rows, MANY);
    const struct loy_member_row *found;
    uint32_t count = load(&history, keys, MANY, &found);
    assert_true(count == MANY || !history.maker->is_honest);
    for (uint32_t i = 0; i < count; i++) {
        assert_in_range(found[i].n, 0, MANY - 1);
        assert_same(&found[i], &rows[found[i].n]);
    }
    free(rows);
    free(keys);
    free(ids);
    end(&history);
}

int contract_cache_run(const struct contract_cache_maker *maker)
{
    void *state = (void *)(uintptr_t)maker;
    const struct CMUnitTest histories[] = {
        cmocka_unit_test_prestate(an_empty_cache_has_nothing, state),
        cmocka_unit_test_prestate(a_row_comes_back_as_it_was, state),
        cmocka_unit_test_prestate(only_what_was_asked_for_comes_back, state),
        cmocka_unit_test_prestate(what_was_stored_last_stands, state),
        cmocka_unit_test_prestate(what_one_client_wrote_another_one_reads, state),
        cmocka_unit_test_prestate(a_second_load_has_to_wait_for_the_first, state),
        cmocka_unit_test_prestate(keys_and_rows_are_copied, state),
        cmocka_unit_test_prestate(any_bytes_come_back, state),
        cmocka_unit_test_prestate(thousands_at_once, state),
    };
    return cmocka_run_group_tests_name(maker->name, histories, NULL, NULL);
}
