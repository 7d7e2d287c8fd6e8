#include "base/mailbox.h"

#include <poll.h>
#include <pthread.h>

#include "tests/unit/journal/scratch.h"

#define SENDERS 4
#define EACH    5000

struct letter {
	struct mail mail;
	int sender, number;
};

struct reader {
	int next[SENDERS];
	int total, out_of_order;
};

static void deliver(struct mail *mail, void *reader)
{
	struct letter *l = (struct letter *)mail;
	struct reader *r = reader;
	r->out_of_order += l->number != r->next[l->sender]++;
	r->total++;
	free(l);
}

static struct mailbox *box;

static void post(int sender, int number)
{
	struct letter *l = malloc(sizeof(*l));
	*l = (struct letter){.mail.deliver = deliver, .sender = sender, .number = number};
	mailbox_post(box, &l->mail);
}

static void *send(void *arg)
{
	for (int i = 0; i < EACH; i++)
		post((int)(intptr_t)arg, i);
	return NULL;
}

START_TEST(nothing_is_lost_and_each_senders_order_is_kept)
{
	struct reader r = {.total = 0};
	pthread_t t[SENDERS];
	ck_assert_int_eq(mailbox_create(&box), 0);
	for (int i = 0; i < SENDERS; i++)
		ck_assert_int_eq(pthread_create(&t[i], NULL, send, (void *)(intptr_t)i), 0);
	while (r.total < SENDERS * EACH) {
		struct pollfd p = {.fd = mailbox_fd(box), .events = POLLIN};
		ck_assert_int_eq(poll(&p, 1, 5000), 1);
		mailbox_drain(box, &r);
	}
	for (int i = 0; i < SENDERS; i++)
		pthread_join(t[i], NULL);
	ck_assert_int_eq(r.out_of_order, 0);
	ck_assert_uint_eq(mailbox_drain(box, &r), 0);
	mailbox_destroy(box, &r);
}
END_TEST

START_TEST(mail_that_is_left_is_delivered_at_the_end)
{
	struct reader r = {.total = 0};
	ck_assert_int_eq(mailbox_create(&box), 0);
	post(0, 0);
	post(0, 1);
	mailbox_destroy(box, &r);
	ck_assert_int_eq(r.total, 2);
	mailbox_destroy(NULL, NULL);
}
END_TEST

SCRATCH_MAIN("mailbox", 60, nothing_is_lost_and_each_senders_order_is_kept,
	mail_that_is_left_is_delivered_at_the_end)
