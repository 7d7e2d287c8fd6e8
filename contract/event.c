#include "contract/event.h"

const char *tg_refusal_text(int refusal)
{
	switch (refusal) {
	case TG_REFUSED_KIND:
		return "unknown command";
	case TG_REFUSED_LEG:
		return "leg out of range or owned by another worker";
	case TG_REFUSED_GENERATION:
		return "stale generation";
	case TG_REFUSED_PROGRAM:
		return "program with a value out of range";
	case TG_REFUSED_SOURCE:
		return "source that doesn't exist or belongs to another worker";
	case TG_REFUSED_BUSY:
		return "meter ring full, the leg's last record is waiting";
	}
	return "unknown refusal";
}
