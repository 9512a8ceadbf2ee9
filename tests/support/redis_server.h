/* A private redis-server for one test: on a unix socket in a folder of its own, gone with the test. */
#ifndef LOY_TESTS_SUPPORT_REDIS_SERVER_H
#define LOY_TESTS_SUPPORT_REDIS_SERVER_H

#include <hiredis/hiredis.h>
#include <stdbool.h>
#include <sys/types.h>

struct redis_server {
    char folder[64];
    char socket[80];
    char url[96];
    pid_t pid;              /* 0: not running */
    redisContext *commands; /* for the test's own, blocking */
};

/* False: there is no redis-server here. */
bool redis_server_start(struct redis_server *server);
/* Again, on the same socket, after a kill. */
void redis_server_restart(struct redis_server *server);
void redis_server_signal(struct redis_server *server, int number);
void redis_server_kill(struct redis_server *server);
void redis_server_stop(struct redis_server *server);
/* One command of the test's own; the answer is the caller's to free. */
redisReply *redis_server_do(struct redis_server *server, const char *format, ...);

#endif
