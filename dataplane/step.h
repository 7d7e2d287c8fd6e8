/* The order of stores, for a successor. A worker that is killed leaves in the region what it had stored up to
 * then, in the order of its machine code; dp_resume() relies on that order wherever dp_step() stands. It
 * binds the compiler only, and costs nothing. */
#ifndef TG_DATAPLANE_STEP_H
#define TG_DATAPLANE_STEP_H

#include <stdatomic.h>

/* What stands before is stored before what stands behind. */
static inline void dp_step(void)
{
	atomic_signal_fence(memory_order_seq_cst);
}

#endif
