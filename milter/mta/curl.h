/* Shared by submit.c and hook.c: libcurl, set up once for all threads. */
#ifndef MISSENT_MTA_CURL_H
#define MISSENT_MTA_CURL_H

void mta_curl_init(void);

#endif
