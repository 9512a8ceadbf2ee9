/* Doubles and text, without locale: exact parsing, shortest printing that reads back the same.
 *
 * Parsing is correctly rounded (round half to even): a fast path for short decimals, else exact integers.
 * Pure; any thread. Test: tests/unit/test_cel_numtext.c. */
#ifndef LOY_CEL_NUMTEXT_H
#define LOY_CEL_NUMTEXT_H

#include "base/str.h"

enum { LOY_CEL_DOUBLE_TEXT_MAX = 32, LOY_CEL_MAX_DECIMALS = 100 };

/* [+-] digits [. digits] [e [+-] digits], or NaN, Inf, Infinity in any case. A value beyond the range is infinite. */
LOY_MUST_USE bool loy_cel_double_parse(struct loy_str text, double *ret);
/* The shortest text that reads back the same, "123.456", "1e+21", "NaN", "-Infinity". */
size_t loy_cel_double_format(double value, char text[LOY_CEL_DOUBLE_TEXT_MAX]);
/* With a fixed number of decimals (≤ LOY_CEL_MAX_DECIMALS), as C's %f or %e. */
void loy_cel_double_append(struct loy_buf *buf, double value, int decimals, bool with_exponent);

#endif
