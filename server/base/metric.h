/*
 * metric.h - numbers an operator watches. One row each in metric.def; /metrics and
 * docs/reference/metrics.md come from the rows.
 */
#ifndef BASE_METRIC_H
#define BASE_METRIC_H

#include <stdint.h>

#include "server/base/buf.h"

enum metric {
#define METRIC(name, kind, help) METRIC_##name,
#include "server/base/metric.def"
#undef METRIC
    METRIC_COUNT
};

void metric_add(enum metric m, int64_t n); /* COUNTER, and GAUGE for things that come and go */
void metric_set(enum metric m, int64_t value); /* GAUGE */
int64_t metric_get(enum metric m);
void metric_print(struct buf *out);     /* Prometheus text exposition 0.0.4 */
void metric_print_doc(struct buf *out); /* Markdown table */

#endif
