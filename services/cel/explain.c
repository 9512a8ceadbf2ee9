#include "cel/functions.h"
#include "cel/program.h"

void loy_cel_explain(const struct loy_cel_program *program, struct loy_cel_value result,
                     const struct loy_cel_trace *trace, struct loy_buf *buf)
{
    (void)program;
    (void)result;
    (void)trace;
    (void)buf;
}
