/* What the journal can say, one list in fact.def. */
#ifndef TG_JOURNAL_FACT_H
#define TG_JOURNAL_FACT_H

enum fact {
#define FACT(name, help) FACT_##name,
#include "controlplane/journal/fact.def"
#undef FACT
	FACTS
};

extern const char *const fact_name[FACTS];
/* FACTS when there is none of this name. */
enum fact fact_by_name(const char *name);

#endif
