/* Checks of single values. Each returns NULL, or what is wrong and what is allowed ("not a ...; allowed:
 * ..."), a literal. */
#ifndef TG_SETTINGS_CHECK_H
#define TG_SETTINGS_CHECK_H

#include <stdint.h>

struct settings_range;
struct tg_addr;

const char *settings_check_any(const char *text);          /* everything */
const char *settings_check_name(const char *text);         /* letters, digits, '-', '_', '.'; not empty */
const char *settings_check_path(const char *text);         /* absolute, without ".." */
const char *settings_check_path_or_name(const char *text); /* absolute, or without any '/' */
const char *settings_check_address(const char *text);      /* of one host, IPv4 or IPv6 */
const char *settings_check_address_or_none(const char *text);
const char *settings_check_idle(const char *text);
const char *settings_check_checksum(const char *text);
const char *settings_check_lcores(const char *text);
const char *settings_check_interface(const char *text); /* a kernel interface's name, or empty */
const char *settings_check_target(
	const char *text); /* host[:port][;transport=udp|tcp], an IPv6 host in brackets, or empty */
const char *settings_check_file(const char *text); /* a path, absolute or not; not empty */

/* "a.b.c.d/n" or "2001:db8::/n"; without "/n" one address. Bits beyond the prefix must be 0. */
const char *settings_parse_range(const char *text, struct settings_range *range);
/* An address that a host can have, and that needs no interface to be named with it. */
const char *settings_parse_address(const char *text, struct tg_addr *address);
/* Number of lcores that an --lcores text names, or -1 when it isn't one. */
int settings_count_lcores(const char *text);

#endif
