#include "contract/proxy.h"

#include <arpa/inet.h>
#include <assert.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { PAIRS = 32, CHUNK = 65536 };

struct proxy {
    pthread_t thread;
    atomic_int mode;
    atomic_bool stop;
    int listener;
    struct sockaddr_storage server;
    socklen_t server_size;
    struct sockaddr_un own;
    int pairs[PAIRS][2]; /* client, server; -1: free */
    char bytes[CHUNK];
};

static struct sockaddr_un socket_in(const char *folder, const char *port)
{
    struct sockaddr_un result = {.sun_family = AF_UNIX};
    int length = snprintf(result.sun_path, sizeof result.sun_path, "%s/.s.PGSQL.%s", folder, port);
    if (length < 0 || (size_t)length >= sizeof result.sun_path) {
        abort();
    }
    return result;
}

static void aim(struct proxy *proxy, const char *host, const char *port)
{
    if (host[0] == '/') {
        struct sockaddr_un server = socket_in(host, port);
        memcpy(&proxy->server, &server, sizeof server);
        proxy->server_size = sizeof server;
        return;
    }
    struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons((uint16_t)strtoul(port, NULL, 10))};
    if (inet_pton(AF_INET, host, &server.sin_addr) != 1) {
        abort();
    }
    memcpy(&proxy->server, &server, sizeof server);
    proxy->server_size = sizeof server;
}

static void cut(struct proxy *proxy, int pair)
{
    for (int side = 0; side < 2; side++) {
        if (proxy->pairs[pair][side] >= 0) {
            close(proxy->pairs[pair][side]);
        }
        proxy->pairs[pair][side] = -1;
    }
}

static void take_in(struct proxy *proxy)
{
    int client = accept(proxy->listener, NULL, NULL);
    if (client < 0) {
        return;
    }
    int pair = 0;
    while (pair < PAIRS && proxy->pairs[pair][0] >= 0) {
        pair++;
    }
    int server = socket(proxy->server.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (pair == PAIRS || proxy->mode == PROXY_AWAY ||
        connect(server, (const struct sockaddr *)&proxy->server, proxy->server_size) != 0) {
        close(client);
        close(server);
        return;
    }
    proxy->pairs[pair][0] = client;
    proxy->pairs[pair][1] = server;
}

static void pass(struct proxy *proxy, int pair, int side)
{
    ssize_t size = read(proxy->pairs[pair][side], proxy->bytes, CHUNK);
    bool lost = side == 1 && proxy->mode == PROXY_LOSE_REPLIES;
    if (size <= 0 || lost) {
        cut(proxy, pair);
        return;
    }
    for (ssize_t done = 0; done < size;) {
        ssize_t sent = send(proxy->pairs[pair][1 - side], proxy->bytes + done, (size_t)(size - done), MSG_NOSIGNAL);
        if (sent <= 0) {
            cut(proxy, pair);
            return;
        }
        done += sent;
    }
}

static void turn(struct proxy *proxy)
{
    struct pollfd fds[1 + 2 * PAIRS];
    fds[0] = (struct pollfd){.fd = proxy->listener, .events = POLLIN};
    for (int i = 0; i < 2 * PAIRS; i++) {
        if (proxy->mode == PROXY_AWAY) {
            cut(proxy, i / 2);
        }
        bool deaf = proxy->mode == PROXY_BLACK_HOLE;
        fds[1 + i] = (struct pollfd){.fd = deaf ? -1 : proxy->pairs[i / 2][i % 2], .events = POLLIN};
    }
    if (poll(fds, 1 + 2 * PAIRS, 1) <= 0) {
        return;
    }
    if (fds[0].revents) {
        take_in(proxy);
    }
    for (int i = 0; i < 2 * PAIRS; i++) {
        /* A pair that was cut, or made, in this very turn waits for the next. */
        if (fds[1 + i].revents && proxy->pairs[i / 2][i % 2] == fds[1 + i].fd) {
            pass(proxy, i / 2, i % 2);
        }
    }
}

static void *run(void *self)
{
    struct proxy *proxy = self;
    while (!proxy->stop) {
        turn(proxy);
    }
    return NULL;
}

struct proxy *proxy_new(const char *folder, const char *host, const char *port)
{
    struct proxy *proxy = calloc(1, sizeof *proxy);
    assert(proxy);
    proxy->own = socket_in(folder, port);
    aim(proxy, host, port);
    for (int i = 0; i < PAIRS; i++) {
        proxy->pairs[i][0] = proxy->pairs[i][1] = -1;
    }
    proxy->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(proxy->listener, (const struct sockaddr *)&proxy->own, sizeof proxy->own) != 0 ||
        listen(proxy->listener, 16) != 0 || pthread_create(&proxy->thread, NULL, run, proxy) != 0) {
        perror("proxy");
        abort();
    }
    return proxy;
}

void proxy_set(struct proxy *proxy, enum proxy_mode mode)
{
    proxy->mode = (int)mode;
    usleep(20 * 1000); /* longer than a turn: what was under way is over */
}

void proxy_destroy(struct proxy *proxy)
{
    proxy->stop = true;
    pthread_join(proxy->thread, NULL);
    for (int i = 0; i < PAIRS; i++) {
        cut(proxy, i);
    }
    close(proxy->listener);
    unlink(proxy->own.sun_path);
    free(proxy);
}
