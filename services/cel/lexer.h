/* Splits an expression into tokens. Inside the room only. Pure; one thread. Test: tests/unit/test_cel_parse.c. */
#ifndef LOY_CEL_LEXER_H
#define LOY_CEL_LEXER_H

#include "base/str.h"

enum loy_cel_token_kind {
    LOY_CEL_TOKEN_END,
    LOY_CEL_TOKEN_BAD,    /* message says why */
    LOY_CEL_TOKEN_IDENT,  /* also true, false, null, in and the reserved words */
    LOY_CEL_TOKEN_QUOTED, /* `a name`: start and end are inside the quotes */
    LOY_CEL_TOKEN_NUMBER,
    LOY_CEL_TOKEN_TEXT,
    LOY_CEL_TOKEN_EQ, /* == and the other signs of two bytes; those of one byte are their own kind */
    LOY_CEL_TOKEN_NE,
    LOY_CEL_TOKEN_LE,
    LOY_CEL_TOKEN_GE,
    LOY_CEL_TOKEN_AND,
    LOY_CEL_TOKEN_OR,
};

struct loy_cel_token {
    uint32_t kind; /* enum loy_cel_token_kind, or a byte from ! % ( ) * + , - . / : < > ? [ ] { } */
    uint32_t start, end;
    const char *message; /* of BAD */
    uint32_t meant;      /* of BAD: the kind that it is taken for, so that reading can go on; BAD: nothing */
};

/* The token at or behind offset `at`. text: at most LOY_CEL_MAX_TEXT bytes. */
struct loy_cel_token loy_cel_next_token(struct loy_str text, uint32_t at);
/* A word that names nothing: it may be a field, but no variable or function. */
bool loy_cel_is_reserved(struct loy_str word);

#endif
