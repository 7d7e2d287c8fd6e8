/* RTP of many calls at one far end: sends 50 packets a second to each, and counts what it hears to the
 * packet.
 *
 *     rtp_load ADDRESS PORT CONTROL
 *
 * All calls share one UDP socket; the gateway tells them apart by the port of its own that they are sent to.
 * CONTROL is a Unix datagram socket that takes, and answers with "ok" or a reason:
 *
 *     add STREAM IP PORT    begin to send stream STREAM there
 *     remove STREAM         end it
 *     report FILE           write all figures as JSON
 *     quit
 *
 * Each payload names its stream and counts its packets, so that the other end's rtp_load can say what came
 * through. Times of arrival are the kernel's (SO_TIMESTAMPNS), in ns since 1970. */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define STREAMS       65536
#define SLOTS         20 /* of 1 ms: one frame; a stream is sent in slot STREAM % SLOTS */
#define BATCH         64
#define FRAME_SAMPLES 160
#define PACKET_SIZE   (12 + FRAME_SAMPLES)
#define MAGIC         0x746f6c6cu
#define GAP_NS        30000000 /* a longer silence is written down */
#define SLOT_NS       1000000
#define SOCKET_BUFFER (64 << 20)

struct sent {
	struct sockaddr_in to;
	uint64_t packets;
	bool known, on;
	uint32_t next; /* in its slot, while it is on */
};

/* What came of a stream of the other end. */
struct through {
	uint64_t packets, repeated;
	uint32_t first; /* number of the first one that came */
	uint32_t next;  /* number that would be in order */
};

/* What one port of the gateway sent. */
struct heard {
	uint64_t packets, ssrc_changes, sequence_gaps, first_ns, last_ns;
	uint32_t ssrc;
	uint16_t sequence;
};

struct gap {
	uint64_t from_ns, to_ns;
	uint16_t port;
};

struct load {
	int media, control, timer;
	uint32_t begun[SLOTS]; /* first stream of each slot, or STREAMS */
	uint64_t slots_done, slots_due;
	struct sent sent[STREAMS];
	struct through through[STREAMS];
	struct heard heard[65536];
	struct gap *gaps;
	size_t gap_count, gap_room;
	uint64_t foreign;
	uint32_t overflowed;
	bool over;
};

struct rtp {
	uint8_t flags, type;
	uint16_t sequence;
	uint32_t timestamp, ssrc, magic, stream, number;
	uint8_t filling[FRAME_SAMPLES - 12];
} __attribute__((packed));
_Static_assert(sizeof(struct rtp) == PACKET_SIZE, "one G.711 frame");

static void fill(struct rtp *p, uint32_t stream, uint32_t number)
{
	*p = (struct rtp){.flags = 0x80,
		.type = number ? 0 : 0x80,
		.sequence = htons((uint16_t)number),
		.timestamp = htonl(number * FRAME_SAMPLES),
		.ssrc = htonl(stream + 1),
		.magic = htonl(MAGIC),
		.stream = htonl(stream),
		.number = htonl(number)};
	memset(p->filling, 0xd5, sizeof(p->filling));
}

/* All or nothing less than the socket takes: it blocks when it is full. */
static int send_all(struct load *l, struct mmsghdr *message, const uint32_t *stream, unsigned int count)
{
	unsigned int done = 0;
	while (done < count) {
		int n = sendmmsg(l->media, message + done, count - done, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		for (int i = 0; i < n; i++)
			l->sent[stream[done + (unsigned int)i]].packets++;
		done += (unsigned int)n;
	}
	return 0;
}

static int send_slot(struct load *l, uint32_t slot)
{
	static struct rtp packet[BATCH];
	struct mmsghdr message[BATCH];
	struct iovec part[BATCH];
	uint32_t stream[BATCH];
	unsigned int n = 0;
	int err = 0;
	for (uint32_t s = l->begun[slot]; s < STREAMS && !err; s = l->sent[s].next) {
		fill(&packet[n], s, (uint32_t)l->sent[s].packets);
		part[n] = (struct iovec){&packet[n], PACKET_SIZE};
		message[n].msg_hdr = (struct msghdr){.msg_name = &l->sent[s].to,
			.msg_namelen = sizeof(l->sent[s].to),
			.msg_iov = &part[n],
			.msg_iovlen = 1};
		stream[n++] = s;
		if (n == BATCH) {
			err = send_all(l, message, stream, n);
			n = 0;
		}
	}
	return err ? err : send_all(l, message, stream, n);
}

static int note_gap(struct load *l, uint16_t port, uint64_t from_ns, uint64_t to_ns)
{
	if (l->gap_count == l->gap_room) {
		size_t room = l->gap_room ? 2 * l->gap_room : 4096;
		struct gap *more = realloc(l->gaps, room * sizeof(*more));
		if (!more)
			return -ENOMEM;
		l->gaps = more;
		l->gap_room = room;
	}
	l->gaps[l->gap_count++] = (struct gap){from_ns, to_ns, port};
	return 0;
}

static int hear(struct load *l, const struct rtp *p, size_t size, uint16_t port, uint64_t now_ns)
{
	if (size < 12 || p->flags >> 6 != 2) {
		l->foreign++;
		return 0;
	}
	struct heard *h = &l->heard[port];
	uint16_t sequence = ntohs(p->sequence);
	int err = 0;
	if (!h->packets) {
		h->first_ns = now_ns;
	} else {
		if (p->ssrc != h->ssrc)
			h->ssrc_changes++;
		else if (sequence != (uint16_t)(h->sequence + 1))
			h->sequence_gaps++;
		if (now_ns - h->last_ns > GAP_NS && now_ns > h->last_ns)
			err = note_gap(l, port, h->last_ns, now_ns);
	}
	h->packets++;
	h->ssrc = p->ssrc;
	h->sequence = sequence;
	h->last_ns = now_ns;
	if (size != PACKET_SIZE || p->magic != htonl(MAGIC) || ntohl(p->stream) >= STREAMS)
		return err;
	struct through *t = &l->through[ntohl(p->stream)];
	uint32_t number = ntohl(p->number);
	if (number < t->next) {
		t->repeated++;
		return err;
	}
	if (!t->packets++)
		t->first = number;
	t->next = number + 1;
	return err;
}

/* When it arrived, and how many the socket has lost so far. */
static uint64_t read_ancillary(struct load *l, struct msghdr *m)
{
	struct timespec at;
	clock_gettime(CLOCK_REALTIME, &at);
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level != SOL_SOCKET)
			continue;
		if (c->cmsg_type == SO_TIMESTAMPNS)
			memcpy(&at, CMSG_DATA(c), sizeof(at));
		else if (c->cmsg_type == SO_RXQ_OVFL)
			memcpy(&l->overflowed, CMSG_DATA(c), sizeof(l->overflowed));
	}
	return (uint64_t)at.tv_sec * 1000000000ull + (uint64_t)at.tv_nsec;
}

static int receive(struct load *l)
{
	static union {
		struct rtp rtp;
		uint8_t bytes[2048];
	} packet[BATCH];
	struct mmsghdr message[BATCH];
	struct iovec part[BATCH];
	struct sockaddr_in from[BATCH];
	_Alignas(struct cmsghdr) char ancillary[BATCH][128];
	for (int i = 0; i < BATCH; i++) {
		part[i] = (struct iovec){&packet[i], sizeof(packet[i])};
		message[i].msg_hdr = (struct msghdr){.msg_name = &from[i],
			.msg_namelen = sizeof(from[i]),
			.msg_iov = &part[i],
			.msg_iovlen = 1,
			.msg_control = ancillary[i],
			.msg_controllen = sizeof(ancillary[i])};
	}
	int n = recvmmsg(l->media, message, BATCH, MSG_DONTWAIT, NULL);
	if (n < 0) /* a port unreachable that the gateway's host sent back is nothing we heard */
		return errno == EAGAIN || errno == EINTR || errno == ECONNREFUSED ? 0 : -errno;
	int err = 0;
	for (int i = 0; i < n && !err; i++) {
		uint64_t at_ns = read_ancillary(l, &message[i].msg_hdr);
		err = hear(l, &packet[i].rtp, message[i].msg_len, ntohs(from[i].sin_port), at_ns);
	}
	return err;
}

static const char *add(struct load *l, uint32_t stream, const char *ip, unsigned int port)
{
	if (stream >= STREAMS || l->sent[stream].known)
		return "no such stream, or it has been there";
	struct sent *s = &l->sent[stream];
	s->to = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	if (inet_pton(AF_INET, ip, &s->to.sin_addr) != 1)
		return "no address";
	s->known = s->on = true;
	s->next = l->begun[stream % SLOTS];
	l->begun[stream % SLOTS] = stream;
	return "ok";
}

static const char *cease(struct load *l, uint32_t stream)
{
	if (stream >= STREAMS || !l->sent[stream].on)
		return "no such stream";
	uint32_t *place = &l->begun[stream % SLOTS];
	while (*place != stream)
		place = &l->sent[*place].next;
	*place = l->sent[stream].next;
	l->sent[stream].on = false;
	return "ok";
}

static void write_streams(const struct load *l, FILE *f)
{
	const char *comma = "";
	fprintf(f, "{\"sent\": {");
	for (uint32_t s = 0; s < STREAMS; s++) {
		if (!l->sent[s].known)
			continue;
		fprintf(f, "%s\"%" PRIu32 "\": %" PRIu64, comma, s, l->sent[s].packets);
		comma = ", ";
	}
	comma = "";
	fprintf(f, "},\n \"through\": {");
	for (uint32_t s = 0; s < STREAMS; s++) {
		const struct through *t = &l->through[s];
		if (!t->packets)
			continue;
		fprintf(f, "%s\"%" PRIu32 "\": [%" PRIu64 ", %" PRIu64 ", %" PRIu32 "]", comma, s, t->packets,
			t->repeated, t->first);
		comma = ", ";
	}
}

static void write_heard(const struct load *l, FILE *f)
{
	const char *comma = "";
	fprintf(f, "},\n \"heard\": {");
	for (uint32_t port = 0; port < 65536; port++) {
		const struct heard *h = &l->heard[port];
		if (!h->packets)
			continue;
		fprintf(f,
			"%s\"%" PRIu32 "\": [%" PRIu64 ", %" PRIu64 ", %" PRIu64 ", %" PRIu64 ", %" PRIu64
			"]",
			comma, port, h->packets, h->ssrc_changes, h->sequence_gaps, h->first_ns, h->last_ns);
		comma = ", ";
	}
	comma = "";
	fprintf(f, "},\n \"gaps\": [");
	for (size_t i = 0; i < l->gap_count; i++) {
		const struct gap *g = &l->gaps[i];
		fprintf(f, "%s[%u, %" PRIu64 ", %" PRIu64 "]", comma, g->port, g->from_ns, g->to_ns);
		comma = ", ";
	}
	fprintf(f, "],\n \"foreign\": %" PRIu64 ", \"overflowed\": %" PRIu32 "}\n", l->foreign,
		l->overflowed);
}

static const char *report(const struct load *l, const char *path)
{
	FILE *f = fopen(path, "w");
	if (!f)
		return strerror(errno);
	write_streams(l, f);
	write_heard(l, f);
	return fclose(f) ? strerror(errno) : "ok";
}

static const char *obey(struct load *l, const char *text)
{
	char word[256];
	unsigned int port;
	uint32_t stream;
	if (sscanf(text, "add %" SCNu32 " %255s %u", &stream, word, &port) == 3 && port && port < 65536)
		return add(l, stream, word, port);
	if (sscanf(text, "remove %" SCNu32, &stream) == 1)
		return cease(l, stream);
	if (sscanf(text, "report %255s", word) == 1)
		return report(l, word);
	if (!strcmp(text, "quit")) {
		l->over = true;
		return "ok";
	}
	return "not understood";
}

static int take_command(struct load *l)
{
	char text[512];
	struct sockaddr_un from;
	socklen_t length = sizeof(from);
	ssize_t n = recvfrom(
		l->control, text, sizeof(text) - 1, MSG_DONTWAIT, (struct sockaddr *)&from, &length);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	text[n] = 0;
	const char *answer = obey(l, text);
	/* Whoever asked and is gone wants no answer. */
	(void)sendto(l->control, answer, strlen(answer), MSG_DONTWAIT, (struct sockaddr *)&from, length);
	return 0;
}

/* Late slots are sent at once, so that the mean rate is kept whatever the scheduler does. */
static int take_time(struct load *l)
{
	uint64_t expired;
	if (read(l->timer, &expired, sizeof(expired)) != sizeof(expired))
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	l->slots_due += expired;
	while (l->slots_done < l->slots_due) {
		int err = send_slot(l, (uint32_t)(l->slots_done++ % SLOTS));
		if (err == -ECONNREFUSED)
			err = 0;
		if (err)
			return err;
	}
	return 0;
}

static int run(struct load *l)
{
	struct pollfd ready[] = {{l->timer, POLLIN, 0}, {l->media, POLLIN, 0}, {l->control, POLLIN, 0}};
	int (*const take[])(struct load *) = {take_time, receive, take_command};
	while (!l->over) {
		if (poll(ready, 3, -1) < 0 && errno != EINTR)
			return -errno;
		for (int i = 0; i < 3; i++) {
			int err = ready[i].revents ? take[i](l) : 0;
			if (err)
				return err;
		}
	}
	return 0;
}

static int open_media(struct load *l, const char *ip, const char *port)
{
	struct sockaddr_in own = {
		.sin_family = AF_INET, .sin_port = htons((uint16_t)strtoul(port, NULL, 10))};
	int on = 1, size = SOCKET_BUFFER;
	if (inet_pton(AF_INET, ip, &own.sin_addr) != 1)
		return -EINVAL;
	l->media = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (l->media < 0 || bind(l->media, (struct sockaddr *)&own, sizeof(own)) ||
		setsockopt(l->media, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) ||
		setsockopt(l->media, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on)) ||
		setsockopt(l->media, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof(on)))
		return -errno;
	return 0;
}

static int open_control(struct load *l, const char *path)
{
	struct sockaddr_un own = {.sun_family = AF_UNIX};
	struct itimerspec every = {{0, SLOT_NS}, {0, SLOT_NS}};
	if (strlen(path) >= sizeof(own.sun_path))
		return -ENAMETOOLONG;
	strcpy(own.sun_path, path);
	l->control = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	l->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (l->control < 0 || l->timer < 0 || bind(l->control, (struct sockaddr *)&own, sizeof(own)) ||
		timerfd_settime(l->timer, 0, &every, NULL))
		return -errno;
	return 0;
}

int main(int argc, char **argv)
{
	if (argc != 4) {
		fprintf(stderr, "usage: rtp_load ADDRESS PORT CONTROL\n");
		return 2;
	}
	struct load *l = calloc(1, sizeof(*l)); /* one for the whole process; its end frees it */
	if (!l)
		return 1;
	for (int i = 0; i < SLOTS; i++)
		l->begun[i] = STREAMS;
	int err = open_media(l, argv[1], argv[2]);
	if (!err)
		err = open_control(l, argv[3]);
	if (!err) {
		printf("ready\n");
		fflush(stdout);
		err = run(l);
	}
	if (err)
		fprintf(stderr, "rtp_load: %s\n", strerror(-err));
	free(l->gaps);
	free(l);
	return err ? 1 : 0;
}
