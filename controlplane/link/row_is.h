/* Is a row what a command asks for? For whoever takes over rows of a dead process: what is so already need
 * not be asked for again. */
#ifndef TG_LINK_ROW_IS_H
#define TG_LINK_ROW_IS_H

#include <stdbool.h>

#include "contract/region.h"

/* True only when both the row that the control plane writes and those that the worker writes say what the
 * command would make of them. The worker must have no command waiting: it may be writing otherwise. */
bool row_is(const struct tg_region *region, const struct tg_command *command);

#endif
