#include "engine/index.h"

#include "base/table.h"
#include "engine/match.h"

enum { WORD = 64, SLICES_MAX = 64, NO_NODE = UINT32_MAX >> 1 };

/* --- order ------------------------------------------------------------------------------------------------------- */

static int class_of(const struct loy_rule *rule)
{
    return rule->is_campaign ? 2 : rule->reward.kind == LOY_REWARD_MULTIPLY;
}

static bool goes_before(const struct loy_rule *a, const struct loy_rule *b)
{
    if (class_of(a) != class_of(b) || !a->is_campaign) {
        return class_of(a) < class_of(b);
    }
    return a->priority != b->priority ? a->priority < b->priority : loy_str_compare(a->id, b->id) < 0;
}

void loy_rules_sort(struct loy_rule *rules, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++) { /* stable: standing rules stay in the file's order */
        struct loy_rule rule = rules[i];
        uint32_t at = i;
        while (at > 0 && goes_before(&rule, &rules[at - 1])) {
            rules[at] = rules[at - 1];
            at--;
        }
        rules[at] = rule;
    }
}

/* --- whom a rule concerns ---------------------------------------------------------------------------------------- */

enum dimension {
    BY_SKU,
    BY_CATEGORY,
    BY_BRAND,
    BY_LABEL,
    BY_ACTIVITY,
    BY_STORE,
    BY_PARTNER,
    BY_STORE_KIND,
    BY_CHANNEL
};
enum { DIMENSIONS = BY_CHANNEL + 1 };

static inline struct loy_text_set set_of(const struct loy_rule *rule, enum dimension dimension)
{
    switch (dimension) {
    case BY_SKU:
        return rule->lines.skus;
    case BY_CATEGORY:
        return rule->lines.categories;
    case BY_BRAND:
        return rule->lines.brands;
    case BY_LABEL:
        return rule->lines.labels;
    case BY_ACTIVITY:
        return rule->activities;
    case BY_STORE:
        return rule->stores;
    case BY_PARTNER:
        return rule->partners;
    case BY_STORE_KIND:
        return rule->store_kinds;
    case BY_CHANNEL:
        break;
    }
    return rule->channels;
}

/* The event's texts of a dimension, one at a time: false past the last. *at starts as 0; labels count by line and
 * label. */
struct texts {
    uint32_t line, label;
};

static bool next_of_lines(const struct loy_purchase *purchase, enum dimension dimension, struct texts *at,
                          struct loy_str *ret_text)
{
    while (at->line < purchase->line_count) {
        const struct loy_line *line = &purchase->lines[at->line];
        if (dimension == BY_LABEL && at->label < line->label_count) {
            *ret_text = line->labels[at->label++];
            return true;
        }
        at->line++;
        at->label = 0;
        if (dimension != BY_LABEL) {
            *ret_text = dimension == BY_SKU ? line->sku : dimension == BY_CATEGORY ? line->category : line->brand;
            return true;
        }
    }
    return false;
}

static bool next_text(const struct loy_event *event, enum dimension dimension, struct texts *at,
                      struct loy_str *ret_text)
{
    if (dimension <= BY_LABEL) {
        return event->kind == LOY_EVENT_PURCHASE && next_of_lines(&event->purchase, dimension, at, ret_text);
    }
    *ret_text = dimension == BY_ACTIVITY     ? event->activity_name
                : dimension == BY_STORE      ? event->store_id
                : dimension == BY_PARTNER    ? event->partner
                : dimension == BY_STORE_KIND ? event->store_kind
                                             : event->channel;
    return at->line++ == 0;
}

/* Whether one of the lines is in the rule's set of that dimension, which is not empty. */
static bool touches(const struct loy_rule *rule, enum dimension dimension, const struct loy_event *event)
{
    struct loy_text_set set = set_of(rule, dimension);
    struct texts at = {0};
    struct loy_str text;
    while (next_text(event, dimension, &at, &text)) {
        if (loy_text_set_has(set, text)) {
            return true;
        }
    }
    return false;
}

static inline bool allows(const struct loy_text_set *set, struct loy_str text)
{
    return set->count == 0 || loy_text_set_has(*set, text);
}

bool loy_rule_concerns(const struct loy_rule *rule, const struct loy_event *event, int64_t at_us)
{
    if (rule->trigger != event->kind || (rule->from_us && at_us < rule->from_us) ||
        (rule->until_us && at_us >= rule->until_us)) {
        return false;
    }
    if (!allows(&rule->channels, event->channel) || !allows(&rule->stores, event->store_id) ||
        !allows(&rule->store_kinds, event->store_kind) || !allows(&rule->partners, event->partner) ||
        !allows(&rule->activities, event->activity_name)) {
        return false;
    }
    const struct loy_line_filter *lines = &rule->lines;
    return (!lines->skus.count || touches(rule, BY_SKU, event)) &&
           (!lines->categories.count || touches(rule, BY_CATEGORY, event)) &&
           (!lines->brands.count || touches(rule, BY_BRAND, event)) &&
           (!lines->labels.count || touches(rule, BY_LABEL, event));
}

/* --- the index --------------------------------------------------------------------------------------------------- */

struct node {
    uint32_t rule;
    uint32_t next; /* NO_NODE: the last */
};

struct loy_index {
    uint32_t words;
    uint64_t *by_kind[LOY_EVENT_KIND_COUNT]; /* bits of the rules with that trigger */
    uint64_t *always;                        /* bits of the rules without constants */
    struct loy_table tables[DIMENSIONS];     /* text -> first node */
    bool used[DIMENSIONS];
    struct node *nodes;
    uint32_t node_count;
    /* Rules whose period touches a slice of time: slice i begins at cuts[i - 1]. */
    int64_t cuts[SLICES_MAX];
    uint32_t cut_count;
    uint64_t *slices[SLICES_MAX + 1];
};

/* A rule is found by the first of these that it names: the most selective as a rule. */
static int dimension_of(const struct loy_rule *rule)
{
    for (int i = 0; i < DIMENSIONS; i++) {
        bool lines_of_other = i <= BY_LABEL && rule->trigger != LOY_EVENT_PURCHASE;
        if (set_of(rule, (enum dimension)i).count && !lines_of_other) {
            return i;
        }
    }
    return -1;
}

static uint64_t *new_bits(struct loy_arena *arena, uint32_t words)
{
    return LOY_NEW_ARRAY(arena, uint64_t, words);
}

static void set_bit(uint64_t *bits, uint32_t at)
{
    bits[at / WORD] |= UINT64_C(1) << at % WORD;
}

/* A text's list grows at its second place, so that the table keeps the head. */
static void add_text(struct loy_index *index, enum dimension dimension, struct loy_str text, uint32_t rule)
{
    uint32_t node = index->node_count;
    int32_t head = loy_table_put(&index->tables[dimension], text, (int32_t)node);
    index->node_count++;
    index->nodes[node] = (struct node){rule, NO_NODE};
    if ((uint32_t)head != node) {
        index->nodes[node].next = index->nodes[head].next;
        index->nodes[head].next = node;
    }
}

static enum loy_err add_texts(struct loy_index *index, const struct loy_rule *rules, uint32_t count,
                              struct loy_arena *arena)
{
    uint32_t texts[DIMENSIONS] = {0}, all = 0;
    for (uint32_t i = 0; i < count; i++) {
        int dimension = dimension_of(&rules[i]);
        if (dimension >= 0) {
            texts[dimension] += set_of(&rules[i], (enum dimension)dimension).count;
            all += set_of(&rules[i], (enum dimension)dimension).count;
        }
    }
    index->nodes = LOY_NEW_ARRAY(arena, struct node, all);
    if (!index->nodes) {
        return LOY_ERR_NO_MEMORY;
    }
    for (int i = 0; i < DIMENSIONS; i++) {
        index->used[i] = texts[i] > 0;
        if (index->used[i] && !loy_table_init(&index->tables[i], arena, texts[i])) {
            return LOY_ERR_NO_MEMORY;
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        int dimension = dimension_of(&rules[i]);
        struct loy_text_set set =
            dimension >= 0 ? set_of(&rules[i], (enum dimension)dimension) : (struct loy_text_set){0};
        for (uint32_t j = 0; j < set.count; j++) {
            add_text(index, (enum dimension)dimension, set.texts[j], i);
        }
        if (dimension < 0) {
            set_bit(index->always, i);
        }
    }
    return LOY_OK;
}

/* Cuts time at the beginnings and ends of periods, evenly thinned out when there are more than fit. */
static enum loy_err choose_cuts(struct loy_index *index, const struct loy_rule *rules, uint32_t count,
                                struct loy_arena *arena)
{
    int64_t *moments = LOY_NEW_ARRAY(arena, int64_t, (size_t)count * 2);
    uint32_t found = 0;
    if (!moments) {
        return LOY_ERR_NO_MEMORY;
    }
    for (uint32_t i = 0; i < count * 2; i++) {
        int64_t moment = i % 2 ? rules[i / 2].until_us : rules[i / 2].from_us;
        uint32_t at = found;
        if (moment == 0) {
            continue;
        }
        while (at > 0 && moments[at - 1] > moment) {
            moments[at] = moments[at - 1];
            at--;
        }
        moments[at] = moment;
        found++;
    }
    uint32_t wanted = found < SLICES_MAX ? found : SLICES_MAX;
    for (uint32_t i = 0; i < wanted; i++) {
        int64_t moment = moments[(uint64_t)i * found / wanted];
        if (index->cut_count == 0 || index->cuts[index->cut_count - 1] < moment) {
            index->cuts[index->cut_count++] = moment;
        }
    }
    return LOY_OK;
}

static enum loy_err slice_time(struct loy_index *index, const struct loy_rule *rules, uint32_t count,
                               struct loy_arena *arena)
{
    enum loy_err err = choose_cuts(index, rules, count, arena);
    if (err) {
        return err;
    }
    for (uint32_t slice = 0; slice <= index->cut_count; slice++) {
        int64_t from = slice == 0 ? INT64_MIN : index->cuts[slice - 1];
        int64_t until = slice == index->cut_count ? INT64_MAX : index->cuts[slice];
        index->slices[slice] = new_bits(arena, index->words);
        if (!index->slices[slice]) {
            return LOY_ERR_NO_MEMORY;
        }
        for (uint32_t i = 0; i < count; i++) {
            bool ended = rules[i].until_us && rules[i].until_us <= from;
            bool not_begun = rules[i].from_us && rules[i].from_us >= until;
            if (!ended && !not_begun) {
                set_bit(index->slices[slice], i);
            }
        }
    }
    return LOY_OK;
}

enum loy_err loy_index_new(const struct loy_rule *rules, uint32_t count, struct loy_arena *arena,
                           const struct loy_index **ret_index)
{
    struct loy_index *index = LOY_NEW(arena, struct loy_index);
    if (!index) {
        return LOY_ERR_NO_MEMORY;
    }
    index->words = (count + WORD - 1) / WORD;
    index->always = new_bits(arena, index->words);
    bool full = !index->always;
    for (int i = 0; i < LOY_EVENT_KIND_COUNT; i++) {
        index->by_kind[i] = new_bits(arena, index->words);
        full = full || !index->by_kind[i];
    }
    for (uint32_t i = 0; !full && i < count; i++) {
        if (rules[i].trigger < LOY_EVENT_KIND_COUNT) {
            set_bit(index->by_kind[rules[i].trigger], i);
        }
    }
    enum loy_err err = full ? LOY_ERR_NO_MEMORY : add_texts(index, rules, count, arena);
    err = err ? err : slice_time(index, rules, count, arena);
    if (err) {
        return err;
    }
    *ret_index = index;
    return LOY_OK;
}

static void add_found(const struct loy_index *index, enum dimension dimension, const struct loy_event *event,
                      uint64_t *candidates)
{
    struct texts at = {0};
    struct loy_str text;
    while (next_text(event, dimension, &at, &text)) {
        int32_t head = loy_table_find(&index->tables[dimension], text);
        for (uint32_t node = head < 0 ? NO_NODE : (uint32_t)head; node != NO_NODE; node = index->nodes[node].next) {
            set_bit(candidates, index->nodes[node].rule);
        }
    }
}

static const uint64_t *slice_at(const struct loy_index *index, int64_t at_us)
{
    uint32_t from = 0, until = index->cut_count;
    while (from < until) {
        uint32_t middle = from + (until - from) / 2;
        if (index->cuts[middle] <= at_us) {
            from = middle + 1;
        } else {
            until = middle;
        }
    }
    return index->slices[from];
}

void loy_index_candidates(const struct loy_index *index, const struct loy_event *event, int64_t at_us,
                          uint64_t *candidates)
{
    const uint64_t *slice = slice_at(index, at_us);
    memcpy(candidates, index->always, index->words * sizeof *candidates);
    for (int i = 0; i < DIMENSIONS; i++) {
        if (index->used[i]) {
            add_found(index, (enum dimension)i, event, candidates);
        }
    }
    for (uint32_t i = 0; i < index->words; i++) {
        candidates[i] &= slice[i] & index->by_kind[event->kind][i];
    }
}
