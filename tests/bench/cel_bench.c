/* What cel costs: nanoseconds of evaluation and compilation, best of several rounds, against the figures of the issue.
 *
 * Memory: every evaluation runs in an arena that is reset, nothing else is allocated; the largest use is printed. */
#include "cel/cel.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { ARENA = 8 << 20, ROUNDS = 400, LINES = 10, CONDITIONS = 1000 };

enum { TOTAL, CHANNEL, LINES_FIELD, COUPON, PURCHASE_FIELDS };
enum { AVERAGE, LEVEL, SILENT, MEMBER_FIELDS };
enum { CATEGORY, AMOUNT, LINE_FIELDS };

struct world {
    struct loy_arena programs, scratch;
    struct loy_cel_env *env;
    uint32_t line_id, purchase_id, member_id;
    struct loy_cel_value variables[2];
    struct loy_cel_value purchase[PURCHASE_FIELDS], member[MEMBER_FIELDS], lines[LINES], slots[LINES][LINE_FIELDS];
};

static const char condition[] = "purchase.total >= member.average_purchase + 50000 && purchase.channel == 'web' && "
                                "member.level in ['gold', 'vip'] && member.days_since_purchase < 120";
static const char formula[] = "muldiv(purchase.total - 10000, 15, 100) + member.days_since_purchase * 2";
static const char over_lines[] = "purchase.lines.exists(l, l.category == 'coffee' && l.amount > 99900)";

static void check(enum loy_err err)
{
    if (err != LOY_OK) {
        fprintf(stderr, "cel_bench: %s\n", loy_err_name(err));
        exit(2);
    }
}

static void declare(struct world *world)
{
    static const struct loy_cel_field line[] = {{.name = "category", .type = "string", .max_size = 64},
                                                {.name = "amount", .type = "int", .decimals = 2}};
    static const struct loy_cel_field purchase[] = {{.name = "total", .type = "int", .decimals = 2},
                                                    {.name = "channel", .type = "string", .max_size = 16},
                                                    {.name = "lines", .type = "list(line)", .max_size = 1000},
                                                    {.name = "coupon", .type = "string", .max_size = 64}};
    static const struct loy_cel_field member[] = {{.name = "average_purchase", .type = "int", .decimals = 2},
                                                  {.name = "level", .type = "string", .max_size = 16},
                                                  {.name = "days_since_purchase", .type = "int"}};
    uint32_t slot;
    world->env = loy_cel_env_new(&world->programs);
    check(loy_cel_env_add_record(world->env, "line", line, LINE_FIELDS, &world->line_id, NULL));
    check(loy_cel_env_add_record(world->env, "purchase", purchase, PURCHASE_FIELDS, &world->purchase_id, NULL));
    check(loy_cel_env_add_record(world->env, "member", member, MEMBER_FIELDS, &world->member_id, NULL));
    check(loy_cel_env_add_variable(world->env, "purchase", "purchase", &slot, NULL));
    check(loy_cel_env_add_variable(world->env, "member", "member", &slot, NULL));
}

static void fill(struct world *world)
{
    for (int i = 0; i < LINES; i++) {
        world->slots[i][CATEGORY] = loy_cel_string(i % 2 ? LOY_STR("coffee") : LOY_STR("bakery"));
        world->slots[i][AMOUNT] = loy_cel_int(1000 * i);
        world->lines[i] = loy_cel_record(world->line_id, world->slots[i]);
    }
    world->purchase[TOTAL] = loy_cel_int(250000);
    world->purchase[CHANNEL] = loy_cel_string(LOY_STR("web"));
    world->purchase[LINES_FIELD] = loy_cel_list(world->lines, LINES);
    world->purchase[COUPON] = loy_cel_absent();
    world->member[AVERAGE] = loy_cel_int(180000);
    world->member[LEVEL] = loy_cel_string(LOY_STR("vip"));
    world->member[SILENT] = loy_cel_int(30);
    world->variables[0] = loy_cel_record(world->purchase_id, world->purchase);
    world->variables[1] = loy_cel_record(world->member_id, world->member);
}

static const struct loy_cel_program *compile(struct world *world, struct loy_arena *arena, struct loy_str text)
{
    const struct loy_cel_program *program = NULL;
    struct loy_cel_issues issues;
    check(loy_cel_compile(world->env, text, NULL, arena, &program, &issues));
    return program;
}

static double now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* What one round does, `times` times; returns something that depends on the work. */
typedef int64_t round_fn(struct world *world, const struct loy_cel_program *program, int times);

static int64_t evaluate(struct world *world, const struct loy_cel_program *program, int times)
{
    int64_t sum = 0;
    for (int i = 0; i < times; i++) {
        uint64_t fuel = 1000000;
        loy_arena_reset(&world->scratch);
        world->member[SILENT].as.i = i & 63;
        sum += loy_cel_eval(program, world->variables, &world->scratch, &fuel).as.i;
    }
    return sum;
}

static int64_t evaluate_traced(struct world *world, const struct loy_cel_program *program, int times)
{
    static struct loy_cel_trace trace;
    int64_t sum = 0;
    for (int i = 0; i < times; i++) {
        uint64_t fuel = 1000000;
        loy_arena_reset(&world->scratch);
        world->member[SILENT].as.i = i & 63;
        sum += loy_cel_eval_traced(program, world->variables, &world->scratch, &fuel, &trace).as.i;
    }
    return sum;
}

static int64_t compile_condition(struct world *world, const struct loy_cel_program *program, int times)
{
    (void)program;
    int64_t sum = 0;
    for (int i = 0; i < times; i++) {
        loy_arena_reset(&world->scratch);
        sum += (int64_t)loy_cel_program_cost(compile(world, &world->scratch, loy_str(condition)));
    }
    return sum;
}

static double measure(struct world *world, round_fn *round, const struct loy_cel_program *program, int times)
{
    double best = 1e18;
    volatile int64_t sink = 0;
    for (int i = 0; i < ROUNDS; i++) {
        double start = now_ns();
        sink = sink + round(world, program, times);
        double took = (now_ns() - start) / times;
        best = took < best ? took : best;
    }
    return best;
}

static void report(const char *what, double ns, double target, size_t bytes)
{
    printf("%-44s %9.0f ns   to reach %7.0f   %5zu bytes of arena   %s\n", what, ns, target, bytes,
           ns <= target ? "ok" : "TOO SLOW");
}

static void bench(struct world *world, const char *what, const char *text, round_fn *round, double target)
{
    const struct loy_cel_program *program = compile(world, &world->programs, loy_str(text));
    world->scratch.peak = 0;
    double ns = measure(world, round, program, round == compile_condition ? 20 : 1000);
    report(what, ns, target, world->scratch.peak);
}

/* Plain and traced by turns, so that what else the machine does falls on both. */
static void bench_tracing(struct world *world)
{
    const struct loy_cel_program *program = compile(world, &world->programs, loy_str(condition));
    double best[2] = {1e18, 1e18};
    volatile int64_t sink = 0;
    for (int i = 0; i < ROUNDS * 4; i++) {
        double start = now_ns();
        sink = sink + (i % 2 ? evaluate_traced : evaluate)(world, program, 1000);
        double took = (now_ns() - start) / 1000;
        best[i % 2] = took < best[i % 2] ? took : best[i % 2];
    }
    report("condition of four parts", best[0], 150, world->scratch.peak);
    report("the same, traced for its explanation", best[1], best[0] * 1.2, world->scratch.peak);
}

static void bench_many(struct world *world)
{
    static const struct loy_cel_program *programs[CONDITIONS];
    static char texts[CONDITIONS][96];
    for (int i = 0; i < CONDITIONS; i++) {
        (void)snprintf(texts[i], sizeof texts[i],
                       "purchase.total > %d && member.level == 'vip' && purchase.channel != 'c%d'", i * 300, i);
        programs[i] = compile(world, &world->programs, loy_str(texts[i]));
    }
    double best = 1e18;
    volatile int64_t sink = 0;
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t fuel = 10000000;
        double start = now_ns();
        for (int i = 0; i < CONDITIONS; i++) {
            loy_arena_reset(&world->scratch);
            sink = sink + loy_cel_eval(programs[i], world->variables, &world->scratch, &fuel).as.i;
        }
        double took = now_ns() - start;
        best = took < best ? took : best;
    }
    report("1,000 conditions of three parts, all of them", best, 150000, world->scratch.peak);
}

int main(void)
{
    static struct world world;
    void *a = malloc(ARENA), *b = malloc(ARENA);
    if (!a || !b) {
        return 2;
    }
    loy_arena_init(&world.programs, a, ARENA);
    loy_arena_init(&world.scratch, b, ARENA);
    declare(&world);
    fill(&world);
    bench_tracing(&world);
    bench(&world, "int formula", formula, evaluate, 150);
    bench(&world, "exists over ten lines", over_lines, evaluate, 1000);
    bench(&world, "parse, check and compile the condition", condition, compile_condition, 50000);
    bench_many(&world);
    free(a);
    free(b);
    return 0;
}
