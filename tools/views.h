/* The larger views as JSON, for their own commands and for `top --json`. */
#ifndef TG_TOOLS_VIEWS_H
#define TG_TOOLS_VIEWS_H

#include "tools/tool.h"

/* New references; NULL when memory is out. */
json_t *stats_json(const struct tg_region *region);
json_t *calls_json(const struct tg_region *region);

#endif
