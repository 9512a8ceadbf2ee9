#include "adapters/redis/dial.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { LOOKUP_END_MS = 1000 };

struct loy_redis_lookup {
    struct gaicb request;
    struct addrinfo hints;
    char host[256];
    char port[8];
};

void loy_redis_dial_init(struct loy_redis_dial *dial)
{
    *dial = (struct loy_redis_dial){.state = LOY_DIAL_IDLE, .fd = -1};
}

static enum loy_dial_state failed(struct loy_redis_dial *dial, const char *what, const char *why)
{
    (void)snprintf(dial->why, sizeof dial->why, "%s: %s", what, why);
    dial->state = LOY_DIAL_FAILED;
    return dial->state;
}

static void close_socket(struct loy_redis_dial *dial)
{
    if (dial->fd >= 0) {
        (void)close(dial->fd);
    }
    dial->fd = -1;
}

/* Begins to connect; 0 done at once, else errno (EINPROGRESS: under way). */
static int begin(struct loy_redis_dial *dial, const struct sockaddr *to, socklen_t length)
{
    int on = 1;
    dial->fd = socket(to->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (dial->fd < 0) {
        return errno;
    }
    if (to->sa_family != AF_UNIX) {
        /* Requests are written whole: waiting to fill a packet would only delay them. */
        (void)setsockopt(dial->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        (void)setsockopt(dial->fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    }
    return connect(dial->fd, to, length) == 0 ? 0 : errno;
}

static void connect_unix(struct loy_redis_dial *dial, const char *path)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof to.sun_path) {
        (void)failed(dial, path, "too long for a socket's path");
        return;
    }
    memcpy(to.sun_path, path, strlen(path));
    int why = begin(dial, (const struct sockaddr *)&to, sizeof to);
    dial->state = LOY_DIAL_CONNECTED;
    if (why) {
        close_socket(dial);
        (void)failed(dial, "cannot connect", strerror(why));
    }
}

/* Tries the addresses that were found, one after the other. */
static enum loy_dial_state connect_next(struct loy_redis_dial *dial, int why)
{
    while (dial->next) {
        const struct addrinfo *to = dial->next;
        dial->next = to->ai_next;
        why = begin(dial, to->ai_addr, to->ai_addrlen);
        if (why == 0 || why == EINPROGRESS) {
            dial->state = why ? LOY_DIAL_CONNECTING : LOY_DIAL_CONNECTED;
            return dial->state;
        }
        close_socket(dial);
    }
    return failed(dial, "cannot connect", strerror(why));
}

void loy_redis_dial_start(struct loy_redis_dial *dial, const struct loy_redis_address *address)
{
    close_socket(dial);
    if (address->path) {
        connect_unix(dial, address->path);
        return;
    }
    dial->state = LOY_DIAL_RESOLVING;
    if (dial->lookup) {
        return; /* the one of the last attempt is still on its way, for the same name */
    }
    struct loy_redis_lookup *lookup = calloc(1, sizeof *lookup);
    if (!lookup) {
        (void)failed(dial, "cannot look up the name", "no memory");
        return;
    }
    (void)snprintf(lookup->host, sizeof lookup->host, "%s", address->host);
    (void)snprintf(lookup->port, sizeof lookup->port, "%s", address->port);
    lookup->hints = (struct addrinfo){.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
    lookup->request = (struct gaicb){.ar_name = lookup->host, .ar_service = lookup->port, .ar_request = &lookup->hints};
    struct gaicb *list[] = {&lookup->request};
    int why = getaddrinfo_a(GAI_NOWAIT, list, 1, NULL);
    if (why) {
        free(lookup);
        (void)failed(dial, "cannot look up the name", gai_strerror(why));
        return;
    }
    dial->lookup = lookup;
}

static enum loy_dial_state resolve(struct loy_redis_dial *dial)
{
    int why = gai_error(&dial->lookup->request);
    if (why == EAI_INPROGRESS) {
        return dial->state;
    }
    if (dial->found) {
        freeaddrinfo(dial->found);
    }
    dial->found = dial->lookup->request.ar_result;
    dial->next = dial->found;
    free(dial->lookup);
    dial->lookup = NULL;
    return why ? failed(dial, "cannot look up the name", gai_strerror(why)) : connect_next(dial, ECONNREFUSED);
}

static enum loy_dial_state look_at_socket(struct loy_redis_dial *dial)
{
    struct pollfd fd = {.fd = dial->fd, .events = POLLOUT};
    if (poll(&fd, 1, 0) == 0) {
        return dial->state;
    }
    int why = 0;
    socklen_t length = sizeof why;
    if (getsockopt(dial->fd, SOL_SOCKET, SO_ERROR, &why, &length) != 0) {
        why = errno;
    }
    if (why) {
        close_socket(dial);
        return connect_next(dial, why);
    }
    dial->state = LOY_DIAL_CONNECTED;
    return dial->state;
}

enum loy_dial_state loy_redis_dial_turn(struct loy_redis_dial *dial)
{
    if (dial->state == LOY_DIAL_RESOLVING) {
        (void)resolve(dial);
    }
    return dial->state == LOY_DIAL_CONNECTING ? look_at_socket(dial) : dial->state;
}

void loy_redis_dial_stop(struct loy_redis_dial *dial)
{
    close_socket(dial);
    dial->state = LOY_DIAL_IDLE;
}

void loy_redis_dial_fini(struct loy_redis_dial *dial)
{
    loy_redis_dial_stop(dial);
    if (dial->found) {
        freeaddrinfo(dial->found);
    }
    if (dial->lookup) {
        const struct gaicb *list[] = {&dial->lookup->request};
        const struct timespec limit = {.tv_sec = LOOKUP_END_MS / 1000};
        bool over = gai_cancel(&dial->lookup->request) != EAI_NOTCANCELED;
        over = over || gai_suspend(list, 1, &limit) == 0 || gai_error(&dial->lookup->request) != EAI_INPROGRESS;
        /* Else the resolver still writes into it: the process ends before long, and its memory with it. */
        if (over) {
            if (dial->lookup->request.ar_result) {
                freeaddrinfo(dial->lookup->request.ar_result);
            }
            free(dial->lookup);
        }
    }
    loy_redis_dial_init(dial);
}
