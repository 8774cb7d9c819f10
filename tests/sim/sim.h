/*
 * sim.h - one simulated town: a server, its phones, the network between them, and what must be true of them.
 *
 *     main.c     seeds, one process each
 *     round.c    what happens, by the dice
 *     staff.c    what the staff do
 *     clerk.c    what they do with letters and messages
 *     use.c      what people do with their phones
 *     use_mail.c ... and with letters and messages
 *     use_read.c ... and with items: read, answer, keep, hold fewer
 *     net.c      what the network does to an exchange
 *     truth.c    what was published: a plain list
 *     folk.c     what belongs to people: a plain map
 *     taken.c    which mutations were taken: a plain list
 *     session.c  refresh tokens: a plain list
 *     mail.c     letters: plain lists; mail_end.c: what must be true of them in the end
 *     notice.c   messages: a plain list
 *     poll.c     answers to surveys: a plain list
 *     tally.c    reads and votes: sums
 *     exchange.c what the network sees goes to who keeps what is true of it
 *     reached.c  rare paths, counted
 *     server.c, phone.c    the processes, each on turns.c (threads, time) and disk.c (files)
 */
#ifndef TESTS_SIM_SIM_H
#define TESTS_SIM_SIM_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "server/http/route.h"
#include "tests/sim/dice.h"
#include "tests/sim/line.h"
#include "tests/sim/phone.h"
#include "tests/sim/server.h"

enum {
    PHONES = 4,
    ITEMS = 40, /* that come one by one */
    LIBRARY =
        1060, /* that are there from the beginning in some towns: more than a phone with a horizon holds */
    ITEMS_MOST = ITEMS + LIBRARY,
    CHANGES = LIBRARY + 600,
    EPOCHS = 24,
    PATHS = 96,
    OPERATOR = -1
};

/* What towns differ in; which one a seed has, its dice say. */
enum town { TOWN_PLAIN, TOWN_FAMILY, TOWN_LIBRARY, TOWN_RESTORED, TOWN_SILENT, TOWNS };

#define UNIT       "office" /* that handles letters */
#define OTHER_UNIT "bureau" /* to which some are handed on */

/* A process of ours, and the line to it. */
struct child {
    pid_t pid; /* 0: it does not run */
    int fd;
    unsigned life; /* how often it was started: its dice depend on it */
};

/* What the stream was after each change: the title that an item has since, "" for none. */
struct truth {
    uint64_t epoch, seq;
    struct {
        int item;
        char title[32];
    } change[CHANGES + 1];
};

struct device {
    struct child child;
    int no;
    char dir[PATHS];
    uint64_t epoch, seq; /* the cursor last shown */
    char code[16];       /* that came by a short message */
    bool all;            /* it has said that it holds all there is */
    int horizon;         /* so many items it was told to hold; 0: all; -1: nobody knows */
};

struct net;
struct folk;
struct takens;
struct sessions;
struct mail;
struct notices;
struct polls;
struct tallies;

struct sim {
    uint64_t seed;
    struct dice dice;
    enum town town;
    char dir[PATHS], server_dir[PATHS], backup_dir[PATHS];
    unsigned step, written, quarters; /* quarters: of a year that passed at once */
    bool faults, verbose;
    uint64_t hash; /* of all that was noted */
    struct child server;
    struct device phone[PHONES];
    struct net *net;
    struct folk *folk;
    struct takens *takens;
    struct sessions *sessions;
    struct mail *mail;
    struct notices *notices;
    struct polls *polls;
    struct tallies *tallies;
    struct truth past[EPOCHS]; /* the last is how it is */
    int npast;
    int item_version[ITEMS_MOST]; /* 0: not there yet, -1: taken away for good */
    uint64_t backup_seq;
    bool backed_up;
};

/* Something that is part of the run: printed if --verbose, and hashed, so that the same seed can be seen to give the same run. */
void note(struct sim *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The round is lost: prints the seed, and ends this process. */
_Noreturn void lost(struct sim *s, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void pass(struct sim *s, int64_t ms); /* time */

/* ---- processes ---- */

void server_begin(struct sim *s, const char *restore,
                  bool may_end); /* until it stands; it may end while it starts */
void server_crash_soon(struct sim *s);
void server_end(struct sim *s);  /* well */
void server_kill(struct sim *s); /* kill -9 */
/* False: it ended; then it does not run. The answer is to be freed by message_done(). */
bool server_ask(struct sim *s, const struct message *m, struct message *out);
bool server_request(struct sim *s, enum method method, const char *target, const char *headers,
                    const char *body, size_t n, int who, struct message *out);

bool phone_begin(struct sim *s, struct device *p, bool may_end);
void phone_crash_soon(struct sim *s, struct device *p);
bool phone_do(struct sim *s, struct device *p, int what, struct message *out);
bool phone_tell(struct sim *s, struct device *p, int what, const char *text[TEXTS],
                struct message *out);
void phone_end(struct device *p);

/* ---- the network ---- */

struct net *net_new(void);
void net_free(struct net *n);
/* A request of a phone, and what comes back to it. */
void net_carry(struct sim *s, struct device *p, const struct message *ask,
               struct message *answer);

/* ---- what is true ---- */

struct truth *truth_now(struct sim *s);
void truth_add(struct sim *s, int item, const char *title);
const char *truth_title(struct sim *s, int item); /* "": it is not public */
/* Whether a phone that is to hold so many needs not hold all there is. */
bool truth_is_beyond(struct sim *s, int horizon);
/* After a restart: whether the change that was under way happened. Also after a restore. */
void truth_settle(struct sim *s, bool under_way, int item, const char *title);
void truth_restored(struct sim *s);
/* What a phone shows is what was signed at its cursor. */
void truth_check(struct sim *s, struct device *p, const char *cursor, const char *lines);

/* ---- who does what ---- */

/* The server is up again, and what was under way when it ended is settled. */
void staff_mend(struct sim *s, bool under_way, int item, const char *title);
void staff_prepare(struct sim *s); /* a library */
void staff_publish(struct sim *s);
bool staff_find_id(struct sim *s, const char *title,
                   char id[40]); /* false: the server ended over it */
void staff_take_away(struct sim *s);
void staff_close_survey(struct sim *s);
void staff_back_up(struct sim *s);
void staff_restore(struct sim *s);

/* May leave the server ended: staff_mend(). */
void clerk_open(struct sim *s);
void clerk_handle(struct sim *s);
void clerk_import(struct sim *s);
void clerk_send(struct sim *s);
void clerk_withdraw(struct sim *s);

/* What a phone shows of its owner; *entries is to be freed. False: it ended over it. */
bool use_look(struct sim *s, struct device *p, char **entries, unsigned long *unsent);
void use_see(struct sim *s, struct device *p); /* again and again until it does not */
void use_sync(struct sim *s, struct device *p);
void use_write(struct sim *s, struct device *p);
void use_put(struct sim *s, struct device *p, const char *type, const char *key,
             const char *value);
void use_sign_in(struct sim *s, struct device *p);
void use_sign_out(struct sim *s, struct device *p);
void use_answer(struct sim *s, struct device *p); /* a survey */
void use_read(struct sim *s, struct device *p);   /* an item, which is counted if he agreed */
void use_read_last(struct sim *s, struct device *p);
/* The id under which the phone shows one of the first items. False: it shows none, or ended over it. */
bool use_find(struct sim *s, struct device *p, char id[40], int *item);
void use_favour(struct sim *s, struct device *p); /* an item, or says how useful it was */
void use_horizon(struct sim *s, struct device *p);
void use_fetch(struct sim *s, struct device *p); /* from below it */
void use_letter(struct sim *s, struct device *p);
void use_act(struct sim *s, struct device *p); /* to a letter */
void use_message(struct sim *s, struct device *p);
/* The letters that it shows, a JSON object a line, to be freed. NULL: it ended over it. */
char *use_letters(struct sim *s, struct device *p);

void round_run(struct sim *s);

#endif
