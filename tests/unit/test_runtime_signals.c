#include "runtime/signals.h"

#include "support/cmocka_all.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static bool readable(void)
{
    struct pollfd fd = {.fd = loy_signals_fd(), .events = POLLIN};
    return poll(&fd, 1, 0) == 1;
}

/* Runs body in a child, since signals and the flag belong to the whole process; its exit code, or -signal. */
static int in_child(int (*body)(void))
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        _exit(body());
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static int stops_on(int number)
{
    if (loy_signals_open(NULL) || loy_signals_stop_asked() || readable()) {
        return 1;
    }
    (void)raise(number);
    return loy_signals_stop_asked() && readable() && readable() ? 0 : 2;
}

static int on_term_twice(void)
{
    int failed = stops_on(SIGTERM);
    (void)raise(SIGTERM);
    return failed;
}

static int on_int(void)
{
    return stops_on(SIGINT);
}

static int on_int_twice(void)
{
    (void)stops_on(SIGINT);
    (void)raise(SIGINT);
    return 0;
}

static int on_own_request(void)
{
    if (loy_signals_open(NULL) || loy_signals_open(NULL)) {
        return 1;
    }
    for (int i = 0; i < 100000; i++) {
        loy_signals_ask_stop();
    }
    return loy_signals_stop_asked() && readable() ? 0 : 2;
}

static int writes_to_a_closed_pipe(void)
{
    int ends[2];
    if (loy_signals_open(NULL) || pipe(ends) != 0) {
        return 1;
    }
    (void)close(ends[0]);
    return write(ends[1], "x", 1) == -1 ? 0 : 2;
}

static void a_signal_sets_the_flag_and_wakes_whoever_waits(void **state)
{
    (void)state;
    assert_int_equal(in_child(on_term_twice), 0);
    assert_int_equal(in_child(on_int), 0);
    assert_int_equal(in_child(on_own_request), 0);
}

static void a_second_interrupt_ends_the_process(void **state)
{
    (void)state;
    assert_int_equal(in_child(on_int_twice), -SIGINT);
}

static void a_broken_pipe_is_an_error_and_no_signal(void **state)
{
    (void)state;
    assert_int_equal(in_child(writes_to_a_closed_pipe), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_signal_sets_the_flag_and_wakes_whoever_waits),
        cmocka_unit_test(a_second_interrupt_ends_the_process),
        cmocka_unit_test(a_broken_pipe_is_an_error_and_no_signal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
