/* Checks of single values. Each returns NULL, or what is wrong and what is allowed ("not a ...; allowed:
 * ..."), a literal. */
#ifndef TG_SETTINGS_CHECK_H
#define TG_SETTINGS_CHECK_H

#include <stdint.h>

struct settings_range;

const char *settings_check_any(const char *text);          /* everything */
const char *settings_check_name(const char *text);         /* letters, digits, '-', '_', '.'; not empty */
const char *settings_check_path(const char *text);         /* absolute, without ".." */
const char *settings_check_path_or_name(const char *text); /* absolute, or without any '/' */
const char *settings_check_ipv4(const char *text);
const char *settings_check_idle(const char *text);
const char *settings_check_checksum(const char *text);
const char *settings_check_lcores(const char *text);
const char *settings_check_interface(const char *text); /* a kernel interface's name, or empty */
const char *settings_check_target(const char *text);    /* host[:port][;transport=udp|tcp], or empty */
const char *settings_check_file(const char *text);      /* a path, absolute or not; not empty */

/* "a.b.c.d/n" or "a.b.c.d" into host order. Bits beyond the prefix must be 0. */
const char *settings_parse_range(const char *text, struct settings_range *range);
/* Dotted decimal into network order. */
const char *settings_parse_ipv4(const char *text, uint32_t *address_be);
/* Number of lcores that an --lcores text names, or -1 when it isn't one. */
int settings_count_lcores(const char *text);

#endif
