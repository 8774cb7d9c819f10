/*
 * adopt.c - the table of what belongs to a citizen and moves. Whoever keeps rows of citizens elsewhere (letters, surveys) adds a row.
 */
#include "server/citizen/adopt.h"

#include "server/citizen/entry.h"
#include "server/citizen/inbox.h"
#include "server/citizen/survey.h"
#include "server/store/db.h"
#include "sync/state.h"

enum { PAGE = 1000 };

static enum rc move_entry(struct work *w, int64_t into, const struct entry *e)
{
    const struct state_type *t = state_type_find(e->type);
    struct entry there = { 0 };
    enum rc rc;

    if (!e->value || !t)
        return RC_OK;
    rc = entry_get(w, into, e->type, e->key, &there);
    if ((rc && rc != RC_NOT_FOUND) || (there.value && t->rule != MERGE_UNION))
        return rc;
    rc = entry_put(w, into, e->type, e->key, e->value, e->needs, NULL);
    return rc == RC_TOO_MANY ? RC_OK : rc;
}

static enum rc move_entries(struct work *w, int64_t from, int64_t into)
{
    struct entry_page page = { .most = PAGE, .tombstones = INT64_MAX };
    enum rc rc;

    do {
        rc = entry_list(w, from, &page);
        for (int i = 0; i < page.n && !rc; i++)
            rc = move_entry(w, into, &page.entries[i]);
        if (page.n)
            page.since = page.entries[page.n - 1].seq;
    } while (!rc && page.more);
    return rc;
}

/* A file that both have uploaded is the other's already, unless a letter of this one alone names it. */
static enum rc move_letters(struct work *w, int64_t from, int64_t into)
{
    enum rc rc = db_run(w, SQL_letter_move, "ii", from, into);

    if (!rc)
        rc = db_run(w, SQL_letter_file_yield, "ii", from, into);
    return rc ? rc : db_run(w, SQL_letter_file_move, "ii", from, into);
}

/* A phone that signs in is reached where it was, until the session by which it came ends. */
static enum rc move_address(struct work *w, int64_t from, int64_t into)
{
    enum rc rc = db_run(w, SQL_push_address_move, "iii", from, into, w->who.session);

    return rc ? rc : db_run(w, SQL_erase_push_address, "i", from);
}

static enum rc move_notices(struct work *w, int64_t from, int64_t into)
{
    return db_run(w, SQL_notice_move, "ii", from, into);
}

static enum rc drop_state(struct work *w, int64_t from, int64_t into)
{
    static const enum sql all[] = { SQL_erase_entry, SQL_erase_entry_tally, SQL_erase_citizen,
                                    SQL_erase_device_result, SQL_erase_device };
    enum rc rc = RC_OK;

    (void)into;
    for (size_t i = 0; i < sizeof all / sizeof *all && !rc; i++)
        rc = db_run(w, all[i], "i", from);
    return rc;
}

static enum rc (*const movers[])(struct work *w, int64_t from, int64_t into) = {
    inbox_move,   move_entries, move_letters, survey_adopt,
    move_address, move_notices, drop_state,
};

enum rc adopt(struct work *w, int64_t from, int64_t into)
{
    enum rc rc = RC_OK;

    for (size_t i = 0; i < sizeof movers / sizeof *movers && !rc; i++)
        rc = movers[i](w, from, into);
    return rc;
}
