/* The inside of a registry snapshot. */
#ifndef TG_MODULES_REGISTRY_ENTRY_H
#define TG_MODULES_REGISTRY_ENTRY_H

#include <libconfig.h>
#include <stdatomic.h>

#include "controlplane/modules/registry.h"
#include "settings/table.h"

#define REGISTRY_ACCOUNTS_MAX 10000
#define REGISTRY_MODULES_MAX  10000
#define REGISTRY_NUMBERS_MAX  200000

enum { ENTRY_STATUS_ACTIVE, ENTRY_STATUS_SUSPENDED };
enum { ENTRY_KIND_APPLICATION, ENTRY_KIND_ROUTING };

/* What an entry's public form points at, as the file says it. at: only while the file is read. */
struct entry_account {
	struct registry_account pub;
	const config_setting_t *at;
	char sid[35], name[65], auth_token[129];
	int status, dials_per_second;
};

struct entry_module {
	struct registry_module pub;
	const config_setting_t *at;
	char code[65], account[35], url[2048], fallback_url[2048], uri_space[2048];
	int kind, method;
	char *space; /* normal form */
};

struct entry_number {
	struct registry_number pub;
	const config_setting_t *at;
	char pattern[65], account[35], module[65];
};

/* Each array is sorted by its key (sid, code, pattern) and owns its entries. */
struct registry {
	atomic_int references;
	struct entry_account **account;
	struct entry_module **module;
	struct entry_number **number;
	size_t accounts, modules, numbers;
};

extern const struct settings_field registry_account_fields[], registry_module_fields[],
	registry_number_fields[];
extern const size_t registry_account_fields_n, registry_module_fields_n, registry_number_fields_n;

/* The registry in a text; registry_load() without the file. name: of the file in errors. */
int registry_parse(const char *text, size_t len, const char *name, struct registry **registry, char *why,
	size_t why_bytes);
/* Sorts the entries, connects them with each other and checks what concerns more than one. */
int registry_connect(const struct settings_source *source, struct registry *registry);

#endif
