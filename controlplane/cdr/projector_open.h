/* Opening a projector for a rebuild: shared by projector.c and rebuild.c. */
#ifndef TG_CDR_PROJECTOR_OPEN_H
#define TG_CDR_PROJECTOR_OPEN_H

#include <stdbool.h>

#include "controlplane/cdr/projector.h"

/* rebuild: knows no position.json and writes none. */
int cdr_projector_open_for(
	struct cdr_projector **projector, const char *dir, bool rebuild, char *why, size_t why_bytes);

#endif
