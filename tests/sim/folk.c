/*
 * folk.c - what belongs to people, as a plain map: for each owner and each key, what phones wrote.
 *
 * A phone's writes of one key arrive in their order, so what stands in the end is the last write of one of the phones, and of those the one that
 * the server took last. Which that is the network saw: each result of an exchange names a seq. A mutation (a device's n) has one seq
 * for ever. Read marks are sets, and nothing of a set is lost.
 *
 * An owner is a guest of one phone, or an account. Where a restore, a guest that became part of an account or a person who left with
 * things unsent makes it a matter of order that nobody saw, a key is `open`: it may stand at whatever was ever written.
 */
#include "tests/sim/folk.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/mail.h"
#include "tests/sim/reached.h"
#include "tests/sim/taken.h"
#include "tests/sim/turns.h"

enum { OWNERS = 96, SLOTS = 96, WRITES = 64, DEVICES = 384, TEXT = 96 };

/* A value that was written; "" for removed. */
struct written {
    int phone;
    bool last; /* nothing that this phone certainly wrote stands behind it */
    char value[TEXT];
};

struct slot {
    char type[16], key[TEXT];
    bool open, certain; /* certain: it was surely written once, so that nothing is no answer */
    int64_t seq;        /* of what the server took last, as far as anybody saw; 0: nothing */
    char taken[TEXT];
    uint64_t marks,
        maybe; /* of a set: what was certainly written, and what besides may have been */
    struct written w[WRITES];
    int n;
};

struct owner {
    int64_t account; /* 0: a guest whom the server does not know */
    bool guest;
    int before; /* accounts that he was, and is no more: the server knows them for a while */
    struct slot slot[SLOTS];
    int n;
};

struct folk {
    struct owner owner[OWNERS];
    int n, of[PHONES];
    bool excused[PHONES];  /* a restore ended sessions */
    bool ending[PHONES];   /* it had the server end a session: by adoption, or signing out */
    bool trying[PHONES];   /* to sign in, or out: it is to be seen whether that came about */
    bool unmerged[PHONES]; /* the server has not made the guest who was here a part of who is */
    int stay[PHONES];
    int64_t contact[PHONES]; /* when an exchange was last answered */
    bool silent[PHONES];     /* nothing was heard of it for a quarter of a year */
    struct {
        char id[24];
        int owner;
    } device[DEVICES];
    int ndevices;
};

struct folk *folk_new(void)
{
    struct folk *f = calloc(1, sizeof *f);

    if (!f)
        abort();
    for (int i = 0; i < PHONES; i++) {
        f->of[i] = f->n;
        f->owner[f->n++].guest = true;
    }
    return f;
}

static struct owner *owner_of(struct sim *s, const struct device *p)
{
    return &s->folk->owner[s->folk->of[p->no]];
}

static struct slot *slot_of(struct sim *s, struct owner *o, const char *type, const char *key)
{
    struct slot *slot;

    for (int i = 0; i < o->n; i++)
        if (!strcmp(o->slot[i].type, type) && !strcmp(o->slot[i].key, key))
            return &o->slot[i];
    if (o->n == SLOTS)
        lost(s, "too many keys");
    slot = &o->slot[o->n++];
    snprintf(slot->type, sizeof slot->type, "%s", type);
    snprintf(slot->key, sizeof slot->key, "%s", key);
    return slot;
}

static bool is_set(const struct slot *slot)
{
    return strcmp(slot->type, "read") == 0;
}

/* "\"0-17,40\"" as bits; the simulation marks 0 to 63. */
static uint64_t marks_of(const char *value)
{
    uint64_t out = 0;

    for (const char *at = value; *at;) {
        char *end;
        unsigned long from, to;

        if (*at < '0' || *at > '9') {
            at++;
            continue;
        }
        from = to = strtoul(at, &end, 10);
        if (*end == '-')
            to = strtoul(end + 1, &end, 10);
        for (; from <= to && from < 64; from++)
            out |= (uint64_t)1 << from;
        at = end;
    }
    return out;
}

/* ---- what phones write ---- */

void folk_wrote(struct sim *s, const struct device *p, const char *type, const char *key,
                const char *value, bool certainly)
{
    struct slot *slot = slot_of(s, owner_of(s, p), type, key);

    if (is_set(slot)) {
        *(certainly ? &slot->marks : &slot->maybe) |= marks_of(value);
        return;
    }
    for (int i = 0; i < slot->n && certainly; i++)
        slot->w[i].last &= slot->w[i].phone != p->no;
    if (slot->n == WRITES)
        lost(s, "too many writes");
    slot->certain |= certainly;
    slot->w[slot->n] = (struct written){ .phone = p->no, .last = true };
    snprintf(slot->w[slot->n++].value, TEXT, "%s", value);
}

/* ---- who is on a phone ---- */

static void begin_guest(struct sim *s, const struct device *p)
{
    struct folk *f = s->folk;

    if (f->n == OWNERS)
        lost(s, "too many people");
    f->stay[p->no]++;
    f->of[p->no] = f->n;
    f->owner[f->n++] = (struct owner){ .guest = true };
}

static struct owner *find_account(struct folk *f, int64_t account)
{
    for (int i = 0; i < f->n; i++)
        if (!f->owner[i].guest && f->owner[i].account == account)
            return &f->owner[i];
    return NULL;
}

/* What a guest had is part of what an account has, in an order that only the server knows. */
static void merge(struct sim *s, struct owner *to, const struct owner *guest)
{
    to->before += guest->before;
    for (int i = 0; i < guest->n; i++) {
        const struct slot *from = &guest->slot[i];
        struct slot *slot = slot_of(s, to, from->type, from->key);

        slot->open = true;
        slot->marks |= from->marks;
        slot->maybe |= from->maybe;
        for (int k = 0; k < from->n && slot->n < WRITES; k++)
            slot->w[slot->n++] = from->w[k];
    }
}

static void open_all(struct owner *o)
{
    for (int i = 0; i < o->n; i++) {
        o->slot[i].open = true;
        o->slot[i].maybe |= o->slot[i].marks;
        o->slot[i].marks = 0;
    }
}

static void sign_in(struct sim *s, const struct device *p, int64_t account)
{
    struct folk *f = s->folk;
    struct owner *to = find_account(f, account);

    if (!to) {
        if (f->n == OWNERS)
            lost(s, "too many people");
        to = &f->owner[f->n++];
        *to = (struct owner){ .account = account };
    }
    merge(s, to, owner_of(s, p));
    f->unmerged[p->no] |= owner_of(s, p)->account > 0;
    f->of[p->no] = (int)(to - f->owner);
    mail_returns(s, p, account);
    note(s, "phone %d is now of account %" PRId64, p->no, account);
}

int64_t folk_account(struct sim *s, const struct device *p)
{
    return owner_of(s, p)->account;
}

bool folk_is_guest(struct sim *s, const struct device *p)
{
    return owner_of(s, p)->guest;
}

void folk_tries(struct sim *s, const struct device *p)
{
    s->folk->trying[p->no] = true;
}

void folk_leaves(struct sim *s, const struct device *p, bool with_unsent)
{
    s->folk->trying[p->no] = true;
    if (with_unsent) {
        reached(PATH_left_unsent);
        open_all(owner_of(s, p));
    }
}

void folk_restored(struct sim *s, bool before)
{
    struct folk *f = s->folk;

    for (int i = 0; i < f->n; i++) {
        open_all(&f->owner[i]);
        for (int k = 0; k < f->owner[i].n; k++) {
            struct slot *slot = &f->owner[i].slot[k];

            slot->seq = 0;
        }
    }
    for (int i = 0; i < PHONES; i++)
        f->excused[i] = before;
    taken_forget(s);
}

void folk_silent(struct sim *s)
{
    for (int i = 0; i < PHONES; i++)
        s->folk->excused[i] = s->folk->silent[i] = true;
}

void folk_adopted(struct sim *s, const struct device *p)
{
    s->folk->unmerged[p->no] = false;
}

/* A guest whose session is gone is another account from now on, in which all of it is written once more. */
static void begin_again(struct sim *s, struct owner *o)
{
    reached(PATH_guest_again);
    o->before++;
    open_all(o);
    for (int i = 0; i < o->n; i++)
        o->slot[i].seq = 0;
    taken_disown(s, (int)(o - s->folk->owner));
}

/* Who is here, as the phone says it. */
static void meet(struct sim *s, const struct device *p, int64_t account, bool guest)
{
    struct owner *o = owner_of(s, p);
    bool excused = s->folk->excused[p->no], trying = s->folk->trying[p->no];

    if (o->guest && !guest) {
        if (!trying)
            lost(s, "phone %d is signed in, and nobody signed in", p->no);
        sign_in(s, p, account);
    } else if (!o->guest && guest) {
        if (!trying && !excused)
            lost(s, "phone %d lost the session of %" PRId64, p->no, o->account);
        if (!trying || s->folk->unmerged[p->no])
            open_all(o);
        mail_leaves(s, p, o->account, excused && !trying);
        begin_guest(s, p);
    } else if (o->account && account != o->account) {
        if (!excused || !guest)
            lost(s, "phone %d was %" PRId64 "'s and is %" PRId64 "'s", p->no, o->account,
                 account);
        begin_again(s, o);
    }
    s->folk->trying[p->no] = false;
    if (account != owner_of(s, p)->account)
        s->folk->excused[p->no] = false; /* another session */
    owner_of(s, p)->account = account;
}

/* ---- what phones show ---- */

static const struct slot *find_slot(const struct owner *o, const char *type, const char *key)
{
    for (int i = 0; i < o->n; i++)
        if (!strcmp(o->slot[i].type, type) && !strcmp(o->slot[i].key, key))
            return &o->slot[i];
    return NULL;
}

static bool was_written(const struct slot *slot, const char *value, bool last)
{
    if (is_set(slot))
        return !(marks_of(value) & ~(slot->marks | slot->maybe));
    if (!value[0] && !slot->certain)
        return true;
    for (int i = 0; i < slot->n; i++)
        if (!strcmp(slot->w[i].value, value) && (slot->w[i].last || !last))
            return true;
    return false;
}

bool folk_line(char **lines, const char **type, const char **key, const char **value)
{
    char *line = strsep(lines, "\n");

    if (!line || !*line)
        return false;
    *type = strsep(&line, "\t");
    *key = strsep(&line, "\t");
    *value = line ? line : "";
    return *key;
}

void folk_look(struct sim *s, struct device *p, int64_t account, bool guest,
               const char *entries)
{
    char *copy = strdup(entries), *lines = copy;
    const char *type, *key, *value;
    const struct owner *o;

    meet(s, p, account, guest);
    o = owner_of(s, p);
    while (folk_line(&lines, &type, &key, &value)) {
        const struct slot *slot = find_slot(o, type, key);

        if (mail_is_its(type) || !strcmp(type, "answered"))
            continue;
        if (!slot || !was_written(slot, value, false))
            lost(s, "phone %d shows %s %s = %s, which its owner %" PRId64 " never wrote", p->no,
                 type, key, value, o->account);
    }
    free(copy);
}

/* What one key stands at when all is said. */
static void check_slot(struct sim *s, const struct device *p, const struct slot *slot,
                       const char *value)
{
    if (is_set(slot)) {
        if (slot->marks & ~marks_of(value))
            lost(s, "phone %d forgot read marks of %s: shows %s", p->no, slot->key, value);
        return;
    }
    if (slot->open)
        return;
    if (slot->seq && strcmp(slot->taken, value) != 0)
        lost(s,
             "phone %d ends with %s %s = '%s', and the server took '%s' last (seq %" PRId64 ")",
             p->no, slot->type, slot->key, value, slot->taken, slot->seq);
    if (slot->n && !was_written(slot, value, true))
        lost(s, "phone %d ends with %s %s = '%s', which is nobody's last word", p->no,
             slot->type, slot->key, value);
}

void folk_settled(struct sim *s, struct device *p, const char *entries, char *of_owner[])
{
    int no = s->folk->of[p->no];
    const struct owner *o = &s->folk->owner[no];

    for (int i = 0; i < o->n; i++) {
        const struct slot *slot = &o->slot[i];
        char *copy = strdup(entries), *lines = copy;
        const char *type, *key, *value, *found = "";

        while (folk_line(&lines, &type, &key, &value))
            if (!strcmp(type, slot->type) && !strcmp(key, slot->key))
                found = value;
        check_slot(s, p, slot, found);
        free(copy);
    }
    if (of_owner[no] && strcmp(of_owner[no], entries) != 0)
        lost(s, "two phones of account %" PRId64 " end differently:\n%s\nand\n%s", o->account,
             of_owner[no], entries);
    free(of_owner[no]);
    of_owner[no] = strdup(entries);
}

/* ---- what the network sees ---- */

/* Whose device that is: of who was on the phone when it was first heard of. */
static struct owner *owner_of_device(struct sim *s, const struct device *p, const char *id)
{
    struct folk *f = s->folk;
    int i = 0;

    while (i < f->ndevices && strcmp(f->device[i].id, id) != 0)
        i++;
    if (i == DEVICES)
        lost(s, "too many devices");
    if (i == f->ndevices) {
        f->device[i].owner = f->of[p->no];
        snprintf(f->device[f->ndevices++].id, sizeof f->device->id, "%s", id);
    }
    return &f->owner[f->device[i].owner];
}

void folk_device(struct sim *s, const struct device *p, const char *id)
{
    owner_of_device(s, p, id);
}

int64_t folk_device_account(struct sim *s, const struct device *p, const char *id)
{
    return owner_of_device(s, p, id)->account;
}

bool folk_device_is_guests(struct sim *s, const struct device *p, const char *id)
{
    return owner_of_device(s, p, id)->guest;
}

void folk_took(struct sim *s, const struct device *p, const char *device,
               const json_t *mutation, const json_t *result)
{
    struct owner *o = owner_of_device(s, p, device);
    const char *type = json_string_value(json_object_get(mutation, "type")),
               *key = json_string_value(json_object_get(mutation, "key")),
               *what = json_string_value(json_object_get(result, "result"));
    const json_t *v = json_object_get(mutation, "value");
    struct taken t = { .owner = (int)(o - s->folk->owner),
                       .phone = p->no,
                       .stay = s->folk->stay[p->no],
                       .n = json_integer_value(json_object_get(mutation, "n")),
                       .seq = json_integer_value(json_object_get(result, "seq")) };
    struct slot *slot;
    char *value;

    if (what && !strcmp(what, "refused"))
        lost(s, "the server refuses %s %s: %s", type, key,
             json_string_value(json_object_get(result, "code")));
    if (!what || strcmp(what, "done") != 0)
        return;
    value = v && !json_is_null(v)
                ? json_dumps(v, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY)
                : strdup("");
    slot = slot_of(s, o, type, key);
    snprintf(t.device, sizeof t.device, "%s", device);
    snprintf(t.content, sizeof t.content, "%s %s %s", type, key, value);
    taken_add(s, &t, slot->open);
    if (t.seq > slot->seq && !is_set(slot)) {
        slot->seq = t.seq;
        snprintf(slot->taken, sizeof slot->taken, "%s", value);
    }
    free(value);
}

/* The phone knows by now that who was here has no session any more. */
void folk_introduces(struct sim *s, const struct device *p)
{
    struct owner *o = owner_of(s, p);

    if (!o->guest && !s->folk->excused[p->no] && !s->folk->trying[p->no])
        lost(s, "phone %d lost the session of %" PRId64, p->no, o->account);
    if (!o->guest) {
        open_all(o);
        mail_leaves(s, p, o->account, !s->folk->trying[p->no]);
        begin_guest(s, p);
    } else if (o->account) {
        begin_again(s, o);
    }
}

/* ---- votes ---- */

/* Somebody has that account, and what he wrote last was seen. */
static bool is_plain(const struct sim *s, int owner, const struct slot *slot)
{
    const struct owner *o = &s->folk->owner[owner];
    bool here = !o->guest;

    for (int i = 0; i < PHONES; i++)
        here |= s->folk->of[i] == owner;
    return here && o->account && !slot->open && slot->seq;
}

static bool ever_wrote(const struct slot *slot, const char *value)
{
    for (int i = 0; i < slot->n; i++)
        if (!strcmp(slot->w[i].value, value))
            return true;
    return false;
}

void folk_votes(struct sim *s, const char *item, const char *value, int *least, int *most)
{
    char key[TEXT];

    snprintf(key, sizeof key, "main/%s", item);
    *least = *most = 0;
    for (int i = 0; i < s->folk->n; i++) {
        const struct slot *slot = find_slot(&s->folk->owner[i], "vote", key);
        bool plain = slot && is_plain(s, i, slot);

        if (!slot)
            continue;
        *least += plain && !strcmp(slot->taken, value);
        *most += plain ? !strcmp(slot->taken, value) : ever_wrote(slot, value);
        *most += ever_wrote(slot, value) ? s->folk->owner[i].before : 0;
    }
}

/* ---- for how long who is heard of ---- */

void folk_ends(struct sim *s, const struct device *p)
{
    s->folk->ending[p->no] = true;
}

bool folk_is_ending(struct sim *s, const struct device *p)
{
    return s->folk->ending[p->no];
}

void folk_excuse(struct sim *s, const struct device *p)
{
    s->folk->excused[p->no] = true;
}

bool folk_is_excused(struct sim *s, const struct device *p)
{
    return s->folk->excused[p->no];
}

int64_t folk_contact(struct sim *s, const struct device *p)
{
    return s->folk->contact[p->no];
}

void folk_heard(struct sim *s, const struct device *p)
{
    s->folk->contact[p->no] = *turns_now_us / 1000000;
    if (s->folk->silent[p->no])
        reached(PATH_buried);
    s->folk->silent[p->no] = false;
}
