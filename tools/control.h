/* Asking the control plane over its Unix socket (controlplane's HTTP service). */
#ifndef TG_TOOLS_CONTROL_H
#define TG_TOOLS_CONTROL_H

#include <jansson.h>

/* GET path, an answer that is a JSON object. Returns NULL after the error has been written. */
json_t *control_get(const char *run_dir, const char *path);
/* POST path without a body; likewise. */
json_t *control_post(const char *run_dir, const char *path);

#endif
