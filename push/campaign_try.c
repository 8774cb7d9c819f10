/*
 * campaign_try.c - a test send: what citizens would get, to the testers' phones alone.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "push/campaign.h"
#include "server/base/conf.h"
#include "server/citizen/inbox.h"
#include "server/store/db.h"

enum { PART = 8 /* bytes of the hash that tell one draft from another */ };

static enum rc send_to(struct work *w, int64_t account, const struct campaign *c,
                       const struct campaign_shown *shown)
{
    char part[2 * PART + 1];
    struct message m = { .kind = "campaign",
                         .group = arena_printf(w->mem, "push-test/%" PRId64 "/%s", c->no,
                                               hex_text(c->hash, PART, part)),
                         .title = arena_printf(w->mem, "【试发】%s", shown->title),
                         .text = shown->text,
                         .item = &c->item };
    enum rc rc = inbox_put(w, account, &m, NULL);

    if (rc == RC_NOT_FOUND)
        return err_set(&w->err, RC_CONFLICT, "设置 push_testers 里的账号 %" PRId64 " 不存在",
                       account);
    return rc;
}

static enum rc count_phones(struct work *w, int64_t account, int *phones)
{
    struct rows q;
    enum rc rc = db_query(w, SQL_push_address_reached, &q, "i", account);

    if (rc)
        return rc;
    while (rows_next(&q))
        *phones += campaign_is_on((enum transport)rows_int(&q, 1));
    return rows_done(&q);
}

enum rc campaign_try(struct work *w, const struct campaign *c, int *phones)
{
    const struct conf_list *testers = campaign_settled()->testers;
    struct campaign_shown shown;
    enum rc rc;

    if (!testers || !testers->n)
        return err_set(
            &w->err, RC_CONFLICT,
            "没有可以试发的手机：请管理员在设置 push_testers 里写明试收人的账号编号");
    if ((rc = campaign_shown(w, c, &shown)))
        return rc;
    *phones = 0;
    for (int i = 0; i < testers->n; i++) {
        int64_t account = strtoll(testers->v[i], NULL, 10);

        if ((rc = send_to(w, account, c, &shown)) || (rc = count_phones(w, account, phones)))
            return rc;
    }
    return RC_OK;
}
