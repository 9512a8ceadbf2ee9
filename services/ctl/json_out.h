/* JSON out: texts as JSON, for the commands' --json.
 *
 * Bytes that are no UTF-8 become U+FFFD, so that the output always parses. One thread. Test:
 * tests/unit/test_ctl_load.c. */
#ifndef LOY_CTL_JSON_OUT_H
#define LOY_CTL_JSON_OUT_H

#include "base/str.h"

#include <stdio.h>

/* The text in quotes, escaped. */
void loy_json_text(FILE *out, struct loy_str text);
/* "name": "text" */
void loy_json_member(FILE *out, const char *name, struct loy_str text);

#endif
