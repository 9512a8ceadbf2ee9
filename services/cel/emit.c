#include "cel/emit.h"

#include "cel/functions.h"

#include <assert.h>

enum { FOLD_FUEL = 100000, MAX_FOLDED_CODE = 4096 };

static void emit_node(struct loy_cel_emitter *emitter, struct loy_cel_node *node);

/* Room for one more row; doubles. */
static bool grow(struct loy_cel_emitter *emitter, void *rows_pointer, uint32_t count, uint32_t *capacity, size_t size)
{
    void **rows = rows_pointer;
    if (count < *capacity) {
        return true;
    }
    uint32_t wanted = *capacity ? *capacity * 2 : 32;
    void *moved = loy_arena_alloc(emitter->arena, wanted * size);
    if (!moved) {
        emitter->no_memory = true;
        return false;
    }
    if (count) {
        memcpy(moved, *rows, count * size);
    }
    *rows = moved;
    *capacity = wanted;
    return true;
}

/* Returns its place; any number after a failure. */
static uint32_t emit(struct loy_cel_emitter *emitter, enum loy_cel_op op, unsigned a, uint32_t b, uint32_t c,
                     uint32_t place)
{
    uint32_t capacity = emitter->code_capacity;
    if (emitter->code_count >= LOY_CEL_MAX_CODE || b > UINT16_MAX) {
        emitter->too_large = true;
        return 0;
    }
    if (!grow(emitter, &emitter->code, emitter->code_count, &capacity, sizeof *emitter->code) ||
        !grow(emitter, &emitter->places, emitter->code_count, &emitter->code_capacity, sizeof *emitter->places)) {
        return 0;
    }
    emitter->code[emitter->code_count] = (struct loy_cel_instruction){(uint8_t)op, (uint8_t)a, (uint16_t)b, c};
    emitter->places[emitter->code_count] = place;
    return emitter->code_count++;
}

static bool failed(const struct loy_cel_emitter *emitter)
{
    return emitter->no_memory || emitter->too_large;
}

/* Lets the jump at pc go to what is emitted next. */
static void land(struct loy_cel_emitter *emitter, uint32_t pc)
{
    if (!failed(emitter)) {
        emitter->code[pc].c = emitter->code_count;
    }
}

static uint32_t constant(struct loy_cel_emitter *emitter, struct loy_cel_value value)
{
    if (!grow(emitter, &emitter->constants, emitter->constant_count, &emitter->constant_capacity,
              sizeof *emitter->constants)) {
        return 0;
    }
    emitter->constants[emitter->constant_count] = value;
    return emitter->constant_count++;
}

static void emit_constant(struct loy_cel_emitter *emitter, struct loy_cel_value value, uint32_t place)
{
    (void)emit(emitter, LOY_CEL_OP_CONST, 0, 0, constant(emitter, value), place);
}

static void need(struct loy_cel_emitter *emitter, uint32_t variable, int32_t record, int32_t field)
{
    for (uint32_t i = 0; i < emitter->need_count; i++) {
        const struct loy_cel_need *other = &emitter->needs[i];
        if (other->variable == variable && other->record == record && other->field == field) {
            return;
        }
    }
    if (grow(emitter, &emitter->needs, emitter->need_count, &emitter->need_capacity, sizeof *emitter->needs)) {
        emitter->needs[emitter->need_count++] = (struct loy_cel_need){variable, record, field};
    }
}

static void emit_raise(struct loy_cel_emitter *emitter, enum loy_cel_fault fault, const char *message, uint32_t place)
{
    /* With its NUL: the verifier looks for it. */
    struct loy_str text = {message, strlen(message) + 1};
    uint32_t c = constant(emitter, loy_cel_string(text));
    (void)emit(emitter, LOY_CEL_OP_RAISE, fault, 0, c, place);
}

/* A field of a record: of a variable, in one step, or of a value on the stack. */
static void emit_field(struct loy_cel_emitter *emitter, struct loy_cel_node *node)
{
    bool has = node->kind == LOY_CEL_NODE_HAS;
    const struct loy_cel_node *target = node->args[0];
    uint32_t c = (uint32_t)node->record << 16 | (uint32_t)node->target;
    if (target->meaning == LOY_CEL_MEANS_VARIABLE) {
        need(emitter, (uint32_t)target->target, node->record, node->target);
        (void)emit(emitter, has ? LOY_CEL_OP_VAR_HAS : LOY_CEL_OP_VAR_FIELD, 0, (uint32_t)target->target, c, node->at);
        return;
    }
    need(emitter, UINT32_MAX, node->record, node->target);
    emit_node(emitter, node->args[0]);
    (void)emit(emitter, has ? LOY_CEL_OP_FIELD_HAS : LOY_CEL_OP_FIELD, 0, 0, c, node->at);
}

static void emit_name(struct loy_cel_emitter *emitter, struct loy_cel_node *node)
{
    switch ((enum loy_cel_meaning)node->meaning) {
    case LOY_CEL_MEANS_LOCAL:
        (void)emit(emitter, LOY_CEL_OP_LOCAL, 0, 0, (uint32_t)node->target, node->at);
        break;
    case LOY_CEL_MEANS_VARIABLE:
        need(emitter, (uint32_t)node->target, -1, -1);
        (void)emit(emitter, LOY_CEL_OP_VAR, 0, 0, (uint32_t)node->target, node->at);
        break;
    case LOY_CEL_MEANS_TYPE:
        emit_constant(emitter, node->constant, node->at);
        break;
    case LOY_CEL_MEANS_FIELD:
        emit_field(emitter, node);
        break;
    case LOY_CEL_MEANS_KEY:
        emit_node(emitter, node->args[0]);
        (void)emit(emitter, node->kind == LOY_CEL_NODE_HAS ? LOY_CEL_OP_HAS : LOY_CEL_OP_SELECT, 0, 0,
                   constant(emitter, loy_cel_string(node->name)), node->at);
        break;
    default:
        emit_raise(emitter, LOY_CEL_FAULT_ARGUMENT, "a name that is not declared", node->at);
    }
}

static void emit_args(struct loy_cel_emitter *emitter, struct loy_cel_node *node)
{
    for (uint32_t i = 0; i < node->count; i++) {
        emit_node(emitter, node->args[i]);
    }
}

static enum loy_cel_op op_of(unsigned builtin)
{
    switch (builtin) {
    case LOY_CEL_FN_eq:
        return LOY_CEL_OP_EQ;
    case LOY_CEL_FN_ne:
        return LOY_CEL_OP_NE;
    case LOY_CEL_FN_lt:
        return LOY_CEL_OP_LT;
    case LOY_CEL_FN_le:
        return LOY_CEL_OP_LE;
    case LOY_CEL_FN_gt:
        return LOY_CEL_OP_GT;
    case LOY_CEL_FN_ge:
        return LOY_CEL_OP_GE;
    case LOY_CEL_FN_add:
        return LOY_CEL_OP_ADD;
    case LOY_CEL_FN_sub:
        return LOY_CEL_OP_SUB;
    case LOY_CEL_FN_mul:
        return LOY_CEL_OP_MUL;
    default:
        return LOY_CEL_OP_BINARY;
    }
}

static void emit_operation(struct loy_cel_emitter *emitter, struct loy_cel_node *node)
{
    emit_args(emitter, node);
    if (node->count == 1) {
        (void)emit(emitter, LOY_CEL_OP_CALL, node->detail, 1, 0, node->at);
        return;
    }
    (void)emit(emitter, op_of(node->detail), node->detail, node->clause, 0, node->at);
}

static bool is_text(const struct loy_cel_node *node)
{
    return node->kind == LOY_CEL_NODE_CONST && node->constant.kind == LOY_CEL_STRING;
}

/* x.matches('constant'), compiled here once. */
static void emit_match(struct loy_cel_emitter *emitter, struct loy_cel_node *node)
{
    const struct loy_cel_matcher *matcher = emitter->env->matcher;
    const struct loy_cel_node *pattern = node->args[1];
    char reason[128] = "";
    const void *compiled = matcher->compile(matcher->context, loy_cel_text(pattern->constant), reason, sizeof reason);
    if (!compiled) {
        loy_cel_issue_add(emitter->issues, pattern->start, pattern->end, "not a regular expression: %s", reason);
        return;
    }
    if (!grow(emitter, &emitter->patterns, emitter->pattern_count, &emitter->pattern_capacity,
              sizeof *emitter->patterns)) {
        return;
    }
    emitter->patterns[emitter->pattern_count] = compiled;
    emit_node(emitter, node->args[0]);
    (void)emit(emitter, LOY_CEL_OP_MATCH, 0, 0, emitter->pattern_count++, node->at);
}

static void emit_call(struct loy_cel_emitter *emitter, struct loy_cel_node *node)
{
    if (node->meaning == LOY_CEL_MEANS_NOTHING) {
        emit_raise(emitter, LOY_CEL_FAULT_NO_OVERLOAD, "a function that is not declared", node->at);
        return;
    }
    if (node->count > LOY_CEL_MAX_ARGUMENTS) {
        loy_cel_issue_add(emitter->issues, node->at, node->end, "more than %d arguments", LOY_CEL_MAX_ARGUMENTS);
        return;
    }
    if (node->meaning == LOY_CEL_MEANS_BUILTIN && node->target == LOY_CEL_FN_matches) {
        if (!emitter->env->matcher) {
            loy_cel_issue_add(emitter->issues, node->at, node->end, "regular expressions are not available here");
            return;
        }
        if (node->count == 2 && is_text(node->args[1])) {
            emit_match(emitter, node);
            return;
        }
    }
    emit_args(emitter, node);
    if (node->meaning == LOY_CEL_MEANS_BUILTIN) {
        (void)emit(emitter, LOY_CEL_OP_CALL, (unsigned)node->target, node->count, 0, node->at);
        return;
    }
    bool is_method = emitter->env->functions[node->target].decl.is_method;
    (void)emit(emitter, LOY_CEL_OP_HOST, is_method, node->count, (uint32_t)node->target, node->at);
}

/* a && b && c: each part may end it, and what is left of errors is combined. All jumps go to the end; until that is
 * known they are chained through c. */
static void emit_logic(struct loy_cel_emitter *emitter, struct loy_cel_node *node)
{
    bool is_and = node->kind == LOY_CEL_NODE_AND;
    uint32_t last = UINT32_MAX;
    for (uint32_t i = 0; i < node->count; i++) {
        emit_node(emitter, node->args[i]);
        if (i > 0) {
            (void)emit(emitter, is_and ? LOY_CEL_OP_AND : LOY_CEL_OP_OR, 0, 0, 0, node->args[i]->at);
        }
        if (i + 1 < node->count) {
            last = emit(emitter, is_and ? LOY_CEL_OP_JUMP_IF_FALSE : LOY_CEL_OP_JUMP_IF_TRUE, 0, 0, last, node->at);
        }
    }
    while (!failed(emitter) && last != UINT32_MAX) {
        uint32_t before = emitter->code[last].c;
        land(emitter, last);
        last = before;
    }
}

static void emit_if(struct loy_cel_emitter *emitter, struct loy_cel_node *node)
{
    emit_node(emitter, node->args[0]);
    uint32_t branch = emit(emitter, LOY_CEL_OP_BRANCH, 0, 0, 0, node->at);
    emit_node(emitter, node->args[1]);
    uint32_t jump = emit(emitter, LOY_CEL_OP_JUMP, 0, 0, 0, node->at);
    land(emitter, branch);
    emit_node(emitter, node->args[2]);
    land(emitter, jump);
    if (!failed(emitter)) {
        emitter->code[branch].b = (uint16_t)emitter->code_count;
    }
}

/* condition ? value : (left out), for filter() and for map() with a condition. value NULL: the element itself. */
static void emit_guarded(struct loy_cel_emitter *emitter, struct loy_cel_node *loop, struct loy_cel_node *value)
{
    emit_node(emitter, loop->args[1]);
    uint32_t branch = emit(emitter, LOY_CEL_OP_BRANCH, 0, 0, 0, loop->args[1]->at);
    if (value) {
        emit_node(emitter, value);
    } else {
        (void)emit(emitter, LOY_CEL_OP_LOCAL, 0, 0, loop->local + LOY_CEL_LOOP_ITEM, loop->at);
    }
    uint32_t jump = emit(emitter, LOY_CEL_OP_JUMP, 0, 0, 0, loop->at);
    land(emitter, branch);
    emit_constant(emitter, loy_cel_absent(), loop->at);
    land(emitter, jump);
    if (!failed(emitter)) {
        emitter->code[branch].b = (uint16_t)emitter->code_count;
    }
}

static void emit_loop(struct loy_cel_emitter *emitter, struct loy_cel_node *node)
{
    unsigned loop = node->detail == LOY_CEL_LOOP_FILTER ? LOY_CEL_LOOP_MAP : node->detail;
    emit_node(emitter, node->args[0]);
    uint32_t start = emit(emitter, LOY_CEL_OP_LOOP, loop, node->local, 0, node->at);
    uint32_t body = emitter->code_count;
    if (node->detail == LOY_CEL_LOOP_FILTER || node->count == 3) {
        emit_guarded(emitter, node, node->count == 3 ? node->args[2] : NULL);
    } else {
        emit_node(emitter, node->args[1]);
    }
    (void)emit(emitter, LOY_CEL_OP_NEXT, loop, node->local, body, node->at);
    land(emitter, start);
    node->body_size = emitter->code_count - body;
}

static void emit_plain(struct loy_cel_emitter *emitter, struct loy_cel_node *node)
{
    switch ((enum loy_cel_node_kind)node->kind) {
    case LOY_CEL_NODE_CONST:
        emit_constant(emitter, node->constant, node->at);
        break;
    case LOY_CEL_NODE_IDENT:
    case LOY_CEL_NODE_SELECT:
    case LOY_CEL_NODE_HAS:
        emit_name(emitter, node);
        break;
    case LOY_CEL_NODE_OP:
        emit_operation(emitter, node);
        break;
    case LOY_CEL_NODE_CALL:
    case LOY_CEL_NODE_METHOD:
        emit_call(emitter, node);
        break;
    case LOY_CEL_NODE_AND:
    case LOY_CEL_NODE_OR:
        emit_logic(emitter, node);
        break;
    case LOY_CEL_NODE_IF:
        emit_if(emitter, node);
        break;
    case LOY_CEL_NODE_LIST:
        emit_args(emitter, node);
        (void)emit(emitter, LOY_CEL_OP_LIST, 0, 0, node->count, node->at);
        break;
    case LOY_CEL_NODE_MAP:
        emit_args(emitter, node);
        (void)emit(emitter, LOY_CEL_OP_MAP, 0, 0, node->count / 2, node->at);
        break;
    case LOY_CEL_NODE_LOOP:
        emit_loop(emitter, node);
        break;
    case LOY_CEL_NODE_BIND:
        emit_node(emitter, node->args[0]);
        (void)emit(emitter, LOY_CEL_OP_STORE, 0, 0, node->local, node->at);
        emit_node(emitter, node->args[1]);
        break;
    }
}

/* Runs what was emitted since `from` and puts its value in its place. An error stays for the run. */
static void fold(struct loy_cel_emitter *emitter, struct loy_cel_node *node, uint32_t from)
{
    (void)emit(emitter, LOY_CEL_OP_RETURN, 0, 0, 0, node->at);
    if (failed(emitter) || emitter->code_count - from > MAX_FOLDED_CODE) {
        emitter->code_count -= !failed(emitter);
        return;
    }
    /* Each instruction leaves one more value on the stack at the most. */
    struct loy_cel_program program = {.code = emitter->code,
                                      .places = emitter->places,
                                      .constants = emitter->constants,
                                      .patterns = emitter->patterns,
                                      .code_count = emitter->code_count,
                                      .env = emitter->env,
                                      .stack_depth = emitter->code_count - from,
                                      .local_count = emitter->local_count};
    struct loy_cel_run run = {.program = &program, .arena = emitter->arena, .fuel = FOLD_FUEL};
    struct loy_cel_value value = loy_cel_machine(&run, from);
    emitter->code_count--;
    if (value.kind == LOY_CEL_ERROR) {
        return;
    }
    emitter->code_count = from;
    emit_constant(emitter, value, node->at);
    node->kind = LOY_CEL_NODE_CONST;
    node->constant = value;
}

static void emit_node(struct loy_cel_emitter *emitter, struct loy_cel_node *node)
{
    if (failed(emitter)) {
        return;
    }
    bool folds = node->is_constant && node->kind != LOY_CEL_NODE_CONST && !emitter->is_folding &&
                 node->meaning != LOY_CEL_MEANS_TYPE;
    uint32_t from = emitter->code_count;
    emitter->is_folding |= folds;
    emit_plain(emitter, node);
    if (folds) {
        emitter->is_folding = false;
        if (emitter->issues->errors == 0) {
            fold(emitter, node, from);
        }
    }
    bool has_own_mark = node->kind == LOY_CEL_NODE_OP && node->count == 2;
    if (node->clause > 0 && !has_own_mark) {
        (void)emit(emitter, LOY_CEL_OP_CLAUSE, 0, node->clause, 0, node->at);
    }
}

static uint8_t decimals_of(const struct loy_cel_emitter *emitter, const struct loy_cel_node *node);

static uint8_t decimals_of_args(const struct loy_cel_emitter *emitter, const struct loy_cel_node *node)
{
    uint8_t most = 0;
    for (uint32_t i = 0; i < node->count; i++) {
        uint8_t below = decimals_of(emitter, node->args[i]);
        most = below > most ? below : most;
    }
    return most;
}

/* How many decimals the minor units of a value have: those of the money fields in it, as far as it is money still. */
static uint8_t decimals_of(const struct loy_cel_emitter *emitter, const struct loy_cel_node *node)
{
    if (node->meaning == LOY_CEL_MEANS_FIELD && node->kind == LOY_CEL_NODE_SELECT) {
        return emitter->env->records[node->record].fields[node->target].decimals;
    }
    bool is_call = node->kind == LOY_CEL_NODE_CALL && node->meaning == LOY_CEL_MEANS_BUILTIN;
    unsigned builtin = node->kind == LOY_CEL_NODE_OP ? node->detail
                       : is_call                     ? (unsigned)node->target
                                                     : LOY_CEL_FN_COUNT;
    switch (builtin) {
    case LOY_CEL_FN_add:
    case LOY_CEL_FN_sub:
    case LOY_CEL_FN_mul:
    case LOY_CEL_FN_neg:
    case LOY_CEL_FN_greatest:
    case LOY_CEL_FN_least:
    case LOY_CEL_FN_abs:
        return decimals_of_args(emitter, node);
    case LOY_CEL_FN_muldiv:
        return node->count > 0 ? decimals_of(emitter, node->args[0]) : 0;
    default:
        return node->kind == LOY_CEL_NODE_IF ? decimals_of_args(emitter, node) : 0;
    }
}

static bool is_comparison(const struct loy_cel_node *node)
{
    return node->kind == LOY_CEL_NODE_OP &&
           ((node->detail >= LOY_CEL_FN_eq && node->detail <= LOY_CEL_FN_ge) || node->detail == LOY_CEL_FN_in);
}

/* Numbers the operands of the outermost && and ||. */
static void mark_clauses(struct loy_cel_emitter *emitter, struct loy_cel_node *node)
{
    if (node->kind == LOY_CEL_NODE_AND || node->kind == LOY_CEL_NODE_OR) {
        for (uint32_t i = 0; i < node->count; i++) {
            mark_clauses(emitter, node->args[i]);
        }
        return;
    }
    bool compares = is_comparison(node);
    if (emitter->clause_count < LOY_CEL_MAX_CLAUSES && !node->is_constant) {
        emitter->clauses[emitter->clause_count++] = (struct loy_cel_clause){
            .node = node, .is_comparison = compares, .decimals = compares ? decimals_of_args(emitter, node) : 0};
        node->clause = emitter->clause_count;
    }
}

void loy_cel_emit_program(struct loy_cel_emitter *emitter, struct loy_cel_node *root)
{
    assert(emitter->code_count == 0);
    mark_clauses(emitter, root);
    emit_node(emitter, root);
    (void)emit(emitter, LOY_CEL_OP_RETURN, 0, 0, 0, root->at);
}
