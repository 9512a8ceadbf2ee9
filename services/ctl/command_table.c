/* The table of commands. */
#include "ctl/commands.h"

#define JSON_OPTION                                                                                                    \
    {                                                                                                                  \
        "json", NULL, NULL, "Answer in JSON"                                                                           \
    }
#define END                                                                                                            \
    {                                                                                                                  \
        NULL, NULL, NULL, NULL                                                                                         \
    }

static const struct loy_option no_options[] = {END};

static const struct loy_option migrate_options[] = {
    {"folder", "DIRECTORY", NULL, "Where the migrations are; by default those that came with this program"},
    {"steps", "N", "1", "How many to undo, newest first"},
    JSON_OPTION,
    END,
};

static const struct loy_option generate_options[] = {
    {"members", "N", "1000", "How many customers there are"},
    {"events", "N", "10000", "How many records to make, shares of bad ones included"},
    {"seed", "N", "1", "The same seed gives the same bytes"},
    {"days", "N", "365", "Over how many days"},
    {"start", "YYYY-MM-DD", "2026-01-01", "The first of them"},
    {"duplicates", "PERCENT", "0", "Share of records that repeat an earlier one exactly"},
    {"no-member", "PERCENT", "0", "Share of purchases that name no member"},
    {"broken", "PERCENT", "0", "Share of records that loyald has to refuse, of every sort"},
    {"format", "FORM", "jsonl", "jsonl: a line of JSON each; protobuf: length-prefixed"},
    {"member-prefix", "TEXT", "m", "What member ids begin with"},
    {"source", "NAME", "generator", "The source that the events name"},
    {"counts", "FILE", NULL, "Also write there, in JSON, how many records of each sort were made"},
    END,
};

static const struct loy_option load_options[] = {
    {"topic", "NAME", NULL, "Where to publish; the first of the input topics when not given"},
    {"format", "FORM", "auto", "jsonl, protobuf (length-prefixed), or auto: by the first bytes"},
    {"rate", "N", "0", "At most so many records a second; 0: as fast as it goes"},
    {"repeat", "N", "1", "Publish the whole file so many times"},
    {"max-lag", "N", "20000", "Wait while the workers are so many records behind, as PostgreSQL says; 0: never wait"},
    {"resume", "STATEFILE", NULL, "Keep the place there, and go on from it after an interruption"},
    END,
};

static const struct loy_option member_options[] = {
    {"history", "N", "20", "How many of the latest entries to show; 0: all"},
    JSON_OPTION,
    END,
};

static const struct loy_option dead_letter_options[] = {
    {"limit", "N", "50", "How many of the latest to list; 0: all"},
    JSON_OPTION,
    END,
};

static const struct loy_option partition_options[] = {
    {"yes", NULL, NULL, "Do it: skip and retry only say what they would do otherwise"},
    JSON_OPTION,
    END,
};

static const struct loy_option audit_options[] = {
    {"topics", NULL, NULL, "Also read the topics of updates and balances from their start"},
    {"show", "N", "20", "How many problems of each kind to print; all are counted"},
    JSON_OPTION,
    END,
};

static const struct loy_option programme_options[] = {
    {"author", "NAME", NULL, "Who publishes"},
    {"reason", "TEXT", NULL, "Why"},
    {"from", "MOMENT", NULL, "From when on it is in force; now when not given"},
    {"approved-by", "NAME", NULL, "The second person who approved it"},
    {"first", NULL, NULL, "Publish only when nothing is published yet; otherwise do nothing, successfully"},
    {"allow-inactive", NULL, NULL, "Publish it although some of its keys are not in force in this version"},
    JSON_OPTION,
    END,
};

static const struct loy_option preview_options[] = {
    {"programme", "FILE", NULL, "Decide by this file; by the newest published revision when not given"},
    JSON_OPTION,
    END,
};

static const struct loy_option explain_options[] = {
    {"member", "ID", NULL, "Look at this member's events only: without it the whole journal is read"},
    {"order", "ID", NULL, "Everything about this order"},
    {"position", "TOPIC:PARTITION:OFFSET", NULL, "The record at this place; TOPIC is the topic's name"},
    {"all", NULL, NULL, "Also the rules that it did not concern, each with why not"},
    JSON_OPTION,
    END,
};

static const struct loy_command commands[] = {
    {"topics", "create|check", "make the topics, or say what is wrong with them", NULL, 1, 1, no_options,
     loy_cmd_topics},
    {"migrate", "up|down|status", "bring the database's schema up to date, or back", LOY_CMD_MIGRATE_DETAILS, 1, 1,
     migrate_options, loy_cmd_migrate},
    {"generate", "", "make a stream of plausible events", LOY_CMD_GENERATE_DETAILS, 0, 0, generate_options,
     loy_cmd_generate},
    {"load", "FILE|-", "publish events from a file", LOY_CMD_LOAD_DETAILS, 1, 1, load_options, loy_cmd_load},
    {"member", "ID", "a member's balance, lots and history", NULL, 1, 1, member_options, loy_cmd_member},
    {"dead-letters", "list | show PARTITION:OFFSET", "what was rejected, and why", NULL, 1, 2, dead_letter_options,
     loy_cmd_dead_letters},
    {"partition", "list | skip K | retry K", "who works what, and what becomes of a record that stops workers",
     LOY_CMD_PARTITION_DETAILS, 1, 2, partition_options, loy_cmd_partition},
    {"audit", "", "check the ledger against itself", LOY_CMD_AUDIT_DETAILS, 0, 0, audit_options, loy_cmd_audit},
    {"programme",
     "check FILE | diff A B | publish FILE | list | show N | rollback N | test FILE [EXAMPLES] | schema | reference",
     "check, compare, publish and test programmes", LOY_CMD_PROGRAMME_DETAILS, 1, 3, programme_options,
     loy_cmd_programme},
    {"preview", "FILE", "what a basket would earn, without a trace", NULL, 1, 1, preview_options, loy_cmd_preview},
    {"explain", "[EVENT_ID]", "why an event earned what it did", LOY_CMD_EXPLAIN_DETAILS, 0, 1, explain_options,
     loy_cmd_explain},
    {"docs", "commands|configuration|metrics|errors|audit", "print a generated page of the documentation", NULL, 1, 1,
     no_options, loy_cmd_docs},
};

const struct loy_command *loy_command_at(uint32_t i)
{
    return i < sizeof commands / sizeof commands[0] ? &commands[i] : NULL;
}
