#include "support/cel_generator.h"

enum { MAX_DEPTH = 5, MAX_LOCALS = 4, MAX_LOOPS = 3, MAX_TEXT = 3000 };

struct generator {
    const uint8_t *bytes;
    size_t len, at;
    struct loy_buf *out;
    enum cel_generated_type locals[MAX_LOCALS];
    int local_count, loops;
};

static void generate(struct generator *g, enum cel_generated_type type, int depth);

static unsigned choose(struct generator *g, unsigned count)
{
    return g->at < g->len ? g->bytes[g->at++] % count : 0;
}

static void put(struct generator *g, const char *text)
{
    loy_buf_append(g->out, loy_str(text));
}

/* "(%1 + %2)": %b %i %u %d %s %I %S %M %L %l are expressions of a type. */
static void fill(struct generator *g, const char *pattern, int depth)
{
    static const char letters[] = "biudsISMLl";
    for (; *pattern; pattern++) {
        const char *letter = *pattern == '%' && pattern[1] ? strchr(letters, pattern[1]) : NULL;
        if (letter) {
            generate(g, (enum cel_generated_type)(letter - letters), depth + 1);
            pattern++;
        } else {
            loy_buf_append_byte(g->out, (uint8_t)*pattern);
        }
    }
}

static const char *const leaves[GENERATE_TYPES][12] = {
    [GENERATE_BOOL] = {"true", "false", "flag", "has(purchase.coupon)", "has(attributes.score)"},
    [GENERATE_INT] = {"0", "1", "-1", "2", "7", "9223372036854775807", "-9223372036854775808", "purchase.total",
                      "member.days_since_purchase", "member.average_purchase", "4611686018427387904"},
    [GENERATE_UINT] = {"0u", "1u", "18446744073709551615u", "3u", "9223372036854775808u"},
    [GENERATE_DOUBLE] = {"0.0", "-0.0", "1.5", "-2.25", "1e308", "1e-320", "(0.0 / 0.0)", "9007199254740993.0",
                         "9223372036854775808.0"},
    [GENERATE_STRING] = {"''", "'a'", "'web'", "'ñé'", "purchase.channel", "member.level", "purchase.coupon",
                         "'coffee'"},
    [GENERATE_INTS] = {"[]", "[1]", "[3, 1, 2]", "[0, -1, 9223372036854775807]"},
    [GENERATE_STRINGS] = {"[]", "['a', 'web']", "purchase.tags", "['']"},
    [GENERATE_MAP] = {"{}", "{'a': 1}", "{'web': 2, 'a': 0, '': -1}"},
    [GENERATE_LINES] = {"purchase.lines"},
    [GENERATE_LINE] = {"purchase.lines[0]", "purchase.lines[2]", "purchase.lines[3]"},
};

static const char *const patterns[GENERATE_TYPES][24] = {
    [GENERATE_BOOL] = {"(%b && %b)",        "(%b || %b && %b)", "!%b",        "(%i < %i)",
                       "(%i >= %i)",        "(%i == %i)",       "(%i != %i)", "(%u <= %u)",
                       "(%d > %d)",         "(%d == %d)",       "(%s == %s)", "(%s < %s)",
                       "(%i in %I)",        "(%s in %M)",       "(%s in %S)", "%s.contains(%s)",
                       "%s.startsWith(%s)", "%s.endsWith(%s)",  "(%I == %I)", "(dyn(%i) == %d)",
                       "(dyn(%u) < %i)",    "(%l == %l)",       "(%L != %L)", "(%M == %M)"},
    [GENERATE_INT] = {"(%i + %i)",
                      "(%i - %i)",
                      "(%i * %i)",
                      "(%i / %i)",
                      "(%i % %i)",
                      "(-%i)",
                      "size(%s)",
                      "size(%I)",
                      "%I[%i]",
                      "%M[%s]",
                      "%M.a",
                      "int(%d)",
                      "int(%u)",
                      "muldiv(%i, %i, %i)",
                      "math.greatest(%i, %i)",
                      "math.least(%i, %i, %i)",
                      "%s.indexOf(%s)",
                      "%l.amount",
                      "%S.size()",
                      "%L[%i].amount"},
    [GENERATE_UINT] = {"(%u + %u)", "(%u - %u)", "(%u * %u)", "(%u / %u)", "(%u % %u)", "uint(%i)", "uint(%d)"},
    [GENERATE_DOUBLE] = {"(%d + %d)", "(%d - %d)", "(%d * %d)", "(%d / %d)", "(-%d)", "double(%i)", "double(%u)",
                         "math.greatest(%d, %d)"},
    [GENERATE_STRING] = {"(%s + %s)", "%S[%i]", "%l.category", "%L[%i].category"},
    [GENERATE_INTS] = {"[%i, %i]", "(%I + %I)", "[%i]"},
    [GENERATE_STRINGS] = {"[%s, %s]", "(%S + %S)", "[%s]"},
    [GENERATE_MAP] = {"{%s: %i}", "{%s: %i, %s: %i}"},
    [GENERATE_LINES] = {"(%L + %L)", "[%l]"},
    [GENERATE_LINE] = {"%L[%i]"},
};

static unsigned count_of(const char *const *texts, unsigned most)
{
    unsigned count = 0;
    while (count < most && texts[count]) {
        count++;
    }
    return count;
}

static void put_local(struct generator *g, int local)
{
    char name[] = {'x', (char)('0' + local), '\0'};
    put(g, name);
}

/* A range, and what its elements are. */
static enum cel_generated_type put_range(struct generator *g, int depth)
{
    static const enum cel_generated_type ranges[] = {GENERATE_INTS, GENERATE_STRINGS, GENERATE_MAP, GENERATE_LINES};
    static const enum cel_generated_type elements[] = {GENERATE_INT, GENERATE_STRING, GENERATE_STRING, GENERATE_LINE};
    unsigned range = choose(g, 4);
    generate(g, ranges[range], depth + 1);
    return elements[range];
}

static void put_body(struct generator *g, const char *open, enum cel_generated_type element, const char *body,
                     int depth)
{
    put(g, open);
    put_local(g, g->local_count);
    put(g, ", ");
    g->locals[g->local_count++] = element;
    g->loops++;
    fill(g, body, depth);
    g->loops--;
    g->local_count--;
    put(g, ")");
}

/* A macro of the wanted type; false: there is none. */
static bool put_macro(struct generator *g, enum cel_generated_type type, int depth)
{
    static const char *const quantifiers[] = {".all(", ".exists(", ".exists_one("};
    if (g->loops == MAX_LOOPS || g->local_count == MAX_LOCALS) {
        return false;
    }
    if (type == GENERATE_BOOL) {
        put_body(g, quantifiers[choose(g, 3)], put_range(g, depth), "%b", depth);
        return true;
    }
    if (type == GENERATE_INTS) {
        bool has_condition = choose(g, 2);
        put_body(g, ".map(", put_range(g, depth), has_condition ? "%b, %i" : "%i", depth);
        return true;
    }
    if (type == GENERATE_STRINGS || type == GENERATE_LINES) {
        generate(g, type, depth + 1);
        put_body(g, ".filter(", type == GENERATE_LINES ? GENERATE_LINE : GENERATE_STRING, "%b", depth);
        return true;
    }
    return false;
}

static void put_bind(struct generator *g, enum cel_generated_type type, int depth)
{
    enum cel_generated_type bound = (enum cel_generated_type)choose(g, GENERATE_TYPES);
    put(g, "cel.bind(");
    put_local(g, g->local_count);
    put(g, ", ");
    generate(g, bound, depth + 1);
    put(g, ", ");
    g->locals[g->local_count++] = bound;
    generate(g, type, depth + 1);
    g->local_count--;
    put(g, ")");
}

static bool put_local_of(struct generator *g, enum cel_generated_type type)
{
    for (int i = g->local_count; i-- > 0;) {
        if (g->locals[i] == type) {
            put_local(g, i);
            return true;
        }
    }
    return false;
}

static void generate(struct generator *g, enum cel_generated_type type, int depth)
{
    unsigned way = choose(g, 16);
    if (depth >= MAX_DEPTH || g->at >= g->len || g->out->len > MAX_TEXT || way < 3) {
        if (way % 2 || !put_local_of(g, type)) {
            put(g, leaves[type][choose(g, count_of(leaves[type], 12))]);
        }
    } else if (way == 3) {
        put(g, "(");
        generate(g, GENERATE_BOOL, depth + 1);
        put(g, " ? ");
        generate(g, type, depth + 1);
        put(g, " : ");
        generate(g, type, depth + 1);
        put(g, ")");
    } else if (way == 4 && g->local_count < MAX_LOCALS) {
        put_bind(g, type, depth);
    } else if (way > 7 || !put_macro(g, type, depth)) {
        fill(g, patterns[type][choose(g, count_of(patterns[type], 24))], depth);
    }
}

void cel_generate(const uint8_t *bytes, size_t len, struct loy_buf *out)
{
    struct generator g = {.bytes = bytes, .len = len, .out = out};
    generate(&g, (enum cel_generated_type)choose(&g, GENERATE_TYPES), 0);
}
