/*
 * metric.c - relaxed atomic numbers and their two printers.
 */
#include "server/base/metric.h"

#include <inttypes.h>
#include <stdatomic.h>

enum kind { COUNTER, GAUGE };

static const struct {
    const char *name, *help;
    enum kind kind;
} about[METRIC_COUNT] = {
#define METRIC(name, kind, help) { #name, help, kind },
#include "server/base/metric.def"
#undef METRIC
};

static const char *const kinds[] = { [COUNTER] = "counter", [GAUGE] = "gauge" };

static _Atomic int64_t values[METRIC_COUNT];

void metric_add(enum metric m, int64_t n)
{
    atomic_fetch_add_explicit(&values[m], n, memory_order_relaxed);
}

void metric_set(enum metric m, int64_t value)
{
    atomic_store_explicit(&values[m], value, memory_order_relaxed);
}

int64_t metric_get(enum metric m)
{
    return atomic_load_explicit(&values[m], memory_order_relaxed);
}

void metric_print(struct buf *out)
{
    for (int m = 0; m < METRIC_COUNT; m++)
        buf_printf(out, "# HELP tjzw_%s %s\n# TYPE tjzw_%s %s\ntjzw_%s %" PRId64 "\n",
                   about[m].name, about[m].help, about[m].name, kinds[about[m].kind],
                   about[m].name, metric_get((enum metric)m));
}

void metric_print_doc(struct buf *out)
{
    buf_adds(out, "# Metrics\n\nPrinted by `tjzw print-metrics`; served at `/metrics`.\n\n| "
                  "metric | kind | what it counts |\n|---|---|---|\n");
    for (int m = 0; m < METRIC_COUNT; m++)
        buf_printf(out, "| `tjzw_%s` | %s | %s |\n", about[m].name, kinds[about[m].kind],
                   about[m].help);
}
