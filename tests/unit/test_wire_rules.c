#include "support/cmocka_all.h"

#include "adapters/wire/rules.h"
#include "engine/event.h"

static bool is_text(const ProtobufCFieldDescriptor *field)
{
    return field->type == PROTOBUF_C_TYPE_STRING;
}

/* A row for each field, in order, with a limit for whatever can be long. Walks all messages an event is made of. */
static unsigned compare(const struct loy_wire_rules *rules)
{
    const ProtobufCMessageDescriptor *descriptor = rules->descriptor;
    uint64_t numbers = 0;
    unsigned count = 1;
    for (unsigned i = 0; i < descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &descriptor->fields[i];
        const struct loy_wire_rule *rule = &rules->fields[i];
        bool repeated = field->label == PROTOBUF_C_LABEL_REPEATED;
        if (rule->number != field->id || (rule->max_bytes > 0) != is_text(field) || (rule->max_count > 0) != repeated ||
            (rule->message != NULL) != (field->type == PROTOBUF_C_TYPE_MESSAGE)) {
            fail_msg("%s.%s: its rule is another's", descriptor->name, field->name);
        }
        assert_true(field->id < 64);
        numbers |= UINT64_C(1) << field->id;
        bool textual = rule->check >= LOY_WIRE_ACCOUNT;
        assert_true(rule->check == LOY_WIRE_ANY || textual == is_text(field));
        if (rule->message) {
            assert_ptr_equal(rule->message->descriptor, field->descriptor);
            count += compare(rule->message);
        }
    }
    assert_int_equal(rules->required & ~numbers, 0);
    return count;
}

static void every_field_of_an_event_has_its_rule(void **state)
{
    (void)state;
    /* 31 messages and maps; identifier, purchase's parts and Timestamp are reached on several ways. */
    assert_int_equal(compare(loy_wire_event_rules()), 37);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_field_of_an_event_has_its_rule)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
