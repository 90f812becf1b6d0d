/* What counting costs a message, alone and beside threads that count too, and publishing a
 * second. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "missent/numbers.h"

#define MESSAGES 1000000
#define PUBLISHED 2000

static double cpu(void)
{
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* As tally.c and session.c do for one that is judged: two policies, two reasons. */
static void count_one(MsNumbers *numbers)
{
	ms_numbers_add(numbers, MS_NUM_JUDGED, 1);
	ms_numbers_add(numbers, MS_NUM_ACTION, 1);
	ms_numbers_add(numbers, MS_NUM_WOULD, 1);
	ms_numbers_add(numbers, MS_NUM_REASON, 1);
	ms_numbers_add(numbers, (MsNumber)(MS_NUM_REASON + 1), 1);
	ms_numbers_policy(numbers, "invoices", MS_DELIVER);
	ms_numbers_policy(numbers, "a policy that comes after", MS_TAG);
	for (int s = 0; s < MS_N_STAGES; s++)
		ms_numbers_time(numbers, (MsStage)s, 1500 * (s + 1));
}

static void *count_many(void *numbers)
{
	double *spent = g_new(double, 1);
	double begin = cpu();
	for (int i = 0; i < MESSAGES; i++)
		count_one(numbers);
	*spent = (cpu() - begin) / MESSAGES;
	return spent;
}

static double beside(MsNumbers *numbers, guint n)
{
	GThread *threads[8];
	double most = 0;
	for (guint i = 0; i < n; i++)
		threads[i] = g_thread_new("counts", count_many, numbers);
	for (guint i = 0; i < n; i++) {
		g_autofree double *spent = g_thread_join(threads[i]);
		most = MAX(most, *spent);
	}
	return most;
}

static double publish(MsNumbers *numbers)
{
	double begin = cpu();
	for (int i = 0; i < PUBLISHED; i++)
		if (!ms_numbers_publish(numbers, NULL))
			exit(1);
	return (cpu() - begin) / PUBLISHED;
}

int main(void)
{
	g_autofree char *path = NULL;
	int fd = g_file_open_tmp("missent-numbers-XXXXXX", &path, NULL);
	if (fd < 0)
		return 1;
	close(fd);
	MsNumbers *numbers = ms_numbers_new(path);
	double alone = beside(numbers, 1), four = beside(numbers, 4), second = publish(numbers);
	ms_numbers_free(numbers);
	unlink(path);
	printf("numbers: %.0f ns a message, %.0f ns beside three more threads; publishing %.0f us a second (%.4f %% of a core)\n",
		alone * 1e9, four * 1e9, second * 1e6, second * 100);
	return 0;
}
