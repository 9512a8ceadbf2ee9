#include "runtime/seat.h"

#include "base/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <unistd.h>

enum { WHAT_MAX = 8, PLACE_MAX = 128 };

/* Which boot of which machine: in a container too it is the kernel's. */
static size_t read_boot(char ret_boot[PLACE_MAX])
{
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return 0;
    }
    ssize_t size = read(fd, ret_boot, PLACE_MAX);
    (void)close(fd);
    return size > 0 ? (size_t)size : 0;
}

/* A number that says the place and what the seats are for. */
static enum loy_err identify(const struct loy_str *what, size_t what_count, uint64_t *ret_id, struct loy_error *error)
{
    char boot[PLACE_MAX], space[PLACE_MAX];
    size_t boot_size = read_boot(boot);
    ssize_t space_size = readlink("/proc/self/ns/net", space, sizeof space);
    struct utsname host;
    if (boot_size == 0 || space_size <= 0 || what_count > WHAT_MAX || uname(&host)) {
        return loy_error_set(error, LOY_ERR_UNAVAILABLE, "this system does not tell its boot or network namespace");
    }
    /* Machines that were woken from one snapshot share the boot; then the host's name may tell them apart. */
    enum { OWN = 3 };
    struct loy_str parts[OWN + WHAT_MAX] = {{boot, boot_size}, {space, (size_t)space_size}, loy_str(host.nodename)};
    for (size_t i = 0; i < what_count; i++) {
        parts[OWN + i] = what[i];
    }
    uint8_t hash[32];
    loy_sha256_parts(parts, OWN + what_count, hash);
    memcpy(ret_id, hash, sizeof *ret_id);
    return LOY_OK;
}

/* True: the name is ours from now on. */
static bool bind_name(int fd, const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t size = strlen(name);
    memcpy(address.sun_path + 1, name, size); /* after a zero: a name without a file */
    socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + size);
    return bind(fd, (const struct sockaddr *)&address, length) == 0;
}

enum loy_err loy_seat_take(const struct loy_str *what, size_t what_count, struct loy_seat *ret_seat,
                           struct loy_error *error)
{
    uint64_t id = 0;
    enum loy_err err = identify(what, what_count, &id, error);
    if (err) {
        return err;
    }
    struct loy_seat seat = {.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    if (seat.fd < 0) {
        return loy_error_set(error, LOY_ERR_UNAVAILABLE, "no socket for a seat: %s", strerror(errno));
    }
    for (; seat.number < LOY_SEATS_MAX; seat.number++) {
        (void)snprintf(seat.name, sizeof seat.name, "loyald-%016" PRIx64 "-%d", id, seat.number);
        if (bind_name(seat.fd, seat.name)) {
            seat.held = true;
            *ret_seat = seat;
            return LOY_OK;
        }
        if (errno != EADDRINUSE) {
            break;
        }
    }
    err = loy_error_set(error, LOY_ERR_UNAVAILABLE, "no seat: %s", strerror(errno));
    (void)close(seat.fd);
    return err;
}

void loy_seat_leave(struct loy_seat *seat)
{
    if (seat->held) {
        (void)close(seat->fd);
        seat->held = false;
    }
}
