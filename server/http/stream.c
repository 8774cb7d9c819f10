/*
 * stream.c - a look behind h2o_req_t, by the header that libh2o installs for its own modules (h2o/http2_internal.h).
 *
 * libh2o compares content-length with the DATA that came, but only when some came; what ended with its head is served whatever it promised. It
 * times no stream, and offers no way to end one. Its structs are those of the version that this program is built for, as everywhere.
 */
#include "server/http/stream.h"

#include <stdint.h>

#include <h2o/http2.h>
#include <h2o/http2_internal.h>

static h2o_http2_stream_t *stream_of(const h2o_req_t *req)
{
    return H2O_STRUCT_FROM_MEMBER(h2o_http2_stream_t, req, (h2o_req_t *)req);
}

bool stream_is_filled(const h2o_req_t *req)
{
    size_t promised = stream_of(req)->_expected_content_length;

    return promised == SIZE_MAX || promised == req->entity.len;
}

bool stream_is_shut(const h2o_req_t *req)
{
    h2o_http2_stream_t *s = stream_of(req);

    return s->_data.size && h2o_http2_window_get_window(&s->output_window) <= 0;
}

void stream_reset(h2o_req_t *req)
{
    h2o_http2_conn_t *conn = (h2o_http2_conn_t *)req->conn;
    h2o_http2_stream_t *s = stream_of(req);

    if (conn->state >= H2O_HTTP2_CONN_STATE_IS_CLOSING)
        return;
    h2o_http2_encode_rst_stream_frame(&conn->_write.buf, s->stream_id, -H2O_HTTP2_ERROR_CANCEL);
    h2o_http2_conn_request_write(conn);
    h2o_http2_stream_reset(conn, s);
}
