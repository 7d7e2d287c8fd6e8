#include "controlplane/calls/action.h"

#include <stdlib.h>

void action_free(struct action *action)
{
	if (!action)
		return;
	json_decref(action->payload);
	free(action->text);
	free(action->method);
	free(action->sdp);
	free(action->chain);
	free(action);
}
