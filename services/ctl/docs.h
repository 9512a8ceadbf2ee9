/* Docs: pages of the documentation that are made from tables in the code.
 *
 * `make docs` writes them, `make check` fails when they differ. Test: tests/unit/test_ctl_command.c. */
#ifndef LOY_CTL_DOCS_H
#define LOY_CTL_DOCS_H

#include <stdio.h>

void loy_docs_write_errors(FILE *out);
void loy_docs_write_metrics(FILE *out);
void loy_docs_write_audit(FILE *out);

#endif
