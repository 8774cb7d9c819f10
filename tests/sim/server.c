/*
 * server.c - the service (server/service.h) but for sockets: requests enter by the loopback connection of world.h, one after the other.
 *
 * Not here: what goes out from beside the service (the webhook, mirrors, passwords, short messages).
 */
#include "tests/sim/server.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "api/routes.h"
#include "server/base/log.h"
#include "server/service.h"
#include "server/store/backup.h"
#include "tests/lib/world.h"
#include "tests/sim/disk.h"
#include "tests/sim/turns.h"

#define ORIGIN "https://sim.example"

static struct {
    int fd;
    struct conf conf;
    struct service service;
    struct world *world;
    int log; /* a file in memory: codes stand in it, as in a development server's */
} server;

/* ---- the start ---- */

static enum rc start(struct err *e)
{
    struct service *s = &server.service;
    struct world_conf world = { .cache_size = 1 << 20 };
    enum rc rc;

    if ((rc = service_open(e, &server.conf, false, s)) || (rc = service_route(e, s)))
        return rc;
    world.pool = s->workers;
    server.world = world_open_with(routes_table, &world);
    return service_describe(e, s, ORIGIN, false);
}

/* Codes stand in the log, for there is nobody to send them. */
static void settings(const char *dir)
{
    struct err e = { 0 };
    struct conf *c = &server.conf;

    if (conf_load(&e, NULL, NULL, c) || conf_set(&e, c, "data", dir) ||
        conf_set(&e, c, "public_url", ORIGIN)) {
        fprintf(stderr, "sim: %s\n", e.text);
        _exit(1);
    }
    c->sms_development = true;
    c->workers = 2;
    c->index_changes = 12;
}

/* ---- what it is asked ---- */

/* The last code that was sent in this exchange, "" for none. */
static const char *sent_code(void)
{
    static char log[16384];
    const char *at = NULL;
    ssize_t n = pread(server.log, log, sizeof log - 1, 0);

    if (ftruncate(server.log, 0) || n <= 0)
        return "";
    log[n] = '\0';
    at = strstr(log, "\"code\":\"");
    return at ? arena_strndup(world_mem(server.world), at + 8, strcspn(at + 8, "\"")) : "";
}

/* As HTTP/2 has them. */
static void lower_names(char *headers)
{
    for (bool name = true; *headers; headers++) {
        name = *headers == '\n' || (name && *headers != ':');
        if (name)
            *headers = (char)tolower((unsigned char)*headers);
    }
}

static void ask_it(const struct message *m, struct message *out)
{
    char client[32];
    const char *code;
    const struct ask how = { .headers = m->text[1],
                             .body = m->n[2] ? m->text[2] : NULL,
                             .body_len = m->n[2],
                             .client = client,
                             .origin = m->more < 0 ? ORIGIN_ADMIN : ORIGIN_TLS };
    struct answer a;

    lower_names(m->text[1]);
    snprintf(client, sizeof client, "10.0.0.%d", m->more < 0 ? 1 : m->more + 2);
    a = ask(server.world, (enum method)m->number, m->text[0], &how);
    code = sent_code();

    out->number = a.status;
    message_text(out, 0, a.headers, strlen(a.headers));
    message_text(out, 1, a.body, a.len);
    message_text(out, 2, code, strlen(code));
}

static void stop(void)
{
    service_stop(&server.service);
    world_close(server.world);
    service_done();
    _exit(0);
}

static void obey(const struct message *m, struct message *out)
{
    struct err e = { 0 };

    switch ((enum server_asks)m->kind) {
    case SERVER_ASK: ask_it(m, out); break;
    case SERVER_REST: break;
    case SERVER_END_AT: disk_end_at((unsigned)m->number, m->more); break;
    case SERVER_BACKUP:
        out->number = backup_make(&e, server.conf.data, m->text[0], NULL, NULL);
        break;
    case SERVER_STOP: stop();
    }
}

static const enum path fates[DISK_FATES] = {
    [DISK_KILLED] = PATH_server_killed,   [DISK_POWER] = PATH_server_power,
    [DISK_MISSING] = PATH_server_missing, [DISK_TORN] = PATH_server_torn,
    [DISK_UNNAMED] = PATH_server_unnamed,
};

_Noreturn void server_main(int fd, const struct server_start *s)
{
    struct message m, ready = { .kind = SERVER_READY };
    struct err e = { 0 };

    dice_rule(dice_split(&s->dice, 1));
    turns_begin(dice_split(&s->dice, 2));
    settings(s->dir);
    server.log = memfd_create("log", MFD_CLOEXEC);
    fcntl(server.log, F_SETFL, O_APPEND);
    log_set_fd(server.log);
    disk_begin(s->dir, dice_split(&s->dice, 3), fates);
    disk_end_at(s->end_at, s->power);
    ready.number =
        (s->restore && backup_restore(&e, s->restore, s->dir, NULL, NULL)) || start(&e);
    message_text(&ready, 0, e.text, strlen(e.text));
    turns_rest();
    for (bool there = line_send(fd, &ready); there && line_receive(fd, &m); message_done(&m)) {
        struct message out = { .kind = m.kind };

        turns_rest();
        obey(&m, &out);
        turns_rest();
        if (!line_send(fd, &out))
            break;
    }
    _exit(0);
}
