#include "adapters/wire/json.h"
#include "support/cmocka_all.h"

#include "support/wire_case.h"

#include <stdio.h>

#include "loyalty/v1/trace.pb-c.h"

static const struct loy_wallet wallets[] = {{.id = {"points", 6}}, {.id = {"cashback", 8}}};
static const struct loy_rule rules[] = {{.number = 7, .id = {"base", 4}, .title = {"Basis \"plus\"\n", 13}}};
static const struct loy_programme programme = {
    .wallets = wallets, .wallet_count = 2, .rules = rules, .rule_count = 1, .revision = 1};

static struct loy_lot lots[] = {
    {.first = 1, .last = 1, .points = 5, .available_from_us = INT64_MIN, .expires_at_us = LOY_NEVER},
    {.first = 2, .last = 2, .points = 6, .available_from_us = INT64_MIN, .expires_at_us = 2000000},
    {.first = 3, .last = 3, .points = 7, .available_from_us = INT64_MIN, .expires_at_us = 1000000},
    {.first = 4, .last = 4, .points = 8, .available_from_us = INT64_MIN, .expires_at_us = 1000000},
    {.first = 5, .last = 5, .wallet = 1, .points = 9, .available_from_us = INT64_MIN, .expires_at_us = 1000000},
};

static const struct loy_entry entries[] = {
    {.kind = LOY_ENTRY_EXPIRE, .amount = -2, .lot = 1, .expires_at_us = LOY_NEVER},
    {.kind = LOY_ENTRY_EARN_PENDING,
     .amount = 26,
     .lot = 2,
     .rule = 7,
     .available_from_us = 1500000,
     .expires_at_us = 2000000},
    {.kind = LOY_ENTRY_EARN, .wallet = 1, .amount = 1, .lot = 3, .rule = 8, .expires_at_us = LOY_NEVER},
};

static const char expected_update[] =
    "{\"member_id\": \"m-1\", \"incarnation\": 1, \"version\": \"4\", \"moment\": \"1970-01-01T00:00:00.250Z\", "
    "\"cause\": {\"source\": \"pos\", \"event_id\": \"e-1\", \"kind\": \"purchase\", \"order_id\": \"o-1\", "
    "\"occurred_at\": \"1969-12-31T23:59:59.999999Z\"}, "
    "\"balance\": {\"wallets\": ["
    "{\"wallet\": \"points\", \"available\": \"26\", \"pending\": \"26\", \"reserved\": \"0\"}, "
    "{\"wallet\": \"cashback\", \"available\": \"0\", \"pending\": \"0\", \"reserved\": \"0\"}], "
    "\"changes\": [{\"entry\": \"expire\", \"wallet\": \"points\", \"amount\": \"-2\"}, "
    "{\"entry\": \"earn_pending\", \"wallet\": \"points\", \"amount\": \"26\", \"rule\": \"base\", "
    "\"title\": \"Basis \\\"plus\\\"\\u000a\", \"available_from\": \"1970-01-01T00:00:01.500Z\", "
    "\"expires_at\": \"1970-01-01T00:00:02Z\"}, "
    "{\"entry\": \"earn\", \"wallet\": \"cashback\", \"amount\": \"1\"}], "
    "\"next_expiry\": {\"wallet\": \"points\", \"amount\": \"15\", \"at\": \"1970-01-01T00:00:01Z\"}}}";

static void a_balance_update_says_all_of_it(void **state)
{
    (void)state;
    struct wire_case test;
    wire_case_init(&test);
    struct loy_account account = {.member_id = LOY_STR("m-1"),
                                  .version = 4,
                                  .wallet_count = 1,
                                  .balances = {{.available = 26, .pending = 26}},
                                  .lots = lots,
                                  .lot_count = 5};
    struct loy_event event = {.kind = LOY_EVENT_PURCHASE,
                              .event_id = LOY_STR("e-1"),
                              .source = LOY_STR("pos"),
                              .order_id = LOY_STR("o-1"),
                              .occurred_at_us = -1};
    struct loy_effects effects = {.moment_us = 250000, .entries = entries, .entry_count = 3};
    struct loy_wire_update update = {
        .programme = &programme, .account = &account, .event = &event, .effects = &effects, .incarnation = 1};
    struct loy_str json, bytes, back;
    assert_int_equal(loy_wire_encode_update(&update, true, &test.arena, &json), LOY_OK);
    assert_int_equal(json.len, sizeof expected_update - 1);
    assert_memory_equal(json.at, expected_update, json.len);
    assert_int_equal(loy_wire_encode_update(&update, false, &test.arena, &bytes), LOY_OK);
    assert_true(bytes.len < json.len / 2);
    assert_int_equal(loy_wire_to_json(LOY_WIRE_UPDATE, bytes, &test.arena, &back, &test.error), LOY_OK);
    assert_true(loy_str_equal(json, back));
    char block[2048];
    for (size_t size = 0; size < 1024; size += 64) {
        struct loy_arena small;
        loy_arena_init(&small, block, size);
        assert_int_equal(loy_wire_encode_update(&update, size % 128 == 0, &small, &bytes), LOY_ERR_NO_MEMORY);
    }
}

/* What time did before, the release, is no part of what the purchase would earn; nor is there a version. */
static void a_preview_says_what_would_be_earned_and_what_is_near(void **state)
{
    static const char expected[] =
        "{\"member_id\": \"m-1\", \"incarnation\": 1, \"moment\": \"1970-01-01T00:00:00.250Z\", "
        "\"cause\": {\"source\": \"pos\", \"event_id\": \"e-1\", \"kind\": \"purchase\", "
        "\"occurred_at\": \"1970-01-01T00:00:00Z\"}, "
        "\"preview\": {\"correlation_id\": \"till-5\", "
        "\"changes\": [{\"entry\": \"earn\", \"wallet\": \"cashback\", \"amount\": \"1\"}], "
        "\"nearest_misses\": [{\"rule\": \"evening\", \"title\": \"Evening\", \"wallet\": \"points\", "
        "\"points\": \"50\", \"more_minor\": \"12000\"}, "
        "{\"rule\": \"pieces\", \"wallet\": \"cashback\", \"points\": \"3\", \"more_milli\": \"1\"}]}}";
    static const struct loy_rule evening = {.id = LOY_STR("evening"), .title = LOY_STR("Evening")};
    static const struct loy_rule pieces = {.id = LOY_STR("pieces"), .reward.wallet = 1};
    static const struct loy_nearest nearest[] = {{&evening, 12000, false, 50}, {&pieces, 1, true, 3}};
    (void)state;
    struct wire_case test;
    wire_case_init(&test);
    struct loy_account account = {.member_id = LOY_STR("m-1"), .version = 4};
    struct loy_event event = {.kind = LOY_EVENT_PURCHASE,
                              .event_id = LOY_STR("e-1"),
                              .source = LOY_STR("pos"),
                              .correlation_id = LOY_STR("till-5")};
    struct loy_effects effects = {.moment_us = 250000, .entries = entries, .entry_count = 3, .advanced = 2};
    const struct loy_wire_preview preview = {.decided = {.programme = &programme,
                                                         .account = &account,
                                                         .event = &event,
                                                         .effects = &effects,
                                                         .incarnation = 1},
                                             .nearest = nearest,
                                             .nearest_count = 2};
    struct loy_str json, bytes, back;
    assert_int_equal(loy_wire_encode_preview(&preview, true, &test.arena, &json), LOY_OK);
    assert_int_equal(json.len, sizeof expected - 1);
    assert_memory_equal(json.at, expected, json.len);
    assert_int_equal(loy_wire_encode_preview(&preview, false, &test.arena, &bytes), LOY_OK);
    assert_int_equal(loy_wire_to_json(LOY_WIRE_UPDATE, bytes, &test.arena, &back, &test.error), LOY_OK);
    assert_true(loy_str_equal(json, back));
}

static void a_wallet_of_a_newer_revision_is_named_by_that(void **state)
{
    (void)state;
    struct wire_case test;
    wire_case_init(&test);
    struct loy_programme older = programme;
    older.wallet_count = 1;
    struct loy_entry entry = {.kind = LOY_ENTRY_RELEASE, .wallet = 1, .amount = 7};
    struct loy_account account = {
        .member_id = LOY_STR("m-1"), .version = 4, .wallet_count = 2, .balances = {{0}, {.available = 7}}};
    struct loy_event event = {.kind = LOY_EVENT_PURCHASE, .event_id = LOY_STR("e-1"), .source = LOY_STR("pos")};
    struct loy_effects effects = {.entries = &entry, .entry_count = 1};
    struct loy_wire_update update = {.programme = &older,
                                     .newest = &programme,
                                     .account = &account,
                                     .event = &event,
                                     .effects = &effects,
                                     .incarnation = 1};
    struct loy_str json;
    assert_int_equal(loy_wire_encode_update(&update, true, &test.arena, &json), LOY_OK);
    assert_non_null(memmem(json.at, json.len, "{\"wallet\": \"cashback\", \"available\": \"7\"", 37));
    assert_non_null(memmem(json.at, json.len, "\"release\", \"wallet\": \"cashback\"", 31));
}

/* Lengths of one, two and three bytes, at every level that such a text makes longer. */
static void an_update_of_any_length_is_read_back(void **state)
{
    (void)state;
    struct wire_case test;
    wire_case_init(&test);
    static char title[17000];
    memset(title, 'x', sizeof title);
    struct loy_rule rule = {.number = 7, .id = LOY_STR("base")};
    struct loy_programme long_one = programme;
    long_one.rules = &rule;
    struct loy_account account = {.member_id = LOY_STR("m-1"), .version = 1};
    struct loy_event event = {.kind = LOY_EVENT_PURCHASE, .event_id = LOY_STR("e-1"), .source = LOY_STR("pos")};
    struct loy_effects effects = {.entries = &entries[1], .entry_count = 1};
    struct loy_wire_update update = {
        .programme = &long_one, .account = &account, .event = &event, .effects = &effects, .incarnation = 1};
    struct loy_arena_mark mark = loy_arena_mark(&test.arena);
    for (size_t length = 0; length < sizeof title; length += length < 140 || length > 16200 ? 1 : 200) {
        struct loy_str json, bytes, back;
        loy_arena_reset_to(&test.arena, mark);
        rule.title = (struct loy_str){title, length};
        assert_int_equal(loy_wire_encode_update(&update, true, &test.arena, &json), LOY_OK);
        assert_int_equal(loy_wire_encode_update(&update, false, &test.arena, &bytes), LOY_OK);
        assert_int_equal(loy_wire_to_json(LOY_WIRE_UPDATE, bytes, &test.arena, &back, &test.error), LOY_OK);
        assert_true(loy_str_equal(json, back));
    }
}

/* Eight bytes are looked at as one: what is escaped must be seen wherever it stands, whatever stands around it. */
static void every_byte_is_escaped_wherever_it_stands(void **state)
{
    (void)state;
    static char room[4096];
    for (size_t length = 0; length <= 26; length++) {
        for (size_t at = 0; at <= length; at++) { /* at == length: no byte of it */
            for (int byte = 0; byte < 256; byte++) {
                char text[32], expected[64];
                struct loy_arena arena;
                struct loy_buf buf;
                size_t wanted = 1;
                bool quoted = byte == '"' || byte == '\\';
                memset(text, byte % 3 ? 0x21 : 0x80 + byte % 7, sizeof text);
                text[at] = (char)byte;
                expected[0] = '"';
                for (size_t i = 0; i < length; i++) {
                    if (i == at && byte < 0x20) {
                        wanted += (size_t)snprintf(expected + wanted, 7, "\\u%04x", byte);
                        continue;
                    }
                    expected[wanted] = '\\';
                    wanted += i == at && quoted;
                    expected[wanted++] = text[i];
                }
                expected[wanted++] = '"';
                loy_arena_init(&arena, room, sizeof room);
                loy_buf_init(&buf, &arena, 1);
                loy_wire_json_write_text(&buf, (struct loy_str){text, length});
                assert_int_equal(buf.len, wanted);
                assert_memory_equal(buf.at, expected, wanted);
            }
        }
    }
}

static void an_outcome_leaves_out_what_it_does_not_know(void **state)
{
    (void)state;
    struct wire_case test;
    wire_case_init(&test);
    struct loy_wire_outcome outcome = {
        .topic = LOY_STR("purchases"), .partition = 0, .offset = 0, .outcome = LOY_STR("rejected")};
    struct loy_str json, bytes, back;
    assert_int_equal(loy_wire_encode_outcome(&outcome, true, &test.arena, &json), LOY_OK);
    assert_true(loy_str_equal(
        json, LOY_STR("{\"topic\": \"purchases\", \"partition\": 0, \"offset\": \"0\", \"outcome\": \"rejected\"}")));
    assert_int_equal(loy_wire_encode_outcome(&outcome, false, &test.arena, &bytes), LOY_OK);
    assert_int_equal(loy_wire_to_json(LOY_WIRE_OUTCOME, bytes, &test.arena, &back, &test.error), LOY_OK);
    assert_true(loy_str_equal(json, back));
}

static void a_tick_is_an_event_of_ours_alone(void **state)
{
    (void)state;
    struct wire_case test;
    wire_case_init(&test);
    struct loy_str one, two;
    assert_int_equal(loy_wire_encode_tick(LOY_STR("~card:5"), 1500000, &test.arena, &one), LOY_OK);
    assert_int_equal(loy_wire_encode_tick(LOY_STR("~card:5"), 1500000, &test.arena, &two), LOY_OK);
    assert_true(loy_str_equal(one, two));
    assert_int_equal(wire_case_decode(&test, one, false), LOY_ERR_INVALID_VALUE);
    assert_int_equal(wire_case_decode(&test, one, true), LOY_OK);
    assert_int_equal(test.event.kind, LOY_EVENT_TICK);
    assert_int_equal(test.event.tick_due_at_us, 1500000);
    assert_true(loy_str_equal(test.event.member_id, LOY_STR("~card:5")));
    assert_true(loy_str_equal(test.event.encoded, one));
    assert_int_equal(loy_wire_encode_tick(LOY_STR("m"), LOY_NEVER, &test.arena, &one), LOY_OK);
    assert_int_equal(wire_case_decode(&test, one, true), LOY_OK);
}

static void a_trace_is_read_back_as_it_was(void **state)
{
    (void)state;
    struct wire_case test;
    wire_case_init(&test);
    const int64_t shares[] = {3, -1, 0};
    const struct loy_rule_trace traces[] = {
        {.rule = 7,
         .wanted = 5,
         .granted = 2,
         .eligible_minor = 500,
         .reason = "cap",
         .lines = shares,
         .line_count = 3},
        {.rule = 8,
         .reason = "below_minimum",
         .detail = LOY_STR("purchase.total was 1,480.00"),
         .missing = 2000,
         .left = 7,
         .multiplier = 1500000},
    };
    struct loy_effects effects = {.rules = traces, .rule_count = 2, .advanced = 1, .late = true};
    struct loy_str bytes;
    assert_int_equal(loy_wire_encode_trace(&effects, true, &test.arena, &bytes), LOY_OK);
    struct loy_wire_trace trace;
    assert_int_equal(loy_wire_trace_decode(bytes, &test.arena, &trace, &test.error), LOY_OK);
    assert_int_equal(trace.rule_count, 2);
    assert_int_equal(trace.advanced, 1);
    assert_true(trace.late && trace.enrolled);
    assert_int_equal(trace.rules[0].wanted, 5);
    assert_int_equal(trace.rules[0].granted, 2);
    assert_int_equal(trace.rules[0].eligible_minor, 500);
    assert_string_equal(trace.rules[0].reason, "cap");
    assert_int_equal(trace.rules[0].line_count, 3);
    assert_memory_equal(trace.rules[0].lines, shares, sizeof shares);
    assert_null(trace.rules[1].lines);
    assert_string_equal(trace.rules[1].reason, "below_minimum");
    assert_int_equal(trace.rules[0].detail.len, 0);
    assert_true(loy_str_equal(trace.rules[1].detail, LOY_STR("purchase.total was 1,480.00")));
    assert_int_equal(trace.rules[1].missing, 2000);
    assert_int_equal(trace.rules[1].left, 7);
    assert_int_equal(trace.rules[1].multiplier, 1500000);
    struct loy_str cut = {bytes.at, bytes.len - 1};
    assert_int_equal(loy_wire_trace_decode(cut, &test.arena, &trace, &test.error), LOY_ERR_CORRUPT);
    struct loy_effects nothing = {0};
    assert_int_equal(loy_wire_encode_trace(&nothing, false, &test.arena, &bytes), LOY_OK);
    assert_int_equal(bytes.len, 0);
    assert_int_equal(loy_wire_trace_decode(bytes, &test.arena, &trace, &test.error), LOY_OK);
    assert_int_equal(trace.rule_count, 0);
    assert_false(trace.late || trace.enrolled);
}

/* What the journal holds of older versions was written by protobuf-c. */
static void a_trace_has_the_bytes_of_protobuf_c(void **state)
{
    (void)state;
    struct wire_case test;
    wire_case_init(&test);
    int64_t shares[40] = {3, -1, 0, INT64_MAX, INT64_MIN};
    const struct loy_rule_trace traces[] = {
        {.rule = -7, .wanted = 5, .granted = -2, .eligible_minor = INT64_MIN, .lines = shares, .line_count = 40},
        {.rule = 8, .reason = "cap", .lines = shares},
        {.rule = 9, .reason = "limit", .detail = LOY_STR("one"), .missing = 1, .left = -1, .multiplier = 2000000},
    };
    struct loy_effects effects = {.rules = traces, .rule_count = 3, .advanced = 300, .late = true};
    struct loy_str bytes;
    assert_int_equal(loy_wire_encode_trace(&effects, true, &test.arena, &bytes), LOY_OK);
    Loyalty__V1__Trace *trace = loyalty__v1__trace__unpack(NULL, bytes.len, (const uint8_t *)bytes.at);
    assert_non_null(trace);
    assert_int_equal(trace->n_rules, 3);
    assert_int_equal(trace->rules[0]->n_lines, 40);
    assert_true(trace->rules[0]->lines[4] == INT64_MIN && trace->rules[0]->has_wanted);
    assert_int_equal(trace->rules[1]->n_lines, 0);
    assert_int_equal(trace->rules[2]->left, -1);
    uint8_t packed[1024];
    assert_int_equal(loyalty__v1__trace__get_packed_size(trace), bytes.len);
    assert_true(bytes.len <= sizeof packed);
    loyalty__v1__trace__pack(trace, packed);
    assert_memory_equal(packed, bytes.at, bytes.len);
    loyalty__v1__trace__free_unpacked(trace, NULL);
}

static void an_event_is_shown_as_json(void **state)
{
    (void)state;
    struct wire_case test;
    wire_case_init(&test);
    assert_int_equal(wire_case_kind(&test, "\"attributes\": {\"k\": \"v\"}, \"activity\": {\"name\": \"x\"}"), LOY_OK);
    struct loy_str json;
    assert_int_equal(loy_wire_to_json(LOY_WIRE_EVENT, test.event.encoded, &test.arena, &json, &test.error), LOY_OK);
    assert_true(loy_str_equal(json, LOY_STR("{\"event_id\": \"e-1\", \"source\": \"pos\", \"member_id\": \"m-1\", "
                                            "\"occurred_at\": \"2026-11-21T09:30:00.250Z\", \"attributes\": {\"k\": "
                                            "\"v\"}, \"activity\": {\"name\": \"x\"}}")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_balance_update_says_all_of_it),
        cmocka_unit_test(a_preview_says_what_would_be_earned_and_what_is_near),
        cmocka_unit_test(a_wallet_of_a_newer_revision_is_named_by_that),
        cmocka_unit_test(an_update_of_any_length_is_read_back),
        cmocka_unit_test(every_byte_is_escaped_wherever_it_stands),
        cmocka_unit_test(an_outcome_leaves_out_what_it_does_not_know),
        cmocka_unit_test(a_tick_is_an_event_of_ours_alone),
        cmocka_unit_test(a_trace_is_read_back_as_it_was),
        cmocka_unit_test(a_trace_has_the_bytes_of_protobuf_c),
        cmocka_unit_test(an_event_is_shown_as_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
