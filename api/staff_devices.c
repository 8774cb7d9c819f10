/*
 * staff_devices.c - the lists, and who waits to stand on one. A site goes by its code or number; without one it is the list for all sites.
 */
#include "api/staff_devices.h"

#include <inttypes.h>
#include <string.h>

#include "api/view.h"
#include "server/base/be64.h"
#include "server/base/jx.h"
#include "server/identity/account.h"
#include "server/identity/staff_device.h"

enum { NUMBER_TEXT = 16 };

const struct param staff_device_params[] = {
    { "device", P_TEXT, NUMBER_TEXT, NUMBER_TEXT, "设备的编号，16 位十六进制" },
    { "site", P_TEXT, 1, 64, "站点标识码，或编号；不给则是全部站点的名单" },
    { 0 }
};

static void put_number(struct work *w, struct buf *b, uint64_t machine)
{
    jx_put_text(b, "device", arena_printf(w->mem, STAFF_DEVICE_NAME, machine));
}

static enum rc put_listed(struct work *w, struct buf *b, struct places *p,
                          const struct staff_device *d)
{
    const struct site *site;
    enum rc rc;

    buf_adds(b, b->p[b->n - 1] == '[' ? "{" : ",{");
    put_number(w, b, d->machine);
    jx_put_text(b, "giver", d->giver);
    jx_put_text(b, "name", d->name);
    view_time(b, "since", d->since);
    if (d->site != EVERYWHERE) {
        if ((rc = places_site(w, p, d->site, &site)))
            return rc;
        jx_put_text(b, "site", site->code);
    }
    buf_addc(b, '}');
    return RC_OK;
}

static enum rc put_waiting(struct work *w, struct buf *b, const struct staff_waiting *x)
{
    struct account a;
    enum rc rc;

    if ((rc = account_by_id(w, x->account, &a)))
        return rc;
    buf_adds(b, b->p[b->n - 1] == '[' ? "{" : ",{");
    jx_put_int(b, "account", a.id);
    put_number(w, b, x->machine);
    jx_put_text(b, "kind", x->device);
    jx_put_text(b, "person", a.name);
    view_time(b, "used", x->used);
    buf_addc(b, '}');
    return RC_OK;
}

static enum rc reply_devices(struct work *w, struct reply *rp)
{
    struct buf b = BUF_IN(w->mem);
    struct places places = PLACES_NONE;
    struct staff_waiting *waiting;
    struct staff_device *list;
    int n, nwaiting;
    enum rc rc;

    if ((rc = staff_device_list(w, &list, &n)) ||
        (rc = staff_device_waiting(w, &waiting, &nwaiting)))
        return rc;
    buf_adds(&b, "{\"devices\":[");
    for (int i = 0; i < n; i++)
        if ((rc = put_listed(w, &b, &places, &list[i])))
            return rc;
    buf_adds(&b, "],\"waiting\":[");
    for (int i = 0; i < nwaiting; i++)
        if ((rc = put_waiting(w, &b, &waiting[i])))
            return rc;
    buf_adds(&b, "]}\n");
    reply_buf(rp, TYPE_JSON, &b);
    return RC_OK;
}

enum rc get_staff_devices(struct work *w, const struct request *rq, struct reply *rp)
{
    (void)rq;
    return reply_devices(w, rp);
}

static enum rc read_number(struct work *w, const char *field, const char *text, uint64_t *out)
{
    uint8_t bytes[8];

    if (!hex_parse(text, strlen(text), bytes, sizeof bytes))
        return err_field(&w->err, field, "a device's number has 16 hexadecimal digits");
    *out = (uint64_t)be64_get(bytes);
    return RC_OK;
}

enum rc post_staff_device(struct work *w, const struct request *rq, struct reply *rp)
{
    struct staff_device d = { 0 };
    struct site site = { 0 };
    json_t *body;
    enum rc rc;

    if ((rc = jx_object(&w->err, w->mem, rq->body, rq->body_len, &body)) ||
        (rc = jx_check(
             &w->err, body,
             (const struct jx_field[]){ { "device", JX_TEXT, true, NUMBER_TEXT, NUMBER_TEXT },
                                        { "name", JX_TEXT, true, 1, STAFF_DEVICE_NAME_MAX },
                                        place_field(body, "site", false),
                                        { 0 } },
             "")))
        return rc;
    if (json_object_get(body, "site") && (rc = place_site_in(w, body, &site)))
        return rc;
    if ((rc = read_number(w, "/device", jx_text(body, "device"), &d.machine)))
        return rc;
    d.site = site.no;
    d.name = jx_text(body, "name");
    if (site.no)
        work_fact(w, "site", site.no);
    if ((rc = staff_device_add(w, &d)))
        return rc;
    rp->status = 201;
    reply_header(rp, "location",
                 arena_printf(w->mem, "/v1/devices/" STAFF_DEVICE_NAME, d.machine));
    return reply_devices(w, rp);
}

enum rc delete_staff_device(struct work *w, const struct request *rq, struct reply *rp)
{
    const char *at = request_text(rq, "site", NULL);
    struct site site = { 0 };
    uint64_t machine;
    enum rc rc;

    if ((at && (rc = place_site(w, at, &site))) ||
        (rc = read_number(w, "device", request_text(rq, "device", ""), &machine)))
        return rc;
    if (site.no)
        work_fact(w, "site", site.no);
    rp->status = 204;
    return staff_device_remove(w, site.no, machine);
}
