#include "controlplane/sip/tcp_filter.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/filter.h>

#include "base/log.h"

#define IPV4_SOURCE_OFFSET 12
#define IPV6_SOURCE_OFFSET 8
#define WORDS_MAX          4
#define ACCEPT             0xffffffffu
/* A source is loaded into the filter's memory; then for each range a comparison of each word (load, mask,
 * jump) and an acceptance, for a guest the same without masks, and one refusal for everyone else. */
#define PROGRAM_MAX                                                  \
	(2 * WORDS_MAX + (3 * WORDS_MAX + 1) * SETTINGS_TRUNKS_MAX + \
		(2 * WORDS_MAX + 1) * TCP_FILTER_GUESTS_MAX + 1)

_Static_assert(PROGRAM_MAX <= BPF_MAXINSNS, "more trunks than one packet filter can hold");

struct program {
	struct sock_filter code[PROGRAM_MAX];
	unsigned short len;
};

static void put(struct program *p, uint16_t code, uint8_t skip_if_not, uint32_t k)
{
	p->code[p->len++] = (struct sock_filter){.code = code, .jf = skip_if_not, .k = k};
}

static int words_of(const struct tcp_filter *f)
{
	return f->family == TG_FAMILY_IPV6 ? WORDS_MAX : 1;
}

static void put_load_source(struct program *p, const struct tcp_filter *f)
{
	int at = SKF_NET_OFF + (f->family == TG_FAMILY_IPV6 ? IPV6_SOURCE_OFFSET : IPV4_SOURCE_OFFSET);
	for (int w = 0; w < words_of(f); w++) {
		put(p, BPF_LD | BPF_W | BPF_ABS, 0, (uint32_t)(at + 4 * w));
		put(p, BPF_ST, 0, (uint32_t)w);
	}
}

/* Accepts a source that agrees with the address in its first bits. */
static void put_accept(struct program *p, const struct tg_addr *address, uint32_t bits)
{
	struct program compare = {.len = 0};
	for (uint32_t w = 0; 32 * w < bits; w++) {
		uint32_t word, mask = bits >= 32 * w + 32 ? UINT32_MAX : UINT32_MAX << (32 * w + 32 - bits);
		memcpy(&word, address->b + 4 * w, sizeof(word));
		put(&compare, BPF_LD | BPF_MEM, 0, w);
		if (mask != UINT32_MAX)
			put(&compare, BPF_ALU | BPF_AND | BPF_K, 0, mask);
		put(&compare, BPF_JMP | BPF_JEQ | BPF_K, 0, ntohl(word));
	}
	put(&compare, BPF_RET | BPF_K, 0, ACCEPT);
	/* Whatever differs goes on behind the acceptance. */
	for (unsigned short i = 0; i < compare.len; i++) {
		if (BPF_CLASS(compare.code[i].code) == BPF_JMP)
			compare.code[i].jf = (uint8_t)(compare.len - i - 1);
		p->code[p->len++] = compare.code[i];
	}
}

static int load(const struct tcp_filter *f)
{
	struct program p = {.len = 0};
	if (!f->shut) {
		put_load_source(&p, f);
		for (int i = 0; i < f->guests; i++)
			put_accept(&p, &f->guest[i], 32u * (uint32_t)words_of(f));
		for (int i = 0; i < f->ranges; i++)
			put_accept(&p, &f->range[i].first, f->range[i].bits);
	}
	put(&p, BPF_RET | BPF_K, 0, 0);
	struct sock_fprog fprog = {.len = p.len, .filter = p.code};
	return setsockopt(f->fd, SOL_SOCKET, SO_ATTACH_FILTER, &fprog, sizeof(fprog)) ? -errno : 0;
}

static bool is_at(const struct sockaddr_storage *own, const struct tg_addr *address, int port)
{
	const struct sockaddr_in *in = (const void *)own;
	const struct sockaddr_in6 *in6 = (const void *)own;
	struct tg_addr at = {.family = TG_FAMILY_NONE};
	if (own->ss_family == AF_INET)
		at = tg_addr_ipv4(in->sin_addr.s_addr);
	else if (own->ss_family == AF_INET6)
		at = tg_addr_ipv6(in6->sin6_addr.s6_addr);
	in_port_t own_port = own->ss_family == AF_INET ? in->sin_port : in6->sin6_port;
	return tg_addr_equal(&at, address) && ntohs(own_port) == port;
}

static bool listens_at(int fd, const struct tg_addr *address, int port)
{
	int listens = 0;
	struct sockaddr_storage own = {0};
	socklen_t n = sizeof(listens), own_n = sizeof(own);
	return !getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &n) && listens &&
	       !getsockname(fd, (struct sockaddr *)&own, &own_n) && is_at(&own, address, port);
}

/* The stack has no function that tells its descriptor. */
static int find_listener(const struct tg_addr *address, int port)
{
	DIR *d = opendir("/proc/self/fd");
	int found = -1;
	if (!d)
		return -1;
	for (struct dirent *e; found < 0 && (e = readdir(d));)
		if (e->d_name[0] != '.' && listens_at(atoi(e->d_name), address, port))
			found = atoi(e->d_name);
	closedir(d);
	return found;
}

int tcp_filter_attach(struct tcp_filter *f, const struct tg_addr *address, const struct settings *settings)
{
	memset(f, 0, sizeof(*f));
	f->family = address->family;
	for (int i = 0; i < settings->trunks; i++)
		if (settings->trunk[i].range.first.family == f->family)
			f->range[f->ranges++] = settings->trunk[i].range;
	f->fd = find_listener(address, settings->sip.port);
	if (f->fd < 0)
		return -ENOENT;
	int rc = load(f);
	if (rc)
		f->fd = -1;
	return rc;
}

bool tcp_filter_has_guest(const struct tcp_filter *f, const struct tg_addr *address)
{
	for (int i = 0; i < f->guests; i++)
		if (tg_addr_equal(&f->guest[i], address))
			return true;
	return false;
}

int tcp_filter_set_guests(struct tcp_filter *f, const struct tg_addr *address, int n)
{
	if (f->fd < 0)
		return 0;
	struct tcp_filter next = *f;
	memcpy(next.guest, address, (size_t)n * sizeof(address[0]));
	next.guests = n;
	int rc = load(&next);
	if (!rc)
		*f = next;
	return rc;
}

static void set_shut(struct tcp_filter *f, bool shut, int used, rlim_t limit)
{
	struct tcp_filter next = *f;
	next.shut = shut;
	int rc = load(&next);
	if (rc) {
		log_error(sip, NULL, "tcp-filter-kept", "reason=\"%s\"", strerror(-rc));
		return;
	}
	*f = next;
	if (shut)
		log_warn(sip, NULL, "tcp-shut",
			"descriptors=%d limit=%llu effect=\"no new TCP connections\" advice=\"see who holds "
			"them "
			"with `ss -tnp`, or raise LimitNOFILE\"",
			used, (unsigned long long)limit);
	else
		log_info(sip, NULL, "tcp-open", "descriptors=%d limit=%llu", used, (unsigned long long)limit);
}

void tcp_filter_watch(struct tcp_filter *f)
{
	struct rlimit files;
	if (f->fd < 0 || getrlimit(RLIMIT_NOFILE, &files))
		return;
	/* New descriptors get the lowest free number: as many as that are in use, or more. */
	int lowest = fcntl(f->fd, F_DUPFD_CLOEXEC, 0);
	if (lowest >= 0)
		close(lowest);
	bool full = lowest < 0 || (rlim_t)lowest >= files.rlim_cur / 4 * 3;
	bool room = lowest >= 0 && (rlim_t)lowest < files.rlim_cur / 8 * 5;
	if ((full && !f->shut) || (room && f->shut))
		set_shut(f, full, lowest < 0 ? (int)files.rlim_cur : lowest, files.rlim_cur);
}
