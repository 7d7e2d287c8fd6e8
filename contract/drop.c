#include "contract/drop.h"

const struct tg_drop_info tg_drop_info[TG_DROPS] = {
#define DROP(name, leg, help) {#name, help, leg},
#include "contract/drop.def"
#undef DROP
};
