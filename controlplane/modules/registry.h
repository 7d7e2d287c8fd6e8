/* Accounts, modules and numbers: who may be called, which module answers, whose it is.
 *
 * An immutable snapshot with a reference count; a session keeps the one it began with. Loaded from a
 * libconfig file today; a database can take the file's place behind these functions. */
#ifndef TG_MODULES_REGISTRY_H
#define TG_MODULES_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>

struct registry;

#define REGISTRY_LIST_MAX 64

enum registry_kind { REGISTRY_APPLICATION };

struct registry_account {
	const char *sid, *name, *auth_token;
	bool suspended;
	const char
		*caller_id[REGISTRY_LIST_MAX]; /* numbers it may show; '*' at the end stands for anything */
	int caller_ids;
	/* Patterns it may dial: "+1555*", "sip:*@198.18.0.20"; with '!' in front: may not. The longest that
	 * matches decides; nothing matches: it may not. */
	const char *destination[REGISTRY_LIST_MAX];
	int destinations;
	int dials_per_second;
};

struct registry_module {
	const char *code;
	const struct registry_account *account;
	enum registry_kind kind;
	const char *url, *method; /* "POST" or "GET" */
	const char *fallback_url; /* or NULL */
	const char *capability[REGISTRY_LIST_MAX];
	int capabilities;
	const char *accepts_from[REGISTRY_LIST_MAX]; /* account sids, or "*"; the own account always */
	int accepts;
};

struct registry_number {
	const char *pattern;
	const struct registry_account *account;
	const struct registry_module *module;
};

/* Returns 0 and a snapshot with one reference, or -errno with "FILE:LINE: what is wrong; what is allowed". */
int registry_load(const char *path, struct registry **registry, char *why, size_t why_bytes);
struct registry *registry_ref(struct registry *registry);
void registry_unref(struct registry *registry);

/* All return NULL when there is none. Results live as long as the snapshot. */
const struct registry_account *registry_account(const struct registry *registry, const char *sid);
const struct registry_module *registry_module(const struct registry *registry, const char *code);
/* Longest match of the number patterns ('*' at the end stands for anything). */
const struct registry_number *registry_number(const struct registry *registry, const char *called);
/* The module whose URI space holds this URL: a prefix that ends where a path segment ends, by default its url
 * without query; the longest decides. */
const struct registry_module *registry_module_by_url(const struct registry *registry, const char *url);
/* Lowest code of those that provide it. */
const struct registry_module *registry_module_for_capability(
	const struct registry *registry, const char *capability);

/* Does the module take sessions from this account: its own, or one that it names? */
bool registry_module_accepts(const struct registry_module *module, const struct registry_account *account);

#endif
