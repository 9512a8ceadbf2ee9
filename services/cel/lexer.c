#include "cel/lexer.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_hex(char c)
{
    return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

static char byte_at(struct loy_str text, size_t at)
{
    return at < text.len ? text.at[at] : '\0';
}

static struct loy_cel_token bad(size_t start, size_t end, const char *message, uint32_t meant)
{
    return (struct loy_cel_token){LOY_CEL_TOKEN_BAD, (uint32_t)start, (uint32_t)end, message, meant};
}

static struct loy_cel_token token(uint32_t kind, size_t start, size_t end)
{
    return (struct loy_cel_token){kind, (uint32_t)start, (uint32_t)end, NULL, kind};
}

static size_t skip_blank(struct loy_str text, size_t at)
{
    while (at < text.len) {
        char c = text.at[at];
        if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f') {
            at++;
        } else if (c == '/' && byte_at(text, at + 1) == '/') {
            const char *end = memchr(text.at + at, '\n', text.len - at);
            at = end ? (size_t)(end - text.at) : text.len;
        } else {
            break;
        }
    }
    return at;
}

static size_t skip_digits(struct loy_str text, size_t at)
{
    while (is_digit(byte_at(text, at))) {
        at++;
    }
    return at;
}

static struct loy_cel_token number(struct loy_str text, size_t start)
{
    size_t at = start;
    if (byte_at(text, at) == '0' && (byte_at(text, at + 1) | 0x20) == 'x' && is_hex(byte_at(text, at + 2))) {
        for (at += 2; is_hex(byte_at(text, at)); at++) {
        }
        at += (byte_at(text, at) | 0x20) == 'u';
    } else {
        at = skip_digits(text, at);
        bool is_double = byte_at(text, at) == '.' && is_digit(byte_at(text, at + 1));
        at = is_double ? skip_digits(text, at + 1) : at;
        if ((byte_at(text, at) | 0x20) == 'e') {
            size_t sign = byte_at(text, at + 1) == '-' || byte_at(text, at + 1) == '+';
            if (is_digit(byte_at(text, at + 1 + sign))) {
                at = skip_digits(text, at + 1 + sign);
                is_double = true;
            }
        }
        at += !is_double && (byte_at(text, at) | 0x20) == 'u';
    }
    if (is_letter(byte_at(text, at)) || is_digit(byte_at(text, at))) {
        while (is_letter(byte_at(text, at)) || is_digit(byte_at(text, at))) {
            at++;
        }
        return bad(start, at, "a number must not run into a name", LOY_CEL_TOKEN_NUMBER);
    }
    return token(LOY_CEL_TOKEN_NUMBER, start, at);
}

/* Where quoted text that opens at `quote` ends, behind the closing quotes; 0: it does not. */
static size_t end_of_text(struct loy_str text, size_t quote, bool raw)
{
    char c = text.at[quote];
    bool triple = byte_at(text, quote + 1) == c && byte_at(text, quote + 2) == c;
    size_t at = quote + (triple ? 3 : 1);
    for (; at < text.len; at++) {
        if (!triple && (text.at[at] == '\n' || text.at[at] == '\r')) {
            return 0;
        }
        if (text.at[at] == '\\' && !raw) {
            at++;
        } else if (text.at[at] == c && (!triple || (byte_at(text, at + 1) == c && byte_at(text, at + 2) == c))) {
            return at + (triple ? 3 : 1);
        }
    }
    return 0;
}

/* Where the quote stands if a string literal with up to two letters before it begins here; 0: none, or at 0. */
static bool find_quote(struct loy_str text, size_t start, size_t *ret_quote, bool *ret_raw)
{
    bool raw = false, bytes = false;
    size_t at = start;
    for (; at < start + 2; at++) {
        char c = (char)(byte_at(text, at) | 0x20);
        if (c == 'r' && !raw && is_letter(byte_at(text, at))) {
            raw = true;
        } else if (c == 'b' && !bytes && is_letter(byte_at(text, at))) {
            bytes = true;
        } else {
            break;
        }
    }
    *ret_quote = at;
    *ret_raw = raw;
    return byte_at(text, at) == '\'' || byte_at(text, at) == '"';
}

static struct loy_cel_token sign(struct loy_str text, size_t at)
{
    static const struct {
        char first, second;
        uint32_t kind;
    } pairs[] = {{'=', '=', LOY_CEL_TOKEN_EQ}, {'!', '=', LOY_CEL_TOKEN_NE},  {'<', '=', LOY_CEL_TOKEN_LE},
                 {'>', '=', LOY_CEL_TOKEN_GE}, {'&', '&', LOY_CEL_TOKEN_AND}, {'|', '|', LOY_CEL_TOKEN_OR}};
    static const struct {
        char first, second;
        const char *message;
        uint32_t meant;
    } foreign[] = {{'=', '>', "'=>' is no operator: did you mean '>='?", LOY_CEL_TOKEN_GE},
                   {'=', '<', "'=<' is no operator: did you mean '<='?", LOY_CEL_TOKEN_LE},
                   {'<', '>', "'<>' is no operator: did you mean '!='?", LOY_CEL_TOKEN_NE}};
    char c = text.at[at];
    for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++) {
        if (foreign[i].first == c && foreign[i].second == byte_at(text, at + 1)) {
            return bad(at, at + 2, foreign[i].message, foreign[i].meant);
        }
    }
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        if (pairs[i].first == c && pairs[i].second == byte_at(text, at + 1)) {
            return token(pairs[i].kind, at, at + 2);
        }
    }
    if (c && strchr("!%()*+,-./:<>?[]{}", c)) {
        return token((uint8_t)c, at, at + 1);
    }
    if (c == '=') {
        return bad(at, at + 1, "a single '=' is no operator: did you mean '=='?", LOY_CEL_TOKEN_EQ);
    }
    if (c == '&') {
        return bad(at, at + 1, "did you mean '&&'?", LOY_CEL_TOKEN_AND);
    }
    if (c == '|') {
        return bad(at, at + 1, "did you mean '||'?", LOY_CEL_TOKEN_OR);
    }
    size_t end = at + 1;
    while (((uint8_t)byte_at(text, end) & 0xc0) == 0x80) {
        end++;
    }
    return bad(at, end, "this character has no meaning here", LOY_CEL_TOKEN_BAD);
}

static struct loy_cel_token quoted_name(struct loy_str text, size_t at)
{
    size_t end = at + 1;
    for (;; end++) {
        char c = byte_at(text, end);
        if (!is_letter(c) && !is_digit(c) && (c == '\0' || !strchr(".-/ ", c))) {
            break;
        }
    }
    if (byte_at(text, end) != '`' || end == at + 1) {
        return bad(at, end, "a name in backquotes must be closed, and not empty", LOY_CEL_TOKEN_BAD);
    }
    return token(LOY_CEL_TOKEN_QUOTED, at + 1, end);
}

struct loy_cel_token loy_cel_next_token(struct loy_str text, uint32_t offset)
{
    size_t at = skip_blank(text, offset);
    if (at >= text.len) {
        return token(LOY_CEL_TOKEN_END, text.len, text.len);
    }
    char c = text.at[at];
    size_t quote;
    bool raw;
    if (find_quote(text, at, &quote, &raw)) {
        size_t end = end_of_text(text, quote, raw);
        return end ? token(LOY_CEL_TOKEN_TEXT, at, end)
                   : bad(at, text.len, "this text is not closed", LOY_CEL_TOKEN_BAD);
    }
    if (is_letter(c)) {
        size_t end = at + 1;
        while (is_letter(byte_at(text, end)) || is_digit(byte_at(text, end))) {
            end++;
        }
        return token(LOY_CEL_TOKEN_IDENT, at, end);
    }
    if (is_digit(c) || (c == '.' && is_digit(byte_at(text, at + 1)))) {
        return number(text, at);
    }
    return c == '`' ? quoted_name(text, at) : sign(text, at);
}

bool loy_cel_is_reserved(struct loy_str word)
{
    static const char *const words[] = {"as",        "break", "const",  "continue", "else", "false", "for",
                                        "function",  "if",    "import", "in",       "let",  "loop",  "package",
                                        "namespace", "null",  "return", "true",     "var",  "void",  "while"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (loy_str_equal(word, loy_str(words[i]))) {
            return true;
        }
    }
    return false;
}
