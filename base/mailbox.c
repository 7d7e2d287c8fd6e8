#include "base/mailbox.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct mailbox {
	pthread_mutex_t lock;
	struct mail *head, **tail;
	int fd;
};

int mailbox_create(struct mailbox **box)
{
	struct mailbox *b = calloc(1, sizeof(*b));
	if (!b)
		return -ENOMEM;
	b->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (b->fd < 0) {
		int e = -errno;
		free(b);
		return e;
	}
	pthread_mutex_init(&b->lock, NULL);
	b->tail = &b->head;
	*box = b;
	return 0;
}

int mailbox_fd(const struct mailbox *box)
{
	return box->fd;
}

void mailbox_post(struct mailbox *box, struct mail *mail)
{
	mail->next = NULL;
	pthread_mutex_lock(&box->lock);
	int was_empty = box->head == NULL;
	*box->tail = mail;
	box->tail = &mail->next;
	pthread_mutex_unlock(&box->lock);
	if (was_empty)
		eventfd_write(box->fd, 1);
}

unsigned mailbox_drain(struct mailbox *box, void *reader)
{
	eventfd_t ignored;
	eventfd_read(box->fd, &ignored);
	pthread_mutex_lock(&box->lock);
	struct mail *mail = box->head;
	box->head = NULL;
	box->tail = &box->head;
	pthread_mutex_unlock(&box->lock);
	unsigned n = 0;
	while (mail) {
		struct mail *next = mail->next;
		mail->deliver(mail, reader);
		mail = next;
		n++;
	}
	return n;
}

void mailbox_destroy(struct mailbox *box, void *reader)
{
	if (!box)
		return;
	while (mailbox_drain(box, reader))
		;
	close(box->fd);
	pthread_mutex_destroy(&box->lock);
	free(box);
}
