#include "conformance/cel_docs.h"

#include "cel/functions.h"
#include "cel/numtext.h"
#include "cel/program.h"

#include <stdio.h>

static void print_type(struct loy_arena *arena, const char **letters)
{
    struct loy_buf buf;
    loy_buf_init(&buf, arena, 64);
    loy_cel_type_print(loy_cel_type_of_letters(arena, letters), &buf);
    struct loy_str text = loy_buf_str(&buf);
    printf("%.*s", LOY_STR_ARG(text));
}

/* "iii;uuu" as "int ← int, int; uint ← uint, uint" */
static void print_signatures(const char *letters)
{
    static char block[65536];
    while (*letters) {
        struct loy_arena arena;
        loy_arena_init(&arena, block, sizeof block);
        print_type(&arena, &letters);
        printf(" ←");
        for (int i = 0; *letters && *letters != ';'; i++) {
            printf("%s", i ? ", " : " ");
            print_type(&arena, &letters);
        }
        letters += *letters == ';';
        printf("%s", *letters ? "; " : "");
    }
}

void conformance_print_functions(void)
{
    static const char *const styles[] = {[LOY_CEL_OPERATOR] = "operator",
                                         [LOY_CEL_GLOBAL] = "f(x)",
                                         [LOY_CEL_METHOD] = "x.f()",
                                         [LOY_CEL_EITHER] = "both"};
    printf("| function | called as | result ← arguments |\n|---|---|---|\n");
    for (unsigned i = 0; i < LOY_CEL_FN_COUNT; i++) {
        const struct loy_cel_builtin_row *row = loy_cel_builtin_at(i);
        printf("| `%.*s` | %s | ", LOY_STR_ARG(row->name), styles[row->style]);
        if (row->signatures[0] == '#') {
            printf("any number of numbers, or one list of them");
        } else {
            print_signatures(row->signatures);
        }
        printf(" |\n");
    }
}

void conformance_print_limits(void)
{
    static const struct {
        const char *what;
        int limit;
    } limits[] = {{"bytes of an expression", LOY_CEL_MAX_TEXT},
                  {"parts of its tree", LOY_CEL_MAX_NODES},
                  {"depth of its tree", LOY_CEL_MAX_NESTING},
                  {"macros inside each other", LOY_CEL_MAX_LOOP_DEPTH},
                  {"lists in lists, where values are compared or printed", LOY_CEL_MAX_VALUE_NESTING},
                  {"instructions of a program", LOY_CEL_MAX_CODE},
                  {"arguments of a call", LOY_CEL_MAX_ARGUMENTS},
                  {"decimals of %f and %e", LOY_CEL_MAX_DECIMALS},
                  {"issues reported in one pass", LOY_CEL_MAX_ISSUES},
                  {"of them syntax errors", LOY_CEL_MAX_SYNTAX_ISSUES},
                  {"parts of a condition in a trace", LOY_CEL_MAX_CLAUSES},
                  {"size of what declares none, for the static cost", LOY_CEL_DEFAULT_SIZE},
                  {"static cost, if the caller states none", LOY_CEL_DEFAULT_MAX_COST}};
    printf("| limit | |\n|---|---:|\n");
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        printf("| %s | %d |\n", limits[i].what, limits[i].limit);
    }
}
