/*
 * tjzw_phone.h - libtjzw through its public header, on a real store, against the server in memory of fake_sync.h, whose history is
 * the oracle.
 */
#ifndef TESTS_LIB_TJZW_PHONE_H
#define TESTS_LIB_TJZW_PHONE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "clients/c/tjzw.h"
#include "tests/lib/fake_net.h"

struct phone {
    struct fake *server;
    struct fake_net net;
    char dir[64], path[96];
    struct tjzw *t;
    struct tjzw_error e;
    struct tjzw_sync_result last;
};

#define OK(p, expr)                                                                \
    do {                                                                           \
        enum tjzw_code ok_code = (expr);                                           \
        if (ok_code)                                                               \
            fail_msg("%s: %s: %s", #expr, tjzw_code_name(ok_code), (p)->e.detail); \
    } while (0)

/* The fake network as struct tjzw_transport.get; ctx: a struct fake_net. */
void phone_carry(void *ctx, struct tjzw_request *requests, size_t n, bool (*stop)(void *),
                 void *stop_ctx);
extern const char *phone_refuses; /* paths with this in them get no answer; NULL: none */

void phone_start(
    struct phone *p); /* a server with 150 items, and a phone that was told of it */
void phone_end(struct phone *p);
void phone_open(struct phone *p);   /* again, and tells it of the server */
void phone_reopen(struct phone *p); /* as a later run that says nothing of servers */
void phone_sync(struct phone *p);
/* Straight to the file, as another program would. */
void phone_tamper(struct phone *p, const char *sql);
/* What the file shows is exactly what was signed for the head it holds. Without a horizon. */
void phone_check(struct phone *p);

struct phone_seen {
    size_t n;
    char first_id[37], first_title[64], last_id[37];
    size_t bytes;
    bool sorted;
};
bool phone_see(void *ctx, const struct tjzw_item *item);
size_t phone_found(struct phone *p, const char *words);

#endif
