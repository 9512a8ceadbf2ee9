#include "support/redis_server.h"

#include "support/cmocka_all.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { START_MS = 10000 };

static void run(const struct redis_server *server)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)!freopen("/dev/null", "w", stdout);
    execlp("redis-server", "redis-server", "--port", "0", "--unixsocket", server->socket, "--save", "", "--appendonly",
           "no", "--dir", server->folder, "--enable-debug-command", "yes", (char *)NULL);
    _exit(127);
}

void redis_server_restart(struct redis_server *server)
{
    server->pid = fork();
    assert_true(server->pid >= 0);
    if (server->pid == 0) {
        run(server);
    }
    for (int ms = 0; ms < START_MS; ms += 5) {
        server->commands = redisConnectUnix(server->socket);
        if (server->commands && !server->commands->err) {
            redisReply *reply = redisCommand(server->commands, "PING");
            if (reply) {
                freeReplyObject(reply);
                return;
            }
        }
        redisFree(server->commands);
        server->commands = NULL;
        (void)usleep(5000);
    }
    fail_msg("redis-server does not start");
}

bool redis_server_start(struct redis_server *server)
{
    if (system("command -v redis-server >/dev/null 2>&1") != 0) {
        return false;
    }
    (void)signal(SIGPIPE, SIG_IGN);
    *server = (struct redis_server){.folder = "/tmp/loyald-redis-XXXXXX"};
    assert_non_null(mkdtemp(server->folder));
    (void)snprintf(server->socket, sizeof server->socket, "%s/socket", server->folder);
    (void)snprintf(server->url, sizeof server->url, "unix://%s", server->socket);
    redis_server_restart(server);
    return true;
}

void redis_server_signal(struct redis_server *server, int number)
{
    assert_true(server->pid > 0);
    (void)kill(server->pid, number);
}

void redis_server_kill(struct redis_server *server)
{
    if (server->pid > 0) {
        (void)kill(server->pid, SIGKILL);
        (void)waitpid(server->pid, NULL, 0);
    }
    server->pid = 0;
    redisFree(server->commands);
    server->commands = NULL;
}

void redis_server_stop(struct redis_server *server)
{
    redis_server_kill(server);
    (void)unlink(server->socket);
    (void)rmdir(server->folder);
}

redisReply *redis_server_do(struct redis_server *server, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    redisReply *reply = redisvCommand(server->commands, format, args);
    va_end(args);
    assert_non_null(reply);
    return reply;
}
