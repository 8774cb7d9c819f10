/*
 * origin_form.h - "https://HOST/path" as the target of an HTTP/1 request (RFC 9112 3.2.2, absolute-form).
 */
#ifndef HTTP_ORIGIN_FORM_H
#define HTTP_ORIGIN_FORM_H

#include <h2o.h>

/*
 * Such a target is the same as "/path" with the field `Host: HOST`, and req->input.path becomes that. If the two name different hosts it stays as it is, and no path begins
 * so: whoever stands before us may have believed the other one.
 */
void origin_form_take(h2o_req_t *req);

#endif
