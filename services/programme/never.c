/* What can never be true: bounds that leave nothing, values that a fact never has, levels and segments that there are
 * not. Only comparisons with constants are looked at, so nothing that is said here is a guess. */
#include "engine/facts.h"
#include "programme/compile.h"
#include "programme/keys.h"

enum { COMPARISONS_MAX = 64 };

struct never {
    struct loy_compile *compile;
    const struct loy_yaml *node;
    struct loy_cel_comparison rows[COMPARISONS_MAX];
    uint32_t count;
};

/* A comparison told as `fact by constant`. */
struct told {
    struct loy_str fact;
    enum loy_cel_compared by;
    struct loy_cel_value value;
};

static enum loy_cel_compared mirrored(enum loy_cel_compared by)
{
    switch (by) {
    case LOY_CEL_COMPARED_LT:
        return LOY_CEL_COMPARED_GT;
    case LOY_CEL_COMPARED_LE:
        return LOY_CEL_COMPARED_GE;
    case LOY_CEL_COMPARED_GT:
        return LOY_CEL_COMPARED_LT;
    case LOY_CEL_COMPARED_GE:
        return LOY_CEL_COMPARED_LE;
    default:
        return by;
    }
}

static struct loy_cel_value value_of(const struct never *never, struct loy_str text)
{
    const struct loy_cel_env *env = loy_facts_cel(never->compile->programme->facts);
    const struct loy_cel_options options = {.money = true};
    const struct loy_cel_program *program = NULL;
    struct loy_cel_issues *issues = loy_compile_room(never->compile, 1, sizeof *issues);
    struct loy_cel_value none[8] = {0};
    uint64_t fuel = LOY_FACTS_FUEL;
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        none[i] = loy_cel_absent();
    }
    if (!issues || loy_cel_compile(env, text, &options, never->compile->arena, &program, issues)) {
        return loy_cel_absent();
    }
    return loy_cel_eval(program, none, never->compile->arena, &fuel);
}

static bool tell(const struct never *never, const struct loy_cel_comparison *row, struct told *ret_told)
{
    if (row->left_is_constant == row->right_is_constant) {
        return false;
    }
    bool turned = row->left_is_constant;
    *ret_told = (struct told){turned ? row->right : row->left, turned ? mirrored(row->by) : row->by,
                              value_of(never, turned ? row->left : row->right)};
    return true;
}

static void warn(const struct never *never, const struct loy_cel_comparison *row, const char *before,
                 struct loy_str text, const char *after)
{
    uint32_t line = 0, column = 0;
    loy_yaml_place(never->compile->given->text, never->node, row->offset, &line, &column);
    loy_issues_add(never->compile->issues, LOY_ISSUE_WARNING, line, column, "%s%.*s%s", before, LOY_STR_ARG(text),
                   after);
}

/* --- names ---------------------------------------------------------------------------------------------------------
 */

static bool is_level(const struct never *never, struct loy_str id)
{
    const struct loy_programme *programme = never->compile->programme;
    bool known = false;
    for (uint32_t i = 0; i < programme->level_count; i++) {
        known = known || loy_str_equal(programme->levels[i].id, id);
    }
    return known;
}

/* By the file: the segments themselves may not be compiled yet. */
static bool is_segment(const struct never *never, struct loy_str id)
{
    const struct loy_yaml *segments = loy_yaml_get(never->compile->root, "segments");
    const struct loy_yaml *child = segments && segments->kind == LOY_YAML_MAP ? segments->first : NULL;
    while (child && !loy_str_equal(child->key, id)) {
        child = child->next;
    }
    return child != NULL;
}

static void check_names(const struct never *never, const struct loy_cel_comparison *row)
{
    struct told told = {0};
    bool names_level = tell(never, row, &told) && loy_str_equal(told.fact, LOY_STR("member.level"));
    bool names_segment =
        told.by == LOY_CEL_COMPARED_IN && row->left_is_constant && loy_str_equal(told.fact, LOY_STR("member.segments"));
    if (row->left_is_constant == row->right_is_constant || (!names_level && !names_segment)) {
        return;
    }
    bool is_list = told.value.kind == LOY_CEL_LIST;
    uint32_t count = is_list ? told.value.len : 1;
    for (uint32_t i = 0; i < count; i++) {
        struct loy_cel_value value = is_list ? told.value.as.items[i] : told.value;
        struct loy_str id = value.kind == LOY_CEL_STRING ? loy_cel_text(value) : (struct loy_str){0};
        if (id.len && names_level && !is_level(never, id)) {
            warn(never, row, "there is no level '", id, "': nobody is ever in it");
        } else if (id.len && names_segment && !is_segment(never, id)) {
            warn(never, row, "there is no segment '", id, "': nobody is ever in it");
        }
    }
}

/* --- bounds --------------------------------------------------------------------------------------------------------
 */

/* Values that a fact can have at all. */
struct range {
    int64_t from, until; /* both included */
};

static bool ends_with(struct loy_str text, const char *end)
{
    size_t len = strlen(end);
    return text.len >= len && memcmp(text.at + text.len - len, end, len) == 0;
}

static struct range range_of(struct loy_str fact)
{
    static const struct {
        const char *fact;
        struct range range;
    } known[] = {
        {"event.month", {1, 12}}, {"event.day", {1, 31}},    {"event.weekday", {1, 7}},
        {"event.hour", {0, 23}},  {"event.minute", {0, 59}},
    };
    static const char *const counted[] = {
        ".purchases",    ".spend", ".average_purchase", ".days_since_purchase", ".months_since_purchase",
        "purchase.total"};
    struct range range = {INT64_MIN, INT64_MAX};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        range = loy_str_equal(fact, loy_str(known[i].fact)) ? known[i].range : range;
    }
    for (size_t i = 0; i < sizeof counted / sizeof *counted; i++) {
        range.from = ends_with(fact, counted[i]) ? 0 : range.from;
    }
    return range;
}

/* Narrows the range by a comparison with a number; false: the comparison is none. */
static bool narrow(const struct told *told, struct range *range)
{
    if (told->value.kind != LOY_CEL_INT || told->by == LOY_CEL_COMPARED_IN) {
        return false;
    }
    int64_t value = told->value.as.i;
    bool below = told->by == LOY_CEL_COMPARED_LT || told->by == LOY_CEL_COMPARED_LE;
    bool above = told->by == LOY_CEL_COMPARED_GT || told->by == LOY_CEL_COMPARED_GE;
    int64_t most = told->by == LOY_CEL_COMPARED_LT && value > INT64_MIN ? value - 1 : value;
    int64_t least = told->by == LOY_CEL_COMPARED_GT && value < INT64_MAX ? value + 1 : value;
    range->until = !above && most < range->until ? most : range->until;
    range->from = !below && least > range->from ? least : range->from;
    return true;
}

static bool same_text(const struct told *a, const struct told *b)
{
    return a->value.kind != LOY_CEL_STRING || b->value.kind != LOY_CEL_STRING || a->by != LOY_CEL_COMPARED_EQ ||
           b->by != LOY_CEL_COMPARED_EQ || loy_str_equal(loy_cel_text(a->value), loy_cel_text(b->value));
}

/* The row and those before it about the same fact, all of which have to hold. */
static void check_bounds(const struct never *never, uint32_t at)
{
    struct told told, other;
    const struct loy_cel_comparison *row = &never->rows[at];
    if (!row->needed || !tell(never, row, &told)) {
        return;
    }
    struct range range = range_of(told.fact);
    bool is_number = narrow(&told, &range);
    if (is_number && range.from > range.until) {
        warn(never, row, "this is never true: it is not a value that ", told.fact, " can have");
        return;
    }
    for (uint32_t i = 0; i < at; i++) {
        if (!never->rows[i].needed || !tell(never, &never->rows[i], &other) || !loy_str_equal(told.fact, other.fact)) {
            continue;
        }
        bool empty = !same_text(&told, &other);
        empty = empty || (is_number && narrow(&other, &range) && range.from > range.until);
        if (empty) {
            warn(never, row, "this is never true together with what is asked of ", told.fact, " before");
            return;
        }
    }
}

void loy_compile_never(struct loy_compile *compile, const struct loy_yaml *node, const struct loy_cel_program *program)
{
    struct never *never = loy_compile_room(compile, 1, sizeof *never);
    if (!never) {
        return;
    }
    never->compile = compile;
    never->node = node;
    never->count = loy_cel_program_comparisons(program, never->rows, COMPARISONS_MAX);
    for (uint32_t i = 0; i < never->count; i++) {
        check_names(never, &never->rows[i]);
        check_bounds(never, i);
    }
}
