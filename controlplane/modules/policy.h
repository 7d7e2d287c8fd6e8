/* What is allowed before every handoff and every dial-out. Pure. Denials are listed once in policy.def. */
#ifndef TG_MODULES_POLICY_H
#define TG_MODULES_POLICY_H

#include <stdint.h>

#include "controlplane/modules/registry.h"

struct policy_denial {
	int number;
	const char *name, *sentence;
};

enum policy_number {
#define POLICY(name, number, sentence) POLICY_##name = number,
#include "controlplane/modules/policy.def"
#undef POLICY
};

/* The denial with this number, for who finds something else in the list to be the case. */
const struct policy_denial *policy_denial_of(enum policy_number number);

/* A token bucket: dials_per_second with a burst of one second. Zeroed at the beginning; held by the caller
 * per account. */
struct policy_rate {
	uint64_t last_ns;
	uint64_t tokens_ns; /* time saved up, at most one second */
};

/* NULL: allowed. Not allowed: the receiving module's account is suspended, or it is another account's and
 * doesn't accept the giver's. */
const struct policy_denial *policy_handoff(
	const struct registry_module *from, const struct registry_module *to);
/* destination: a number, or a sip: URI of the plain form sip:user@host[:port], with no parameters but
 * transport and user=phone, and no headers: everything else could lead past the list. caller_id:
 * what will be shown; "anonymous" is always owned. Takes a token only when everything else is allowed. */
const struct policy_denial *policy_dial(const struct registry_account *account, const char *destination,
	const char *caller_id, struct policy_rate *rate, uint64_t now_ns);

#endif
