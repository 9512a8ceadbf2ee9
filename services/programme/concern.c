#include "programme/concern.h"

#include "engine/match.h"

enum { SHOWN_TEXTS = 5 };

static void list(struct loy_buf *buf, const char *words, struct loy_text_set set)
{
    loy_buf_printf(buf, "%s ", words);
    for (uint32_t i = 0; i < set.count && i < SHOWN_TEXTS; i++) {
        loy_buf_printf(buf, "%s%.*s", i ? ", " : "", LOY_STR_ARG(set.texts[i]));
    }
    loy_buf_append(buf, set.count > SHOWN_TEXTS ? LOY_STR(", …") : (struct loy_str){0});
}

static bool misses(struct loy_text_set set, struct loy_str text)
{
    return set.count > 0 && !loy_text_set_has(set, text);
}

/* What the event is and where it happened. */
static bool tell_event(const struct loy_rule *rule, const struct loy_event *event, struct loy_buf *buf)
{
    const struct {
        const char *words;
        struct loy_text_set set;
        struct loy_str text;
    } sets[] = {
        {event->kind == LOY_EVENT_MEMBER_CHANGE ? "only the change" : "only the activity", rule->activities,
         event->activity_name},
        {"only the channel", rule->channels, event->channel},
        {"only the store", rule->stores, event->store_id},
        {"only stores of kind", rule->store_kinds, event->store_kind},
        {"only the partner", rule->partners, event->partner},
    };
    if (rule->trigger != event->kind) {
        loy_buf_printf(buf, "only events of kind %s", loy_event_kind_name(rule->trigger));
        return true;
    }
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        if (misses(sets[i].set, sets[i].text)) {
            list(buf, sets[i].words, sets[i].set);
            return true;
        }
    }
    return false;
}

static bool has_label(const struct loy_line *line, struct loy_text_set set)
{
    for (uint32_t i = 0; i < line->label_count; i++) {
        if (loy_text_set_has(set, line->labels[i])) {
            return true;
        }
    }
    return false;
}

static void tell_lines(const struct loy_rule *rule, const struct loy_event *event, struct loy_buf *buf)
{
    static const char *const words[] = {"no line of SKU", "no line of category", "no line of brand",
                                        "no line with label"};
    const struct loy_text_set sets[] = {rule->lines.skus, rule->lines.categories, rule->lines.brands,
                                        rule->lines.labels};
    uint32_t count = event->kind == LOY_EVENT_PURCHASE ? event->purchase.line_count : 0;
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        bool found = sets[i].count == 0;
        for (uint32_t j = 0; !found && j < count; j++) {
            const struct loy_line *line = &event->purchase.lines[j];
            const struct loy_str texts[] = {line->sku, line->category, line->brand};
            found = i < 3 ? loy_text_set_has(sets[i], texts[i]) : has_label(line, sets[i]);
        }
        if (!found) {
            list(buf, words[i], sets[i]);
            return;
        }
    }
}

void loy_concern_words(const struct loy_rule *rule, const struct loy_event *event, int64_t at_us, struct loy_buf *buf)
{
    char moment[LOY_MOMENT_TEXT_MAX];
    if (tell_event(rule, event, buf)) {
        return;
    }
    if (rule->from_us && at_us < rule->from_us) {
        (void)loy_moment_format(rule->from_us, moment);
        loy_buf_printf(buf, "it begins at %s", moment);
    } else if (rule->until_us && at_us >= rule->until_us) {
        (void)loy_moment_format(rule->until_us, moment);
        loy_buf_printf(buf, "it ended at %s", moment);
    } else {
        tell_lines(rule, event, buf);
    }
}
