/* Proxy: stands between a client, on a unix socket, and a PostgreSQL server, and does what networks do: loses replies,
 * cuts, swallows.
 *
 * A thread of its own; the functions may be called from any. */
#ifndef LOY_TESTS_CONTRACT_PROXY_H
#define LOY_TESTS_CONTRACT_PROXY_H

enum proxy_mode {
    PROXY_FORWARD,
    PROXY_LOSE_REPLIES, /* what the client sends arrives; the first byte that comes back cuts the connection instead */
    PROXY_AWAY,         /* every connection is cut, new ones at once */
    PROXY_BLACK_HOLE,   /* connections stay, nothing passes in either direction */
};

struct proxy;

/* Listens in `folder` as libpq expects it for what goes to host (a folder with the server's socket, or an IPv4 address)
 * and port. Aborts when it cannot: this is a test. */
struct proxy *proxy_new(const char *folder, const char *host, const char *port);
void proxy_set(struct proxy *proxy, enum proxy_mode mode);
void proxy_destroy(struct proxy *proxy);

#endif
