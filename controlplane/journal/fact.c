#include "controlplane/journal/fact.h"

#include <string.h>

const char *const fact_name[FACTS] = {
#define FACT(name, help) #name,
#include "controlplane/journal/fact.def"
#undef FACT
};

enum fact fact_by_name(const char *name)
{
	for (int i = 0; i < FACTS; i++)
		if (!strcmp(fact_name[i], name))
			return (enum fact)i;
	return FACTS;
}
