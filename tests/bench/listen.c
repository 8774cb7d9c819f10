/*
 * listen.c - thousands who listen to server-sent events, each over a connection of its own (TLS, HTTP/2).
 *
 *     listen PORT PATH N         to 127.0.0.1:PORT, until its input ends
 *
 * Prints "open" when all N have an answer 200, "K NS" when each of them has had K events (an event is a line
 * that begins with "data:"; NS is CLOCK_MONOTONIC then), and at the end "least A most B": how many one had.
 *
 * The frames are those that such a stream needs and no more: a preface, one request, SETTINGS and PING answered. Windows are so wide that none is ever renewed.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

enum {
    OPENING = 64, /* handshakes at a time */
    READY = 512,
    FRAME_HEAD = 9,
    KEPT = 64, /* of a frame that is no DATA: the rest says nothing */
    EVENTS_MAX = 100000
};
enum { DATA, HEADERS, SETTINGS = 4, PING = 6, GOAWAY = 7, WINDOW_UPDATE = 8 };

struct listener {
    SSL *tls;
    int fd, events;
    bool greeted, answered;
    uint8_t head[FRAME_HEAD], kept[KEPT];
    uint32_t nhead, at; /* of the head that is read; of its payload */
    uint32_t length;
    int matched; /* of "\ndata:" */
};

static SSL_CTX *tls;
static struct sockaddr_in to;
static struct listener *all;
static int poller, wanted, opened, answered, done_opening;
static int had[EVENTS_MAX]; /* how many had at least so many events */
static uint8_t hello[1024];
static size_t nhello;

static int64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/* ---- frames ---- */

static uint8_t *put_head(uint8_t *p, uint32_t length, int type, int flags, uint32_t stream)
{
    const uint8_t head[FRAME_HEAD] = { (uint8_t)(length >> 16), (uint8_t)(length >> 8),
                                       (uint8_t)length,         (uint8_t)type,
                                       (uint8_t)flags,          (uint8_t)(stream >> 24),
                                       (uint8_t)(stream >> 16), (uint8_t)(stream >> 8),
                                       (uint8_t)stream };

    memcpy(p, head, sizeof head);
    return p + sizeof head;
}

/* A literal of HPACK without indexing, its name one of the static table. */
static uint8_t *put_literal(uint8_t *p, int name, const char *value)
{
    size_t n = strlen(value);

    *p++ = (uint8_t)(name < 15 ? name : 15);
    if (name >= 15)
        *p++ = (uint8_t)(name - 15);
    *p++ = (uint8_t)n;
    memcpy(p, value, n);
    return p + n;
}

static void make_hello(const char *path)
{
    static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    static const uint8_t window[] = { 0, 4, 0x7f, 0xff, 0xff, 0xff },
                         more[] = { 0x40, 0, 0, 0 };
    uint8_t *p = hello, *head;

    memcpy(p, preface, sizeof preface - 1);
    p = put_head(p + sizeof preface - 1, sizeof window, SETTINGS, 0, 0);
    memcpy(p, window, sizeof window);
    p = put_head(p + sizeof window, sizeof more, WINDOW_UPDATE, 0, 0);
    memcpy(p, more, sizeof more);
    head = p + sizeof more;
    p = head + FRAME_HEAD;
    *p++ = 0x82; /* GET */
    *p++ = 0x87; /* https */
    p = put_literal(p, 4, path);
    p = put_literal(p, 1, "127.0.0.1");
    p = put_literal(p, 19, "text/event-stream"); /* accept */
    put_head(head, (uint32_t)(p - head - FRAME_HEAD), HEADERS, 5, 1);
    nhello = (size_t)(p - hello);
}

static void tell(struct listener *l, const uint8_t *bytes, size_t n)
{
    if (SSL_write(l->tls, bytes, (int)n) != (int)n)
        errx(1, "a connection takes no more");
}

static void on_event(struct listener *l)
{
    if (++l->events == EVENTS_MAX)
        errx(1, "too many events");
    if (++had[l->events] == wanted)
        printf("%d %lld\n", l->events, (long long)now_ns());
}

/* "\ndata:", wherever the pieces are cut; a stream begins as if after a line. */
static void scan(struct listener *l, const uint8_t *p, size_t n)
{
    static const char mark[] = "\ndata:";

    for (size_t i = 0; i < n; i++) {
        l->matched = p[i] == mark[l->matched] ? l->matched + 1 : p[i] == '\n';
        if (mark[l->matched])
            continue;
        l->matched = 0;
        on_event(l);
    }
}

static void on_frame(struct listener *l)
{
    uint8_t out[FRAME_HEAD + 8];
    int type = l->head[3], flags = l->head[4];

    if (type == GOAWAY)
        errx(1, "the server says goodbye");
    if (type == HEADERS && !l->answered) {
        if (l->kept[0] != 0x88)
            errx(1, "the answer is not 200: %.4s", (const char *)l->kept);
        l->answered = true;
        if (++answered == wanted)
            printf("open\n");
    }
    if (type == SETTINGS && !(flags & 1))
        tell(l, out, (size_t)(put_head(out, 0, SETTINGS, 1, 0) - out));
    if (type == PING && !(flags & 1)) {
        memcpy(put_head(out, 8, PING, 1, 0), l->kept, 8);
        tell(l, out, sizeof out);
    }
}

static void take(struct listener *l, const uint8_t *p, size_t n)
{
    while (n) {
        uint32_t k = 1;

        if (l->nhead < FRAME_HEAD) {
            l->head[l->nhead++] = *p;
            l->length = (uint32_t)(l->head[0] << 16 | l->head[1] << 8 | l->head[2]);
            l->at = 0;
        } else {
            k = l->length - l->at < n ? l->length - l->at : (uint32_t)n;
            if (l->head[3] == DATA)
                scan(l, p, k);
            for (uint32_t i = 0; i < k && l->at + i < KEPT; i++)
                l->kept[l->at + i] = p[i];
            l->at += k;
        }
        if (l->nhead == FRAME_HEAD && l->at == l->length) {
            on_frame(l);
            l->nhead = 0;
        }
        p += k;
        n -= k;
    }
}

/* ---- connections ---- */

static void begin(struct listener *l)
{
    struct epoll_event e = { .events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = l };

    l->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    l->matched = 1;
    if (l->fd < 0)
        err(1, "socket");
    if (connect(l->fd, (struct sockaddr *)&to, sizeof to) && errno != EINPROGRESS)
        err(1, "connect");
    l->tls = SSL_new(tls);
    SSL_set_fd(l->tls, l->fd);
    SSL_set_connect_state(l->tls);
    if (epoll_ctl(poller, EPOLL_CTL_ADD, l->fd, &e))
        err(1, "epoll_ctl");
    opened++;
}

static void broke(struct listener *l, int said)
{
    int why = SSL_get_error(l->tls, said);

    if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE)
        errx(1, "a connection ended after %d events: %d, %s", l->events, why,
             ERR_error_string(ERR_get_error(), NULL));
    ERR_clear_error();
}

static void on_ready(struct listener *l)
{
    uint8_t bytes[16384];
    int n;

    if (!l->greeted) {
        if ((n = SSL_do_handshake(l->tls)) != 1) {
            broke(l, n);
            return;
        }
        l->greeted = true;
        done_opening++;
        tell(l, hello, nhello);
    }
    while ((n = SSL_read(l->tls, bytes, sizeof bytes)) > 0)
        take(l, bytes, (size_t)n);
    broke(l, n);
}

static bool input_ended(void)
{
    char c;

    return read(0, &c, 1) == 0;
}

static void say_all(void)
{
    int least = EVENTS_MAX, most = 0;

    for (int i = 0; i < wanted; i++) {
        least = all[i].events < least ? all[i].events : least;
        most = all[i].events > most ? all[i].events : most;
    }
    printf("least %d most %d\n", least, most);
}

static void set_up(const char *port, const char *path, const char *n)
{
    struct epoll_event input = { .events = EPOLLIN, .data.ptr = NULL };

    to = (struct sockaddr_in){ .sin_family = AF_INET,
                               .sin_port = htons((uint16_t)atoi(port)),
                               .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    wanted = atoi(n);
    all = calloc((size_t)wanted, sizeof *all);
    tls = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_mode(tls, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_alpn_protos(tls, (const uint8_t *)"\2h2", 3);
    make_hello(path);
    poller = epoll_create1(0);
    if (!all || poller < 0 || epoll_ctl(poller, EPOLL_CTL_ADD, 0, &input))
        err(1, "no room, or no input");
    setvbuf(stdout, NULL, _IOLBF, 0);
}

int main(int argc, char **argv)
{
    static struct epoll_event ready[READY];

    if (argc != 4)
        errx(2, "listen PORT PATH N");
    set_up(argv[1], argv[2], argv[3]);
    for (;;) {
        int n;

        while (opened < wanted && opened - done_opening < OPENING)
            begin(&all[opened]);
        n = epoll_wait(poller, ready, READY, 1000);
        for (int i = 0; i < n; i++) {
            if (ready[i].data.ptr)
                on_ready(ready[i].data.ptr);
            else if (input_ended()) {
                say_all();
                return 0;
            }
        }
    }
}
