#include "support/cmocka_all.h"

#include "support/wire_case.h"

#include <stdio.h>
#include <stdlib.h>

#define CAFE "\"activity\": {\"name\": \"check_in\"}"

static void assert_text(struct loy_str text, const char *expected)
{
    assert_int_equal(text.len, strlen(expected));
    assert_memory_equal(text.at, expected, text.len);
}

static void assert_fails(struct wire_case *test, enum loy_err err, enum loy_err expected, const char *detail)
{
    if (err != expected || !strstr(test->error.detail, detail)) {
        fail_msg("expected %s with \"%s\", got %s: %s", loy_err_name(expected), detail, loy_err_name(err),
                 test->error.detail);
    }
    assert_int_equal(test->error.code, expected);
    assert_int_equal(loy_err_class(err), LOY_CLASS_REJECT);
}

static void a_purchase_is_read_whole(void **state)
{
    (void)state;
    struct wire_case test;
    wire_case_init(&test);
    const char *purchase =
        "\"channel\": \"web\", \"store\": {\"id\": \"s1\", \"city\": \"Tver\"}, \"partner\": \"bp\","
        "\"attributes\": {\"b\": \"2\", \"a\": \"1\"}, \"correlation_id\": \"c\", \"preview\": true,"
        "\"purchase\": {\"order_id\": \"o-1\", \"order_version\": 3, \"status\": \"PAID\", \"currency\": \"RUB\","
        "\"lines\": [{\"sku\": \"x\", \"amount_minor\": \"250\", \"labels\": [\"own\", \"bio\"]},"
        "{\"line_id\": \"b\", \"kind\": \"DELIVERY\", \"amountMinor\": 1e2, \"quantity_milli\": 1500,"
        " \"cost_minor\": 0}],"
        "\"total_minor\": 350, \"tenders\": [{\"kind\": \"points\", \"points\": 10, \"wallet\": \"points\"}]}";
    assert_int_equal(wire_case_kind(&test, purchase), LOY_OK);
    const struct loy_event *event = &test.event;
    assert_int_equal(event->kind, LOY_EVENT_PURCHASE);
    assert_text(event->event_id, "e-1");
    assert_text(event->source, "pos");
    assert_text(event->member_id, "m-1");
    assert_int_equal(event->occurred_at_us, INT64_C(1795253400250000));
    assert_text(event->channel, "web");
    assert_text(event->store_city, "Tver");
    assert_text(event->partner, "bp");
    assert_text(event->correlation_id, "c");
    assert_true(event->preview);
    assert_int_equal(event->attribute_count, 2);
    assert_text(event->attributes[0].key, "a");
    assert_text(event->attributes[1].value, "2");
    assert_text(event->order_id, "o-1");
    assert_int_equal(event->purchase.order_version, 3);
    assert_int_equal(event->purchase.status, 2);
    assert_text(event->purchase.currency, "RUB");
    assert_int_equal(event->purchase.total_minor, 350);
    assert_int_equal(event->purchase.line_count, 2);
    const struct loy_line *lines = event->purchase.lines;
    assert_text(lines[0].line_id, "1");
    assert_int_equal(lines[0].kind, LOY_LINE_GOODS);
    assert_int_equal(lines[0].quantity_milli, 1000);
    assert_int_equal(lines[0].label_count, 2);
    assert_text(lines[0].labels[1], "bio");
    assert_false(lines[0].has_cost);
    assert_text(lines[1].line_id, "b");
    assert_int_equal(lines[1].kind, LOY_LINE_DELIVERY);
    assert_int_equal(lines[1].amount_minor, 100);
    assert_true(lines[1].has_cost);
    assert_int_equal(event->purchase.tender_count, 1);
    assert_int_equal(event->purchase.tenders[0].points, 10);
}

/* A score of 0 and an answer of no are told, and are not the same as what is not told. */
static void feedback_is_read_whole_and_what_is_absent_is_known_to_be(void **state)
{
    (void)state;
    struct wire_case room, *test = &room;
    wire_case_init(test);
    assert_int_equal(wire_case_kind(test,
                                    "\"feedback\": {\"kind\": \"REVIEW\", \"score\": 0, \"order_id\": \"o-1\", "
                                    "\"sku\": \"A-1\", \"store_id\": \"s-1\", \"verified_buyer\": false, \"photo\": "
                                    "true, \"text_length\": 120, \"moderation\": \"REMOVED\"}"),
                     LOY_OK);
    const struct loy_feedback *feedback = test->event.feedback;
    assert_non_null(feedback);
    assert_text(feedback->kind, "review");
    assert_text(feedback->moderation, "removed");
    assert_text(feedback->sku, "A-1");
    assert_text(feedback->store_id, "s-1");
    assert_text(test->event.order_id, "o-1");
    assert_true(feedback->has_score && feedback->score == 0);
    assert_true(feedback->has_verified_buyer && !feedback->verified_buyer);
    assert_true(feedback->has_photo && feedback->photo && !feedback->has_video);
    assert_true(feedback->has_text_length && feedback->text_length == 120);
    assert_int_equal(wire_case_kind(test, "\"feedback\": {\"kind\": \"SURVEY\"}"), LOY_OK);
    assert_text(test->event.feedback->kind, "survey");
    assert_false(test->event.feedback->has_score || test->event.feedback->has_verified_buyer);
    assert_int_equal(test->event.feedback->moderation.len, 0);
}

/* What a profile does not speak of has no place, what it takes back is empty. */
static void member_changes_are_read_and_what_is_taken_back_is_not_what_is_absent(void **state)
{
    (void)state;
    struct wire_case room, *test = &room;
    wire_case_init(test);
    assert_int_equal(wire_case_kind(test, "\"member_change\": {\"profile\": {\"city\": \"Kazan\", \"gender\": \"\", "
                                          "\"consents\": [\"sms\", \"email\"]}}"),
                     LOY_OK);
    const struct loy_member_change *change = test->event.change;
    assert_non_null(change);
    assert_int_equal(change->what, LOY_CHANGE_PROFILE);
    assert_text(test->event.activity_name, "profile");
    assert_text(change->city, "Kazan");
    assert_true(change->gender.at && change->gender.len == 0);
    assert_true(!change->language.at && !change->birth_date.at && !change->preferred_contact.at);
    assert_int_equal(change->consent_count, 2);
    assert_text(change->consents[1], "email");
    assert_int_equal(wire_case_kind(test,
                                    "\"member_change\": {\"segments\": {\"enter\": [\"vip\"], \"leave\": [\"new\", "
                                    "\"old\"], \"attributes\": {\"hat\": \"m\", \"shoe\": \"\"}}}"),
                     LOY_OK);
    change = test->event.change;
    assert_int_equal(change->what, LOY_CHANGE_SEGMENTS);
    assert_true(change->enter_count == 1 && change->leave_count == 2 && change->attribute_count == 2);
    assert_text(change->attributes[0].key, "hat");
    assert_text(change->attributes[1].key, "shoe");
    assert_int_equal(change->attributes[1].value.len, 0);
    assert_int_equal(wire_case_kind(test, "\"member_change\": {\"level_change\": {\"level\": \"gold\"}}"), LOY_OK);
    assert_int_equal(test->event.change->what, LOY_CHANGE_LEVEL);
    assert_text(test->event.change->level, "gold");
    assert_int_equal(wire_case_kind(test, "\"member_change\": {\"erase\": {}}"), LOY_OK);
    assert_int_equal(test->event.change->what, LOY_CHANGE_ERASE);
    assert_text(test->event.activity_name, "erase");
}

static void every_kind_is_known(void **state)
{
    (void)state;
    static const struct {
        enum loy_event_kind kind;
        const char *text;
        const char *order_id;
    } cases[] = {
        {LOY_EVENT_RETURN, "\"return\": {\"order_id\": \"o\", \"lines\": [{\"line_id\": \"1\"}]}", "o"},
        {LOY_EVENT_RETURN, "\"return\": {\"order_id\": \"o\"}", "o"},
        {LOY_EVENT_RETURN, "\"return\": {\"amount_minor\": 5}", ""},
        {LOY_EVENT_CANCELLATION, "\"cancellation\": {\"order_id\": \"o\"}", "o"},
        {LOY_EVENT_ORDER_STATUS, "\"order_status\": {\"order_id\": \"o\", \"status\": 3}", "o"},
        {LOY_EVENT_REFERRAL, "\"referral\": {\"referrer_id\": \"m-2\"}", ""},
        {LOY_EVENT_FEEDBACK, "\"feedback\": {\"kind\": \"NPS\", \"score\": 0, \"order_id\": \"o\"}", "o"},
        {LOY_EVENT_ACTIVITY, CAFE, ""},
        {LOY_EVENT_MEMBER_CHANGE, "\"member_change\": {\"joined\": {}}", ""},
        {LOY_EVENT_REDEMPTION,
         "\"redemption\": {\"redemption_id\": \"r\", \"action\": \"QUOTE\", \"basket\": {\"order_id\": \"o\"}}", "o"},
        {LOY_EVENT_ENTITLEMENT_USE, "\"entitlement_use\": {\"entitlement_id\": \"t\", \"order_id\": \"o\"}", "o"},
        {LOY_EVENT_ADJUSTMENT, "\"adjustment\": {\"points\": -5, \"operator\": \"a\", \"reason\": \"b\"}", ""},
        {LOY_EVENT_TRANSFER, "\"transfer\": {\"to_member_id\": \"m-2\", \"points\": 5}", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct wire_case test;
        wire_case_init(&test);
        if (wire_case_kind(&test, cases[i].text)) {
            fail_msg("%s: %s", cases[i].text, test.error.detail);
        }
        assert_int_equal(test.event.kind, cases[i].kind);
        assert_text(test.event.order_id, cases[i].order_id);
    }
}

/* A kind inside a good envelope, what is wrong with it, and what the sentence must say. */
static const struct {
    const char *text;
    enum loy_err code;
    const char *detail;
} refused[] = {
    {"\"purchased\": {}", LOY_ERR_UNKNOWN_KIND, "\"purchased\""},
    {"\"channel\": \"pos\"", LOY_ERR_UNKNOWN_KIND, "no kind"},
    {"\"member_change\": {\"promoted\": {}}", LOY_ERR_UNKNOWN_KIND, "member_change"},
    {"\"tick\": {\"due_at\": \"2026-01-01T00:00:00Z\"}", LOY_ERR_INVALID_VALUE, "tick: only loyald"},
    {"\"follow_up\": {\"cause_member_id\": \"m\", \"cause_source\": \"s\", \"cause_event_id\": \"e\"}, " CAFE,
     LOY_ERR_INVALID_VALUE, "follow_up: only loyald"},
    {"\"purchase\": {\"lines\": [{\"amount_minor\": 1}]}", LOY_ERR_MISSING_FIELD, "purchase.order_id: is absent"},
    {"\"purchase\": {\"order_id\": \"\", \"lines\": [{\"amount_minor\": 1}]}", LOY_ERR_MISSING_FIELD,
     "purchase.order_id: is empty"},
    {"\"purchase\": {\"order_id\": \"o\"}", LOY_ERR_MISSING_FIELD, "purchase.lines"},
    {"\"purchase\": {\"order_id\": \"o\", \"lines\": [{\"amount_minor\": 1}, {\"sku\": \"a\"}]}", LOY_ERR_MISSING_FIELD,
     "purchase.lines[1].amount_minor"},
    {"\"purchase\": {\"order_id\": \"o\", \"lines\": [{\"amount_minor\": 1}], \"total_minor\": 2}",
     LOY_ERR_TOTAL_DIFFERS, "states 2, the lines sum to 1"},
    {"\"purchase\": {\"order_id\": \"o\", \"lines\": [{\"amount_minor\": \"9223372036854775807\"},"
     "{\"amount_minor\": 1}]}",
     LOY_ERR_OVERFLOW, "purchase.lines"},
    {"\"purchase\": {\"order_id\": \"o\", \"lines\": [{\"amount_minor\": \"9223372036854775808\"}]}", LOY_ERR_OVERFLOW,
     "purchase.lines[0].amount_minor"},
    {"\"purchase\": {\"order_id\": \"o\", \"lines\": [{\"amount_minor\": 9223372036854775808}]}", LOY_ERR_OVERFLOW,
     "64 bits"},
    {"\"purchase\": {\"order_id\": \"o\", \"lines\": [{\"amount_minor\": -1}]}", LOY_ERR_INVALID_VALUE,
     "purchase.lines[0].amount_minor: is -1, must be at least 0"},
    {"\"purchase\": {\"order_id\": \"o\", \"lines\": [{\"amount_minor\": 1.5}]}", LOY_ERR_INVALID_VALUE,
     "purchase.lines[0].amount_minor: is not a whole number"},
    {"\"purchase\": {\"order_id\": \"o\", \"lines\": [{\"amount_minor\": 9007199254740993.0}]}", LOY_ERR_INVALID_VALUE,
     "is not exact"},
    {"\"purchase\": {\"order_id\": \"o\", \"lines\": [{\"amount_minor\": 1, \"quantity_milli\": -1}]}",
     LOY_ERR_INVALID_VALUE, "quantity_milli"},
    {"\"purchase\": {\"order_id\": \"o\", \"lines\": [{\"line_id\": \"2\", \"amount_minor\": 1},"
     "{\"amount_minor\": 1}]}",
     LOY_ERR_INVALID_VALUE, "purchase.lines[1].line_id: is that of line 0 too"},
    {"\"purchase\": {\"order_id\": \"o\", \"order_version\": 0, \"lines\": [{\"amount_minor\": 1}]}",
     LOY_ERR_INVALID_VALUE, "purchase.order_version"},
    {"\"purchase\": {\"order_id\": \"o\", \"currency\": \"rub\", \"lines\": [{\"amount_minor\": 1}]}",
     LOY_ERR_INVALID_VALUE, "purchase.currency"},
    {"\"purchase\": {\"order_id\": \"o\", \"status\": \"LOST\", \"lines\": [{\"amount_minor\": 1}]}",
     LOY_ERR_INVALID_VALUE, "purchase.status: is no OrderState"},
    {"\"purchase\": {\"order_id\": \"o\", \"status\": 9, \"lines\": [{\"amount_minor\": 1}]}", LOY_ERR_INVALID_VALUE,
     "purchase.status: 9 is no OrderState"},
    {"\"purchase\": [], \"preview\": true", LOY_ERR_INVALID_VALUE, "purchase: is not an object"},
    {"\"preview\": \"yes\", " CAFE, LOY_ERR_INVALID_VALUE, "preview: is not true or false"},
    {"\"channel\": 5, " CAFE, LOY_ERR_INVALID_VALUE, "channel: is not a text"},
    {"\"channel\": \"a\\u0000b\", " CAFE, LOY_ERR_INVALID_TEXT, "U+0000"},
    {"\"channel\": \"\\ud800\", " CAFE, LOY_ERR_INVALID_TEXT, "surrogate"},
    {"\"channel\": \"\xff\", " CAFE, LOY_ERR_INVALID_TEXT, "UTF-8"},
    {"\"channel\": \"\xed\xa0\x80\", " CAFE, LOY_ERR_INVALID_TEXT, "UTF-8"},
    {"\"channel\": \"123456789012345678901234567890123\", " CAFE, LOY_ERR_TOO_LARGE, "channel: 33 bytes, at most 32"},
    {"\"identifier\": {\"kind\": \"CARD\"}, " CAFE, LOY_ERR_MISSING_FIELD, "identifier.value"},
    {"\"identifier\": {\"value\": \"1\"}, " CAFE, LOY_ERR_MISSING_FIELD, "identifier.kind"},
    {"\"attributes\": {\"\": \"1\"}, " CAFE, LOY_ERR_MISSING_FIELD, "attributes[0].key"},
    {CAFE ", \"transfer\": {\"points\": 1}", LOY_ERR_MALFORMED, "beside another field of its oneof"},
    {CAFE ", " CAFE, LOY_ERR_MALFORMED, "comes twice"},
    {CAFE ", \"eventId\": \"e-2\"", LOY_ERR_MALFORMED, "event_id: comes under both its names"},
    {"\"return\": {\"lines\": [{\"line_id\": \"1\"}]}", LOY_ERR_MISSING_FIELD, "return.amount_minor"},
    {"\"return\": {\"order_id\": \"o\", \"amount_minor\": 1, \"lines\": [{\"line_id\": \"1\"}]}", LOY_ERR_INVALID_VALUE,
     "return: has lines and an amount"},
    {"\"return\": {\"order_id\": \"o\", \"lines\": [{}]}", LOY_ERR_MISSING_FIELD, "return.lines[0].line_id"},
    {"\"cancellation\": {}", LOY_ERR_MISSING_FIELD, "cancellation.order_id"},
    {"\"order_status\": {\"order_id\": \"o\"}", LOY_ERR_MISSING_FIELD, "order_status.status"},
    {"\"referral\": {}", LOY_ERR_MISSING_FIELD, "referral.referrer_id"},
    {"\"referral\": {\"referrer_id\": \"~card:1\"}", LOY_ERR_INVALID_MEMBER, "referral.referrer_id"},
    {"\"feedback\": {\"kind\": \"NPS\", \"score\": 11}", LOY_ERR_INVALID_VALUE, "feedback.score: is 11"},
    {"\"feedback\": {\"kind\": \"CSAT\", \"score\": 3000000000}", LOY_ERR_INVALID_VALUE, "feedback.score: is not"},
    {"\"feedback\": {\"kind\": \"CSAT\", \"text_length\": -1}", LOY_ERR_INVALID_VALUE, "feedback.text_length"},
    {"\"activity\": {}", LOY_ERR_MISSING_FIELD, "activity.name"},
    {"\"member_change\": {\"profile\": {\"birth_date\": \"2026-02-30\"}}", LOY_ERR_INVALID_VALUE, "birth_date"},
    {"\"member_change\": {\"merge\": {\"into_member_id\": \"\"}}", LOY_ERR_INVALID_MEMBER, "into_member_id: is empty"},
    {"\"redemption\": {\"redemption_id\": \"r\"}", LOY_ERR_MISSING_FIELD, "redemption.action"},
    {"\"adjustment\": {\"points\": 0, \"operator\": \"a\", \"reason\": \"b\"}", LOY_ERR_INVALID_VALUE,
     "adjustment.points"},
    {"\"transfer\": {\"points\": 5}", LOY_ERR_INVALID_VALUE, "transfer: needs"},
    {"\"transfer\": {\"points\": 5, \"cause\": \"c\", \"to_member_id\": \"m\"}", LOY_ERR_INVALID_VALUE, "not both"},
};

static void what_is_wrong_is_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        struct wire_case test;
        wire_case_init(&test);
        enum loy_err err = wire_case_kind(&test, refused[i].text);
        assert_fails(&test, err, refused[i].code, refused[i].detail);
    }
}

static void the_envelope_is_checked(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum loy_err code;
        const char *detail;
    } cases[] = {
        {"{\"source\": \"s\", \"occurred_at\": \"2026-01-01T00:00:00Z\", " CAFE "}", LOY_ERR_MISSING_FIELD, "event_id"},
        {"{\"event_id\": \"e\", \"occurred_at\": \"2026-01-01T00:00:00Z\", " CAFE "}", LOY_ERR_MISSING_FIELD, "source"},
        {"{\"event_id\": \"e\", \"source\": \"s\", " CAFE "}", LOY_ERR_MISSING_FIELD, "occurred_at"},
        {"{\"event_id\": \"e\", \"source\": \"s\", \"occurred_at\": null, " CAFE "}", LOY_ERR_MISSING_FIELD,
         "occurred_at"},
        {"{\"event_id\": \"e\", \"source\": \"s\", \"occurred_at\": \"yesterday\", " CAFE "}", LOY_ERR_INVALID_TIME,
         "occurred_at"},
        {"{\"event_id\": \"e\", \"source\": \"s\", \"occurred_at\": \"10000-01-01T00:00:00Z\", " CAFE "}",
         LOY_ERR_INVALID_TIME, "occurred_at"},
        {"{\"event_id\": \"e\", \"source\": \"s\", \"occurred_at\": 5, " CAFE "}", LOY_ERR_INVALID_TIME, "occurred_at"},
        {"{\"event_id\": \"e\", \"member_id\": \"\", " CAFE "}", LOY_ERR_INVALID_MEMBER, "member_id: is empty"},
        {"{\"event_id\": \"e\", \"source\": \"s\", \"occurred_at\": \"2026-01-01T00:00:00Z\", \"member_id\": "
         "\"~m\", " CAFE "}",
         LOY_ERR_INVALID_MEMBER, "begins with"},
        {"{\"member_id\": \"12345678901234567890123456789012345678901234567890123456789012345\", " CAFE "}",
         LOY_ERR_INVALID_MEMBER, "member_id: 65 bytes, at most 64"},
        {"{\"event_id\": \"e\"", LOY_ERR_MALFORMED, "cut off"},
        {"{\"event_id\": \"e\"} x", LOY_ERR_MALFORMED, "not valid JSON"},
        {"{\"event_id\" \"e\"}", LOY_ERR_MALFORMED, "at line 1, column"},
        {"{}", LOY_ERR_UNKNOWN_KIND, "no kind"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct wire_case test;
        wire_case_init(&test);
        enum loy_err err = wire_case_decode(&test, loy_str(cases[i].text), false);
        assert_fails(&test, err, cases[i].code, cases[i].detail);
    }
}

static void the_first_and_the_last_moment_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t moment_us;
    } cases[] = {
        {"0001-01-01T00:00:00Z", INT64_C(-62135596800000000)},
        {"9999-12-31T23:59:59.999999999Z", INT64_C(253402300799999999)},
        {"1969-12-31T23:59:59.5Z", INT64_C(-500000)},
        {"2026-11-21T12:30:00+03:00", INT64_C(1795253400000000)},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct wire_case test;
        wire_case_init(&test);
        char text[256];
        int length = snprintf(text, sizeof text,
                              "{\"event_id\":\"e\",\"source\":\"s\",\"occurred_at\":\"%s\"," CAFE "}", cases[i].text);
        assert_int_equal(wire_case_decode(&test, (struct loy_str){text, (size_t)length}, false), LOY_OK);
        assert_int_equal(test.event.occurred_at_us, cases[i].moment_us);
    }
}

static void no_member_is_no_error(void **state)
{
    (void)state;
    struct wire_case test;
    wire_case_init(&test);
    struct loy_str text = LOY_STR("{\"event_id\":\"e\",\"source\":\"s\",\"occurred_at\":\"2026-01-01T00:00:00Z\"," CAFE
                                  ", \"identifier\": {\"kind\": \"PHONE\", \"value\": \"49\"}}");
    assert_int_equal(wire_case_decode(&test, text, false), LOY_OK);
    assert_int_equal(test.event.member_id.len, 0);
    assert_text(test.event.identifier_value, "49");
    assert_int_equal(test.event.identifier_kind, 2);
}

static void too_many_and_too_large_are_refused_before_they_cost_memory(void **state)
{
    (void)state;
    struct wire_case test;
    wire_case_init(&test);
    struct loy_buf text;
    char *block = malloc(8 << 20);
    struct loy_arena arena;
    loy_arena_init(&arena, block, 8 << 20);
    loy_buf_init(&text, &arena, 1 << 20);
    loy_buf_append(&text, LOY_STR("{\"purchase\": {\"lines\": ["));
    for (int i = 0; i < 10000; i++) {
        loy_buf_append(&text, i ? LOY_STR(",{\"amount_minor\": 1}") : LOY_STR("{\"amount_minor\": 1}"));
    }
    loy_buf_append(&text, LOY_STR("]}}"));
    enum loy_err err = wire_case_decode(&test, loy_buf_str(&text), false);
    assert_fails(&test, err, LOY_ERR_TOO_LARGE, "purchase.lines: 10000 elements, at most 2000");
    assert_int_equal(test.arena.used, 0);
    loy_buf_init(&text, &arena, 1 << 20);
    loy_buf_append(&text, LOY_STR("\xa2\x01\xd0\x0f"));
    for (int i = 0; i < 1000; i++) {
        loy_buf_append(&text, LOY_STR("\x3a\x00"));
    }
    err = wire_case_decode(&test, loy_buf_str(&text), false);
    assert_fails(&test, err, LOY_ERR_TOO_LARGE, "purchase.tenders: more than 16 elements");
    LOY_UNPOISON(block, 2 << 20); /* the arena has no more use of it */
    memset(block, ' ', 2 << 20);
    err = wire_case_decode(&test, (struct loy_str){block, 2 << 20}, false);
    assert_fails(&test, err, LOY_ERR_TOO_LARGE, "2097152 bytes, at most 1048576");
    free(block);
}

/* `piece` over and over between head and tail, as near to 1 MiB as it goes, after `period` of them `between` once. */
static struct loy_str fill_record(struct loy_arena *arena, const char *head, const char *piece, int period,
                                  const char *between, const char *tail)
{
    struct loy_buf buf;
    loy_buf_init(&buf, arena, LOY_EVENT_BYTES_MAX);
    loy_buf_append(&buf, loy_str(head));
    size_t end = LOY_EVENT_BYTES_MAX - strlen(tail) - strlen(piece) - strlen(between);
    for (int i = 1; buf.len < end; i++) {
        loy_buf_append(&buf, loy_str(piece));
        if (i % period == 0) {
            loy_buf_append(&buf, loy_str(between));
        }
    }
    loy_buf_append(&buf, loy_str(tail));
    return loy_buf_str(&buf);
}

static void no_record_needs_more_than_the_promised_arena(void **state)
{
    (void)state;
    static const struct {
        const char *head, *piece;
        int period;
        const char *between, *tail;
    } cases[] = {
        {"{\"purchase\": {\"lines\": [{\"labels\":[\"\"", ",\"\"", 1999, "]},{\"labels\":[\"\"", "]}]}}"},
        {"{\"purchase\": {\"lines\": [{}", ",{}", 1 << 20, "", "]}}"},
        {"{\"purchase\": {\"lines\": [{\"labels\":[\"\"", ",\"\"", 170, "]},{\"labels\":[\"\"", "]}]}}"},
        {"{\"purchase\": {\"lines\": [{\"labels\":[\"\"", ",\"\"", 1025, "]},{\"labels\":[\"\"", "]}]}}"},
        {"{\"attributes\": {\"\":\"\"", ",\"a\":\"\"", 1 << 20, "", "}}"},
        {"{\"member_change\": {\"segments\": {\"enter\": [\"\"", ",\"\"", 1 << 20, "", "]}}}"},
        {"[", "[", 1 << 20, "", "]"},
        {"{\"x\":[0", ",0", 1 << 20, "", "]}"},
        {"{\"specversion\": \"1.0\", \"data_base64\": \"", "AAAA", 1 << 20, "", "\"}"},
    };
    char *text_block = malloc(4 << 20);
    char *block = malloc(LOY_WIRE_DECODE_ARENA);
    size_t peak = 0;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct loy_arena texts, arena;
        struct loy_event event;
        struct loy_error error;
        loy_arena_init(&texts, text_block, 4 << 20);
        loy_arena_init(&arena, block, LOY_WIRE_DECODE_ARENA);
        struct loy_record record = {.has_value = true,
                                    .value = fill_record(&texts, cases[i].head, cases[i].piece, cases[i].period,
                                                         cases[i].between, cases[i].tail)};
        assert_true(record.value.len > LOY_EVENT_BYTES_MAX - 32 && record.value.len <= LOY_EVENT_BYTES_MAX);
        enum loy_err err = loy_wire_decode(&record, false, &arena, &event, &error);
        if (loy_err_class(err) != LOY_CLASS_REJECT) {
            fail_msg("case %zu: %s: %s", i, loy_err_name(err), error.detail);
        }
        peak = arena.peak > peak ? arena.peak : peak;
    }
    print_message("most arena used: %zu bytes\n", peak);
    free(block);
    free(text_block);
}

/* The same purchase, whatever was written first. */
static void one_event_has_one_encoding(void **state)
{
    (void)state;
    struct wire_case one, other;
    wire_case_init(&one);
    assert_int_equal(wire_case_kind(&one, "\"channel\": \"web\", \"attributes\": {\"b\": \"2\", \"a\": \"\"}, "
                                          "\"unknown\": [1], " CAFE),
                     LOY_OK);
    struct loy_arena_mark mark = loy_arena_mark(&one.arena);
    other = one;
    assert_int_equal(wire_case_kind(&other, CAFE ", \"attributes\": {\"a\": \"\", \"b\": \"2\"}, "
                                                 "\"partner\": null, \"channel\": \"web\""),
                     LOY_OK);
    assert_true(other.arena.used > mark.used);
    assert_true(loy_str_equal(one.event.encoded, other.event.encoded));
}

static struct loy_str concat(struct loy_arena *arena, struct loy_str a, struct loy_str b)
{
    struct loy_buf buf;
    loy_buf_init(&buf, arena, a.len + b.len);
    loy_buf_append(&buf, a);
    loy_buf_append(&buf, b);
    return loy_buf_str(&buf);
}

static void canonical_protobuf_is_kept_and_other_is_put_in_order(void **state)
{
    (void)state;
    struct wire_case test;
    wire_case_init(&test);
    assert_int_equal(wire_case_kind(&test, "\"channel\": \"web\", " CAFE), LOY_OK);
    struct loy_str encoded = test.event.encoded;
    assert_int_equal(wire_case_decode(&test, encoded, false), LOY_OK);
    assert_true(loy_str_equal(test.event.encoded, encoded));
    /* event_id is the first field: behind the others it is the same event. */
    size_t first = 2 + (size_t)encoded.at[1];
    struct loy_str turned = concat(&test.arena, (struct loy_str){encoded.at + first, encoded.len - first},
                                   (struct loy_str){encoded.at, first});
    assert_int_equal(wire_case_decode(&test, turned, false), LOY_OK);
    assert_true(loy_str_equal(test.event.encoded, encoded));
    /* Fields 49 and 60 are not known: a varint, and a group with a varint in it. */
    struct loy_str more = concat(&test.arena, encoded, LOY_STR("\x88\x03\x01\xe3\x03\x08\x01\xe4\x03"));
    assert_int_equal(wire_case_decode(&test, more, false), LOY_OK);
    assert_true(loy_str_equal(test.event.encoded, encoded));
    /* An overlong varint for the length of the first text. */
    struct loy_str overlong = concat(&test.arena,
                                     LOY_STR("\x0a\x83\x00"
                                             "e-1"),
                                     (struct loy_str){encoded.at + first, encoded.len - first});
    assert_int_equal(wire_case_decode(&test, overlong, false), LOY_OK);
    assert_true(loy_str_equal(test.event.encoded, encoded));
}

/* What other writers may do, and we do not: each is read, and put right in what is kept. */
static void what_is_written_otherwise_is_kept_in_our_way(void **state)
{
    (void)state;
#define START                                                                                                          \
    "\x0a\x01"                                                                                                         \
    "e\x12\x01"                                                                                                        \
    "s"
#define MOMENT "\x2a\x02\x08\x01"
    static const struct {
        struct loy_str sent;
        struct loy_str kept;
    } cases[] = {
        {{START "\x2a\x04\x08\x01\x10\x00\xca\x01\x02\x10\x01", 17}, {START MOMENT "\xca\x01\x02\x10\x01", 15}},
        {{START MOMENT "\x50\x02\xca\x01\x02\x10\x01", 17}, {START MOMENT "\x50\x01\xca\x01\x02\x10\x01", 17}},
        {{START MOMENT "\xca\x01\x02\x10\x81\x00", 16}, {NULL, 0}},
        {{START MOMENT "\xca\x01\x03\x10\x81\x00", 16}, {START MOMENT "\xca\x01\x02\x10\x01", 15}},
        {{START MOMENT "\xca\x01\x08\x10\x05\x18\xff\xff\xff\xff\x0f", 21},
         {START MOMENT "\xca\x01\x0d\x10\x05\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 26}},
        {{START MOMENT "\xca\x01\x08\x10\x05\x50\x83\x80\x80\x80\x10", 21},
         {START MOMENT "\xca\x01\x04\x10\x05\x50\x03", 17}},
        {{START MOMENT "\xca\x01\x04\x18\x05\x10\x05", 17}, {START MOMENT "\xca\x01\x04\x10\x05\x18\x05", 17}},
        {{START MOMENT "\x4a\x03\x0a\x01"
                       "k\xca\x01\x02\x10\x01",
          20},
         {START MOMENT "\x4a\x05\x0a\x01"
                       "k\x12\x00\xca\x01\x02\x10\x01",
          22}},
        {{START MOMENT "\x4a\x05\x0a\x01"
                       "k\x12\x00\x4a\x06\x0a\x01"
                       "k\x12\x01v\xca\x01\x02\x10\x01",
          30},
         {START MOMENT "\x4a\x06\x0a\x01"
                       "k\x12\x01v\xca\x01\x02\x10\x01",
          23}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct wire_case test;
        wire_case_init(&test);
        enum loy_err err = wire_case_decode(&test, cases[i].sent, false);
        if (!cases[i].kept.at) {
            assert_int_equal(err, LOY_ERR_MALFORMED);
            continue;
        }
        if (err || !loy_str_equal(test.event.encoded, cases[i].kept)) {
            fail_msg("case %zu: %s", i, test.error.detail);
        }
    }
#undef START
#undef MOMENT
}

static void broken_protobuf_is_refused(void **state)
{
    (void)state;
    struct wire_case test;
    wire_case_init(&test);
    assert_int_equal(wire_case_kind(&test, CAFE), LOY_OK);
    struct loy_str good = test.event.encoded;
    for (size_t length = 1; length < good.len; length++) {
        enum loy_err err = wire_case_decode(&test, (struct loy_str){good.at, length}, false);
        assert_true(err == LOY_ERR_MALFORMED || err == LOY_ERR_MISSING_FIELD || err == LOY_ERR_UNKNOWN_KIND);
    }
    struct {
        struct loy_str bytes;
        enum loy_err code;
        const char *detail;
    } cases[] = {
        {LOY_STR("\x0a\x03"
                 "a\0b"),
         LOY_ERR_INVALID_TEXT, "event_id: holds U+0000"},
        {LOY_STR("\x0a\x02\xc3\x28"), LOY_ERR_INVALID_TEXT, "event_id: is not UTF-8"},
        {LOY_STR("\x0a\x01"
                 "a\x0a\x01"
                 "a"),
         LOY_ERR_MALFORMED, "event_id: comes twice"},
        {LOY_STR("\xd2\x01\x03\x0a\x01"
                 "a\xb2\x01\x00"),
         LOY_ERR_MALFORMED, "cancellation: comes beside"},
        {LOY_STR("\x08\x01"), LOY_ERR_MALFORMED, "event_id: another wire type"},
        {LOY_STR("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80"), LOY_ERR_MALFORMED, "not protobuf"},
        {LOY_STR("\x0f"), LOY_ERR_MALFORMED, "event_id: another wire type"},
        {LOY_STR("\xe7\x03"), LOY_ERR_MALFORMED, "not protobuf"},
        {LOY_STR("\xe3\x03\xe3\x03\xe4\x03"), LOY_ERR_MALFORMED, "not protobuf"},
        {LOY_STR("\x82\x02\x00"), LOY_ERR_UNKNOWN_KIND, "event kind 32 is not known"},
        {LOY_STR("\x0a\xff\xff\xff\xff\x0f"
                 "a"),
         LOY_ERR_MALFORMED, "event_id: cut off"},
        {LOY_STR("\x2a\x07\x08\xff\xff\xff\xff\xff\x7f"), LOY_ERR_INVALID_TIME, "occurred_at"},
        {LOY_STR("\x2a\x06\x10\x80\x94\xeb\xdc\x03"), LOY_ERR_INVALID_TIME, "occurred_at: nanos 1000000000"},
        {LOY_STR("%PDF-1.4"), LOY_ERR_MALFORMED, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t used = test.arena.used;
        enum loy_err err = wire_case_decode(&test, cases[i].bytes, false);
        assert_fails(&test, err, cases[i].code, cases[i].detail);
        assert_int_equal(test.arena.used, used);
    }
    struct loy_record tombstone = {0};
    assert_int_equal(loy_wire_decode(&tombstone, false, &test.arena, &test.event, &test.error), LOY_ERR_MALFORMED);
    assert_int_equal(wire_case_decode(&test, (struct loy_str){"", 0}, false), LOY_ERR_MALFORMED);
}

static void a_full_arena_is_no_fault_of_the_event(void **state)
{
    (void)state;
    struct wire_case test;
    wire_case_init(&test);
    assert_int_equal(wire_case_kind(&test, "\"attributes\": {\"b\": \"2\", \"a\": \"1\"}, \"purchase\": {\"order_id\": "
                                           "\"o\", \"lines\": [{\"amount_minor\": 1, \"labels\": [\"a\"]}]}"),
                     LOY_OK);
    struct loy_record record = {.has_value = true, .value = test.event.encoded};
    char block[4096];
    size_t failures = 0;
    for (size_t size = 0; size < sizeof block; size += 16) {
        struct loy_arena arena;
        loy_arena_init(&arena, block, size);
        enum loy_err err = loy_wire_decode(&record, false, &arena, &test.event, &test.error);
        if (err) {
            assert_int_equal(err, LOY_ERR_NO_MEMORY);
            assert_int_equal(arena.used, 0);
            failures++;
        }
    }
    LOY_UNPOISON(block, sizeof block); /* the stack has another use for it */
    assert_true(failures > 10 && failures < sizeof block / 16);
}

static void stored_bytes_that_are_broken_are_corrupt(void **state)
{
    (void)state;
    struct wire_case test;
    wire_case_init(&test);
    assert_int_equal(wire_case_kind(&test, CAFE), LOY_OK);
    struct loy_str good = test.event.encoded;
    assert_int_equal(loy_wire_event_decode(good, &test.arena, &test.event, &test.error), LOY_OK);
    assert_text(test.event.activity_name, "check_in");
    struct loy_str cut = {good.at, good.len - 1};
    assert_int_equal(loy_wire_event_decode(cut, &test.arena, &test.event, &test.error), LOY_ERR_CORRUPT);
    assert_non_null(strstr(test.error.detail, "stored event: activity"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_purchase_is_read_whole),
        cmocka_unit_test(feedback_is_read_whole_and_what_is_absent_is_known_to_be),
        cmocka_unit_test(member_changes_are_read_and_what_is_taken_back_is_not_what_is_absent),
        cmocka_unit_test(every_kind_is_known),
        cmocka_unit_test(what_is_wrong_is_named),
        cmocka_unit_test(the_envelope_is_checked),
        cmocka_unit_test(the_first_and_the_last_moment_are_read),
        cmocka_unit_test(no_member_is_no_error),
        cmocka_unit_test(too_many_and_too_large_are_refused_before_they_cost_memory),
        cmocka_unit_test(no_record_needs_more_than_the_promised_arena),
        cmocka_unit_test(one_event_has_one_encoding),
        cmocka_unit_test(canonical_protobuf_is_kept_and_other_is_put_in_order),
        cmocka_unit_test(what_is_written_otherwise_is_kept_in_our_way),
        cmocka_unit_test(broken_protobuf_is_refused),
        cmocka_unit_test(a_full_arena_is_no_fault_of_the_event),
        cmocka_unit_test(stored_bytes_that_are_broken_are_corrupt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
