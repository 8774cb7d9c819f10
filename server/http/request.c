/*
 * request.c - a handler asks for its parameters by the names its route declares.
 */
#include "server/http/request.h"

#include <assert.h>
#include <string.h>

static const char *const names[METHOD_COUNT] = {
    [GET] = "GET",     [HEAD] = "HEAD",     [POST] = "POST",       [PUT] = "PUT",
    [PATCH] = "PATCH", [DELETE] = "DELETE", [OPTIONS] = "OPTIONS",
};

const char *method_name(enum method m)
{
    return names[m];
}

bool method_parse(const char *text, size_t n, enum method *out)
{
    for (int m = 0; m < METHOD_COUNT; m++) {
        if (strlen(names[m]) == n && !memcmp(names[m], text, n)) {
            *out = (enum method)m;
            return true;
        }
    }
    return false;
}

const struct arg *request_arg(const struct request *rq, const char *name)
{
    for (int i = 0; i < rq->nargs; i++)
        if (!strcmp(rq->args[i].name, name))
            return &rq->args[i];
    assert(!"the route declares the parameter");
    return NULL;
}

int64_t request_int(const struct request *rq, const char *name, int64_t otherwise)
{
    const struct arg *arg = request_arg(rq, name);

    return arg->set ? arg->num : otherwise;
}

const char *request_text(const struct request *rq, const char *name, const char *otherwise)
{
    const struct arg *arg = request_arg(rq, name);

    return arg->set ? arg->text : otherwise;
}
