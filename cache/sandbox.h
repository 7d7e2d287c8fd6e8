/* The cage of the media worker: after cache_sandbox_enter() the process can compute, allocate within its
 * limit, read and write the descriptors it has, and exit; any other system call kills it. */
#ifndef TG_CACHE_SANDBOX_H
#define TG_CACHE_SANDBOX_H

struct cache_sandbox {
	unsigned memory_mib;  /* address space */
	unsigned cpu_seconds; /* then SIGXCPU, and SIGKILL a second later */
};

/* Call with one thread, with everything open that is needed. As root it also leaves the network and mount
 * namespaces and becomes nobody. Returns 0, or -errno with the step that failed in *step (a literal): then
 * nothing untrusted may be looked at. */
int cache_sandbox_enter(const struct cache_sandbox *sandbox, const char **step);

#endif
