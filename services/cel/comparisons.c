/* The comparisons that a condition is made of, as text: for whoever looks for what can never be true. */
#include "cel/functions.h"
#include "cel/program.h"

struct gatherer {
    const struct loy_cel_program *program;
    struct loy_cel_comparison *rows;
    uint32_t max, count;
};

static struct loy_str source_of(const struct loy_cel_program *program, const struct loy_cel_node *node)
{
    bool inside = node->start < node->end && node->end <= program->text.len;
    return inside ? (struct loy_str){program->text.at + node->start, node->end - node->start} : (struct loy_str){0};
}

static bool is_comparison(const struct loy_cel_node *node)
{
    return node->kind == LOY_CEL_NODE_OP && node->count == 2 &&
           (node->detail == LOY_CEL_FN_eq || node->detail == LOY_CEL_FN_lt || node->detail == LOY_CEL_FN_le ||
            node->detail == LOY_CEL_FN_gt || node->detail == LOY_CEL_FN_ge || node->detail == LOY_CEL_FN_in);
}

static enum loy_cel_compared compared_by(unsigned op)
{
    switch (op) {
    case LOY_CEL_FN_lt:
        return LOY_CEL_COMPARED_LT;
    case LOY_CEL_FN_le:
        return LOY_CEL_COMPARED_LE;
    case LOY_CEL_FN_gt:
        return LOY_CEL_COMPARED_GT;
    case LOY_CEL_FN_ge:
        return LOY_CEL_COMPARED_GE;
    case LOY_CEL_FN_in:
        return LOY_CEL_COMPARED_IN;
    default:
        return LOY_CEL_COMPARED_EQ;
    }
}

static void gather(struct gatherer *gatherer, const struct loy_cel_node *node, bool needed)
{
    bool is_and = node->kind == LOY_CEL_NODE_AND, is_or = node->kind == LOY_CEL_NODE_OR;
    for (uint32_t i = 0; (is_and || is_or) && i < node->count; i++) {
        gather(gatherer, node->args[i], needed && is_and);
    }
    if (is_and || is_or || !is_comparison(node) || gatherer->count == gatherer->max) {
        return;
    }
    gatherer->rows[gatherer->count++] = (struct loy_cel_comparison){
        .by = compared_by(node->detail),
        .left = source_of(gatherer->program, node->args[0]),
        .right = source_of(gatherer->program, node->args[1]),
        .left_is_constant = node->args[0]->is_constant,
        .right_is_constant = node->args[1]->is_constant,
        .needed = needed,
        .decimals = node->clause ? gatherer->program->clauses[node->clause - 1].decimals : 0,
        .offset = node->start,
    };
}

uint32_t loy_cel_program_comparisons(const struct loy_cel_program *program, struct loy_cel_comparison *ret_rows,
                                     uint32_t max)
{
    struct gatherer gatherer = {program, ret_rows, max, 0};
    gather(&gatherer, program->root, true);
    return gatherer.count;
}
