/*
 * device_slip.c - a slip of the kind SLIP_DEVICE, which survives a restart (slip.h).
 */
#include "server/identity/device_slip.h"

static bool read_slip(const char *known, struct slip *out)
{
    return slip_read(known, SLIP_DEVICE, DEVICE_SLIP_LIFE, out);
}

uint64_t device_slip_number(const char *known, int64_t account)
{
    struct slip slip;

    return read_slip(known, &slip) && slip.account == account ? slip.random : 0;
}

uint64_t device_slip_put(const char *known, int64_t account, char out[SLIP_TEXT])
{
    struct slip slip = slip_new(SLIP_DEVICE, 0, account), before;

    if (read_slip(known, &before))
        slip.random = before.random;
    slip_put(&slip, out);
    return slip.random;
}
