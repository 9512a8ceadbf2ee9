/* Of texts in YAML: which bare ones are dangerous, and where a byte of a quoted one stands in the file. */
#include "programme/yaml.h"

static bool is_one_of(struct loy_str text, const char *const *words)
{
    for (; *words; words++) {
        if (loy_str_equal(text, loy_str(*words))) {
            return true;
        }
    }
    return false;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool has_only(struct loy_str text, const char *also)
{
    for (size_t i = 0; i < text.len; i++) {
        if (!is_digit(text.at[i]) && !strchr(also, text.at[i])) {
            return false;
        }
    }
    return true;
}

/* A number that the versions read differently, the sign taken off. */
static const char *number_danger(struct loy_str text)
{
    if (text.len == 0 || !is_digit(text.at[0])) {
        return NULL;
    }
    if (memchr(text.at, ':', text.len) && has_only(text, ":._")) {
        return "is a number in base 60 for YAML 1.1 and a text for YAML 1.2";
    }
    if (memchr(text.at, '_', text.len) && has_only(text, "_.")) {
        return "is a number for YAML 1.1 and a text for YAML 1.2";
    }
    if (text.len > 2 && text.at[0] == '0' && strchr("xob", text.at[1]) &&
        has_only((struct loy_str){text.at + 2, text.len - 2}, "abcdefABCDEF_")) {
        return "is a number for one version of YAML and a text for another";
    }
    if (text.len > 1 && text.at[0] == '0' && has_only(text, "")) {
        return "is an octal number for YAML 1.1 and a decimal one for YAML 1.2";
    }
    const char *exponent = memchr(text.at, 'e', text.len);
    exponent = exponent ? exponent : memchr(text.at, 'E', text.len);
    if (exponent && has_only(text, "eE.+-")) {
        return "is a text for YAML 1.1 and a number for YAML 1.2";
    }
    return NULL;
}

const char *loy_yaml_bare_danger(struct loy_str text)
{
    static const char *const truths[] = {"on", "On", "ON", "off", "Off", "OFF", "yes", "Yes", "YES",
                                         "no", "No", "NO", "y",   "Y",   "n",   "N",   NULL};
    static const char *const nothings[] = {"~", "null", "Null", "NULL", "", NULL};
    static const char *const odd[] = {"=",     ".inf",  ".Inf", ".INF", "-.inf", "-.Inf",
                                      "-.INF", "+.inf", ".nan", ".NaN", ".NAN",  NULL};
    if (is_one_of(text, truths)) {
        return "is true or false for YAML 1.1 and a word for YAML 1.2";
    }
    if (is_one_of(text, nothings)) {
        return text.len ? "means that there is no value" : "(nothing) means that there is no value";
    }
    if (is_one_of(text, odd)) {
        return "is no plain word for every version of YAML";
    }
    bool is_signed = text.len > 1 && (text.at[0] == '-' || text.at[0] == '+');
    return number_danger(is_signed ? (struct loy_str){text.at + 1, text.len - 1} : text);
}

const char *loy_yaml_bare_advice(struct loy_str text)
{
    bool is_number = text.len > 0 && has_only(text, "_.+-");
    if (is_number && memchr(text.at, '_', text.len)) {
        return "write the number without _, or the text in quotes";
    }
    if (is_number && text.len > 1) {
        return "write the number without the 0 before it, or the text in quotes";
    }
    if (text.len > 0 && is_digit(text.at[0])) {
        return "write it in quotes";
    }
    const char *danger = loy_yaml_bare_danger(text);
    bool is_truth = danger && strstr(danger, "true or false") != NULL;
    return is_truth ? "write true or false, or the word in quotes" : "leave the key out, or write the word in quotes";
}

/* A walk over the file's bytes of one quoted text. */
struct walk {
    struct loy_str file;
    size_t at;
    uint32_t line, column;
};

static void step(struct walk *walk)
{
    if (walk->at < walk->file.len && walk->file.at[walk->at] == '\n') {
        walk->line++;
        walk->column = 0;
    }
    for (walk->at++; walk->at < walk->file.len && ((uint8_t)walk->file.at[walk->at] & 0xc0) == 0x80; walk->at++) {
    }
    walk->column++;
}

static uint32_t hex_value(struct loy_str digits)
{
    uint32_t value = 0;
    for (size_t i = 0; i < digits.len; i++) {
        char c = digits.at[i];
        value = value * 16 + (uint32_t)(is_digit(c) ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return value;
}

/* Steps over one escape; returns how many bytes of the value it makes. */
static size_t step_escape(struct walk *walk)
{
    step(walk);
    if (walk->at >= walk->file.len) {
        return 1;
    }
    char c = walk->file.at[walk->at];
    size_t digits = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
    size_t made = strchr("N_", c) ? 2 : strchr("LP", c) ? 3 : 1;
    if (digits && walk->at + digits < walk->file.len) {
        uint32_t value = hex_value((struct loy_str){walk->file.at + walk->at + 1, digits});
        made = value < 0x80 ? 1 : value < 0x800 ? 2 : value < 0x10000 ? 3 : 4;
    }
    for (size_t i = 0; i <= digits; i++) {
        step(walk);
    }
    return made;
}

static bool is_blank(const struct walk *walk)
{
    return walk->at < walk->file.len && strchr(" \t\r\n", walk->file.at[walk->at]);
}

/* Steps over blanks; those with a line end in them are folded. Returns how many bytes of the value they make. */
static size_t step_blanks(struct walk *walk)
{
    size_t blanks = 0, lines = 0;
    for (; is_blank(walk); step(walk)) {
        lines += walk->file.at[walk->at] == '\n';
        blanks++;
    }
    return lines == 0 ? blanks : lines == 1 ? 1 : lines - 1;
}

void loy_yaml_place(struct loy_str file, const struct loy_yaml *node, size_t offset, uint32_t *ret_line,
                    uint32_t *ret_column)
{
    struct walk walk = {file, 0, 1, 1};
    while (walk.at < file.len && (walk.line < node->line || walk.column < node->column)) {
        step(&walk);
    }
    if (node->quoted && walk.at < file.len) {
        step(&walk);
    }
    for (size_t made = 0; made < offset && walk.at < file.len;) {
        if (node->double_quoted && file.at[walk.at] == '\\') {
            made += step_escape(&walk);
        } else if (is_blank(&walk)) {
            struct walk before = walk;
            size_t blanks = step_blanks(&walk);
            if (made + blanks > offset) { /* the place is inside them */
                walk = before;
                break;
            }
            made += blanks;
        } else {
            size_t before = walk.at;
            step(&walk);
            made += walk.at - before;
        }
    }
    *ret_line = walk.line;
    *ret_column = walk.column;
}
