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
#define ACCEPT             0xffffffffu
/* One load, four for a range, two for a guest, one for everyone else. */
#define PROGRAM_MAX (1 + 4 * SETTINGS_TRUNKS_MAX + 1 + 2 * TCP_FILTER_GUESTS_MAX + 1)

_Static_assert(PROGRAM_MAX <= BPF_MAXINSNS, "more trunks than one packet filter can hold");

struct program {
	struct sock_filter code[PROGRAM_MAX];
	unsigned short len;
};

static void put(struct program *p, uint16_t code, uint8_t skip_if_not, uint32_t k)
{
	p->code[p->len++] = (struct sock_filter){.code = code, .jf = skip_if_not, .k = k};
}

static void put_equal(struct program *p, uint32_t address)
{
	put(p, BPF_JMP | BPF_JEQ | BPF_K, 1, address);
	put(p, BPF_RET | BPF_K, 0, ACCEPT);
}

static int load(const struct tcp_filter *f)
{
	struct program p = {.len = 0};
	if (!f->shut) {
		put(&p, BPF_LD | BPF_W | BPF_ABS, 0, (uint32_t)(SKF_NET_OFF + IPV4_SOURCE_OFFSET));
		put(&p, BPF_MISC | BPF_TAX, 0, 0);
		for (int i = 0; i < f->guests; i++)
			put_equal(&p, f->guest[i]);
		for (int i = 0; i < f->ranges; i++) {
			put(&p, BPF_MISC | BPF_TXA, 0, 0);
			put(&p, BPF_ALU | BPF_AND | BPF_K, 0, f->range[i].mask);
			put_equal(&p, f->range[i].address);
		}
	}
	put(&p, BPF_RET | BPF_K, 0, 0);
	struct sock_fprog fprog = {.len = p.len, .filter = p.code};
	return setsockopt(f->fd, SOL_SOCKET, SO_ATTACH_FILTER, &fprog, sizeof(fprog)) ? -errno : 0;
}

static bool listens_at(int fd, const struct sockaddr_in *address)
{
	int listens = 0;
	struct sockaddr_in own = {0};
	socklen_t n = sizeof(listens), own_n = sizeof(own);
	return !getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &n) && listens &&
	       !getsockname(fd, (struct sockaddr *)&own, &own_n) && own.sin_family == AF_INET &&
	       own.sin_port == address->sin_port && own.sin_addr.s_addr == address->sin_addr.s_addr;
}

/* The stack has no function that tells its descriptor. */
static int find_listener(const struct sockaddr_in *address)
{
	DIR *d = opendir("/proc/self/fd");
	int found = -1;
	if (!d)
		return -1;
	for (struct dirent *e; found < 0 && (e = readdir(d));)
		if (e->d_name[0] != '.' && listens_at(atoi(e->d_name), address))
			found = atoi(e->d_name);
	closedir(d);
	return found;
}

int tcp_filter_attach(struct tcp_filter *f, const struct settings *settings)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)settings->sip.port)};
	memset(f, 0, sizeof(*f));
	f->fd = -1;
	if (inet_pton(AF_INET, settings->sip.address, &address.sin_addr) != 1)
		return -EINVAL;
	for (int i = 0; i < settings->trunks; i++)
		f->range[f->ranges++] = settings->trunk[i].range;
	f->fd = find_listener(&address);
	if (f->fd < 0)
		return -ENOENT;
	int rc = load(f);
	if (rc)
		f->fd = -1;
	return rc;
}

bool tcp_filter_has_guest(const struct tcp_filter *f, uint32_t address)
{
	for (int i = 0; i < f->guests; i++)
		if (f->guest[i] == address)
			return true;
	return false;
}

int tcp_filter_set_guests(struct tcp_filter *f, const uint32_t *address, int n)
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
