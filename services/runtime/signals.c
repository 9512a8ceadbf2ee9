#include "runtime/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

/* The stop flag: the one thing a signal handler may touch beside the pipe. */
static volatile sig_atomic_t stop_asked;
static int stop_pipe[2] = {-1, -1};

static void on_signal(int number)
{
    (void)number;
    loy_signals_ask_stop();
}

static int catch (int number, void (*handler)(int), int flags)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = flags | SA_RESTART};
    (void)sigemptyset(&action.sa_mask);
    return sigaction(number, &action, NULL);
}

enum loy_err loy_signals_open(struct loy_error *error)
{
    if (stop_pipe[0] < 0 && pipe2(stop_pipe, O_CLOEXEC | O_NONBLOCK) != 0) {
        return loy_error_set(error, LOY_ERR_INTERNAL, "cannot make a pipe for signals: %s", strerror(errno));
    }
    if (catch (SIGTERM, on_signal, 0) != 0 || catch (SIGINT, on_signal, (int)SA_RESETHAND) != 0 ||
        catch (SIGPIPE, SIG_IGN, 0) != 0) {
        return loy_error_set(error, LOY_ERR_INTERNAL, "cannot catch signals: %s", strerror(errno));
    }
    return LOY_OK;
}

bool loy_signals_stop_asked(void)
{
    return stop_asked != 0;
}

void loy_signals_ask_stop(void)
{
    int kept = errno;
    stop_asked = 1;
    /* A full pipe is readable already. */
    ssize_t written = write(stop_pipe[1], "", 1);
    (void)written;
    errno = kept;
}

int loy_signals_fd(void)
{
    return stop_pipe[0];
}
