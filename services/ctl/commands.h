/* Commands: the functions behind the rows of command_table.c, and the longer texts of their help.
 *
 * Each answers one call on standard output; errors go to standard error through loy_call_failed. One thread. */
#ifndef LOY_CTL_COMMANDS_H
#define LOY_CTL_COMMANDS_H

#include "ctl/command.h"

enum loy_exit loy_cmd_migrate(const struct loy_call *call);
enum loy_exit loy_cmd_topics(const struct loy_call *call);
enum loy_exit loy_cmd_generate(const struct loy_call *call);
enum loy_exit loy_cmd_load(const struct loy_call *call);
enum loy_exit loy_cmd_member(const struct loy_call *call);
enum loy_exit loy_cmd_dead_letters(const struct loy_call *call);
enum loy_exit loy_cmd_audit(const struct loy_call *call);
enum loy_exit loy_cmd_programme(const struct loy_call *call);
enum loy_exit loy_cmd_preview(const struct loy_call *call);
enum loy_exit loy_cmd_explain(const struct loy_call *call);
enum loy_exit loy_cmd_partition(const struct loy_call *call);
enum loy_exit loy_cmd_docs(const struct loy_call *call);

#define LOY_CMD_MIGRATE_DETAILS                                                                                        \
    "Files are in dbmate's format, and what was applied stands in its table schema_migrations: either tool goes on\n"  \
    "where the other stopped. Each migration is a transaction. status answers 1 when something is pending. Connect\n"  \
    "directly, not through a pooler in transaction mode, as the owner of the tables."

#define LOY_CMD_PROGRAMME_DETAILS                                                                                      \
    "check says everything that is wrong with a file at once; diff says in words what changes between two files;\n"    \
    "publish makes a file a numbered revision that never changes (and wants --approved-by, another person, where "     \
    "the\n"                                                                                                            \
    "programme or the newest revision says `approval: required`); rollback publishes an old one again; test runs\n"    \
    "the examples beside a file (NAME.tests.yaml) through the engine; schema prints a JSON Schema for editors,\n"      \
    "reference the list of keys. Exit status 1: something is wrong with the file, or an example fails."

#define LOY_CMD_EXPLAIN_DETAILS                                                                                        \
    "What was decided and why, as it was recorded then: nothing is decided again, so later revisions and changes of\n" \
    "the member leave the answer as it is. Of each rule that looked at the event: what it granted of what it "         \
    "wanted,\n"                                                                                                        \
    "and what decided, with the values seen then. An event's id is searched for in the journal's bytes: with "         \
    "--member\n"                                                                                                       \
    "in this member's rows, without it in all of them, which takes long where there are many millions."

#define LOY_CMD_GENERATE_DETAILS                                                                                       \
    "A shop's simulated time: mostly purchases of one to eight lines, and returns, order statuses, feedback,\n"        \
    "activities and every other kind of event, in order of time, with the rhythm of days, weeks and seasons.\n"        \
    "Broken records are of five sorts in equal shares, and loyald refuses each with its own error: cut off\n"          \
    "(malformed), a wrong total (total_differs), an unknown kind (unknown_kind), a text that is no UTF-8\n"            \
    "(invalid_text), a bad member id (invalid_member). Most events lie in the past: let the workers take the\n"        \
    "source as historical (LOYALD_HISTORICAL_SOURCES=generator), or they count as late."

#define LOY_CMD_LOAD_DETAILS                                                                                           \
    "Records are keyed by their member id; those that name none have no key. `-` reads standard input, which can\n"    \
    "neither be repeated nor resumed. After an interruption --resume publishes again what was not acknowledged:\n"     \
    "loyald counts repeats as duplicates."

#define LOY_CMD_PARTITION_DETAILS                                                                                      \
    "list says who works which partition and how far. A partition is stopped when one record was the end of three\n"   \
    "workers that worked it alone; the others go on. skip makes that record a dead letter, untouched, and retry has\n" \
    "it worked again, for when the workers were repaired. Workers notice within a few seconds. Both need a login of\n" \
    "the role loyald_worker, and --yes: without it they say what they would do, do nothing, and answer 2."

#define LOY_CMD_AUDIT_DETAILS                                                                                          \
    "Reads one snapshot, so it may run while workers do. Exit status 0: nothing is wrong; 1: something is, and each\n" \
    "line says what, where, what was expected and what was found. docs/audit.md lists the checks."

#endif
