/* Money beside a bare number: `purchase.total >= 1500` asks for 15.00, which is seldom what was meant. */
#include "base/num.h"
#include "engine/facts.h"
#include "programme/compile.h"

enum { COMPARISONS_MAX = 64 };

/* The constant as it is written, when that is a number and nothing else; 0 means the same in every unit. */
static bool bare_number(const struct loy_cel_comparison *row, int64_t *ret_number)
{
    struct loy_str text = row->left_is_constant ? row->left : row->right;
    return row->left_is_constant != row->right_is_constant && loy_str_to_i64(text, ret_number) && *ret_number != 0;
}

void loy_compile_bare_money(struct loy_compile *compile, const struct loy_yaml *node,
                            const struct loy_cel_program *program)
{
    struct loy_cel_comparison *rows = loy_compile_room(compile, COMPARISONS_MAX, sizeof *rows);
    uint32_t count = rows ? loy_cel_program_comparisons(program, rows, COMPARISONS_MAX) : 0;
    for (uint32_t i = 0; i < count; i++) {
        char amount[LOY_DECIMAL_TEXT_MAX];
        uint32_t line = 0, column = 0;
        int64_t number = 0;
        if (rows[i].decimals == 0 || rows[i].by == LOY_CEL_COMPARED_IN || !bare_number(&rows[i], &number)) {
            continue;
        }
        (void)loy_decimal_format(number, rows[i].decimals, amount);
        loy_yaml_place(compile->given->text, node, rows[i].offset, &line, &column);
        loy_issues_add(compile->issues, LOY_ISSUE_WARNING, line, column,
                       "money is counted in the currency's smallest unit: %lld is %s here; "
                       "write money('%lld') or money('%s'), whichever is meant",
                       (long long)number, amount, (long long)number, amount);
    }
}
