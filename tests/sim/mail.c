/*
 * mail.c - letters, and what is done to them: plain lists. What must be true of them in the end: mail_end.c. Messages: notice.c.
 *
 * A letter is known by its title, "L3"; what its writer does to it later by its words, "A5". So what arrives twice is
 * there twice, under whatever number.
 *
 *     told      the server has answered that it has it: number and receipt are so for ever, but for a restore to a time before
 *     held      its writer's phone has it still: it will arrive, and is sent again after a restore
 *     away      it has it sealed: its writer has left, and it is held again when the same account signs in there within 90 days
 *               (what its phone showed as taken when he signed out by himself is not kept, so it is lost if a restore loses it, behind the sign-out or before it,
 *               if the phone had not heard of that; as is what waits for an account that never comes there again, or whose number a restore has lost: he has
 *               another one then)
 *     orphan    written by a guest whose session is gone: it may be another account's by now, and is refused then
 */
#include "tests/sim/mail_row.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/folk.h"
#include "tests/sim/notice.h"
#include "tests/sim/reached.h"
#include "tests/sim/turns.h"

enum {
    GUEST_LETTERS = 4,
    IMPORTS = 4,
    KEPT_S = 85 * 86400,
    FORGOTTEN_S = 15 * 86400,
    RECEIPT_BAD = 3
};

struct mail *mail_new(void)
{
    struct mail *m = calloc(1, sizeof *m);

    if (!m)
        abort();
    return m;
}

void mail_free(struct mail *m)
{
    for (int i = 0; i < m->letters; i++) {
        free(m->letter[i].receipt);
        json_decref(m->letter[i].there);
    }
    free(m);
}

static int64_t now_s(void)
{
    return *turns_now_us / 1000000;
}

const char *mail_text(const json_t *o, const char *name)
{
    const char *text = json_string_value(json_object_get(o, name));

    return text ? text : "";
}

/* The number behind the letter, -1 if it is none of `below`. */
int mail_number(const char *text, char kind, int below)
{
    char *end;
    long no = text[0] == kind ? strtol(text + 1, &end, 10) : -1;

    return no >= 0 && no < below && end > text + 1 && !*end ? (int)no : -1;
}

struct letter *mail_by_id(struct mail *m, const char *id)
{
    for (int i = 0; i < m->letters; i++)
        if (id[0] && strcmp(m->letter[i].id, id) == 0)
            return &m->letter[i];
    return NULL;
}

int mail_no(const struct mail *m, const struct letter *l)
{
    return (int)(l - m->letter);
}

bool mail_is_forgotten(const struct letter *l)
{
    return l->cut && now_s() - l->cut >= FORGOTTEN_S;
}

bool mail_is_kept(int64_t written)
{
    return now_s() - written < KEPT_S;
}

/* ---- what is written ---- */

int mail_letter(struct sim *s, const struct device *p)
{
    struct mail *m = s->mail;
    bool guest = folk_is_guest(s, p);

    if (m->letters - m->imports == LETTERS - IMPORTS ||
        (guest && m->by_guests == GUEST_LETTERS))
        return -1;
    m->by_guests += guest;
    m->letter[m->letters] =
        (struct letter){ .phone = p->no, .by_guest = guest, .held = true, .written = now_s() };
    return m->letters++;
}

char *mail_file(struct sim *s, int letter, int file, size_t size)
{
    struct dice d = { s->seed };
    char *out = malloc(size + 32);
    size_t n;

    if (!out)
        abort();
    d = dice_split(&d, (uint64_t)(100 + letter * 10 + file));
    n = (size_t)sprintf(out, "%%PDF-1.4\n%d %d\n", letter, file);
    while (n < size)
        out[n++] = (char)('a' + dice_roll(&d, 26));
    out[n] = '\0';
    return out;
}

void mail_writes(struct sim *s, int letter, const char *value)
{
    snprintf(s->mail->letter[letter].value, LETTER_VALUE, "%s", value);
}

void mail_wrote(struct sim *s, int letter, const char *id)
{
    struct letter *l = &s->mail->letter[letter];

    l->certain = true;
    snprintf(l->id, sizeof l->id, "%s", id);
}

int mail_act(struct sim *s, const struct device *p, const char *id)
{
    struct mail *m = s->mail;
    struct letter *l = mail_by_id(m, id);

    if (!l || m->acts == ACTS)
        return -1;
    m->act[m->acts] =
        (struct act){ .letter = mail_no(m, l), .phone = p->no, .written = now_s() };
    return m->acts++;
}

void mail_acted(struct sim *s, int act)
{
    s->mail->act[act].certain = true;
}

bool mail_knows(struct sim *s, const char *id)
{
    return mail_by_id(s->mail, id);
}

const char *mail_id(struct sim *s, int letter)
{
    const struct letter *l = &s->mail->letter[letter];

    return l->id[0] ? l->id : l->number;
}

/* ---- what the staff do ---- */

int mail_import(struct sim *s)
{
    static const char *const categories[] = { "disclose", "consult", "disclose", "complain" };
    struct mail *m = s->mail;
    int found = -1;

    for (int i = 0, n = 0; i < m->letters; i++)
        if (m->letter[i].phone < 0 && dice_one_in(&s->dice, (uint32_t)++n))
            found = i;
    if (m->imports == IMPORTS || (found >= 0 && dice_one_in(&s->dice, 2)))
        return found;
    m->letter[m->letters] = (struct letter){ .phone = -1 };
    snprintf(
        m->letter[m->letters].value, LETTER_VALUE,
        "{\"category\":\"%s\",\"text\":\"从前的第 %d 封\",\"title\":\"L%d\",\"unit\":\"" UNIT
        "\"}",
        categories[m->imports++], m->letters, m->letters);
    return m->letters++;
}

void mail_import_line(struct sim *s, int letter, char *out, size_t room)
{
    snprintf(out, room, "{\"origin\":\"%d\",\"received\":\"2026-11-16\",%s\n", letter,
             s->mail->letter[letter].value + 1);
}

/* Of no other letter. */
static void check_number(struct sim *s, const struct letter *l, const char *number)
{
    const struct mail *m = s->mail;

    for (int i = 0; i < m->letters; i++)
        if (&m->letter[i] != l && m->letter[i].told && !strcmp(m->letter[i].number, number))
            lost(s, "letters L%d and L%d are both %s", i, mail_no(m, l), number);
}

void mail_imported(struct sim *s, int letter, const char *number)
{
    struct letter *l = &s->mail->letter[letter];

    if (l->told && strcmp(l->number, number) != 0)
        lost(s, "letter L%d was %s, and is %s", letter, l->number, number);
    check_number(s, l, number);
    reached(l->told ? PATH_imported_again : PATH_imported);
    snprintf(l->number, sizeof l->number, "%s", number);
    l->told = true;
}

int mail_pick(struct sim *s)
{
    int found = -1;

    for (int i = 0, n = 0; i < s->mail->letters; i++)
        if (s->mail->letter[i].told && dice_one_in(&s->dice, (uint32_t)++n))
            found = i;
    return found;
}

void mail_handled(struct sim *s, int letter, bool surely)
{
    struct range *r = &s->mail->letter[letter].handled;

    r->most++;
    r->least += surely;
}

void mail_backed_up(struct sim *s)
{
    for (int i = 0; i < s->mail->letters; i++) {
        struct letter *l = &s->mail->letter[i];

        l->backed_up = l->told;
        l->then = l->handled;
    }
}

void mail_restored(struct sim *s)
{
    struct mail *m = s->mail;

    for (int i = 0; i < m->letters; i++) {
        struct letter *l = &m->letter[i];

        l->held &= mail_is_kept(l->written);
        l->handled = l->then;
        if (l->by_guest &&
            !l->cut) /* all guests of before leave; who was erased since is erased again */
            l->cut = now_s() - (s->quarters ? FORGOTTEN_S : 0);
        if (!l->told || l->backed_up)
            continue;
        l->told = false;
        snprintf(l->before, sizeof l->before, "%s", l->number);
    }
    for (int i = 0; i < m->acts; i++) {
        struct act *a = &m->act[i];

        a->told = false;
        a->certain &= mail_is_kept(a->written);
    }
}

/* ---- what the network sees ---- */

bool mail_is_its(const char *type)
{
    return !strcmp(type, "letter") || !strcmp(type, "message") || !strcmp(type, "seen");
}

void mail_asked(struct sim *s, const struct device *p, const json_t *mutation)
{
    const json_t *value = json_object_get(mutation, "value");
    const char *id = mail_text(mutation, "key");
    struct letter *l;
    int no;

    if (strcmp(mail_text(mutation, "type"), "letter.send") != 0)
        return;
    if ((no = mail_number(mail_text(value, "title"), 'L', s->mail->letters)) < 0)
        lost(s, "phone %d sends a letter that nobody wrote", p->no);
    l = &s->mail->letter[no];
    if (!l->id[0])
        snprintf(l->id, sizeof l->id, "%s", id);
    if (strcmp(l->id, id) != 0)
        lost(s, "letter L%d was %s and is sent as %s", no, l->id, id);
}

static void take_letter(struct sim *s, struct letter *l, const json_t *result)
{
    const char *number = mail_text(result, "number"), *receipt = mail_text(result, "receipt");
    if (l->told && (strcmp(l->number, number) != 0 || strcmp(l->receipt, receipt) != 0))
        lost(s, "letter L%d was %s, and is %s, or has another receipt:\n%s\n%s",
             mail_no(s->mail, l), l->number, number, l->receipt, receipt);
    check_number(s, l, number);
    reached(l->told ? PATH_letter_again : l->before[0] ? PATH_letter_restored : PATH_letter);
    l->cut = 0;
    free(l->receipt);
    l->receipt = strdup(receipt);
    snprintf(l->number, sizeof l->number, "%s", number);
    l->told = true;
}

/* That it is too late for it is no fault, nor that the letter was refused, or lost by a restore. */
static void take_act(struct sim *s, struct act *a, const char *what, const char *code)
{
    const struct letter *l = &s->mail->letter[a->letter];

    if (strcmp(what, "done") == 0)
        a->told = a->once = true;
    if (strcmp(what, "refused") != 0)
        return;
    if (strcmp(code, "missing") == 0 && !l->told)
        return; /* it waits for its letter, if that waits for its files */
    a->refused = true;
    if (strcmp(code, "closed") != 0 && !l->refused && !l->orphan &&
        !(l->cut && !mail_is_kept(l->written))) /* another account's, and not sent again */
        lost(s, "A%d of letter L%d is refused: %s", (int)(a - s->mail->act), a->letter, code);
}

bool mail_result(struct sim *s, const json_t *mutation, const json_t *result)
{
    const char *type = mail_text(mutation, "type"), *what = mail_text(result, "result"),
               *code = mail_text(result, "code");
    const json_t *value = json_object_get(mutation, "value");
    struct letter *l = mail_by_id(s->mail, mail_text(mutation, "key"));
    int act = mail_number(mail_text(value, "text"), 'A', s->mail->acts);

    if (strcmp(type, "letter.send") == 0 && l) {
        if (strcmp(what, "done") == 0)
            take_letter(s, l, result);
        /* A file that waited a day for its letter is gone: it is uploaded again, and the letter sent again. */
        l->refused |= !strcmp(what, "refused") &&
                      (strcmp(code, "missing") != 0 || !strstr(l->value, "\"files\""));
        if (strcmp(code, "missing") == 0)
            reached(PATH_file_again);
        l->orphan |= l->refused && mail_is_forgotten(l) && !strcmp(code, "conflict");
        /* The item that it is about went with a restore, and it has no receipt yet: its writer says another. */
        if (s->npast > 1 && !strcmp(code, "missing") && strstr(l->value, "\"item\"") &&
            !json_object_get(value, "receipt"))
            l->orphan = true;
        if (l->refused && !l->orphan)
            lost(s, "letter L%d is refused: %s", mail_no(s->mail, l), code);
        return true;
    }
    if (strncmp(type, "letter.", 7) == 0 && act >= 0) {
        take_act(s, &s->mail->act[act], what, code);
        return true;
    }
    return false;
}

/*
 * What was taken goes with who signs out by himself: the server has it, and what a restore loses of it is lost, also if that was before and the phone has not heard
 * of it. Of letters the phone shows what waits; what waits of things done to them nobody sees.
 */
void mail_leaves(struct sim *s, const struct device *p, int64_t account, bool ended)
{
    struct mail *m = s->mail;

    for (int i = 0; i < m->letters; i++) {
        struct letter *l = &m->letter[i];

        if (l->phone != p->no || !l->held)
            continue;
        l->held = false;
        l->away =
            !l->heard || !(l->told || l->before[0]) || (ended && mail_is_kept(l->written));
        l->account = account;
        l->gone = now_s();
    }
    for (int i = 0; i < m->acts; i++) {
        struct act *a = &m->act[i];

        if (a->phone != p->no || !a->certain)
            continue;
        a->certain = false;
        a->away = !a->once || (ended && mail_is_kept(a->written));
        a->account = account;
        a->gone = now_s();
    }
}

/* 90 days are surely not over; nor surely over, so that it may come all the same. */
void mail_returns(struct sim *s, const struct device *p, int64_t account)
{
    struct mail *m = s->mail;

    for (int i = 0; i < m->letters; i++) {
        struct letter *l = &m->letter[i];

        if (l->phone != p->no || !l->away || l->account != account)
            continue;
        l->away = false;
        l->held = mail_is_kept(l->gone);
        if (l->held && !l->told)
            reached(PATH_returned_unsent);
    }
    for (int i = 0; i < m->acts; i++) {
        struct act *a = &m->act[i];

        if (a->phone != p->no || !a->away || a->account != account)
            continue;
        a->away = false;
        a->certain = mail_is_kept(a->gone);
    }
}

void mail_cut(struct sim *s, const struct device *p, int64_t since)
{
    for (int i = 0; i < s->mail->letters; i++) {
        struct letter *l = &s->mail->letter[i];

        if (l->by_guest && l->phone == p->no && !l->cut)
            l->cut = since;
    }
}

/* ---- what phones show ---- */

/* Its writer's phone tells him whether it waits. */
static void hear(struct sim *s, const struct device *p, const json_t *o)
{
    struct letter *l = mail_by_id(s->mail, mail_text(o, "id"));

    if (l && l->phone == p->no)
        l->heard = !json_is_true(json_object_get(o, "waits")) && !mail_text(o, "code")[0];
}

const struct letter *mail_shown(struct sim *s, const struct device *p, const json_t *o)
{
    const struct letter *l = mail_by_id(s->mail, mail_text(o, "id"));
    const char *sent = mail_text(o, "sent"), *number = mail_text(o, "number");
    int no;

    if (!l && (no = mail_number(sent[0] ? strstr(sent, "\"L") + 1 : "", 'L', LETTERS)) >= 0)
        l = &s->mail->letter[no];
    if (!l && sent[0]) /* it ended while it was written, and nobody heard of it yet */
        return NULL;
    if (!l)
        lost(s, "phone %d shows a letter %s that nobody wrote", p->no, mail_text(o, "id"));
    if (sent[0] && strcmp(sent, l->value) != 0)
        lost(s, "phone %d shows other words of L%d: %s", p->no, mail_no(s->mail, l), sent);
    if (json_integer_value(json_object_get(o, "receipt")) == RECEIPT_BAD)
        lost(s, "phone %d has a receipt of L%d that does not hold", p->no, mail_no(s->mail, l));
    if (number[0] && l->told && strcmp(number, l->number) != 0 &&
        strcmp(number, l->before) != 0)
        lost(s, "phone %d shows L%d as %s, which is %s", p->no, mail_no(s->mail, l), number,
             l->number);
    return l;
}

void mail_look(struct sim *s, const struct device *p, const char *letters)
{
    char *copy = strdup(letters), *rest = copy;

    for (char *line; (line = strsep(&rest, "\n")) && *line;) {
        json_t *o = json_loads(line, 0, NULL);

        mail_shown(s, p, o);
        hear(s, p, o);
        json_decref(o);
    }
    free(copy);
}
