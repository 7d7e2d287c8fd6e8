/* The control plane's own HTTP service on a Unix socket, for the command line on the same host:
 *
 *   GET /audit    snapshot of all workers against the journal: {"ok", "text", "workers"}
 *   GET /status   {"sessions", "calls_taken", ...}
 *   POST /drain   no new calls from now on, the others go on; answers as /status does
 *   POST /take-calls   ends that
 *
 * Its thread asks the SIP thread by mail and waits for the answer. */
#ifndef TG_API_API_H
#define TG_API_API_H

#include <stddef.h>

struct api;
struct engine;
struct loop;

/* socket_path: mode 0660; a stale socket that nobody listens on is replaced. Returns 0, or -errno with why.
 */
int api_start(struct api **api, const char *socket_path, struct engine *engine, struct loop *loop, char *why,
	size_t why_bytes);
/* Call on the SIP thread, before the engine is destroyed. NULL is allowed. */
void api_stop(struct api *api);

#endif
