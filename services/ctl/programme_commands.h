/* Programme commands: the verbs of `loyalctl programme`. One thread. Test: tests/integration/test_programme.py. */
#ifndef LOY_CTL_PROGRAMME_COMMANDS_H
#define LOY_CTL_PROGRAMME_COMMANDS_H

#include "ctl/command.h"

enum loy_exit loy_programme_check(const struct loy_call *call);
enum loy_exit loy_programme_publish(const struct loy_call *call);
enum loy_exit loy_programme_rollback(const struct loy_call *call);
enum loy_exit loy_programme_list(const struct loy_call *call);
enum loy_exit loy_programme_show(const struct loy_call *call);
enum loy_exit loy_programme_diff(const struct loy_call *call);
enum loy_exit loy_programme_test(const struct loy_call *call);

#endif
