/* What a condition cannot be true without: texts that a field is compared with, in its outermost &&. */
#include "cel/functions.h"
#include "cel/program.h"

static bool is_text(const struct loy_cel_node *node)
{
    return node->kind == LOY_CEL_NODE_CONST && node->constant.kind == LOY_CEL_STRING;
}

static bool is_field_of_variable(const struct loy_cel_node *node)
{
    return node->kind == LOY_CEL_NODE_SELECT && node->meaning == LOY_CEL_MEANS_FIELD && node->count == 1 &&
           node->args[0]->meaning == LOY_CEL_MEANS_VARIABLE;
}

/* How many values a list has that is written out: as a node, or made a constant while compiling. 0: it is none. */
static uint32_t list_count(const struct loy_cel_node *node)
{
    bool constant = node->kind == LOY_CEL_NODE_CONST && node->constant.kind == LOY_CEL_LIST;
    return node->kind == LOY_CEL_NODE_LIST ? node->count : constant ? node->constant.len : 0;
}

/* A value of such a list. */
static struct loy_cel_value item_of(const struct loy_cel_node *list, uint32_t i)
{
    if (list->kind == LOY_CEL_NODE_CONST) {
        return list->constant.as.items[i];
    }
    return list->args[i]->kind == LOY_CEL_NODE_CONST ? list->args[i]->constant : loy_cel_null();
}

/* A part of the form `field == text`, the same turned round, or `field in [texts]`: which is the field, which the rest.
 */
static bool is_pinning(const struct loy_cel_node *node, const struct loy_cel_node **ret_field,
                       const struct loy_cel_node **ret_other)
{
    if (node->kind != LOY_CEL_NODE_OP || node->count != 2) {
        return false;
    }
    bool turned = node->detail == LOY_CEL_FN_eq && is_text(node->args[0]);
    *ret_field = node->args[turned];
    *ret_other = node->args[!turned];
    return is_field_of_variable(*ret_field) && ((node->detail == LOY_CEL_FN_eq && is_text(*ret_other)) ||
                                                (node->detail == LOY_CEL_FN_in && list_count(*ret_other) > 0));
}

static bool pin(const struct loy_cel_node *node, struct loy_arena *arena, struct loy_cel_pinned *pinned,
                uint32_t *count)
{
    const struct loy_cel_node *field, *other;
    if (!is_pinning(node, &field, &other)) {
        return true;
    }
    bool one = is_text(other);
    uint32_t text_count = one ? 1 : list_count(other);
    struct loy_str *texts = LOY_NEW_ARRAY(arena, struct loy_str, text_count);
    for (uint32_t i = 0; texts && i < text_count; i++) {
        struct loy_cel_value value = one ? other->constant : item_of(other, i);
        if (value.kind != LOY_CEL_STRING) {
            return true;
        }
        texts[i] = loy_cel_text(value);
    }
    pinned[*count] = (struct loy_cel_pinned){.variable = (uint32_t)field->args[0]->target,
                                             .record = field->record,
                                             .field = field->target,
                                             .texts = texts,
                                             .count = text_count};
    (*count)++;
    return texts != NULL;
}

bool loy_cel_program_pinned(const struct loy_cel_program *program, struct loy_arena *arena,
                            struct loy_cel_pinned *ret_pinned, uint32_t max, uint32_t *ret_count)
{
    const struct loy_cel_node *root = program->root;
    uint32_t count = 0;
    bool fits = true;
    if (root->kind != LOY_CEL_NODE_AND) {
        fits = max == 0 || pin(root, arena, ret_pinned, &count);
    }
    for (uint32_t i = 0; root->kind == LOY_CEL_NODE_AND && fits && count < max && i < root->count; i++) {
        fits = pin(root->args[i], arena, ret_pinned, &count);
    }
    *ret_count = count;
    return fits;
}
