#include "contract/meter.h"

const char *const tg_meter_name[TG_METERS] = {
#define METER(name, help) #name,
#include "contract/meter.def"
#undef METER
};

void tg_meter_add(struct tg_meter *to, const struct tg_meter *from)
{
	for (int i = 0; i < TG_METERS; i++)
		to->v[i] += from->v[i];
}
