#include "support/cmocka_all.h"

#include "support/wire_case.h"

#define BARE "\"activity\": {\"name\": \"check_in\"}"
#define WHOLE "\"event_id\": \"e-1\", \"source\": \"pos\", \"occurred_at\": \"2026-11-21T09:30:00Z\", " BARE

static void assert_text(struct loy_str text, const char *expected)
{
    assert_int_equal(text.len, strlen(expected));
    assert_memory_equal(text.at, expected, text.len);
}

static struct loy_str concat(struct wire_case *test, struct loy_str a, struct loy_str b)
{
    struct loy_buf buf;
    loy_buf_init(&buf, &test->arena, a.len + b.len);
    loy_buf_append(&buf, a);
    loy_buf_append(&buf, b);
    return loy_buf_str(&buf);
}

static struct loy_str protobuf_of(struct wire_case *test, const char *json)
{
    assert_int_equal(wire_case_decode(test, loy_str(json), false), LOY_OK);
    return test->event.encoded;
}

static void protobuf_of_the_schema_registry(void **state)
{
    (void)state;
    struct wire_case test;
    wire_case_init(&test);
    struct loy_str bare = protobuf_of(&test, "{" WHOLE "}");
    const struct {
        struct loy_str frame;
        enum loy_err err;
    } cases[] = {
        {LOY_STR("\0\0\0\0\7\0"), LOY_OK},
        {LOY_STR("\0\0\0\0\7\2\0"), LOY_OK},
        {LOY_STR("\0\0\0\0\7\2\2"), LOY_ERR_MALFORMED},
        {LOY_STR("\0\0\0\0\7\4\0\0"), LOY_ERR_MALFORMED},
        {LOY_STR("\1\0\0\0\7\0"), LOY_ERR_MALFORMED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(wire_case_decode(&test, concat(&test, cases[i].frame, bare), false), cases[i].err);
        if (!cases[i].err) {
            assert_true(loy_str_equal(test.event.encoded, bare));
        }
    }
    assert_int_equal(wire_case_decode(&test, LOY_STR("\0\0\0\0\7"), false), LOY_ERR_MALFORMED);
    assert_int_equal(wire_case_decode(&test, LOY_STR("\0"), false), LOY_ERR_MALFORMED);
    struct loy_str json = concat(&test, LOY_STR("\0\0\0\0\7"), loy_str("{" WHOLE "}"));
    assert_int_equal(wire_case_decode(&test, json, false), LOY_OK);
    assert_true(loy_str_equal(test.event.encoded, bare));
}

static void json_is_known_by_its_first_bytes(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "{" WHOLE "}", " {" WHOLE "}", "\n{" WHOLE "}\n", "\r\n{\n  " WHOLE "}", "\xEF\xBB\xBF{" WHOLE "}",
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct wire_case test;
        wire_case_init(&test);
        assert_int_equal(wire_case_decode(&test, loy_str(cases[i]), false), LOY_OK);
        assert_text(test.event.event_id, "e-1");
    }
}

/* The tag of event_id is a line feed, and 123 is "{". */
static void an_event_id_of_123_bytes_is_not_taken_for_json(void **state)
{
    (void)state;
    struct wire_case test;
    wire_case_init(&test);
    char id[124];
    memset(id, 'x', 123);
    id[123] = '\0';
    struct loy_buf text;
    loy_buf_init(&text, &test.arena, 512);
    loy_buf_printf(&text, "{\"event_id\": \"%s\", \"source\": \"pos\", \"occurred_at\": \"2026-01-01T00:00:00Z\", %s}",
                   id, BARE);
    assert_int_equal(wire_case_decode(&test, loy_buf_str(&text), false), LOY_OK);
    struct loy_str protobuf = test.event.encoded;
    assert_memory_equal(protobuf.at, "\n{", 2);
    assert_int_equal(wire_case_decode(&test, protobuf, false), LOY_OK);
    assert_text(test.event.event_id, id);
}

static enum loy_err decode_with(struct wire_case *test, struct loy_str value, const struct loy_header *headers,
                                uint32_t count)
{
    struct loy_record record = {.has_value = true, .value = value, .headers = headers, .header_count = count};
    return loy_wire_decode(&record, false, &test->arena, &test->event, &test->error);
}

static void a_binary_cloudevent_completes_what_the_payload_lacks(void **state)
{
    (void)state;
    struct wire_case test;
    wire_case_init(&test);
    const struct loy_header headers[] = {
        {LOY_STR("ce_specversion"), LOY_STR("1.0")},
        {LOY_STR("ce_type"), LOY_STR("com.example.anything")},
        {LOY_STR("ce_id"), LOY_STR("ce-1")},
        {LOY_STR("ce_source"), LOY_STR("/web")},
        {LOY_STR("ce_time"), LOY_STR("2026-11-21T09:30:00.5Z")},
        {LOY_STR("content-type"), LOY_STR("application/json; charset=utf-8")},
        {LOY_STR("empty"), {NULL, 0}},
    };
    assert_int_equal(decode_with(&test, LOY_STR("{" BARE "}"), headers, 7), LOY_OK);
    assert_text(test.event.event_id, "ce-1");
    assert_text(test.event.source, "/web");
    assert_int_equal(test.event.occurred_at_us, INT64_C(1795253400500000));
    /* It is part of what is kept. */
    struct loy_event stored;
    assert_int_equal(loy_wire_event_decode(test.event.encoded, &test.arena, &stored, &test.error), LOY_OK);
    assert_text(stored.event_id, "ce-1");
    /* The payload's own words stand. */
    assert_int_equal(decode_with(&test, LOY_STR("{" WHOLE "}"), headers, 7), LOY_OK);
    assert_text(test.event.event_id, "e-1");
    assert_text(test.event.source, "pos");
    /* Without ce_specversion it is no CloudEvent. */
    assert_int_equal(decode_with(&test, LOY_STR("{" BARE "}"), headers + 1, 6), LOY_ERR_MISSING_FIELD);
    struct loy_str protobuf = protobuf_of(&test, "{" WHOLE "}");
    assert_int_equal(decode_with(&test, protobuf, headers, 5), LOY_OK);
    assert_true(loy_str_equal(test.event.encoded, protobuf));
}

static void what_a_cloudevent_says_is_checked_too(void **state)
{
    (void)state;
    struct wire_case test;
    wire_case_init(&test);
    char id[130];
    memset(id, 'x', sizeof id);
    const struct {
        struct loy_header header;
        enum loy_err err;
    } cases[] = {
        {{LOY_STR("ce_id"), {id, 129}}, LOY_ERR_TOO_LARGE},
        {{LOY_STR("ce_id"), LOY_STR("a\0b")}, LOY_ERR_INVALID_TEXT},
        {{LOY_STR("ce_id"), LOY_STR("\xff")}, LOY_ERR_INVALID_TEXT},
        {{LOY_STR("ce_id"), LOY_STR("")}, LOY_ERR_MISSING_FIELD},
        {{LOY_STR("ce_source"), {id, 65}}, LOY_ERR_TOO_LARGE},
        {{LOY_STR("ce_time"), LOY_STR("noon")}, LOY_ERR_INVALID_TIME},
        {{LOY_STR("ce_specversion"), LOY_STR("0.3")}, LOY_ERR_INVALID_VALUE},
        {{LOY_STR("content-type"), LOY_STR("application/cloudevents+avro")}, LOY_ERR_MALFORMED},
        {{LOY_STR("content-type"), LOY_STR("application/cloudevents-batch+json")}, LOY_ERR_MALFORMED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct loy_header headers[] = {
            {LOY_STR("ce_specversion"), LOY_STR("1.0")},
            {LOY_STR("ce_id"), LOY_STR("ce-1")},
            {LOY_STR("ce_source"), LOY_STR("/web")},
            {LOY_STR("ce_time"), LOY_STR("2026-11-21T09:30:00Z")},
            cases[i].header,
        };
        assert_int_equal(decode_with(&test, LOY_STR("{" BARE "}"), headers, 5), cases[i].err);
    }
}

static void a_structured_cloudevent_carries_json_or_base64(void **state)
{
    (void)state;
    struct wire_case test;
    wire_case_init(&test);
    const char *const good[] = {
        "{\"specversion\": \"1.0\", \"id\": \"e-1\", \"source\": \"pos\", \"type\": \"t\", "
        "\"time\": \"2026-11-21T09:30:00Z\", \"data\": {" BARE "}}",
        /* {"activity":{"name":"check_in"}} */
        "{\"specversion\": \"1.0\", \"id\": \"e-1\", \"source\": \"pos\", \"type\": \"t\", "
        "\"time\": \"2026-11-21T09:30:00Z\", \"data_base64\": \"eyJhY3Rpdml0eSI6eyJuYW1lIjoiY2hlY2tfaW4ifX0=\"}",
        /* activity {name: "check_in"} as protobuf: d2 01 0a 0a 08 … */
        "{\"specversion\": \"1.0\", \"id\": \"e-1\", \"source\": \"pos\", \"type\": \"t\", "
        "\"time\": \"2026-11-21T09:30:00Z\", \"data_base64\": \"0gEKCghjaGVja19pbg==\"}",
    };
    struct loy_str expected = protobuf_of(&test, "{" WHOLE "}");
    const struct loy_header header = {LOY_STR("Content-Type"), LOY_STR("application/cloudevents+json")};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_int_equal(wire_case_decode(&test, loy_str(good[i]), false), LOY_OK);
        assert_true(loy_str_equal(test.event.encoded, expected));
        assert_int_equal(decode_with(&test, loy_str(good[i]), &header, 1), LOY_OK);
    }
    const struct {
        const char *text;
        enum loy_err err;
    } bad[] = {
        {"{\"specversion\": \"1.0\", \"id\": \"e-1\"}", LOY_ERR_MALFORMED},
        {"{\"specversion\": \"1.0\", \"data\": \"text\"}", LOY_ERR_MALFORMED},
        {"{\"specversion\": \"1.0\", \"data_base64\": \"%%%%\"}", LOY_ERR_MALFORMED},
        {"{\"specversion\": \"1.0\", \"data_base64\": 5}", LOY_ERR_MALFORMED},
        {"{\"specversion\": \"1.0\", \"data_base64\": \"\"}", LOY_ERR_MALFORMED},
        {"{\"specversion\": \"0.2\", \"data\": {}}", LOY_ERR_INVALID_VALUE},
        {"{\"specversion\": 1, \"data\": {}}", LOY_ERR_INVALID_VALUE},
        {"{\"specversion\": \"1.0\", \"data\": {\"specversion\": \"1.0\", \"data\": {}}}", LOY_ERR_UNKNOWN_KIND},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(wire_case_decode(&test, loy_str(bad[i].text), false), bad[i].err);
    }
    assert_int_equal(decode_with(&test, LOY_STR("{" WHOLE "}"), &header, 1), LOY_ERR_INVALID_VALUE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(protobuf_of_the_schema_registry),
        cmocka_unit_test(json_is_known_by_its_first_bytes),
        cmocka_unit_test(an_event_id_of_123_bytes_is_not_taken_for_json),
        cmocka_unit_test(a_binary_cloudevent_completes_what_the_payload_lacks),
        cmocka_unit_test(what_a_cloudevent_says_is_checked_too),
        cmocka_unit_test(a_structured_cloudevent_carries_json_or_base64),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
