/*
 * site_meta.c - SiteName SiteDomain SiteIDCode, ColumnName ColumnDescription ColumnKeywords
 * ColumnType.
 *
 * All seven must be there and say something. What an editor left out is filled with what is
 * true anyway; a code that is not one (10 characters, given by the State Council's office) and
 * a domain nobody set are left out, not made up.
 */
#include "api/site_meta.h"

#include <string.h>

#include "api/instance.h"

static const char *domain_of(struct work *w, const struct site *site)
{
    const char *url = instance()->public_url, *host;

    if (site && site->domain)
        return site->domain;
    host = strstr(url, "://");
    return host ? arena_strndup(w->mem, host + 3, strcspn(host + 3, ":/")) : NULL;
}

static bool is_id_code(const char *code)
{
    return strlen(code) == 10 && strspn(code, "0123456789abcdefghijklmnopqrstuvwxyz") == 10;
}

void site_meta(struct work *w, struct page *p, const struct site *site)
{
    page_meta(p, "SiteName", site ? site->name : instance()->name);
    page_meta(p, "SiteDomain", domain_of(w, site));
    if (site && is_id_code(site->code))
        page_meta(p, "SiteIDCode", site->code);
}

void column_meta(struct work *w, struct page *p, const struct column *column,
                 const struct site *site)
{
    page_meta(p, "ColumnName", column->name);
    page_meta(p, "ColumnDescription",
              column->description
                  ? column->description
                  : arena_printf(w->mem, "%s的“%s”栏目", site->name, column->name));
    page_meta(p, "ColumnKeywords", column->keywords ? column->keywords : column->name);
    page_meta(p, "ColumnType", column->type);
}
