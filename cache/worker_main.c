/* tollgate-media-worker: turns one untrusted body into telephony frames.
 *
 * Started by the media layer, one process per sound: descriptor 0 is the body (a sealed memfd), descriptor 1
 * takes the records of worker_record.h. It enters the sandbox before it looks at the first byte. */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "cache/decode.h"
#include "cache/sandbox.h"
#include "cache/worker_args.h"
#include "cache/worker_record.h"

static int send_record(enum cache_record_kind kind, const void *body, uint32_t bytes)
{
	uint8_t buf[CACHE_RECORD_MAX];
	struct cache_record_header h = {.kind = kind, .bytes = bytes};
	memcpy(buf, &h, sizeof(h));
	memcpy(buf + sizeof(h), body, bytes);
	return file_write_all(STDOUT_FILENO, buf, sizeof(h) + bytes);
}

static int on_begin(void *arg, uint32_t frames)
{
	return send_record(CACHE_RECORD_BEGIN, &frames, sizeof(frames));
}

static int on_frames(void *arg, const uint8_t *payload, uint32_t n)
{
	return send_record(CACHE_RECORD_FRAMES, payload, n * CACHE_FRAME_BYTES);
}

static void send_failure(const struct cache_failure *f)
{
	uint8_t body[sizeof(uint32_t) + CACHE_SENTENCE_BYTES];
	uint32_t error = f->error;
	size_t n = strlen(f->sentence);
	memcpy(body, &error, sizeof(error));
	memcpy(body + sizeof(error), f->sentence, n);
	send_record(CACHE_RECORD_FAIL, body, (uint32_t)(sizeof(error) + n));
}

static void leave(int status)
{
	/* No exit handlers: they belong to libraries that may have been overrun. */
	_exit(status);
}

int main(int argc, char **argv)
{
	struct cache_worker_args args;
	if (cache_worker_args_parse(argc, argv, &args)) {
		fprintf(stderr, "tollgate-media-worker is started by tollgate-control, not by hand\n");
		return 2;
	}
	struct stat st;
	struct cache_failure failure = {0};
	struct cache_decode in = {.type = args.type, .codec = args.codec, .max_seconds = args.max_seconds};
	void *body = MAP_FAILED;
	if (!fstat(STDIN_FILENO, &st) && st.st_size > 0)
		body = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, STDIN_FILENO, 0);
	if (body == MAP_FAILED) {
		cache_fail(&failure, CACHE_ERROR_INTERNAL, "the media worker has no body to decode");
		send_failure(&failure);
		leave(1);
	}
	const char *step;
	int e = cache_sandbox_enter(&args.sandbox, &step);
	if (e) {
		cache_fail(
			&failure, CACHE_ERROR_INTERNAL, "the media worker cannot %s: %s", step, strerror(-e));
		send_failure(&failure);
		leave(1);
	}
	in.data = body;
	in.bytes = (size_t)st.st_size;
	struct cache_decode_sink sink = {.begin = on_begin, .frames = on_frames};
	uint32_t frames = 0;
	e = cache_decode(&in, &sink, &frames, &failure);
	if (!e)
		e = send_record(CACHE_RECORD_END, &frames, sizeof(frames));
	else if (failure.error)
		send_failure(&failure);
	leave(e ? 1 : 0);
}
