/*
 * mail_end.c - when all has been exchanged: the letters that the server has are those that were written and imported, with what was done to them, and each phone shows its owner's.
 */
#include "tests/sim/mail_row.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/folk.h"
#include "tests/sim/reached.h"

enum { RECEIPT_GOOD = 2 };

/* ---- the server ---- */

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

    snprintf(target, sizeof target, "/v1/letters/%s/files/%s", l->id, mail_text(file, "hash"));
    if (!server_request(s, GET, target, "", NULL, 0, OPERATOR, &m) || m.number != 200)
        lost(s, "file %d of L%d is answered %d", i, mail_no(s->mail, l), m.number);
    bytes = mail_file(s, mail_no(s->mail, l), i, m.n[1]);
    if (memcmp(bytes, m.text[1], m.n[1]) != 0)
        lost(s, "file %d of L%d is not what was sent", i, mail_no(s->mail, l));
    free(bytes);
    message_done(&m);
}

/* What a step makes of the draft: there is one (or another), none, it is reviewed. An answer is a draft that is, and no other. */
static void follow_draft(struct sim *s, const struct letter *l, const char *verb, bool *there,
                         bool *reviewed)
{
    bool drafts = !strcmp(verb, "draft"),
         drops = !strcmp(verb, "return") || !strcmp(verb, "transfer");

    if ((!strcmp(verb, "answer") && !*reviewed) ||
        ((!strcmp(verb, "review") || !strcmp(verb, "return")) && !*there))
        lost(s, "L%d has a step %s, and no draft for it", mail_no(s->mail, l), verb);
    *there = drafts || (*there && !drops);
    *reviewed = !strcmp(verb, "review") || (*reviewed && !drafts && !drops);
}

/* Whatever its writer and the staff did to it, each once. */
static void check_steps(struct sim *s, const struct letter *l)
{
    static const char *const others[] = { "send",  "add",     "withdraw", "rate",
                                          "close", "abandon", "lapse" };
    const json_t *step;
    uint32_t acts = 0;
    bool drafted = false, reviewed = false;
    int handled = 0, act;
    size_t i;

    json_array_foreach(json_object_get(l->there, "steps"), i, step)
    {
        bool staff = true;

        for (size_t k = 0; k < sizeof others / sizeof *others; k++)
            staff &= strcmp(mail_text(step, "verb"), others[k]) != 0;
        handled += staff;
        follow_draft(s, l, mail_text(step, "verb"), &drafted, &reviewed);
        if (strcmp(mail_text(step, "verb"), "close") == 0)
            reached(PATH_closed);
        if (strcmp(mail_text(step, "state"), "follow_up") == 0)
            reached(PATH_rated_poor);
        if ((act = mail_number(mail_text(step, "text"), 'A', s->mail->acts)) < 0)
            continue;
        if (acts & 1u << act || &s->mail->letter[s->mail->act[act].letter] != l)
            lost(s, "A%d is there twice, or at L%d", act, mail_no(s->mail, l));
        acts |= 1u << act;
    }
    for (int a = 0; a < s->mail->acts; a++)
        if (&s->mail->letter[s->mail->act[a].letter] == l && s->mail->act[a].told &&
            !(acts & 1u << a))
            lost(s, "A%d was taken, and is not at L%d", a, mail_no(s->mail, l));
    if (handled < l->handled.least || handled > l->handled.most)
        lost(s, "the staff took %d to %d steps with L%d, and it has %d", l->handled.least,
             l->handled.most, mail_no(s->mail, l), handled);
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
    no = mail_number(mail_text(there, "title"), 'L', s->mail->letters);
    if (no < 0 && (l = mail_by_id(s->mail, mail_text(there, "id"))) && mail_is_forgotten(l)) {
        l->orphan = true;
        l->there = there;
        return;
    }
    if (no < 0)
        lost(s, "%s is a letter that nobody wrote: %s", number, json_dumps(there, 0));
    l = &s->mail->letter[no];
    if (l->there)
        lost(s, "L%d is there twice: %s and %s", no, mail_text(l->there, "number"), number);
    l->there = there;
    if (l->phone < 0 && !l->id[0])
        snprintf(l->id, sizeof l->id, "%s", mail_text(there, "id"));
    value = json_loads(l->value, 0, NULL);
    files = json_object_get(value, "files");
    if (strcmp(mail_text(there, "text"), mail_text(value, "text")) != 0 ||
        strcmp(mail_text(there, "item"), mail_text(value, "item")) != 0 ||
        strcmp(mail_text(there, "id"), l->id) != 0 ||
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
        const char *number = mail_text(m->letter[i].there, "number");

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
        check_letter(s, mail_text(one, "number"));
    json_decref(list);
    for (int k = 0; k < s->mail->letters; k++) {
        const struct letter *l = &s->mail->letter[k];
        const char *number = mail_text(l->there, "number"), *dash = strchr(number, '-');

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

/* ---- phones ---- */

static void settled_entry(struct sim *s, const struct device *p, const char *id,
                          const char *value)
{
    static const char *const members[] = { "number", "state", "category", "unit" };
    const struct letter *l = mail_by_id(s->mail, id);
    json_t *o = json_loads(value, 0, NULL);

    if (l &&
        l->cut) { /* as it was when a guest's session ended, and he has not sent it again */
        json_decref(o);
        return;
    }
    if (!l || !l->there)
        lost(s, "phone %d ends with a letter that the server has not: %s", p->no, id);
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        if (strcmp(mail_text(o, members[i]), mail_text(l->there, members[i])) != 0)
            lost(s, "phone %d ends with L%d %s, and the server says %s", p->no,
                 mail_no(s->mail, l), mail_text(o, members[i]),
                 mail_text(l->there, members[i]));
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
        const struct letter *l = mail_shown(s, p, o);

        if (l && json_integer_value(json_object_get(o, "receipt")) == RECEIPT_GOOD &&
            !strcmp(mail_text(o, "number"), mail_text(l->there, "number")))
            whole |= 1u << mail_no(s->mail, l);
        json_decref(o);
    }
    free(copy);
    for (int i = 0; i < s->mail->letters; i++) {
        const struct letter *l = &s->mail->letter[i];

        if (l->phone == p->no && l->certain && l->held && !l->orphan &&
            mail_is_kept(l->written) && !(whole & 1u << i))
            lost(s, "phone %d ends without L%d and a receipt of it, but with: %s", p->no, i,
                 letters);
    }
}
