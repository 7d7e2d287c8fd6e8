#include "controlplane/sip/agent.h"

#include <errno.h>

int ua_restore(struct ua *ua, const char *dialog, ua_leg *leg)
{
	return -EINVAL;
}
