/* Media timeout: a far end that falls silent. */
#ifndef TG_DATAPLANE_LIVENESS_H
#define TG_DATAPLANE_LIVENESS_H

#include <stdint.h>

#include "dataplane/legs.h"

/* The silence is counted from now on. */
void dp_liveness_arm(struct dp_legs *legs, uint32_t leg, uint64_t now_tsc);
/* Looks at the next `count` open legs, round robin; finds next hops for those that had found the table full.
 */
void dp_liveness_sweep(struct dp_legs *legs, uint32_t count, uint64_t now_tsc);

#endif
