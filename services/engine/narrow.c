/* Constants of conditions become a rule's own, so that the index finds it by them. */
#include "engine/facts_fields.h"
#include "engine/index.h"

enum { PINNED_MAX = 16 };

/* The set of the rule that the field is matched against; NULL: none. */
static struct loy_text_set *set_for(struct loy_rule *rule, const struct loy_cel_pinned *pinned)
{
    switch (pinned->variable) {
    case LOY_FACTS_VARIABLE_EVENT:
        return pinned->field == LOY_FACT_EVENT_CHANNEL   ? &rule->channels
               : pinned->field == LOY_FACT_EVENT_PARTNER ? &rule->partners
                                                         : NULL;
    case LOY_FACTS_VARIABLE_STORE:
        return pinned->field == LOY_FACT_STORE_ID     ? &rule->stores
               : pinned->field == LOY_FACT_STORE_KIND ? &rule->store_kinds
                                                      : NULL;
    case LOY_FACTS_VARIABLE_ACTIVITY:
        return pinned->field == LOY_FACT_ACTIVITY_NAME ? &rule->activities : NULL;
    default:
        return NULL;
    }
}

enum loy_err loy_rule_narrow(struct loy_rule *rule, struct loy_arena *arena)
{
    struct loy_cel_pinned pinned[PINNED_MAX];
    uint32_t count = 0;
    if (rule->when && !loy_cel_program_pinned(rule->when, arena, pinned, PINNED_MAX, &count)) {
        return LOY_ERR_NO_MEMORY;
    }
    for (uint32_t i = 0; i < count; i++) {
        struct loy_text_set *set = set_for(rule, &pinned[i]);
        if (set && set->count == 0) {
            *set = (struct loy_text_set){pinned[i].texts, pinned[i].count};
        }
    }
    return LOY_OK;
}
