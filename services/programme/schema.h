/* Schema: the table of keys for editors (JSON Schema, draft 2020-12) and for readers (Markdown).
 *
 * Pure; the buffer's arena. Test: tests/unit/test_programme_keys.c, tests/integration/test_programme.py (an independent
 * validator). */
#ifndef LOY_PROGRAMME_SCHEMA_H
#define LOY_PROGRAMME_SCHEMA_H

#include "base/str.h"

void loy_programme_schema(struct loy_buf *buf);
void loy_programme_reference(struct loy_buf *buf);
/* Every key that is not in force, a path a line: "campaigns[].control", and choices as "earning[].trigger=feedback". */
void loy_programme_inactive_keys(struct loy_buf *buf);

#endif
