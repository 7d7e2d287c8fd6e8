/* Drop reasons, one list in drop.def. */
#ifndef TG_CONTRACT_DROP_H
#define TG_CONTRACT_DROP_H

enum tg_drop {
#define DROP(name, leg, help) TG_DROP_##name,
#include "contract/drop.def"
#undef DROP
	TG_DROPS
};

struct tg_drop_info {
	const char *name, *help;
	int charges_leg;
};
extern const struct tg_drop_info tg_drop_info[TG_DROPS];

#endif
