/* The environment of conditions: declares the table of facts_fields.h to cel. */
#include "base/num.h"
#include "engine/facts_fields.h"

#include <stdio.h>

enum { DIGITS_MAX = 4, FIELDS_MAX = LOY_FACT_MEMBER_COUNT + LOY_FACT_EVENT_COUNT + LOY_FACT_WINDOW_COUNT };

struct declaration {
    struct loy_facts_env *env;
    const struct loy_programme *programme;
    struct loy_arena *arena;
    struct loy_error *error;
};

/* money('1.50') in minor units; the context is the number of decimals. */
static struct loy_cel_value money(void *context, struct loy_cel_run *run, const struct loy_cel_value *args,
                                  size_t count)
{
    const int32_t *digits = context;
    int64_t units;
    (void)run;
    (void)count;
    return loy_decimal_parse(loy_cel_text(args[0]), *digits, &units)
               ? loy_cel_int(units)
               : loy_cel_fail(LOY_CEL_FAULT_ARGUMENT, "not an amount of the programme's currency");
}

#define FIELD_ROW(record, symbol, name_, type_, money_, size_) {name_, type_, money_, size_},
static const struct loy_cel_field line_fields[] = {LOY_FACTS_LINE(FIELD_ROW)};
static const struct loy_cel_field event_fields[] = {LOY_FACTS_EVENT(FIELD_ROW)};
static const struct loy_cel_field store_fields[] = {LOY_FACTS_STORE(FIELD_ROW)};
static const struct loy_cel_field purchase_fields[] = {LOY_FACTS_PURCHASE(FIELD_ROW)};
static const struct loy_cel_field activity_fields[] = {LOY_FACTS_ACTIVITY(FIELD_ROW)};
static const struct loy_cel_field feedback_fields[] = {LOY_FACTS_FEEDBACK(FIELD_ROW)};
static const struct loy_cel_field profile_fields[] = {LOY_FACTS_PROFILE(FIELD_ROW)};
static const struct loy_cel_field window_fields[] = {LOY_FACTS_WINDOW(FIELD_ROW)};
static const struct loy_cel_field member_fields[] = {LOY_FACTS_MEMBER(FIELD_ROW)};
#undef FIELD_ROW

static const struct {
    const char *name;
    const struct loy_cel_field *fields;
    size_t count;
} records[] = {
#define RECORD_ROW(fields) fields, sizeof fields / sizeof *fields
    [LOY_FACTS_RECORD_LINE] = {"line", RECORD_ROW(line_fields)},
    [LOY_FACTS_RECORD_EVENT] = {"event", RECORD_ROW(event_fields)},
    [LOY_FACTS_RECORD_STORE] = {"store", RECORD_ROW(store_fields)},
    [LOY_FACTS_RECORD_PURCHASE] = {"purchase", RECORD_ROW(purchase_fields)},
    [LOY_FACTS_RECORD_ACTIVITY] = {"activity", RECORD_ROW(activity_fields)},
    [LOY_FACTS_RECORD_FEEDBACK] = {"feedback", RECORD_ROW(feedback_fields)},
    [LOY_FACTS_RECORD_PROFILE] = {"profile", RECORD_ROW(profile_fields)},
    [LOY_FACTS_RECORD_WINDOW] = {"window", RECORD_ROW(window_fields)},
#undef RECORD_ROW
};

/* Money is printed with the decimals of the currency: cel's field says how many. */
static enum loy_err add_record(struct declaration *d, enum loy_facts_record record, const char *name,
                               const struct loy_cel_field *fields, size_t count)
{
    struct loy_cel_field copy[FIELDS_MAX + LOY_FACT_WINDOW_COUNT];
    for (size_t i = 0; i < count; i++) {
        copy[i] = fields[i];
        copy[i].decimals = (uint8_t)(fields[i].decimals * d->programme->currency_digits);
    }
    return loy_cel_env_add_record(d->env->cel, name, copy, count, &d->env->records[record], d->error);
}

static enum loy_err add_balance(struct declaration *d)
{
    struct loy_cel_field fields[LOY_WALLETS_MAX];
    for (uint16_t i = 0; i < d->programme->wallet_count; i++) {
        const struct loy_wallet *wallet = &d->programme->wallets[i];
        fields[i] = (struct loy_cel_field){loy_str_dup_z(d->arena, wallet->id), "int", wallet->is_money, 0};
        if (!fields[i].name) {
            return loy_error_set(d->error, LOY_ERR_NO_MEMORY, "no room for the facts of wallets");
        }
    }
    return add_record(d, LOY_FACTS_RECORD_BALANCE, "balance", fields, d->programme->wallet_count);
}

static enum loy_err add_member(struct declaration *d)
{
    struct loy_cel_field fields[LOY_FACT_MEMBER_COUNT + LOY_FACT_WINDOWS_MAX];
    memcpy(fields, member_fields, sizeof member_fields);
    for (uint32_t i = 0; i < d->programme->fact_window_count; i++) {
        char *name = loy_arena_alloc(d->arena, sizeof "last_65535_days");
        if (!name) {
            return loy_error_set(d->error, LOY_ERR_NO_MEMORY, "no room for the facts of windows");
        }
        (void)snprintf(name, sizeof "last_65535_days", "last_%u_days", (unsigned)d->programme->fact_days[i]);
        fields[LOY_FACT_MEMBER_COUNT + i] = (struct loy_cel_field){name, "window", 0, 0};
    }
    return add_record(d, LOY_FACTS_RECORD_MEMBER, "member", fields,
                      LOY_FACT_MEMBER_COUNT + d->programme->fact_window_count);
}

static enum loy_err add_variables(struct declaration *d)
{
    static const char *const names[] = {
#define VARIABLE_NAME(symbol, name) name,
        LOY_FACTS_VARIABLES(VARIABLE_NAME)
#undef VARIABLE_NAME
    };
    enum loy_err err = LOY_OK;
    uint32_t slot;
    for (int i = 0; !err && i < LOY_FACTS_VARIABLE_COUNT; i++) {
        err = loy_cel_env_add_variable(d->env->cel, names[i], names[i], &slot, d->error);
    }
    return err;
}

static bool add_absent(struct declaration *d)
{
    size_t count = LOY_FACTS_MEMBER_AT + LOY_FACT_MEMBER_COUNT + d->programme->fact_window_count;
    struct loy_cel_value *absent = LOY_NEW_ARRAY(d->arena, struct loy_cel_value, count);
    for (size_t i = 0; absent && i < count; i++) {
        absent[i] = loy_cel_absent();
    }
    d->env->absent = absent;
    d->env->absent_count = count;
    return absent != NULL;
}

enum loy_err loy_facts_env_new(const struct loy_programme *programme, const struct loy_cel_matcher *matcher,
                               const struct loy_cel_zone *zones, size_t zone_count, struct loy_arena *arena,
                               const struct loy_facts_env **ret_env, struct loy_error *error)
{
    struct declaration d = {LOY_NEW(arena, struct loy_facts_env), programme, arena, error};
    int32_t *digits = loy_arena_copy(arena, &programme->currency_digits, sizeof programme->currency_digits);
    if (!d.env || !digits || !(d.env->cel = loy_cel_env_new(arena)) || !add_absent(&d)) {
        return loy_error_set(error, LOY_ERR_NO_MEMORY, "no room for the facts of conditions");
    }
    const struct loy_cel_function function = {.name = "money",
                                              .signature = "string -> int",
                                              .is_constant = true,
                                              .cost = 1,
                                              .call = money,
                                              .context = digits};
    enum loy_err err = LOY_OK;
    for (int i = 0; !err && i < LOY_FACTS_RECORD_BALANCE; i++) {
        err = add_record(&d, (enum loy_facts_record)i, records[i].name, records[i].fields, records[i].count);
    }
    err = err ? err : add_balance(&d);
    err = err ? err : add_member(&d);
    err = err ? err : add_variables(&d);
    err = err ? err : loy_cel_env_add_function(d.env->cel, &function, error);
    if (err) {
        return err;
    }
    loy_cel_env_set_matcher(d.env->cel, matcher);
    loy_cel_env_set_zones(d.env->cel, zones, zone_count);
    *ret_env = d.env;
    return LOY_OK;
}

const struct loy_cel_env *loy_facts_cel(const struct loy_facts_env *env)
{
    return env->cel;
}

static bool is_history(int32_t field)
{
    return field >= LOY_FACT_MEMBER_PURCHASES;
}

static bool is_segments(int32_t field)
{
    return field == LOY_FACT_MEMBER_SEGMENTS;
}

static bool needs_member(const struct loy_facts_env *env, const struct loy_cel_program *program,
                         bool (*which)(int32_t field))
{
    size_t count;
    const struct loy_cel_need *needs = loy_cel_program_needs(program, &count);
    for (size_t i = 0; i < count; i++) {
        bool whole = needs[i].record < 0 && needs[i].variable == LOY_FACTS_VARIABLE_MEMBER;
        bool field = needs[i].record == (int32_t)env->records[LOY_FACTS_RECORD_MEMBER] && which(needs[i].field);
        if (whole || field) {
            return true;
        }
    }
    return false;
}

bool loy_facts_needs_history(const struct loy_facts_env *env, const struct loy_cel_program *program)
{
    return needs_member(env, program, is_history);
}

bool loy_facts_needs_segments(const struct loy_facts_env *env, const struct loy_cel_program *program)
{
    return needs_member(env, program, is_segments);
}

/* The trait that a field of the profile is made of. */
static enum loy_trait_kind trait_of(int32_t field)
{
    switch (field) {
    case LOY_FACT_PROFILE_GENDER:
        return LOY_TRAIT_GENDER;
    case LOY_FACT_PROFILE_CITY:
        return LOY_TRAIT_CITY;
    case LOY_FACT_PROFILE_LANGUAGE:
        return LOY_TRAIT_LANGUAGE;
    case LOY_FACT_PROFILE_CONTACT:
        return LOY_TRAIT_CONTACT;
    case LOY_FACT_PROFILE_CONSENTS:
        return LOY_TRAIT_CONSENT;
    default:
        return LOY_TRAIT_BIRTH_DATE;
    }
}

uint32_t loy_facts_needs_traits(const struct loy_facts_env *env, const struct loy_cel_program *program)
{
    size_t count;
    const struct loy_cel_need *needs = loy_cel_program_needs(program, &count);
    uint32_t bits = 0;
    for (size_t i = 0; i < count; i++) {
        if (needs[i].record == (int32_t)env->records[LOY_FACTS_RECORD_PROFILE]) {
            bits |= 1u << trait_of(needs[i].field);
        }
    }
    return bits;
}
