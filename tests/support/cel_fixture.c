#include "support/cel_fixture.h"

#include "base/num.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

static struct loy_cel_value money(void *context, struct loy_cel_run *run, const struct loy_cel_value *args,
                                  size_t count)
{
    (void)context;
    (void)run;
    (void)count;
    int64_t units;
    return loy_decimal_parse(loy_cel_text(args[0]), 2, &units) ? loy_cel_int(units)
                                                               : loy_cel_fail(LOY_CEL_FAULT_ARGUMENT, "no amount");
}

static struct loy_cel_value shout(void *context, struct loy_cel_run *run, const struct loy_cel_value *args,
                                  size_t count)
{
    (void)context;
    (void)count;
    char *text = loy_cel_alloc(run, args[0].len + 1);
    if (!text) {
        return loy_cel_exhausted();
    }
    memcpy(text, args[0].as.text, args[0].len);
    text[args[0].len] = '!';
    return loy_cel_string((struct loy_str){text, args[0].len + 1});
}

static void must(enum loy_err err)
{
    assert(err == LOY_OK);
    (void)err;
}

static void declare(struct cel_fixture *f)
{
    static const struct loy_cel_field line[] = {{.name = "category", .type = "string", .max_size = 64},
                                                {.name = "amount", .type = "int", .decimals = 2}};
    static const struct loy_cel_field purchase[] = {
        {.name = "total", .type = "int", .decimals = 2},
        {.name = "channel", .type = "string", .max_size = 32},
        {.name = "lines", .type = "list(line)", .max_size = 100},
        {.name = "coupon", .type = "string", .max_size = 32},
        {.name = "at", .type = "timestamp"},
        {.name = "tags", .type = "list(string)", .max_size = 10},
    };
    static const struct loy_cel_field member[] = {{.name = "average_purchase", .type = "int", .decimals = 2},
                                                  {.name = "level", .type = "string", .max_size = 16},
                                                  {.name = "days_since_purchase", .type = "int"}};
    static const struct loy_cel_function functions[] = {
        {.name = "money", .signature = "string -> int", .is_constant = true, .call = money},
        {.name = "shout", .signature = "string -> string", .is_method = true, .cost = 3, .call = shout},
    };
    uint32_t slot;
    must(loy_cel_env_add_record(f->env, "line", line, LINE_FIELDS, &f->line_id, NULL));
    must(loy_cel_env_add_record(f->env, "purchase", purchase, PURCHASE_FIELDS, &f->purchase_id, NULL));
    must(loy_cel_env_add_record(f->env, "member", member, MEMBER_FIELDS, &f->member_id, NULL));
    must(loy_cel_env_add_variable(f->env, "purchase", "purchase", &slot, NULL));
    must(loy_cel_env_add_variable(f->env, "member", "member", &slot, NULL));
    must(loy_cel_env_add_variable(f->env, "attributes", "map(string, dyn)", &slot, NULL));
    must(loy_cel_env_add_variable(f->env, "flag", "bool", &slot, NULL));
    must(loy_cel_env_add_function(f->env, &functions[0], NULL));
    must(loy_cel_env_add_function(f->env, &functions[1], NULL));
}

static void fill(struct cel_fixture *f)
{
    static const char *const categories[FIXTURE_LINES] = {"coffee", "bakery", "coffee"};
    static struct loy_cel_value tags[2];
    for (int i = 0; i < FIXTURE_LINES; i++) {
        f->slots[i][LINE_CATEGORY] = loy_cel_string(loy_str(categories[i]));
        f->slots[i][LINE_AMOUNT] = loy_cel_int(10000 * (i + 1));
        f->lines[i] = loy_cel_record(f->line_id, f->slots[i]);
    }
    tags[0] = loy_cel_string(LOY_STR("new"));
    tags[1] = loy_cel_string(LOY_STR("gift"));
    f->purchase[PURCHASE_TOTAL] = loy_cel_int(148000);
    f->purchase[PURCHASE_CHANNEL] = loy_cel_string(LOY_STR("web"));
    f->purchase[PURCHASE_LINES] = loy_cel_list(f->lines, FIXTURE_LINES);
    f->purchase[PURCHASE_COUPON] = loy_cel_absent();
    f->purchase[PURCHASE_AT] = loy_cel_timestamp(INT64_C(1793525400) * LOY_US_PER_SECOND);
    f->purchase[PURCHASE_TAGS] = loy_cel_list(tags, 2);
    f->member[MEMBER_AVERAGE] = loy_cel_int(100000);
    f->member[MEMBER_LEVEL] = loy_cel_string(LOY_STR("gold"));
    f->member[MEMBER_DAYS] = loy_cel_int(30);
    f->attributes[0] = (struct loy_cel_entry){loy_cel_string(LOY_STR("score")), loy_cel_int(9)};
    f->attributes[1] = (struct loy_cel_entry){loy_cel_string(LOY_STR("colour")), loy_cel_string(LOY_STR("red"))};
    f->variables[0] = loy_cel_record(f->purchase_id, f->purchase);
    f->variables[1] = loy_cel_record(f->member_id, f->member);
    f->variables[2] = loy_cel_map(f->attributes, 2);
    f->variables[3] = loy_cel_bool(true);
}

void cel_fixture_init(struct cel_fixture *f)
{
    *f = (struct cel_fixture){.fuel = 10000000};
    loy_arena_init(&f->programs, malloc(FIXTURE_PROGRAMS), FIXTURE_PROGRAMS);
    loy_arena_init(&f->scratch, malloc(FIXTURE_SCRATCH), FIXTURE_SCRATCH);
    f->env = loy_cel_env_new(&f->programs);
    declare(f);
    fill(f);
}

void cel_fixture_fini(struct cel_fixture *f)
{
    free(f->programs.base);
    free(f->scratch.base);
}

const struct loy_cel_program *cel_fixture_compile(struct cel_fixture *f, const char *text,
                                                  const struct loy_cel_options *options)
{
    const struct loy_cel_program *program = NULL;
    enum loy_err err = loy_cel_compile(f->env, loy_str(text), options, &f->programs, &program, &f->issues);
    return err == LOY_OK ? program : NULL;
}

static const char *keep(struct cel_fixture *f, const struct loy_buf *buf)
{
    struct loy_str text = loy_buf_str(buf);
    (void)snprintf(f->text, sizeof f->text, "%.*s", LOY_STR_ARG(text));
    return f->text;
}

const char *cel_fixture_issues(struct cel_fixture *f, const char *text, const struct loy_cel_options *options)
{
    (void)cel_fixture_compile(f, text, options);
    struct loy_buf buf;
    loy_arena_reset(&f->scratch);
    loy_buf_init(&buf, &f->scratch, 256);
    for (size_t i = 0; i < f->issues.count; i++) {
        const struct loy_cel_issue *issue = &f->issues.items[i];
        loy_buf_printf(&buf, "%s%u:%u: %s%.*s", i ? "\n" : "", issue->line, issue->column,
                       issue->is_warning ? "warning: " : "", LOY_STR_ARG(issue->message));
    }
    return keep(f, &buf);
}

const char *cel_fixture_eval_with(struct cel_fixture *f, const char *text, const struct loy_cel_options *options)
{
    const struct loy_cel_program *program = cel_fixture_compile(f, text, options);
    if (!program) {
        return cel_fixture_issues(f, text, options);
    }
    struct loy_buf buf;
    uint64_t fuel = f->fuel;
    loy_arena_reset(&f->scratch);
    struct loy_cel_value value = loy_cel_eval(program, f->variables, &f->scratch, &fuel);
    f->used = f->fuel - fuel;
    loy_buf_init(&buf, &f->scratch, 256);
    if (value.kind == LOY_CEL_ERROR) {
        loy_buf_append(&buf, LOY_STR("error: "));
        loy_cel_error_print(program, value, &buf);
    } else {
        loy_cel_value_print(value, &buf);
    }
    return keep(f, &buf);
}

const char *cel_fixture_eval(struct cel_fixture *f, const char *text)
{
    return cel_fixture_eval_with(f, text, NULL);
}

const char *cel_fixture_explain(struct cel_fixture *f, const char *text)
{
    const struct loy_cel_program *program = cel_fixture_compile(f, text, NULL);
    if (!program) {
        return cel_fixture_issues(f, text, NULL);
    }
    struct loy_cel_trace trace;
    uint64_t fuel = f->fuel;
    loy_arena_reset(&f->scratch);
    struct loy_cel_value value = loy_cel_eval_traced(program, f->variables, &f->scratch, &fuel, &trace);
    struct loy_buf buf;
    loy_buf_init(&buf, &f->scratch, 256);
    loy_cel_explain(program, value, &trace, &buf);
    return keep(f, &buf);
}
