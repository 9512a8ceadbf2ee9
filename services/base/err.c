#include "base/err.h"

#include <assert.h>
#include <stdio.h>

static const struct {
    enum loy_err_class class;
    const char *name;
    const char *help;
} table[LOY_ERR_COUNT] = {
#define LOY_ERR_ROW(symbol, class_, name_, help_) [LOY_ERR_##symbol] = {LOY_CLASS_##class_, name_, help_},
    LOY_ERR_TABLE(LOY_ERR_ROW)
#undef LOY_ERR_ROW
};

const char *loy_err_name(enum loy_err code)
{
    assert(code < LOY_ERR_COUNT);
    return table[code].name;
}

const char *loy_err_help(enum loy_err code)
{
    assert(code < LOY_ERR_COUNT);
    return table[code].help;
}

enum loy_err_class loy_err_class(enum loy_err code)
{
    assert(code < LOY_ERR_COUNT);
    return table[code].class;
}

enum loy_err loy_error_set(struct loy_error *error, enum loy_err code, const char *format, ...)
{
    if (!error) {
        return code;
    }
    error->code = code;
    va_list args;
    va_start(args, format);
    (void)vsnprintf(error->detail, sizeof error->detail, format, args);
    va_end(args);
    return code;
}
