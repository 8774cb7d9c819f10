/*
 * slow.c - a TCP proxy that adds a round trip, as a distant server does, and counts bytes.
 *
 *     slow PORT TARGET_PORT ROUND_TRIP_MS
 *
 * listens on 127.0.0.1:PORT and carries to 127.0.0.1:TARGET_PORT; on SIGTERM it prints
 * "up BYTES down BYTES connections N" and ends. Bandwidth is not limited.
 *
 * Every byte leaves half a round trip after it came. The handshake of TCP itself is made good
 * as well: the client's connect() returns at once here, but over a real distance its first byte
 * would set out a round trip later, so what a client sends never arrives before one and a half
 * round trips from the start of its connection. With 0 bytes go on as they come.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CONNECTIONS = 256, CHUNK = 65536, HELD_MAX = 64 << 20 };

struct chunk {
    struct chunk *next;
    int64_t due;
    size_t n, sent;
    char bytes[];
};

/* One direction of a connection. */
struct flow {
    int from, to;
    struct chunk *first, **last;
    size_t held;
    int64_t not_before; /* nothing arrives earlier */
    uint64_t *counter;
    bool ended, shut; /* no more comes; the other side was told */
};

static struct connection {
    bool open;
    struct flow up, down;
} connections[CONNECTIONS];

static uint64_t bytes_up, bytes_down, accepted;
static int64_t half; /* microseconds */
static volatile sig_atomic_t stop;

static void on_term(int signal)
{
    (void)signal;
    stop = 1;
}

static int64_t now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000) + t.tv_nsec / 1000;
}

static struct sockaddr_in loopback(int port)
{
    return (struct sockaddr_in){ .sin_family = AF_INET,
                                 .sin_port = htons((uint16_t)port),
                                 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

static void quick(int fd)
{
    int on = 1;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

static void flow_init(struct flow *f, int from, int to, int64_t not_before, uint64_t *counter)
{
    *f = (struct flow){ .from = from, .to = to, .not_before = not_before, .counter = counter };
    f->last = &f->first;
}

static void take(int listener, int target)
{
    struct sockaddr_in a = loopback(target);
    int near = accept(listener, NULL, NULL), far, at = 0;

    if (near < 0)
        return;
    while (at < CONNECTIONS && connections[at].open)
        at++;
    far = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (at == CONNECTIONS || far < 0 || connect(far, (struct sockaddr *)&a, sizeof a)) {
        close(near);
        if (far >= 0)
            close(far);
        return;
    }
    quick(near);
    quick(far);
    accepted++;
    connections[at].open = true;
    flow_init(&connections[at].up, near, far, now_us() + 3 * half, &bytes_up);
    flow_init(&connections[at].down, far, near, 0, &bytes_down);
}

static void flow_read(struct flow *f)
{
    struct chunk *c = malloc(sizeof *c + CHUNK);
    ssize_t n;

    if (!c)
        err(1, "memory");
    n = read(f->from, c->bytes, CHUNK);
    if (n <= 0) {
        free(c);
        f->ended = n == 0 || (errno != EAGAIN && errno != EINTR);
        return;
    }
    c->next = NULL;
    c->n = (size_t)n;
    c->sent = 0;
    c->due = now_us() + half;
    if (c->due < f->not_before)
        c->due = f->not_before;
    *f->last = c;
    f->last = &c->next;
    f->held += (size_t)n;
    *f->counter += (uint64_t)n;
}

/* Sends what is due; false if the other side is gone. */
static bool flow_write(struct flow *f, int64_t now)
{
    while (f->first && f->first->due <= now) {
        struct chunk *c = f->first;
        ssize_t n = send(f->to, c->bytes + c->sent, c->n - c->sent, MSG_NOSIGNAL);

        if (n < 0)
            return errno == EAGAIN || errno == EINTR;
        c->sent += (size_t)n;
        f->held -= (size_t)n;
        if (c->sent < c->n)
            return true;
        f->first = c->next;
        if (!f->first)
            f->last = &f->first;
        free(c);
    }
    if (f->ended && !f->first && !f->shut) {
        shutdown(f->to, SHUT_WR);
        f->shut = true;
    }
    return true;
}

static void drop(struct flow *f)
{
    while (f->first) {
        struct chunk *next = f->first->next;

        free(f->first);
        f->first = next;
    }
}

static void end(struct connection *c)
{
    drop(&c->up);
    drop(&c->down);
    close(c->up.from);
    close(c->up.to);
    c->open = false;
}

/* What to wait for on the socket that `in` reads and `out` writes; brings `wake` forward. */
static struct pollfd wish(const struct flow *in, const struct flow *out, int64_t now,
                          int64_t *wake)
{
    struct pollfd p = { .fd = in->from };

    if (!in->ended && in->held < HELD_MAX)
        p.events |= POLLIN;
    if (out->first && out->first->due <= now)
        p.events |= POLLOUT;
    else if (out->first && out->first->due < *wake)
        *wake = out->first->due;
    if (!p.events)
        p.fd = -1; /* poll() would report a hang-up again and again */
    return p;
}

static void serve(struct connection *c, const struct pollfd *near, const struct pollfd *far)
{
    int64_t now;

    if (near->revents & (POLLIN | POLLHUP | POLLERR) && !c->up.ended)
        flow_read(&c->up);
    if (far->revents & (POLLIN | POLLHUP | POLLERR) && !c->down.ended)
        flow_read(&c->down);
    now = now_us();
    if (!flow_write(&c->up, now) || !flow_write(&c->down, now) || (c->up.shut && c->down.shut))
        end(c);
}

static void turn(int listener, int target)
{
    static struct pollfd p[1 + 2 * CONNECTIONS];
    static struct connection *who[CONNECTIONS];
    int64_t now = now_us(), wake = now + 1000000;
    struct timespec wait;
    int n = 0;

    p[0] = (struct pollfd){ .fd = listener, .events = POLLIN };
    for (int i = 0; i < CONNECTIONS; i++) {
        struct connection *c = &connections[i];

        if (!c->open)
            continue;
        p[1 + 2 * n] = wish(&c->up, &c->down, now, &wake);
        p[2 + 2 * n] = wish(&c->down, &c->up, now, &wake);
        who[n++] = c;
    }
    wait = (struct timespec){ (wake - now) / 1000000, (wake - now) % 1000000 * 1000 };
    if (ppoll(p, (nfds_t)(1 + 2 * n), &wait, NULL) < 0)
        return;
    if (p[0].revents)
        take(listener, target);
    for (int i = 0; i < n; i++)
        serve(who[i], &p[1 + 2 * i], &p[2 + 2 * i]);
}

int main(int argc, char **argv)
{
    struct sigaction on = { .sa_handler = on_term };
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1;
    struct sockaddr_in a;

    if (argc != 4)
        errx(2, "usage: slow PORT TARGET_PORT ROUND_TRIP_MS");
    a = loopback(atoi(argv[1]));
    half = atoi(argv[3]) * INT64_C(500);
    sigaction(SIGTERM, &on, NULL);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(listener, (struct sockaddr *)&a, sizeof a) || listen(listener, SOMAXCONN))
        err(1, "127.0.0.1:%s", argv[1]);
    while (!stop)
        turn(listener, atoi(argv[2]));
    printf("up %llu down %llu connections %llu\n", (unsigned long long)bytes_up,
           (unsigned long long)bytes_down, (unsigned long long)accepted);
    return 0;
}
