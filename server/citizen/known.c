/*
 * known.c - a table of fixed size in sets of four places; who comes into a full set takes the place of the next in turn.
 *
 * A place that is expected and not found yet is there with -1, which nobody is told. If it is taken away in between, what is found is dropped: that it is the newest is not sure any
 * more. So nothing in the table is ever older than the last COMMIT.
 */
#include "server/citizen/known.h"

#include <pthread.h>
#include <string.h>

#include "sync/state.h"

enum { SETS = 1 << 15, WAYS = 4, LOCKS = 64 };

struct name {
    int64_t account;
    char device[STATE_DEVICE]; /* zeros: the account itself */
};

struct place {
    struct name name; /* account 0: empty */
    struct known what;
};

static struct set {
    struct place place[WAYS];
    unsigned turn;
} sets[SETS];

static pthread_mutex_t locks[LOCKS] = { [0 ... LOCKS - 1] = PTHREAD_MUTEX_INITIALIZER };

static struct name name_of(int64_t account, const char *device)
{
    struct name n = { .account = account };

    if (device)
        memcpy(n.device, device, strnlen(device, sizeof n.device));
    return n;
}

/* Devices are drawn at random by whoever likes, accounts are counted: a clash costs a look into the database. */
static unsigned set_of(const struct name *n)
{
    uint64_t device, h;

    memcpy(&device, n->device, sizeof device);
    h = ((uint64_t)n->account ^ device) * UINT64_C(0x9e3779b97f4a7c15);
    return (unsigned)(h >> 40) % SETS;
}

static struct place *find(struct set *s, const struct name *n)
{
    for (int i = 0; i < WAYS; i++)
        if (s->place[i].name.account == n->account &&
            !memcmp(s->place[i].name.device, n->device, STATE_DEVICE))
            return &s->place[i];
    return NULL;
}

/* Its place, with -1 if it had none. */
static struct place *take(struct set *s, const struct name *n)
{
    struct place *p = find(s, n);

    if (p)
        return p;
    p = &s->place[s->turn++ % WAYS];
    *p = (struct place){ *n, { -1, -1 } };
    return p;
}

static void raise(struct known *to, struct known by)
{
    to->a = by.a > to->a ? by.a : to->a;
    to->b = by.b > to->b ? by.b : to->b;
}

/* What is done with a set while nobody else may look at it. */
static void at(struct name n,
               void (*fn)(struct set *s, const struct name *n, struct known *what),
               struct known *what)
{
    unsigned i = set_of(&n);

    if (!n.account)
        return;
    pthread_mutex_lock(&locks[i % LOCKS]);
    fn(&sets[i], &n, what);
    pthread_mutex_unlock(&locks[i % LOCKS]);
}

static void get(struct set *s, const struct name *n, struct known *what)
{
    const struct place *p = find(s, n);

    if (p)
        *what = p->what;
}

static void expect(struct set *s, const struct name *n, struct known *unused)
{
    (void)unused;
    take(s, n);
}

static void found(struct set *s, const struct name *n, struct known *what)
{
    struct place *p = find(s, n);

    if (p)
        raise(&p->what, *what);
}

static void put(struct set *s, const struct name *n, struct known *what)
{
    raise(&take(s, n)->what, *what);
}

static void drop(struct set *s, const struct name *n, struct known *unused)
{
    struct place *p = find(s, n);

    (void)unused;
    if (p)
        *p = (struct place){ 0 };
}

bool known_get(int64_t account, const char *device, struct known *out)
{
    struct known what = { -1, -1 };

    at(name_of(account, device), get, &what);
    if (what.a < 0)
        return false;
    *out = what;
    return true;
}

void known_expect(int64_t account, const char *device)
{
    at(name_of(account, device), expect, NULL);
}

void known_found(int64_t account, const char *device, struct known what)
{
    at(name_of(account, device), found, &what);
}

void known_put(int64_t account, const char *device, struct known what)
{
    at(name_of(account, device), put, &what);
}

void known_drop(int64_t account, const char *device)
{
    at(name_of(account, device), drop, NULL);
}

void known_forget_all(void)
{
    for (unsigned i = 0; i < SETS; i++) {
        pthread_mutex_lock(&locks[i % LOCKS]);
        sets[i] = (struct set){ 0 };
        pthread_mutex_unlock(&locks[i % LOCKS]);
    }
}
