/*
 * openapi.h - the interface described for programs, printed from the tables it runs on: routes,
 * fields, problems.
 */
#ifndef API_OPENAPI_H
#define API_OPENAPI_H

#include "api/routes.h"
#include "server/base/buf.h"

void openapi_print(
    struct buf *out); /* OpenAPI 3.1, one line of JSON; the same bytes every time */

bool openapi_shows(const struct route *r); /* it is in the document */

#endif
