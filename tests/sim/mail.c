/*
 * mail.c - letters, and what is done to them: plain lists. Messages: notice.c.
 *
 * A letter is known by its title, "L3"; what its writer does to it later by its words, "A5". So what arrives twice is
 * there twice, under whatever number.
 *
 *     told      the server has answered that it has it: number and receipt are so for ever, but for a restore to a time before
 *     held      its writer's phone has it still: it will arrive, and is sent again after a restore
 *     orphan    written by a guest whose session is gone: it may be another account's by now, and is refused then
 */
#include "tests/sim/mail.h"

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
    KEPT_S = 85 * 86400,
    FORGOTTEN_S = 15 * 86400,
    RECEIPT_GOOD = 2,
    RECEIPT_BAD = 3
};

/* Steps that the staff took: at least so many, at most so many. */
struct range {
    int least, most;
};

struct letter {
    int phone; /* its writer's */
    bool by_guest, certain, held, orphan, refused, told, backed_up;
    int64_t written,
        cut; /* cut: when a session of a guest who wrote it was last of use; it ended since */
    char id[40], number[24], before[24]; /* before: the number until the last restore */
    char *receipt;
    char value[LETTER_VALUE];
    struct range handled, then; /* then: when the backup was made */
    json_t *there;              /* what the server has in the end */
};

struct act {
    int letter, phone;
    int64_t written;
    bool certain, told, refused;
};

struct mail {
    struct letter letter[LETTERS];
    struct act act[ACTS];
    int letters, acts, by_guests;
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

static const char *text_of(const json_t *o, const char *name)
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

static struct letter *by_id(struct mail *m, const char *id)
{
    for (int i = 0; i < m->letters; i++)
        if (id[0] && strcmp(m->letter[i].id, id) == 0)
            return &m->letter[i];
    return NULL;
}

static int no_of(const struct mail *m, const struct letter *l)
{
    return (int)(l - m->letter);
}

/* Its writer's account as a guest may be erased by now, and its words with it. */
static bool is_forgotten(const struct letter *l)
{
    return l->cut && now_s() - l->cut >= FORGOTTEN_S;
}

/* The phone has for 90 days what was taken, whatever its clock says. */
static bool is_kept(int64_t written)
{
    return now_s() - written < KEPT_S;
}

/* ---- what is written ---- */

int mail_letter(struct sim *s, const struct device *p)
{
    struct mail *m = s->mail;
    bool guest = folk_is_guest(s, p);

    if (m->letters == LETTERS || (guest && m->by_guests == GUEST_LETTERS))
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
    struct letter *l = by_id(m, id);

    if (!l || m->acts == ACTS)
        return -1;
    m->act[m->acts] = (struct act){ .letter = no_of(m, l), .phone = p->no, .written = now_s() };
    return m->acts++;
}

void mail_acted(struct sim *s, int act)
{
    s->mail->act[act].certain = true;
}

bool mail_knows(struct sim *s, const char *id)
{
    return by_id(s->mail, id);
}

const char *mail_id(struct sim *s, int letter)
{
    return s->mail->letter[letter].id;
}

/* ---- what the staff do ---- */

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

        l->held &= is_kept(l->written);
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
        a->certain &= is_kept(a->written);
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
    const char *id = text_of(mutation, "key");
    struct letter *l;
    int no;

    if (strcmp(text_of(mutation, "type"), "letter.send") != 0)
        return;
    if ((no = mail_number(text_of(value, "title"), 'L', s->mail->letters)) < 0)
        lost(s, "phone %d sends a letter that nobody wrote", p->no);
    l = &s->mail->letter[no];
    if (!l->id[0])
        snprintf(l->id, sizeof l->id, "%s", id);
    if (strcmp(l->id, id) != 0)
        lost(s, "letter L%d was %s and is sent as %s", no, l->id, id);
}

static void take_letter(struct sim *s, struct letter *l, const json_t *result)
{
    const char *number = text_of(result, "number"), *receipt = text_of(result, "receipt");
    const struct mail *m = s->mail;

    if (l->told && (strcmp(l->number, number) != 0 || strcmp(l->receipt, receipt) != 0))
        lost(s, "letter L%d was %s, and is %s, or has another receipt:\n%s\n%s", no_of(m, l),
             l->number, number, l->receipt, receipt);
    for (int i = 0; i < m->letters; i++)
        if (&m->letter[i] != l && m->letter[i].told && !strcmp(m->letter[i].number, number))
            lost(s, "letters L%d and L%d are both %s", i, no_of(m, l), number);
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
        a->told = true;
    if (strcmp(what, "refused") != 0)
        return;
    if (strcmp(code, "missing") == 0 && !l->told)
        return; /* it waits for its letter, if that waits for its files */
    a->refused = true;
    if (strcmp(code, "closed") != 0 && !l->refused && !l->orphan &&
        !(l->cut && !is_kept(l->written))) /* another account's, and not sent again */
        lost(s, "A%d of letter L%d is refused: %s", (int)(a - s->mail->act), a->letter, code);
}

bool mail_result(struct sim *s, const json_t *mutation, const json_t *result)
{
    const char *type = text_of(mutation, "type"), *what = text_of(result, "result"),
               *code = text_of(result, "code");
    const json_t *value = json_object_get(mutation, "value");
    struct letter *l = by_id(s->mail, text_of(mutation, "key"));
    int act = mail_number(text_of(value, "text"), 'A', s->mail->acts);

    if (strcmp(type, "letter.send") == 0 && l) {
        if (strcmp(what, "done") == 0)
            take_letter(s, l, result);
        /* A file that waited a day for its letter is gone: it is uploaded again, and the letter sent again. */
        l->refused |= !strcmp(what, "refused") &&
                      (strcmp(code, "missing") != 0 || !strstr(l->value, "\"files\""));
        if (strcmp(code, "missing") == 0)
            reached(PATH_file_again);
        l->orphan |= l->refused && is_forgotten(l) && !strcmp(code, "conflict");
        /* The item that it is about went with a restore, and it has no receipt yet: its writer says another. */
        if (s->npast > 1 && !strcmp(code, "missing") && strstr(l->value, "\"item\"") &&
            !json_object_get(value, "receipt"))
            l->orphan = true;
        if (l->refused && !l->orphan)
            lost(s, "letter L%d is refused: %s", no_of(s->mail, l), code);
        return true;
    }
    if (strncmp(type, "letter.", 7) == 0 && act >= 0) {
        take_act(s, &s->mail->act[act], what, code);
        return true;
    }
    return false;
}

void mail_leaves(struct sim *s, const struct device *p)
{
    for (int i = 0; i < s->mail->letters; i++)
        s->mail->letter[i].held &= s->mail->letter[i].phone != p->no;
    for (int i = 0; i < s->mail->acts; i++)
        s->mail->act[i].certain &= s->mail->act[i].phone != p->no;
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

static const struct letter *shown_letter(struct sim *s, const struct device *p, const json_t *o)
{
    const struct letter *l = by_id(s->mail, text_of(o, "id"));
    const char *sent = text_of(o, "sent"), *number = text_of(o, "number");
    int no;

    if (!l && (no = mail_number(sent[0] ? strstr(sent, "\"L") + 1 : "", 'L', LETTERS)) >= 0)
        l = &s->mail->letter[no];
    if (!l && sent[0]) /* it ended while it was written, and nobody heard of it yet */
        return NULL;
    if (!l)
        lost(s, "phone %d shows a letter %s that nobody wrote", p->no, text_of(o, "id"));
    if (sent[0] && strcmp(sent, l->value) != 0)
        lost(s, "phone %d shows other words of L%d: %s", p->no, no_of(s->mail, l), sent);
    if (json_integer_value(json_object_get(o, "receipt")) == RECEIPT_BAD)
        lost(s, "phone %d has a receipt of L%d that does not hold", p->no, no_of(s->mail, l));
    if (number[0] && l->told && strcmp(number, l->number) != 0 &&
        strcmp(number, l->before) != 0)
        lost(s, "phone %d shows L%d as %s, which is %s", p->no, no_of(s->mail, l), number,
             l->number);
    return l;
}

void mail_look(struct sim *s, const struct device *p, const char *letters)
{
    char *copy = strdup(letters), *rest = copy;

    for (char *line; (line = strsep(&rest, "\n")) && *line;) {
        json_t *o = json_loads(line, 0, NULL);

        shown_letter(s, p, o);
        json_decref(o);
    }
    free(copy);
}

/* ---- in the end: the server ---- */

static json_t *fetch(struct sim *s, const char *target)
{
    struct message m;
    json_t *out;

    if (!server_request(s, GET, target, "", NULL, 0, OPERATOR, &m) || m.number != 200)
        lost(s, "%s is answered %d", target, m.number);
    if (!(out = json_loadb(m.text[1], m.n[1], 0, NULL)))
        lost(s, "%s is no JSON", target);
    message_done(&m);
    return out;
}

static void check_file(struct sim *s, const struct letter *l, const json_t *file, int i)
{
    struct message m;
    char target[200], *bytes;

    snprintf(target, sizeof target, "/v1/letters/%s/files/%s", l->id, text_of(file, "hash"));
    if (!server_request(s, GET, target, "", NULL, 0, OPERATOR, &m) || m.number != 200)
        lost(s, "file %d of L%d is answered %d", i, no_of(s->mail, l), m.number);
    bytes = mail_file(s, no_of(s->mail, l), i, m.n[1]);
    if (memcmp(bytes, m.text[1], m.n[1]) != 0)
        lost(s, "file %d of L%d is not what was sent", i, no_of(s->mail, l));
    free(bytes);
    message_done(&m);
}

/* Whatever its writer and the staff did to it, each once. */
static void check_steps(struct sim *s, const struct letter *l)
{
    static const char *const others[] = { "send",  "add",     "withdraw", "rate",
                                          "close", "abandon", "lapse" };
    const json_t *step;
    uint32_t acts = 0;
    int handled = 0, act;
    size_t i;

    json_array_foreach(json_object_get(l->there, "steps"), i, step)
    {
        bool staff = true;

        for (size_t k = 0; k < sizeof others / sizeof *others; k++)
            staff &= strcmp(text_of(step, "verb"), others[k]) != 0;
        handled += staff;
        if (strcmp(text_of(step, "verb"), "close") == 0)
            reached(PATH_closed);
        if (strcmp(text_of(step, "state"), "follow_up") == 0)
            reached(PATH_rated_poor);
        if ((act = mail_number(text_of(step, "text"), 'A', s->mail->acts)) < 0)
            continue;
        if (acts & 1u << act || &s->mail->letter[s->mail->act[act].letter] != l)
            lost(s, "A%d is there twice, or at L%d", act, no_of(s->mail, l));
        acts |= 1u << act;
    }
    for (int a = 0; a < s->mail->acts; a++)
        if (&s->mail->letter[s->mail->act[a].letter] == l && s->mail->act[a].told &&
            !(acts & 1u << a))
            lost(s, "A%d was taken, and is not at L%d", a, no_of(s->mail, l));
    if (handled < l->handled.least || handled > l->handled.most)
        lost(s, "the staff took %d to %d steps with L%d, and it has %d", l->handled.least,
             l->handled.most, no_of(s->mail, l), handled);
}

static void check_letter(struct sim *s, const char *number)
{
    char target[100];
    const json_t *file, *files;
    json_t *there, *value;
    struct letter *l;
    size_t i;
    int no;

    snprintf(target, sizeof target, "/v1/letters/%s", number);
    there = fetch(s, target);
    no = mail_number(text_of(there, "title"), 'L', s->mail->letters);
    if (no < 0 && (l = by_id(s->mail, text_of(there, "id"))) && is_forgotten(l)) {
        l->orphan = true;
        l->there = there;
        return;
    }
    if (no < 0)
        lost(s, "%s is a letter that nobody wrote: %s", number, json_dumps(there, 0));
    l = &s->mail->letter[no];
    if (l->there)
        lost(s, "L%d is there twice: %s and %s", no, text_of(l->there, "number"), number);
    l->there = there;
    value = json_loads(l->value, 0, NULL);
    files = json_object_get(value, "files");
    if (strcmp(text_of(there, "text"), text_of(value, "text")) != 0 ||
        strcmp(text_of(there, "item"), text_of(value, "item")) != 0 ||
        strcmp(text_of(there, "id"), l->id) != 0 ||
        (l->told && strcmp(number, l->number) != 0) ||
        (files && !json_equal(files, json_object_get(there, "files"))))
        lost(s, "L%d is %s and is there as %s: %s", no, l->number, number,
             json_dumps(there, 0));
    json_array_foreach(files, i, file) check_file(s, l, file, (int)i);
    check_steps(s, l);
    json_decref(value);
}

/* A letter of that prefix and year has that serial. */
static bool has_serial(const struct mail *m, const char *prefix, size_t n, long serial)
{
    for (int i = 0; i < m->letters; i++) {
        const char *number = text_of(m->letter[i].there, "number");

        if (!strncmp(number, prefix, n) && strtol(number + n, NULL, 10) == serial)
            return true;
    }
    return false;
}

void mail_audit(struct sim *s)
{
    json_t *list;
    const json_t *one;
    size_t i;

    if (!s->mail->letters)
        return;
    list = fetch(s, "/v1/letters?changed=1&n=100");
    json_array_foreach(json_object_get(list, "letters"), i, one)
        check_letter(s, text_of(one, "number"));
    json_decref(list);
    for (int k = 0; k < s->mail->letters; k++) {
        const struct letter *l = &s->mail->letter[k];
        const char *number = text_of(l->there, "number"), *dash = strchr(number, '-');

        if (!l->there && (l->told || (l->certain && l->held && !l->orphan)))
            lost(s, "L%d was %s and is not there", k, l->told ? l->number : "written");
        for (int a = 0; a < s->mail->acts; a++)
            if (s->mail->act[a].letter == k && s->mail->act[a].certain && l->told &&
                !l->orphan && !s->mail->act[a].told && !s->mail->act[a].refused)
                lost(s, "A%d was written and is not at L%d", a, k);
        /* A restore leaves numbers out, and what it lost has its own again: docs/letters.md. */
        for (long serial = dash && s->npast == 1 ? strtol(dash + 1, NULL, 10) : 1;
             serial-- > 1;)
            if (!has_serial(s->mail, number, (size_t)(dash + 1 - number), serial))
                lost(s, "%s is there, and the number %ld before it is not", number, serial);
    }
}

/* ---- in the end: phones ---- */

static void settled_entry(struct sim *s, const struct device *p, const char *id,
                          const char *value)
{
    static const char *const members[] = { "number", "state", "category", "unit" };
    const struct letter *l = by_id(s->mail, id);
    json_t *o = json_loads(value, 0, NULL);

    if (l &&
        l->cut) { /* as it was when a guest's session ended, and he has not sent it again */
        json_decref(o);
        return;
    }
    if (!l || !l->there)
        lost(s, "phone %d ends with a letter that the server has not: %s", p->no, id);
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        if (strcmp(text_of(o, members[i]), text_of(l->there, members[i])) != 0)
            lost(s, "phone %d ends with L%d %s, and the server says %s", p->no,
                 no_of(s->mail, l), text_of(o, members[i]), text_of(l->there, members[i]));
    json_decref(o);
}

void mail_settled(struct sim *s, const struct device *p, const char *entries,
                  const char *letters)
{
    char *copy = strdup(entries), *lines = copy;
    const char *type, *key, *value;
    uint32_t whole = 0;

    while (folk_line(&lines, &type, &key, &value))
        if (strcmp(type, "letter") == 0)
            settled_entry(s, p, key, value);
    free(copy);
    copy = strdup(letters);
    lines = copy;
    for (char *line; (line = strsep(&lines, "\n")) && *line;) {
        json_t *o = json_loads(line, 0, NULL);
        const struct letter *l = shown_letter(s, p, o);

        if (l && json_integer_value(json_object_get(o, "receipt")) == RECEIPT_GOOD &&
            !strcmp(text_of(o, "number"), text_of(l->there, "number")))
            whole |= 1u << no_of(s->mail, l);
        json_decref(o);
    }
    free(copy);
    for (int i = 0; i < s->mail->letters; i++) {
        const struct letter *l = &s->mail->letter[i];

        if (l->phone == p->no && l->certain && l->held && !l->orphan && is_kept(l->written) &&
            !(whole & 1u << i))
            lost(s, "phone %d ends without L%d and a receipt of it, but with: %s", p->no, i,
                 letters);
    }
}
