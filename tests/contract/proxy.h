/* Proxy: stands between a client and a server on unix sockets and does what networks do: loses replies, cuts, swallows.
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

/* Listens at `listen_path` for what goes to `server_path`. Aborts when it cannot: this is a test. */
struct proxy *proxy_new(const char *listen_path, const char *server_path);
void proxy_set(struct proxy *proxy, enum proxy_mode mode);
void proxy_destroy(struct proxy *proxy);

#endif
