/* The generated parts of docs/cel.md, as Markdown. */
#ifndef LOY_TESTS_CONFORMANCE_CEL_DOCS_H
#define LOY_TESTS_CONFORMANCE_CEL_DOCS_H

/* A row a function of cel/functions.h, with its signatures. */
void conformance_print_functions(void);
/* A row a limit. */
void conformance_print_limits(void);

#endif
