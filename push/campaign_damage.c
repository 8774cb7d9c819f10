/*
 * campaign_damage.c - a campaign stops, with its reason.
 */
#include "push/campaign_damage.h"

#include "push/campaign_step.h"
#include "push/run.h"
#include "push/sets.h"
#include "server/base/log.h"
#include "server/store/db.h"

static const char reason[] = "数据损坏，已停下：";

static enum rc mend(struct work *w, int64_t run, bool *any)
{
    int rows, sets;
    enum rc rc;

    *any = false;
    if ((rc = run_mend(w, run, &rows)) || (rc = sets_mend(w, &sets)))
        return rc;
    *any = rows || sets;
    return RC_OK;
}

/* It runs as its campaign says; a campaign that is recalled already, or a run that never began, has nothing to pause. */
static enum rc pause_run(struct work *w, int64_t run)
{
    enum run_state state;
    enum rc rc = run_state(w, run, &state);

    if (rc == RC_NOT_FOUND)
        return RC_OK;
    return rc || state != RUN_RUNNING ? rc : run_pause(w, run, true);
}

/* Not even its own row can be read. */
static enum rc halt(struct work *w, int64_t no)
{
    enum rc rc = db_run(w, SQL_push_campaign_halt, "i", no);

    return rc ? rc : pause_run(w, no);
}

static enum rc pause_it(struct work *w, int64_t no, const char *why)
{
    const char *text = arena_printf(w->mem, "%s%.300s", reason, why);
    struct campaign c;
    enum rc rc;

    if ((rc = campaign_find(w, no, &c)))
        return rc == RC_NOT_FOUND || rc == RC_CORRUPT ? halt(w, no) : rc;
    if (!(campaign_steps[CAMPAIGN_DO_DAMAGED].from >> c.state & 1))
        return RC_OK;
    if ((rc = campaign_log(w, &c, CAMPAIGN_DO_DAMAGED, CAMPAIGN_PAUSED, text)))
        return rc;
    return pause_run(w, no);
}

enum rc campaign_damaged(struct work *w, int64_t run, const char *why)
{
    bool mended, own = run_kind(run) == RUN_OWN;
    enum run_state state = RUN_RUNNING;
    enum rc rc;

    LOG(LOG_ERROR, "push_damaged", L_INT("run", run), L_STR("why", why));
    if ((rc = mend(w, run, &mended)))
        return rc;
    if (own && (rc = pause_it(w, run, why)))
        return rc;
    rc = run_state(w, run, &state);
    if (rc == RC_NOT_FOUND || (!rc && (mended || (own && state != RUN_STOPPING))))
        return RC_OK;
    return rc ? rc : run_give_up(w, run);
}
