/*
 * phone.c - what an app does with libtjzw, told by the simulator.
 */
#include "tests/sim/phone.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clients/c/tjzw_me.h"
#include "tests/sim/disk.h"
#include "tests/sim/turns.h"

static struct {
    int fd;
    struct tjzw *t;
    const char *dir;
    char *shown; /* lines */
    size_t shown_n;
} phone;

/* ---- its network ---- */

static void tell_headers(struct tjzw_request *r, char *lines)
{
    for (char *line; (line = strsep(&lines, "\n"));) {
        char *colon = strstr(line, ": ");

        if (!colon)
            continue;
        *colon = '\0';
        r->on_header(r, line, colon + 2);
    }
}

static void carry_one(struct tjzw_request *r)
{
    struct message ask = { .kind = PHONE_ASKS }, answer;
    char headers[4096] = "";

    for (const char *const *h = r->headers; *h; h++)
        snprintf(headers + strlen(headers), sizeof headers - strlen(headers), "%s\n", *h);
    message_text(&ask, 0, r->url, strlen(r->url));
    message_text(&ask, 1, headers, strlen(headers));
    message_text(&ask, 2, r->body, r->size);
    message_text(&ask, 3, r->method ? r->method : "GET", r->method ? strlen(r->method) : 3);
    if (!line_send(phone.fd, &ask) || !line_receive(phone.fd, &answer))
        _exit(0);
    if (answer.number) {
        r->on_status(r, answer.number);
        tell_headers(r, answer.text[0]);
        r->whole = !r->on_body(r, answer.text[1], answer.n[1]) && answer.more;
    }
    if (answer.n[3])
        disk_end_at((unsigned)atoi(answer.text[3]), answer.text[3][0] == '0');
    r->bytes_down = answer.n[0] + answer.n[1];
    r->bytes_up = strlen(headers);
    if (!r->whole)
        snprintf(r->why, sizeof r->why, "cut");
    message_done(&answer);
}

static void carry(void *ctx, struct tjzw_request *requests, size_t n, bool (*stop)(void *),
                  void *stop_ctx)
{
    (void)ctx;
    for (size_t i = 0; i < n && !stop(stop_ctx); i++)
        carry_one(&requests[i]);
}

/* ---- what it shows ---- */

static bool show_item(void *ctx, const struct tjzw_item *item)
{
    FILE *out = ctx;

    fprintf(out, "%s\n", item->title);
    return true;
}

static enum tjzw_code show(struct message *out, struct tjzw_error *e)
{
    static struct tjzw_status status;
    FILE *lines;
    enum tjzw_code code;

    free(phone.shown);
    lines = open_memstream(&phone.shown, &phone.shown_n);
    if (!lines)
        abort();
    code = tjzw_export(phone.t, NULL, show_item, lines, e);
    fclose(lines);
    if (!code)
        code = tjzw_status(phone.t, NULL, &status, e);
    out->more = status.all;
    message_text(out, 1, phone.shown, phone.shown_n);
    if (!code)
        message_text(out, 2, status.cursor, strlen(status.cursor));
    return code;
}

static bool show_entry(void *ctx, const struct tjzw_entry *entry)
{
    FILE *out = ctx;

    fprintf(out, "%s\t%s\t%s\n", entry->type, entry->key, entry->value);
    return true;
}

static enum tjzw_code show_me(struct message *out, struct tjzw_error *e)
{
    static const char *const types[] = { "fav",  "follow",  "read", "set",    "consent",
                                         "vote", "message", "seen", "letter", "answered" };
    static char text[100];
    struct tjzw_me me;
    enum tjzw_code code = tjzw_me(phone.t, &me, e);
    FILE *lines;

    free(phone.shown);
    lines = open_memstream(&phone.shown, &phone.shown_n);
    if (!lines)
        abort();
    for (size_t i = 0; i < sizeof types / sizeof *types && !code; i++)
        code = tjzw_entries(phone.t, types[i], NULL, show_entry, lines, e);
    fclose(lines);
    snprintf(text, sizeof text, "%lld %d %llu %llu", (long long)me.account, me.guest,
             (unsigned long long)me.unsent, (unsigned long long)me.attention);
    message_text(out, 1, phone.shown, phone.shown_n);
    message_text(out, 2, text, strlen(text));
    return code;
}

static bool show_letter(void *ctx, const struct tjzw_letter *l)
{
    json_t *o = json_pack("{s:s,s:s*,s:s*,s:s*,s:s*,s:i,s:b}", "id", l->id, "sent", l->sent,
                          "state", l->state, "number", l->number, "code", l->code, "receipt",
                          (int)l->receipt_state, "waits", l->waits);
    char *line = json_dumps(o, JSON_COMPACT);

    fprintf(ctx, "%s\n", line);
    free(line);
    json_decref(o);
    return true;
}

static enum tjzw_code show_letters(struct message *out, struct tjzw_error *e)
{
    FILE *lines;
    enum tjzw_code code;

    free(phone.shown);
    lines = open_memstream(&phone.shown, &phone.shown_n);
    if (!lines)
        abort();
    code = tjzw_letters(phone.t, show_letter, lines, e);
    fclose(lines);
    message_text(out, 1, phone.shown, phone.shown_n);
    return code;
}

struct looked_for {
    const char *title;
    char id[37];
};

static bool look_at(void *ctx, const struct tjzw_item *item)
{
    struct looked_for *l = ctx;

    if (strcmp(item->title, l->title) != 0)
        return true;
    snprintf(l->id, sizeof l->id, "%s", item->id);
    return false;
}

static enum tjzw_code find(const struct message *m, struct message *out, struct tjzw_error *e)
{
    static struct looked_for l;
    enum tjzw_code code;

    l = (struct looked_for){ .title = m->text[0] };
    code = tjzw_export(phone.t, NULL, look_at, &l, e);
    message_text(out, 1, l.id, strlen(l.id));
    return code;
}

static bool show_survey(void *ctx, const struct tjzw_survey *s)
{
    if (s->state == TJZW_SURVEY_OPEN && !s->answered)
        fprintf(ctx, "%s\n", s->id);
    return true;
}

static enum tjzw_code show_surveys(struct message *out, struct tjzw_error *e)
{
    FILE *lines;
    enum tjzw_code code;

    free(phone.shown);
    lines = open_memstream(&phone.shown, &phone.shown_n);
    if (!lines)
        abort();
    code = tjzw_surveys(phone.t, NULL, show_survey, lines, e);
    fclose(lines);
    message_text(out, 1, phone.shown, phone.shown_n);
    return code;
}

/* The file lies on another disk than the store, and goes. */
static enum tjzw_code attach(const struct message *m, struct message *out, struct tjzw_error *e)
{
    static char hash[65];
    char path[600];
    enum tjzw_code code;
    FILE *file;

    snprintf(path, sizeof path, "%s.file", phone.dir);
    file = fopen(path, "wb");
    if (!file || fwrite(m->text[0], 1, m->n[0], file) != m->n[0] || fclose(file))
        abort();
    code = tjzw_attach(phone.t, path, hash, e);
    unlink(path);
    message_text(out, 1, hash, code ? 0 : strlen(hash));
    return code;
}

static enum tjzw_code act(const struct message *m, struct message *out, struct tjzw_error *e)
{
    static char key[37];
    enum tjzw_code code = tjzw_act(phone.t, m->text[0], m->text[1], key, e);

    message_text(out, 1, key, code ? 0 : strlen(key));
    return code;
}

static enum tjzw_code sign_in(const struct message *m, struct tjzw_error *e)
{
    const struct tjzw_sign_in entered = { .phone = m->text[0], .code = m->text[1] };
    struct tjzw_step step = { 0 };
    enum tjzw_code code = tjzw_sign_in(phone.t, &entered, &step, e);

    return code || step.kind == TJZW_STEP_DONE ? code : TJZW_USAGE;
}

/* ---- what it is asked ---- */

static enum tjzw_code obey(const struct message *m, struct message *out, struct tjzw_error *e)
{
    switch ((enum phone_asks)m->kind) {
    case PHONE_SYNC: return tjzw_sync(phone.t, NULL, NULL, e);
    case PHONE_SHOW: return show(out, e);
    case PHONE_VERIFY: return tjzw_verify(phone.t, NULL, NULL, e);
    case PHONE_ME: return show_me(out, e);
    case PHONE_PUT:
        return tjzw_put(phone.t, m->text[0], m->text[1], m->n[2] ? m->text[2] : NULL, e);
    case PHONE_CODE: return tjzw_ask_code(phone.t, m->text[0], NULL, e);
    case PHONE_SIGN_IN: return sign_in(m, e);
    case PHONE_SIGN_OUT: return tjzw_sign_out(phone.t, e);
    case PHONE_ATTACH: return attach(m, out, e);
    case PHONE_ACT: return act(m, out, e);
    case PHONE_LETTERS: return show_letters(out, e);
    case PHONE_FIND: return find(m, out, e);
    case PHONE_SURVEYS: return show_surveys(out, e);
    case PHONE_ANSWER: return tjzw_survey_answer(phone.t, m->text[0], m->text[1], e);
    case PHONE_COUNT: return tjzw_count_read(phone.t, m->text[0], e);
    case PHONE_HORIZON: return tjzw_horizon(phone.t, NULL, strtoull(m->text[0], NULL, 10), e);
    case PHONE_FETCH: return tjzw_fetch(phone.t, m->text[0], NULL, NULL, e);
    case PHONE_END_AT: disk_end_at((unsigned)m->number, m->more); return TJZW_OK;
    case PHONE_CLOSE: tjzw_close(phone.t); _exit(0);
    }
    return TJZW_USAGE;
}

static enum tjzw_code begin(const char *dir, struct tjzw_error *e)
{
    const struct tjzw_transport transport = { .get = carry };
    const struct tjzw_server server = { .url = "https://sim.example" };
    char path[600];
    enum tjzw_code code;

    mkdir(dir, 0700);
    snprintf(path, sizeof path, "%s/phone.db", dir);
    if ((code = tjzw_open(path, &phone.t, e)))
        return code;
    tjzw_set_transport(phone.t, &transport);
    return tjzw_follow(phone.t, &server, e);
}

static const enum path fates[DISK_FATES] = {
    [DISK_KILLED] = PATH_phone_killed,   [DISK_POWER] = PATH_phone_power,
    [DISK_MISSING] = PATH_phone_missing, [DISK_TORN] = PATH_phone_torn,
    [DISK_UNNAMED] = PATH_phone_unnamed,
};

_Noreturn void phone_main(int fd, const struct phone_start *s)
{
    struct message m, ready = { .kind = PHONE_READY };
    struct tjzw_error e = { 0 };

    phone.fd = fd;
    phone.dir = s->dir;
    dice_rule(dice_split(&s->dice, 1));
    turns_begin(dice_split(&s->dice, 2));
    turns_wall(s->wall_us);
    disk_begin(s->dir, dice_split(&s->dice, 3), fates);
    disk_end_at(s->end_at, s->power);
    ready.number = begin(s->dir, &e);
    message_text(&ready, 0, e.detail, strlen(e.detail));
    for (bool there = line_send(fd, &ready); there && line_receive(fd, &m); message_done(&m)) {
        struct message out = { .kind = m.kind };

        e = (struct tjzw_error){ 0 };
        out.number = obey(&m, &out, &e);
        message_text(&out, 0, e.detail, strlen(e.detail));
        if (!line_send(fd, &out))
            break;
    }
    _exit(0);
}
