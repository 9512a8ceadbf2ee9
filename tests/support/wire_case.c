#include "support/wire_case.h"

void wire_case_init(struct wire_case *test)
{
    static char block[LOY_WIRE_DECODE_ARENA + (8 << 20)];
    memset(test, 0, sizeof *test);
    loy_arena_init(&test->arena, block, sizeof block);
}

enum loy_err wire_case_decode(struct wire_case *test, struct loy_str bytes, bool internal)
{
    struct loy_record record = {.has_value = true, .value = bytes};
    test->error = (struct loy_error){0};
    return loy_wire_decode(&record, internal, &test->arena, &test->event, &test->error);
}

enum loy_err wire_case_kind(struct wire_case *test, const char *kind_and_value)
{
    struct loy_buf text;
    loy_buf_init(&text, &test->arena, 1024);
    loy_buf_append(&text, LOY_STR("{\"event_id\": \"e-1\", \"source\": \"pos\", \"member_id\": \"m-1\", "
                                  "\"occurred_at\": \"2026-11-21T09:30:00.25Z\", "));
    loy_buf_append(&text, loy_str(kind_and_value));
    loy_buf_append_byte(&text, '}');
    return wire_case_decode(test, loy_buf_str(&text), false);
}
