#include "cel/functions.h"

#include <assert.h>

const struct loy_cel_builtin_row *loy_cel_builtin_at(unsigned index)
{
    static const struct loy_cel_builtin_row rows[LOY_CEL_FN_COUNT] = {
#define LOY_CEL_FN_ROW(symbol, name, style, signatures, charge)                                                        \
    [LOY_CEL_FN_##                                                                                                     \
        symbol] = {{name, sizeof(name) - 1}, signatures, loy_cel_fn_##symbol, LOY_CEL_##style, LOY_CEL_##charge},
        LOY_CEL_FUNCTION_TABLE(LOY_CEL_FN_ROW)
#undef LOY_CEL_FN_ROW
    };
    assert(index < LOY_CEL_FN_COUNT);
    return &rows[index];
}

int32_t loy_cel_builtin_find(struct loy_str name, unsigned style)
{
    for (unsigned i = 0; i < LOY_CEL_FN_COUNT; i++) {
        const struct loy_cel_builtin_row *row = loy_cel_builtin_at(i);
        if ((row->style & style) != 0 && loy_str_equal(row->name, name)) {
            return (int32_t)i;
        }
    }
    return -1;
}
