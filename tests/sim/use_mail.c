/*
 * use_mail.c - what people do with letters and messages: write one, with files or without, add to it, withdraw, rate; read and drop a message. Without a network.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/folk.h"
#include "tests/sim/mail.h"
#include "tests/sim/notice.h"

#define ANSWERED "\\\"state\\\":\\\"answered\\\"" /* in the state, which is a text in JSON */

enum { FILES = 3, PIECE = 256 << 10 };

/* ---- letters ---- */

/* False: the phone ended over it. */
static bool attach(struct sim *s, struct device *p, int letter, int file, json_t *files)
{
    size_t size = dice_one_in(&s->dice, 3) ? PIECE + dice_roll(&s->dice, 40000)
                                           : 100 + dice_roll(&s->dice, 3000);
    char *bytes = mail_file(s, letter, file, size), name[16];
    struct message m;
    bool there = phone_tell(s, p, PHONE_ATTACH, (const char *[TEXTS]){ bytes }, &m);

    free(bytes);
    if (!there)
        return false;
    if (m.number)
        lost(s, "phone %d does not take a file: %d %s", p->no, m.number, m.text[0]);
    snprintf(name, sizeof name, "f%d.pdf", file);
    json_array_append_new(files, json_pack("{s:s,s:s}", "hash", m.text[1], "name", name));
    message_done(&m);
    return true;
}

/* Some are about an item, as of now: after a restore that seq is to come. */
static void name_item(struct sim *s, struct device *p, json_t *o)
{
    char id[40];
    int item;

    if (dice_one_in(&s->dice, 3) || !use_find(s, p, id, &item))
        return;
    json_object_set_new(o, "item", json_sprintf("main/%s", id));
    json_object_set_new(o, "seq", json_integer((json_int_t)truth_now(s)->seq));
}

static char *value_of(struct sim *s, struct device *p, int letter, json_t *files)
{
    static const char *const categories[] = { "report", "fault", "consult", "help", "suggest" };
    const char *category = categories[dice_roll(&s->dice, folk_is_guest(s, p) ? 2 : 5)];
    char title[16], text[40], *out;
    json_t *o;

    snprintf(title, sizeof title, "L%d", letter);
    snprintf(text, sizeof text, "第 %d 封，第 %u 步", letter, s->step);
    o = json_pack("{s:s,s:s,s:s,s:s}", "category", category, "title", title, "text", text,
                  "unit", UNIT);
    if (json_array_size(files))
        json_object_set(o, "files", files);
    name_item(s, p, o);
    out = json_dumps(o, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(o);
    return out;
}

void use_letter(struct sim *s, struct device *p)
{
    int letter = mail_letter(s, p),
        n = dice_one_in(&s->dice, 2) ? 0 : 1 + (int)dice_roll(&s->dice, FILES);
    json_t *files;
    struct message m;
    char *value;

    if (letter < 0)
        return;
    files = json_array();
    for (int i = 0; i < n; i++)
        if (!attach(s, p, letter, i, files)) {
            json_decref(files);
            return;
        }
    value = value_of(s, p, letter, files);
    json_decref(files);
    mail_writes(s, letter, value);
    note(s, "phone %d writes L%d with %d files", p->no, letter, n);
    if (phone_tell(s, p, PHONE_ACT, (const char *[TEXTS]){ "letter.send", value }, &m)) {
        if (m.number)
            lost(s, "phone %d does not write L%d: %d %s", p->no, letter, m.number, m.text[0]);
        mail_wrote(s, letter, m.text[1]);
        message_done(&m);
    }
    free(value);
}

/* One that the phone shows, and where it stands; one that can be rated if there is one. To be freed. NULL: none. */
static json_t *pick(struct sim *s, struct device *p)
{
    json_t *out = NULL;
    struct message m;
    char *rest;
    int n = 0;

    if (!phone_do(s, p, PHONE_LETTERS, &m))
        return NULL;
    rest = m.text[1];
    for (char *line; (line = strsep(&rest, "\n")) && *line;)
        if (dice_one_in(&s->dice, (uint32_t)++n) || strstr(line, ANSWERED)) {
            json_decref(out);
            out = json_loads(line, 0, NULL);
        }
    message_done(&m);
    return out;
}

void use_act(struct sim *s, struct device *p)
{
    json_t *letter = pick(s, p), *o;
    const char *id = json_string_value(json_object_get(letter, "id")),
               *state = json_string_value(json_object_get(letter, "state"));
    bool rates = state && strstr(state, "\"state\":\"answered\"");
    const char *type = rates                      ? "letter.rate"
                       : dice_one_in(&s->dice, 6) ? "letter.withdraw"
                                                  : "letter.add";
    int act = id ? mail_act(s, p, id) : -1;
    char text[16], *value;
    struct message m;

    if (act < 0) {
        json_decref(letter);
        return;
    }
    snprintf(text, sizeof text, "A%d", act);
    o = json_pack("{s:s,s:s}", "letter", id, "text", text);
    if (rates)
        json_object_set_new(o, "rating", json_integer(1 + (json_int_t)dice_roll(&s->dice, 5)));
    value = json_dumps(o, JSON_COMPACT | JSON_SORT_KEYS);
    note(s, "phone %d: %s %s", p->no, type, value);
    if (phone_tell(s, p, PHONE_ACT, (const char *[TEXTS]){ type, value }, &m)) {
        if (!m.number)
            mail_acted(s, act);
        message_done(&m);
    }
    free(value);
    json_decref(o);
    json_decref(letter);
}

/* ---- messages ---- */

void use_message(struct sim *s, struct device *p)
{
    char *entries, *copy, key[24] = "";
    unsigned long unsent;
    const char *type, *of, *value;
    bool drops = dice_one_in(&s->dice, 3);
    struct message m;
    int n = 0;

    if (!use_look(s, p, &entries, &unsent))
        return;
    copy = entries;
    while (folk_line(&copy, &type, &of, &value))
        if (!strcmp(type, "message") && dice_one_in(&s->dice, (uint32_t)++n))
            snprintf(key, sizeof key, "%s", of);
    free(entries);
    if (!key[0])
        return;
    if (drops)
        notice_drops(s, p, key);
    note(s, "phone %d %s message %s", p->no, drops ? "drops" : "reads", key);
    if (phone_tell(
            s, p, PHONE_PUT,
            (const char *[TEXTS]){ drops ? "message" : "seen", key, drops ? "" : "true" },
            &m)) {
        if (m.number)
            lost(s, "phone %d does not touch message %s: %d %s", p->no, key, m.number,
                 m.text[0]);
        message_done(&m);
    }
}
