/*
 * porter.c - credentials, the quota of a key, and what its party reads of it afterwards.
 */
#include "api/porter.h"

#include "server/base/clock.h"
#include "server/identity/credential.h"
#include "server/identity/party_log.h"
#include "server/identity/party_table.h"

static bool charge(const struct actor *who, struct verdict out[VERDICTS])
{
    return party_table_charge(who->key, clock_now(), clock_mono_us(), out);
}

static void told(const struct actor *who, const struct route *r, int status, int64_t ms)
{
    const struct party_request request = { .at_ms = clock_now_ms(),
                                           .key = who->key,
                                           .method = r ? method_name(r->method) : "",
                                           .route = r ? r->path : "",
                                           .status = status,
                                           .ms = ms };

    party_log_note(who->party, &request);
}

struct gate_source porter_source(const struct networks *staff)
{
    return (struct gate_source){
        .staff = staff, .know = credential_know, .charge = charge, .told = told
    };
}
