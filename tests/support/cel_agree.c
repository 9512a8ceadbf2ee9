#include "support/cel_agree.h"

#include "cel/issue.h"
#include "support/cel_generator.h"
#include "support/cel_reference.h"

#include <stdio.h>
#include <stdlib.h>

enum { REFERENCE_ARENA = 32 << 20 };

void cel_agree_init(struct cel_agree *agree)
{
    cel_fixture_init(&agree->fixture);
    loy_arena_init(&agree->reference, malloc(REFERENCE_ARENA), REFERENCE_ARENA);
    agree->start = loy_arena_mark(&agree->fixture.programs);
}

void cel_agree_fini(struct cel_agree *agree)
{
    free(agree->reference.base);
    cel_fixture_fini(&agree->fixture);
}

static const char *say(struct cel_agree *agree, struct loy_str text, const char *what, struct loy_cel_value compiled,
                       struct loy_cel_value reference)
{
    char block[4096];
    struct loy_arena arena;
    struct loy_buf buf;
    loy_arena_init(&arena, block, sizeof block);
    loy_buf_init(&buf, &arena, 64);
    loy_buf_append(&buf, LOY_STR("compiled "));
    loy_cel_value_print(compiled, &buf);
    loy_buf_append(&buf, LOY_STR(", reference "));
    loy_cel_value_print(reference, &buf);
    struct loy_str values = loy_buf_str(&buf);
    (void)snprintf(agree->why, sizeof agree->why, "%s: %.*s\n%.*s", what, LOY_STR_ARG(text), LOY_STR_ARG(values));
    return agree->why;
}

static struct loy_cel_value by_reference(struct cel_agree *agree, struct loy_str text)
{
    struct loy_cel_issues issues = {.count = 0};
    struct loy_cel_issue_sink sink = {.issues = &issues, .arena = &agree->reference, .text = text};
    struct loy_cel_parse_result parsed = {.root = NULL};
    if (loy_cel_parse(text, false, &agree->reference, &sink, &parsed) != LOY_OK || !parsed.root) {
        abort();
    }
    return cel_reference_eval(&agree->fixture, &agree->reference, parsed.root);
}

const char *cel_agree_try(struct cel_agree *agree, const uint8_t *bytes, size_t len)
{
    struct cel_fixture *fixture = &agree->fixture;
    struct loy_buf out;
    loy_arena_reset_to(&fixture->programs, agree->start);
    loy_arena_reset(&fixture->scratch);
    loy_arena_reset(&agree->reference);
    loy_buf_init(&out, &agree->reference, 1024);
    cel_generate(bytes, len, &out);
    struct loy_str text = loy_buf_str(&out);
    struct loy_cel_options options = {.max_cost = UINT64_MAX};
    const struct loy_cel_program *program = NULL;
    struct loy_cel_value none = loy_cel_null();
    if (loy_cel_compile(fixture->env, text, &options, &fixture->programs, &program, &fixture->issues) != LOY_OK) {
        struct loy_str message = fixture->issues.count ? fixture->issues.items[0].message : LOY_STR("no memory");
        (void)snprintf(agree->why, sizeof agree->why, "does not compile: %.*s\n%.*s", LOY_STR_ARG(text),
                       LOY_STR_ARG(message));
        return agree->why;
    }
    struct loy_cel_trace trace;
    uint64_t fuel = UINT64_C(1) << 40, before = fuel;
    struct loy_cel_value compiled = loy_cel_eval_traced(program, fixture->variables, &fixture->scratch, &fuel, &trace);
    if (compiled.kind == LOY_CEL_ERROR && compiled.fault == LOY_CEL_FAULT_BUDGET) {
        agree->unlimited++; /* the fixture's arena is small on purpose */
        return NULL;
    }
    if (before - fuel > loy_cel_program_cost(program)) {
        return say(agree, text, "used more than its static cost", compiled, none);
    }
    struct loy_cel_value reference = by_reference(agree, text);
    agree->values += compiled.kind != LOY_CEL_ERROR;
    agree->errors += compiled.kind == LOY_CEL_ERROR;
    return cel_reference_same(compiled, reference) ? NULL : say(agree, text, "differ", compiled, reference);
}
