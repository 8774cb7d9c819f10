/*
 * round.c - what happens in one town, by the dice. After each step what must be true is looked at. In the end the faults stop, each phone syncs, and all
 * show the same.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/sim/folk.h"
#include "tests/sim/mail.h"
#include "tests/sim/notice.h"
#include "tests/sim/poll.h"
#include "tests/sim/reached.h"
#include "tests/sim/tally.h"

enum { STEPS = 100, QUARTERS = 2 };

static const int64_t HOUR_MS = 3600 * 1000;

/* About as long as a session rests and the server waits for a device: some come back in time, some do not. */
static void a_quarter_passes(struct sim *s)
{
    if (s->quarters == QUARTERS)
        return;
    s->quarters++;
    pass(s, 1000 * ((int64_t)88 * 86400 + dice_roll(&s->dice, 4 * 86400)));
    note(s, "a quarter of a year passes");
    folk_silent(s);
}

/* Two of one account: the other one of them. NULL: there is none. */
static struct device *twin_of(struct sim *s, const struct device *p)
{
    for (int i = 0; i < PHONES && !folk_is_guest(s, p); i++)
        if (&s->phone[i] != p && folk_account(s, p) &&
            folk_account(s, &s->phone[i]) == folk_account(s, p))
            return &s->phone[i];
    return NULL;
}

/*
 * A device that nobody hears of for so long that what was removed meanwhile is forgotten, and whose session is just good still: it was heard of on a day,
 * and its session used on the next.
 */
static void one_is_silent(struct sim *s, struct device *p)
{
    static const char key[] = "main/0190b1c2-0000-7000-8000-000000000009";
    struct device *twin = twin_of(s, p);
    char value[24];

    if (!twin || s->quarters == QUARTERS)
        return;
    s->quarters++;
    note(s, "phone %d will be silent, and phone %d goes on", p->no, twin->no);
    snprintf(value, sizeof value, "{\"at\":%u}", 1000 + ++s->written);
    use_put(s, twin, "fav", key, value);
    use_sync(s, twin);
    use_sync(s, p);
    pass(s, 20 * HOUR_MS);
    use_sync(s, p);
    use_put(s, twin, "fav", key, "");
    use_sync(s, twin);
    use_sync(s, twin);
    pass(s, (89 * 24 + 12) * HOUR_MS);
    folk_silent(s);
    use_sync(s, twin);
    use_sync(s, twin);
    use_sync(s, p);
}

static void phone_is_ended(struct sim *s, struct device *p)
{
    (void)s;
    phone_end(p);
}

/* One leaves, and another one comes. */
static void it_changes_hands(struct sim *s, struct device *p)
{
    use_sign_in(s, p);
    use_sign_out(s, p);
    use_sign_in(s, p);
}

/* Written without a network, and its writer gone: it waits for him, whoever has the phone meanwhile. */
static void a_letter_is_left(struct sim *s, struct device *p)
{
    use_sign_in(s, p);
    use_see(s, p);
    use_letter(s, p);
    use_sign_out(s, p);
    use_see(s, p);
    if (dice_one_in(&s->dice, 3))
        use_sync(s, p);
    use_sign_in(s, p);
}

/* To the next day or so: what was read on the last one is told of. */
static void a_day_passes(struct sim *s)
{
    pass(s, (24 + (int64_t)dice_roll(&s->dice, 24)) * HOUR_MS);
}

static void time_passes(struct sim *s)
{
    pass(s, 1000 * (int64_t)dice_roll(&s->dice, dice_one_in(&s->dice, 2) ? 200000 : 20000));
}

/* By how many of all of them in a town. */
/* clang-format off */
static const struct {
    void (*by_staff)(struct sim *s);
    void (*on_phone)(struct sim *s, struct device *p);
    uint8_t weight[TOWNS];
} happenings[] = {
    /*                             plain  family  library  restored  silent */
    { staff_publish, NULL,         {  10,      8,      10,       10,      6 } },
    { staff_take_away, NULL,       {   3,      3,       4,        4,      2 } },
    { staff_close_survey, NULL,    {   2,      3,       1,        2,      0 } },
    { clerk_handle, NULL,          {  10,     10,       1,        2,      1 } },
    { clerk_import, NULL,          {   2,      2,       1,        2,      0 } },
    { clerk_send, NULL,            {   1,      1,       1,        1,      1 } },
    { clerk_withdraw, NULL,        {   1,      1,       1,        1,      1 } },
    { NULL, use_letter,            {   4,      4,       1,       10,      1 } },
    { NULL, use_act,               {   8,      8,       1,        2,      1 } },
    { NULL, use_message,           {   2,      2,       1,        1,      1 } },
    { NULL, use_favour,            {   6,      6,       4,        4,      3 } },
    { NULL, use_write,             {  12,     12,       9,        9,     14 } },
    { NULL, use_answer,            {   4,      5,       2,        6,      2 } },
    { NULL, use_read,              {   8,      8,       4,        6,      2 } },
    { NULL, use_horizon,           {   0,      0,       5,        0,      0 } },
    { NULL, use_fetch,             {   0,      0,       4,        0,      0 } },
    { NULL, use_sync,              {  28,     28,      28,       26,     24 } },
    { NULL, use_sign_in,           {   5,      5,       4,        9,      8 } },
    { NULL, use_sign_out,          {   1,      1,       1,        1,      1 } },
    { NULL, it_changes_hands,      {   4,      0,       2,        4,      0 } },
    { NULL, a_letter_is_left,      {   3,      4,       1,        3,      1 } },
    { server_crash_soon, NULL,     {   6,      6,       6,        5,      4 } },
    { NULL, phone_crash_soon,      {   6,      6,       6,        5,      4 } },
    { server_kill, NULL,           {   3,      3,       3,        3,      2 } },
    { NULL, phone_is_ended,        {   3,      3,       3,        3,      3 } },
    { server_end, NULL,            {   1,      1,       1,        1,      1 } },
    { staff_back_up, NULL,         {   2,      2,       2,        6,      1 } },
    { staff_restore, NULL,         {   1,      1,       1,        6,      0 } },
    { a_quarter_passes, NULL,      {   1,      1,       1,        1,      0 } },
    { NULL, one_is_silent,         {   0,      1,       0,        0,      5 } },
    { a_day_passes, NULL,          {   5,      5,       2,        4,      1 } },
    { time_passes, NULL,           {   6,      6,       5,        5,      5 } },
};
/* clang-format on */

static void one_step(struct sim *s)
{
    struct device *p = &s->phone[dice_roll(&s->dice, PHONES)];
    size_t i, n = sizeof happenings / sizeof *happenings;
    uint32_t all = 0, what;

    for (i = 0; i < n; i++)
        all += happenings[i].weight[s->town];
    what = dice_roll(&s->dice, all);
    for (i = 0; what >= happenings[i].weight[s->town]; i++)
        what -= happenings[i].weight[s->town];
    if (happenings[i].by_staff)
        happenings[i].by_staff(s);
    else
        happenings[i].on_phone(s, p);
    staff_mend(s, false, 0, "");
    if (happenings[i].on_phone)
        use_see(s, p);
}

/* ---- in the end ---- */

static void sync_last(struct sim *s, struct device *p)
{
    phone_end(p);
    use_sync(s, p);
    if (p->epoch != truth_now(s)->epoch || p->seq != truth_now(s)->seq)
        lost(s, "phone %d ends at %" PRIu64 ".%" PRIu64 ", the server at %" PRIu64 ".%" PRIu64,
             p->no, p->epoch, p->seq, truth_now(s)->epoch, truth_now(s)->seq);
    if (p->horizon >= 0 && p->all == truth_is_beyond(s, p->horizon))
        lost(s, "phone %d was told to hold %d, and %s", p->no, p->horizon,
             p->all ? "holds all" : "does not hold all");
    pass(s, 700000);
}

static void verify(struct sim *s, struct device *p)
{
    struct message m;

    if (!phone_do(s, p, PHONE_VERIFY, &m))
        lost(s, "phone %d ended though nothing is wrong", p->no);
    if (m.number)
        lost(s, "phone %d holds what was not signed: %d %s", p->no, m.number, m.text[0]);
    reached(PATH_verified);
    message_done(&m);
}

/* All that belongs to its owner is exchanged, and as it must be. */
static void agree(struct sim *s, struct device *p, char *of_owner[])
{
    unsigned long unsent;
    char *entries, *letters;

    if (!use_look(s, p, &entries, &unsent))
        lost(s, "phone %d ended though nothing is wrong", p->no);
    if (unsent)
        lost(s, "phone %d ends with %lu unsent", p->no, unsent);
    folk_settled(s, p, entries, of_owner);
    if (!(letters = use_letters(s, p)))
        lost(s, "phone %d ended though nothing is wrong", p->no);
    mail_settled(s, p, entries, letters);
    notice_settled(s, p, folk_account(s, p), entries);
    poll_settled(s, p, folk_account(s, p), entries);
    verify(s, p);
    free(entries);
    free(letters);
    phone_end(p);
}

static void settle(struct sim *s)
{
    char *of_owner[64] = { NULL };
    struct message m = { .kind = SERVER_END_AT }, out;

    s->faults = false;
    if (server_ask(s, &m, &out))
        message_done(&out);
    staff_mend(s, false, 0, "");
    pass(s, 600000);
    note(s, "the faults stop");
    for (int i = 0; i < PHONES; i++) {
        sync_last(s, &s->phone[i]);
        use_read_last(s, &s->phone[i]);
        if (s->town == TOWN_LIBRARY)
            use_horizon(s, &s->phone[i]);
    }
    pass(s, 48 * HOUR_MS);               /* reads are told of on the day after */
    for (int i = 0; i < 2 * PHONES; i++) /* twice: what the last ones sent comes to the first */
        sync_last(s, &s->phone[i % PHONES]);
    mail_audit(s);
    poll_audit(s);
    tally_audit(s);
    for (int i = 0; i < PHONES; i++)
        agree(s, &s->phone[i], of_owner);
    for (size_t i = 0; i < sizeof of_owner / sizeof *of_owner; i++)
        free(of_owner[i]);
    server_end(s);
}

void round_run(struct sim *s)
{
    server_begin(s, NULL, false);
    truth_settle(s, false, 0, "");
    clerk_open(s);
    s->town = (enum town)dice_roll(&s->dice, TOWNS);
    if (s->town == TOWN_LIBRARY)
        staff_prepare(s);
    for (int i = 1; i < PHONES; i++) {
        use_sign_in(s, &s->phone[i]);
        use_see(s, &s->phone[i]);
    }
    s->faults = true;
    for (s->step = 1; s->step <= STEPS; s->step++) {
        pass(s, 100 + dice_roll(&s->dice, 5000));
        one_step(s);
    }
    settle(s);
}
