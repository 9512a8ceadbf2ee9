#include "base/num.h"
#include "cel/functions.h"
#include "cel/program.h"

#include <assert.h>

enum truth { IS_FALSE, IS_TRUE, IS_ERROR, IS_UNKNOWN };

enum { MAX_SHOWN_ITEMS = 8 };

struct explainer {
    const struct loy_cel_program *program;
    const struct loy_cel_trace *trace;
    struct loy_buf *buf;
    uint32_t said;
};

static const struct loy_cel_seen *seen_of(const struct explainer *explainer, const struct loy_cel_node *node)
{
    if (node->clause == 0 || !(explainer->trace->evaluated & UINT64_C(1) << (node->clause - 1))) {
        return NULL;
    }
    return &explainer->trace->clauses[node->clause - 1];
}

static enum truth truth_of(const struct explainer *explainer, const struct loy_cel_node *node)
{
    if (node->kind != LOY_CEL_NODE_AND && node->kind != LOY_CEL_NODE_OR) {
        const struct loy_cel_seen *seen = seen_of(explainer, node);
        if (!seen) {
            return IS_UNKNOWN;
        }
        return seen->result.kind != LOY_CEL_BOOL ? IS_ERROR : seen->result.as.i ? IS_TRUE : IS_FALSE;
    }
    enum truth deciding = node->kind == LOY_CEL_NODE_AND ? IS_FALSE : IS_TRUE;
    enum truth result = deciding == IS_FALSE ? IS_TRUE : IS_FALSE;
    for (uint32_t i = 0; i < node->count; i++) {
        enum truth part = truth_of(explainer, node->args[i]);
        if (part == deciding) {
            return deciding;
        }
        result = part == IS_ERROR || (part == IS_UNKNOWN && result != IS_ERROR) ? part : result;
    }
    return result;
}

/* --- values as people read them ---------------------------------------------------------------------------------- */

/* 148000 with two decimals: 1,480.00 */
static void print_amount(int64_t units, uint8_t decimals, struct loy_buf *buf)
{
    char text[LOY_DECIMAL_TEXT_MAX * 2]; /* written from its end */
    char *const end = text + sizeof text;
    char *at = end;
    assert(decimals < LOY_DECIMAL_TEXT_MAX);
    uint64_t left = units < 0 ? 0 - (uint64_t)units : (uint64_t)units;
    for (uint8_t i = 0; i < decimals; i++, left /= 10) {
        *--at = (char)('0' + left % 10);
    }
    if (decimals > 0) {
        *--at = '.';
    }
    for (; left >= 1000; left /= 1000) {
        uint32_t three = (uint32_t)(left % 1000);
        *--at = (char)('0' + three % 10);
        *--at = (char)('0' + three / 10 % 10);
        *--at = (char)('0' + three / 100);
        *--at = ',';
    }
    uint32_t first = (uint32_t)left; /* one to three digits */
    do {
        *--at = (char)('0' + first % 10);
        first /= 10;
    } while (first > 0);
    if (units < 0) {
        *--at = '-';
    }
    loy_buf_append(buf, (struct loy_str){at, (size_t)(end - at)});
}

static void print_value(struct loy_cel_value value, uint8_t decimals, struct loy_buf *buf)
{
    if (value.kind == LOY_CEL_INT) {
        print_amount(value.as.i, decimals, buf);
    } else if ((value.kind == LOY_CEL_LIST || value.kind == LOY_CEL_MAP) && value.len > MAX_SHOWN_ITEMS) {
        loy_buf_printf(buf, "%u values", value.len);
    } else {
        loy_cel_value_print(value, buf);
    }
}

static void print_source(const struct explainer *explainer, const struct loy_cel_node *node)
{
    struct loy_str text = explainer->program->text;
    if (node->start < node->end && node->end <= text.len) {
        loy_buf_append(explainer->buf, (struct loy_str){text.at + node->start, node->end - node->start});
    }
}

/* --- one part ---------------------------------------------------------------------------------------------------- */

/* How far a number is from what was needed: "20.00 short", "3 over". */
static void print_distance(const struct explainer *explainer, const struct loy_cel_seen *seen, uint8_t decimals,
                           unsigned op)
{
    int64_t apart;
    if (seen->left.kind != LOY_CEL_INT || seen->right.kind != LOY_CEL_INT ||
        !loy_i64_sub(seen->right.as.i, seen->left.as.i, &apart)) {
        return;
    }
    bool is_short = op == LOY_CEL_FN_ge || op == LOY_CEL_FN_gt;
    bool is_over = op == LOY_CEL_FN_le || op == LOY_CEL_FN_lt;
    if ((is_short && apart > 0) || (is_over && apart < 0 && apart > INT64_MIN)) {
        loy_buf_append(explainer->buf, LOY_STR(": "));
        print_amount(is_short ? apart : -apart, decimals, explainer->buf);
        loy_buf_append(explainer->buf, is_short ? LOY_STR(" short") : LOY_STR(" over"));
    }
}

/* What stands between the value and its bound. */
static struct loy_str relation(unsigned op, bool holds)
{
    switch (op) {
    case LOY_CEL_FN_ge:
        return holds ? LOY_STR(", at least ") : LOY_STR(", needed ");
    case LOY_CEL_FN_gt:
        return holds ? LOY_STR(", more than ") : LOY_STR(", needed more than ");
    case LOY_CEL_FN_le:
        return holds ? LOY_STR(", at most ") : LOY_STR(", allowed up to ");
    case LOY_CEL_FN_lt:
        return holds ? LOY_STR(", less than ") : LOY_STR(", needed less than ");
    case LOY_CEL_FN_eq:
        return holds ? LOY_STR(", as needed: ") : LOY_STR(", needed ");
    case LOY_CEL_FN_ne:
        return holds ? LOY_STR(", not ") : LOY_STR(", which it must not be: ");
    default:
        return holds ? LOY_STR(", one of ") : LOY_STR(", not one of ");
    }
}

static unsigned mirrored(unsigned op)
{
    switch (op) {
    case LOY_CEL_FN_ge:
        return LOY_CEL_FN_le;
    case LOY_CEL_FN_gt:
        return LOY_CEL_FN_lt;
    case LOY_CEL_FN_le:
        return LOY_CEL_FN_ge;
    case LOY_CEL_FN_lt:
        return LOY_CEL_FN_gt;
    default:
        return op;
    }
}

/* A comparison as it is told: a value, and what it is compared with. */
struct told {
    const struct loy_cel_node *left, *right;
    unsigned op;
    bool turned; /* `1500 <= x` is told as `x >= 1500` */
};

static struct told told_as(const struct loy_cel_node *node)
{
    bool turned = node->args[0]->is_constant && node->detail != LOY_CEL_FN_in;
    return (struct told){node->args[turned], node->args[!turned], turned ? mirrored(node->detail) : node->detail,
                         turned};
}

static void print_comparison(const struct explainer *explainer, const struct loy_cel_clause *clause,
                             struct loy_cel_seen seen)
{
    const struct told told = told_as(clause->node);
    bool holds = seen.result.as.i != 0;
    if (told.turned) {
        seen = (struct loy_cel_seen){seen.right, seen.left, seen.result};
    }
    loy_buf_append(explainer->buf, clause->before);
    print_value(seen.left, clause->decimals, explainer->buf);
    loy_buf_append(explainer->buf, holds ? clause->holds : clause->fails);
    if (told.right->kind != LOY_CEL_NODE_CONST) {
        print_value(seen.right, clause->decimals, explainer->buf);
    }
    if (!told.right->is_constant) {
        loy_buf_append(explainer->buf, LOY_STR(" ("));
        print_source(explainer, told.right);
        loy_buf_append_byte(explainer->buf, ')');
    }
    print_distance(explainer, &seen, clause->decimals, told.op);
}

/* What is the same in every explanation of a comparison is written once. */
static bool prepare(const struct loy_cel_program *program, struct loy_cel_clause *clause, struct loy_arena *arena)
{
    const struct told told = told_as(clause->node);
    struct loy_str *const texts[] = {&clause->before, &clause->holds, &clause->fails};
    bool failed = false;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct loy_buf buf;
        const struct explainer explainer = {program, NULL, &buf, 0};
        loy_buf_init(&buf, arena, 64);
        if (texts[i] == &clause->before) {
            print_source(&explainer, told.left);
            loy_buf_append(&buf, LOY_STR(" was "));
        } else {
            loy_buf_append(&buf, relation(told.op, texts[i] == &clause->holds));
            if (told.right->kind == LOY_CEL_NODE_CONST) {
                print_value(told.right->constant, clause->decimals, &buf);
            }
        }
        *texts[i] = loy_buf_finish(&buf);
        failed = failed || buf.failed;
    }
    return !failed;
}

enum loy_err loy_cel_explain_prepare(const struct loy_cel_program *program, struct loy_cel_clause *clauses,
                                     struct loy_arena *arena)
{
    for (uint32_t i = 0; i < program->clause_count; i++) {
        if (clauses[i].is_comparison && !prepare(program, &clauses[i], arena)) {
            return LOY_ERR_NO_MEMORY;
        }
    }
    return LOY_OK;
}

static void print_part(struct explainer *explainer, const struct loy_cel_node *node)
{
    const struct loy_cel_seen *seen = seen_of(explainer, node);
    if (!seen) {
        return;
    }
    const struct loy_cel_clause *clause = &explainer->program->clauses[node->clause - 1];
    loy_buf_append(explainer->buf, explainer->said++ ? LOY_STR("; ") : LOY_STR(""));
    if (seen->result.kind == LOY_CEL_ERROR) {
        loy_cel_error_print(explainer->program, seen->result, explainer->buf);
    } else if (clause->is_comparison) {
        print_comparison(explainer, clause, *seen);
    } else {
        print_source(explainer, node);
        loy_buf_append(explainer->buf, LOY_STR(" was "));
        print_value(seen->result, 0, explainer->buf);
    }
}

/* Tells the parts that made `node` what it is: all that agree with it, or the first that decided alone. */
static void tell(struct explainer *explainer, const struct loy_cel_node *node, enum truth truth)
{
    if (node->kind != LOY_CEL_NODE_AND && node->kind != LOY_CEL_NODE_OR) {
        print_part(explainer, node);
        return;
    }
    bool one_decides = truth == (node->kind == LOY_CEL_NODE_AND ? IS_FALSE : IS_TRUE);
    for (uint32_t i = 0; i < node->count; i++) {
        if (truth_of(explainer, node->args[i]) == truth) {
            tell(explainer, node->args[i], truth);
            if (one_decides) {
                return;
            }
        }
    }
}

void loy_cel_explain(const struct loy_cel_program *program, struct loy_cel_value result,
                     const struct loy_cel_trace *trace, struct loy_buf *buf)
{
    struct explainer explainer = {program, trace, buf, 0};
    if (result.kind == LOY_CEL_ERROR) {
        loy_cel_error_print(program, result, buf);
        return;
    }
    if (result.kind == LOY_CEL_BOOL) {
        tell(&explainer, program->root, result.as.i ? IS_TRUE : IS_FALSE);
    }
}
