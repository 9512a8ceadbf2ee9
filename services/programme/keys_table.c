/* The table of keys: K rows are in force, LATER rows have their place in the grammar and no effect yet. */
#include "programme/keys.h"

#define K(name_, type_, ...)                                                                                           \
    {                                                                                                                  \
        .name = name_, .type = LOY_KEY_##type_, .since = "0.1", __VA_ARGS__                                            \
    }
#define LATER(name_, type_, ...)                                                                                       \
    {                                                                                                                  \
        .name = name_, .type = LOY_KEY_##type_, .later = true, __VA_ARGS__                                             \
    }
#define SHAPE(symbol, ...)                                                                                             \
    static const struct loy_key symbol##_keys[] = {__VA_ARGS__};                                                       \
    static const struct loy_shape symbol = {#symbol, symbol##_keys, sizeof symbol##_keys / sizeof *symbol##_keys, NULL}
#define SHAPE_SHORT(symbol, shorthand_, ...)                                                                           \
    static const struct loy_key symbol##_keys[] = {__VA_ARGS__};                                                       \
    static const struct loy_shape symbol = {#symbol, symbol##_keys, sizeof symbol##_keys / sizeof *symbol##_keys,      \
                                            shorthand_}

#define IDENTITY                                                                                                       \
    K("id", ID, .required = true, .help = "Stable name, in the ledger and in reports: never reuse one",                \
      .example = "base"),                                                                                              \
        K("title", TEXT, .help = "What customers and reports show, in any language", .example = "Points for coffee")
#define POINTS_MAX INT64_C(1000000000000)
#define WINDOWS_ "lifetime day week month year order"
#define TRIGGERS                                                                                                       \
    "purchase activity feedback joined member_change !return !cancellation !order_status !referral !level_changed "    \
    "!achievement_reached !segment_entered !entitlement_used !points_about_to_expire !birthday !anniversary"
#define LINE_SETS                                                                                                      \
    K("sku", TEXTS, .max = 10000, .help = "Lines with one of these SKUs", .example = "[A-100, A-200]"),                \
        K("category", TEXTS, .max = 10000, .help = "Lines of one of these categories", .example = "[coffee, tea]"),    \
        K("brand", TEXTS, .max = 10000, .help = "Lines of one of these brands", .example = "[acme]"),                  \
        K("label", TEXTS, .max = 1000, .help = "Lines that carry one of these labels", .example = "[own_brand]"),      \
        K("kind", CHOICES, .choices = "goods delivery gift_card deposit", .help = "Lines of these kinds",              \
          .example = "[goods]")

/* clang-format off */
SHAPE(cap,
    K("points", INTEGER, .required = true, .min = 1, .max = POINTS_MAX, .help = "The most that may be granted", .example = "500"),
    K("per", CHOICE, .choices = WINDOWS_ " balance", .fallback = "lifetime", .help = "In which time: of the programme's calendar, an order, the member's lifetime; balance: available and pending points together, after the grant", .example = "month"),
    K("when_short", CHOICE, .choices = "partial refuse", .fallback = "partial", .help = "Grant what is left, or nothing", .example = "partial"));

SHAPE(limit,
    K("times", INTEGER, .required = true, .min = 1, .max = 1000000, .help = "How often a member may be granted it", .example = "1"),
    K("per", CHOICE, .choices = WINDOWS_ " !sku !store", .fallback = "lifetime", .help = "In which time", .example = "day"));

SHAPE(budget,
    K("points", INTEGER, .required = true, .min = 1, .max = POINTS_MAX, .help = "The most that all members together may be granted", .example = "5000000"),
    K("id", ID, .help = "Rules that name the same budget share it; without it, the rule's own", .example = "spring"),
    K("when_short", CHOICE, .choices = "partial refuse", .fallback = "partial", .help = "What becomes of the grant that is larger than what is left: cut or refused", .example = "refuse"),
    LATER("entitlements", INTEGER, .min = 1, .help = "The most entitlements", .example = "1000"),
    LATER("value", MONEY, .help = "The most, as money", .example = "50000"));

SHAPE(except,
    LINE_SETS,
    K("discounted", BOOL, .fallback = "false", .help = "Also lines that were sold with a discount", .example = "true"),
    K("paid_with_points", BOOL, .fallback = "false", .help = "Also the part of the order that was paid with points", .example = "true"));

SHAPE(lines,
    LINE_SETS,
    K("except", OBJECT, .shape = &except, .help = "Lines that do not count", .example = "{category: [tobacco]}"));

SHAPE(reward,
    K("wallet", ID, .help = "Which wallet it is credited to; the first one when left out", .example = "cashback"),
    K("points", INTEGER, .min = 1, .max = POINTS_MAX, .help = "Points: for each `per`, for each `per_units`, or for the event", .example = "10"),
    K("per", MONEY, .help = "Points for each so much money of the eligible total", .example = "100"),
    K("per_units", NUMBER, .min = 1, .max = POINTS_MAX, .help = "Points for each so many units (or kilograms) of the eligible lines", .example = "1"),
    K("prorata", BOOL, .fallback = "false", .help = "Shares of a step count too; otherwise full steps only", .example = "true"),
    K("round", CHOICE, .choices = "floor half_even ceil", .fallback = "floor", .help = "How shares become whole points: once an order", .example = "half_even"),
    K("carry", BOOL, .fallback = "false", .help = "What rounding leaves is added to the member's next purchase", .example = "true"),
    K("percent", NUMBER, .min = 1, .max = 100000, .help = "So many percent of the eligible total", .example = "5"),
    K("multiply", NUMBER, .min = 1001, .max = 100000, .help = "Base points times this in all; what is above the base is the bonus", .example = "2"),
    K("amount", FORMULA, .help = "Points by a formula; at most 0: nothing", .example = "\"purchase.total / 5000\""),
    LATER("entitlement", ID, .help = "Issues an entitlement of this kind", .example = "free_coffee"),
    LATER("valid", DURATION, .help = "How long the entitlement is valid", .example = "30 days"),
    LATER("parameters", TEXT_MAP, .help = "Parameters of the entitlement; may come from the event", .example = "{size: large}"),
    LATER("badge", ID, .help = "Gives a badge", .example = "regular"),
    LATER("message", ID, .help = "Has the CRM send a message", .example = "we_missed_you"),
    LATER("draw", ID, .help = "Gives an entry in a prize draw", .example = "summer"));

SHAPE_SHORT(stack, "group",
    K("group", ID, .help = "Campaigns that name the same group compete with each other", .example = "basket"),
    K("pick", CHOICE, .choices = "all best exclusive", .fallback = "all", .help = "Of the group: all, the one that grants most, or the first in order", .example = "best"),
    K("exclusive", BOOL, .fallback = "false", .help = "Not together with any other campaign in one event", .example = "true"));

SHAPE(audience,
    K("segment", TEXTS, .max = 64, .help = "Members of one of these segments", .example = "silent"),
    K("when", CONDITION, .help = "Members for whom this is true", .example = "\"member.purchases >= 3\""),
    K("entry", CHOICE, .choices = "each_event !at_start !daily !monthly !at_joining", .fallback = "each_event", .help = "When it is judged: at each event, or once, and recorded", .example = "each_event"));

SHAPE(period,
    K("from", DATE, .help = "The first moment", .example = "2026-11-01"),
    K("until", DATE, .help = "The first moment that is not in it any more", .example = "2026-12-01"));

SHAPE(recurrence,
    K("every", CHOICE, .choices = "month year !day !week", .fallback = "month", .help = "How often it comes again; it says what the other keys say already", .example = "month"),
    K("first", CHOICES, .choices = "mon tue wed thu fri sat sun", .help = "On the first such day of each month", .example = "sat"),
    K("last", CHOICES, .choices = "mon tue wed thu fri sat sun", .help = "On the last such day of each month", .example = "fri"),
    K("month_days", DAYS, .min = 1, .max = 31, .help = "On these days of each month; one that a month lacks is its last", .example = "[1, 15]"),
    K("dates", MONTH_DAYS, .max = 100, .help = "On these dates of each year", .example = "\"12-24\""));

SHAPE(arm,
    IDENTITY,
    K("share", PERCENT, .required = true, .help = "Share of the audience", .example = "45%"),
    K("reward", OBJECTS, .shape = &reward, .max = 8, .help = "What this arm is granted", .example = "{points: 300}"));

SHAPE_SHORT(expiry, "after",
    K("after", DURATION, .help = "So long after the purchase; in months or years: to the end of the same date", .example = "365 days"),
    K("end_of", CHOICE, .choices = "month quarter year", .help = "At the end of the month, quarter or year in which that falls", .example = "month"),
    LATER("after_inactivity", DURATION, .help = "So long after the member's last purchase", .example = "6 months"),
    K("dates", MONTH_DAYS, .max = 12, .help = "With the end of the next of these dates of each year, month-day", .example = "\"12-31\""),
    LATER("anniversary", BOOL, .help = "At the anniversary of joining", .example = "true"));

#define CONDITIONS_OF_A_RULE                                                                                           \
    K("trigger", CHOICE, .choices = TRIGGERS, .required = true, .help = "The event that it looks at", .example = "purchase"), \
    K("activity", TEXTS, .max = 100, .help = "Names of activities, where the trigger is activity", .example = "[app_install]"), \
    K("change", CHOICES, .choices = "joined profile identifier segments level merge pool block erase", .help = "What changes, where the trigger is member_change", .example = "profile"), \
    K("channel", TEXTS, .max = 100, .help = "Channels", .example = "[app, web]"), \
    K("store", TEXTS, .max = 10000, .help = "Ids of stores", .example = "[s1, s2]"), \
    K("store_kind", TEXTS, .max = 100, .help = "Kinds of stores", .example = "[express]"), \
    K("partner", TEXTS, .max = 1000, .help = "Ids of partners", .example = "[bp]"), \
    K("tender", TEXTS, .max = 100, .help = "At least one tender of these kinds", .example = "[own_card]"), \
    K("days", CHOICES, .choices = "mon tue wed thu fri sat sun", .help = "Weekdays in the programme's time zone", .example = "[sat, sun]"), \
    K("hours", HOURS, .max = 16, .help = "Hours in the programme's time zone, the end not included; over midnight: the night of the day that it begins on", .example = "\"18:00-22:00\""), \
    K("segment", TEXTS, .max = 64, .help = "Members of one of these segments", .example = "silent"), \
    K("when", CONDITION, .help = "Condition on event, purchase, store and member", .example = "\"purchase.total >= money('1500')\""), \
    K("lines", OBJECT, .shape = &lines, .help = "Which lines of the order count", .example = "{category: [coffee]}"), \
    K("basis", CHOICE, .choices = "after_discount before_discount", .fallback = "after_discount", .help = "Which amount of a line counts", .example = "before_discount"), \
    K("without_tax", BOOL, .fallback = "false", .help = "Tax does not count", .example = "true"), \
    K("minimum", MONEY, .help = "The least eligible total", .example = "500"), \
    K("reward", OBJECTS, .shape = &reward, .required = true, .max = 8, .help = "What is granted", .example = "{points: 10, per: 100}"), \
    K("cooldown", DURATION, .help = "The least time between two grants to a member", .example = "12 hours"), \
    K("limit", OBJECTS, .shape = &limit, .max = 8, .help = "How often a member may be granted it", .example = "{times: 1, per: day}"), \
    K("cap", OBJECTS, .shape = &cap, .max = 8, .help = "How many points a member may be granted by it", .example = "{points: 500, per: month}"), \
    K("budget", OBJECT, .shape = &budget, .help = "How many points all members together may be granted", .example = "{points: 100000}"), \
    K("funder", ID, .help = "Who pays for the points: a partner's funder; the programme when left out", .example = "bp"), \
    LATER("returns", CHOICE, .choices = "proportional recheck keep", .help = "What a return does to the grant", .example = "recheck"), \
    K("pending", DURATION, .help = "How long its points stay pending, instead of the wallet's time; in months: until the start of the same date", .example = "30 days"), \
    K("expiry", OBJECT, .shape = &expiry, .help = "When its points expire, instead of the wallet's time", .example = "3 months")

SHAPE(earning_rule,
    IDENTITY,
    CONDITIONS_OF_A_RULE,
    K("multiplied", BOOL, .fallback = "true", .help = "Levels and segments multiply it", .example = "false"));

SHAPE(campaign,
    IDENTITY,
    CONDITIONS_OF_A_RULE,
    K("period", OBJECT, .shape = &period, .help = "When it runs", .example = "{from: 2026-11-01, until: 2026-12-01}"),
    K("audience", OBJECT, .shape = &audience, .help = "Whom it is for", .example = "{segment: silent}"),
    K("priority", INTEGER, .min = -1000, .max = 1000, .fallback = "0", .help = "Lower goes first where limits are short", .example = "10"),
    K("stack", OBJECT, .shape = &stack, .help = "How it goes together with other campaigns", .example = "{group: basket, pick: best}"),
    K("recurrence", OBJECT, .shape = &recurrence, .help = "On which days of a month or year it comes again, within its period", .example = "{first: sat}"),
    LATER("control", PERCENT, .help = "Share of the audience that gets no reward, to compare with", .example = "10%"),
    LATER("arms", LIST, .shape = &arm, .max = 8, .help = "Several treatments of one audience", .example = "[{id: a, share: 50%}]"),
    LATER("before", DURATION, .help = "With birthday and anniversary: how long before", .example = "7 days"),
    LATER("after", DURATION, .help = "With birthday and anniversary: how long after", .example = "7 days"),
    LATER("chance", PERCENT, .help = "A random, reproducible share of events", .example = "5%"));

SHAPE(redemption,
    LATER("at_least", INTEGER, .min = 1, .help = "The fewest points to redeem", .example = "100"),
    LATER("step", INTEGER, .min = 1, .help = "Only multiples of this", .example = "10"),
    LATER("share_of_order", PERCENT, .help = "The largest share of an order", .example = "30%"),
    LATER("not_for", OBJECT, .shape = &lines, .help = "Lines that points may not pay", .example = "{category: [tobacco]}"),
    LATER("overdraft", INTEGER, .min = 0, .help = "How far below zero", .example = "100"),
    LATER("reserve_for", DURATION, .help = "How long a reservation holds", .example = "15 minutes"));

SHAPE(wallet,
    K("title", TEXT, .help = "What customers and reports show", .example = "Points"),
    K("unit", CHOICE, .choices = "points money", .fallback = "points", .help = "money: counted in the currency's smallest unit, as cashback is", .example = "money"),
    K("pending", DURATION, .help = "How long an accrual stays pending, from the purchase on; in months: until the start of the same date", .example = "14 days"),
    LATER("pending_until", CHOICE, .choices = "delivered closed", .help = "Pending until the order is delivered or closed", .example = "delivered"),
    K("expiry", OBJECT, .shape = &expiry, .help = "When points expire; never when left out", .example = "{after: 365 days}"),
    K("cap", OBJECTS, .shape = &cap, .max = 8, .help = "How many points a member may be granted, over all rules", .example = "{points: 10000, per: month}"),
    LATER("worth", NUMBER, .min = 1, .max = 1000000, .help = "What one point pays at the till, in money", .example = "0.10"),
    LATER("clawback", CHOICE, .choices = "pending_only to_zero negative", .help = "When points to take back are spent already", .example = "negative"),
    LATER("redemption", OBJECT, .shape = &redemption, .help = "The terms on which points pay", .example = "{at_least: 100}"),
    LATER("qualifies", BOOL, .help = "Status points: they count for levels and cannot be spent", .example = "true"));

SHAPE_SHORT(segment, "when",
    K("when", CONDITION, .help = "Who is in it, judged before each event; other segments may not be named", .example = "\"member.days_since_purchase >= 120\""),
    K("by", CHOICE, .choices = "crm", .help = "Instead of `when`: who is in it is told by another system, in member change events", .example = "crm"),
    K("title", TEXT, .help = "What reports show", .example = "Silent"),
    K("multiply", NUMBER, .min = 1, .max = 100000, .help = "Base points of its members times this; of several segments the highest", .example = "1.2"));

SHAPE(measure,
    K("spend", WINDOW, .help = "Money spent in this time", .example = "12 months"),
    K("points", WINDOW, .help = "Points earned in this time", .example = "12 months"),
    K("purchase_days", WINDOW, .help = "Days with a purchase in this time", .example = "calendar_year"));

SHAPE(review,
    K("every", DURATION, .help = "How long a level holds", .example = "12 months"),
    K("grace", DURATION, .help = "How much longer before it is lost", .example = "30 days"),
    K("drop", CHOICE, .choices = "one_level reassess", .help = "One level down, or by what is measured", .example = "one_level"));

SHAPE(level,
    IDENTITY,
    K("multiply", NUMBER, .min = 1, .max = 100000, .help = "Base points times this", .example = "1.5"),
    LATER("from", NUMBER, .min = 0, .max = INT64_MAX, .help = "What of the measure it takes", .example = "60000"),
    LATER("by", CHOICE, .choices = "invitation", .help = "Only by invitation", .example = "invitation"),
    LATER("benefits", TEXTS, .max = 32, .help = "Named rights, in every update", .example = "[free_delivery]"),
    LATER("overdraft", INTEGER, .min = 0, .help = "Points below zero that it allows", .example = "100"));

SHAPE(tier,
    IDENTITY,
    LATER("measure", OBJECT, .shape = &measure, .help = "What decides the level", .example = "{spend: 12 months}"),
    LATER("review", OBJECT, .shape = &review, .help = "When a level is judged again", .example = "{every: 12 months}"),
    K("levels", LIST, .shape = &level, .required = true, .max = 32, .help = "From the lowest to the highest", .example = "[{id: gold, multiply: 1.5}]"));

SHAPE(qualify,
    K("purchase", MONEY, .help = "The least first purchase of the referee", .example = "500"),
    K("within", DURATION, .help = "How soon", .example = "60 days"),
    K("purchases", INTEGER, .min = 1, .max = 100, .help = "Reward the first so many purchases", .example = "1"));

SHAPE(share,
    K("percent", NUMBER, .min = 1, .max = 100000, .help = "Of the referee's purchases", .example = "2"),
    K("for", DURATION, .help = "How long", .example = "12 months"));

SHAPE(referral,
    K("qualify", OBJECT, .shape = &qualify, .help = "What the referee has to do", .example = "{purchase: 500}"),
    K("referrer", OBJECTS, .shape = &reward, .max = 8, .help = "Reward of who recommended", .example = "{points: 500}"),
    K("referee", OBJECTS, .shape = &reward, .max = 8, .help = "Reward of who was recommended", .example = "{points: 300}"),
    K("at_joining", OBJECTS, .shape = &reward, .max = 8, .help = "Reward of the referee at joining", .example = "{points: 50}"),
    K("limit", OBJECTS, .shape = &limit, .max = 8, .help = "How many friends are rewarded", .example = "{times: 10, per: month}"),
    K("code_valid", DURATION, .help = "How long a code can be used", .example = "90 days"),
    K("code_uses", INTEGER, .min = 1, .max = 1000000, .help = "How often a code can be used", .example = "100"),
    K("ambassador", OBJECT, .shape = &share, .help = "A share of the referee's purchases", .example = "{percent: 2, for: 12 months}"),
    K("budget", OBJECT, .shape = &budget, .help = "The most that is granted", .example = "{points: 100000}"));

SHAPE(feedback,
    K("approved_only", BOOL, .help = "Only approved reviews are rewarded", .example = "true"),
    K("claw_back_removed", BOOL, .help = "A removed review loses its points", .example = "true"));

SHAPE(streak,
    K("length", INTEGER, .required = true, .min = 2, .max = 366, .help = "How many in a row", .example = "7"),
    K("of", CHOICE, .choices = "days weeks", .help = "Days or weeks", .example = "days"),
    K("gaps", INTEGER, .min = 0, .max = 100, .help = "How many may be missing", .example = "1"));

SHAPE(achievement,
    IDENTITY,
    K("count", CHOICE, .choices = "purchases purchase_days activities reviews referrals", .help = "What is counted", .example = "purchase_days"),
    K("sum", CHOICE, .choices = "spend points units", .help = "What is summed", .example = "spend"),
    K("lines", OBJECT, .shape = &lines, .help = "Which lines count", .example = "{category: [coffee]}"),
    K("activity", TEXTS, .max = 100, .help = "Which activities count", .example = "[check_in]"),
    K("target", NUMBER, .min = 1, .max = POINTS_MAX, .help = "How much it takes", .example = "10"),
    K("within", DURATION, .help = "In which time", .example = "30 days"),
    K("repeat", BOOL, .help = "Again and again", .example = "true"),
    K("streak", OBJECT, .shape = &streak, .help = "Days or weeks in a row", .example = "{length: 7, gaps: 1}"),
    K("reward", OBJECTS, .shape = &reward, .max = 8, .required = true, .help = "What is granted", .example = "[{points: 200}, {badge: regular}]"));

SHAPE(leaderboard,
    IDENTITY,
    K("by", CHOICE, .choices = "points spend purchases", .help = "What ranks members", .example = "points"),
    K("of", CHOICE, .choices = "all store city region", .help = "Among whom", .example = "city"),
    K("per", CHOICE, .choices = "week month year lifetime", .help = "In which time", .example = "month"));

SHAPE(draw,
    IDENTITY,
    K("at", DATE, .help = "When it is drawn", .example = "2026-12-31"),
    K("winners", INTEGER, .min = 1, .max = 100000, .help = "How many win", .example = "10"),
    K("seed", TEXT, .help = "Published, so that anyone can repeat it", .example = "\"2026-12\""));

SHAPE(price,
    K("wallet", ID, .help = "Which wallet pays", .example = "points"),
    K("points", INTEGER, .required = true, .min = 1, .max = POINTS_MAX, .help = "Points", .example = "1500"),
    K("money", MONEY, .help = "Money on top", .example = "99"),
    K("level", ID, .help = "The price of this level's members", .example = "gold"));

SHAPE(entitlement,
    K("entitlement", ID, .required = true, .help = "Its kind", .example = "gift"),
    K("valid", DURATION, .help = "How long it can be used", .example = "30 days"),
    K("parameters", TEXT_MAP, .help = "What it says", .example = "{size: large}"));

SHAPE(catalogue_reward,
    IDENTITY,
    K("price", OBJECTS, .shape = &price, .max = 32, .required = true, .help = "What it costs", .example = "{points: 1500}"),
    K("stock", INTEGER, .min = 0, .max = POINTS_MAX, .help = "How many there are", .example = "500"),
    K("period", OBJECT, .shape = &period, .help = "When it is to be had", .example = "{until: 2027-01-01}"),
    K("when", CONDITION, .help = "Who may have it", .example = "\"member.level == 'gold'\""),
    K("limit", OBJECTS, .shape = &limit, .max = 8, .help = "How often a member may have it", .example = "{times: 1, per: month}"),
    K("gives", OBJECT, .shape = &entitlement, .help = "The right that is issued", .example = "{entitlement: gift, valid: 30 days}"));

SHAPE(partner,
    IDENTITY,
    K("funder", ID, .help = "Who pays for its points; the partner itself when left out", .example = "bp"),
    K("reward", OBJECTS, .shape = &reward, .max = 8, .help = "Its earning rule: an accrual on each purchase at this partner", .example = "{points: 10, per: 100}"),
    K("lines", OBJECT, .shape = &lines, .help = "Which lines count", .example = "{except: {category: [fuel_card]}}"),
    LATER("settle", CHOICE, .choices = "weekly monthly", .help = "How often it is settled", .example = "monthly"),
    LATER("prepaid", INTEGER, .min = 1, .max = POINTS_MAX, .help = "Points paid for in advance", .example = "1000000"),
    LATER("split", PERCENT, .help = "The partner's share; the rest is the programme's", .example = "50%"));

SHAPE(exchange_rate,
    K("currency", TEXT, .required = true, .help = "Three letters of ISO 4217", .example = "USD"),
    K("rate", RATE, .required = true, .help = "What one unit of it is, in the programme's currency", .example = "92.5"),
    K("from", DATE, .help = "From when on, until the next row of the currency; from the beginning when left out", .example = "2026-01-01"));

SHAPE(late,
    K("accept", DURATION, .fallback = "30 days", .help = "How late an event may come and still be judged as of when it happened", .example = "30 days"),
    K("early", DURATION, .fallback = "5 minutes", .help = "How far ahead of the clock it may be", .example = "5 minutes"),
    K("beyond", CHOICE, .choices = "as_of_arrival !reject", .fallback = "as_of_arrival", .help = "What becomes of others", .example = "as_of_arrival"));

SHAPE(unknown_return,
    K("wait", DURATION, .help = "How long a return waits for its order", .example = "7 days"),
    K("count", INTEGER, .min = 1, .max = 1000, .help = "How many returns of a member wait", .example = "10"),
    K("then", CHOICE, .choices = "ignore base_rate reject", .help = "What then", .example = "base_rate"));

SHAPE(returns,
    K("unknown_order", OBJECT, .shape = &unknown_return, .help = "A return whose order is not known", .example = "{wait: 7 days, then: ignore}"),
    K("allowed_for", DURATION, .help = "How long a return is allowed", .example = "12 months"));

SHAPE_SHORT(enrol, "unknown",
    K("unknown", CHOICE, .choices = "enrol !ignore !reject", .fallback = "enrol", .help = "What becomes of a member whom loyald does not know", .example = "enrol"),
    LATER("reward", OBJECTS, .shape = &reward, .max = 8, .help = "A reward for joining", .example = "{points: 100}"));

SHAPE(facts,
    K("windows", DAYS, .min = 1, .max = 366, .help = "Windows of days that conditions may name as member.last_N_days, besides those that they do name", .example = "[30, 90]"),
    K("attributes", TEXTS, .max = 64, .help = "Attributes of members, as another system tells them, that are kept for conditions: member.attributes['shoe_size']", .example = "[shoe_size]"),
    K("categories", TEXTS, .max = 32, .help = "Categories of which the member's last purchase is remembered: member.last_bought['phone']", .example = "[phone]"),
    K("skus", TEXTS, .max = 32, .help = "SKUs of which the member's last purchase is remembered: member.last_bought_sku['A-100']", .example = "[A-100]"),
    LATER("store_groups", TEXTS, .max = 32, .help = "Store groups that facts are kept of", .example = "[express]"));

SHAPE(velocity,
    IDENTITY,
    K("of", CHOICE, .choices = "purchases points redemptions", .help = "What is counted", .example = "purchases"),
    K("by", CHOICE, .choices = "member card cashier", .help = "For whom", .example = "cashier"),
    K("more_than", INTEGER, .min = 1, .max = POINTS_MAX, .help = "What is too many", .example = "20"),
    K("per", CHOICE, .choices = "hour day week", .help = "In which time", .example = "day"));

SHAPE(pool,
    K("wallet", ID, .help = "The wallet that a household shares", .example = "points"),
    K("members", INTEGER, .min = 2, .max = 100, .help = "How many members at most", .example = "6"));

SHAPE(transfer,
    K("at_least", INTEGER, .min = 1, .help = "The fewest points", .example = "100"),
    K("cap", OBJECTS, .shape = &cap, .max = 8, .help = "The most that a member may send", .example = "{points: 1000, per: month}"),
    K("causes", TEXTS, .max = 100, .help = "Causes that points may be given to", .example = "[red_cross]"));

SHAPE(cause,
    IDENTITY);

SHAPE(programme,
    K("programme", ID, .required = true, .help = "The programme's id", .example = "malina"),
    K("title", TEXT, .help = "Its name, in any language", .example = "Malina"),
    K("time_zone", TEXT, .fallback = "UTC", .help = "Of days, weeks, hours and dates: a name of the IANA database", .example = "Europe/Moscow"),
    K("currency", TEXT, .required = true, .help = "Three letters of ISO 4217: what a bare amount of money is in", .example = "RUB"),
    K("currency_digits", INTEGER, .min = 0, .max = 4, .help = "Decimals of the smallest unit; by the currency when left out", .example = "2"),
    K("approval", CHOICE, .choices = "none required", .fallback = "none", .help = "required: publishing it, and what comes after it, wants a second person", .example = "required"),
    K("wallets", MAP, .shape = &wallet, .required = true, .max = 8, .help = "The kinds of points that a member holds; rewards go to the first unless they name another", .example = "{points: {pending: 14 days}}"),
    K("facts", OBJECT, .shape = &facts, .help = "What is remembered of members besides what conditions name", .example = "{windows: [30, 90]}"),
    K("segments", MAP, .shape = &segment, .max = 64, .help = "Members for whom a condition is true, or whom another system puts in", .example = "{silent: \"member.days_since_purchase >= 120\"}"),
    K("tiers", LIST, .shape = &tier, .max = 1, .help = "The ladder of levels", .example = "[{id: club, levels: [{id: green}]}]"),
    K("earning", LIST, .shape = &earning_rule, .max = 1000, .help = "Standing rules: base points", .example = "[{id: base, trigger: purchase, reward: {points: 10, per: 100}}]"),
    K("campaigns", LIST, .shape = &campaign, .max = 3000, .help = "Bounded promotions: bonus points on top", .example = "[{id: double, trigger: purchase, reward: {multiply: 2}}]"),
    K("partners", LIST, .shape = &partner, .max = 1000, .help = "Companies that share the currency", .example = "[{id: bp, reward: {points: 10, per: 100}}]"),
    K("exchange_rates", LIST, .shape = &exchange_rate, .max = 10000, .help = "Of purchases in another currency; those without a rate are rejected", .example = "[{currency: USD, rate: 92.5}]"),
    K("late", OBJECT, .shape = &late, .help = "Events that come late or early", .example = "{accept: 30 days}"),
    K("historical_sources", TEXTS, .max = 64, .help = "Sources whose events arrive when they happened: imports", .example = "[migration]"),
    K("enrol", OBJECT, .shape = &enrol, .help = "Members whom loyald does not know", .example = "enrol"),
    LATER("holdout", PERCENT, .help = "Share of members that no campaign reaches", .example = "1%"),
    LATER("salt", TEXT, .help = "Goes into the choice of arms", .example = "\"2026\""),
    LATER("referral", OBJECT, .shape = &referral, .help = "Recommendations", .example = "{referrer: {points: 500}}"),
    LATER("feedback", OBJECT, .shape = &feedback, .help = "Reviews, ratings and surveys", .example = "{approved_only: true}"),
    LATER("achievements", LIST, .shape = &achievement, .max = 100, .help = "Goals over time", .example = "[{id: ten, count: purchases, target: 10, reward: {points: 200}}]"),
    LATER("leaderboards", LIST, .shape = &leaderboard, .max = 20, .help = "Rankings", .example = "[{id: city, by: points}]"),
    LATER("draws", LIST, .shape = &draw, .max = 20, .help = "Prize draws", .example = "[{id: summer, winners: 10}]"),
    LATER("rewards", LIST, .shape = &catalogue_reward, .max = 1000, .help = "Things that points buy", .example = "[{id: mug, price: {points: 1500}}]"),
    LATER("returns", OBJECT, .shape = &returns, .help = "Returns", .example = "{allowed_for: 12 months}"),
    LATER("velocity", LIST, .shape = &velocity, .max = 20, .help = "What is too much in a period", .example = "[{id: own_card, of: purchases, by: cashier, more_than: 20, per: day}]"),
    LATER("pools", OBJECT, .shape = &pool, .help = "Households with one wallet", .example = "{wallet: points}"),
    LATER("transfers", OBJECT, .shape = &transfer, .help = "Points sent to another member or given to a cause", .example = "{at_least: 100}"),
    LATER("causes", LIST, .shape = &cause, .max = 100, .help = "Whom points may be given to", .example = "[{id: red_cross}]"));
/* clang-format on */

const struct loy_shape *loy_shape_root(void)
{
    return &programme;
}
