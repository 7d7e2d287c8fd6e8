#include "controlplane/calls/cause.h"

#include <stddef.h>

static const struct {
	short status, cause;
} causes[] = {
	{400, 41},
	{401, 21},
	{402, 21},
	{403, 21},
	{404, 1},
	{405, 63},
	{406, 79},
	{407, 21},
	{408, 102},
	{410, 22},
	{413, 127},
	{414, 127},
	{415, 79},
	{416, 127},
	{420, 127},
	{421, 127},
	{423, 127},
	{480, 18},
	{481, 41},
	{482, 25},
	{483, 25},
	{484, 28},
	{485, 1},
	{486, 17},
	{487, 16},
	{488, 88},
	{491, 41},
	{500, 41},
	{501, 79},
	{502, 38},
	{503, 41},
	{504, 102},
	{505, 127},
	{513, 127},
	{600, 17},
	{603, 21},
	{604, 1},
	{606, 88},
};

int cause_of_status(int status)
{
	for (size_t i = 0; i < sizeof(causes) / sizeof(*causes); i++)
		if (causes[i].status == status)
			return causes[i].cause;
	if (status >= 200 && status < 300)
		return 16;
	return status >= 600 ? 21 : status >= 500 ? 41 : status >= 400 ? 31 : 127;
}
