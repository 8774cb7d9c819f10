/*
 * use.c - what people do with their phones: sync, look, write, sign in and out. Any of it may end the phone, which then is opened again.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients/c/tjzw.h"
#include "tests/sim/folk.h"
#include "tests/sim/mail.h"
#include "tests/sim/notice.h"
#include "tests/sim/reached.h"

/* How many people share the phones. */
static const uint8_t people[TOWNS] = { [TOWN_PLAIN] = 3,
                                       [TOWN_FAMILY] = 1,
                                       [TOWN_LIBRARY] = 2,
                                       [TOWN_RESTORED] = 2,
                                       [TOWN_SILENT] = 1 };

/* ---- looking ---- */

char *use_letters(struct sim *s, struct device *p)
{
    struct message m;
    char *out;

    if (!phone_do(s, p, PHONE_LETTERS, &m))
        return NULL;
    if (m.number)
        lost(s, "phone %d does not show its letters: %d %s", p->no, m.number, m.text[0]);
    out = strdup(m.text[1]);
    message_done(&m);
    return out;
}

/* What a phone shows of its owner. *entries is to be freed. False: it ended over it. */
bool use_look(struct sim *s, struct device *p, char **entries, unsigned long *unsent)
{
    struct message m;
    long long account;
    char *letters;
    int guest;

    if (!phone_do(s, p, PHONE_ME, &m))
        return false;
    if (m.number || sscanf(m.text[2], "%lld %d %lu", &account, &guest, unsent) != 3)
        lost(s, "phone %d does not know whose it is: %d %s", p->no, m.number, m.text[0]);
    if (s->verbose)
        printf("%s", m.text[1]);
    note(s, "phone %d: account %lld%s, %lu unsent", p->no, account, guest ? ", a guest" : "",
         *unsent);
    folk_look(s, p, account, guest, m.text[1]);
    *entries = strdup(m.text[1]);
    message_done(&m);
    if ((letters = use_letters(s, p))) {
        notice_look(s, p, account, *entries);
        mail_look(s, p, letters);
    } else
        free(*entries);
    free(letters);
    return letters;
}

/* Again and again until it does not end over it. */
void use_see(struct sim *s, struct device *p)
{
    unsigned long unsent;
    char *entries;

    while (!use_look(s, p, &entries, &unsent))
        ;
    free(entries);
}

static void look(struct sim *s, struct device *p)
{
    struct message m;

    if (!phone_do(s, p, PHONE_SHOW, &m))
        return;
    if (m.number)
        lost(s, "phone %d shows nothing: %d %s", p->no, m.number, m.text[0]);
    if (!m.more && p->horizon > 0)
        reached(PATH_horizon);
    if (m.more && !p->all && p->horizon == 0 && m.text[2][0])
        reached(PATH_widened);
    p->all = m.more;
    truth_check(s, p, m.text[2], m.text[1]);
    message_done(&m);
}

void use_sync(struct sim *s, struct device *p)
{
    struct message m;

    if (phone_do(s, p, PHONE_SYNC, &m)) {
        note(s, "phone %d synced: %s", p->no, tjzw_code_name((enum tjzw_code)m.number));
        if (!s->faults && m.number && !(m.number == TJZW_SIGN_IN && folk_is_excused(s, p)))
            lost(s, "phone %d does not sync though nothing is wrong: %s %s", p->no,
                 tjzw_code_name((enum tjzw_code)m.number), m.text[0]);
        message_done(&m);
    }
    staff_mend(s, false, 0, "");
    look(s, p);
    use_see(s, p);
}

/* ---- writing ---- */

void use_put(struct sim *s, struct device *p, const char *type, const char *key,
             const char *value)
{
    struct message m;

    note(s, "phone %d writes %s %s = %s", p->no, type, key, value);
    if (!phone_tell(s, p, PHONE_PUT, (const char *[TEXTS]){ type, key, value }, &m)) {
        folk_wrote(s, p, type, key, value, false);
        return;
    }
    if (m.number)
        lost(s, "phone %d does not write %s %s = %s: %d %s", p->no, type, key, value, m.number,
             m.text[0]);
    folk_wrote(s, p, type, key, value, true);
    message_done(&m);
}

void use_write(struct sim *s, struct device *p)
{
    static const char *const fonts[] = { "14", "16", "18", "20" };
    char type[16], key[80], value[80] = "";
    uint32_t what = dice_roll(&s->dice, 10), no = dice_roll(&s->dice, 6);

    s->written++;
    if (what < 1) {
        strcpy(type, "vote");
        snprintf(key, sizeof key, "main/0190b1c2-0000-7000-8000-00000000000%u", no);
        strcpy(value, dice_one_in(&s->dice, 2) ? "1" : "-1");
    } else if (what < 4) {
        strcpy(type, "fav");
        snprintf(key, sizeof key, "main/0190b1c2-0000-7000-8000-00000000000%u", no);
        snprintf(value, sizeof value, "{\"at\":%u}", 1000 + s->written);
    } else if (what < 6) {
        strcpy(type, "follow");
        snprintf(key, sizeof key, "column/main/%u", no + 1);
        snprintf(value, sizeof value, "{\"rank\":\"a%um\"}", s->written);
    } else if (what < 7) {
        strcpy(type, "set");
        strcpy(key, "font");
        strcpy(value, fonts[no % 4]);
    } else {
        strcpy(type, "read");
        snprintf(key, sizeof key, "main/%u", no % 2);
        snprintf(value, sizeof value, "\"%u\"", dice_roll(&s->dice, 64));
    }
    if (what < 6 && dice_one_in(&s->dice, 3))
        value[0] = '\0';
    use_put(s, p, type, key, value);
}

void use_sign_in(struct sim *s, struct device *p)
{
    char phone[16];
    struct message m;

    snprintf(phone, sizeof phone, "1380013800%u", dice_roll(&s->dice, people[s->town]));
    p->code[0] = '\0';
    if (!folk_is_guest(s, p))
        return;
    if (!phone_tell(s, p, PHONE_CODE, (const char *[TEXTS]){ phone, "", "" }, &m))
        return;
    message_done(&m);
    if (!p->code[0])
        return;
    folk_tries(s, p);
    if (phone_tell(s, p, PHONE_SIGN_IN, (const char *[TEXTS]){ phone, p->code, "" }, &m)) {
        note(s, "phone %d signs in: %d", p->no, m.number);
        message_done(&m);
    }
}

void use_sign_out(struct sim *s, struct device *p)
{
    unsigned long unsent;
    struct message m;
    char *entries;

    while (!use_look(s, p, &entries, &unsent))
        ;
    free(entries);
    if (folk_is_guest(s, p))
        return;
    folk_leaves(s, p, unsent > 0);
    if (phone_do(s, p, PHONE_SIGN_OUT, &m)) {
        note(s, "phone %d signs out: %d", p->no, m.number);
        message_done(&m);
    }
}
