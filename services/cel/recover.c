#include "cel/parser.h"

#include <stdio.h>

/* How the parser goes on after a syntax error, so that the others are found too. What could not be read becomes the
 * broken node, which nothing is said about; then what stands before the next comma, colon, && or || or closing bracket
 * is left out. One mistake is one issue: nothing is reported where the last error was, nor where reading goes on. */

LOY_PRINTF(4, 0)
static void report(struct loy_cel_parser *parser, uint32_t start, uint32_t end, const char *format, va_list args)
{
    parser->failed = true;
    if (parser->issue_count == LOY_CEL_MAX_SYNTAX_ISSUES) {
        parser->stopped = parser->issues->issues->more = true;
        return;
    }
    char message[256];
    (void)vsnprintf(message, sizeof message, format, args);
    loy_cel_issue_add(parser->issues, start, end, "%s", message);
    parser->issue_count++;
}

struct loy_cel_node *loy_cel_parser_fail(struct loy_cel_parser *parser, uint32_t start, uint32_t end,
                                         const char *format, ...)
{
    if (!parser->stopped && start != parser->quiet_at) {
        va_list args;
        va_start(args, format);
        report(parser, start, end, format, args);
        va_end(args);
    }
    return parser->stopped ? NULL : &parser->broken;
}

struct loy_cel_node *loy_cel_parser_stop(struct loy_cel_parser *parser, uint32_t start, uint32_t end,
                                         const char *format, ...)
{
    if (!parser->stopped) {
        va_list args;
        va_start(args, format);
        report(parser, start, end, format, args);
        va_end(args);
    }
    parser->stopped = true;
    return NULL;
}

struct loy_str loy_cel_parser_text(const struct loy_cel_parser *parser, struct loy_cel_token token)
{
    return (struct loy_str){parser->text.at + token.start, token.end - token.start};
}

/* The token that stands here is none. Where the one that was meant is known, that is taken for it. */
static void report_bad(struct loy_cel_parser *parser)
{
    struct loy_cel_token *token = &parser->token;
    bool is_last = token->end == parser->text.len;
    if (!parser->skipping || is_last) {
        (void)loy_cel_parser_fail(parser, token->start, token->end, "%s", token->message);
    }
    parser->stopped |= is_last; /* text that is not closed has taken all the rest */
    token->kind = token->meant;
    parser->quiet_at = token->start;
}

void loy_cel_parser_step(struct loy_cel_parser *parser)
{
    parser->previous_end = parser->token.end;
    uint32_t from = parser->token.kind == LOY_CEL_TOKEN_QUOTED ? parser->token.end + 1 : parser->token.end;
    parser->token = loy_cel_next_token(parser->text, from);
    if (parser->token.kind == LOY_CEL_TOKEN_BAD) {
        report_bad(parser);
    }
}

bool loy_cel_parser_accept(struct loy_cel_parser *parser, uint32_t kind)
{
    if (parser->stopped || parser->token.kind != kind) {
        return false;
    }
    loy_cel_parser_step(parser);
    return true;
}

/* What a word of other languages is here, and that it is taken for; NULL: nothing. */
static const char *meaning_of(struct loy_str word, uint32_t *ret_kind)
{
    static const struct {
        const char *word, *meaning;
        uint32_t kind;
    } words[] = {{"and", "&&", LOY_CEL_TOKEN_AND}, {"AND", "&&", LOY_CEL_TOKEN_AND}, {"or", "||", LOY_CEL_TOKEN_OR},
                 {"OR", "||", LOY_CEL_TOKEN_OR},   {"is", "==", LOY_CEL_TOKEN_EQ},   {"IN", "in", LOY_CEL_TOKEN_IDENT}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (loy_str_equal(word, loy_str(words[i].word))) {
            *ret_kind = words[i].kind;
            return words[i].meaning;
        }
    }
    return NULL;
}

struct loy_cel_node *loy_cel_parser_unexpected(struct loy_cel_parser *parser, const char *wanted)
{
    struct loy_cel_token *token = &parser->token;
    struct loy_str text = loy_cel_parser_text(parser, *token);
    const char *meaning = token->kind == LOY_CEL_TOKEN_IDENT ? meaning_of(text, &token->kind) : NULL;
    struct loy_cel_node *node;
    if (token->kind == LOY_CEL_TOKEN_END) {
        node = loy_cel_parser_fail(parser, token->start, token->end, "the expression ends here, but %s was expected",
                                   wanted);
    } else if (meaning) {
        node = loy_cel_parser_fail(parser, token->start, token->end,
                                   "'%.*s' stands where %s was expected: did you mean '%s'?", LOY_STR_ARG(text), wanted,
                                   meaning);
    } else {
        node = loy_cel_parser_fail(parser, token->start, token->end, "'%.*s' stands where %s was expected",
                                   LOY_STR_ARG(text), wanted);
    }
    parser->quiet_at = token->start;
    return node;
}

static bool is_open(uint32_t kind)
{
    return kind == '(' || kind == '[' || kind == '{';
}

static bool is_close(uint32_t kind)
{
    return kind == ')' || kind == ']' || kind == '}';
}

/* A place behind which something new begins. */
static bool is_border(uint32_t kind)
{
    return kind == LOY_CEL_TOKEN_AND || kind == LOY_CEL_TOKEN_OR || kind == '?' || kind == ':' || kind == ',' ||
           is_close(kind) || kind == LOY_CEL_TOKEN_END;
}

void loy_cel_parser_skip(struct loy_cel_parser *parser)
{
    uint32_t depth = 0;
    parser->skipping = true;
    while (!parser->stopped && parser->token.kind != LOY_CEL_TOKEN_END) {
        uint32_t kind = parser->token.kind;
        if (depth == 0 && is_border(kind)) {
            break;
        }
        depth += is_open(kind);
        depth -= is_close(kind);
        loy_cel_parser_step(parser);
    }
    parser->skipping = false;
    parser->quiet_at = parser->token.start;
}

void loy_cel_parser_unclosed(struct loy_cel_parser *parser, const char *wanted)
{
    bool is_bracket = is_close(parser->token.kind);
    if (parser->lost && (is_bracket || parser->token.kind == LOY_CEL_TOKEN_END)) {
        parser->quiet_at = parser->token.start;
    }
    (void)loy_cel_parser_unexpected(parser, wanted);
    parser->lost |= is_bracket;
}

void loy_cel_parser_resume(struct loy_cel_parser *parser, const char *wanted, bool over_commas)
{
    for (;;) {
        loy_cel_parser_skip(parser);
        uint32_t kind = parser->token.kind;
        if (parser->stopped || kind == LOY_CEL_TOKEN_END || is_close(kind) || (kind == ',' && !over_commas)) {
            return;
        }
        loy_cel_parser_step(parser);
        if (kind == ',' || kind == ':') { /* one that stands alone is the mistake, not the value behind it */
            parser->quiet_at = parser->token.start;
        }
        (void)loy_cel_parser_expression(parser);
        if (!parser->stopped && !is_border(parser->token.kind)) {
            loy_cel_parser_unclosed(parser, wanted);
        }
    }
}

static uint32_t *open_brackets(struct loy_cel_parser *parser, uint32_t bracket)
{
    return &parser->open[bracket == '(' || bracket == ')' ? 0 : bracket == '[' || bracket == ']' ? 1 : 2];
}

bool loy_cel_parser_open(struct loy_cel_parser *parser, uint32_t bracket)
{
    if (!loy_cel_parser_accept(parser, bracket)) {
        return false;
    }
    ++*open_brackets(parser, bracket);
    return true;
}

bool loy_cel_parser_close(struct loy_cel_parser *parser, uint32_t bracket, const char *wanted)
{
    --*open_brackets(parser, bracket);
    if (loy_cel_parser_accept(parser, bracket)) {
        return true;
    }
    loy_cel_parser_unclosed(parser, wanted);
    loy_cel_parser_resume(parser, wanted, true);
    uint32_t kind = parser->token.kind;
    if (!parser->stopped && (kind == bracket || (is_close(kind) && *open_brackets(parser, kind) == 0))) {
        loy_cel_parser_step(parser); /* ours: perhaps of the wrong kind, where no bracket of that kind is open */
    }
    return false;
}

void loy_cel_parser_finish(struct loy_cel_parser *parser)
{
    static const char wanted[] = "an operator or the end";
    while (!parser->stopped && parser->token.kind != LOY_CEL_TOKEN_END) {
        loy_cel_parser_unclosed(parser, wanted);
        loy_cel_parser_resume(parser, wanted, true);
        if (!parser->stopped && is_close(parser->token.kind)) { /* one too many */
            loy_cel_parser_step(parser);
            parser->quiet_at = parser->token.start;
        }
    }
}
