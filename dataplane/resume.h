/* A start on a region that has legs: they go on as their rows say. */
#ifndef TG_DATAPLANE_RESUME_H
#define TG_DATAPLANE_RESUME_H

#include <stdint.h>

#include "dataplane/legs.h"

/* Finds the worker's open legs, mends what a kill between two stores left half done, references next hops
 * anew, puts plays back on the wheel, gives every far end its whole timeout. Repairs the worker's ring ends.
 */
void dp_resume(struct dp_legs *legs, uint64_t now_tsc);

#endif
