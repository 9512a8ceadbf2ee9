#include "adapters/wire/json_tree.h"

#include "adapters/wire/check.h"

/* jansson's own sentence quotes the text, which may be personal: the place and the kind of error are enough. */
static enum loy_err describe(const json_error_t *why, struct loy_error *error)
{
    const char *what = "not valid JSON";
    enum loy_err code = LOY_ERR_MALFORMED;
    switch (json_error_code(why)) {
    case json_error_null_character:
    case json_error_null_byte_in_key:
        code = LOY_ERR_INVALID_TEXT;
        what = "JSON text that holds U+0000";
        break;
    case json_error_numeric_overflow:
        code = LOY_ERR_OVERFLOW;
        what = "a number that does not fit 64 bits";
        break;
    case json_error_duplicate_key:
        what = "a JSON key that comes twice";
        break;
    case json_error_stack_overflow:
        what = "JSON nested too deeply";
        break;
    case json_error_premature_end_of_input:
        what = "JSON cut off";
        break;
    case json_error_invalid_syntax:
        if (strncmp(why->text, "invalid Unicode '", 17) == 0) {
            code = LOY_ERR_INVALID_TEXT;
            what = "JSON text with an unpaired surrogate";
        }
        break;
    default:
        break;
    }
    return loy_error_set(error, code, "%s, at line %d, column %d", what, why->line, why->column);
}

enum loy_err loy_wire_json_parse(struct loy_str text, json_t **ret_tree, struct loy_error *error)
{
    enum loy_err err = loy_wire_check_utf8(text, NULL, error);
    if (err) {
        return err;
    }
    json_error_t why;
    json_t *tree = json_loadb(text.len ? text.at : "", text.len, JSON_REJECT_DUPLICATES, &why);
    if (!tree) {
        return describe(&why, error);
    }
    if (json_typeof(tree) != JSON_OBJECT) {
        json_decref(tree);
        return loy_error_set(error, LOY_ERR_MALFORMED, "JSON that is not an object");
    }
    *ret_tree = tree;
    return LOY_OK;
}
